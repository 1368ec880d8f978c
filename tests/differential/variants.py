#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write variants of a tokenizer.json, each with other settings of its components.

    tests/differential/variants.py TOKENIZER.json FOLDER

Prints the paths of what it wrote, for sweep.py. The settings are those that few published files
have, so that no golden case knows them: every combination of the normalizer's flags, added tokens
with every flag, prefix spaces, offsets that are trimmed or not, other post-processors and decoders.
"""
import copy
import itertools
import json
import os
import sys

FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
YES_NO = (False, True)


def added_token(content, *flags):
    return {"id": 0, "content": content, **{name: name in flags for name in FLAGS}}


def flagged_tokens():
    """A token for each set of flags."""
    for chosen in itertools.product(YES_NO, repeat=len(FLAGS)):
        flags = [name for name, is_set in zip(FLAGS, chosen) if is_set]
        name = "".join(flag[0] for flag in flags) or "none"
        yield added_token(f"<{name}>", *flags)


def overlapping_tokens(normalized):
    """Tokens that begin, end or stand inside each other, with and without spaces of their own."""
    more = ["normalized"] if normalized else []
    yield added_token("ab", *more)
    yield added_token("abc", "single_word", *more)
    yield added_token("bcd", *more)
    yield added_token("abcde", *more)
    yield added_token("[X]", "rstrip", *more)
    yield added_token(" y", "lstrip", *more)
    yield added_token("y", "rstrip", "lstrip", *more)
    yield added_token("z ", "single_word", *more)
    yield added_token("\u00e9", "single_word", "special", *more)
    yield added_token("\n\n", *more)


def spelled_tokens():
    """Tokens that a normalizer changes."""
    yield added_token("[ENT]", "normalized", "special")
    yield added_token("[Loc]", "normalized", "lstrip")
    yield added_token("Na\u00efve", "normalized", "rstrip", "single_word")
    yield added_token("\u4e2d\u6587", "normalized")
    yield added_token("A\tB", "normalized")
    yield added_token("[loc]x", "special")


def with_added(document, tokens):
    document["added_tokens"] = document["added_tokens"] + list(tokens)
    return document


def added_variants(base):
    yield "added-flags", with_added(copy.deepcopy(base), flagged_tokens())
    yield "added-overlapping", with_added(copy.deepcopy(base), overlapping_tokens(False))
    yield "added-overlapping-normalized", with_added(copy.deepcopy(base), overlapping_tokens(True))
    yield "added-spelled", with_added(copy.deepcopy(base), spelled_tokens())


def replaced(base, **members):
    document = copy.deepcopy(base)
    document.update(members)
    return document


def with_model(base, **members):
    document = copy.deepcopy(base)
    document["model"].update(members)
    return document


def bert_normalizer(clean_text, chinese, strip_accents, lowercase):
    return {"type": "BertNormalizer", "clean_text": clean_text, "handle_chinese_chars": chinese,
            "strip_accents": strip_accents, "lowercase": lowercase}


def processors(pair):
    first, last = pair
    yield "none", None
    yield "bert", {"type": "BertProcessing", "sep": last, "cls": first}
    for trim, prefix in itertools.product(YES_NO, YES_NO):
        yield (f"roberta-trim{trim:d}-prefix{prefix:d}",
               {"type": "RobertaProcessing", "sep": last, "cls": first, "trim_offsets": trim,
                "add_prefix_space": prefix})
        yield (f"bytelevel-trim{trim:d}-prefix{prefix:d}",
               {"type": "ByteLevel", "trim_offsets": trim, "add_prefix_space": prefix,
                "use_regex": True})
    special = {name: {"id": name, "ids": [number], "tokens": [name]} for name, number in pair}
    single = [{"SpecialToken": {"id": first[0], "type_id": 3}},
              {"SpecialToken": {"id": last[0], "type_id": 0}},
              {"Sequence": {"id": "A", "type_id": 5}},
              {"SpecialToken": {"id": last[0], "type_id": 1}}]
    both = single + [{"Sequence": {"id": "B", "type_id": 1}}]
    yield "template-types", {"type": "TemplateProcessing", "single": single, "pair": both,
                             "special_tokens": special}
    yield "template-bare", {"type": "TemplateProcessing", "single": [single[2]], "pair": both,
                            "special_tokens": special}


def decoders():
    yield "none", None
    yield "bytelevel", {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
                        "use_regex": True}
    for cleanup in YES_NO:
        yield f"wordpiece-cleanup{cleanup:d}", {"type": "WordPiece", "prefix": "##",
                                                "cleanup": cleanup}


def common_variants(base):
    vocabulary = base["model"]["vocab"]
    names = [name for name in ("[CLS]", "[SEP]", "a", "b") if name in vocabulary][:2]
    pair = [[name, vocabulary[name]] for name in names]
    for name, processor in processors(pair):
        yield f"processor-{name}", replaced(base, post_processor=processor)
    for name, decoder in decoders():
        yield f"decoder-{name}", replaced(base, decoder=decoder)
    yield from added_variants(base)


def wordpiece_variants(base):
    for clean, chinese, strip, lower in itertools.product(YES_NO, YES_NO, (None, False, True),
                                                          YES_NO):
        strip_name = "null" if strip is None else f"{strip:d}"
        yield (f"normalizer-clean{clean:d}-chinese{chinese:d}-strip{strip_name}-lower{lower:d}",
               replaced(base, normalizer=bert_normalizer(clean, chinese, strip, lower)))
    unnormalized = replaced(base, normalizer=None)
    yield "normalizer-none", unnormalized
    yield "normalizer-none-added", with_added(copy.deepcopy(unnormalized), flagged_tokens())
    cased = replaced(base, normalizer=bert_normalizer(False, False, True, False))
    yield "normalizer-cased-added", with_added(
        copy.deepcopy(cased), list(spelled_tokens()) + list(flagged_tokens()))
    for count in (0, 3):
        yield f"word-chars{count}", with_model(base, max_input_chars_per_word=count)
    untyped = copy.deepcopy(base)
    del untyped["model"]["type"]
    yield "untyped", untyped
    for prefix in ("", "@@"):
        yield f"continuing{len(prefix)}", replaced(
            with_model(base, continuing_subword_prefix=prefix),
            decoder={"type": "WordPiece", "prefix": prefix, "cleanup": False})


def byte_level(prefix, regex):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True,
            "use_regex": regex}


def bpe_variants(base):
    for prefix, regex in itertools.product(YES_NO, YES_NO):
        spaced = replaced(base, pre_tokenizer=byte_level(prefix, regex))
        yield f"pretokenizer-prefix{prefix:d}-regex{regex:d}", spaced
        for name, variant in added_variants(spaced):
            yield f"pretokenizer-prefix{prefix:d}-regex{regex:d}-{name}", variant
        for name, normalizer in (("uncased", bert_normalizer(True, True, None, True)),
                                 ("accents", bert_normalizer(False, False, True, False))):
            normalized = replaced(spaced, normalizer=normalizer)
            yield f"normalizer-{name}-prefix{prefix:d}-regex{regex:d}", normalized
            # Tokens that the normalizer changes are refused here.
            yield f"normalizer-{name}-prefix{prefix:d}-regex{regex:d}-added", with_added(
                copy.deepcopy(normalized), flagged_tokens())
    merges = base["model"]["merges"]
    for ignore in YES_NO:
        yield f"holes-ignore{ignore:d}", with_model(base, merges=merges[:2000] + merges[2500::3],
                                                    ignore_merges=ignore)
    shuffled = sorted(merges, key=str)
    yield "merges-sorted", with_model(base, merges=shuffled)
    untyped = copy.deepcopy(base)
    del untyped["model"]["type"]
    yield "untyped", untyped
    for trim, prefix in itertools.product(YES_NO, YES_NO):
        trimmed = replaced(base, post_processor={"type": "ByteLevel", "trim_offsets": trim,
                                                 "add_prefix_space": prefix})
        yield f"trim{trim:d}-prefix{prefix:d}-added", with_added(trimmed, flagged_tokens())


def variants(base):
    yield from common_variants(base)
    yield from (wordpiece_variants if base["model"]["type"] == "WordPiece" else bpe_variants)(base)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, folder = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        base = json.load(file)
    os.makedirs(folder, exist_ok=True)
    stem = os.path.splitext(os.path.basename(source))[0]
    for name, document in variants(base):
        path = os.path.join(folder, f"{stem}-{name}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        print(path)


if __name__ == "__main__":
    main()
