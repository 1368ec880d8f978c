#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare .model files with the live sentencepiece, on models that are made up.

    pip install sentencepiece==0.2.3
    tests/differential/sentencepiece_models.py --program build/bin/budtiktok
        [--models 300] [--texts 200] [--seed 1] [--show 5] [FILE.model ...]
    tests/differential/sentencepiece_models.py --record tests/golden/sentencepiece

Models of all four kinds, with few pieces, so that everything meets everything: scores with ties, signs and
huge values, user-defined symbols that begin and overlap each other, control and unused pieces, byte fallback,
charsmaps of sentencepiece's own trainer, every setting of spaces. Compared are ids, pieces, the decoded
text of those ids and of random ones at once and in a stream, and which files are refused. FILEs are compared
as they are. Differences are shortened before they are shown. Last line: "N of M equal"; exit 1 if not all are.
--record writes a model of each kind and what the reference answers, for tests without it.
"""
import argparse
import io
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import sentencepiece

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
UNIGRAM, BPE, WORD, CHAR = range(1, 5)
MARK = "▁"
CHARS = ["a", "b", "c", MARK, "é", "中", "😀"]
TEXT_CHARS = ["a", "b", "c", "a", "b", " ", " ", MARK, "é", "中", "😀", "x", "ﬁ", "Ａ", "\u3000", "e\u0301", "\n",
              "\0", "\u200d", "㍿", "\t", "ñ", "０", "<", "\u00a0", "<s>", "<0x41>", "<unk>"]
# No text that is told apart from "not supported by this version".
NOT_SUPPORTED = ("unused pieces", "characters are all pieces", "denormalizer_spec")


# --- Protocol buffers: as much as a model has

def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number_field(number, value):
    return varint(number << 3) + varint(int(value))


def bytes_field(number, value):
    return varint(number << 3 | 2) + varint(len(value)) + value


def piece_field(text, score, kind):
    body = bytes_field(1, text.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score)
    return bytes_field(1, body + number_field(3, kind))


def fields(data):
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        key = read()
        if key & 7 == 2:
            length = read()
            yield key >> 3, data[at:at + length]
            at += length
        elif key & 7 == 5:
            yield key >> 3, data[at:at + 4]
            at += 4
        else:
            yield key >> 3, read()


# --- Models

def trained_charsmap(**options):
    """The charsmap that the trainer puts into a model."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c", "b c a", "c a b"] * 4), model_writer=out, model_type="char",
        vocab_size=7, minloglevel=2, hard_vocab_limit=False, **options)
    for number, value in fields(out.getvalue()):
        if number == 3:
            return dict(fields(value)).get(2, b"")
    return b""


def charsmaps(folder):
    rules = os.path.join(folder, "rules.tsv")
    with open(rules, "w", encoding="utf-8") as file:
        for source, target in (("a", "b"), ("ab", "c"), ("abc", " "), ("é", " a "), ("x", ""), ("中", "▁"), ("  ", "z")):
            file.write(" ".join(f"{ord(c):X}" for c in source) + "\t"
                       + " ".join(f"{ord(c):X}" for c in target) + "\n")
    maps = [b"", b"", trained_charsmap(normalization_rule_tsv=rules)]
    return maps + [trained_charsmap(normalization_rule_name=name) for name in ("nmt_nfkc", "nfkc_cf")]


def random_piece(rng):
    return rng.choice(["", "", MARK]) + "".join(rng.choice(CHARS) for _ in range(rng.randint(1, 4)))


