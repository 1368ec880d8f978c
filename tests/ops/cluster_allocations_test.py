#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Own code of coordinator and workers allocates nothing for a request.

    cluster_allocations_test.py BUILD BATCH_LOOP LIBRARY

BATCH_LOOP sends batches of changing sizes; in its second half nothing is new to the cluster. LIBRARY
(count_allocations.c) counts in each process who calls the allocator. What libraries allocate is shown.
"""
import os
import struct
import subprocess
import sys
import tempfile

from running_cluster import RunningCluster

BATCHES = 2000
# What comes now and then, a worker that is told to wait or a line of the log, is no request.
BATCHES_AN_ALLOCATION = 100
ROW = struct.Struct("<56sQ")
OWN = "program"


def read_counts(folder, pid):
    with open(os.path.join(folder, str(pid)), "rb") as file:
        data = file.read()
    rows = (ROW.unpack_from(data, at) for at in range(0, len(data), ROW.size))
    return {name.rstrip(b"\0").decode(): count for name, count in rows if count}


def expect(loop, word):
    line = loop.stdout.readline().decode().strip()
    if line != word:
        raise SystemExit(f"batch_loop said {line!r}, expected {word!r}")


def main():
    build, batch_loop, library = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        environment = {"LD_PRELOAD": library, "BTK_COUNT_FOLDER": folder}
        with RunningCluster(build, environment) as cluster:
            roles = {"coordinator": cluster.pid}
            roles.update({f"worker {i}": pid for i, pid in enumerate(cluster.workers())})
            loop = subprocess.Popen([batch_loop, cluster.endpoint, str(BATCHES)], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE)
            expect(loop, "half")
            before = {role: read_counts(folder, pid) for role, pid in roles.items()}
            loop.stdin.write(b"\n")
            loop.stdin.flush()
            expect(loop, "done")
            after = {role: read_counts(folder, pid) for role, pid in roles.items()}
            loop.communicate(b"\n")
    failed = loop.returncode != 0
    for role in roles:
        if not before[role].get(OWN):
            print(f"{role}: nothing was counted at its start: the library was not loaded")
            failed = True
        for module, count in sorted(after[role].items()):
            each = (count - before[role].get(module, 0)) / (BATCHES / 2)
            print(f"{role}: {module}: {each:.3f} allocations a batch")
        failed |= (after[role].get(OWN, 0) - before[role].get(OWN, 0)) * BATCHES_AN_ALLOCATION > BATCHES / 2
    print("own code allocates for a request" if failed else "ok: own code allocates nothing for a request")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
