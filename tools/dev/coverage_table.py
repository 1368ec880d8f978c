#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print gcovr's summary as a table, one line a room.

    coverage_table.py SUMMARY.json
"""
import json
import sys

ROOMS = ["common", "kernels", "tokenizer", "ipc", "worker", "coordinator", "client", "tools"]
# Made by a generator, and without a branch: it would only flatter.
GENERATED = "_tables.c"


def share(covered, total):
    return f"{100 * covered / total:6.1f} %" if total else "      - "


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        files = json.load(file)["files"]
    sums = {room: [0] * 5 for room in ROOMS}
    for entry in files:
        room = entry["filename"].split("/")[0]
        if room not in sums or entry["filename"].endswith(GENERATED):
            continue
        found = [1, *(entry[key] for key in ("line_covered", "line_total", "branch_covered", "branch_total"))]
        sums[room] = [a + b for a, b in zip(sums[room], found)]
    missing = [room for room, counts in sums.items() if counts[2] == 0]
    if missing:
        sys.exit(f"coverage_table: nothing was measured of {', '.join(missing)}")
    sums["all"] = [sum(column) for column in zip(*sums.values())]
    print(f"{'room':<12} {'files':>5} {'lines':>8} {'covered':>9} {'branches':>9} {'covered':>9}")
    for room, (count, lines, all_lines, branches, all_branches) in sums.items():
        print(f"{room:<12} {count:>5} {all_lines:>8} {share(lines, all_lines):>9} {all_branches:>9} "
              f"{share(branches, all_branches):>9}")


if __name__ == "__main__":
    main()
