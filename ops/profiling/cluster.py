# SPDX-License-Identifier: Apache-2.0
"""A running cluster, found by /proc: the coordinator `budtiktok serve` and its worker children.

A worker is named by its place among the coordinator's children, which is the order in which they
were started: "worker 0", "worker 1". One that was replaced comes last."""
import json
import os
import pathlib

from profiling.base import Failure, capture


class Cluster:
    """roles: {pid: name}, the coordinator first."""

    def __init__(self, coordinator, workers, endpoint):
        self.coordinator = coordinator
        self.workers = workers
        self.endpoint = endpoint  # None: the default one
        self.roles = {coordinator: "coordinator"}
        self.roles.update({pid: f"worker {i}" for i, pid in enumerate(workers)})

    @property
    def pids(self):
        return list(self.roles)


def command_line(pid):
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
    return [word.decode(errors="replace") for word in words if word]


def parent(pid):
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:")), None)


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            text = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text(encoding="ascii")
            found += [int(word) for word in text.split()]
    except OSError:
        pass
    return sorted(found)


def is_coordinator(words):
    return len(words) > 1 and os.path.basename(words[0]) == "budtiktok" and "serve" in words[1:2]


def workers_of(pid):
    return [child for child in children(pid)
            if command_line(child) and os.path.basename(command_line(child)[0]) == "budtiktok-worker"]


def endpoint_of(words):
    for i, word in enumerate(words):
        if word == "--listen" and i + 1 < len(words):
            return words[i + 1]
        if word.startswith("--listen="):
            return word.partition("=")[2]
    return None


def find_cluster(pid=None):
    """The cluster whose coordinator is `pid`, or the only one that runs."""
    found = {int(name) for name in os.listdir("/proc") if name.isdigit()
             and is_coordinator(command_line(int(name)))}
    # Children that it forks for a moment, to compile a tokenizer, have its command line.
    found = sorted(coordinator for coordinator in found if parent(coordinator) not in found)
    if pid is not None:
        if pid not in found:
            raise Failure(f"process {pid} is not a coordinator (budtiktok serve)", 4)
        found = [pid]
    if not found:
        raise Failure("no cluster runs here: start one with build/bin/budtiktok serve", 4)
    if len(found) > 1:
        raise Failure("several clusters run here: say which with --pid, one of "
                      + " ".join(map(str, found)), 2)
    workers = workers_of(found[0])
    if not workers:
        raise Failure(f"the coordinator {found[0]} has no workers", 4)
    return Cluster(found[0], workers, endpoint_of(command_line(found[0])))


def add_arguments(parser):
    parser.add_argument("--cluster", action="store_true", help="attach to the running cluster")
    parser.add_argument("--pid", type=int, metavar="PID", help="its coordinator, where several run")
    parser.add_argument("--seconds", type=float, default=10, metavar="N",
                        help="how long to look at a cluster (default 10)")


def cluster_of(arguments):
    """The cluster that is asked for, or None: there is a command."""
    if arguments.seconds <= 0 or arguments.seconds > 86400:
        raise Failure("--seconds: expected more than 0, and at most a day (86400)", 2)
    if arguments.cluster or arguments.pid is not None:
        if arguments.command:
            raise Failure("--cluster and a command exclude each other", 2)
        return find_cluster(arguments.pid)
    return None


def status(found):
    """What `budtiktok status --json` says of it, or None: it does not answer, or the program is not beside it."""
    try:
        program = os.readlink(f"/proc/{found.coordinator}/exe")
    except OSError:
        return None
    command = [program, "status", "--json"] + (["--connect", found.endpoint] if found.endpoint else [])
    code, text, _ = capture(command)
    return json.loads(text) if code == 0 else None
