#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What looking costs: throughput of a cluster with everything off, with profiles, with traces.

    bench/looking_costs.py [--build build] [--rounds 7] [--megabytes 32] [--workers 1]

Each round starts a cluster of its own for each way of looking, in turn, so that what the machine does meets all
alike. Spans go to a server of this script that takes them and throws them away. Prints the median throughput of each,
and its ratio to the same round with everything off: median, smallest, largest.
"""
import argparse
import http.server
import json
import os
import statistics
import subprocess
import sys
import threading

WAYS = {
    "everything off": {},
    "profiles (BUDTIKTOK_PROFILE=1)": {"BUDTIKTOK_PROFILE": "1"},
    "traces, 1 %": {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"},
    "traces, 100 %": {"OTEL_TRACES_SAMPLER": "always_on"},
    "profiles and traces, 100 %": {"BUDTIKTOK_PROFILE": "1", "OTEL_TRACES_SAMPLER": "always_on"},
}


class Sink(http.server.BaseHTTPRequestHandler):
    bodies = 0

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Sink.bodies += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def measure(arguments, environment, endpoint):
    if "OTEL_TRACES_SAMPLER" in environment:
        environment = {**environment, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "BUDTIKTOK_PROFILE"))}
    done = subprocess.run([os.path.join(arguments.build, "bin/cluster_bench"), "--json", "--rounds", "1", "--round-trips", "1",
                           "--megabytes", str(arguments.megabytes), "--workers", str(max(2, arguments.workers))],
                          env={**clean, **environment}, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["one_worker" if arguments.workers == 1 else "many_workers"]["mb_per_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    speeds = {way: [] for way in WAYS}
    for number in range(arguments.rounds):
        # The order changes, so that none is always behind the same one.
        for way in list(WAYS)[number % len(WAYS):] + list(WAYS)[:number % len(WAYS)]:
            speeds[way].append(measure(arguments, WAYS[way], endpoint))
    if not Sink.bodies:
        sys.exit("no span arrived: nothing was traced")
    off = speeds["everything off"]
    print(f"{'':34}{'MB/s':>8}{'ratio':>8}{'smallest':>10}{'largest':>9}")
    for way, each in speeds.items():
        ratios = [speed / base for speed, base in zip(each, off)]
        print(f"{way:34}{statistics.median(each):8.1f}{statistics.median(ratios):8.3f}{min(ratios):10.3f}{max(ratios):9.3f}")


if __name__ == "__main__":
    main()
