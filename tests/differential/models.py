#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare every model with the live reference, on vocabularies that are made up.

    pip install tokenizers==0.23.3
    tests/differential/models.py --program build/bin/budtiktok
        [--models 400] [--texts 250] [--seed 1] [--show 5] [--only TEXT]

Vocabularies are tiny, so that everything meets everything: merges of all that is there in any order
(unknown token and fallback bytes too), prefixes and suffixes, holes, doubles, scores with ties,
files without a type or with a member too few. A file that one side refuses has to be refused by the
other, and so has a text. Differences are shortened before they are shown. Last line: "N of M
equal"; exit 1 if not all are.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

from pretokenizers import ALPHABET

CHARS = ["a", "b", "c", "d", "é", "▁", "中", "😀"]
OTHERS = ["x", "ñ", "文", "👍", " ", " ", "\n", "0"]
FALLBACK = [f"<0x{byte:02X}>" for byte in range(256)]


def maybe(rng, *choices):
    return rng.choice(choices)


def number(rng, tokens):
    """Ids in any order, sometimes with holes."""
    ids = list(range(len(tokens)))
    if rng.random() < 0.3:
        ids = rng.sample(range(2 * len(tokens) + 3), len(tokens))
    rng.shuffle(ids)
    return dict(zip(tokens, ids))


def add_fallback(rng, tokens):
    how = rng.random()
    if how < 0.6:
        tokens += FALLBACK
    elif how < 0.8:
        tokens += rng.sample(FALLBACK, len(FALLBACK) - 1 - len(FALLBACK) // 50)


def bpe_base(rng, prefix, suffix, bytes_only):
    chars = ALPHABET if bytes_only else CHARS + ["x"]
    tokens = []
    for char in chars:
        for front in {"", prefix}:
            for back in {"", suffix}:
                if rng.random() < (0.97 if bytes_only else 0.85):
                    tokens.append(front + char + back)
    return tokens


def bpe(rng, bytes_only):
    prefix = maybe(rng, "", "", "##", "é")
    suffix = maybe(rng, "", "", "</w>", "é")
    base = bpe_base(rng, prefix, suffix, bytes_only)
    letters = [t for t in base if not bytes_only or any(c in t for c in "abcdĠ")] or base
    unknown = maybe(rng, None, "<unk>", "<unk>", "<no>")
    tokens = base + ["<unk>"]
    if rng.random() < 0.5:
        add_fallback(rng, tokens)
    pool = letters + (["<unk>", "<0xC3>", "<0xB1>"] if rng.random() < 0.3 else [])
    pool = [t for t in pool if t in tokens]
    merges = []
    for _ in range(maybe(rng, 3, 10, 30, 80)):
        left, right = rng.choice(pool), rng.choice(pool)
        if not right.startswith(prefix) and rng.random() < 0.7:
            continue
        if len(right.encode()) < len(prefix.encode()):
            continue
        joined = (left.encode() + right.encode()[len(prefix.encode()):]).decode(errors="replace")
        if len(joined) > 12 or "�" in joined:
            continue
        merges.append([left, right])
        pool.append(joined)
        tokens.append(joined)
    rng.shuffle(merges)
    if merges and rng.random() < 0.3:
        merges += rng.sample(merges, len(merges) // 3)
    tokens = list(dict.fromkeys(tokens))
    if rng.random() < 0.3 and not any(" " in part for merge in merges for part in merge):
        merges = [" ".join(merge) for merge in merges]
    dropout = maybe(rng, None, None, None, None, 0.0, 1.0)
    return {"type": "BPE", "dropout": dropout, "unk_token": unknown,
            "continuing_subword_prefix": prefix or maybe(rng, None, ""),
            "end_of_word_suffix": suffix or maybe(rng, None, ""),
            "fuse_unk": rng.random() < 0.5, "byte_fallback": rng.random() < 0.5,
            "ignore_merges": rng.random() < 0.3, "vocab": number(rng, tokens), "merges": merges}


def random_tokens(rng, chars, count, longest):
    return ["".join(rng.choice(chars) for _ in range(rng.randint(1, longest)))
            for _ in range(count)]


def wordpiece(rng):
    prefix = maybe(rng, "##", "##", "", "é", "▁中")
    tokens = random_tokens(rng, CHARS, maybe(rng, 5, 20, 80), 4)
    tokens = [maybe(rng, "", prefix) + token for token in tokens]
    if rng.random() < 0.8:
        tokens += [front + char for char in CHARS[:5] for front in ("", prefix)]
    if rng.random() < 0.8:
        tokens.append("[UNK]")
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": prefix,
            "max_input_chars_per_word": maybe(rng, 100, 100, 3, 0, 100000),
            "vocab": number(rng, list(dict.fromkeys(tokens)))}


def wordlevel(rng):
    tokens = random_tokens(rng, CHARS, maybe(rng, 5, 50), 3) + maybe(rng, [], ["[UNK]"])
    return {"type": "WordLevel", "unk_token": "[UNK]",
            "vocab": number(rng, list(dict.fromkeys(tokens)))}


def unigram(rng):
    tokens = random_tokens(rng, CHARS, maybe(rng, 5, 20, 100), 5)
    tokens += [char for char in CHARS if rng.random() < 0.7] + ["<unk>"]
    if rng.random() < 0.4:
        tokens += random_tokens(rng, OTHERS, 10, 2)
    if rng.random() < 0.5:
        add_fallback(rng, tokens)
    rng.shuffle(tokens)
    scores = maybe(rng, [-1.0, -2.0, -3.0], [-0.5], [0, 1, -1, 2.5],
                   [-rng.random() * 12 for _ in range(200)])
    unknown = maybe(rng, None, tokens.index("<unk>"), tokens.index("<unk>"),
                    rng.randrange(len(tokens)))
    return {"type": "Unigram", "unk_id": unknown, "byte_fallback": rng.random() < 0.5,
            "vocab": [[token, rng.choice(scores)] for token in tokens]}


def leaves_pieces(model):
    """Fallback bytes of a prefix or suffix stand behind their piece, where places mean nothing."""
    return bool(model.get("byte_fallback") and (model.get("continuing_subword_prefix")
                                                or model.get("end_of_word_suffix")))


def spoil(rng, model):
    """What is not said, or is said as files of old did."""
    if rng.random() < 0.1:
        del model["type"]
    if rng.random() < 0.03:
        del model[rng.choice(list(model))]
    if rng.random() < 0.03:
        model[rng.choice(list(model))] = maybe(rng, None, 1, "x", [], {}, True)
    # (The reference aborts on a right part that is shorter than the prefix.)
    if rng.random() < 0.02 and model.get("merges") and not model.get("continuing_subword_prefix"):
        model["merges"].append(maybe(rng, "a", "a b c", ["a"], ["a", "nowhere"], "#version: 0.2"))


def document(rng):
    kind = rng.choice(["BPE", "BPE", "bytes", "WordPiece", "WordLevel", "Unigram", "Unigram"])
    model = {"BPE": lambda: bpe(rng, False), "bytes": lambda: bpe(rng, True),
             "WordPiece": lambda: wordpiece(rng), "WordLevel": lambda: wordlevel(rng),
             "Unigram": lambda: unigram(rng)}[kind]()
    spoil(rng, model)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                  "use_regex": rng.random() < 0.5}
    pre = byte_level if kind == "bytes" else maybe(
        rng, None, {"type": "WhitespaceSplit"}, {"type": "Whitespace"},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always",
         "split": rng.random() < 0.5})
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": None, "pre_tokenizer": pre, "post_processor": None, "decoder": None,
            "model": model}


