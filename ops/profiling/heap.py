# SPDX-License-Identifier: Apache-2.0
"""Memory from the heap: heaptrack and DHAT over the same command, one report.

heaptrack counts calls and says which functions made them; DHAT also knows bytes read and written, and
what was there at the peak. Both keep their own files, for their own viewers."""
import collections
import os
import re
import subprocess

from profiling import dhat
from profiling.base import Failure, capture, find_tool, last_lines, make_folder, need_command, say, table, write_text

SUMMARY = "allocations: peak, calls for each function, temporary ones, leaks, growth (heaptrack and DHAT)"
MORE = """\
writes DIR/heaptrack.zst, DIR/dhat.out and DIR/report.txt

examples:
  ops/profile heap -- build/bin/budtiktok encode --output /dev/null bench/texts/en.txt
  ops/profile heap -o heap --growth 4 -- build/bin/budtiktok encode --output /dev/null 'bench/texts/en.txt{*}'

With --growth N the command runs twice as often, with N and with 2N repetitions of its work: {} in its arguments
becomes the number, and an argument that ends in {*} stands there so many times.
Look into a file with heaptrack_gui DIR/heaptrack.zst, or with valgrind's dh_view.html for DIR/dhat.out.
"""
COSTS = (("allocations", "calls"), ("temporary", "temporary"), ("peak", "bytes at peak"), ("leaked", "bytes leaked"))
FIGURES = {
    "allocations": r"^calls to allocation functions: (\d+)",
    "temporary": r"^temporary memory allocations: (\d+)",
    "peak": r"^peak heap memory consumption: (\S+)",
    "leaked": r"^total memory leaked: (\S+)",
}
UNITS = {"B": 1, "K": 10**3, "M": 10**6, "G": 10**9}


def add_arguments(parser):
    parser.add_argument("-o", "--output", default="heap", metavar="DIR", help="folder of all files (default heap)")
    parser.add_argument("--growth", type=int, metavar="N", help="compare N with 2N repetitions of the work")


def figure(text):
    unit = UNITS.get(text[-1])
    return int(float(text[:-1]) * unit) if unit else int(text)


def repeated(command, count):
    """{} is the count; what ends in {*} is there that often."""
    words = []
    for word in command:
        if word.endswith("{*}"):
            words += [word[:-3]] * count
        else:
            words.append(word.replace("{}", str(count)))
    return words


def run_tool(command, what):
    status, _, message = capture(command, stdin=subprocess.DEVNULL)
    if status:
        raise Failure(f"{what}: the command ended with status {status}: {last_lines(message)}")


class Heaptrack:
    """figures: {name: number}; functions: {name: {function: cost}}."""

    def __init__(self, base):
        self.path = next((base + end for end in (".zst", ".gz") if os.path.exists(base + end)), None)
        if not self.path:
            raise Failure(f"heaptrack wrote neither {base}.zst nor {base}.gz")
        self.figures, self.functions = {}, {}
        for cost, _ in COSTS:
            self.read_cost(base, cost)

    def read_cost(self, base, cost):
        stacks = base + ".stacks"
        status, text, message = capture([
            find_tool("heaptrack_print"), "-f", self.path, "-p", "0", "-a", "0", "-T", "0", "-F", stacks,
            "--flamegraph-cost-type", cost])
        if status:
            raise Failure(f"heaptrack_print cannot read {self.path}: {last_lines(message)}", 3)
        match = re.search(FIGURES[cost], text, re.MULTILINE)
        if not match:
            raise Failure(f"heaptrack_print says nothing of {cost}: another version than 1.4?")
        self.figures[cost] = figure(match[1])
        counts = collections.Counter()
        with open(stacks, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                stack, _, count = line.rstrip("\n").rpartition(" ")
                counts[leaf_of(stack)] += int(count)
        os.remove(stacks)
        self.functions[cost] = counts

    def summary(self, count=8):
        rows = [(self.functions["allocations"][name], self.functions["temporary"][name],
                 self.functions["peak"][name], self.functions["leaked"][name], name)
                for name, _ in self.functions["allocations"].most_common(count)]
        head = ("> " + COSTS[0][1], "> temporary", "> bytes at peak", "> bytes leaked", "function")
        lines = [f"{label:<14} {self.figures[cost]}" for cost, label in COSTS]
        return "\n".join(lines + ["", table(head, rows)])


def leaf_of(stack):
    """The function that asked for memory."""
    names = [name for name in stack.split(";") if name.strip()]
    if not names:
        return "?"
    return "(code without symbols)" if names[-1].startswith("0x") else names[-1].strip()


def run_heaptrack(base, command):
    for end in (".zst", ".gz"):
        if os.path.exists(base + end):
            os.remove(base + end)
    run_tool([find_tool("heaptrack"), "-o", base, *command], "heaptrack")
    return Heaptrack(base)


def run_dhat(path, command):
    run_tool([find_tool("valgrind"), "--tool=dhat", "--dhat-out-file=" + path, *command], "valgrind --tool=dhat")
    return dhat.read(path)


def growth(folder, command, count):
    """Both runs begin and end alike: what differs is the work."""
    rows, found = [], {}
    for times in (count, 2 * count):
        found[times] = run_heaptrack(os.path.join(folder, f"growth-{times}"), repeated(command, times)).figures
        rows.append((times, *(found[times][cost] for cost, _ in COSTS)))
    more = (found[2 * count][cost] - found[count][cost] for cost, _ in COSTS)
    rows.append(("each", *(f"{value / count:+.2f}" for value in more)))
    return table(("> repetitions", *("> " + label for _, label in COSTS)), rows)


def run(arguments):
    if arguments.growth is not None and not 1 <= arguments.growth <= 10**6:
        raise Failure("--growth: expected 1 to 1000000", 2)
    command = need_command(arguments)
    if arguments.growth and repeated(command, 1) == repeated(command, 2):
        raise Failure("--growth: no argument of the command has {} or {*} in it", 2)
    make_folder(arguments.output)
    once = repeated(command, arguments.growth or 1)
    say("heaptrack")
    parts = ["command: " + " ".join(once), "", "heaptrack", "",
             run_heaptrack(os.path.join(arguments.output, "heaptrack"), once).summary()]
    say("valgrind --tool=dhat")
    parts += ["", "DHAT", "", dhat.summary(run_dhat(os.path.join(arguments.output, "dhat.out"), once))]
    if arguments.growth:
        say(f"growth: {arguments.growth} and {2 * arguments.growth} repetitions")
        parts += ["", "growth", "", growth(arguments.output, command, arguments.growth)]
    report = "\n".join(parts) + "\n"
    write_text(os.path.join(arguments.output, "report.txt"), report)
    print(report, end="")
