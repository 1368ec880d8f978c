#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the default models and the bench texts from Debian packages.

    pip install tokenizers==0.23.3
    tools/dev/default_models/train.py [--work FOLDER]

Writes tokenizer/default/{wordpiece,bpe}.json and bench/texts/*.txt. The reference's own trainers do
the work. The bench texts are held out: no model has seen them. Afterwards run
tools/dev/record_goldens.py. Needs 2 GB of memory and about five minutes.
"""
import argparse
import collections
import json
import os
import sys

import tokenizers
from tokenizers import (AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)

import package_texts

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.normpath(os.path.join(HERE, "../../.."))
WORDPIECE_SIZE, WORDPIECE_ALPHABET, BPE_SIZE = 30522, 2000, 50257
BENCH_BYTES = {"en": 480_000, "es": 190_000, "fr": 180_000, "de": 180_000, "ru": 200_000,
               "ja": 180_000, "ko": 170_000, "zh": 170_000, "code": 170_000}


def take(texts, most_bytes):
    """Leading texts up to about so many bytes, cut at a line; and what is left."""
    taken, room = [], most_bytes
    texts = iter(texts)
    for text in texts:
        data = text.encode()
        if len(data) > room:
            cut = data.rfind(b"\n", 0, room) + 1
            return taken + [data[:cut].decode()], [data[cut:].decode(), *texts]
        taken.append(text)
        room -= len(data)
    return taken, []


def by_language(root):
    """Running text of each language, the bench text's share first."""
    novels = dict(package_texts.austen(root))
    messages = dict(package_texts.catalogues(
        root, "usr/share/locale/*/LC_MESSAGES/postgres-15.mo"))
    texts = {language: list(package_texts.apache(root, language))
             for language in ("fr", "de", "ja", "ko", "tr")}
    texts["en"] = [novels.pop("persuasion"), *novels.values()]
    texts["es"] = list(package_texts.sword(root, "spaRV1909eb"))[::-1]
    texts["ru"] = [messages.pop("ru")]
    texts["zh"] = [messages.pop("zh_CN")]
    texts["code"] = [text for _, text in package_texts.python_code(root)]
    return texts, messages


def more_english(root):
    yield from package_texts.sword(root, "engWEB2015eb")
    yield package_texts.jargon(root)
    yield from package_texts.glosses(root)
    pages = (text for _, text in package_texts.pages(root, "usr/share/doc/sqlite3/**/*.html"))
    yield from take(pages, 5_000_000)[0]
    sources = package_texts.python_manual(root)
    yield from take(sources, 6_000_000)[0]


def gather(root):
    """(bench texts, training texts)."""
    texts, messages = by_language(root)
    bench, training = {}, []
    for language, found in texts.items():
        held_out, rest = take(found, BENCH_BYTES.get(language, 0))
        if language in BENCH_BYTES:
            bench[language] = "".join(held_out)
        training += rest
    training += messages.values()
    training += more_english(root)
    training += [text for _, text in package_texts.catalogues(
        root, "usr/lib/python3/dist-packages/django/**/*.mo")]
    training += [take([text], 60_000)[0][0] for _, text in package_texts.annotations(root)]
    training.append("\n".join(package_texts.chinese_words(root)) + "\n")
    return bench, training


def lines_of(texts):
    for text in texts:
        yield from text.splitlines(keepends=True)


def special_tokens(names, normalized):
    return [AddedToken(name, special=True, normalized=normalized) for name in names]


def frequent_characters(texts, normalizer):
    """Named, because the trainer's own choice among equally frequent ones is a matter of luck."""
    counts = collections.Counter()
    for text in texts:
        counts.update(normalizer.normalize_str(text))
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    return [character for character in ranked if not character.isspace()][:WORDPIECE_ALPHABET]


def train_wordpiece(texts):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=WORDPIECE_SIZE, min_frequency=2, show_progress=False,
        limit_alphabet=WORDPIECE_ALPHABET,
        initial_alphabet=frequent_characters(texts, tokenizer.normalizer),
        special_tokens=special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], False))
    tokenizer.train_from_iterator(lines_of(texts), trainer)
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    return tokenizer


def train_bpe(texts):
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=BPE_SIZE - 1, min_frequency=2, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(lines_of(texts), trainer)
    # The last id, as in GPT-2; in the vocabulary too, or loading would give the id anew.
    tree = json.loads(tokenizer.to_str())
    tree["model"]["vocab"]["<|endoftext|>"] = BPE_SIZE - 1
    tokenizer = Tokenizer.from_str(json.dumps(tree))
    tokenizer.add_special_tokens(special_tokens(["<|endoftext|>"], True))
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def write_tokenizer(tokenizer, name):
    """Minified, and merges in the short form that GPT-2's own file has."""
    tree = json.loads(tokenizer.to_str())
    if "merges" in tree["model"]:
        tree["model"]["merges"] = [" ".join(pair) for pair in tree["model"]["merges"]]
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
    assert Tokenizer.from_str(text).get_vocab() == tokenizer.get_vocab()
    with open(f"{TREE}/tokenizer/default/{name}.json", "w", encoding="utf-8") as file:
        file.write(text + "\n")
    print(f"{name}: {tokenizer.get_vocab_size()} tokens, {len(text.encode())} bytes")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--work", default=f"{TREE}/build/default-models")
    work = options.parse_args().work
    if tokenizers.__version__ != "0.23.3":
        sys.exit(f"the reference is tokenizers 0.23.3, not {tokenizers.__version__}")
    os.makedirs(work, exist_ok=True)
    root = package_texts.unpack(work)
    print("\n".join(package_texts.versions(work)))
    bench, training = gather(root)
    for folder in ("bench/texts", "tokenizer/default"):
        os.makedirs(f"{TREE}/{folder}", exist_ok=True)
    for language, text in bench.items():
        with open(f"{TREE}/bench/texts/{language}.txt", "w", encoding="utf-8") as file:
            file.write(text)
    print(f"training on {sum(len(text.encode()) for text in training)} bytes")
    write_tokenizer(train_wordpiece(training), "wordpiece")
    write_tokenizer(train_bpe(training), "bpe")


if __name__ == "__main__":
    main()
