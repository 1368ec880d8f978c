#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a cluster takes: memory with 1, 2 and 8 workers (the image of a tokenizer is there once, however
many workers map it), and descriptors and memory over many batches (they stay the same).

    resources.py --program build/bin/budtiktok --loop build/tests/soak/batch_loop [--tokenizer FILE]
        [--batches 10000] [--huge-pages N]

--huge-pages sets the pool of 2 MiB pages for the run (root), checks that slabs and results really have
such pages, and puts the pool back.
"""
import argparse
import os
import re
import signal
import subprocess
import tempfile

POOL = "/proc/sys/vm/nr_hugepages"
GROWTH_KB_MAX = 512


class Cluster:
    def __init__(self, arguments, folder, workers):
        self.endpoint = "ipc://" + os.path.join(folder, "control")
        command = [arguments.program, "serve", "--workers", str(workers), "--http", "off",
                   "--listen", self.endpoint]
        if arguments.tokenizer:
            command += ["--tokenizer", "t=" + arguments.tokenizer]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready "):
            raise SystemExit("the cluster did not start")

    def pids(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [pid] + [int(child) for child in children.read().split()]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(30):
            raise SystemExit("serve did not end well")


def mappings(pid):
    """(name, inode, {field: kB}) of each mapping."""
    head = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+)\s*(.*)$")
    current = None
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            match = head.match(line)
            if match:
                if current:
                    yield current
                current = (match.group(2), int(match.group(1)), {})
            elif current and line.rstrip().endswith("kB"):
                name, value = line.split(":")
                current[2][name] = int(value.split()[0])
    if current:
        yield current


def memory(cluster):
    """Pss of all processes; pages of the pool, which Pss leaves out, counted once an inode; and the
    Pss of the images alone. In kB."""
    pss, pool, images = 0, {}, 0
    for pid in cluster.pids():
        for name, inode, fields in mappings(pid):
            pss += fields.get("Pss", 0)
            if fields.get("KernelPageSize", 4) == 2048:
                pool[inode] = max(pool.get(inode, 0), fields.get("Size", 0))
            if "image" in name:
                images += fields.get("Pss", 0)
    return pss + sum(pool.values()), images


def page_sizes(pid):
    return {(name, fields.get("KernelPageSize")) for name, _, fields in mappings(pid)
            if name.startswith("/memfd:")}


def descriptors(cluster):
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in cluster.pids()]


class Loop:
    def __init__(self, arguments, cluster, batches):
        self.process = subprocess.Popen([arguments.loop, cluster.endpoint, str(batches)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def expect(self, word):
        if self.process.stdout.readline().decode().strip() != word:
            raise SystemExit(f"batch_loop did not say {word}")

    def go_on(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self):
        self.go_on()
        if self.process.wait(30):
            raise SystemExit("batch_loop failed")


def show_memory(arguments, folder):
    for workers in (1, 2, 8):
        cluster = Cluster(arguments, folder, workers)
        loop = Loop(arguments, cluster, 200)
        loop.expect("half")
        loop.go_on()
        loop.expect("done")
        total, images = memory(cluster)
        print(f"{workers} workers: {total / 1024:.1f} MiB in all, of this images {images / 1024:.1f} MiB",
              flush=True)
        loop.end()
        cluster.stop()
        yield images


def check_constancy(arguments, folder):
    cluster = Cluster(arguments, folder, 2)
    loop = Loop(arguments, cluster, arguments.batches)
    loop.expect("half")
    before = descriptors(cluster), memory(cluster)[0]
    loop.go_on()
    loop.expect("done")
    after = descriptors(cluster), memory(cluster)[0]
    sizes = page_sizes(cluster.process.pid) | page_sizes(loop.process.pid)
    loop.end()
    cluster.stop()
    print(f"{arguments.batches} batches: descriptors {before[0]} then {after[0]}, "
          f"memory {before[1]} kB then {after[1]} kB", flush=True)
    if before[0] != after[0] or after[1] - before[1] > GROWTH_KB_MAX:
        raise SystemExit("resources grew")
    return sizes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--loop", required=True)
    parser.add_argument("--tokenizer")
    parser.add_argument("--batches", type=int, default=10000)
    parser.add_argument("--huge-pages", type=int)
    arguments = parser.parse_args()
    pool_before = open(POOL).read().strip()
    try:
        if arguments.huge_pages is not None:
            with open(POOL, "w") as pool:
                pool.write(str(arguments.huge_pages))
        with tempfile.TemporaryDirectory(prefix="budtiktok-soak-") as folder:
            images = list(show_memory(arguments, folder))
            # Workers touch different pages of it; a second copy would double it.
            if max(images) > min(images) * 1.5 + 64:
                raise SystemExit("the image is there more than once")
            sizes = check_constancy(arguments, folder)
        for name, size in sorted(sizes):
            print(f"pages of {size} kB: {name}")
        if arguments.huge_pages and not any("slab" in name and size == 2048 for name, size in sizes):
            raise SystemExit("the slabs have no pages of 2 MiB")
    finally:
        if arguments.huge_pages is not None:
            with open(POOL, "w") as pool:
                pool.write(pool_before)
    print("ok")


main()
