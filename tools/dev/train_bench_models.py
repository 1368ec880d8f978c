#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the two small models of bench/models, with the reference, on bench/texts.

    pip install tokenizers==0.23.3
    tools/dev/train_bench_models.py        then tools/dev/record_goldens.py --bench-models

They are there so that the families of which no model is built in can be measured and verified anywhere:
unigram in the manner of ALBERT (NFKC, Metaspace), wordlevel with one token a word.
"""
import pathlib

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

TREE = pathlib.Path(__file__).resolve().parents[2]
TEXTS = sorted((TREE / "bench/texts").glob("*.txt"))


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=8000, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False)
    return tokenizer, trainer


def wordlevel():
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(vocab_size=8000, special_tokens=["[UNK]"], show_progress=False)
    return tokenizer, trainer


def main():
    for maker in (unigram, wordlevel):
        tokenizer, trainer = maker()
        tokenizer.train([str(text) for text in TEXTS], trainer)
        (TREE / f"bench/models/{maker.__name__}.json").write_text(tokenizer.to_str(pretty=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
