# SPDX-License-Identifier: Apache-2.0
"""perf report on a recording, as text: functions by their own share, callers with --callers."""
import os
import signal
import subprocess

from profiling.base import Failure, find_tool

SUMMARY = "functions of a recording by their share (perf report)"
MORE = """\
examples:
  ops/profile record -- build/bin/budtiktok-bench --bench bpe
  ops/profile report
  ops/profile report --callers before.data

`perf report -i profile.data` does the same on a screen, where one can step into functions.
"""


def add_arguments(parser):
    parser.add_argument("recording", nargs="?", default="profile.data", help="default profile.data")
    parser.add_argument("--callers", action="store_true", help="with who called each function")
    parser.add_argument("--limit", type=float, default=0.5, metavar="PERCENT",
                        help="leave out what has less (default 0.5)")


def recording_of(arguments):
    if not os.path.exists(arguments.recording):
        raise Failure(f"{arguments.recording}: no such file; ops/profile record makes one", 3)
    return arguments.recording


def run_perf(command):
    """perf's own messages are about what it lacks for inlined functions: they matter only if it failed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, errors="replace", check=False)
    if done.returncode not in (0, -signal.SIGPIPE):  # who reads may stop where it likes
        raise Failure(f"perf failed: {done.stderr.strip()}")


def run(arguments):
    graph = "caller" if arguments.callers else "none"
    run_perf([find_tool("perf"), "report", "-i", recording_of(arguments), "--stdio", "--no-inline", "-g", graph,
              *([] if arguments.callers else ["--no-children"]),
              "--percent-limit", str(arguments.limit), "--sort", "comm,dso,sym"])
