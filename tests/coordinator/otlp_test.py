# SPDX-License-Identifier: Apache-2.0
"""Tracing of a real cluster to a collector that decodes strictly (otlp_messages.py).

Usage: otlp_test.py PATH/TO/budtiktok
"""
import collections
import http.client
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import otlp_messages  # noqa: E402

PROGRAM = None
TEXT = pathlib.Path(__file__).resolve().parents[2] / "bench/texts/en.txt"
PARTS = ("queue_wait", "ipc_transfer", "tokenization", "return")
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        collector = self.server.collector
        body = self.rfile.read(int(self.headers["Content-Length"]))
        collector.gate.wait()
        with collector.lock:
            collector.requests.append((self.path, dict(self.headers), body))
            status = collector.answers.pop(0) if collector.answers else 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that hung up


class Collector:
    def __init__(self):
        self.requests, self.answers = [], []
        self.lock, self.gate = threading.Lock(), threading.Event()
        self.gate.set()

    def __enter__(self):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.collector = self
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()

    def spans(self):
        with self.lock:
            requests = list(self.requests)
        return [span for _, headers, body in requests
                for span in otlp_messages.spans_of(otlp_messages.decode(headers["Content-Type"], body))]


class Cluster:
    def __init__(self, *arguments, **environment):
        self.arguments = arguments
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        self.environment.update(environment)

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.endpoint = f"ipc://{self.folder.name}/c"
        self.errors = open(self.folder.name + "/log", "w+")
        self.process = subprocess.Popen([PROGRAM, "serve", "--workers", "2", "--http", "127.0.0.1:0", "--listen", self.endpoint, *self.arguments],
                                        env=self.environment, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        words = dict(word.split("=", 1) for word in self.process.stdout.readline().split()[1:])
        self.address = words["http"]
        return self

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        return status

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()
        self.errors.close()
        self.folder.cleanup()

    def log(self):
        return pathlib.Path(self.errors.name).read_text()

    def submit(self, *files, traceparent=None):
        environment = dict(self.environment)
        if traceparent is not None:
            environment["TRACEPARENT"] = traceparent
        subprocess.run([PROGRAM, "submit", "--quiet", "--connect", self.endpoint, "--input-format", "lines", "--output", os.devnull,
                        *map(str, files or [TEXT])], check=True, env=environment, timeout=120)

    def tokenize(self, count=1, text="Hello, world!", **headers):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        for _ in range(count):
            began = time.monotonic_ns()
            connection.request("POST", "/tokenize", json.dumps({"inputs": text}),
                               {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            taken = time.monotonic_ns() - began
        connection.close()
        return taken

    def metric(self, name):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"budtiktok_{name} "))

    def wait_for_metric(self, name, least, seconds=20):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if self.metric(name) >= least:
                return self.metric(name)
            time.sleep(0.1)
        raise AssertionError(f"{name} is {self.metric(name)}, not {least}\n{self.log()}")


def by_trace(spans):
    traces = collections.defaultdict(list)
    for span in spans:
        traces[span["traceId"]].append(span)
    return traces


class Otlp(unittest.TestCase):
    def check_trace(self, spans):
        roots = [span for span in spans if span["name"] == "batch"]
        self.assertEqual(len(roots), 1, [span["name"] for span in spans])
        root = roots[0]
        self.assertEqual(root["kind"], 2)
        self.assertEqual(len({span["spanId"] for span in spans}), len(spans))
        for span in spans:
            self.assertEqual((len(span["traceId"]), len(span["spanId"])), (16, 8))
            self.assertLessEqual(span["startTimeUnixNano"], span["endTimeUnixNano"])
            self.assertLess(abs(span["startTimeUnixNano"] / 1e9 - time.time()), 120)
            if span is root:
                continue
            self.assertEqual(span["parentSpanId"], root["spanId"])
            self.assertIn(span["name"], PARTS)
            self.assertGreaterEqual(span["startTimeUnixNano"], root["startTimeUnixNano"])
            self.assertLessEqual(span["endTimeUnixNano"], root["endTimeUnixNano"])
        self.check_shards(root, spans)
        return root

    # Of each shard one part begins where the other ended; those of the last one are the whole batch.
    def check_shards(self, root, spans):
        shards = collections.defaultdict(dict)
        for span in spans:
            if span is not root:
                shards[span["attributes"]["budtiktok.shard"]][span["name"]] = span
        self.assertEqual(len(shards), root["attributes"]["budtiktok.shards"])
        last = [parts for parts in shards.values() if "return" in parts]
        self.assertEqual(len(last), 1)
        for parts in shards.values():
            chain = [parts[name] for name in PARTS if name in parts]
            self.assertGreaterEqual(len(chain), 3)
            self.assertEqual(chain[0]["startTimeUnixNano"], root["startTimeUnixNano"])
            for before, after in zip(chain, chain[1:]):
                self.assertEqual(before["endTimeUnixNano"], after["startTimeUnixNano"])
        parts = last[0]
        length = sum(parts[name]["endTimeUnixNano"] - parts[name]["startTimeUnixNano"] for name in PARTS)
        self.assertEqual(length, root["endTimeUnixNano"] - root["startTimeUnixNano"])
        for name in ("bytes", "documents", "tokens"):
            self.assertEqual(sum(p["tokenization"]["attributes"]["budtiktok." + name] for p in shards.values()),
                             root["attributes"]["budtiktok." + name], name)

    def run_all(self, collector, **environment):
        with Cluster(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, OTEL_SERVICE_NAME="tests",
                     OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=a%20b,service.name=other",
                     OTEL_EXPORTER_OTLP_HEADERS="X-Key=a%2Cb, X-Other=2", **environment) as cluster:
            cluster.submit()
            taken_ns = cluster.tokenize(traceparent=PARENT)
            self.assertEqual(cluster.end(), 0, cluster.log())
        for path, headers, _ in collector.requests:
            self.assertEqual((path, headers["X-Key"], headers["X-Other"]), ("/v1/traces", "a,b", "2"))
        spans = collector.spans()
        traces = by_trace(spans)
        roots = [self.check_trace(trace) for trace in traces.values()]
        for span in spans:
            self.assertEqual(span["resource"], {"service.name": "tests", "deployment.environment.name": "a b"})
            self.assertEqual(span["scope"]["name"], "budtiktok")
        # One of them is the request over HTTP: a child of its caller's span, and not longer than that was.
        called = [root for root in roots if "parentSpanId" in root]
        self.assertEqual(len(called), 1)
        version, trace_id, span_id, _ = PARENT.split("-")
        self.assertEqual((called[0]["traceId"].hex(), called[0]["parentSpanId"].hex()), (trace_id, span_id))
        self.assertLess(called[0]["endTimeUnixNano"] - called[0]["startTimeUnixNano"], taken_ns)
        self.assertEqual(called[0]["attributes"]["budtiktok.tokenizer"], "wordpiece")
        submitted = [root for root in roots if "parentSpanId" not in root]
        self.assertEqual(sum(root["attributes"]["budtiktok.bytes"] for root in submitted),
                         sum(len(line) for line in TEXT.read_bytes().split(b"\n")))

    def test_spans_of_batches_in_protobuf(self):
        with Collector() as collector:
            self.run_all(collector)
            self.assertEqual({headers["Content-Type"] for _, headers, _ in collector.requests}, {"application/x-protobuf"})

    def test_spans_of_batches_in_json(self):
        with Collector() as collector:
            self.run_all(collector, OTEL_EXPORTER_OTLP_PROTOCOL="http/json")
            self.assertEqual({headers["Content-Type"] for _, headers, _ in collector.requests}, {"application/json"})

    def test_a_batch_of_many_shards_has_the_parts_of_each(self):
        with Collector() as collector, tempfile.NamedTemporaryFile(suffix=".jsonl", mode="w") as file:
            json.dump({"batch": [{"text": line} for line in TEXT.read_text().split("\n")]}, file)
            file.flush()
            with Cluster(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.endpoint + "/own/path") as cluster:
                cluster.tokenize(text=TEXT.read_text().split("\n"))
                self.assertEqual(cluster.end(), 0)
            self.assertEqual({path for path, _, _ in collector.requests}, {"/own/path"})
            traces = by_trace(collector.spans())
            self.assertEqual(len(traces), 1)
            root = self.check_trace(next(iter(traces.values())))
            self.assertGreater(root["attributes"]["budtiktok.shards"], 3)

    def test_the_client_library_says_of_which_trace_its_batches_are(self):
        with Collector() as collector:
            with Cluster(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint) as cluster:
                cluster.submit(traceparent=PARENT)
                cluster.submit(traceparent=PARENT[:-2] + "00")  # not sampled by its caller
                cluster.submit(traceparent=PARENT.upper())
                self.assertEqual(cluster.end(), 0)
            roots = [span for span in collector.spans() if span["name"] == "batch"]
            mine = [root for root in roots if "parentSpanId" in root]
            self.assertEqual({root["traceId"].hex() for root in mine}, {PARENT.split("-")[1]})
            self.assertEqual(len(roots), 2 * len(mine))

    def test_what_is_no_traceparent_is_as_good_as_none(self):
        wrong = ["", "00", PARENT + "-00", PARENT.replace("00-", "ff-", 1), PARENT.replace("0af7", "0AF7"),
                 "00-" + "0" * 32 + "-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01", "x" * 5000]
        with Collector() as collector:
            with Cluster(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint) as cluster:
                for text in wrong:
                    cluster.tokenize(traceparent=text)
                # Of a later version what is known counts.
                cluster.tokenize(traceparent=PARENT.replace("00-", "01-", 1) + "-more")
                self.assertEqual(cluster.end(), 0)
            roots = [span for span in collector.spans() if span["name"] == "batch"]
            self.assertEqual(len(roots), len(wrong) + 1)
            self.assertEqual(sum("parentSpanId" in root for root in roots), 1)

    def test_the_ratio_is_kept(self):
        with Collector() as collector:
            with Cluster(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, OTEL_TRACES_SAMPLER="traceidratio",
                         OTEL_TRACES_SAMPLER_ARG="0.25") as cluster:
                cluster.tokenize(count=600)
                # A caller's decision is not asked for by this sampler, its id is: the last 63 bits over 2^63.
                for low, kept in ((0x1fffffffffffffff, True), (0x8fffffffffffffff, False)):
                    cluster.tokenize(traceparent=f"00-{'1' * 16}{low:016x}-b7ad6b7169203331-01")
                self.assertEqual(cluster.end(), 0)
            roots = [span for span in collector.spans() if span["name"] == "batch"]
            self.assertEqual(sum("parentSpanId" in root for root in roots), 1)
            self.assertTrue(75 < len(roots) < 240, len(roots))

    def test_nothing_is_sent_where_tracing_is_off(self):
        with Collector() as collector:
            for environment in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_SAMPLER": "always_off"},
                                {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_TRACES_SAMPLER": "parentbased_always_off"}):
                with Cluster(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, **environment) as cluster:
                    cluster.tokenize()
                    self.assertEqual(cluster.end(), 0)
            self.assertEqual(collector.requests, [])

    def test_a_collector_that_is_busy_is_asked_again_and_one_that_refuses_is_not(self):
        with Collector() as collector:
            collector.answers = [503, 200]
            with Cluster(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint) as cluster:
                cluster.tokenize()
                self.assertEqual(cluster.wait_for_metric("trace_spans_exported_total", 5), 5)
                self.assertEqual(cluster.metric("trace_spans_dropped_total"), 0)
                self.assertEqual(len({body for _, _, body in collector.requests}), 1)
                self.assertEqual(len(collector.requests), 2)
                collector.answers = [400]
                cluster.tokenize()
                self.assertEqual(cluster.wait_for_metric("trace_spans_dropped_total", 5), 5)
                self.assertEqual(cluster.metric("trace_spans_exported_total"), 5)
                self.assertEqual(cluster.end(), 0)
                self.assertIn("event=export_failed attempt=1 of=5 spans=5 error=\"the collector answers 400\"", cluster.log())
            self.assertEqual(len(collector.requests), 3)

    def test_a_collector_that_hangs_costs_spans_and_nothing_else(self):
        with Collector() as collector:
            collector.gate.clear()
            # Small shards, so that there are more than the queue holds.
            with Cluster("--shard-bytes", "4096", OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
                         OTEL_EXPORTER_OTLP_TIMEOUT="60000") as cluster:
                cluster.submit()
                time.sleep(1)
                before = self.resident_bytes(cluster.process.pid)
                cluster.submit(*[TEXT] * 160)
                self.assertGreater(cluster.wait_for_metric("trace_spans_dropped_total", 1), 0)
                self.assertEqual(cluster.metric("trace_spans_exported_total"), 0)
                self.assertLess(self.resident_bytes(cluster.process.pid) - before, 64 << 20)
                cluster.tokenize(count=10)
                began = time.monotonic()
                self.assertEqual(cluster.end(), 0, cluster.log())
                self.assertLess(time.monotonic() - began, 8)

    def resident_bytes(self, pid):
        pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def test_a_collector_that_is_not_there_is_told_of_and_the_cluster_serves(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # not listening
            with Cluster(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{taken.getsockname()[1]}") as cluster:
                cluster.tokenize(count=10)
                time.sleep(1)
                self.assertEqual(cluster.end(), 0)
                self.assertIn("target=otlp event=export_failed", cluster.log())

    def test_what_cannot_be_understood_is_a_warning(self):
        with Cluster(OTEL_EXPORTER_OTLP_ENDPOINT="collector:4317", OTEL_EXPORTER_JAEGER_ENDPOINT="") as cluster:
            cluster.tokenize()
            self.assertEqual(cluster.end(), 0)
            self.assertIn("target=otlp event=ignored why=\"OTEL_EXPORTER_OTLP_ENDPOINT: \\\"collector:4317\\\": expected http://", cluster.log())

    def test_no_line_of_the_log_and_no_span_has_text_of_documents(self):
        with Collector() as collector:
            with Cluster(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, BUDTIKTOK_LOG="budtiktok=trace") as cluster:
                cluster.tokenize(text="confidential words")
                self.assertEqual(cluster.end(), 0)
                self.assertRegex(cluster.log(), r"level=trace target=coordinator event=assigned client=\d+ batch=1 ")
                self.assertRegex(cluster.log(), r"level=trace target=worker event=encoded id=1 status=0 bytes=18 ")
                self.assertRegex(cluster.log(), r"level=trace target=http event=answered path=/tokenize status=200 ")
                self.assertNotIn("confidential", cluster.log())
            self.assertEqual(len(collector.spans()), 5)
            self.assertNotIn(b"confidential", b"".join(body for _, _, body in collector.requests))

    def test_the_host_of_a_jaeger_endpoint_is_kept(self):
        with Cluster(OTEL_EXPORTER_JAEGER_ENDPOINT="http://localhost:14268/api/traces") as cluster:
            self.assertEqual(cluster.end(), 0)
            self.assertIn("event=jaeger_endpoint", cluster.log())
            self.assertIn("endpoint=http://localhost:4318/v1/traces", cluster.log())


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=0)
