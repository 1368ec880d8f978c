#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare normalizers with the live reference: the text, and the place of each character.

    pip install tokenizers==0.23.3
    tests/differential/normalizers.py --program build/tests/differential/normalized
        [--code-points 0-10FFFF] [--random 2000] [--sequences 40] [--seed 1] [--show 5] [--only NAME]
        [--forms 7] [--charsmap TOKENIZER.json...] [--no-regex]

Each normalizer alone and seeded sequences of them: every code point alone, between letters and after
a space, grapheme clusters, random texts. The reference tells places by splitting its text into single
characters. Where it panics, the program has to refuse. Last line: "N of M equal"; exit 1 if not all.
"""
import argparse
import base64
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import tokenizers
from tokenizers import Tokenizer

FORMS = ("{0}", "a{0}b", "A {0}", "{0}\u0301", "e\u0323{0}\u0301", "\u0915\u094d{0}\u0915", "{0}{0}")


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def darts(entries):
    """A charsmap of {key: text}; the double array is a plain one, made here."""
    texts, offsets = b"", {}
    for text in entries.values():
        if text not in offsets:
            offsets[text] = len(texts)
            texts += text.encode() + b"\0"
    tree = {}
    for key, text in entries.items():
        node = tree
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = offsets[text]
    units, used = {0: 0}, 1  # every node has 256 units of its own: offsets are multiples of 256

    def place(node, at, label):
        nonlocal used
        base = used * 256
        used += 1
        offset = base ^ at
        if offset >= 1 << 21:
            assert offset % 256 == 0
            code = (offset >> 8) << 10 | 1 << 9
        else:
            code = offset << 10
        units[at] = code | (0x100 if None in node else 0) | label
        if None in node:
            units[base] = node[None] | 1 << 31
        for byte, child in node.items():
            if byte is not None:
                place(child, base ^ byte, byte)

    place(tree, 0, 0)
    array = [units.get(i, 0) for i in range(used * 256)]
    blob = struct.pack(f"<I{len(array)}I", 4 * len(array), *array) + texts
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(blob).decode()}


CHARSMAP = {"\t": " ", "\n": " ", "\u00a0": " ", "\u3000": " ", "\uff21": "A", "\ufb01": "fi", "A": "<a>",
            "\u2460": "1", "e\u0301": "\u00e9", "\u1100\u1161": "\uac00", "\u0001": "", "\u200b": "",
            "\u0915\u094d": "K", "\u00bd": "1\u20442", "\ufdfa": "\u0635\u0644\u0649 \u0627", "bc": "X",
            "\u0301": "", "\U0001f1e6": "a", "\u0300": "g"}

PLAIN = {
    "Bert": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
             "strip_accents": None, "lowercase": True},
    "BertClean": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": False,
                  "strip_accents": False, "lowercase": False},
    "BertChinese": {"type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": True,
                    "strip_accents": False, "lowercase": False},
    "BertAccents": {"type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": False,
                    "strip_accents": True, "lowercase": False},
    **{name: {"type": name} for name in
       ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Nmt", "StripAccents", "ByteLevel")},
    "Strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "StripLeft": {"type": "Strip", "strip_left": True, "strip_right": False},
    "StripRight": {"type": "Strip", "strip_left": False, "strip_right": True},
    "Prepend": {"type": "Prepend", "prepend": "\u2581"},
    "PrependLong": {"type": "Prepend", "prepend": "x\u00e9\U0001f600"},
    "PrependNothing": {"type": "Prepend", "prepend": ""},
    "ReplaceSpace": replace(" ", "\u2581"),
    "ReplaceSame": replace("a", "b"),
    "ReplaceByNothing": replace("a", ""),
    "ReplaceLong": replace("  ", " "),
    "ReplaceNothing": replace("", "|"),
    "Precompiled": darts(CHARSMAP),
}
REGEXES = {
    "RegexSpaces": replace(r" {2,}", " ", "Regex"),
    "RegexWhite": replace(r"\s+", "_", "Regex"),
    "RegexWhites": replace(r"\s{2,}", "", "Regex"),
    "RegexBlank": replace(r" +", "\u2581", "Regex"),
    "RegexPlain": replace("\u0301", "'", "Regex"),
    "RegexBegin": replace(r"^", "\u2581", "Regex"),
    "RegexEnd": replace(r"$", "!", "Regex"),
    "RegexLetters": replace(r"\p{L}*", "<>", "Regex"),
    "RegexLook": replace(r"(?<=a)b|\s+(?=\S)", "\u00e9", "Regex"),
    "RegexQuotes": replace(r"``|''", "\"", "Regex"),
    "RegexMarks": replace(r"\p{M}+", "", "Regex"),
    "RegexOneMark": replace(r"\p{M}", "", "Regex"),
    "RegexSet": replace(r"[b\p{Lu}\u1100-\u11ff&&[^A]]", "\u00e9\u0301", "Regex"),
    "RegexNotInSet": replace(r"(?i)[^ a-c\u212b\p{Han}]", "", "Regex"),
    "RegexNoSet": replace(r"[^\x00-\x{10FFFF}]", "x", "Regex"),
}

SEQUENCES = {
    "albert": {"type": "Sequence", "normalizers": [
        replace("``", "\""), {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, PLAIN["Precompiled"]]},
    "llama": {"type": "Sequence", "normalizers": [PLAIN["Prepend"], PLAIN["ReplaceSpace"]]},
    "astray": {"type": "Sequence", "normalizers": [REGEXES["RegexBegin"], PLAIN["ReplaceByNothing"], PLAIN["Strip"]]},
    "panics": {"type": "Sequence", "normalizers": [REGEXES["RegexBegin"], PLAIN["Lowercase"]]},
    "nested": {"type": "Sequence", "normalizers": [
        {"type": "Sequence", "normalizers": [PLAIN["Bert"], PLAIN["NFC"]]}, PLAIN["PrependLong"], PLAIN["ByteLevel"]]},
}


def wrapped(normalizer):
    """A file that both sides load; the reference's pieces are single characters."""
    if normalizer["type"] == "BertNormalizer":  # alone it has code of its own, which sweep.py asks
        nothing = {"type": "Strip", "strip_left": False, "strip_right": False}
        normalizer = {"type": "Sequence", "normalizers": [normalizer, nothing]}
    whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
             "normalizer": normalizer, "post_processor": None}
    word = {**whole, "decoder": None, "pre_tokenizer": {"type": "FixedLength", "length": 1},
            "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}}
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    bytes_ = {**whole, "decoder": {"type": "ByteLevel"}, "pre_tokenizer": {"type": "ByteLevel"},
              "model": {"type": "BPE", "merges": [], "vocab": {c: i for i, c in enumerate(alphabet)}}}
    return json.dumps(word), json.dumps(bytes_)


class Pair:
    """One normalizer on either side."""

    def __init__(self, program, normalizer):
        self.program = program
        reference, own = wrapped(normalizer)
        self.tokenizer = Tokenizer.from_str(reference)
        self.normalizer = self.tokenizer.normalizer
        self.file = tempfile.NamedTemporaryFile("w", suffix=".json")
        self.file.write(own)
        self.file.flush()

    def told(self, text):
        """(text, places of characters), or None where the reference panics."""
        try:
            normal = self.normalizer.normalize_str(text)
            encoding = self.tokenizer.encode(text)
        except BaseException as error:  # a panic is no Exception
            if type(error).__name__ != "PanicException":
                raise
            return None
        return normal, encoding.offsets

    def found(self, texts):
        data = b"".join(struct.pack("<I", len(t)) + t for t in (text.encode() for text in texts))
        done = subprocess.run([self.program, self.file.name], input=data, capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"exit {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
        answers, at = [], 0
        for text in texts:
            (status,), at = struct.unpack_from("<i", done.stdout, at), at + 4
            if status:
                answers.append(None)
                continue
            (size,), at = struct.unpack_from("<I", done.stdout, at), at + 4
            normal, at = done.stdout[at:at + size].decode(), at + size
            places = struct.unpack_from(f"<{2 * size}I", done.stdout, at)
            at += 8 * size
            answers.append((normal, self.by_character(text, normal, places)))
        return answers

    @staticmethod
    def by_character(text, normal, places):
        chars, size = {0: 0}, 0
        for i, char in enumerate(text):
            size += len(char.encode())
            chars[size] = i + 1
        result, at, half = [], 0, len(places) // 2
        for char in normal:
            last = at + len(char.encode()) - 1
            if len(set(places[at:last + 1])) != 1 or len(set(places[half + at:half + last + 1])) != 1:
                return "the bytes of a character are at different places"
            result.append((chars.get(places[at]), chars.get(places[half + last])))
            at = last + 1
        return result

    def differing(self, texts):
        return [(text, told, found) for text, told, found in
                zip(texts, map(self.told, texts), self.found(texts)) if told != found]

    def shortest(self, text):
        size = max(len(text) // 2, 1)
        while size > 0:
            shorter = [text[:at] + text[at + size:] for at in range(0, len(text), size)]
            differences = self.differing([t for t in shorter if t])
            if differences:
                text = differences[0][0]
                size = min(size, max(len(text) // 2, 1))
            else:
                size //= 2
        return text


def random_text(generator, alphabet):
    return "".join(generator.choice(generator.choice(alphabet)) for _ in range(generator.randint(1, 14)))


ALPHABET = [
    "abcABC e ", "  \t\n\r\u00a0\u3000\u2003\u2581\u200b\u0085\x00\x01\x7f",
    "\u0300\u0301\u0323\u0307\u0316\u0327\u0345\u0344\u0f71\u0f72\u0f73\u0f74\u0f75\u0f80\u0f81\u0338\u20d2",
    "\u00e9\u1e69\u01d7\u1ed9\u0130\u0131\u00df\u212b\u2126\u1f80\u0390\u1e9b\ufb01\ufdfa\uff21\u2460\u3392\u00bd",
    "\u1100\u1161\u11a8\uac00\uac01\u11a7\u1112\u1175\u11c2\ud7a3\u3131\uffa1",
    "\u0915\u094d\u0937\u093f\u0903\u09c7\u09be\u09d7\u0b47\u0b56\u0dd9\u0dcf\u0dca\u200d\u200c",
    "\U0001f468\u200d\U0001f469\ufe0f\U0001f3fd\u00a9\U0001f1e6\U0001f1e7\U0001f600\u2764",
    "\u4e2d\u56fd\uf900\U0002f800\u3042\u30ab\u3099\uff76\uff9e\u0600\u06dd\u0e33\u0eb3\u064b\u0651\u05b4",
    "\U00011131\U00011127\U0001d15e\U0001d165\U00011935\U00011930\U000105d2\u1add\u0897\U0001e030",
    "'\"`-.,!?$+<>", "0123\u0663\u2155",
]


def clusters(generator):
    """Some 2,000 real grapheme sequences: emoji, Hangul, Indic conjuncts, marks."""
    texts = []
    people, tones = "\U0001f468\U0001f469\U0001f466\U0001f9d1", "\U0001f3fb\U0001f3fd\U0001f3ff"
    for _ in range(500):
        texts.append("\u200d".join(generator.choice(people) + generator.choice(["", *tones])
                                   for _ in range(generator.randint(1, 4))))
    for _ in range(300):
        texts.append("".join(chr(0x1f1e6 + generator.randrange(26)) for _ in range(generator.randint(1, 5))))
    for _ in range(400):
        texts.append(chr(0x1100 + generator.randrange(19)) * generator.randint(1, 2)
                     + chr(0x1161 + generator.randrange(21)) + chr(0x11a7 + generator.randrange(28)))
    for _ in range(400):
        consonants = [chr(generator.choice((0x915, 0x995, 0xa95, 0xb15, 0xc15, 0xd15)) + generator.randrange(20))
                      for _ in range(3)]
        texts.append("\u094d".join(consonants) + generator.choice(["\u093f", "\u09cd", "\u0d4d\u200d", "\u0903"]))
    for _ in range(400):
        texts.append(generator.choice("aeiouAEOns\u1e69\u00e9\u01a1") +
                     "".join(chr(0x300 + generator.randrange(0x70)) for _ in range(generator.randint(1, 5))))
    return texts


def c_string(text):
    return '"' + "".join(f"\\{byte:03o}" if not 0x20 <= byte < 0x7f or byte in b'\\"?' else chr(byte)
                         for byte in text.encode()) + '"'


RECORDED = ("a", " \u00c9cole  A\u030a\u0323b ", "\ufb01\u0301\ufdfa", "\u1100\u1161\u11a8\uac00\u11a8", "\t\u200b\u0085x\r\n",
            "\u0915\u094d\u200d\u0937", "e\u0301\u0327\u4e2d", "\u0344\u0345\u0308", "  ", "\u0130bc abb")


def record(normalizers):
    """The cases of tests/tokenizer/normalizer_test.c, as the reference has them."""
    print("// SPDX-License-Identifier: Apache-2.0\n"
          "// @generated by tests/differential/normalizers.py --record; what tokenizers 0.23.3 gave.\n"
          "// clang-format off")
    for name, normalizer in normalizers.items():
        reference = Pair("", normalizer)
        print(f"NORMALIZER({c_string(json.dumps(normalizer))})")
        for text in RECORDED:
            told = reference.told(text)
            if told is None:
                print(f"REFUSED({c_string(text)})")
                continue
            bytes_ = [len(text[:i].encode()) for i in range(len(text) + 1)]
            places = " ".join(f"{bytes_[begin]}-{bytes_[end]}" for begin, end in told[1])
            print(f"CASE({c_string(text)}, {c_string(told[0])}, \"{places}\")")


class Sweep:
    def __init__(self, options):
        self.options, self.compared, self.equal = options, 0, 0

    def compare(self, name, normalizer, texts):
        pair = Pair(self.options.program, normalizer)
        differences = pair.differing(texts)
        self.compared += len(texts)
        self.equal += len(texts) - len(differences)
        if differences or len(texts) > 5000:
            print(f"{name}: {len(texts) - len(differences)} of {len(texts)} equal", flush=True)
        shown = set()
        for text, _, _ in differences[:3 * self.options.show]:
            text = pair.shortest(text)
            if text in shown or len(shown) == self.options.show:
                continue
            shown.add(text)
            print(f"  {ascii(text)}\n    reference {ascii(pair.told(text))[:400]}\n"
                  f"    found     {ascii(pair.found([text])[0])[:400]}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program")
    parser.add_argument("--record", action="store_true", help="write the cases of the unit test instead")
    parser.add_argument("--code-points", default="0-10FFFF")
    parser.add_argument("--random", type=int, default=2000)
    parser.add_argument("--sequences", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--forms", type=int, default=len(FORMS), help="how many surroundings")
    parser.add_argument("--no-regex", action="store_true")
    parser.add_argument("--charsmap", nargs="*", default=[], help="files whose normalizers are swept as well")
    options = parser.parse_args()
    if tokenizers.__version__ != "0.23.3":
        sys.exit(f"the reference is tokenizers 0.23.3, not {tokenizers.__version__}")
    if options.record:
        record({**PLAIN, **REGEXES, **SEQUENCES})
        return 0
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # panics of the reference tell long stories
    first, last = (int(end, 16) for end in options.code_points.split("-"))
    characters = [chr(c) for c in range(first, last + 1) if not 0xD800 <= c < 0xE000]
    single = [form.format(c) for form in FORMS[:options.forms] for c in characters]
    generator = random.Random(options.seed)
    print(f"seed {options.seed}")
    normalizers = dict(PLAIN) if options.no_regex else {**PLAIN, **REGEXES}
    for path in options.charsmap:
        normalizers[os.path.basename(path)] = json.load(open(path, encoding="utf-8"))["normalizer"]
    sweep = Sweep(options)
    for name, normalizer in normalizers.items():
        if options.only and name != options.only:
            continue
        texts = clusters(generator) + [random_text(generator, ALPHABET) for _ in range(options.random)]
        sweep.compare(name, normalizer, single + texts)
    for i in range(options.sequences):
        names = [generator.choice(list(normalizers)) for _ in range(generator.randint(2, 5))]
        texts = [random_text(generator, ALPHABET) for _ in range(options.random)] + clusters(generator)[::10]
        normalizer = {"type": "Sequence", "normalizers": [normalizers[name] for name in names]}
        if not options.only:
            sweep.compare(" ".join(names), normalizer, texts)
    print(f"{sweep.equal} of {sweep.compared} equal")
    return sweep.equal != sweep.compared


if __name__ == "__main__":
    sys.exit(main())
