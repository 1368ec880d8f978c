#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record what both engines of regular expressions answer, for tests/tokenizer/regex_test.c.

    pip install tokenizers==0.23.3 tiktoken==0.14.0 xxhash
    tools/dev/record_regex.py > tests/tokenizer/regex_cases.h

Matches stand side by side, '|' between them; a class is the XXH64 of its code points, 32 bits each, little-endian.
"""
import os
import sys

import tiktoken
import tokenizers
import xxhash
from tokenizers import Regex, pre_tokenizers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../tests/differential"))
from regex_sweep import Oniguruma, Tiktoken, attempt  # noqa: E402
from record_pretokenizers import quoted  # noqa: E402

assert tokenizers.__version__ == "0.23.3" and tiktoken.__version__ == "0.14.0"
# Each goes to both engines: where they read a pattern differently, that is what is tested.
CASES = [
    # quantifiers
    (r"\p{N}{1,3}+", "12345 1234"), (r"a{2}?", "aaa"), (r"a{,2}", "aaa"), (r"a{2,1}a", "aaa"), (r"a{,}", "aa{,}"),
    (r"a++a|a", "aaa"), (r"a+?b", "aab"), (r"(?>a+)a|b", "aab"), (r"(?:ab){2,}", "ababab"), (r"{", "{"), (r"a**", "aaa"),
    # places
    (r"^.", "a\nb\n"), (r".$", "a\nb\n"), (r"(?m)^.", "a\nb\n"), (r"(?m).", "a\nb"), (r"(?s).", "a\nb"), (r"a\Z", "a\n\na\n"),
    (r"\b.", "a\u00b2 b"), (r"\B.", "ab c"), (r"a\z", "a\na"), (r"\Ga", "aaba"), (r"(?<=a|bc)x", "axbcx"), (r"(?<!a)b", "abb"),
    (r"a(?=b)|b(?!c)", "abcb"), (r"a\Kb", "abb"),
    # classes
    (r"\w+", "a\u00b2_\u00bd\u200db"), (r"[\w]+", "a\u00b2_\u00bd\u200db"), (r"\p{word}+", "a\u00b2"), (r"\h+", "fF0g"), (r"[\w-]", "x-!"),
    (r"[a-c-e]", "bd-e"), (r"[]a]", "]a"), (r"[^]a]", "]ab"), (r"[a-z&&[^aeiou]]+", "hello"), (r"[a-z--[aeiou]]+", "hello-"),
    (r"[a-c~~b-d]", "abcd~"), (r"[[:alpha:]]", "a\u00e9"), (r"[[:^digit:]a]", "1a"), (r"\p{^L}", "1a"), (r"\P{^L}", "1a"), (r"\pL", "pL\u00e9"),
    (r"\p{sc=Greek}", "\u03b1"), (r"\p{scx=Han}", "\u3001"), (r"\p{Han}", "\u3001\u4e2d"), (r"\p{In_Basic_Latin}", "a\u00e9"),
    (r"[\d-a]", "1-a"), (r"[b-a]", "ab"), (r"[\x{d7ff}-\x{e000}]", "\ud7ff\ue000"), (r"[^\x00-\x{10ffff}]", "a"), (r"[\s\S]", "a\n"),
    (r"(?W)\w+", "a\u00e9"), (r"[^a&&[^b]]", "abc"),
    # escapes
    (r"\x41\u0041\101", "AAA"), (r"\xE3\x81\x82", "\u3042"), (r"[\xE3\x81\x82]", "\u3042"), (r"\uD800", "a"), (r"\t\n\e\a", "\t\n\x1b\x07"),
    (r"\R", "\r\n\n\u2028"), (r"\N+", "a\nb"), (r"\O", "\n"), (r"\Q", "Q"), (r"\cA", "\x01"), (r"\<a\>", "a <a>"), (r"\b{start}a", "ba a"),
    (r"(.)\1", "aabb"), (r"(?<x>.)\k<x>", "aabb"), (r"(?<x>.)(.)", "aabb"),
    # groups and flags
    (r"a(?i)b|c", "abABCac"), (r"(a(?i)b)c", "aBcabC"), (r"(?x) a b # c", "ab"), (r"(?x)a +", "aaa a +"), (r"a(?#b)c", "ac"), (r"(?i-i:a)b", "Ab"),
    (r"(?-i)a", "Aa"), (r"(?U)a+", "aa"), (r"", "ab"), (r"a|", "ba"), (r"x*", "axxb"), (r"()", "\u00e9a"),
    # case
    (r"(?i)ss", "\u00df sS\u017fs\u1e9e"), (r"(?i)\u00df", "ss\u1e9e"), (r"(?i)ffi", "\ufb03 \ufb00i f\ufb01 FFI"), (r"(?i)(?:s)s", "\u00df"),
    (r"(?i)(s)s", "\u00df"), (r"(?i:s)(?i:s)", "\u00df ss"), (r"(?i)[\u00df]", "ss\u1e9e"), (r"(?i)[^\u00df]", "ss\u1e9e"), (r"(?i)(?<=ss)a", "ssa\u00dfa"),
    (r"(?i)k", "K\u212a"), (r"(?i)[a-z]+", "K\u212a\u017f"), (r"(?i)\p{Lu}", "aB"), (r"(?i)[\p{Lu}]", "aB"), (r"(?i)\u0130", "i\u0307\u0130I"),
    (r"(?i:'s|'t)", "'S'\u017f'T"), (r"(?i)\u01c5", "\u01c4\u01c5\u01c6"), (r"(?i)\u0390", "\u1fd3\u03b9\u0308\u0301"),
    # what is wrong
    (r"[a", ""), (r"(a", ""), (r"a)", ""), (r"[]", ""), (r"[^]", ""), (r"\p{Foo}", ""), (r"[[:foo:]]", ""), (r"(?=a)+b", ""), (r"*a", ""), ("\\", ""),
    (r"(?<1>a)", ""), (r"\p{L", ""), (r"(?q)a", ""), (r"\x{110000}", ""), (r"[\w-a]", ""),
]
CLASSES = (
    "L LC Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Co Cn "
    "Letter Uppercase_Letter Nonspacing_Mark Decimal_Number Other_Symbol Han Hiragana Katakana Latin Greek Cyrillic Arabic "
    "Hebrew Thai Hangul Devanagari Common Inherited Alphabetic Lowercase Uppercase White_Space Emoji Extended_Pictographic "
    "Ideographic ID_Start XID_Continue Any Assigned ASCII alnum blank cntrl graph print word").split()
BRACKETS = "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split()
CHARS = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)


def matches(engine, pattern, text):
    """The matches that are not empty; None: the engine refuses the pattern, "!": it dies of it."""
    reference = attempt(engine, pattern, [text])
    if isinstance(reference, str):
        return None
    if engine is Tiktoken:
        return attempt(reference.ask, text)
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    return [piece for piece, _ in split.pre_tokenize_str(text)]


def class_digest(engine, pattern):
    if engine is Tiktoken:
        encoding = tiktoken.Encoding("class", pat_str=pattern, special_tokens={},
                                     mergeable_ranks={bytes([byte]): byte for byte in range(256)})
        members = bytes(encoding.encode_ordinary(CHARS)).decode()
    else:
        split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
        members = "".join(piece for piece, _ in split.pre_tokenize_str(CHARS))
    return xxhash.xxh64_hexdigest(members.encode("utf-32-le"), 0)


def print_cases():
    print("static const struct regex_case regex_cases[] = {")
    for engine in (Oniguruma, Tiktoken):
        for pattern, text in CASES:
            pieces = matches(engine, pattern, text)
            if isinstance(pieces, str):
                continue
            found = "NULL" if pieces is None else quoted("|".join(pieces))
            print(f"    {{{engine.dialect.upper()}, {quoted(pattern)}, {quoted(text)}, {found}}},")
    print("};")


def print_classes():
    print("\nstatic const struct class_case class_cases[] = {")
    for engine in (Oniguruma, Tiktoken):
        patterns = [r"\p{%s}" % name for name in CLASSES] + [f"[[:{name}:]]" for name in BRACKETS]
        patterns += [r"\w", r"[\w]", r"\d", r"\s", r"\h", ".", r"(?i)[a-z]", r"(?i)[\p{Lu}]", r"(?i)[^\p{Ll}]"]
        for pattern in patterns:
            if not isinstance(attempt(engine, pattern, []), str):
                digest = class_digest(engine, pattern + "+")
                print(f"    {{{engine.dialect.upper()}, {quoted(pattern)}, UINT64_C(0x{digest})}},")
    print("};")


def main():
    print("// SPDX-License-Identifier: Apache-2.0\n"
          "// @generated by tools/dev/record_regex.py; do not edit.\n"
          "// What Oniguruma in tokenizers 0.23.3 and fancy-regex in tiktoken 0.14.0 answered.\n"
          "// clang-format off")
    print_cases()
    print_classes()


if __name__ == "__main__":
    main()
