#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare the program with the live reference on texts nobody recorded.

    pip install tokenizers==0.23.3
    tests/differential/sweep.py --program build/bin/budtiktok TOKENIZER.json...
                                [--code-points 0-10FFFF] [--random 20000] [--long 200] [--seed 1] [--show 10]

Every code point alone, between letters and after a space; random texts out of characters on which
some stage does something special, the tokenizer's own added tokens and pieces; then what the ids
decode to. Differences are made as short as they go before they are shown. Last line: "N of M
equal"; exit 1 if not all are.
"""
import argparse
import json
import os
import random
import subprocess
import sys

import tokenizers
from tokenizers import Tokenizer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/dev"))
import golden_texts  # noqa: E402

AT_ONCE = 50_000
FORMS = ("{0}", "a{0}b", "A {0}", "{0}{0} 1")
PLAIN = ("ids", "offsets", "word_ids", "tokens", "type_ids")
SPECIAL = ("ids", "type_ids", "special_tokens_mask")


class Program:
    """The commands under test, one process a call."""

    def __init__(self, path, tokenizer):
        self.path, self.tokenizer = path, tokenizer

    def _run(self, verb, lines, *options):
        command = [self.path, verb, "--tokenizer", self.tokenizer, "--input-format", "jsonl",
                   "--output-format", "jsonl", *options]
        data = "".join(json.dumps(line) + "\n" for line in lines)
        done = subprocess.run(command, input=data.encode(), capture_output=True, check=False)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if len(answers) != len(lines):
            sys.exit(f"{' '.join(command)}\n{len(answers)} answers to {len(lines)} lines, exit "
                     f"{done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
        return answers

    def encode(self, texts, special):
        fields = ",".join(SPECIAL if special else PLAIN)
        options = ["--fields", fields] + ([] if special else ["--no-special-tokens"])
        return self._run("encode", [{"text": text} for text in texts], *options)

    def decode(self, id_lists, skip):
        options = ["--skip-special-tokens"] if skip else []
        return self._run("decode", [{"ids": ids} for ids in id_lists], *options)


class Reference:
    def __init__(self, path):
        self.tokenizer = Tokenizer.from_file(path)
        # What an added token took as spaces is gone by then: the program shows what the text has.
        self.normalizes = self.tokenizer.normalizer is not None
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def added_tokens(self):
        tokens = self.tokenizer.get_added_tokens_decoder()
        return [tokens[number].content for number in sorted(tokens)]

    def encode(self, texts, special):
        encodings = self.tokenizer.encode_batch(texts, add_special_tokens=special)
        return [{name: getattr(encoding, name) for name in (SPECIAL if special else PLAIN)}
                for encoding in encodings]

    def decode(self, id_lists, skip):
        return [{"text": self.tokenizer.decode(ids, skip_special_tokens=skip)} for ids in id_lists]


def same(expected, found, normalizes):
    """Equal in every field of the reference; offsets are pairs on either side."""
    for name, value in expected.items():
        if name == "offsets":
            value = [list(pair) for pair in value]
        if name == "tokens" and normalizes:
            if [token.strip() for token in value] != [token.strip() for token in found.get(name, [])]:
                return False
            continue
        if found.get(name) != value:
            return False
    return True


class Sweep:
    def __init__(self, program, reference, show):
        self.program, self.reference, self.show = program, reference, show
        self.compared = self.equal = 0

    def differing(self, inputs, mode):
        """Which of the inputs get different answers: (input, expected, found)."""
        verb, flag = mode
        expected = getattr(self.reference, verb)(inputs, flag)
        found = getattr(self.program, verb)(inputs, flag)
        return [triple for triple in zip(inputs, expected, found)
                if not same(*triple[1:], self.reference.normalizes)]

    def shortest(self, value, mode):
        """Leave out parts, halves first, as long as the answers still differ."""
        size = len(value) // 2
        while size > 0:
            shorter = [value[:at] + value[at + size:] for at in range(0, len(value), size)]
            differences = self.differing([v for v in shorter if v], mode)
            if differences:
                value = differences[0][0]
                size = min(size, len(value) // 2)
            else:
                size //= 2
        return value

    def compare(self, name, inputs, mode):
        differences = []
        for at in range(0, len(inputs), AT_ONCE):
            differences += self.differing(inputs[at:at + AT_ONCE], mode)
        self.compared += len(inputs)
        self.equal += len(inputs) - len(differences)
        print(f"{name}: {len(inputs) - len(differences)} of {len(inputs)} equal", flush=True)
        self.explain(differences, mode)

    def explain(self, differences, mode):
        told = set()
        for value, _, _ in differences[:3 * self.show]:
            short = self.shortest(value, mode)
            if str(short) in told or len(told) == self.show:
                continue
            told.add(str(short))
            [(_, expected, found)] = self.differing([short], mode) or [(0, "equal", "alone")]
            print(f"  {ascii(short)}\n    reference {ascii(expected)[:600]}\n"
                  f"    found     {ascii(found)[:600]}", flush=True)


def code_point_texts(first, last):
    characters = [chr(code_point) for code_point in range(first, last + 1)
                  if not 0xD800 <= code_point < 0xE000]
    return [form.format(character) for form in FORMS for character in characters]


def added_stretch(generator, added):
    """Added tokens beside each other, or with something between; some in the other case."""
    for _ in range(generator.randint(1, 4)):
        token = generator.choice(added)
        yield token if generator.randint(0, 3) else token.swapcase()
        yield generator.choice(("", "", " ", "  ", "\n", "\u00a0", "a", "_", "\u0301", "\u4e2d"))


def long_texts(reference, count, seed):
    """Texts of about one, two and three windows of the engine, with few and with many places to cut."""
    generator = random.Random(seed)
    short = random_texts(reference, 400, seed)
    texts = []
    for _ in range(count):
        separator = generator.choice(("", " ", "   ", "\n", "ab", "\u4e2d", "\u0301"))
        wanted = generator.choice((16, 32, 48)) * 1024 + generator.randint(-20, 20)
        text = ""
        while len(text.encode()) < wanted:
            text += generator.choice(short) * generator.choice((1, 1, 1, 20)) + separator
        texts.append(text)
    return texts


def random_texts(reference, count, seed):
    generator = random.Random(seed)
    added = reference.added_tokens()
    pieces = sorted(reference.tokenizer.get_vocab())
    texts = []
    for _ in range(count):
        parts = []
        for _ in range(generator.randint(1, 4)):
            parts.append(golden_texts.random_text(generator, generator.choice((3, 10, 40))))
            kind = generator.randint(0, 5)
            if kind == 0 and added:
                parts += added_stretch(generator, added)
            elif kind == 1:
                parts.append(generator.choice(pieces))
            elif kind == 2:
                code_point = generator.choice((0x2FF, 0x2FFF, 0xD7FF, 0x1FFFF))
                parts.append(chr(generator.randint(0, code_point)).encode(
                    "utf-8", "replace").decode())
        texts.append("".join(parts))
    return texts


def sweep_one(options, path):
    print(f"== {path}", flush=True)
    reference = Reference(path)
    sweep = Sweep(Program(options.program, path), reference, options.show)
    fixed = [text for _, text in golden_texts.cases(reference.added_tokens(), random_count=0)]
    first, last = (int(number, 16) for number in options.code_points.split("-"))
    texts = fixed + random_texts(reference, options.random, options.seed)
    sweep.compare("special texts, ids and offsets", texts, ("encode", False))
    sweep.compare("special texts, special tokens", texts, ("encode", True))
    ids = [answer["ids"] for answer in reference.encode(texts, True)]
    sweep.compare("decode", ids, ("decode", False))
    sweep.compare("decode, special tokens skipped", ids, ("decode", True))
    texts = long_texts(reference, options.long, options.seed)
    sweep.compare("long texts", texts, ("encode", False))
    sweep.compare("every code point", code_point_texts(first, last), ("encode", False))
    return sweep


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("--program", default="build/bin/budtiktok")
    parser.add_argument("--code-points", default="0-10FFFF")
    parser.add_argument("--random", type=int, default=20_000)
    parser.add_argument("--long", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10)
    options = parser.parse_args()
    if tokenizers.__version__ != "0.23.3":
        sys.exit(f"the reference is tokenizers 0.23.3, not {tokenizers.__version__}")
    sweeps = [sweep_one(options, path) for path in options.tokenizers]
    compared, equal = (sum(getattr(sweep, name) for sweep in sweeps)
                       for name in ("compared", "equal"))
    print(f"{equal} of {compared} equal")
    sys.exit(equal != compared)


if __name__ == "__main__":
    main()
