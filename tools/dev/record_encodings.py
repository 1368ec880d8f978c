#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Record what encodings of the reference hold, for tests/golden/encodings.

    pip install tokenizers==0.23.3
    tools/dev/record_encodings.py tests/golden/encodings

Writes small tokenizers with post-processors of every kind, and beside each what the reference
answers to random requests (tests/differential/encoding_fields.py), for `budtiktok verify`.
"""
import json
import os
import random
import sys

import tokenizers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../tests/differential"))
from encoding_fields import Quiet, Reference, case  # noqa: E402

assert tokenizers.__version__ == "0.23.3"
CASES = 24
LINE_BYTES_MAX = 4000  # what overflows can be long
A, B = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}


def special(name, type_id=0):
    return {"SpecialToken": {"id": name, "type_id": type_id}}


def template(single, pair):
    ids = {"[CLS]": [[0], ["[CLS]"]], "[SEP]": [[1], ["[SEP]"]], "[MANY]": [[0, 70000, 1],
                                                                            ["[CLS]", "odd", "[S]"]]}
    return {"type": "TemplateProcessing", "single": single, "pair": pair,
            "special_tokens": {name: {"id": name, "ids": i, "tokens": t}
                               for name, (i, t) in ids.items()}}


def trimming(trims=True, prefix=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trims,
            "use_regex": True}


def sequence(*processors):
    return {"type": "Sequence", "processors": list(processors)}


PAIRS = {"cls": ["[CLS]", 0], "sep": ["[SEP]", 1]}
BERT = {"type": "BertProcessing", **PAIRS}
ROBERTA = {"type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": True, **PAIRS}
LLAMA = template([special("[CLS]"), A], [special("[CLS]"), A, special("[CLS]", 1), B])
CHAINS = {
    "none": None,
    "bert": BERT,
    "roberta": ROBERTA,
    "roberta_untrimmed": {**ROBERTA, "trim_offsets": False},
    "byte_level": trimming(),
    "byte_level_no_prefix": trimming(prefix=False),
    "template": template([special("[CLS]"), A, special("[SEP]")],
                         [special("[CLS]"), A, special("[SEP]"), B, special("[SEP]", 1)]),
    "template_swapped": template([A, special("[MANY]", 2)], [B, special("[SEP]", 3), A]),
    "template_twice": template([A, special("[SEP]"), {"Sequence": {"id": "A", "type_id": 4}}],
                               [A, B, A]),
    "template_without": template([special("[CLS]")], [special("[MISSING]"), B]),
    "llama": sequence(trimming(), LLAMA),
    "late_trimming": sequence(LLAMA, trimming(prefix=False)),
    "two_berts": sequence(BERT, BERT),
    "roberta_then_bert": sequence(ROBERTA, BERT, trimming()),
    "template_then_bert": sequence(template([A, special("[SEP]", 5)], [A, B]), BERT),
    "template_then_template": sequence(template([A], [A, B]), LLAMA),
    "empty": sequence(),
}


def model():
    """All bytes, some merges: every text has tokens."""
    alphabet = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256))]
    alphabet += [chr(256 + code) for code in range(256 - len(alphabet))]
    merges = ["h e", "l l", "\u0120 w", "\u0120 \u0120", "o r", "\u0120w or", "x x"]
    tokens = ["[CLS]", "[SEP]"] + alphabet + [merge.replace(" ", "") for merge in merges]
    return {"type": "BPE", "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": merges}


def added(number, content):
    return {"id": number, "content": content, "single_word": False, "lstrip": True,
            "rstrip": False, "normalized": False, "special": True}


def document(chain):
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(0, "[CLS]"), added(1, "[SEP]")], "normalizer": None,
            "pre_tokenizer": trimming(prefix=False), "post_processor": chain,
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
                        "use_regex": True}, "model": model()}


def recorded(reference, one):
    options = dict(one["options"])
    add_special_tokens = options.pop("add_special_tokens")
    documents = one["documents"]
    line = {"options": options, "add_special_tokens": add_special_tokens,
            "is_batch": one["is_batch"], "input": documents if one["is_batch"] else documents[0]}
    answer = reference.encode(one)
    if "error" in answer or "batch" in answer:
        return {**line, **answer}
    return {**line, "encoding": answer}


def main():
    folder = sys.argv[1]
    for name, chain in CHAINS.items():
        rng = random.Random(name)
        path = os.path.join(folder, name + ".json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document(chain), file)
        with Quiet():
            reference = Reference(path)
            cases = [one for one in (case(rng) for _ in range(8 * CASES))
                     if "as_configured" not in one["options"]]
            lines = [json.dumps(recorded(reference, one)) for one in cases]
        lines = [line for line in lines if len(line) <= LINE_BYTES_MAX][:CASES]
        with open(os.path.join(folder, name + ".jsonl"), "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)


if __name__ == "__main__":
    main()
