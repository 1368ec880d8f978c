# SPDX-License-Identifier: Apache-2.0
"""The file with all runs, a line of JSON each, and what is worked out of it.

    head       when, where, which versions and options
    run        one process' figure in one mode; "pass": first, or round with its number
    different  ids that are not the reference's: no figure of that engine in that cell
    refused    what could not be measured, and why
    load       time and memory until the first ids
    done       all lines of a cell's group of modes are there: --resume goes on behind it
"""
import json
import math
import statistics
from dataclasses import dataclass

from cells import OURS


def cell_of(row):
    return row["tokenizer"], row["text"], row["mode"]


def read(path):
    """Without the lines of a cell that was not finished."""
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.endswith("\n")]
    done = {(row["tokenizer"], row["text"], mode) for row in rows if row["kind"] == "done" for mode in row["modes"]}
    return [row for row in rows if "mode" not in row or cell_of(row) in done]


class Writer:
    def __init__(self, path, rows):
        self.file = open(path, "w", encoding="utf-8")  # pylint: disable=consider-using-with
        self.rows = []
        for row in rows:
            self.add(row)

    def add(self, row):
        self.rows.append(row)
        self.file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.file.flush()

    def is_done(self, tokenizer, text, modes):
        return any(row["kind"] == "done" and (row["tokenizer"], row["text"], row["modes"]) == (tokenizer, text, list(modes))
                   for row in self.rows)


@dataclass
class Figure:
    engine: str
    rates: list  # MB/s

    @property
    def median(self):
        return statistics.median(self.rates)


@dataclass
class Cell:
    """One tokenizer, text and mode: ours and peers, each None where there is no figure."""
    ours: Figure = None
    best: Figure = None
    peers: dict = None  # all with a figure, by engine
    ours_differs: bool = False

    @property
    def ratio(self):
        return self.ours.median / self.best.median if self.ours and self.best else None


def figures(rows, which):
    """Rates of each (cell, engine)."""
    found = {}
    for row in rows:
        if row["kind"] == "run" and row["pass"] == which:
            found.setdefault(cell_of(row), {}).setdefault(row["engine"], []).append(row["mb_per_s"])
    return found


def cells(rows):
    """By (tokenizer, text, mode). Where engines took turns these rounds count, and the first pass for nobody."""
    wrong = {(cell_of(row), row["engine"]) for row in rows if row["kind"] == "different"}
    first, rounds = figures(rows, "first"), figures(rows, "round")
    found = {}
    for name in {*first, *rounds, *(cell for cell, engine in wrong)}:
        def right(engines, name=name):
            return {engine: Figure(engine, rates) for engine, rates in engines.items() if (name, engine) not in wrong}

        all_first, turns = right(first.get(name, {})), right(rounds.get(name, {}))
        shown = turns if len(turns) > 1 else all_first
        ours = shown.get(OURS)
        peers = [figure for engine, figure in shown.items() if engine != OURS]
        found[name] = Cell(ours, max(peers, key=lambda figure: figure.median, default=None),
                           {engine: figure for engine, figure in {**all_first, **turns}.items() if engine != OURS},
                           (name, OURS) in wrong)
    return found


def geometric_mean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else None