def random_text(rng):
    chars = CHARS if rng.random() < 0.3 else CHARS * 3 + OTHERS
    if rng.random() < 0.3:
        chars = rng.sample(chars, 2)
    return "".join(rng.choice(chars) for _ in range(rng.choice((1, 2, 3, 5, 8, 20, 60, 150))))


def ours(program, path, texts):
    command = [program, "encode", "--tokenizer", path, "--input-format", "jsonl",
               "--output-format", "jsonl", "--fields", "ids,offsets"]
    data = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run(command, input=data.encode(), capture_output=True, check=False)
    if done.returncode not in (0, 1):
        return None, done.stderr.decode(errors="replace")[-500:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(texts), done.stderr
    return [None if "error" in one else (one["ids"], one["offsets"]) for one in answers], None


def theirs(tokenizer, texts):
    answers = []
    for text in texts:
        try:
            one = tokenizer.encode(text)
            answers.append((one.ids, [list(pair) for pair in one.offsets]))
        except BaseException:  # pylint: disable=broad-except  # panics are no Exception
            answers.append(None)
    return answers


def load(text):
    try:
        return Tokenizer.from_str(text), None
    except BaseException as error:  # pylint: disable=broad-except
        return None, str(error)


class Comparison:
    def __init__(self, options):
        self.options, self.count, self.equal, self.shown = options, 0, 0, 0
        self.files = self.refused = 0
        self.folder = tempfile.TemporaryDirectory()

    def differs(self, path, tokenizer, text):
        return ours(self.options.program, path, [text])[0] != theirs(tokenizer, [text])

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

    def show(self, what, *lines):
        self.shown += 1
        if self.shown <= self.options.show:
            print(json.dumps(what, ensure_ascii=False)[:3000], *lines, sep="\n  ", flush=True)

    def run(self, what, texts):
        path = os.path.join(self.folder.name, "tokenizer.json")
        text = json.dumps(what)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        tokenizer, refusal = load(text)
        found, complaint = ours(self.options.program, path, texts)
        self.files += 1
        if tokenizer is None or found is None:
            self.refused += 1
            self.count += 1
            self.equal += tokenizer is None and found is None
            if (tokenizer is None) != (found is None):
                self.show(what, f"reference {refusal}", f"ours {complaint}")
            return
        wanted = theirs(tokenizer, texts)
        if leaves_pieces(what["model"]):
            wanted, found = ([one and one[0] for one in side] for side in (wanted, found))
        bad = [i for i, pair in enumerate(zip(wanted, found)) if pair[0] != pair[1]]
        self.count += len(texts)
        self.equal += len(texts) - len(bad)
        if bad:
            short = self.shorten(path, tokenizer, texts[min(bad, key=lambda i: len(texts[i]))])
            self.show(what, repr(short), f"reference {theirs(tokenizer, [short])[0]}",
                      f"ours      {ours(self.options.program, path, [short])[0][0]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--models", type=int, default=400)
    parser.add_argument("--texts", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    comparison = Comparison(options)
    for _ in range(options.models):
        what = document(rng)
        texts = [random_text(rng) for _ in range(options.texts)]
        if options.only in json.dumps(what):
            comparison.run(what, texts)
    print(f"seed {options.seed}: {comparison.files} files, {comparison.refused} refused; "
          f"{comparison.equal} of {comparison.count} equal")
    return comparison.equal != comparison.count


if __name__ == "__main__":
    sys.exit(main())
