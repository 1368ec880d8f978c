# SPDX-License-Identifier: Apache-2.0
"""Where processes wait: off-CPU time of each thread by system call, switches, page faults, locks."""
import collections
import os
import re
import time

from profiling import cluster, tracing
from profiling.base import Failure, capture, need_command, say, table

SUMMARY = "where processes wait: futex, poll, page faults; whether a lock is on the data path"
MORE = """\
examples:
  ops/profile offcpu --cluster --seconds 5            (while budtiktok-load runs)
  ops/profile offcpu -- build/bin/budtiktok-bench --bench bpe --threads 2

bpftrace is used where it works (root, a kernel with BTF), which sums in the kernel; else strace, which makes
every system call slow, and then only shares mean something. The first line says which.
"""
HIDDEN_NS = 10**6
REQUESTS_MIN = 50
# Who connects lets a thread of the coordinator make a slab: this look itself does so twice.
CONNECTING_CALLS = 20
UNSEEN = -3  # in offcpu.bt


def add_arguments(parser):
    cluster.add_arguments(parser)
    parser.add_argument("--tool", choices=("auto", "bpftrace", "strace"), default="auto",
                        help="default: bpftrace where it works")
    parser.add_argument("--all", action="store_true", help="also waits of less than a millisecond in sum")


def call_names():
    """{number: name} of this machine's system calls."""
    status, text, _ = capture(["cc", "-E", "-dM", "-include", "asm/unistd.h", "-x", "c", "/dev/null"])
    if status:
        return {}
    return {int(number): name for name, number in re.findall(r"#define __NR_(\w+) (\d+)\b", text)}


def reason_of(call, names):
    return {-1: "page fault", -2: "(another's turn)", UNSEEN: "(begin not seen)"}.get(call) or names.get(call, f"call {call}")


class Waits:
    """What was seen of all threads; keys are (pid, tid)."""

    def __init__(self, roles):
        self.roles = roles
        self.rows = collections.defaultdict(dict)      # (pid, tid) -> {reason: (wait_ns, calls)}
        self.voluntary, self.involuntary, self.faults = (collections.Counter() for _ in range(3))
        self.names = {}

    def add_maps(self, maps, names):
        def split(key):
            return tuple(int(part) for part in key.split(","))
        waits = {split(key): value for key, value in maps.get("@wait", {}).items()}
        calls = {split(key): value for key, value in maps.get("@calls", {}).items()}
        for key in set(waits) | set(calls):
            reason = reason_of(key[2], names)
            self.rows[key[:2]][reason] = (waits.get(key, 0), calls.get(key, 0))
        for counter, name in ((self.voluntary, "@voluntary"), (self.involuntary, "@involuntary"),
                              (self.faults, "@faults")):
            counter.update({split(key): value for key, value in maps.get(name, {}).items()})
        self.names = {split(key): value for key, value in maps.get("@name", {}).items()}

    def process(self, pid):
        return self.roles.get(pid, f"process {pid}")

    def thread(self, key):
        return "main" if key[0] == key[1] else self.names.get(key, str(key[1]))

    def keys(self):
        known = set(self.rows) | set(self.voluntary) | set(self.involuntary)
        return sorted(known, key=lambda key: (list(self.roles).index(key[0]) if key[0] in self.roles else 10**6, key))

    def wait_table(self, least_ns):
        rows = []
        for key in self.keys():
            reasons = sorted(self.rows[key].items(), key=lambda item: -item[1][0])
            for reason, (wait_ns, calls) in reasons:
                if wait_ns >= least_ns and (not least_ns or reason != "(begin not seen)"):
                    rows.append((self.process(key[0]), self.thread(key), reason, f"{wait_ns / 1e6:.1f}", calls or ""))
        return table(("process", "thread", "waits in", "> ms", "> calls"), rows)

    def switch_table(self):
        rows = [(self.process(key[0]), self.thread(key), self.voluntary[key], self.involuntary[key],
                 self.faults[key]) for key in self.keys()]
        return table(("process", "thread", "> voluntary", "> involuntary", "> page faults"), rows)

    def calls(self, pid, tid, reason):
        return self.rows[(pid, tid)].get(reason, (0, 0))[1]


def lock_lines(waits, requests, sees_threads):
    """Futex calls of main threads, which are the data path; libzmq's own threads are beside it."""
    if not sees_threads:
        return ["futex calls of single threads, and so locks of the data path, are not seen by this tool"]
    lines = []
    for pid, role in waits.roles.items():
        count = waits.calls(pid, pid, "futex")
        each = f", {count / requests:.4f} for each of {requests} requests" if requests else ""
        lines.append(f"futex calls of {role}'s data path: {count}{each}")
    if 0 < requests < REQUESTS_MIN:
        lines.append("too few requests to tell whether a lock is on the data path")
    elif requests:
        most = max(waits.calls(pid, pid, "futex") for pid in waits.roles) - CONNECTING_CALLS
        lines.append("no lock is waited for on the data path" if most < requests / 100 else
                     "locks are waited for on the data path; who: ops/profile record --event syscalls:sys_enter_futex --cluster")
    return lines


def requests_done(found):
    """Documents that the workers have finished, or None: the cluster does not answer."""
    status = cluster.status(found)
    return sum(worker["documents"] for worker in status["workers"]) if status else None


def look_at_cluster(found, arguments, tool):
    """The waits, and the documents that were done in the same time."""
    for pid, role in found.roles.items():
        say(f"{role}: process {pid}")
    waits, seen = Waits(found.roles), []

    def look():
        seen.append(requests_done(found))
        time.sleep(arguments.seconds)
        seen.append(requests_done(found))

    tool.watch(waits, found.pids, look)
    return waits, seen[1] - seen[0] if None not in seen else 0


def run(arguments):
    found = cluster.cluster_of(arguments)
    command = None if found else need_command(arguments)
    tool = tracing.choose(arguments.tool, call_names())
    if found:
        waits, requests = look_at_cluster(found, arguments, tool)
        print(f"cluster for {arguments.seconds:g} s, seen by {tool.name}\n")
    else:
        waits, requests = Waits({}), 0
        waits.roles = tool.watch_command(waits, command, os.path.basename(command[0]))
        print(f"{' '.join(command)}, seen by {tool.name}\n")
    if not waits.rows:
        raise Failure("nothing was seen")
    print(waits.wait_table(0 if arguments.all else HIDDEN_NS))
    if waits.voluntary or waits.involuntary:
        print("\n" + waits.switch_table())
    print("\n" + "\n".join(lock_lines(waits, requests, tool.sees_threads)))
