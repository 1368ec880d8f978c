#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make up pipelines and let check_text_cuts look for a cut that is none.

    pip install tokenizers==0.23.3
    tests/differential/text_cuts.py --program build/tests/tokenizer/check_text_cuts
        [--count 1000] [--traps 4000] [--seed 1] [--keep FOLDER]

Each file has random normalizers and pre-tokenizers (those of normalizers.py and pretokenizers.py, alone and in
sequences), a model of one of five kinds, added tokens with random flags, and a post-processor that trims, or not. Half
of the normalizers are of those that have cuts. The library is not asked: what is compared are the parts
of texts and the whole. Last line: "N files, M with cuts, F that fail"; exit 1 if one fails.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

import normalizers
import pretokenizers

AT_ONCE = 50
CHARS = sorted({char for trap in pretokenizers.TRAPS for char in trap} | set("▁_ĠABCabcdeflmrstxyz.,'\n "))
PATTERNS = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+",
    " ?[^(\\s|[.,!?…。，、।۔،])]+",
]
TOKENS = ["<m>", "[SEP]", "▁x", " ", "  ", "\n", "a b", "ab", "b.", ".", "1", "é", "e\u0301", "漢字", "x ", " y",
          "<|end|>", "\u0301", "'s", "A", ", ", "\n\n", "。"]


def sequence(rng, pool, kind, member):
    members = [rng.choice(pool) for _ in range(rng.randint(1, 3))]
    return members[0] if len(members) == 1 else {"type": kind, member: members}


def normalizer(rng):
    everything = list(normalizers.PLAIN.values()) + list(normalizers.REGEXES.values())
    local = [normalizers.PLAIN[name] for name in
             ("Bert", "BertClean", "BertChinese", "BertAccents", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Nmt",
              "StripAccents", "ByteLevel", "ReplaceSpace", "ReplaceSame", "ReplaceByNothing", "ReplaceLong", "Precompiled")]
    local += [normalizers.REGEXES[name] for name in
              ("RegexSpaces", "RegexWhite", "RegexWhites", "RegexBlank", "RegexPlain", "RegexOneMark", "RegexSet",
               "RegexNotInSet")]
    local += [normalizers.replace(*pair) for pair in
              ((".", " "), ("a", " "), ("\n", ""), ("x", "'"), ("b.", "1"), ("``", "\""), ("漢", "字"), (" ", ""))]
    if rng.random() < 0.3:
        return None
    return sequence(rng, local if rng.random() < 0.8 else everything, "Sequence", "normalizers")


def pretokenizer(rng):
    pool = pretokenizers.by_type(pretokenizers.singles())
    pool.append([{"type": "Split", "pattern": {"Regex": text}, "behavior": "Isolated", "invert": False}
                 for text in PATTERNS])
    pool.append([{"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}])
    pool.append([{"type": "Split", "pattern": {"String": text}, "behavior": behavior, "invert": rng.random() < 0.2}
                 for text in (" ", ".", "a", "a.", "漢", "1 ") for behavior in pretokenizers.BEHAVIORS])
    if rng.random() < 0.15:
        return None
    return sequence(rng, [rng.choice(group) for group in pool], "Sequence", "pretokenizers")


def words(rng, count):
    alphabet = CHARS if rng.random() < 0.5 else list("▁abcest. '")
    return sorted({"".join(rng.choice(alphabet) for _ in range(rng.randint(2, 4))) for _ in range(count)})


def bpe_of_chars(rng):
    """Merges of random neighbours; some have all that keeps a model from being cut."""
    known = [char for char in CHARS if rng.random() < 0.95]
    vocabulary, merges = ["?", *known], []
    for _ in range(rng.randint(0, 120)):
        left, right = rng.choice(vocabulary[1:]), rng.choice(vocabulary[1:])
        if left + right not in vocabulary and len(left + right) < 9:
            vocabulary.append(left + right)
            merges.append(f"{left} {right}" if " " not in left + right else [left, right])
    merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in merges]
    falls_back = rng.random() < 0.4
    if falls_back:
        vocabulary += [f"<0x{byte:02X}>" for byte in range(256)]
    return {"type": "BPE", "unk_token": None if rng.random() < 0.1 else "?", "byte_fallback": falls_back,
            "fuse_unk": rng.random() < 0.5, "ignore_merges": rng.random() < 0.1,
            "vocab": {token: i for i, token in enumerate(vocabulary)}, "merges": merges}


def model(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return {"type": "BPE", "merges": [], "vocab": {c: i for i, c in enumerate(pretokenizers.ALPHABET)}}
    if kind in (1, 2):
        return bpe_of_chars(rng)
    tokens = ["[UNK]", *CHARS, *words(rng, 150)]
    if kind == 3:
        return {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
                "vocab": [[token, -rng.random() * 12] for token in tokens]}
    if kind == 4:
        return {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {token: i for i, token in enumerate(tokens)}}
    tokens += ["##" + token for token in tokens[1:]]
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": rng.choice((5, 100)), "vocab": {token: i for i, token in enumerate(tokens)}}


def added(rng):
    count = rng.choice((0, 0, 1, 1, 2, 5))
    return [{"id": 100_000 + i, "content": text,
             **{flag: rng.random() < 0.25 for flag in ("single_word", "lstrip", "rstrip")},
             "normalized": rng.random() < 0.5, "special": rng.random() < 0.3}
            for i, text in enumerate(rng.sample(TOKENS, count))]


def document(rng):
    trims = {"type": "ByteLevel", "trim_offsets": rng.random() < 0.7, "add_prefix_space": rng.random() < 0.5}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added(rng),
            "normalizer": normalizer(rng), "pre_tokenizer": pretokenizer(rng),
            "post_processor": trims if rng.random() < 0.3 else None, "decoder": None, "model": model(rng)}


def check(options, paths):
    """One after the other where one cannot be loaded: the program ends there."""
    command = [options.program, "--traps", str(options.traps), *paths, "--"]
    done = subprocess.run(command, capture_output=True, check=False)
    told = (done.stdout + done.stderr).decode(errors="replace").splitlines()
    lines = [line for line in told if line.split("\t")[0] in {os.path.basename(path) for path in paths}]
    if len(lines) < len(paths) and len(paths) > 1:
        half = len(paths) // 2
        return check(options, paths[:half]) + check(options, paths[half:])
    for line in told:
        if "differ in" in line or done.returncode < 0:
            print(line)
    if done.returncode < 0:
        print(f"{paths}: signal {-done.returncode}")
        lines.append("\t1 failures")
    return lines


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--traps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep")
    return parser.parse_args()


def main():
    options = parse()
    rng = random.Random(options.seed)
    lines = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or temporary
        os.makedirs(folder, exist_ok=True)
        paths = [os.path.join(folder, f"{i}.json") for i in range(options.count)]
        for path in paths:
            with open(path, "w", encoding="utf-8") as file:
                json.dump(document(rng), file)
        for begin in range(0, len(paths), AT_ONCE):
            lines += check(options, paths[begin:begin + AT_ONCE])
    cut = [line for line in lines if "no cuts" not in line]
    failed = [line for line in cut if not line.endswith(" 0 failures")]
    print("\n".join(failed))
    print(f"{len(lines)} files, {len(cut)} with cuts, {len(failed)} that fail")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
