#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hold the general matcher against the live engines: random and real patterns, texts full of traps.

    regex_sweep.py build/tests/differential/regex_answers [--patterns N] [--seed S] [--dialect D]
                   [--file PATTERNS]

Oniguruma is asked through pip tokenizers (Split, isolated), fancy-regex through pip tiktoken: an
encoding that has every part of the text as a token of its own shows where the matches are. Each
pattern runs a second time in its canonical form. A pattern that only we refuse with "not supported"
is counted apart. Real patterns come from a file, one JSON string a line.
"""
import argparse
import contextlib
import json
import os
import random
import subprocess
import sys

import tiktoken
from tokenizers import Regex, pre_tokenizers

LETTERS = list("aabbcxyzABSTKsstt") + ["ſ", "K", "ß", "ẞ", "é", "É", "ﬁ", "İ", "ı", "中", "あ", "ア", "한", "ǅ",
                                       "\u0301", "\u200d", "ª", "ʼ", "ŉ", "Ω", "Ω", "σ", "ς"]
OTHERS = list(" '  .,!-_#/") + ["\n", "\r", "\t", "\r\n", "\x0b", "\x85", "\xa0", "\u3000", "\u200b",
                                "1", "2", "9", "²", "½", "Ⅷ", "٣", "\U0001d7d8", "😀", "👨‍👩‍👧", "$", "«", "\ufeff"]
CLASSES = ["L", "N", "P", "S", "M", "Z", "C", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Nd", "Nl", "No", "Zs",
           "Pc", "Sc", "Cf", "Han", "Hiragana", "Katakana", "Latin", "Greek", "Hangul", "Alphabetic",
           "White_Space", "Letter", "Uppercase_Letter", "Lowercase", "Emoji"]


class Patterns:
    """Random patterns of one dialect."""

    def __init__(self, rng, is_tiktoken):
        self.rng, self.is_tiktoken = rng, is_tiktoken

    def letter(self):
        letter = self.rng.choice(self.rng.choice((LETTERS, OTHERS)))[0]
        if letter in " .,!-_#/$'\"&~" or ord(letter) < 32:
            return self.rng.choice(("\\x%02x" % ord(letter), "\\n" if letter == "\n" else " "))
        return self.rng.choice((letter, "\\x{%x}" % ord(letter))) if ord(letter) > 127 else letter

    def property(self):
        negated = self.rng.choice("ppppP")
        return "\\%s{%s%s}" % (negated, self.rng.choice(("", "", "", "^")), self.rng.choice(CLASSES))

    def class_escape(self):
        return self.rng.choice(("\\s", "\\S", "\\w", "\\W", "\\d", "\\D", "\\h", self.property(),
                                self.property()))

    def member(self, depth):
        kind = self.rng.random()
        if kind < .35:
            return self.letter()
        if kind < .5:
            return self.rng.choice(("a-z", "A-Z", "0-9", "ā-ſ", "一-龥", "\\x{3040}-\\x{309f}", "s-t"))
        if kind < .85 or depth > 1:
            return self.class_escape()
        if kind < .9 and not self.is_tiktoken:
            return "[:%s%s:]" % (self.rng.choice(("", "^")), self.rng.choice(
                ("alpha", "digit", "space", "punct", "upper", "word")))
        return self.bracket(depth + 1)

    def bracket(self, depth=0):
        members = "".join(self.member(depth) for _ in range(self.rng.randint(1, 3)))
        if self.rng.random() < .12:
            members += "&&" + self.member(depth)
        if self.is_tiktoken and self.rng.random() < .08:
            members += "--" + self.member(depth)
        return "[%s%s]" % (self.rng.choice(("", "", "^")), members)

    def atom(self, depth):
        kind = self.rng.random()
        if kind < .3:
            return self.letter()
        if kind < .5:
            return self.class_escape()
        if kind < .7:
            return self.bracket()
        if kind < .74:
            return "."
        if depth > 2:
            return self.letter()
        opening = self.rng.choice(("(?:", "(?:", "(", "(?i:", "(?>", "(?:"))
        return opening + self.choice(depth + 1) + ")"

    def place(self, depth):
        kind = self.rng.random()
        if kind < .4 or depth > 2:
            return self.rng.choice(("^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z"))
        if kind < .8:
            return self.rng.choice(("(?=%s)", "(?!%s)")) % self.sequence(depth + 1)
        return self.rng.choice(("(?<=%s)", "(?<!%s)")) % self.rng.choice(
            (self.class_escape(), self.letter(), self.bracket()))

    def piece(self, depth):
        if self.rng.random() < .1:
            return self.place(depth)
        atom = self.atom(depth)
        if self.rng.random() < .45:
            atom += self.rng.choice(("*", "+", "?", "{1,3}", "{2}", "{,2}", "{1,}"))
            atom += self.rng.choice(("", "", "", "?", "+"))
        return atom

    def sequence(self, depth):
        return "".join(self.piece(depth) for _ in range(self.rng.randint(1, 3)))

    def choice(self, depth=0):
        branches = 1 + (self.rng.random() < .5) + (self.rng.random() < .3)
        return "|".join(self.sequence(depth) for _ in range(branches))

    def pattern(self):
        return self.rng.choice(("", "", "", "(?i)")) + self.choice()


def make_text(rng, longest=24):
    pool = rng.sample(LETTERS + OTHERS, rng.randint(1, 8))
    return "".join(rng.choice(pool if rng.random() < .8 else LETTERS + OTHERS)
                   for _ in range(rng.randint(0, longest)))


class Ours:
    def __init__(self, path, *arguments):
        self.process = subprocess.Popen([path, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, dialect, pattern, text):
        line = f"{dialect} {pattern.encode().hex()} {text.encode().hex()}\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()


def pieces_of(answer, text, only_matches):
    """The pieces that are not empty, or the answer itself if it is a refusal."""
    if "!" in answer:
        return answer
    data, pieces = text.encode(), []
    for word in answer.split():
        begin, end = map(int, word.replace("+", "-").split("-"))
        if begin != end and not (only_matches and "+" in word):
            pieces.append(data[begin:end].decode())
    return pieces


class Oniguruma:
    dialect, only_matches = "oniguruma", False

    def __init__(self, pattern, texts):
        self.split = pre_tokenizers.Split(Regex(pattern), "isolated")

    def ask(self, text):
        return [piece for piece, _ in self.split.pre_tokenize_str(text)]


class Tiktoken:
    dialect, only_matches = "tiktoken", True

    def __init__(self, pattern, texts):
        parts = {bytes([byte]): byte for byte in range(256)}
        for text in texts:
            for begin in range(len(text)):
                for end in range(begin + 1, len(text) + 1):
                    parts.setdefault(text[begin:end].encode(), len(parts))
        self.encoding = tiktoken.Encoding("sweep", pat_str=pattern, mergeable_ranks=parts,
                                          special_tokens={})

    def ask(self, text):
        tokens = self.encoding.encode_ordinary(text)
        return [self.encoding.decode_single_token_bytes(token).decode("utf-8", "replace")
                for token in tokens]


@contextlib.contextmanager
def quiet():
    """The reference's panics write to the terminal."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def attempt(function, *arguments):
    with quiet():
        try:
            return function(*arguments)
        except BaseException as error:  # a panic is none of Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            return f"! {str(error)[:100]}"


