# SPDX-License-Identifier: Apache-2.0
"""The same tokenizer in components that more engines know.

Some peers refuse a file over something that does not change what they are measured for. They are given a file that
says the same in other words, and which words were changed stands with their figures. Whether it does say the same
is not taken on trust: ids are compared with the reference's for the original file.
"""
import json


def fill_vocabulary(tokenizer):
    """Ids one after the other from 0, and no empty token: no text has these, so no text gets other ids."""
    vocabulary = tokenizer["model"].get("vocab")
    if not isinstance(vocabulary, dict):
        return None
    taken = set(vocabulary.values()) | {token["id"] for token in tokenizer.get("added_tokens") or []}
    gaps = set(range(max(taken))) - taken
    for number in gaps:
        vocabulary[f"<|unused {number}|>"] = number
    has_empty = "" in vocabulary
    if has_empty:
        vocabulary["<|empty|>"] = vocabulary.pop("")
    return "gaps of the vocabulary filled" if gaps or has_empty else None


def drop_what_ids_do_not_need(tokenizer):
    """Without special tokens, nothing is left for the post-processor; nothing is decoded."""
    dropped = [name for name in ("decoder", "post_processor") if tokenizer.get(name)]
    for name in dropped:
        tokenizer[name] = None
    return f"without {' and '.join(dropped)}" if dropped else None


def steps_of(component):
    return component["pretokenizers"] if component and component["type"] == "Sequence" else [component]


def isolate_splits(tokenizer):
    """To keep the matches alone is to isolate them, where every character is part of a match."""
    changed = None
    for step in steps_of(tokenizer.get("pre_tokenizer")):
        if (step and step["type"] == "Split" and step["behavior"] == "Removed" and step["invert"]
                and step["pattern"].get("Regex", "").endswith(r"|\s+")):
            step["behavior"], step["invert"] = "Isolated", False
            changed = "Split: Isolated for Removed and invert"
    return changed


def normalize_metaspace(tokenizer):
    """A Metaspace that does not split is two Replaces: of the place before a first character that is no space, and of
    spaces."""
    step = tokenizer.get("pre_tokenizer")
    if (not step or step["type"] != "Metaspace" or step.get("split", True) or tokenizer.get("normalizer")
            or step.get("prepend_scheme") not in ("first", "always")):
        return None
    mark = step["replacement"]
    tokenizer["pre_tokenizer"] = None
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Replace", "pattern": {"Regex": rf"\A(?=[^ {mark}])"}, "content": mark},
        {"type": "Replace", "pattern": {"String": " "}, "content": mark}]}
    return "Metaspace as two Replaces"


def name_model(tokenizer):
    """Old files leave it to the reader what their model is."""
    model = tokenizer["model"]
    if model.get("type"):
        return None
    model["type"] = "BPE" if "merges" in model else "Unigram" if "unk_id" in model else "WordPiece"
    return "the model named"


CHANGES = (name_model, fill_vocabulary, drop_what_ids_do_not_need, isolate_splits, normalize_metaspace)


def rewrite(text):
    """The other file, and what was changed; None where there is nothing to change."""
    tokenizer = json.loads(text)
    changes = [said for said in (change(tokenizer) for change in CHANGES) if said]
    return (json.dumps(tokenizer, ensure_ascii=False), changes) if changes else (None, [])
