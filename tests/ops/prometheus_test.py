# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a real cluster: no warning, every series, every query of the dashboard.

Usage: prometheus_test.py PATH/TO/budtiktok PATH/TO/budtiktok-load
Exit 77 where there is no Prometheus.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

import dashboards

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from running_cluster import Cluster, wait_for

PROGRAM = LOAD = None
CONFIG = """
global: {{scrape_interval: 500ms, evaluation_interval: 1s}}
rule_files: ["{rules}/recording.yml", "{rules}/alerts.yml"]
scrape_configs:
  - job_name: budtiktok
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    def __init__(self, target):
        self.target = target

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = "%s:%d" % free.getsockname()
        config = os.path.join(self.folder.name, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(rules=dashboards.RULES, target=self.target))
        self.log_path = os.path.join(self.folder.name, "log")
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(["prometheus", f"--config.file={config}", f"--web.listen-address={self.address}",
                                             f"--storage.tsdb.path={self.folder.name}/data"], stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.folder.cleanup()

    def ask(self, path, **parameters):
        try:
            url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it starts
                return None
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None
        except OSError:  # not yet
            return None

    def values(self, query):
        found = self.ask("query", query=query)
        return [float(series["value"][1]) for series in found["result"]] if found else []

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()


class Scraped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(PROGRAM))
        load = cls.cluster.load(LOAD, "--rate", "200", "--duration", "60")
        cls.addClassCleanup(lambda: (load.terminate(), load.wait()))
        cls.prometheus = cls.enterClassContext(Prometheus(cls.cluster.address))
        wait_for(lambda: cls.prometheus.values("count_over_time(budtiktok_tokens_processed_total[1m]) > 8"), 30)

    def test_it_is_up_and_its_figures_grow(self):
        self.assertEqual(self.prometheus.values("up"), [1])
        for query in ("budtiktok_tokens_processed_total", "rate(budtiktok_tokens_processed_total[5s])", "budtiktok_tokens_processed",
                      "histogram_quantile(0.99, sum by (le) (rate(budtiktok_tokenization_duration_seconds_bucket[5s])))",
                      "sum(rate(budtiktok_worker_busy_seconds_total[5s]))"):
            values = self.prometheus.values(query)
            self.assertEqual(len(values), 1, query)
            self.assertGreater(values[0], 0, query)
        self.assertEqual(len(self.prometheus.values("budtiktok_worker_utilization")), 2)

    def test_the_log_has_no_warning_and_the_target_no_error(self):
        self.assertIn("Server is ready to receive web requests", self.prometheus.log())
        self.assertEqual([line for line in self.prometheus.log().splitlines() if re.search("level=(warn|error)", line)], [])
        targets = self.prometheus.ask("targets")["activeTargets"]
        self.assertEqual([(target["health"], target["lastError"]) for target in targets], [("up", "")])

    def test_types_and_help_arrived(self):
        known = self.prometheus.ask("metadata")
        text = self.cluster.read("/metrics")
        for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE):
            self.assertEqual(known[name][0]["type"], kind.replace("untyped", "unknown"))
            self.assertTrue(known[name][0]["help"])

    def test_every_query_of_the_dashboard_has_an_answer(self):
        for expression in dashboards.of_dashboard():
            query = expression.replace("$__rate_interval", "5s").replace("$instance", ".*")
            self.assertTrue(self.prometheus.values(query), query)

    def test_every_rule_is_evaluated_without_an_error(self):
        def rules():
            groups = self.prometheus.ask("rules")["groups"]
            return [rule for group in groups for rule in group["rules"]]
        wait_for(lambda: all(rule["health"] == "ok" for rule in rules()))
        self.assertEqual([(rule["name"], rule.get("lastError")) for rule in rules() if rule["health"] != "ok"], [])
        self.assertEqual(len(rules()), len(dashboards.of_rules()))
        self.assertEqual([rule["name"] for rule in rules() if rule.get("state") == "firing"], [])

    def test_promtool_finds_nothing_in_the_metrics(self):
        found = subprocess.run(["promtool", "check", "metrics"], input=self.cluster.read("/metrics"), text=True, capture_output=True)
        self.assertEqual((found.returncode, found.stdout, found.stderr), (0, "", ""))


class Rules(unittest.TestCase):
    def check(self, *arguments):
        done = subprocess.run(["promtool", *map(str, arguments)], text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_configuration_and_its_rules_are_valid(self):
        self.check("check", "config", dashboards.RULES / "prometheus.yml")

    def test_alerts_fire_when_they_should_and_only_then(self):
        self.check("test", "rules", dashboards.ROOT / "tests/ops/alerts_test.yml")

    def test_every_alert_is_tested(self):
        tested = (dashboards.ROOT / "tests/ops/alerts_test.yml").read_text(encoding="utf-8")
        for name in re.findall(r"alert: (\w+)", (dashboards.RULES / "alerts.yml").read_text(encoding="utf-8")):
            self.assertRegex(tested, rf"alertname: {name}\n +exp_alerts")


if __name__ == "__main__":
    if not all(shutil.which(name) for name in ("prometheus", "promtool")):
        print("prometheus is not here (tools/dev/install-packages profile)")
        sys.exit(77)
    PROGRAM, LOAD = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
