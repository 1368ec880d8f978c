# SPDX-License-Identifier: Apache-2.0
"""/metrics of a running cluster: the text format of Prometheus, and every name that somebody asks for.

Usage: metrics_test.py PATH/TO/budtiktok PATH/TO/budtiktok-load
"""
import collections
import os
import re
import subprocess
import sys
import unittest

import dashboards

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from running_cluster import Cluster, wait_for

PROGRAM = LOAD = None
NAME = 'odd "name" \\ of one'
PROMISED = {
    "requests_total": "counter", "tokens_processed_total": "counter", "tokens_processed": "untyped", "queue_depth": "gauge",
    "worker_utilization": "gauge", "worker_queue_depth": "gauge", "tokenization_duration_seconds": "histogram",
    "ipc_transfer_seconds": "histogram", "queue_wait_seconds": "histogram", "return_seconds": "histogram",
}
SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? ([0-9.e+-]+|\+Inf)$')


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(PROGRAM, "--tokenizer", NAME + "=wordpiece", "--tokenizer", "bpe"))
        subprocess.run([LOAD, "--connect", cls.cluster.endpoint, "--concurrency", "4", "--duration", "1"], check=True,
                       stdout=subprocess.DEVNULL)
        cls.cluster.ask("/tokenize", {"inputs": ["a", "b c"]})
        # The figures are taken ten times a second.
        wait_for(lambda: "budtiktok_batches_in_flight 0" in cls.cluster.read("/metrics"))
        cls.text = cls.cluster.read("/metrics")
        cls.types, cls.samples = {}, {}
        for line in cls.text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                assert name not in cls.types, f"{name} is declared twice"
                cls.types[name] = kind
            elif not line.startswith("#"):
                name, labels, value = SAMPLE.fullmatch(line).groups()
                assert (name, labels) not in cls.samples, f"{line}: twice"
                cls.samples[name, labels] = float(value)

    def family_of(self, name):
        return name if name in self.types else dashboards.SUFFIX.sub("", name)

    def test_every_family_has_help_and_type_before_its_samples_and_stands_together(self):
        families = []
        for line in self.text.splitlines():
            family = line.split()[2] if line.startswith("#") else self.family_of(SAMPLE.fullmatch(line).group(1))
            if not families or families[-1][0] != family:
                families.append((family, []))
            families[-1][1].append(line)
        for family, lines in families:
            self.assertRegex(lines[0], f"^# HELP {family} .+")
            self.assertEqual(lines[1], f"# TYPE {family} {self.types[family]}")
            self.assertGreater(len(lines), 2, family)
        self.assertEqual(len(families), len(self.types))
        self.assertTrue(self.text.endswith("\n"))

    def test_names_end_as_prometheus_wants_it(self):
        for name, kind in self.types.items():
            self.assertTrue(name.startswith("budtiktok_"))
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
        for part, kind in PROMISED.items():
            self.assertEqual(self.types[f"budtiktok_{part}"], kind)

    def test_the_buckets_of_histograms_are_cumulative_and_end_with_all(self):
        for name in (name for name, kind in self.types.items() if kind == "histogram"):
            buckets = [(float(labels[4:-1]), value) for (sample, labels), value in self.samples.items() if sample == name + "_bucket"]
            self.assertEqual(buckets, sorted(buckets))
            self.assertEqual([count for _, count in buckets], sorted(count for _, count in buckets))
            self.assertEqual(buckets[-1], (float("inf"), self.samples[name + "_count", None]))
            self.assertGreater(self.samples[name + "_sum", None], 0, name)

    def test_the_figures_are_those_of_the_work_that_was_done(self):
        total = lambda name: sum(value for (sample, _), value in self.samples.items() if sample == name)
        for both in ("documents", "bytes_processed", "tokens_processed", "shards"):
            of_workers = both.removesuffix("_processed")
            self.assertGreater(total(f"budtiktok_{both}_total"), 0)
            self.assertEqual(total(f"budtiktok_{both}_total"), total(f"budtiktok_worker_{of_workers}_total"))
        self.assertEqual(total("budtiktok_tokens_processed"), total("budtiktok_tokens_processed_total"))
        self.assertEqual(total("budtiktok_tokenization_duration_seconds_count"), total("budtiktok_shards_total"))
        self.assertEqual(total("budtiktok_requests_total"), total("budtiktok_batches_done_total"))
        self.assertGreater(total("budtiktok_worker_busy_seconds_total"), 0)
        self.assertEqual(total("budtiktok_workers_ready"), 2)

    def test_the_name_of_a_tokenizer_is_escaped(self):
        escaped = NAME.replace("\\", "\\\\").replace('"', '\\"')
        self.assertIn(('budtiktok_tokenizer_image_bytes', f'tokenizer="{escaped}"'), self.samples)

    def test_every_metric_of_the_dashboard_and_of_the_rules_is_there(self):
        expressions = dashboards.of_dashboard() + dashboards.of_rules()
        asked = collections.Counter(name for expression in expressions for name in dashboards.names_in(expression))
        self.assertGreater(len(asked), 25)
        there = {name for name, _ in self.samples}
        self.assertEqual(set(asked) - there, set())


if __name__ == "__main__":
    PROGRAM, LOAD = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
