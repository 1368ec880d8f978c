#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record what the reference answers for the default models. Never run on answers of our own.

    pip install tokenizers==0.23.3 xxhash
    tools/dev/record_goldens.py [--digests]

Writes tests/golden/{wordpiece,bpe}.jsonl (cases) and bench/goldens/*.json (digests of bench/texts, for
the models of bench/models too); with --digests these alone. README.md in each folder says what the
fields are.
"""
import glob
import json
import os
import struct
import sys

import tokenizers
import xxhash
from tokenizers import Tokenizer

import golden_texts
from mixed_text import mixed_text

TREE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.append(f"{TREE}/bench")
import cut  # noqa: E402  pylint: disable=wrong-import-position,import-error

MODELS = ("wordpiece", "bpe")
BENCH_MODELS = ("unigram", "wordlevel")


def xxh64(numbers):
    return xxhash.xxh64_hexdigest(struct.pack(f"<{len(numbers)}I", *numbers))


def flat(offsets):
    return [position for pair in offsets for position in pair]


def digest_of_lines(tokenizer, data):
    lines = cut.lines(data)
    ids = []
    for line in lines:
        ids += tokenizer.encode(line.decode(), add_special_tokens=False).ids
    return {"lines_bytes": sum(map(len, lines)), "lines_tokens": len(ids),
            "lines_ids_xxh64": xxh64(ids)}


def digest_of_text(tokenizer, data):
    pieces = cut.pieces(data)
    ids, offsets, decoded = [], [], b""
    for piece in pieces:
        encoding = tokenizer.encode(piece.decode(), add_special_tokens=False)
        ids += encoding.ids
        offsets += flat(encoding.offsets)
        decoded += tokenizer.decode(encoding.ids, skip_special_tokens=False).encode()
    whole = tokenizer.encode(data.decode(), add_special_tokens=False)
    return {"bytes": sum(map(len, pieces)), "pieces": len(pieces), "tokens": len(ids),
            "ids_xxh64": xxh64(ids), "offsets_xxh64": xxh64(offsets), "decoded_bytes": len(decoded),
            "decoded_xxh64": xxhash.xxh64_hexdigest(decoded), "whole_bytes": len(data),
            "whole_tokens": len(whole.ids), "whole_ids_xxh64": xxh64(whole.ids),
            **digest_of_lines(tokenizer, data)}


def case_row(tokenizer, kind, text):
    plain = tokenizer.encode(text, add_special_tokens=False)
    special = tokenizer.encode(text)
    row = {"kind": kind, "text": text, "ids": plain.ids, "offsets": flat(plain.offsets),
           "word_ids": plain.word_ids}
    if len(text) <= 200:
        row["tokens"] = plain.tokens
    if special.ids != plain.ids:
        row |= {"ids_special": special.ids, "type_ids": special.type_ids,
                "special_tokens_mask": special.special_tokens_mask}
    row["decoded"] = tokenizer.decode(special.ids, skip_special_tokens=False)
    row["decoded_skip"] = tokenizer.decode(special.ids, skip_special_tokens=True)
    return row


def record_cases(name, tokenizer):
    added = sorted(token.content for token in tokenizer.get_added_tokens_decoder().values())
    with open(f"{TREE}/tests/golden/{name}.jsonl", "w", encoding="ascii") as file:
        for kind, text in golden_texts.cases(added):
            file.write(json.dumps(case_row(tokenizer, kind, text)) + "\n")


def record_digests(name, tokenizer):
    digests = {}
    for path in sorted(glob.glob(f"{TREE}/bench/texts/*.txt")):
        with open(path, "rb") as file:
            digests[os.path.splitext(os.path.basename(path))[0]] = digest_of_text(
                tokenizer, cut.split(file.read())[0])
    digests["mixed"] = digest_of_text(tokenizer, mixed_text(TREE))
    with open(f"{TREE}/bench/goldens/{name}.json", "w", encoding="ascii") as file:
        json.dump(digests, file, indent=1)
        file.write("\n")


def main():
    if tokenizers.__version__ != "0.23.3":
        sys.exit(f"the reference is tokenizers 0.23.3, not {tokenizers.__version__}")
    for folder in ("tests/golden", "bench/goldens"):
        os.makedirs(f"{TREE}/{folder}", exist_ok=True)
    for name in BENCH_MODELS:
        record_digests(name, Tokenizer.from_file(f"{TREE}/bench/models/{name}.json"))
    for name in MODELS:
        tokenizer = Tokenizer.from_file(f"{TREE}/tokenizer/default/{name}.json")
        record_digests(name, tokenizer)
        if "--digests" not in sys.argv:
            record_cases(name, tokenizer)


if __name__ == "__main__":
    main()
