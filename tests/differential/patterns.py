#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare the hand-written patterns with the live engines, for every source in the list.

    pip install tokenizers==0.23.3 tiktoken==0.14.0
    tests/differential/patterns.py --programs build/tests/kernels [--only NAME] [--code-points 0-10FFFF]
                                   [--random 200000] [--corpus FOLDER] [--seed 1] [--kernels SET]

Every code point alone and in several surroundings, random texts out of characters that some alternative
treats in a way of its own, and pieces of the files in FOLDER. A difference is shortened before it is
shown. Last line: "N of M equal"; exit 1 if not all are.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import unicodedata

import tiktoken
from tokenizers import Regex, pre_tokenizers

FORMS = ("a{0}b", " {0}a")
MORE_FORMS = ("A{0}B", "a {0}", "1{0}2", "!{0}!", "\n{0}\n", " {0} ", "'{0}", "{0}'s",
         "x'{0}", "{0}{0}{0}{0}", "\u4e00{0}\u3042", "\u0301{0}\u0301", "A\u4e00A{0}", "\t{0}\u00a0")
TRAPS = ("s", "S", "t", "re", "Re", "RE", "vE", "m", "ll", "lL", "d", "'", "'", "\u2019", "\u017f", "\u212a",
         "\u0130", "\u1e9e", "\u00df", "a", "b", "A", "B", "Z", "\u00e9", "\u00c9", "\u01c5", "\u02b0", "\u00aa",
         "\u0434", "\u0416", "\u05d0", "\u0e01", "\u0e31", "\u4e00", "\u9fa5", "\u9fa6", "\u3007", "\u3005",
         "\u2e80", "\u3021", "\u3042", "\u30a2", "\u30fc", "\u30fb", "\u30a0", "\u3040", "\u3099", "\u309b",
         "\uac00", "\ud7ff", "\u0800", "\u1100", "\U00020000", "\U00016ff0", "\U0001d400", "\U00010400",
         "\U00010428", "\u0301", "\u093e", "\u20dd", "\U000e0100", "0", "1", "9", "\u0660", "\u00b2", "\u2160",
         "\u00bd", "\U0001d7ce", "\U00011de0", "\U00016ff4", "!", ".", ",", "/", "-", "_", "(", "|", "<",
         ">", "$", "+", "=", "\"", "\u2026", "\u3002", "\uff0c", "\u060c", "\u00a1", "\u20ac", "\u00b1",
         "\U0001f600", "\u200d", "\ufe0f", " ", " ", "  ", "\t", "\n", "\n", "\r", "\r\n", "\v", "\f",
         "\u0085", "\u00a0", "\u2003", "\u2028", "\u3000", "\u200b", "\u00ad", "\u0000", "\u0001", "\u007f",
         "\ue000", "\u0378", "\U0010ffff", "<|startoftext|>", "<|endoftext|>")
# Characters in one run of the program, and code points in one text.
AT_ONCE, IN_ONE_TEXT = 200_000, 50


class Tiktoken:
    """Whether tiktoken cuts a text where we do; it tells ids alone.

    The vocabulary is made of our own pieces, and of each two neighbours as one: a piece of theirs that
    is ours is one token, one that is less never gives ours, and in one that is more no two of ours can
    stay side by side, because they would be merged.
    """

    def __init__(self, pattern):
        self.pattern = pattern

    def check(self, texts, ours):
        """Yields the texts that are cut in other places, and where."""
        ranks = {bytes([byte]): byte for byte in range(256)}
        for pieces in ours:
            for first, second in zip(pieces, pieces[1:] + [b""]):
                ranks.setdefault(first, len(ranks))
                ranks.setdefault(first + second, len(ranks))
        encoding = tiktoken.Encoding("", pat_str=self.pattern, mergeable_ranks=ranks, special_tokens={})
        for text, pieces in zip(texts, ours):
            theirs = encoding.decode_tokens_bytes(encoding.encode_ordinary(text))
            if theirs != pieces:
                yield text, theirs


class Oniguruma:
    """A ByteLevel comes last if there is none, and shows each byte as a character."""

    def __init__(self, steps):
        if not any(isinstance(each, pre_tokenizers.ByteLevel) for each in steps):
            steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
        self.split = pre_tokenizers.Sequence(steps).pre_tokenize_str

    def cut(self, text):
        return [bytes(map(BYTES.__getitem__, piece)) for piece, _ in self.split(text)]

    def check(self, texts, ours):
        for text, pieces in zip(texts, ours):
            theirs = self.cut(text)
            if theirs != pieces:
                yield text, theirs


