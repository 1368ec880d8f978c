# SPDX-License-Identifier: Apache-2.0
"""Sampling by perf, converted for two viewers in a browser."""
import json
import os
import subprocess

from profiling import cluster, firefox, samples, speedscope
from profiling.base import Failure, capture, find_tool, last_lines, make_folder, need_command, say, table, write_text

SUMMARY = "samples a command or a running cluster; opens in profiler.firefox.com and speedscope.app"
MORE = """\
writes NAME.data (perf's own), NAME.firefox.json, NAME.speedscope.json and NAME.folded

examples:
  ops/profile record -- build/bin/budtiktok-bench --bench wordpiece
  ops/profile record -o before --frequency 4000 -- build/bin/budtiktok-bench --input en
  ops/profile record --event cache-misses -- build/bin/budtiktok-bench      (a machine with counters)
  ops/profile record --cluster --seconds 10

Load NAME.firefox.json at https://profiler.firefox.com ("Load a profile from file") or
NAME.speedscope.json at https://www.speedscope.app; both stay in your browser.
"""
FREQUENCY_MAX = 50000


def add_arguments(parser):
    parser.add_argument("-o", "--output", default="profile", metavar="NAME",
                        help="begin of the files' names (default profile)")
    parser.add_argument("--event", metavar="E", help="what to sample by (default: cycles, else cpu-clock)")
    parser.add_argument("--frequency", type=int, default=1999, metavar="N",
                        help="samples a second and processor (default 1999)")
    cluster.add_arguments(parser)


def can_count(perf, event):
    """(whether this machine counts it, what perf says)."""
    status, out, message = capture([perf, "stat", "-x,", "-e", event, "true"])
    text = message + out
    return status == 0 and "<not supported>" not in text and "<not counted>" not in text, text


def choose_event(perf, wanted):
    if wanted:
        counts, message = can_count(perf, wanted)
        if not counts:
            reason = "this machine has no such counter" if "not supported" in message else last_lines(message, 2)
            raise Failure(f"event {wanted}: {reason}; `perf list` shows what there is, "
                          "cpu-clock is everywhere", 2)
        return wanted
    if can_count(perf, "cycles")[0]:
        say("event: cycles, by the processor's counters")
        return "cycles"
    say("event: cpu-clock, a timer, because this machine (a virtual one?) gives no hardware counters")
    return "cpu-clock"


def perf_record(perf, output, event, frequency, target):
    if not 1 <= frequency <= FREQUENCY_MAX:
        raise Failure(f"--frequency: expected 1 to {FREQUENCY_MAX}", 2)
    make_folder(os.path.dirname(output))
    # What is read afterwards must be of this run.
    if os.path.exists(output + ".data"):
        os.remove(output + ".data")
    # A place in the kernel (group:name) is counted each time, a counter or a clock so often a second.
    often = ["-c", "1"] if ":" in event else ["-F", str(frequency)]
    command = [perf, "record", "--quiet", "-e", event, *often, "--call-graph", "fp",
               "-o", output + ".data"] + target
    done = subprocess.run(command, stdout=os.sys.stderr.fileno(), stderr=subprocess.PIPE, errors="replace",
                          check=False)
    if not os.path.exists(output + ".data"):
        raise Failure(f"perf record failed: {last_lines(done.stderr)}")
    os.sys.stderr.write(done.stderr)
    return done.returncode


def record(output, target, roles, event=None, frequency=1999):
    """Records, and gives the samples and the command's own exit status."""
    perf = find_tool("perf")
    event = choose_event(perf, event)
    status = perf_record(perf, output, event, frequency, target)
    return samples.read_recording(perf, output + ".data", roles), status


def target_of(arguments):
    """What perf shall look at, and the names of its processes."""
    found = cluster.cluster_of(arguments)
    if not found:
        return ["--"] + need_command(arguments), {}
    for pid, role in found.roles.items():
        say(f"{role}: process {pid}")
    return ["-p", ",".join(map(str, found.pids)), "--", "sleep", str(arguments.seconds)], found.roles


def write_all(output, recording, title, frequency):
    write_text(output + ".folded", samples.write_folded(recording.folded()))
    write_text(output + ".firefox.json", json.dumps(firefox.convert(recording, title, frequency)))
    write_text(output + ".speedscope.json", json.dumps(speedscope.convert(recording, title)))


def hottest(recording, count=10):
    """The functions that the samples were in, the first ones."""
    own, total = {}, {}
    for sample in recording.samples:
        leaf = sample.frames[-1]
        own[leaf[:2]] = own.get(leaf[:2], 0) + 1
        for name in {frame[:2] for frame in sample.frames}:
            total[name] = total.get(name, 0) + 1
    every = len(recording.samples)
    rows = [(f"{100 * own[name] / every:.1f}", f"{100 * total[name] / every:.1f}", name[0], name[1])
            for name in sorted(own, key=own.get, reverse=True)[:count]]
    return table(("> self %", "> total %", "function", "in"), rows)


def run(arguments):
    target, roles = target_of(arguments)
    recording, status = record(arguments.output, target, roles, arguments.event, arguments.frequency)
    title = "cluster" if roles else " ".join(arguments.command)
    write_all(arguments.output, recording, title, arguments.frequency)
    print(f"{len(recording.samples)} samples, {100 * recording.resolved_share():.1f} % resolved to symbols")
    for library, share in recording.unresolved().items():
        if share >= 0.01:
            print(f"    without symbols: {100 * share:.1f} % in {library}")
    for process, count in recording.processes().items():
        print(f"    {process}: {count} samples")
    print(hottest(recording))
    print("written: " + " ".join(arguments.output + end for end in
                                 (".data", ".firefox.json", ".speedscope.json", ".folded")))
    if status:
        say(f"the command ended with status {status}")
    return status
