# SPDX-License-Identifier: Apache-2.0
"""The HTTP server of a real cluster: shapes, refusals, and answers while it ends.

Usage: http_test.py PATH/TO/cluster_server
"""
import concurrent.futures
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import unittest

SERVER = None


class Cluster:
    def __enter__(self):
        self.process = subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(self.process.wait())
        words = dict(word.split("=", 1) for word in line.split())
        self.address, self.pid = words["http"], int(words["pid"])
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.status = self.process.wait(timeout=60)
        self.process.stdout.close()

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def post(self, path, value):
        status, body, _ = self.ask("POST", path, json.dumps(value), {"Content-Type": "application/json"})
        return status, json.loads(body)


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__()
        assert cls.cluster.status == 0, cls.cluster.status

    def test_tokenize_gives_the_shape_of_text_embeddings_inference(self):
        status, lists = self.cluster.post("/tokenize", {"inputs": "Hello, Zoë!"})
        self.assertEqual(status, 200)
        tokens = lists[0]
        self.assertEqual(set(tokens[0]), {"id", "text", "special", "start", "stop"})
        self.assertEqual(tokens[0]["text"], "[CLS]")
        self.assertIsNone(tokens[0]["start"])
        plain = [t for t in tokens if not t["special"]]
        self.assertEqual("".join(t["text"] for t in plain), "Hello,Zoë!")
        for token in plain:
            self.assertEqual(token["text"], "Hello, Zoë!"[token["start"]:token["stop"]])

    def test_tokenize_without_special_tokens(self):
        status, lists = self.cluster.post("/tokenize", {"inputs": ["a", "", "b c"], "add_special_tokens": False})
        self.assertEqual(status, 200)
        self.assertEqual([len(tokens) for tokens in lists], [1, 0, 2])

    def test_decode_turns_it_back(self):
        text = "The quick brown fox – naïve, 日本語 🙂"
        for model in ("bpe",):
            _, lists = self.cluster.post("/tokenize", {"inputs": [text, text], "model": model})
            ids = [[token["id"] for token in tokens] for tokens in lists]
            self.assertEqual(self.cluster.post("/decode", {"ids": ids, "model": model}), (200, [text, text]))
            self.assertEqual(self.cluster.post("/decode", {"ids": ids[0], "model": model}), (200, [text]))

    def test_a_large_request_comes_back_whole(self):
        inputs = [f"document {i} " * 20 for i in range(10000)]
        status, lists = self.cluster.post("/tokenize", {"inputs": inputs})
        self.assertEqual((status, len(lists)), (200, 10000))
        self.assertEqual([t["text"] for t in lists[77] if not t["special"]][:3], ["document", "7", "7"])

    def test_many_at_once(self):
        def one(i):
            status, lists = self.cluster.post("/tokenize", {"inputs": f"number {i}", "add_special_tokens": False})
            return status == 200 and lists[0][0]["text"] == "number"
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertTrue(all(pool.map(one, range(500))))

    def test_what_is_wrong_is_refused(self):
        kind = {"Content-Type": "application/json"}
        cases = [
            (400, "/tokenize", b"{", kind), (400, "/tokenize", b"[]", kind), (400, "/tokenize", b"{}", kind),
            (400, "/tokenize", b'{"inputs": []}', kind), (400, "/tokenize", b'{"inputs": [1]}', kind),
            (400, "/tokenize", b'{"inputs": "a", "add_special_tokens": 1}', kind),
            (400, "/tokenize", b'{"inputs": "\\ud800"}', kind), (400, "/decode", b'{"ids": [-1]}', kind),
            (400, "/decode", b'{"ids": [[1], 2]}', kind), (400, "/decode", b'{}', kind),
            (404, "/tokenize", b'{"inputs": "a", "model": "nobody"}', kind), (404, "/nothing", b"{}", kind),
            (415, "/tokenize", b'{"inputs": "a"}', {"Content-Type": "text/plain"}),
            (413, "/tokenize", b" " * (8 << 20) + b"{}", kind),
            (400, "/tokenize", b'{"inputs": "a"}', {**kind, "Host": "evil.example"}),
        ]
        for wanted, path, body, headers in cases:
            status, answer, _ = self.cluster.ask("POST", path, body, headers)
            self.assertEqual(status, wanted, (path, body[:60]))
            self.assertEqual(set(json.loads(answer)), {"error", "error_type"})
        self.assertEqual(self.cluster.ask("GET", "/tokenize")[0], 405)
        self.assertEqual(self.cluster.ask("PUT", "/healthz")[0], 405)

    def test_health_and_readiness(self):
        self.assertEqual(self.cluster.ask("GET", "/healthz")[0], 200)
        self.assertEqual(self.cluster.ask("GET", "/readyz")[0], 200)
        self.assertEqual(self.cluster.ask("HEAD", "/healthz")[:2], (200, b""))

    def test_metrics_have_the_names_that_dashboards_ask_for(self):
        self.cluster.post("/tokenize", {"inputs": "a"})
        status, body, headers = self.cluster.ask("GET", "/metrics")
        text = body.decode()
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain"))
        for name in ('worker_utilization{worker="0"}', 'worker_queue_depth{worker="1"}', "requests_total",
                     "tokens_processed_total", "tokens_processed", "queue_depth",
                     'tokenization_duration_seconds_bucket{le="+Inf"}', "ipc_transfer_seconds_sum",
                     "queue_wait_seconds_count"):
            self.assertRegex(text, "(?m)^budtiktok_" + re.escape(name) + r" [0-9.]+$")
        for line in text.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? [0-9.e+-]+)$")

    def test_latency_says_the_flat_keys_first(self):
        body = json.loads(self.cluster.ask("GET", "/debug/latency")[1])
        self.assertEqual(list(body)[:4], ["tokenization_p50_us", "tokenization_p99_us", "ipc_transfer_p50_us",
                                          "queue_wait_p50_us"])
        self.assertEqual(set(body["windows"]), {"10s", "60s", "since_start"})
        self.assertEqual(len(body["workers"]), 2)

    def test_info_and_page(self):
        info = json.loads(self.cluster.ask("GET", "/info")[1])
        self.assertEqual(info["models"], ["wordpiece", "bpe"])
        self.assertIn(b"BudTikTok", self.cluster.ask("GET", "/")[1])


class End(unittest.TestCase):
    def test_requests_are_answered_while_the_cluster_ends(self):
        def one(i):
            try:
                return cluster.post("/tokenize", {"inputs": ["word " * 100] * 200})[0]
            except (ConnectionError, http.client.HTTPException):
                return 0
        with Cluster() as cluster:
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                first = [pool.submit(one, i) for i in range(8)]
                concurrent.futures.wait(first, return_when=concurrent.futures.FIRST_COMPLETED)
                rest = [pool.submit(one, i) for i in range(16)]
                os.kill(cluster.pid, signal.SIGTERM)
                statuses = {job.result() for job in first + rest}
            self.assertLessEqual(statuses, {200, 503, 0})
            self.assertIn(200, statuses)
        self.assertEqual(cluster.status, 0)


if __name__ == "__main__":
    SERVER = sys.argv.pop(1)
    unittest.main()
