# SPDX-License-Identifier: Apache-2.0
"""Samples of a recording, read from `perf script`, and folded stacks.

A sample is one line of head and one line for each frame, innermost first, closed by an empty line:

    budtiktok-bench  9137/9137   1234.567890:    1001001 cpu-clock:
            561122334455 utf8_copy+0x35 (/path/budtiktok-bench)
            ...

Folded stacks are lines "process;outermost;...;innermost COUNT", what flame graphs are drawn from."""
import collections
import os
import re
import subprocess

from profiling.base import Failure, last_lines, read_text

UNKNOWN = "[unknown]"  # as perf writes it
FIELDS = "comm,pid,tid,time,period,event,ip,sym,dso"
HEAD = re.compile(r"^\s*(?P<comm>.*?)\s+(?P<pid>-?\d+)/(?P<tid>-?\d+)\s+(?P<time>\d+\.\d+):\s+"
                  r"(?P<period>\d+)\s+(?P<event>\S.*?):\s*$")
FRAME = re.compile(r"^\s+(?P<ip>[0-9a-f]+) (?P<symbol>.*) \((?P<dso>.*)\)$")

Frame = collections.namedtuple("Frame", "symbol library address")
Sample = collections.namedtuple("Sample", "process pid tid time_s period event frames")


class Recording:
    """Samples with outermost frames first; `roles` gives processes their names."""

    def __init__(self, samples, skipped_lines=0):
        self.samples = samples
        self.skipped_lines = skipped_lines

    def resolved_share(self):
        """Samples whose innermost frame has a symbol."""
        known = sum(1 for sample in self.samples if is_resolved(sample.frames[-1]))
        return known / len(self.samples) if self.samples else 0.0

    def unresolved(self):
        """Where the others are: {library: share}."""
        counts = collections.Counter(sample.frames[-1].library for sample in self.samples
                                     if not is_resolved(sample.frames[-1]))
        return {library: count / len(self.samples) for library, count in counts.most_common()}

    def processes(self):
        counts = collections.Counter(sample.process for sample in self.samples)
        return dict(counts.most_common())

    def folded(self):
        counts = collections.Counter()
        for sample in self.samples:
            names = [sample.process] + [frame.symbol for frame in sample.frames]
            counts[";".join(name.replace(";", ":") for name in names)] += 1
        return counts


def parse_frame(line):
    match = FRAME.match(line)
    if not match:
        return None
    library = os.path.basename(match["dso"]) if not match["dso"].startswith("[") else match["dso"]
    symbol = re.sub(r"\+0x[0-9a-f]+$", "", match["symbol"].strip()) or UNKNOWN
    # Code of a stripped library is at least known to be its.
    return Frame(f"[{library.strip('[]')}]" if symbol == UNKNOWN else symbol, library, int(match["ip"], 16))


def is_resolved(frame):
    return not frame.symbol.startswith("[")


def add_frame(frames, frame):
    """Frames without a symbol, one after the other in one library, are one."""
    if not frames or is_resolved(frame) or frames[-1].symbol != frame.symbol:
        frames.append(frame)


def parse(lines, roles):
    """Lines that are neither head, frame nor empty are counted, and belong to nothing."""
    samples, head, frames, skipped = [], None, [], 0

    def close():
        if head and frames:
            pid = int(head["pid"])
            samples.append(Sample(roles.get(pid, head["comm"]), pid, int(head["tid"]), float(head["time"]),
                                  int(head["period"]), head["event"], tuple(reversed(frames))))

    for line in lines:
        line = line.rstrip("\n")
        if not line.strip():
            close()
            head, frames = None, []
            continue
        frame = parse_frame(line) if head else None
        if frame:
            add_frame(frames, frame)
            continue
        match = HEAD.match(line)
        if match:
            close()
            head, frames = match, []
        else:
            skipped += 1
    close()
    return Recording(samples, skipped)


def read_recording(perf, path, roles):
    # Inlined functions would have to be looked up one address at a time, which takes minutes.
    command = [perf, "script", "-i", path, "-F", FIELDS, "--no-inline"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace") as script:
        recording = parse(script.stdout, roles)
        message = script.stderr.read()
    if script.returncode:
        raise Failure(f"perf script cannot read {path}: {last_lines(message)}", 3)
    if not recording.samples:
        raise Failure("no samples: the command was too short, or waited all the time (see ops/profile offcpu)")
    return recording


def write_folded(counts):
    return "".join(f"{stack} {count}\n" for stack, count in sorted(counts.items()))


def read_folded(path):
    counts = collections.Counter()
    for number, line in enumerate(read_text(path).splitlines(), 1):
        stack, _, count = line.rpartition(" ")
        if not line.strip():
            continue
        if not stack or not count.isdigit():
            raise Failure(f"{path}:{number}: expected frames with ; between them, a space and a count", 3)
        counts[stack] += int(count)
    if not counts:
        raise Failure(f"{path}: no stacks in it", 3)
    return counts
