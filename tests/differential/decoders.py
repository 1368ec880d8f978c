#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare every decoder, alone and in sequences, and streams of ids with the live reference.

    pip install tokenizers==0.23.3
    tests/differential/decoders.py --library build/tokenizer/libbudtiktok.so
        [--cases 100000] [--seed 1] [--show 5] [--only TEXT]
    tests/differential/decoders.py --record tests/tokenizer/decoder_cases.h

A vocabulary of what some decoder takes for special, under each kind of model, with added tokens of all
flags; random decoders; random ids, some of which there are not. What is compared: decode with and
without special tokens; the steps of a stream, of one id and of several, with and without ids before it;
that the lossless stream loses nothing. Where the reference panics an error is to be returned.
Differences are shortened before they are shown. Last line: "N of M equal"; exit 1 if not all are.
"""
import argparse
import ctypes
import json
import os
import random
import sys

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

BYTES = [f"<0x{byte:02X}>" for byte in (0x41, 0x20, 0x0A, 0xC3, 0xA9, 0xE2, 0x96, 0x81, 0x82, 0xAC, 0xF0, 0x9F, 0x98,
                                        0x80, 0xFF, 0xC0, 0xED, 0xA0, 0xEF, 0xBF, 0xBD)]
WORDS = ["[UNK]", "", " ", "a", "b", "ab", "ba", "▁", "▁a", "a▁", "▁▁", "▁▁a▁b", "##", "##a", "a##b", "####", "a##",
         "</w>", "a</w>", "</w>b", "a</w></w>", "é", "à", "漢", "字", "👍", "�", "a�", "�a", "_", "__a", "Ġ", "Ġa",
         "aĠ", "Ã", "©", "Ã©", "â", "ĤĤ", "Ĥ", "ĸ", "ģ", "¬", "ð", "Ł", "ĺ", "Ģ", "ÿ", "Ċ", "ĊĊ", "Ģa", "Ã漢",
         ".", " .", "?", " ?", "!", ",", " ,", " ' ", "'", " n't", "n't", " 'm", "'m", " do not", " do not ",
         " 's", "'s", " 've", " 're", " a . b ! c", "<pad>", "<pad>a", "|", "a|b", "||", "H", "HH", "HHH", "aH", "Ha",
         "\n", "\n ", " \n a", "x y", "  ", "   a", "<0xe9>", "<0x+A>", "<0x-1>", "<0xé>", "<0x1", "<0x123>", "\0",
         "\0a", "ÀÁ", "İ", "1", "12"]
ADDED = [("<s>", "normalized", "special"), ("</s>", "special"), ("Plain", "normalized"), ("Kept",), ("▁x", "special"),
         ("<0xF0>", "special"), ("ÀÁ", "normalized", "special"), ("a", "special"), (" lead",), ("UP", "normalized", "special"),
         ("up", "special"), ("##", "normalized"), ("Ġé", "normalized"), ("Ã", "special")]
NORMALIZERS = [None, None, {"type": "Lowercase"}, {"type": "Prepend", "prepend": "▁"},
               {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
               {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                "lowercase": True}]
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
TEXTS = ["a", " ", "▁", "##", "</w>", "é", "漢", "_", "H", "|", "<pad>", "�", "", "ab", "<0x41>", "<0xC3>", "Ġ", "aa",
         "\n", "x", "<", "  "]
REGEXES = [r"▁", r"(?<!\n)^ ", r"\s+", r"^ ", r"a|b", r"", r"a*", r"(?=a)", r"\n", r"[^a]", r"(?i)h", r"$", r"\w+",
           r"^▁", r"(?<!\n)^a", r"\p{L}", r"(.)\1"]


def strings(rng):
    return rng.choice(TEXTS)


def decoder(rng, depth=0):
    kind = rng.choice(("BPEDecoder", "ByteLevel", "WordPiece", "Metaspace", "CTC", "Replace", "Replace", "Fuse", "Strip",
                       "ByteFallback", "Sequence"))
    one = {"type": kind}
    if kind == "BPEDecoder":
        one["suffix"] = rng.choice(("</w>", "##", "", strings(rng)))
    elif kind == "ByteLevel":
        one = BYTE_LEVEL
    elif kind == "WordPiece":
        one.update(prefix=rng.choice(("##", "##", "", strings(rng))), cleanup=rng.random() < 0.5)
    elif kind == "Metaspace":
        one["replacement"] = rng.choice("▁▁_aé ")
        one.update(rng.choice(({"prepend_scheme": "always"}, {"prepend_scheme": "first"}, {"prepend_scheme": "never"},
                               {"add_prefix_space": True, "str_rep": "▁"}, {})))
    elif kind == "CTC":
        one.update(pad_token=rng.choice(("<pad>", strings(rng))),
                   word_delimiter_token=rng.choice(("|", strings(rng))), cleanup=rng.random() < 0.5)
    elif kind == "Replace":
        pattern = {"String": strings(rng)} if rng.random() < 0.6 else {"Regex": rng.choice(REGEXES)}
        one.update(pattern=pattern, content=rng.choice((" ", "", strings(rng))))
    elif kind == "Strip":
        one.update(content=rng.choice(" H▁a�\n"), start=rng.choice((0, 1, 1, 2, 3, 20)),
                   stop=rng.choice((0, 0, 0, 0, 1, 2)))
    elif kind == "Sequence":
        count = rng.choice((0, 1, 2, 3, 4, 5)) if depth < 2 else 0
        one["decoders"] = [decoder(rng, depth + 1) for _ in range(count)]
    return one


def known_form(rng):
    """What models have, or nearly."""
    replace = {"type": "Replace", "pattern": rng.choice(({"String": "▁"}, {"Regex": "▁"})), "content": " "}
    strip = {"type": "Strip", "content": rng.choice(" a"), "start": rng.choice((1, 1, 2, 17)), "stop": 0}
    begin = {"type": "Replace", "pattern": {"Regex": r"(?<!\n)^ "}, "content": ""}
    fallback, fuse = {"type": "ByteFallback"}, {"type": "Fuse"}
    return rng.choice((
        None, BYTE_LEVEL, BYTE_LEVEL,
        {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "Metaspace", "replacement": "▁"},
        {"type": "BPEDecoder", "suffix": "</w>"},
        {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
        {"type": "Sequence", "decoders": [replace, fallback, fuse, strip]},
        {"type": "Sequence", "decoders": [replace, fallback, fuse]},
        {"type": "Sequence", "decoders": [fallback, replace, fuse, begin]},
        {"type": "Sequence", "decoders": [replace, fuse, strip]},
        {"type": "Sequence", "decoders": [fallback, {"type": "Metaspace", "replacement": "▁"}]},
        {"type": "Sequence", "decoders": [BYTE_LEVEL, strip]}))


def document(rng, one):
    vocab = {text: i for i, text in enumerate(WORDS + [token for token in BYTES if token not in WORDS])}
    kind = rng.choice(("WordLevel", "WordPiece", "Unigram", "BPE", "BPE bytes"))
    model = {"type": kind.split()[0], "vocab": vocab, "unk_token": "[UNK]"}
    splitter = None
    if kind == "WordPiece":
        model.update(continuing_subword_prefix=rng.choice(("##", "", "@@")), max_input_chars_per_word=100)
    elif kind == "Unigram":
        model = {"type": "Unigram", "unk_id": 0, "vocab": [[text, -1.0] for text in vocab]}
    elif kind.startswith("BPE"):
        model = {"type": "BPE", "vocab": vocab, "merges": [], "unk_token": "[UNK]"}
        splitter = BYTE_LEVEL if kind == "BPE bytes" else None
    added = [{"id": 1000 + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": "normalized" in flags, "special": "special" in flags}
             for i, (text, *flags) in enumerate(ADDED)]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
            "normalizer": rng.choice(NORMALIZERS), "pre_tokenizer": splitter, "post_processor": None, "decoder": one,
            "model": model}


class Info(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("offset", ctypes.c_uint64), ("message", ctypes.c_char * 512)]


class Ours:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.btk_decode_bound.restype = ctypes.c_size_t
        self.info = ctypes.create_string_buffer(4096)
        self.tokenizer = ctypes.c_void_p()

    def open(self, text):
        data = text.encode()
        if self.tokenizer:
            self.library.btk_tokenizer_close(ctypes.byref(self.tokenizer))
        if self.library.btk_tokenizer_open_json(data, ctypes.c_size_t(len(data)), ctypes.byref(self.tokenizer),
                                                self.info) != 0:
            return self.info.raw[:4096]
        return None

    def decode(self, ids, skip):
        count = ctypes.c_size_t(len(ids))
        array = (ctypes.c_uint32 * max(1, len(ids)))(*ids)
        bound = self.library.btk_decode_bound(self.tokenizer, count)
        room, length = ctypes.create_string_buffer(bound + 1), ctypes.c_size_t()
        status = self.library.btk_decode(self.tokenizer, array, count, ctypes.c_bool(skip), room, ctypes.c_size_t(bound),
                                         ctypes.byref(length), self.info)
        if status == -105:
            return "the bound is too low"
        return {"error": status} if status < 0 else room.raw[:length.value].decode()

    def stream(self, parts, prefill, skip, mode=0):
        """The steps of a stream: bytes, None, and then how it ended."""
        library, stream, length = self.library, ctypes.c_void_p(), ctypes.c_size_t()
        text, steps = ctypes.c_void_p(), []
        if library.btk_decode_stream_new(self.tokenizer, mode, ctypes.c_bool(skip), ctypes.byref(stream), self.info):
            raise MemoryError
        status = 0
        if prefill:
            status = library.btk_decode_stream_prefill(stream, (ctypes.c_uint32 * len(prefill))(*prefill),
                                                       ctypes.c_size_t(len(prefill)), self.info)
        for ids in parts:
            if status < 0:
                break
            status = library.btk_decode_stream_step(stream, (ctypes.c_uint32 * max(1, len(ids)))(*ids),
                                                    ctypes.c_size_t(len(ids)), ctypes.byref(text), ctypes.byref(length),
                                                    self.info)
            if status >= 0:
                steps.append(ctypes.string_at(text.value, length.value) if status else None)
        if status >= 0 and mode:
            status = library.btk_decode_stream_finish(stream, ctypes.byref(text), ctypes.byref(length), self.info)
            steps.append(ctypes.string_at(text.value, length.value) if status > 0 else None)
        library.btk_decode_stream_free(ctypes.byref(stream))
        return steps, status < 0


def reference_decode(tokenizer, ids, skip):
    try:
        return tokenizer.decode(ids, skip_special_tokens=skip)
    except BaseException as error:  # panics are no Exceptions
        if isinstance(error, KeyboardInterrupt):
            raise
        return {"error": str(error)}


def reference_stream(tokenizer, parts, prefill, skip):
    stream = DecodeStream(prefill, skip) if prefill else DecodeStream(skip_special_tokens=skip)
    steps = []
    for ids in parts:
        try:
            step = stream.step(tokenizer, ids[0] if len(ids) == 1 else ids)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return steps, True
        steps.append(None if step is None else step.encode())
    return steps, False


def set_interesting(tokenizer):
    """Tokens to be taken more often than others, and some that make characters together."""
    SEQUENCES[:] = [[tokenizer.token_to_id(token) for token in tokens] for tokens in (
        ("<0xC3>", "<0xA9>"), ("<0xE2>", "<0x82>", "<0xAC>"), ("<0xF0>", "<0x9F>", "<0x98>", "<0x80>"),
        ("<0xEF>", "<0xBF>", "<0xBD>"), ("<0xE2>", "<0x96>", "<0x81>"), ("Ã", "©"), ("â", "Ĥ", "¬"),
        ("ð", "Ł", "ĺ", "Ģ"), ("<0x0A>", "<0xC3>"), ("<0xE2>", "<0x82>", "a"), ("<0xC3>", "<0xA9>", "<0xC3>", "a"))]
    ids = [tokenizer.token_to_id(token) for token in BYTES + [text for text, *_ in ADDED]]
    return [number for number in ids if number is not None]


def random_ids(rng, count, interesting):
    ids = []
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4, 5, 8, 12, 30))):
        kind = rng.random()
        if kind < 0.45:
            ids.append(rng.randrange(count))
        elif kind < 0.75:
            ids.append(rng.choice(interesting))
        elif kind < 0.8:
            ids.append(rng.choice((count, count + 1, 2**24, 2**32 - 1)))
        elif kind < 0.9 and ids:
            ids.append(ids[-1])
        else:
            ids += rng.choice(SEQUENCES)
    return ids


SEQUENCES = []


def contains(one, kinds):
    return any(f'"{kind}"' in json.dumps(one) for kind in kinds)


class Comparison:
    def __init__(self, options):
        self.options, self.ours = options, Ours(options.library)
        self.count = self.equal = self.shown = 0

    def faults(self, tokenizer, one, ids, rng_seed):
        """What differs for these ids."""
        rng = random.Random(rng_seed)
        for skip in (False, True):
            wanted, found = reference_decode(tokenizer, ids, skip), self.ours.decode(ids, skip)
            same = isinstance(found, dict) if isinstance(wanted, dict) else wanted == found
            if not same:
                yield f"decode skip={skip}", wanted, found
            yield from self.lossless_faults(one, ids, skip, wanted)
            cuts = sorted(rng.randrange(len(ids) + 1) for _ in range(3)) if ids else []
            lists = [ids[begin:end] for begin, end in zip(cuts, cuts[1:])]
            for parts, prefill in (([[i] for i in ids], []), (lists, []), ([[i] for i in ids[2:]], ids[:2])):
                if prefill and not parts:
                    continue
                wanted = reference_stream(tokenizer, parts, prefill, skip)
                found = self.ours.stream(parts, prefill, skip)
                if wanted != found:
                    yield f"stream skip={skip} parts={parts} prefill={prefill}", wanted, found

    def lossless_faults(self, one, ids, skip, decoded):
        steps, failed = self.ours.stream([[i] for i in ids], [], skip, 1)
        parts = [step for step in steps if step is not None]
        joined = b"".join(parts)
        if failed or joined.decode(errors="replace") != "".join(part.decode(errors="replace") for part in parts):
            yield f"lossless skip={skip}", "whole characters", steps
        if isinstance(decoded, dict):
            return
        kinds = ("Fuse", "ByteLevel", "ByteFallback")
        if one == BYTE_LEVEL or not contains(one, kinds):
            if joined.decode(errors="replace") != decoded:
                yield f"lossless skip={skip}", decoded, steps

    def shorten(self, tokenizer, one, ids, seed):
        size = max(1, len(ids) // 2)
        while size:
            for at in range(0, len(ids), size):
                shorter = ids[:at] + ids[at + size:]
                if any(True for _ in self.faults(tokenizer, one, shorter, seed)):
                    ids = shorter
                    break
            else:
                size //= 2
        return ids

    def show(self, tokenizer, text, one, ids, seed):
        self.shown += 1
        if self.shown > self.options.show:
            return
        ids = self.shorten(tokenizer, one, ids, seed)
        source = json.loads(text)
        print(json.dumps([one, source["model"]["type"], source["normalizer"]], ensure_ascii=False))
        print("  ids", ids, [tokenizer.id_to_token(i) if i < 2**31 else None for i in ids])
        for what, wanted, found in list(self.faults(tokenizer, one, ids, seed))[:2]:
            print(" ", what, "\n    reference", repr(wanted)[:300], "\n    ours     ", repr(found)[:300], flush=True)

    def run(self, rng, count):
        one = known_form(rng) if rng.random() < 0.4 else decoder(rng)
        text = json.dumps(document(rng, one))
        if self.options.only and self.options.only not in text:
            return
        try:
            tokenizer = Tokenizer.from_str(text)
        except Exception as error:
            tokenizer = None
            reason = error
        refusal = self.ours.open(text)
        if tokenizer is None or refusal:
            self.count += 1
            self.equal += tokenizer is None and bool(refusal)
            if tokenizer is not None or not refusal:
                print("loads", json.dumps(one, ensure_ascii=False), refusal[:300] if refusal else reason)
            return
        interesting = set_interesting(tokenizer)
        size = tokenizer.get_vocab_size(with_added_tokens=True)
        for _ in range(count):
            ids, seed = random_ids(rng, size, interesting), rng.randrange(2**32)
            self.count += 1
            if any(True for _ in self.faults(tokenizer, one, ids, seed)):
                self.show(tokenizer, text, one, ids, seed)
            else:
                self.equal += 1


def literal(text):
    if text is None:
        return "NULL"
    data = text.encode() if isinstance(text, str) else text
    return '"' + "".join(chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in '"\\?' else f"\\{byte:03o}"
                         for byte in data) + '"'


def record(path):
    """What the reference gives, for the test that has no reference: tests/tokenizer/decoder_test.c."""
    rng, lines = random.Random(5), []
    base = document(random.Random(0), None)
    base["model"] = {"type": "WordLevel", "unk_token": "[UNK]",
                     "vocab": {text: i for i, text in enumerate([w for w in WORDS if "\0" not in w] + BYTES)}}
    base.update(normalizer={"type": "Lowercase"}, pre_tokenizer=None)
    chains = [None, BYTE_LEVEL] + [known_form(rng) for _ in range(30)] + [decoder(rng) for _ in range(60)]
    for one in [chain for i, chain in enumerate(chains) if chain not in chains[:i]]:
        text = json.dumps({**base, "decoder": one})
        if not lines:
            before, behind = text.split('"decoder": null')
            lines += [f"BEFORE({literal(before + chr(34) + 'decoder' + chr(34) + ': ')})", f"BEHIND({literal(behind)})"]
        try:
            tokenizer = Tokenizer.from_str(text)
        except Exception:
            lines.append(f"REFUSED({literal(json.dumps(one))})")
            continue
        lines.append(f"DECODER({literal(json.dumps(one))})")
        interesting = set_interesting(tokenizer)
        for _ in range(4):
            ids, skip = random_ids(rng, tokenizer.get_vocab_size(), interesting)[:14], rng.random() < 0.3
            decoded = reference_decode(tokenizer, ids, skip)
            steps, failed = reference_stream(tokenizer, [[i] for i in ids], [], skip)
            joined = "|".join("-" if step is None else "=" + step.decode() for step in steps)
            lines.append(f"CASE({literal(' '.join(map(str, ids)))}, {int(skip)}, "
                         f"{'NULL' if isinstance(decoded, dict) else literal(decoded)}, {literal(joined)}, {int(failed)})")
    with open(path, "w", encoding="utf-8") as file:
        file.write("// SPDX-License-Identifier: Apache-2.0\n// @generated by tests/differential/decoders.py --record; "
                   "what tokenizers 0.23.3 gave.\n// clang-format off\n" + "\n".join(lines) + "\n")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library")
    parser.add_argument("--record")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the reference prints its panics
    if options.record:
        return record(options.record)
    rng, comparison = random.Random(options.seed), Comparison(options)
    while comparison.count < options.cases:
        comparison.run(rng, 50)
    print(f"seed {options.seed}: {comparison.equal} of {comparison.count} equal")
    return comparison.equal != comparison.count


if __name__ == "__main__":
    sys.exit(main())
