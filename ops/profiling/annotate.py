# SPDX-License-Identifier: Apache-2.0
"""perf annotate on a recording: the instructions of a function with the share of samples of each."""
import re
import subprocess

from profiling import report
from profiling.base import Failure, find_tool

SUMMARY = "instructions of one function with the share of samples of each (perf annotate)"
MORE = """\
examples:
  ops/profile record -- build/bin/budtiktok-bench --bench wordpiece
  ops/profile annotate char_masks
  ops/profile annotate --all btk_wordpiece_encode
  ops/profile annotate --source btk_wordpiece_encode

Without --all or --source, only instructions that have at least half a percent. A sample is charged to the instruction that was waited for, or to the one behind it.
"""
HOT_PERCENT = 0.5


def add_arguments(parser):
    parser.add_argument("function", help="its name, as ops/profile report shows it")
    parser.add_argument("recording", nargs="?", default="profile.data", help="default profile.data")
    parser.add_argument("--all", action="store_true", help="every instruction")
    parser.add_argument("--source", action="store_true", help="with the lines of source between")


def run(arguments):
    command = [find_tool("perf"), "annotate", "-i", report.recording_of(arguments), "--stdio", "--stdio-color=never",
               "--source" if arguments.source else "--no-source", "-s", arguments.function]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          errors="replace", check=False)
    if done.returncode or "Disassembly" not in done.stdout:
        raise Failure(f"no samples in a function {arguments.function}: {done.stderr.strip()}")
    print(done.stdout if arguments.all or arguments.source else hot_lines(done.stdout), end="")


def hot_lines(text):
    """The headline, and the instructions that were met often enough."""
    lines = text.splitlines(keepends=True)
    hot = (re.match(r"\s*(\d+\.\d+) +:", line) for line in lines)
    return "".join(line for i, (line, match) in enumerate(zip(lines, hot))
                   if i < 2 or match and float(match[1]) >= HOT_PERCENT)
