#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record where the live engines cut some texts, for tests/kernels/check_patterns.

    pip install tokenizers==0.23.3 tiktoken==0.14.0
    tools/dev/record_patterns.py build/tests/kernels/print_sources > tests/kernels/patterns.txt

A line is a pattern, a text in hexadecimal and the ends of its pieces, in bytes.
"""
import os
import sys

import tiktoken

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/differential"))
import patterns  # noqa: E402

TEXTS = (
    "Hello, world! It's 2024; I'll've SAID 12345 times: we'RE'S what'\u017f it\u2019s.", "  two   spaces \t tab\n",
    "a\n\n  b \r\n\r\n c \n \t", "   \n  \n x  \n  ", "\n", " ", " 's", "''s 'S'll'LL'd'M'vE", "x'sy !hello !!hello",
    "HTTPServer McDonald's iPhone XMLhttp \u01c5eba \u0414\u041e\u041c\u0434\u043e\u043c \u00c9COLE \u00c9cole",
    "if (a[1] == 0x1F) {\r\n\treturn -1;  // //\n\n/\n}", "\u4e2d\u6587\u5b57123\u5b57 \u5b57,\u5b57\u3002\u3007\u3005\u3021 A\u5b57AB",
    "\u3053\u3093\u306b\u3061\u306f\u30fb\u4e16\u754c\u30ab\u30bf\u30fc\u3099\u309b\u3040\u3040\u306f\u30a0!",
    "\ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0939\u093f\u0928\u094d\u0926\u0940\u0964 \u0627\u0644\u0639\u0631\u0628\u064a\u0629\u060c \u0661\u0662\u0663\u0664",
    "\U0001f600\U0001f468\u200d\U0001f469\ufe0f \u20ac5 \u00b112\u00b3\u00bd \u2160\u2161 \U00011de0\U00011de1 1\U00016ff4",
    "e\u0301 \u0301a !\u0301\u0301 1\u0301A\u0301", "\x00\x01a\x01 \x7f\u200b\u00adb \ue000\u0378\u0378 c", "\u00a0a\u00a0\u00a0b\u2003\u3000\u5b57\u2028\u0085",
    "<|startoftext|>a <<|endoftext|><|endoftext|>>>|>", "(a|b) c. d,, e!? f\u2026 g", "123 1234  12345\t7 a1b22c333\u06639999",
    "Don't#tag @user_name $x= {y}\u2014\u00e9t\u00e9 'na\u00efve '\u00e9t\u00e9 .NET", "\u2e80\u9fa6\U00020000\U00016ff0a\u2e80b \u2e80 \u2032\u4e3c\u00b2",
    "a" * 70 + " " * 70 + "1" * 70 + "\n" * 70 + "!" * 70 + "A" * 70,
)


def cut_by_tiktoken(engine, text):
    """Each piece is one token, because everything in the text is one."""
    data = text.encode()
    ranks = {bytes([byte]): byte for byte in range(256)}
    for begin in range(len(data)):
        for end in range(begin + 2, len(data) + 1):
            ranks.setdefault(data[begin:end], len(ranks))
    encoding = tiktoken.Encoding("", pat_str=engine.pattern, mergeable_ranks=ranks, special_tokens={})
    return encoding.decode_tokens_bytes(encoding.encode_ordinary(text))


def ends_of(data, pieces):
    """A pattern may leave out white space, so pieces are looked for; most are where the last ended."""
    ends, position = [], 0
    for piece in pieces:
        begin = data.index(piece, position)
        position = begin + len(piece)
        ends.append(f"{begin}-{position}")
    return ends


def main():
    seen = set()
    for pattern, _, engine in patterns.sources(os.path.dirname(sys.argv[1])):
        if pattern in seen:
            continue
        seen.add(pattern)
        for text in TEXTS:
            pieces = cut_by_tiktoken(engine, text) if isinstance(engine, patterns.Tiktoken) else engine.cut(text)
            print(pattern, text.encode().hex(), *ends_of(text.encode(), pieces))


if __name__ == "__main__":
    main()
