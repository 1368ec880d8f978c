#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Beside the peers: the same pieces, one engine a process, pinned, taking turns; only ids of the reference count.

    bench/peers/install.py                                   each engine in an environment of its own
    bench/peers/compare.py --tokenizer-folder DIR --text-folder DIR --out peers
    bench/peers/compare.py ... --tokenizers gpt2,qwen3 --texts en_books,ru --modes cold,warm --quick
    bench/peers/compare.py --report --out peers              tables and charts once more

For each tokenizer, text and group of modes: the reference answers, all engines are measured once and their ids
compared, then ours and the --best peers take turns for --rounds rounds. Writes into --out: runs.jsonl, peers.md and a
chart for each mode. --resume goes on where a run was ended. Exit status 1: ids of ours differ; 2: wrong use.
"""
import argparse
import datetime
import os
import platform
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.normpath(os.path.join(HERE, "../.."))
sys.path.append(os.path.dirname(HERE))
sys.dont_write_bytecode = True

import chart  # noqa: E402
import comparison  # noqa: E402
import cut  # noqa: E402
import engines  # noqa: E402
import processes  # noqa: E402
import results  # noqa: E402
import tables  # noqa: E402
from cells import GROUPS, MODES, OURS, REFERENCE, TEXTS, TOKENIZERS  # noqa: E402
from install import default_environments  # noqa: E402

QUICK_BYTES, QUICK_ROUNDS = 500_000, 3


def names(known):
    def parse_names(text):
        found = text.split(",")
        for name in found:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is not one of {', '.join(known)}")
        return found
    return parse_names


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer-folder", help="with the tokenizer.json files that cells.py names")
    parser.add_argument("--text-folder", help="with the texts that cells.py names")
    parser.add_argument("--out", required=True, help="a folder for runs, tables, charts and the reference's answers")
    parser.add_argument("--tokenizers", type=names(TOKENIZERS), default=list(TOKENIZERS))
    parser.add_argument("--texts", type=names(TEXTS), default=list(TEXTS))
    parser.add_argument("--engines", type=names(engines.MODULES), default=[name for name in engines.MODULES if name != OURS])
    parser.add_argument("--modes", type=names(MODES), default=["cold", "warm"], help=", ".join(MODES))
    parser.add_argument("--offsets", action="store_true", help="the mode offsets, too: beside the reference alone")
    parser.add_argument("--load", action="store_true", help="time and memory until the first ids, too")
    parser.add_argument("--rounds", type=int, default=9, help="in turn, of ours and the best peers")
    parser.add_argument("--best", type=int, default=2, help="so many peers of each cell take turns with ours")
    parser.add_argument("--threads", type=int, default=2, help="for the mode threads")
    parser.add_argument("--bytes", type=int, default=cut.BODY_BYTES, help="to be measured of each text, at most")
    parser.add_argument("--quick", action="store_true", help=f"--bytes {QUICK_BYTES} --rounds {QUICK_ROUNDS}")
    parser.add_argument("--environments", default=default_environments(), help="where install.py put the engines")
    parser.add_argument("--program", default=f"{TREE}/build/bin/budtiktok-bench")
    parser.add_argument("--library", default=f"{TREE}/build/tokenizer/libbudtiktok.so", help="for --load")
    parser.add_argument("--cpu", type=int, action="append", help="to pin to; repeatable, for the mode threads")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for one process")
    parser.add_argument("--chart-texts", type=names(TEXTS), default=["en_books", "zh_modern"], help="one panel each")
    parser.add_argument("--resume", action="store_true", help="keep what runs.jsonl has")
    parser.add_argument("--report", action="store_true", help="measure nothing: tables and charts of runs.jsonl")
    return parser


def check_files(parser, options):
    if not options.tokenizer_folder or not options.text_folder:
        parser.error("--tokenizer-folder and --text-folder are needed to measure")
    for folder, wanted in ((options.tokenizer_folder, [TOKENIZERS[name][0] for name in options.tokenizers]),
                           (options.text_folder, [TEXTS[name][0] for name in options.texts])):
        for name in wanted:
            if not os.path.exists(os.path.join(folder, name)):
                parser.error(f"there is no {name} in {folder}")
    for name in dict.fromkeys([REFERENCE, *options.engines]):
        if not os.path.exists(processes.python_of(options.environments, name)):
            parser.error(f"{name} is not installed: bench/peers/install.py --environments {options.environments}")
    if not os.path.exists(options.program):
        parser.error(f"there is no {options.program}: --program")


def parse(arguments=None):
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.quick:
        options.bytes, options.rounds = min(options.bytes, QUICK_BYTES), min(options.rounds, QUICK_ROUNDS)
    for name, least in (("rounds", 1), ("best", 1), ("threads", 1), ("bytes", cut.PIECE_BYTES), ("timeout", 1)):
        if getattr(options, name) < least:
            parser.error(f"--{name}: at least {least}")
    if options.offsets and "offsets" not in options.modes:
        options.modes = [*options.modes, "offsets"]
    options.cpus = options.cpu or sorted(os.sched_getaffinity(0))
    if not options.report:
        check_files(parser, options)
    return options


def machine():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} processors, Linux {platform.release()}"


def head(options):
    return {"kind": "head", "date": datetime.date.today().isoformat(), "machine": machine(), "rounds": options.rounds,
            "best": options.best, "threads": options.threads, "bytes": options.bytes,
            **processes.described(dict.fromkeys([*options.engines, REFERENCE]), options.environments)}


def report(out, rows, texts):
    with open(os.path.join(out, "peers.md"), "w", encoding="utf-8") as file:
        file.write(tables.markdown(rows))
    for mode in MODES:
        drawn = chart.chart(rows, mode, texts)
        if drawn:
            with open(os.path.join(out, f"peers-{mode}.svg"), "w", encoding="utf-8") as file:
                file.write(drawn)


def measure(options, writer):
    harness = comparison.Comparison(options, writer)
    groups = [[mode for mode in group if mode in options.modes] for group in GROUPS]
    short = os.path.join(options.out, "texts")
    texts = {text: comparison.shortened(os.path.join(options.text_folder, TEXTS[text][0]), options.bytes, short)
             for text in options.texts}
    for tokenizer in options.tokenizers:
        for text, path in texts.items():
            for modes in filter(None, groups):
                if not writer.is_done(tokenizer, text, modes):
                    harness.compare(tokenizer, text, path, modes)
        if options.load:
            harness.measure_loads(tokenizer)
        report(options.out, writer.rows, options.chart_texts)


def main():
    options = parse()
    path = os.path.join(options.out, "runs.jsonl")
    if options.report:
        rows = results.read(path)
        report(options.out, rows, options.chart_texts)
        return
    os.makedirs(options.out, exist_ok=True)
    kept = results.read(path) if options.resume and os.path.exists(path) else []
    writer = results.Writer(path, kept or [head(options)])
    measure(options, writer)
    if any(row["kind"] == "different" and row["engine"] == OURS for row in writer.rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