class Sweep:
    def __init__(self, path):
        self.ours, self.canonical = Ours(path), Ours(path, "--canonical")
        self.counts = dict.fromkeys(
            "patterns texts refused unsupported looser differences".split(), 0)

    def differ(self, *what):
        self.counts["differences"] += 1
        print("DIFFERENT", *(repr(part) for part in what), flush=True)

    def check_text(self, engine, pattern, text, reference):
        theirs = attempt(reference.ask, text)
        ours = pieces_of(self.ours.ask(engine.dialect, pattern, text), text, engine.only_matches)
        canonical = pieces_of(self.canonical.ask(engine.dialect, pattern, text), text,
                              engine.only_matches)
        self.counts["texts"] += 1
        if isinstance(theirs, str) and theirs.startswith("!"):
            return  # it died of too many steps
        if ours != theirs:
            self.differ(engine.dialect, pattern, text, theirs, ours)
        elif canonical != theirs:
            self.differ("canonical", engine.dialect, pattern, text, theirs, canonical)

    def check(self, engine, pattern, texts):
        reference = attempt(engine, pattern, texts)
        self.counts["patterns"] += 1
        ours = self.ours.ask(engine.dialect, pattern, "")
        if isinstance(reference, str):
            self.counts["refused"] += 1
            if not ours.startswith("!"):
                self.counts["looser"] += 1
            return
        if ours.startswith("! 95"):
            self.counts["unsupported"] += 1
        elif ours.startswith("!"):
            self.differ(engine.dialect, pattern, "refused by us", ours)
        else:
            for text in texts:
                self.check_text(engine, pattern, text, reference)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers")
    parser.add_argument("--patterns", type=int, default=500)
    parser.add_argument("--texts", type=int, default=8)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--dialect", choices=("oniguruma", "tiktoken", "both"), default="both")
    parser.add_argument("--file")
    options = parser.parse_args()
    engines = [engine for engine in (Oniguruma, Tiktoken)
               if options.dialect in (engine.dialect, "both")]
    rng, sweep = random.Random(options.seed), Sweep(options.answers)
    print(f"seed {options.seed}")
    if options.file:
        with open(options.file, encoding="utf-8") as lines:
            patterns = [json.loads(line) for line in lines]
        work = [(engine, pattern) for pattern in patterns for engine in engines]
    else:
        work = [(engine, Patterns(rng, engine is Tiktoken).pattern())
                for _ in range(options.patterns) for engine in engines]
    for engine, pattern in work:
        sweep.check(engine, pattern, [make_text(rng) for _ in range(options.texts)])
    print(", ".join(f"{count} {name}" for name, count in sweep.counts.items()))
    return 1 if sweep.counts["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
