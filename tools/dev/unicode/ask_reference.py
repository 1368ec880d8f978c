#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ask the reference (pip tokenizers==0.23.3) about every code point.

Prints lines in the form of ask-crates (see src/main.rs). The combining class is not visible from
outside and printed as 0; the bit that says there is one is left out. Takes about two minutes.
"""
import sys

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

BITS = {name: 1 << i for i, name in enumerate(
    "letter number space whitespace bert_control bert_punctuation bert_mn chinese "
    "regex_word regex_space has_lowercase decomposes combines".split())}


def bert(**flags):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **flags}).normalize_str


def removed_by(pattern):
    return pre_tokenizers.Split(Regex(pattern), "removed").pre_tokenize_str


def added_token_probe(**flags):
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[A]": 1}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken("[A]", normalized=False, **flags)])
    return tokenizer.encode


LETTER, NUMBER, SPACE = (removed_by(p) for p in (r"\p{L}", r"\p{N}", r"\s"))
BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
WHITESPACE_SPLIT = pre_tokenizers.WhitespaceSplit().pre_tokenize_str
BERT_SPLIT = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
CLEAN, CHINESE = bert(clean_text=True), bert(handle_chinese_chars=True)
STRIP_ACCENTS, BERT_LOWER = bert(strip_accents=True), bert(lowercase=True)
LOWER, NFD = normalizers.Lowercase().normalize_str, normalizers.NFD().normalize_str
SINGLE_WORD = added_token_probe(single_word=True)
LSTRIP, RSTRIP = added_token_probe(lstrip=True), added_token_probe(rstrip=True)


def agree(char, *answers):
    if len(set(answers)) != 1:
        sys.exit(f"U+{ord(char):04X}: the reference contradicts itself: {answers}")
    return answers[0]


def ask(char):
    yes = set()
    if agree(char, not LETTER(char), len(BYTE_LEVEL("x" + char)) == 1):
        yes.add("letter")
    if agree(char, not NUMBER(char), len(BYTE_LEVEL("1" + char)) == 1):
        yes.add("number")
    if not SPACE(char):
        yes.add("space")
    other = len(BYTE_LEVEL("!" + char)) == 1
    agree(char, other, not yes)
    cleaned = CLEAN(f"a{char}b")
    bert_pieces = len(BERT_SPLIT(f"a{char}b"))
    if agree(char, len(WHITESPACE_SPLIT(f"a{char}b")) == 2, bert_pieces == 2):
        yes.add("whitespace")
    if cleaned == "ab":
        yes.add("bert_control")
    else:
        agree(char, "whitespace" in yes, cleaned == "a b")
    if bert_pieces == 3:
        yes.add("bert_punctuation")
    if CHINESE(char) == f" {char} ":
        yes.add("chinese")
    if agree(char, 1 not in SINGLE_WORD(char + "[A]").ids, 1 not in SINGLE_WORD("[A]" + char).ids):
        yes.add("regex_word")
    if agree(char, LSTRIP(f"x{char}[A]").offsets[-1] == (1, 5),
             RSTRIP(f"[A]{char}x").offsets[0] == (0, 4)):
        yes.add("regex_space")
    lower, decomposed = agree(char, LOWER(char), BERT_LOWER(char)), NFD(char)
    if lower != char:
        yes.add("has_lowercase")
    if decomposed != char:
        yes.add("decomposes")
    if decomposed == char and STRIP_ACCENTS(char) == "":
        yes.add("bert_mn")
    return sum(BITS[name] for name in yes), lower, decomposed


def hex_list(text, own):
    return "-" if text == own else ",".join(f"{ord(c):X}" for c in text)


def main():
    if tokenizers.__version__ != "0.23.3":
        sys.exit(f"the reference is tokenizers 0.23.3, not {tokenizers.__version__}")
    for code_point in range(0x110000):
        if 0xD800 <= code_point < 0xE000:
            continue
        char = chr(code_point)
        bits, lower, decomposed = ask(char)
        if bits:
            print(f"{code_point:X} {bits:X} 0 {hex_list(lower, char)} {hex_list(decomposed, char)}")


if __name__ == "__main__":
    main()
