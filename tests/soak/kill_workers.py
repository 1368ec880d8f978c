#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends text through a cluster twice, the second time while its workers are killed (SIGKILL) or
stopped for longer than their lease (SIGSTOP), and compares the two outputs byte for byte.

    kill_workers.py --program build/bin/budtiktok --text FILE... --bytes 2000000000 --kills 100 --stops 20

Ends with `ok` and exit status 0, or says what differed. The faults are spread over the run: the next
one comes when its share of the input has been sent and the last one's worker was replaced.
"""
import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

READY_SECONDS = 30
LEASE_MS = 500
REPLACE_SECONDS = 5
SETTLED_SECONDS = 0.5


def is_worker(pid):
    """The compiler of tokenizers is a child of the coordinator too."""
    try:
        with open(f"/proc/{pid}/comm") as name:
            return name.read().startswith("budtiktok-worke")
    except OSError:
        return False


def is_settled(pid):
    """A worker that has not joined yet has no lease: it is left alone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            started = int(stat.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started > SETTLED_SECONDS
    except OSError:
        return False


class Cluster:
    def __init__(self, program, folder, workers):
        self.endpoint = "ipc://" + os.path.join(folder, "control")
        self.log = open(os.path.join(folder, "serve.log"), "ab")
        self.process = subprocess.Popen(
            [program, "serve", "--workers", str(workers), "--http", "off", "--listen",
             self.endpoint, "--lease-ms", str(LEASE_MS)],
            stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready "):
            raise SystemExit("the cluster did not start; see " + self.log.name)

    def workers(self):
        pid = self.process.pid
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as children:
                return [int(child) for child in children.read().split() if is_worker(child)]
        except OSError:
            return []

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(READY_SECONDS)


class Feeder:
    """Repeats the texts on standard input of the job until `limit` bytes were written."""

    def __init__(self, job, texts, limit):
        self.job, self.texts, self.limit, self.sent = job, texts, limit, 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        chunk_bytes = 1 << 16
        while self.sent < self.limit:
            for text in self.texts:
                for at in range(0, len(text), chunk_bytes):
                    chunk = text[at:at + min(chunk_bytes, self.limit - self.sent)]
                    self.job.stdin.write(chunk)
                    self.sent += len(chunk)
                    if self.sent >= self.limit:
                        break
                if self.sent >= self.limit:
                    break
        self.job.stdin.close()


def fault(cluster, number):
    """One worker is hurt; returns its pid."""
    for _ in range(1000):
        workers = [pid for pid in cluster.workers() if is_settled(pid)]
        if workers:
            pid = random.choice(workers)
            try:
                os.kill(pid, number)
                return pid
            except ProcessLookupError:
                pass
        time.sleep(0.01)
    raise SystemExit("there were no workers to hurt")


def wait_until_gone(cluster, pid, seconds):
    """A stopped worker is killed by its coordinator when the lease is over."""
    end = time.monotonic() + seconds
    while pid in cluster.workers():
        if time.monotonic() > end:
            raise SystemExit(f"worker {pid} was not replaced within {seconds} s")
        time.sleep(0.01)


def hurt_one(cluster, number):
    """True: a worker was hurt and replaced."""
    pid = fault(cluster, number)
    try:
        wait_until_gone(cluster, pid, REPLACE_SECONDS)
        return True
    except SystemExit:
        # One without work has no lease to lose: it is let go on, and counts for nothing.
        if number != signal.SIGSTOP:
            raise
        os.kill(pid, signal.SIGCONT)
        return False


def hurt(cluster, feeder, faults, done):
    for index, number in enumerate(faults):
        while feeder.sent < feeder.limit * (index + 0.5) / len(faults) and feeder.thread.is_alive():
            time.sleep(0.002)
        while feeder.thread.is_alive() or number != signal.SIGSTOP:
            if hurt_one(cluster, number):
                done[number] = done.get(number, 0) + 1
                break


def run(arguments, texts, faults):
    with tempfile.TemporaryDirectory(prefix="budtiktok-soak-") as folder:
        cluster = Cluster(arguments.program, folder, arguments.workers)
        begin = time.monotonic()
        job = subprocess.Popen(
            [arguments.program, "submit", "--connect", cluster.endpoint, "--input-format", "lines",
             "--output-format", "u32"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        feeder = Feeder(job, texts, arguments.bytes)
        done = {}
        errors = []

        def hurt_all():
            try:
                hurt(cluster, feeder, faults, done)
            except SystemExit as error:
                errors.append(str(error))

        thread = threading.Thread(target=hurt_all)
        thread.start()
        digest, size = hashlib.sha256(), 0
        while block := job.stdout.read(1 << 20):
            digest.update(block)
            size += len(block)
        status = job.wait()
        thread.join()
        seconds = time.monotonic() - begin
        stopped = cluster.stop()
        with open(os.path.join(folder, "serve.log"), "rb") as log:
            text = log.read().decode(errors="replace")
        if status or stopped or errors:
            sys.stderr.write(text[-4000:])
            raise SystemExit(f"submit ended with {status}, serve with {stopped}; {errors}")
        hurts = ", ".join(f"{count} x {signal.Signals(number).name}"
                          for number, count in sorted(done.items())) or "undisturbed"
        print(f"{hurts}: {feeder.sent} bytes in {seconds:.1f} s, {size // 4} ids, "
              f"sha256 {digest.hexdigest()[:16]}", flush=True)
        return digest.hexdigest(), size


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--bytes", type=int, default=100_000_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--stops", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    texts = []
    for path in arguments.text:
        with open(path, "rb") as file:
            texts.append(file.read())
    expected = run(arguments, texts, [])
    for faults in ([signal.SIGKILL] * arguments.kills, [signal.SIGSTOP] * arguments.stops):
        if faults and run(arguments, texts, faults) != expected:
            raise SystemExit("the output is not that of the undisturbed run")
    print("ok")


main()