def byte_alphabet():
    """The bytes that ByteLevel's characters stand for."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(0x100) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(0x100 + i): byte for i, byte in enumerate(hidden)}


BYTES = byte_alphabet()


class Ours:
    def __init__(self, programs, pattern, kernels):
        self.command = [os.path.join(programs, "print_pieces"), pattern]
        self.command += ["--kernels", kernels] if kernels else []

    def __call__(self, texts):
        datas = [text.encode() for text in texts]
        asked = b"".join(len(data).to_bytes(4, "little") + data for data in datas)
        done = subprocess.run(self.command, input=asked, capture_output=True, check=False)
        lines = done.stdout.decode().split("\n")[:-1]
        if len(lines) != len(datas):
            sys.exit(f"{self.command}: exit {done.returncode}: {done.stderr.decode()[-2000:]}")
        return [[data[int(begin):int(end)] for begin, end in (ends.split("-") for ends in line.split())]
                for data, line in zip(datas, lines)]


def shortest(text, differs):
    """Leaves out what can be left out."""
    step = len(text) // 2 or 1
    while True:
        for begin in range(0, len(text), step):
            shorter = text[:begin] + text[begin + step:]
            if shorter and differs(shorter):
                text = shorter
                break
        else:
            if step == 1:
                return text
            step = step // 2


def code_point_texts(first, last):
    """Each alone; in the surroundings, many in one text, and in most of them not all that are alike."""
    chars = [chr(code) for code in range(first, last + 1) if not 0xD800 <= code < 0xE000]
    yield from chars
    some = [char for char, before, behind in zip(chars, chars[:1] + chars, chars[1:] + chars[-1:])
            if ord(char) % 61 == 0 or len({*map(unicodedata.category, (before, char, behind))}) > 1]
    for form in FORMS + MORE_FORMS:
        each = chars if form in FORMS else some
        for begin in range(0, len(each), IN_ONE_TEXT):
            yield " x\n".join(map(form.format, each[begin:begin + IN_ONE_TEXT]))


def random_texts(count, seed):
    chance = random.Random(seed)
    for _ in range(count):
        alphabet = chance.sample(TRAPS, chance.choice((2, 4, 8, len(TRAPS))))
        yield "".join(chance.choices(alphabet, k=chance.randint(1, chance.choice((6, 12, 40)))))


def corpus_texts(folder, share):
    chance = random.Random(1)
    for name in sorted(os.listdir(folder)) if folder else []:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace", newline="") as file:
            text = file.read()
        for begin in range(0, len(text), 2000):
            if chance.random() < share:
                yield text[begin:begin + 2000]


def batches(texts):
    batch, length = [], 0
    for text in texts:
        batch.append(text)
        length += len(text)
        if length > AT_ONCE:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch


def compare(name, engine, ours, texts, show):
    """The number of texts, and of those that differ."""
    count = wrong = 0
    for batch in batches(texts):
        count += len(batch)
        for text, _ in engine.check(batch, ours(batch)):
            wrong += 1
            if wrong > show:
                continue
            text = shortest(text, lambda cut: any(engine.check([cut], ours([cut]))))
            theirs = next(engine.check([text], ours([text])))[1]
            print(f"{name}: {text!r}\n    ours   {[p.decode(errors='replace') for p in ours([text])[0]]}\n"
                  f"    theirs {[p.decode(errors='replace') for p in theirs]}", flush=True)
    return count, wrong


def sources(programs):
    """(pattern, dialect, engine) for each line of the list."""
    listing = subprocess.run([os.path.join(programs, "print_sources")], capture_output=True, check=True)
    for line in listing.stdout.decode().split("\n")[:-1]:
        pattern, dialect, *steps = json.loads(line)
        if dialect == "TIKTOKEN":
            yield pattern, dialect, Tiktoken(steps[0])
        else:
            steps = [["SPLIT", steps[0]]] if dialect == "ONIGURUMA" else steps
            yield pattern, dialect, Oniguruma([step(each) for each in steps])


def step(words):
    kind, text = words
    if kind == "SPLIT":
        return pre_tokenizers.Split(Regex(text), "isolated")
    if kind == "MATCHES":
        return pre_tokenizers.Split(Regex(text), "removed", invert=True)
    if kind == "DIGITS":
        return pre_tokenizers.Digits(individual_digits=text == "individual")
    if kind == "PUNCTUATION":
        return pre_tokenizers.Punctuation(behavior=text)
    assert kind == "BYTE_LEVEL", kind
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--programs", default="build/tests/kernels")
    parser.add_argument("--only")
    parser.add_argument("--code-points", default="0-10FFFF")
    parser.add_argument("--random", type=int, default=200_000)
    parser.add_argument("--corpus")
    parser.add_argument("--corpus-share", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--kernels")
    options = parser.parse_args()
    first, last = (int(end, 16) for end in options.code_points.split("-"))
    total = wrong = 0
    for pattern, dialect, engine in sources(options.programs):
        if options.only and pattern not in options.only.split(","):
            continue
        ours = Ours(options.programs, pattern, options.kernels)
        for kind, texts in (("code points", code_point_texts(first, last)),
                            ("random", random_texts(options.random, options.seed)),
                            ("corpus", corpus_texts(options.corpus, options.corpus_share))):
            found = compare(f"{pattern} {dialect}", engine, ours, texts, options.show)
            print(f"{pattern} {dialect} {kind}: {found[0] - found[1]} of {found[0]}", flush=True)
            total, wrong = total + found[0], wrong + found[1]
    print(f"{total - wrong} of {total} equal")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
