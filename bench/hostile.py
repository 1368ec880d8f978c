#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No text may take more time than its length: times of 10 and of 20 MB of what is hard.

    bench/hostile.py [--program build/bin/budtiktok] [--megabytes 10] [--repeat 3] [--only INPUT] [TOKENIZER ...]

One document of one letter, spaces, newlines, combining marks, one emoji, base64 and more, through
`budtiktok encode` with a compiled image; the time of an empty document is taken off, the best of the repeats
counts. A line for each tokenizer and input; exit 1 if the double length takes more than 2.2 times as long, or
there are less than 5 MB/s (of what normalizers make eleven times as long: 0.5 MB/s). TOKENIZER: files, or the
names of the embedded ones (default: both).
"""
import argparse
import base64
import os
import random
import subprocess
import sys
import tempfile
import time

RATIO_MAX, SPEED_MIN = 2.2, 5.0
SPEED_MIN_OF = {"ligatures": 0.5}
JUDGED_SECONDS = 0.25  # the ratio of shorter times is that of starting programs
TRIES = 4


def repeated(unit):
    return lambda size: (unit * (size // len(unit.encode()))).encode()


def base64_text(size):
    return base64.b64encode(random.Random(1).randbytes(size * 3 // 4 + 3))[:size]


INPUTS = {
    "one letter": repeated("a"), "spaces": repeated(" "), "newlines": repeated("\n"), "tabs": repeated("\t"),
    "combining marks": repeated("\u0301"), "letter and marks": repeated("e" + 7 * "\u0301"),
    "one emoji": repeated("\U0001f600"), "emoji with joiners": repeated("\U0001f469\u200d"),
    "base64": base64_text, "a b": repeated("a b "), "digits": repeated("7"), "punctuation": repeated("!?"),
    "ideographs": repeated("\u4e2d"), "apostrophes": repeated("'s"), "a long word": repeated("abcdefghijklmnop"),
    "jamo": repeated("\u1100\u1161\u11a8"), "spaces and newlines": repeated("  \n"), "NUL": repeated("\0"),
    "ligatures": repeated("\ufdfa"), "mark of spaces": repeated("\u2581"), "letters and spaces": repeated("ab" + 14 * " "),
}


def seconds_of(program, tokenizer, path, repeat):
    best = float("inf")
    for _ in range(repeat):
        begin = time.monotonic()
        done = subprocess.run([program, "encode", "--tokenizer", tokenizer, "--input-format", "text",
                               "--output-format", "u32", "--output", path + ".ids", path],
                              stderr=subprocess.PIPE, check=False)
        best = min(best, time.monotonic() - begin)
        if done.returncode:
            return None, done.stderr.decode().strip()
    return best, ""


class Case:
    """One input at both lengths; the best times so far, without the start of the program."""

    def __init__(self, arguments, tokenizer, start, path, what):
        self.arguments, self.tokenizer, self.start, self.path = arguments, tokenizer, start, path
        self.make, self.speed_min = INPUTS[what], SPEED_MIN_OF.get(what, SPEED_MIN)
        self.times, self.error = [float("inf")] * 2, ""

    def run(self):
        for index in range(2):
            with open(self.path, "wb") as file:
                file.write(self.make(self.arguments.megabytes * 1_000_000 * (index + 1)))
            seconds, self.error = seconds_of(self.arguments.program, self.tokenizer, self.path,
                                             self.arguments.repeat)
            if seconds is None:
                return
            self.times[index] = min(self.times[index], max(seconds - self.start, 1e-3))

    def ratio(self):
        return self.times[1] / self.times[0]

    def speed(self):
        return 2 * self.arguments.megabytes / self.times[1]

    def is_fine(self):
        is_linear = self.ratio() <= RATIO_MAX or self.times[1] < JUDGED_SECONDS
        return not self.error and is_linear and self.speed() >= self.speed_min


def measure(arguments, tokenizer, folder):
    all_fine = True
    name = os.path.basename(tokenizer)
    path = os.path.join(folder, "text")
    open(path, "wb").close()
    if os.path.exists(tokenizer):
        image = os.path.join(folder, "image.btk")
        subprocess.run([arguments.program, "compile", "--output", image, tokenizer], check=True)
        tokenizer = image
    start, error = seconds_of(arguments.program, tokenizer, path, arguments.repeat)
    if start is None:
        sys.exit(f"{tokenizer}: {error}")
    for what in arguments.only or INPUTS:
        case = Case(arguments, tokenizer, start, path, what)
        for _ in range(TRIES):  # what another process does to a time is no fault of the text
            case.run()
            if case.is_fine() or case.error:
                break
        all_fine = all_fine and case.is_fine()
        result = case.error[-90:] or f"{case.speed():8.1f} MB/s, double: {case.ratio():.2f}x"
        print(f"{name:28} {what:20} {result}{'' if case.is_fine() else '  TOO SLOW'}", flush=True)
    return all_fine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/budtiktok")
    parser.add_argument("--megabytes", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", action="append", choices=INPUTS, metavar="INPUT", help="repeatable")
    parser.add_argument("tokenizers", nargs="*", default=["wordpiece", "bpe"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = [measure(arguments, tokenizer, folder) for tokenizer in arguments.tokenizers]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
