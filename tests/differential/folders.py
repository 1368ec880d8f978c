#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare folders, as a model hub has them, with what transformers makes of them.

    pip install transformers==5.24.0 tokenizers==0.23.3
    tests/differential/folders.py --program build/bin/budtiktok [--show 5] TOKENIZER.json...
    tests/differential/folders.py --record tests/golden/folders TOKENIZER.json

From each tokenizer.json folders are made: with tokens that only tokenizer_config.json, added_tokens.json or
special_tokens_map.json name, special or not, with ids or without, there already or new; and its vocabulary alone,
as vocab.txt or vocab.json with merges.txt. Compared are ids with and without special tokens, and the text that
they decode to without special tokens. Last line: "N of M equal"; exit 1 if not all are.
--record writes the folders of one tokenizer.json and what transformers answers, for tests without it.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

from transformers import AutoTokenizer, PreTrainedTokenizerFast

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/dev"))
import golden_texts  # noqa: E402


def token(content, **flags):
    return {"content": content, "lstrip": False, "rstrip": False, "single_word": False, "normalized": False,
            "special": True, **flags}


def write(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(value if isinstance(value, str) else json.dumps(value))


def beside(size):
    """What may stand beside a tokenizer.json of so many tokens: (name, files)."""
    config = {"tokenizer_class": "PreTrainedTokenizerFast"}
    yield "nothing", {"tokenizer_config.json": config}
    yield "decoder", {"tokenizer_config.json": {**config, "added_tokens_decoder": {
        str(size): token("<new>"), str(size + 1): token("<plain>", special=False, normalized=True),
        str(size + 2): token("<wide>", lstrip=True, rstrip=True)}}}
    yield "single word", {"tokenizer_config.json": {**config, "added_tokens_decoder": {
        str(size): token("ab", single_word=True, special=False)}}}
    yield "map", {"tokenizer_config.json": config,
                  "special_tokens_map.json": {"eos_token": "<eos-new>", "pad_token": token("<pad-new>", lstrip=True),
                                              "additional_special_tokens": ["<more>", "<and more>"]}}
    yield "config names", {"tokenizer_config.json": {**config, "bos_token": "<bos-new>", "eos_token": "<eos-new>"}}
    yield "added", {"tokenizer_config.json": config, "added_tokens.json": {"<late>": size + 1, "<early>": size}}


TEXTS = ["<new>", "a<new>b", "x <plain> y<plain>", "a  <wide>  b", "ab xab ab. ab", "<eos-new>hello <pad-new>  <more>",
         "<and more><bos-new>", "<late> and <early>", "<LATE><early>!", "Hello world", "<wide><new>ab"]


class Comparison:
    def __init__(self, program, show):
        self.program, self.show, self.equal, self.count = program, show, 0, 0

    def encode(self, folder, texts, *options):
        done = subprocess.run([self.program, "encode", "--tokenizer", folder, "--input-format", "jsonl", *options],
                              input="".join(json.dumps({"text": text}) + "\n" for text in texts).encode(),
                              capture_output=True, check=False)
        if done.returncode not in (0, 1):
            return [done.stderr.decode()] * len(texts)
        return [json.loads(line).get("ids") for line in done.stdout.splitlines()]

    def compare(self, what, folder, reference, texts):
        for special in (False, True):
            wanted = [reference.encode(text, add_special_tokens=special) for text in texts]
            found = self.encode(folder, texts, *([] if special else ["--no-special-tokens"]))
            for text, want, have in zip(texts, wanted, found):
                self.count += 1
                self.equal += want == have
                if want != have and self.show:
                    self.show -= 1
                    print(f"{what}, special tokens {special}: {text!r}\n    wanted {want}\n    found  {have}")


def compare_tokenizer(comparison, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    size = max([*PreTrainedTokenizerFast(tokenizer_file=path).get_vocab().values()]) + 1
    cases = [case for _, case in golden_texts.cases([], random_count=100)][:400]
    for name, files in beside(size):
        with tempfile.TemporaryDirectory() as folder:
            fill(folder, text, files)
            reference = PreTrainedTokenizerFast.from_pretrained(folder)
            comparison.compare(f"{os.path.basename(path)}, {name}", folder, reference, TEXTS + cases)


def fill(folder, text, files):
    write(folder, "tokenizer.json", text)
    for file, value in files.items():
        write(folder, file, value)


def record(path, target):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    size = max([*PreTrainedTokenizerFast(tokenizer_file=path).get_vocab().values()]) + 1
    for name, files in beside(size):
        folder = os.path.join(target, name.replace(" ", "_"))
        os.makedirs(folder, exist_ok=True)
        fill(folder, text, files)
        reference = PreTrainedTokenizerFast.from_pretrained(folder)
        rows = [{"text": one, "ids": reference.encode(one, add_special_tokens=False),
                 "ids_special": reference.encode(one)} for one in TEXTS]
        write(folder, "reference.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def vocabularies(path):
    """The vocabulary of the file alone: (name, files)."""
    with open(path, encoding="utf-8") as file:
        model = json.load(file)["model"]
    if not isinstance(model["vocab"], dict):
        return
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    if model.get("type") == "WordPiece" and sorted(model["vocab"].values()) == list(range(len(tokens))):
        for cased in (False, True):
            yield f"vocab.txt, cased {cased}", {
                "vocab.txt": "\n".join(tokens) + "\n",
                "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "do_lower_case": not cased}}
    elif model.get("merges") and any("\u0120" in part for part in tokens) and not model.get("byte_fallback"):
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
        yield "vocab.json", {"vocab.json": model["vocab"], "merges.txt": "#version: 0.2\n" + "\n".join(merges) + "\n",
                             "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}}


def compare_vocabularies(comparison, path):
    cases = [case for _, case in golden_texts.cases([], random_count=100)][:400]
    for name, files in vocabularies(path):
        with tempfile.TemporaryDirectory() as folder:
            for file, value in files.items():
                write(folder, file, value)
            reference = AutoTokenizer.from_pretrained(folder)
            comparison.compare(f"{os.path.basename(path)}, {name}", folder, reference, cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/budtiktok")
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--record", metavar="FOLDER")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    if arguments.record:
        record(arguments.files[0], arguments.record)
        return
    comparison = Comparison(arguments.program, arguments.show)
    for path in arguments.files:
        compare_tokenizer(comparison, path)
        compare_vocabularies(comparison, path)
    print(f"{comparison.equal} of {comparison.count} equal")
    sys.exit(comparison.equal != comparison.count)


if __name__ == "__main__":
    main()
