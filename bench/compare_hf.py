#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Side by side with the reference, in one run: documents of 4 KiB, one call each, one thread, ids only.

    pip install tokenizers==0.23.3 xxhash
    bench/compare_hf.py                                      the embedded tokenizers on bench/texts/en.txt
    bench/compare_hf.py --tokenizer gpt2.json --input book.txt --rounds 9

The two take turns, A B A B, each time in a process of its own that is pinned to one processor and warmed
on the text's last 64 KiB. The reference is called as cheaply as it can be (encode_batch_fast of one
document). Every run must give the same ids, or there are no figures and the exit status is 1.
"""
import argparse
import gc
import json
import os
import statistics
import struct
import subprocess
import sys
import time

import cut

TREE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
EMBEDDED = ("wordpiece", "bpe")
FAMILIES = "wordpiece,bpe,unigram,wordlevel"


def run_reference(tokenizer_path, text_path):
    """In a process of its own: one warm-up, one cold pass; prints what budtiktok-bench --json would."""
    import tokenizers
    import xxhash
    if tokenizers.__version__ != "0.23.3":
        sys.exit(f"the reference is tokenizers 0.23.3, not {tokenizers.__version__}")
    with open(text_path, "rb") as file:
        data = file.read()
    body, rest = cut.split(data)
    pieces = [piece.decode() for piece in cut.pieces(body)]
    warm_up = [piece.decode() for piece in cut.pieces(rest)]
    tokenizer = tokenizers.Tokenizer.from_file(tokenizer_path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    encode = tokenizer.encode_batch_fast
    for piece in warm_up:
        encode([piece], add_special_tokens=False)
    digest, seconds = xxhash.xxh64(), 0.0
    gc.collect()
    gc.disable()
    for piece in pieces:
        begin = time.perf_counter()
        ids = encode([piece], add_special_tokens=False)[0].ids
        seconds += time.perf_counter() - begin
        digest.update(struct.pack(f"<{len(ids)}I", *ids))
    size = sum(len(piece.encode()) for piece in pieces)
    print(json.dumps({"bytes": size, "runs": [seconds], "mb_per_s": size / seconds / 1e6,
                      "ids_xxh64": digest.hexdigest()}))


def start(command, cpu):
    environment = dict(os.environ, RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment,
                          preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
    return json.loads(done.stdout)


def commands(options, tokenizer):
    ours = [options.program, "--bench", FAMILIES, "--tokenizer", tokenizer, "--input", options.input,
            "--mode", "cold", "--json"]
    path = f"{TREE}/tokenizer/default/{tokenizer}.json" if tokenizer in EMBEDDED else tokenizer
    return ours, [sys.executable, os.path.abspath(__file__), "--reference-run", path, options.input]


def summary(runs):
    rates = [run["mb_per_s"] for run in runs]
    return {"median_mb_per_s": round(statistics.median(rates), 2),
            "best_mb_per_s": round(max(rates), 2), "runs_mb_per_s": [round(r, 2) for r in rates]}


def compare(options, tokenizer):
    ours, reference = commands(options, tokenizer)
    our_runs, reference_runs = [], []
    for _ in range(options.rounds):
        our_runs.append(start(ours, options.cpu))
        reference_runs.append(start(reference, options.cpu))
    answers = {(run["bytes"], run["ids_xxh64"]) for run in our_runs + reference_runs}
    row = {"tokenizer": os.path.basename(tokenizer), "input": os.path.basename(options.input),
           "simd": our_runs[0]["simd"], "ids_equal": len(answers) == 1}
    if len(answers) == 1:
        row |= {"bytes": our_runs[0]["bytes"], "budtiktok": summary(our_runs),
                "tokenizers_0.23.3": summary(reference_runs)}
        row["ratio_of_medians"] = round(row["budtiktok"]["median_mb_per_s"]
                                        / row["tokenizers_0.23.3"]["median_mb_per_s"], 1)
    return row


def show(row, as_json):
    if as_json:
        print(json.dumps(row), flush=True)
    elif not row["ids_equal"]:
        print(f"{row['tokenizer']}, {row['input']}: the ids differ: no figures", flush=True)
    else:
        ours, reference = row["budtiktok"], row["tokenizers_0.23.3"]
        print(f"{row['tokenizer']}, {row['input']}, {row['bytes']} bytes, ids equal: "
              f"{ours['median_mb_per_s']} MB/s (best {ours['best_mb_per_s']}), "
              f"tokenizers 0.23.3: {reference['median_mb_per_s']} MB/s "
              f"(best {reference['best_mb_per_s']}): {row['ratio_of_medians']}x", flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tokenizer", action="append",
                        help="tokenizer.json, wordpiece or bpe; repeatable")
    parser.add_argument("--input", default=f"{TREE}/bench/texts/en.txt")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu", type=int, default=min(os.sched_getaffinity(0)))
    parser.add_argument("--program", default=f"{TREE}/build/bin/budtiktok-bench")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--reference-run":
        run_reference(*sys.argv[2:])
        return
    options = parse()
    rows = []
    for tokenizer in options.tokenizer or EMBEDDED:
        rows.append(compare(options, tokenizer))
        show(rows[-1], options.json)
    if not all(row["ids_equal"] for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
