#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The flight recorder of a real cluster: workers and coordinators that are killed in the middle.

Usage: recorder_test.py PATH/TO/budtiktok
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = None
SOURCE = pathlib.Path(__file__).resolve().parents[2]
TEXT = SOURCE / "bench/texts/en.txt"
COLUMNS = ["client", "batch", "shard", "worker", "epoch", "pid", "bytes", "documents", "tokens",
           "submitted", "dispatched", "started", "finished", "status"]


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, **options)


class Cluster:
    """A cluster with two workers in a folder of its own."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "c")
        self.endpoint = "ipc://" + self.path
        self.start()
        return self

    def start(self):
        self.process = subprocess.Popen([PROGRAM, "serve", "--workers", "2", "--http", "off", "--listen", self.endpoint],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline().startswith("ready"), "the cluster does not start"

    def end(self, number):
        self.process.send_signal(number)
        self.process.stdout.close()
        return self.process.wait(timeout=60)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end(signal.SIGTERM)
        for name in ("c.recorder", "c.recorder.previous"):
            path = os.path.join(self.folder.name, name)
            if os.path.islink(path):
                os.unlink(os.readlink(path))
        self.folder.cleanup()

    def submit(self):
        answer = run("submit", "--connect", self.endpoint, "--input-format", "lines", "--output", os.devnull, str(TEXT))
        assert answer.returncode == 0, answer.stderr

    def start_submitting(self):
        return subprocess.Popen([PROGRAM, "submit", "--quiet", "--connect", self.endpoint, "--input-format", "lines",
                                 "--output", os.devnull, *[str(TEXT)] * 40], stderr=subprocess.DEVNULL)

    def workers(self):
        status = json.loads(run("status", "--json", "--connect", self.endpoint).stdout)
        return [worker["pid"] for worker in status["workers"]]


def read_table(name):
    answer = run("inspect", "--recorder", name)
    assert answer.returncode == 0, answer.stderr
    head, columns, *lines = answer.stdout.splitlines()
    assert columns.split() == COLUMNS, columns
    return head, [dict(zip(COLUMNS, line.split())) for line in lines]


class Recorder(unittest.TestCase):
    def check_stamps(self, rows):
        for row in rows:
            stamps = [float(row[name]) for name in ("submitted", "dispatched", "started")]
            if row["finished"] != "unfinished":
                stamps.append(float(row["finished"]))
                self.assertGreater(int(row["tokens"]), 0)
            self.assertEqual(stamps, sorted(stamps), row)

    def test_the_table_has_all_shards_of_a_job(self):
        with Cluster() as cluster:
            cluster.submit()
            head, rows = read_table(cluster.endpoint)
            self.assertRegex(head, rf"^recorder of {cluster.endpoint} \(coordinator {cluster.process.pid}\): "
                                   rf"{len(rows)} shards, 0 torn; times in us since 20\d\d-\d\d-\d\dT[\d:.]+Z$")
            self.assertEqual(sum(int(row["bytes"]) for row in rows), sum(len(line) for line in TEXT.read_bytes().split(b"\n")))
            self.assertEqual({int(row["pid"]) for row in rows} - set(cluster.workers()), set())
            self.assertEqual({row["status"] for row in rows}, {"0"})
            self.check_stamps(rows)
            self.assertEqual(cluster.end(signal.SIGTERM), 0)
            self.assertEqual([name for name in os.listdir(cluster.folder.name) if "recorder" in name], [])

    def test_a_worker_that_was_killed_in_the_middle_has_left_its_last_shards(self):
        with Cluster() as cluster:
            victim = cluster.workers()[0]
            job = cluster.start_submitting()
            limit = time.monotonic() + 60
            while not any(int(row["pid"]) == victim for row in read_table(cluster.endpoint)[1]):
                self.assertLess(time.monotonic(), limit, "the worker gets nothing")
            os.kill(victim, signal.SIGKILL)
            # The job goes on with the workers that are left.
            self.assertEqual(job.wait(timeout=120), 0)
            _, rows = read_table(cluster.endpoint)
            last = [row for row in rows if int(row["pid"]) == victim]
            self.assertGreater(len(last), 0)
            self.assertTrue(all(row["worker"] == "0" for row in last))
            self.check_stamps(rows)
            self.assertLessEqual(sum(row["finished"] == "unfinished" for row in last), 1)
            epochs = [int(row["epoch"]) for row in rows if row["worker"] == "0"]
            self.assertEqual(epochs, sorted(epochs))

    def test_a_coordinator_that_was_killed_has_left_the_file_also_when_another_came(self):
        with Cluster() as cluster:
            cluster.submit()
            cluster.end(signal.SIGKILL)
            _, rows = read_table(cluster.path + ".recorder")
            self.assertGreater(len(rows), 0)
            cluster.start()
            self.assertEqual(read_table(cluster.path + ".recorder.previous")[1], rows)
            self.assertEqual(read_table(cluster.endpoint)[1], [])
            self.assertEqual(os.stat(cluster.path + ".recorder").st_mode & 0o777, 0o600)

    def check_event(self, event):
        self.assertIsInstance(event["name"], str)
        self.assertIn(event["ph"], ("M", "X", "b", "e", "i"))
        self.assertIsInstance(event["pid"], int)
        self.assertIsInstance(event["tid"], int)
        if event["ph"] != "M":
            self.assertGreaterEqual(event["ts"], 0)
        if event["ph"] == "X":
            self.assertGreaterEqual(event["dur"], 0)

    def test_the_chrome_trace_has_a_lane_for_each_process(self):
        with Cluster() as cluster:
            cluster.submit()
            _, rows = read_table(cluster.endpoint)
            path = os.path.join(cluster.folder.name, "trace.json")
            answer = run("inspect", "--recorder", cluster.endpoint, "--output-format", "chrome", "--output", path)
            self.assertEqual((answer.returncode, answer.stdout, answer.stderr), (0, "", ""))
            events = json.loads(pathlib.Path(path).read_text())["traceEvents"]
            for event in events:
                self.check_event(event)
            names = {event["pid"]: event["args"]["name"] for event in events
                     if event["ph"] == "M" and event["name"] == "process_name"}
            self.assertEqual(names[cluster.process.pid], "coordinator")
            self.assertEqual({event["pid"] for event in events} - set(names), set())
            self.assertTrue(all(re.fullmatch(r"coordinator|worker [01] \(epoch \d+\)", name) for name in names.values()))
            for name, phase in (("tokenization", "X"), ("ipc_transfer", "X"), ("queue_wait", "b"), ("queue_wait", "e")):
                found = [event for event in events if (event["name"], event["ph"]) == (name, phase)]
                self.assertEqual(len(found), len(rows), name)
            self.check_lanes(events)

    # What one worker does comes one after the other.
    def check_lanes(self, events):
        parts = sorted((e for e in events if e["ph"] == "X"), key=lambda e: (e["pid"], e["ts"], e["ts"] + e["dur"]))
        for before, after in zip(parts, parts[1:]):
            if before["pid"] == after["pid"]:
                self.assertLessEqual(before["ts"] + before["dur"], after["ts"] + 0.002)

    def test_what_is_no_recorder_is_refused_with_its_name(self):
        with tempfile.TemporaryDirectory() as folder:
            cases = {"missing": None, "empty": b"", "text": b"text" * 5000, "long": os.urandom(1 << 16)}
            for name, content in cases.items():
                path = os.path.join(folder, name)
                if content is not None:
                    pathlib.Path(path).write_bytes(content)
                answer = run("inspect", "--recorder", path)
                self.assertEqual((answer.returncode, answer.stdout), (3, ""), name)
                self.assertIn(path, answer.stderr)
            self.assertEqual(run("inspect", "--recorder", "tcp://1.2.3.4:5").returncode, 3)
            self.assertEqual(run("inspect", "--recorder", path, "--output-format", "npy").returncode, 2)
            self.assertEqual(run("inspect", "--recorder", path, "gpt2.json").returncode, 2)

    def test_bytes_that_are_changed_at_random_are_numbers_or_refused(self):
        with Cluster() as cluster:
            cluster.submit()
            cluster.end(signal.SIGKILL)
            path = cluster.path + ".recorder"
            size = os.path.getsize(path)
            for at in (*range(0, 192, 8), 4096 + 128, 4096 + 136, 4096 + 200, 4096 + 128 * 1024 + 128):
                with open(path, "r+b") as file:
                    file.seek(at)
                    kept = file.read(8)
                    file.seek(at)
                    file.write(b"\xff" * 8)
                for form in ("table", "chrome"):
                    answer = run("inspect", "--recorder", path, "--output-format", form)
                    self.assertIn(answer.returncode, (0, 3), (at, answer.stderr))
                    if answer.returncode == 0 and form == "chrome":
                        json.loads(answer.stdout)
                    self.assertNotIn("\x1b", answer.stdout)
                with open(path, "r+b") as file:
                    file.seek(at)
                    file.write(kept)
            self.assertEqual(os.path.getsize(path), size)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=0)
