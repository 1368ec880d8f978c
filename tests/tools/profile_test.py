#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""BUDTIKTOK_PROFILE=1: the stages of encode, on the command line and through a cluster.

    profile_test.py PROGRAM
"""
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "build/bin/budtiktok"
STAGES = ("validation", "added_tokens", "normalization", "pre_tokenization", "model", "post_processing")
LINES = 6400
TEXT = "".join(f"Line {i} says that the quick brown fox jumps over {i * 7919} lazy dogs, naïvely.\n" for i in range(LINES))


def environment(value):
    return {**os.environ, "BUDTIKTOK_PROFILE": value, "BUDTIKTOK_LOG": "error"}


def encode(value, *arguments):
    return subprocess.run([PROGRAM, "encode", *arguments, "--input-format", "lines"], input=TEXT.encode(),
                          env=environment(value), capture_output=True, check=False)


class CommandLine(unittest.TestCase):
    def test_the_table_stands_on_standard_error_and_the_results_stay_what_they_are(self):
        plain, profiled = encode("0"), encode("1", "--tokenizer", "wordpiece")
        self.assertEqual((plain.returncode, profiled.returncode), (0, 0))
        self.assertEqual(plain.stdout, profiled.stdout)
        self.assertEqual(plain.stderr, b"")
        self.assertIn(b"profile of the default tokenizer: ", encode("1").stderr)
        table = profiled.stderr.decode()
        self.assertIn(f"profile of wordpiece: {LINES} calls, {len(TEXT.encode()) - LINES} bytes", table)
        self.assertIn(f"sampled: {LINES // 64} calls (one in 64)", table)
        shares = {name: float(share) for name, share in re.findall(r"^ +(\w+) +[\d.]+ ns/byte +([\d.]+) %$", table, re.M)}
        self.assertEqual(tuple(shares), STAGES)
        self.assertAlmostEqual(sum(shares.values()), 100, delta=0.5)
        self.assertRegex(table, r"with them \d\.\d{3} times that")

    def test_the_benchmark_prints_one_of_what_it_measured(self):
        done = subprocess.run([PROGRAM + "-bench", "--bench", "bpe", "--input", "en.txt", "--mode", "cold"],
                              env=environment("1"), capture_output=True, check=True)
        self.assertIn(b"golden", done.stdout)
        table = done.stderr.decode()
        self.assertRegex(table, r"^profile of bpe: 1\d\d calls, \d+ bytes")
        self.assertIn("sampled: 2 calls (one in 64)", table)

    def test_anything_but_0_and_1_is_wrong_use(self):
        for arguments in (["encode", "--tokenizer", "bpe"], ["serve"]):
            done = subprocess.run([PROGRAM, *arguments], env=environment("yes"), input=b"", capture_output=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b'BUDTIKTOK_PROFILE: expected 0 or 1, not "yes"', done.stderr)


class Cluster(unittest.TestCase):
    def serve(self, value):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.endpoint = f"ipc://{folder.name}/s"
        process = subprocess.Popen([PROGRAM, "serve", "--listen", self.endpoint, "--http", "127.0.0.1:0", "--workers", "2"],
                                   env=environment(value), stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        self.http = re.search(r"http=(\S+)", process.stdout.readline())[1]
        return process

    def submit(self, tokenizer):
        subprocess.run([PROGRAM, "submit", "--connect", self.endpoint, "--tokenizer", tokenizer, "--input-format", "lines",
                        "--output-format", "u32", "--output", os.devnull], input=TEXT.encode(), check=True)

    def get(self, path):
        connection = http.client.HTTPConnection(self.http, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def profile(self, calls):
        """When the snapshot has that many calls: one is taken ten times a second."""
        for _ in range(100):
            profile = json.loads(self.get("/debug/latency")).get("profile")
            if profile is None or sum(entry["calls"] for entry in profile["tokenizers"]) >= calls:
                return profile
            time.sleep(0.05)
        self.fail(f"no profile of {calls} calls: {profile}")

    def test_each_tokenizer_and_each_worker_has_its_stages(self):
        self.serve("1")
        self.submit("wordpiece")
        self.submit("bpe")
        profile = self.profile(2 * LINES)
        tokenizers = {entry["tokenizer"]: entry for entry in profile["tokenizers"]}
        self.assertEqual({name: entry["calls"] for name, entry in tokenizers.items()}, {"wordpiece": LINES, "bpe": LINES})
        self.assertEqual(sum(entry["calls"] for entry in profile["workers"]), 2 * LINES)
        self.assertEqual(len(profile["workers"]), 2)
        for entry in [*tokenizers.values(), *profile["workers"]]:
            self.assertEqual(tuple(entry["stages"]), STAGES)
            self.assertEqual(sum(stage["ns"] for stage in entry["stages"].values()), entry["sampled"]["ns"])
            self.assertEqual(entry["sampled_one_in"], 64)
        self.assertGreater(tokenizers["wordpiece"]["sampled_to_fused"], 0.5)
        self.assertEqual(tokenizers["bpe"]["stages"]["normalization"]["ns"], 0)
        metrics = self.get("/metrics")
        for name in STAGES:
            self.assertRegex(metrics, rf'budtiktok_stage_seconds_total{{tokenizer="bpe",stage="{name}"}} [\d.]+\n')
            self.assertRegex(metrics, rf'budtiktok_worker_stage_seconds_total{{worker="1",stage="{name}"}} [\d.]+\n')
        self.assertIn("# TYPE budtiktok_stage_seconds_total counter", metrics)

    def test_a_worker_that_dies_leaves_its_profile_behind(self):
        self.serve("1")
        self.submit("wordpiece")
        self.profile(LINES)
        status = json.loads(subprocess.run([PROGRAM, "status", "--connect", self.endpoint, "--json"], capture_output=True,
                                           check=True).stdout)
        for worker in status["workers"]:
            os.kill(worker["pid"], signal.SIGKILL)
        self.submit("wordpiece")
        profile = self.profile(2 * LINES)
        self.assertEqual(profile["tokenizers"][0]["calls"], 2 * LINES)
        self.assertEqual(sum(entry["calls"] for entry in profile["workers"]), 2 * LINES)

    def test_without_it_there_is_nothing_to_see(self):
        self.serve("0")
        self.submit("wordpiece")
        self.assertIsNone(self.profile(LINES))
        self.assertNotIn("budtiktok_stage_", self.get("/metrics"))


if __name__ == "__main__":
    unittest.main()
