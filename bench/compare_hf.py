#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The engine beside Hugging Face tokenizers, in one run, one thread each, ids alone.

    pip install tokenizers==0.23.3 xxhash
    bench/compare_hf.py --tokenizer FILE --text FILE [--build build] [--rounds 5]

The text falls into pieces of about 4 KiB, each encoded by a call of its own, never the same one twice
(bench/README.md, "cold"). Rounds alternate; medians are shown. The ids of both must be the same.
"""
import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

WARM_UP_BYTES = 65536
BODY_BYTES = 8_000_200


def is_inside(data, at):
    return at < len(data) and (data[at] & 0xC0) == 0x80


def split(data):
    begin = len(data) - WARM_UP_BYTES
    while is_inside(data, begin):
        begin += 1
    end = min(begin, BODY_BYTES)
    while end and is_inside(data, end):
        end -= 1
    return data[:end], data[begin:]


def cut(data, size=4096):
    pieces, seen, at = [], set(), 0
    while at < len(data):
        end = min(at + size, len(data))
        if end < len(data):
            newline = data.rfind(b"\n", at + size // 2, end)
            space = data.rfind(b" ", at + size // 2, end)
            if newline >= 0:
                end = newline + 1
            elif space > at:
                end = space
            else:
                while end > at and is_inside(data, end):
                    end -= 1
        piece, at = data[at:end], end
        if piece.strip() and piece not in seen:
            seen.add(piece)
            pieces.append(piece)
    return pieces


def measure_reference(path, text):
    """In a process of its own: prints seconds and digest."""
    import xxhash
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    with open(text, "rb") as file:
        body, warm_up = split(file.read())
    pieces = [piece.decode() for piece in cut(body)]
    for piece in cut(warm_up):
        tokenizer.encode(piece.decode(), add_special_tokens=False)
    results = []
    begin = time.perf_counter()
    for piece in pieces:
        results.append(tokenizer.encode(piece, add_special_tokens=False))
    seconds = time.perf_counter() - begin
    digest = xxhash.xxh64()
    for result in results:
        digest.update(struct.pack(f"<{len(result.ids)}I", *result.ids))
    print(json.dumps({"seconds": seconds, "bytes": sum(len(piece.encode()) for piece in pieces),
                      "ids_xxh64": digest.hexdigest()}))


def run(command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--text", default=os.path.join(root, "bench", "texts", "en.txt"))
    parser.add_argument("--build", default=os.path.join(root, "build"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reference-alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reference_alone:
        measure_reference(options.tokenizer, options.text)
        return
    theirs, ours = [], []
    for _ in range(options.rounds):
        theirs.append(run([sys.executable, os.path.abspath(__file__), "--reference-alone",
                           "--tokenizer", options.tokenizer, "--text", options.text]))
        ours.append(run([os.path.join(options.build, "bin", "budtiktok-bench"), "--bench", "bpe",
                         "--tokenizer", options.tokenizer, "--input", options.text, "--mode", "cold",
                         "--json"]))
    if {result["ids_xxh64"] for result in theirs} != {result["ids_xxh64"] for result in ours}:
        raise SystemExit("the ids differ")
    reference = statistics.median(result["bytes"] / result["seconds"] / 1e6 for result in theirs)
    engine = statistics.median(result["mb_per_s"] for result in ours)
    print(f"{os.path.basename(options.tokenizer)}, {os.path.basename(options.text)}, cold: "
          f"tokenizers {reference:.2f} MB/s, budtiktok {engine:.1f} MB/s, {engine / reference:.1f}x "
          f"(medians of {options.rounds} alternating runs, ids equal)")


main()