def random_pieces(rng, kind, byte_fallback):
    scores = rng.choice([lambda: -rng.random() * 10, lambda: -float(rng.randint(0, 3)),
                         lambda: rng.uniform(-3, 3), lambda: -rng.random() * 90000,
                         lambda: rng.choice([0.0, -0.0, -1.0])])
    pieces = {}
    for char in CHARS:
        if kind == BPE or rng.random() < 0.8:
            pieces[char] = (scores(), NORMAL)
    for _ in range(rng.choice([3, 10, 40, 120])):
        pieces[random_piece(rng)] = (scores(), NORMAL)
    for _ in range(rng.choice([0, 0, 2, 8])):
        text = random_piece(rng) if rng.random() < 0.6 else rng.choice(["a b", " ", "x", "xx", "<s>a", "ﬁ", "xab"])
        pieces[text] = (rng.choice([0.0, scores()]), USER_DEFINED)
    if kind != BPE or rng.random() < 0.1:
        for text in rng.sample(sorted(pieces), min(len(pieces), rng.choice([0, 0, 1, 5]))):
            if len(text) > 1:
                pieces[text] = (pieces[text][0], UNUSED)
    listed = [(text, *rest) for text, rest in pieces.items()]
    special = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    if byte_fallback:
        special += [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    if rng.random() < 0.3:
        rng.shuffle(listed)
    return special + listed if rng.random() < 0.8 else listed + special


def model(rng, maps):
    kind = rng.choice([UNIGRAM, UNIGRAM, BPE, BPE, BPE, WORD, CHAR])
    byte_fallback = rng.random() < 0.4
    pieces = random_pieces(rng, kind, byte_fallback)
    if rng.random() < 0.05:
        pieces.append(rng.choice(pieces))
    trainer = number_field(3, kind) + number_field(35, byte_fallback) + number_field(24, rng.random() < 0.2)
    if rng.random() < 0.2:
        trainer += bytes_field(44, rng.choice(["", "?", "▁", " ⁇"]).encode())
    normalizer = bytes_field(2, rng.choice(maps))
    for number in (3, 4, 5):
        if rng.random() < 0.6:
            normalizer += number_field(number, rng.random() < 0.5)
    data = b"".join(piece_field(*piece) for piece in pieces) + bytes_field(2, trainer) + bytes_field(3, normalizer)
    return data, [piece[0] for piece in pieces]


# --- Both sides

def random_text(rng, pieces):
    parts = []
    for _ in range(rng.choice([0, 1, 2, 5, 12, 40])):
        part = rng.choice(TEXT_CHARS if rng.random() < 0.6 else pieces)
        parts.append(part.replace(MARK, " ") if rng.random() < 0.5 else part)
    return "".join(parts)


class Program:
    def __init__(self, program, path):
        self.program, self.path = program, path

    def ask(self, command, lines, *options):
        done = subprocess.run(
            [self.program, command, "--tokenizer", self.path, "--input-format", "jsonl", "--output-format",
             "jsonl", *options], input="".join(json.dumps(line) + "\n" for line in lines).encode(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            return None, done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()], ""

    def encode(self, texts):
        return self.ask("encode", [{"text": text} for text in texts], "--no-special-tokens", "--fields",
                        "ids,tokens")

    def decode(self, lists, *options):
        return self.ask("decode", [{"ids": ids} for ids in lists], *options)


def reference_encoding(processor, text):
    # An id of bytes has its name as a piece; others show what they stand for.
    return {"ids": processor.encode(text), "tokens": processor.encode(text, out_type=str)}


def reference_steps(processor, ids):
    """What a stream gives for each id: the steps of tokenizers' DecodeStream, on sentencepiece's decode."""
    kept, prefix, prefix_count, steps = [], "", 0, []
    for id in ids:
        if not prefix and kept:
            text = processor.decode(kept)
            if not text.endswith("\ufffd"):
                prefix, prefix_count = text, len(kept)
        kept.append(id)
        text = processor.decode(kept)
        if len(text.encode()) <= len(prefix.encode()) or text.endswith("\ufffd"):
            steps.append(None)
            continue
        if not text.startswith(prefix):
            return steps, True
        steps.append(text[len(prefix):])
        kept, prefix_count = kept[prefix_count:], len(kept) - prefix_count
        prefix = processor.decode(kept)
    return steps, False


def shorten(text, differs):
    step = max(1, len(text) // 2)
    while step:
        for at in range(0, len(text), step):
            shorter = text[:at] + text[at + step:]
            if differs(shorter):
                text = shorter
                break
        else:
            step //= 2
    return text


class Report:
    def __init__(self, show):
        self.show, self.equal, self.count = show, 0, 0

    def add(self, is_equal, describe):
        self.equal += is_equal
        self.count += 1
        if not is_equal and self.show:
            self.show -= 1
            print(describe(), flush=True)


def compare_encodings(report, program, processor, texts, what):
    found, error = program.encode(texts)
    if found is None:
        report.add(False, lambda: f"{what}: {error}")
        return []
    wanted = [reference_encoding(processor, text) for text in texts]
    for text, want, have in zip(texts, wanted, found):
        def describe(text=text):
            short = shorten(text, lambda t: program.encode([t])[0] != [reference_encoding(processor, t)])
            return (f"{what}: {short!r}\n    wanted {reference_encoding(processor, short)}\n"
                    f"    found  {program.encode([short])[0]}")
        report.add(want == have, describe)
    return wanted


def compare_decoded(report, program, processor, lists, what):
    found, error = program.decode(lists)
    if found is None:
        report.add(False, lambda: f"{what}: {error}")
        return
    for ids, have in zip(lists, found):
        want = processor.decode(ids)
        def describe(ids=ids, want=want, have=have):
            return f"{what}: decode {ids}\n    wanted {want!r}\n    found  {have}"
        report.add(have.get("text") == want, describe)


def compare_streams(report, program, processor, lists, what):
    found, error = program.decode(lists, "--stream")
    for ids, have in zip(lists, found or []):
        steps, fails = reference_steps(processor, ids)
        def describe(ids=ids, steps=steps, fails=fails, have=have):
            return f"{what}: stream of {ids}\n    wanted {steps}{' then an error' * fails}\n    found  {have}"
        report.add(have.get("steps") == steps and ("error" in have) == fails, describe)
    if found is None:
        report.add(False, lambda: f"{what}: {error}")


def compare_model(report, rng, arguments, path, pieces, what):
    program = Program(arguments.program, path)
    processor = sentencepiece.SentencePieceProcessor()
    try:
        processor.load(path)
    except (RuntimeError, OSError) as error:
        found, message = program.encode([""])
        report.add(found is None, lambda: f"{what}: not refused; the reference: {error}; {message}")
        return
    found, message = program.encode([""])
    if found is None and any(part in message for part in NOT_SUPPORTED):
        return
    if found is None:
        report.add(False, lambda: f"{what}: refused: {message}")
        return
    texts = [random_text(rng, pieces) for _ in range(arguments.texts)]
    wanted = compare_encodings(report, program, processor, texts, what)
    lists = [want["ids"] for want in wanted]
    size = processor.get_piece_size()
    lists += [[rng.randrange(size) for _ in range(rng.choice([1, 2, 4, 9]))] for _ in range(arguments.texts // 2)]
    compare_decoded(report, program, processor, lists, what)
    compare_streams(report, program, processor, [ids[:60] for ids in lists], what)


def record(program, folder, maps):
    """Models that are refused or large are of no use."""
    wanted = {name: None for name in ("unigram", "unigram_bytes", "bpe", "bpe_bytes", "char", "word", "word_bytes")}
    index = 0
    while not all(wanted.values()):
        rng = random.Random(f"record {index}")
        index += 1
        data, pieces = model(rng, maps)
        settings = dict(fields(dict(fields(data))[2]))
        name = ("", "unigram", "bpe", "word", "char")[settings[3]] + ("_bytes" if settings[35] else "")
        has_symbols = any(dict(fields(value)).get(3) == USER_DEFINED for number, value in fields(data) if number == 1)
        if name not in wanted or wanted[name] or not has_symbols or not 1000 < len(data) < 40000:
            continue
        try:
            processor = sentencepiece.SentencePieceProcessor(model_proto=data)
        except RuntimeError:
            continue
        path = os.path.join(folder, f"{name}.model")
        with open(path, "wb") as file:
            file.write(data)
        wanted[name] = Program(program, path).encode([""])[0] is not None
        with open(os.path.join(folder, f"{name}.jsonl"), "w", encoding="ascii") as file:
            for text in [""] + [random_text(rng, pieces) for _ in range(59)]:
                row = {"text": text, **reference_encoding(processor, text)}
                row["decoded"] = processor.decode(row["ids"])
                file.write(json.dumps(row) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/budtiktok")
    parser.add_argument("--record", metavar="FOLDER")
    parser.add_argument("--models", type=int, default=300)
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    report = Report(arguments.show)
    print(f"seed {arguments.seed}")
    for path in arguments.files:
        processor = sentencepiece.SentencePieceProcessor(model_file=path)
        pieces = [processor.id_to_piece(id) for id in range(processor.get_piece_size())]
        compare_model(report, random.Random(arguments.seed), arguments, path, pieces, os.path.basename(path))
    with tempfile.TemporaryDirectory() as folder:
        maps = charsmaps(folder)
        if arguments.record:
            record(arguments.program, arguments.record, maps)
            return
        for index in range(arguments.models):
            rng = random.Random(f"{arguments.seed} {index}")
            data, pieces = model(rng, maps)
            path = os.path.join(folder, "made_up.model")
            with open(path, "wb") as file:
                file.write(data)
            before = report.equal, report.count
            compare_model(report, rng, arguments, path, pieces, f"model {index}")
            if (report.equal - before[0]) != (report.count - before[1]):
                with open(os.path.join(tempfile.gettempdir(), f"differs_{index}.model"), "wb") as file:
                    file.write(data)
    print(f"{report.equal} of {report.count} equal")
    sys.exit(report.equal != report.count)


if __name__ == "__main__":
    main()
