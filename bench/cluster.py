#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a cluster costs and gives, against the engine in one process.

    bench/cluster.py [--build build] [--tokenizer FILE] [--text FILE] [--megabytes 64] [--rounds 5]

Throughput of one and of two workers with the text in the slab and shards of 64 KiB; CPU seconds of all
processes of the cluster against those of the same work in one process; round trips of one document of
1 KiB through an idle cluster, and whether the four parts of its latency add up to the caller's clock.
Rounds alternate; medians are shown. The ids must be the same everywhere.
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import tempfile


def run(command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


class Cluster:
    def __init__(self, options, folder, workers):
        self.endpoint = "ipc://" + os.path.join(folder, "control")
        command = [os.path.join(options.build, "bin", "budtiktok"), "serve", "--http", "off",
                   "--workers", str(workers), "--listen", self.endpoint]
        if options.tokenizer:
            command += ["--tokenizer", "t=" + options.tokenizer]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if not self.process.stdout.readline().startswith(b"ready "):
            raise SystemExit("the cluster did not start")

    def cpu_seconds(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            pids = [pid] + [int(child) for child in children.read().split()]
        ticks = 0
        for each in pids:
            with open(f"/proc/{each}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def measure_cluster(options, folder, workers):
    cluster = Cluster(options, folder, workers)
    client = subprocess.Popen(
        [options.client, "cluster", cluster.endpoint, "t" if options.tokenizer else "wordpiece",
         options.text, str(options.megabytes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    moments = []
    for word in (b"ready\n", b"done\n"):
        if client.stdout.readline() != word:
            raise SystemExit("cluster_client failed")
        moments.append(cluster.cpu_seconds())
        client.stdin.write(b"\n")
        client.stdin.flush()
    result = json.loads(client.stdout.read())
    client.wait()
    result["cpu_seconds"] += moments[1] - moments[0]
    cluster.stop()
    return result


def measure_trips(options, folder):
    cluster = Cluster(options, folder, 2)
    trips = run([options.client, "trip", cluster.endpoint, "t" if options.tokenizer else "wordpiece",
                 str(options.trips)])
    cluster.stop()
    return trips[100:]


def show_trips(trips):
    outside = sorted(trip[0] / 1000 for trip in trips)
    good = sum(abs(trip[0] - trip[1]) <= max(0.05 * trip[0], 20000) for trip in trips)
    print(f"round trip of 1 KiB: p50 {outside[len(outside) // 2]:.0f} us, "
          f"p99 {outside[len(outside) * 99 // 100]:.0f} us, max {outside[-1]:.0f} us "
          f"({len(trips)} trips)")
    difference = statistics.median(trip[0] - trip[1] for trip in trips) / 1000
    print(f"the four parts add up to the caller's clock within 5 % or 20 us in "
          f"{100 * good / len(trips):.1f} % of the trips; median difference {difference:.1f} us")


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(root, "build"))
    parser.add_argument("--tokenizer")
    parser.add_argument("--text", default=os.path.join(root, "bench", "texts", "en.txt"))
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trips", type=int, default=5000)
    options = parser.parse_args()
    options.client = os.path.join(options.build, "bench", "cluster_client")
    rounds = {"1": [], "2": [], "alone": []}
    with tempfile.TemporaryDirectory(prefix="budtiktok-bench-") as folder:
        for _ in range(options.rounds):
            rounds["alone"].append(run([options.client, "alone", options.tokenizer or "wordpiece",
                                        options.text, str(options.megabytes)]))
            for workers in ("1", "2"):
                rounds[workers].append(measure_cluster(options, folder, int(workers)))
        trips = measure_trips(options, folder)
    digests = {result["ids_xxh64"] for results in rounds.values() for result in results}
    if len(digests) != 1:
        raise SystemExit(f"the ids differ: {digests}")
    middle = {name: (statistics.median(result["bytes"] / result["seconds"] / 1e6 for result in results),
                     statistics.median(result["cpu_seconds"] for result in results))
              for name, results in rounds.items()}
    for name, label in (("alone", "one process"), ("1", "1 worker"), ("2", "2 workers")):
        print(f"{label:12} {middle[name][0]:8.1f} MB/s  {middle[name][1]:7.3f} CPU s")
    print(f"2 workers against 1: {middle['2'][0] / middle['1'][0]:.2f}x; CPU seconds of the cluster "
          f"against one process: {middle['2'][1] / middle['alone'][1]:.2f}x")
    show_trips(trips)


main()
