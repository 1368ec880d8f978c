# SPDX-License-Identifier: Apache-2.0
"""The HTTP server of a real cluster: shapes, refusals, and answers while it ends.

Usage: http_test.py PATH/TO/cluster_server PATH/TO/budtiktok
"""
import concurrent.futures
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

SERVER = None
PROGRAM = None


class Cluster:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __enter__(self):
        self.process = subprocess.Popen([SERVER, *self.arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(self.process.wait())
        words = dict(word.split("=", 1) for word in line.split())
        self.address, self.pid, self.endpoint = words["http"], int(words["pid"]), words["endpoint"]
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.status = self.process.wait(timeout=60)
        self.process.stdout.close()

    def ask(self, method, path, body=None, headers=None):
        # Under ThreadSanitizer an overloaded cluster takes minutes.
        connection = http.client.HTTPConnection(self.address, timeout=300)
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

    def test_what_the_text_of_a_special_token_means(self):
        def texts(meaning):
            body = {"inputs": "a [SEP]", "add_special_tokens": False, "special_text": meaning}
            status, answer = self.cluster.post("/tokenize", body)
            return status, [token["text"] for token in answer[0]] if status == 200 else answer
        self.assertEqual(texts(None), (200, ["a", "[SEP]"]))
        self.assertEqual(texts("parse"), (200, ["a", "[SEP]"]))
        self.assertEqual(len(texts("plain")[1]), 4)
        status, answer = texts("error")
        self.assertEqual((status, answer["error_type"]), (422, "Tokenizer"))
        self.assertIn("input 0 has the text of a special token at byte 2", answer["error"])
        self.assertEqual(texts("odd")[0], 400)
        # Inputs that are padded to the longest of them fail together, and the first of them is not the one.
        body = {"inputs": ["a", "a [SEP]"], "special_text": "error", "padding": {}}
        status, answer = self.cluster.post("/tokenize", body)
        self.assertEqual((status, answer["error"]), (422, "one of the inputs has the text of a special token at byte 2"))

    def test_pairs_words_and_padding_in_the_shape_of_text_embeddings_inference(self):
        inputs = [{"text": "naïve", "pair": "Zoë x"}, {"words": ["Zoë", "", "x y"]}]
        status, lists = self.cluster.post("/tokenize", {"inputs": inputs, "padding": {"pad_to_multiple_of": 8}})
        self.assertEqual(status, 200)
        self.assertEqual(len(lists[0]), len(lists[1]))
        self.assertEqual([t["text"] for t in lists[0] if t["special"]][:2], ["[CLS]", "[SEP]"])
        self.assertEqual(lists[1][-1], {"id": 0, "text": "[PAD]", "special": True, "start": None, "stop": None})
        plain = ["".join(t["text"] for t in tokens if not t["special"]) for tokens in lists]
        self.assertEqual(plain, ["naïveZoëx", "Zoëxy"])
        byte = self.cluster.post("/tokenize", {"inputs": inputs, "offsets_unit": "byte"})[1]
        self.assertEqual("".join(t["text"] for t in byte[0] if not t["special"]), "naïveZoëx")

    def test_fields_and_what_overflows(self):
        body = {"inputs": "a b c d", "fields": ["ids", "offsets", "overflowing"], "truncation": {"max_length": 4}}
        status, answer = self.cluster.post("/tokenize", body)
        self.assertEqual(status, 200)
        self.assertEqual(set(answer[0]), {"ids", "offsets", "overflowing"})
        self.assertEqual((len(answer[0]["ids"]), len(answer[0]["overflowing"])), (4, 1))
        self.assertEqual(answer[0]["overflowing"][0]["offsets"], [[0, 0], [4, 5], [6, 7], [0, 0]])

    def test_options_that_cannot_be_are_refused_with_a_reason(self):
        cases = [
            (400, {"truncation": {"stride": 1}}, "max_length"), (400, {"truncation": []}, "max_length"),
            (400, {"padding": {"length": -1}}, "length"), (400, {"padding": {"pad_token": "x" * 1025}}, "1024 bytes"),
            (400, {"fields": "ids"}, "a list"), (400, {"fields": []}, "a list"), (400, {"fields": ["idz"]}, "fields[0]"),
            (400, {"offsets_unit": "word"}, "char or byte"), (400, {"as_configured": 1}, "true or false"),
            (413, {"padding": {"length": 1 << 23}}, "tokens for all inputs"),
            (413, {"padding": {"length": (1 << 63) - 1}}, "tokens for all inputs"),
            (422, {"truncation": {"max_length": 4, "stride": 3}}, "input 0: truncation: a stride of 3"),
            (422, {"truncation": {"max_length": 3, "strategy": "only_second"}}, "input 0: truncation"),
        ]
        for wanted, options, words in cases:
            status, answer = self.cluster.post("/tokenize", {"inputs": "a b c", **options})
            self.assertEqual(status, wanted, (options, answer))
            self.assertIn(words, answer["error"])
        for inputs in ([{"text": 1}], [{"words": "a"}, 1], [{"words": ["a", None]}], [{}], {"text": "a", "pair": {}}, [[]]):
            status, answer = self.cluster.post("/tokenize", {"inputs": inputs})
            self.assertEqual((status, answer["error"].startswith("inputs[")), (400, True), (inputs, answer))

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
        for part in ("queue_wait", "ipc_transfer", "tokenization", "return"):
            for window in (body, *body["windows"].values(), *body["workers"], *(w for worker in body["workers"] for w in worker["windows"].values())):
                if part != "return" or "return_count" in window:
                    figures = [window[f"{part}_{name}_us"] for name in ("p50", "p90", "p99", "p999", "max")]
                    self.assertEqual(figures, sorted(figures))
        self.assertGreater(body["return_count"], 0)
        self.assertLessEqual(body["return_count"], body["tokenization_count"])
        self.assertEqual(len(body["workers"]), 2)

    def test_info_and_page(self):
        info = json.loads(self.cluster.ask("GET", "/info")[1])
        self.assertEqual(info["models"], ["wordpiece", "bpe"])
        self.assertIn(b"BudTikTok", self.cluster.ask("GET", "/")[1])

    def test_a_browser_may_do_nothing_with_an_answer_but_show_the_page(self):
        for path in ("/", "/info", "/metrics", "/nothing"):
            headers = self.cluster.ask("GET", path)[2]
            policy = headers["Content-Security-Policy"]
            self.assertTrue(policy.startswith("default-src 'none'; "), policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertEqual("sha256-" in policy, path == "/")
            self.assertNotIn("unsafe", policy)
            self.assertEqual((headers["X-Content-Type-Options"], headers["Referrer-Policy"]), ("nosniff", "no-referrer"))


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


class Overload(unittest.TestCase):
    def test_what_is_too_much_is_refused_with_a_time_to_come_back(self):
        body = json.dumps({"inputs": ["word " * 100] * 2000})

        def one(_):
            status, answer, headers = cluster.ask("POST", "/tokenize", body, {"Content-Type": "application/json"})
            return status, headers["Retry-After"], json.loads(answer)
        with Cluster("1") as cluster:
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(one, range(48)))
            self.assertEqual({status for status, _, _ in answers}, {200, 429})
            for status, after, answer in answers:
                if status == 429:
                    self.assertGreaterEqual(int(after), 1)
                    self.assertEqual(answer["error_type"], "Overloaded")
            self.assertEqual(cluster.post("/tokenize", {"inputs": "a"})[0], 200)
        self.assertEqual(cluster.status, 0)


class Two(unittest.TestCase):
    def test_a_second_coordinator_ends_and_the_first_goes_on(self):
        with Cluster() as cluster:
            for place in (["--listen", cluster.endpoint, "--http", "off"],
                          ["--listen", cluster.endpoint + "2", "--http", cluster.address]):
                second = subprocess.run([PROGRAM, "serve", *place], capture_output=True, timeout=60)
                self.assertEqual(second.returncode, 6, second)
                self.assertEqual(second.stdout, b"")
                self.assertEqual(cluster.post("/tokenize", {"inputs": "a"})[0], 200)
            lock = cluster.endpoint.removeprefix("ipc://") + "2.lock"
            if os.path.exists(lock):
                os.unlink(lock)
        self.assertEqual(cluster.status, 0)


class Token(unittest.TestCase):
    """`budtiktok serve` where other hosts can reach it."""

    TOKEN = "Correct-Horse.9"

    def serve(self, folder, *arguments):
        return subprocess.Popen([PROGRAM, "serve", "--listen", f"ipc://{folder}/c", "--workers", "1",
                                 "--http", "0.0.0.0:0", *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def write_token(self, folder, text):
        path = os.path.join(folder, "token")
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_work_needs_the_token_and_health_does_not(self):
        with tempfile.TemporaryDirectory() as folder:
            process = self.serve(folder, "--http-token-file", self.write_token(folder, self.TOKEN + "\n"))
            try:
                port = re.search(r"http=\S+:(\d+)", process.stdout.readline()).group(1)
                self.check_answers(f"127.0.0.1:{port}")
            finally:
                process.terminate()
                process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0)

    def check_answers(self, address):
        cluster = Cluster()
        cluster.address = address
        kind = {"Content-Type": "application/json"}
        body = b'{"inputs": "a"}'
        for wrong in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "},
                      {"Authorization": self.TOKEN}, {"Authorization": "Basic " + self.TOKEN},
                      {"Authorization": "Bearer " + self.TOKEN[:-1]},
                      {"Authorization": "Bearer " + self.TOKEN + "9"},
                      {"Authorization": "Bearer " + self.TOKEN.lower()}):
            for method, path in (("POST", "/tokenize"), ("POST", "/decode"), ("GET", "/info")):
                status, answer, said = cluster.ask(method, path, body if method == "POST" else None,
                                                {**kind, **wrong})
                self.assertEqual(status, 401, (path, wrong))
                self.assertEqual(said["WWW-Authenticate"], "Bearer")
                self.assertEqual(set(json.loads(answer)), {"error", "error_type"})
        right = {"Authorization": "Bearer " + self.TOKEN}
        self.assertEqual(cluster.ask("POST", "/tokenize", body, {**kind, **right})[0], 200)
        self.assertEqual(cluster.ask("GET", "/info", None, right)[0], 200)
        self.assertEqual(cluster.ask("GET", "/healthz")[0], 200)

    def test_what_is_no_token_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            cases = [([], "http-token-file"), (["--http-token-file", folder + "/none"], "none")]
            for number, text in enumerate(["", "\n", "two words", "a\nb", "x" * 2000, "Zo\u00eb"]):
                path = os.path.join(folder, str(number))
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                cases.append((["--http-token-file", path], path))
            for arguments, said in cases:
                process = self.serve(folder, *arguments)
                _, complaint = process.communicate(timeout=60)
                self.assertIn(process.returncode, (2, 3, 5), arguments)
                self.assertIn(said, complaint)


if __name__ == "__main__":
    SERVER = sys.argv.pop(1)
    PROGRAM = sys.argv.pop(1)
    unittest.main()
