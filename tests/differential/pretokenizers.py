#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare every pre-tokenizer, alone and in sequences, with the live reference.

    pip install tokenizers==0.23.3
    tests/differential/pretokenizers.py --program build/bin/budtiktok
        [--sequences 200] [--random 500] [--code-points 0-10FFFF] [--seed 1] [--show 5] [--only TEXT]

A model with one unknown token shows each piece (WordPiece), one of 256 bytes each byte (BPE): with
offsets and word_ids that is all a pre-tokenizer says. Every parameter of every pre-tokenizer meets
every code point in five places and random texts of what some of them takes for special, with added
tokens between; then random sequences of one to four of them do. Differences are shortened before
they are shown. Last line: "N of M equal"; exit 1 if not all are.
"""
import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

AT_ONCE = 2_000
POINTS_A_TEXT = 100
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
FORMS = ("{0}", "a{0}b", "A {0}", "{0}{0} 1", "▁{0}.")
REGEXES = [r"\s+", r"\d{1,3}", r"[^\r\n\p{L}\p{N}]?\p{L}+", r"x*", r"(?i:'s|'t|'re)", r"\p{N}",
           r"\w+|[^\w\s]+", r"(?=\p{Lu})", r"[\r\n]", r" ?[^\s\p{L}\p{N}]+|\s+(?!\S)", r"^|$",
           r"[[\p{P}$+<=>^`|~]&&[^.]]", r"(?i)[^a-y\u00c9\p{M}]"]
LITERALS = [" ", "▁", "", "ab", "..", "é", "</w>", "abcab"]
ADDED = ["<m>", "[SEP]", "▁x"]


def byte_alphabet():
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) if byte in kept else
            chr(0x100 + sum(other not in kept for other in range(byte))) for byte in range(256)]


ALPHABET = byte_alphabet()
TRAPS = [*" \t\n\r\v\f\x85\xa0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000\u200b\u200d\ufeff\x1c\x1f",
         *"abcxyzABCst'0123456789.,;!?-_+$<=>^`|~¡§«»·€£",
         *"\u0300\u0301\u0345\u05b0\u0903\u20dd\ufe0f\u0d3e", *"éßñçÅǅʰªº", *"٠٣५๙߂᠗𝟘𝟡²³¹½⅓Ⅷ①㊿〇一二三百𑷡𖿵",
         *"▁Ġġ Ċĉ¼²ÂÃ", *"漢字かなカナーヽ한국어각", *"абвЖ ελλ אבג عرب ไทย हिन्दी ქარ",
         "👍🏽", "👩‍👩‍👧", "🇩🇪", "\u0378", "\U000E0001", "\ufffd", "ſ", "K", "İ", "  ", "    ", "\r\n", "\n\n",
         "ab", "..", "'s", "'ll", "</w>", "abcab", "It's", "don't ", "2024", "x1y2", "Hello", "<m>",
         "<m", "[SEP]", "▁x", " <m> ", "<|end|>"]


def singles():
    yield {"type": "BertPreTokenizer"}
    yield {"type": "Whitespace"}
    yield {"type": "WhitespaceSplit"}
    yield {"type": "UnicodeScripts"}
    for adds, splits in itertools.product((True, False), repeat=2):
        yield {"type": "ByteLevel", "add_prefix_space": adds, "trim_offsets": True,
               "use_regex": splits}
    for char in "x ▁é😀":
        yield {"type": "CharDelimiterSplit", "delimiter": char}
    for mark, scheme, split in itertools.product("▁_ é😀Ġ", ("always", "first", "never"),
                                                 (True, False)):
        yield {"type": "Metaspace", "replacement": mark, "prepend_scheme": scheme, "split": split}
    yield {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True, "str_rep": "x"}
    for behavior in BEHAVIORS:
        yield {"type": "Punctuation", "behavior": behavior}
    yield {"type": "Punctuation"}
    yield {"type": "Digits", "individual_digits": True}
    yield {"type": "Digits", "individual_digits": False}
    for length in (1, 2, 5, 100):
        yield {"type": "FixedLength", "length": length}
    yield {"type": "FixedLength"}
    patterns = [{"String": text} for text in LITERALS] + [{"Regex": text} for text in REGEXES]
    for pattern, behavior, invert in itertools.product(patterns, BEHAVIORS, (True, False)):
        yield {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def sequence(rng, pool):
    members = [rng.choice(rng.choice(pool)) for _ in range(rng.randint(1, 4))]
    if len(members) > 1 and rng.random() < 0.2:
        members[1:] = [{"type": "Sequence", "pretokenizers": members[1:]}]
    return {"type": "Sequence", "pretokenizers": members}


def by_type(pretokenizers):
    groups = {}
    for one in pretokenizers:
        groups.setdefault(one["type"], []).append(one)
    return list(groups.values())


def document(pretokenizer, model, normalizer):
    added = [{"id": 1000 + i, "content": text, "single_word": False, "lstrip": i == 1,
              "rstrip": i == 0, "normalized": i == 2, "special": i == 1}
             for i, text in enumerate(ADDED)]
    if model == "BPE":
        body = {"type": "BPE", "merges": [], "vocab": {c: i for i, c in enumerate(ALPHABET)}}
    else:
        body = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 10000, "vocab": {"[UNK]": 0}}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
            "normalizer": normalizer, "pre_tokenizer": pretokenizer, "post_processor": None,
            "decoder": None, "model": body}


def steps_of(one):
    if one["type"] == "Sequence":
        return [step for member in one["pretokenizers"] for step in steps_of(member)]
    return [one]


def ends_in_bytes(one, normalizer):
    """Is all that reaches the model of the byte-level alphabet?"""
    is_alphabet = bool(normalizer) and normalizer["type"] == "ByteLevel"
    for step in steps_of(one):
        if step["type"] == "ByteLevel":
            is_alphabet = True
        elif step["type"] == "Metaspace" and step.get("prepend_scheme") != "never":
            is_alphabet &= step["replacement"] in ALPHABET
    return is_alphabet


def answers(program, path, texts, fields):
    command = [program, "encode", "--tokenizer", path, "--input-format", "jsonl",
               "--output-format", "jsonl", "--no-special-tokens", "--fields", fields]
    data = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run(command, input=data.encode(), capture_output=True, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if len(found) != len(texts):
        return [{"error": done.stderr.decode(errors="replace")[-500:]}] * len(texts)
    return found


def ours(program, path, texts):
    """Without offsets no maps are made: the ids are to be the same."""
    found = answers(program, path, texts, "ids,offsets,word_ids")
    alone = answers(program, path, texts, "ids")
    for one, other in zip(found, alone):
        if one.get("ids") != other.get("ids"):
            one["ids alone"] = other.get("ids")
    return found


def theirs(tokenizer, texts):
    return [{"ids": one.ids, "offsets": [list(pair) for pair in one.offsets],
             "word_ids": one.word_ids}
            for one in tokenizer.encode_batch(texts, add_special_tokens=False)]


def random_text(rng):
    return "".join(rng.choice(TRAPS) for _ in range(rng.choice((1, 2, 3, 5, 8, 20, 60))))


class Comparison:
    def __init__(self, options):
        self.options, self.count, self.equal, self.shown = options, 0, 0, 0
        self.folder = tempfile.TemporaryDirectory()

    def differs(self, path, tokenizer, text):
        return ours(self.options.program, path, [text]) != theirs(tokenizer, [text])

    def shorten(self, path, tokenizer, text):
        size = len(text) // 2
        while size:
            for at in range(0, len(text), size):
                shorter = text[:at] + text[at + size:]
                if self.differs(path, tokenizer, shorter):
                    text = shorter
                    break
            else:
                size //= 2
        return text

    def show(self, name, path, tokenizer, text):
        self.shown += 1
        if self.shown > self.options.show:
            return
        text = self.shorten(path, tokenizer, text)
        print(name, repr(text), sep="\n")
        print("  reference", theirs(tokenizer, [text])[0])
        print("  ours     ", ours(self.options.program, path, [text])[0], flush=True)

    def run(self, pretokenizer, model, normalizer, texts):
        name = json.dumps([pretokenizer, model, normalizer], ensure_ascii=False)
        if self.options.only and self.options.only not in name:
            return
        path = os.path.join(self.folder.name, "tokenizer.json")
        text = json.dumps(document(pretokenizer, model, normalizer))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        tokenizer = Tokenizer.from_str(text)
        for start in range(0, len(texts), AT_ONCE):
            self.compare(name, path, tokenizer, texts[start:start + AT_ONCE])

    def compare(self, name, path, tokenizer, texts):
        wanted, found = theirs(tokenizer, texts), ours(self.options.program, path, texts)
        bad = [i for i, pair in enumerate(zip(wanted, found)) if pair[0] != pair[1]]
        self.count += len(texts)
        self.equal += len(texts) - len(bad)
        if bad:
            self.show(name, path, tokenizer, texts[min(bad, key=lambda i: len(texts[i]))])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--random", type=int, default=500)
    parser.add_argument("--code-points", default="0-10FFFF")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--only", default="")
    return parser.parse_args()


def code_point_texts(span):
    """Each code point in each form; many to a text, apart by what most pre-tokenizers cut at."""
    first, last = (int(end, 16) for end in span.split("-"))
    chars = [chr(code) for code in range(first, last + 1) if not 0xD800 <= code < 0xE000]
    for start in range(0, len(chars), POINTS_A_TEXT):
        for form in FORMS:
            yield "\n".join(form.format(char) for char in chars[start:start + POINTS_A_TEXT])


def main():
    options = parse()
    rng = random.Random(options.seed)
    comparison = Comparison(options)
    everything = list(singles())
    pool = by_type(everything)
    normalizers = [None, None, {"type": "Lowercase"}, {"type": "NFKD"}, {"type": "ByteLevel"},
                   {"type": "Prepend", "prepend": "▁"}, {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                    "strip_accents": None, "lowercase": True}]
    if options.code_points:
        texts = list(code_point_texts(options.code_points))
        for one in everything:
            if one["type"] not in ("Split", "Metaspace") or rng.random() < 0.03:
                comparison.run(one, "WordPiece", None, texts)
    chosen = [(one, None) for one in everything]
    chosen += [(sequence(rng, pool), rng.choice(normalizers)) for _ in range(options.sequences)]
    for one, normalizer in chosen:
        texts = [random_text(rng) for _ in range(options.random)]
        comparison.run(one, "WordPiece", normalizer, texts)
        if ends_in_bytes(one, normalizer):
            comparison.run(one, "BPE", normalizer, texts)
    print(f"seed {options.seed}: {comparison.equal} of {comparison.count} equal")
    return comparison.equal != comparison.count


if __name__ == "__main__":
    sys.exit(main())
