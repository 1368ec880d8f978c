#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare everything an encoding holds with the live reference, under random options.

    pip install tokenizers==0.23.3
    tests/differential/encoding_fields.py --program build/bin/budtiktok TOKENIZER.json...
                                    [--chains 40] [--cases 300] [--seed 1] [--show 5]

Texts, pairs, words and batches of what tokenizers like to differ on, with the tokenizer's added tokens;
truncation, padding and special tokens of every kind; each tokenizer with its own post-processor, and with
`--chains` random ones: templates of any order, sequences of them, what stands in the file of truncation and
padding. Every field is compared, what overflows too, and whether there is an answer at all: where the
reference panics, an error is due. A difference is shortened before it is shown. Last line: "N of M equal";
exit 1 if not all are.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

import tokenizers
from tokenizers import Tokenizer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/dev"))
import golden_texts  # noqa: E402

FIELDS = ("ids", "type_ids", "tokens", "offsets", "word_ids", "sequence_ids",
          "special_tokens_mask", "attention_mask")
WORDS = ["a", "the", "Hello", "unaffable", "don't", "\u00e9t\u00e9", "e\u0301", "\u4e2d\u6587", "\U0001f600",
         "12345", "...", "x" * 30, "", " ", "  ", "\n", "\t ", "world!", "\u3000", "ﬁ", "\u0130", "\u200d"]
# Spaces of all kinds, digits of all scripts, joiners, marks, Jamo.
TRAPS = [chr(point) for point in range(0x20000)
         if unicodedata.category(chr(point)) in ("Zs", "Zl", "Zp", "Nd", "Cf")]
TRAPS += [chr(point) for point in (*range(0x300, 0x370), *range(0x1100, 0x1200), *range(0xfe00, 0xfe10))]
KNOWN = []  # of the tokenizer: its added tokens, their halves, some of its tokens


def know(tokenizer):
    """What texts of this tokenizer are made of."""
    added = [token.content for token in tokenizer.get_added_tokens_decoder().values()][:400]
    halves = [half for token in added for half in (token[:-1], token[1:], token[:len(token) // 2], token.swapcase())]
    pieces = sorted(tokenizer.get_vocab())
    KNOWN[:] = added * 3 + halves + pieces[::max(1, len(pieces) // 2000)]


# --- Post-processors

def special(rng, vocabulary):
    """A token of the vocabulary, or a name or an id that is not there."""
    token = rng.choice(vocabulary)
    how = rng.random()
    if how < 0.8:
        return token
    return ("[odd]", token[1]) if how < 0.9 else (token[0], rng.randrange(2 ** 32))


def template_pieces(rng, names, is_pair):
    sequences = ["A", "B"] if is_pair else ["A"]
    if rng.random() < 0.1:
        sequences = rng.choice((["A", "A"], ["B", "A"], ["A", "B", "A"], [], ["B"]))
    pieces = [{"Sequence": {"id": name, "type_id": rng.choice((0, 0, 1, 2, 7))}}
              for name in sequences]
    for _ in range(rng.randrange(4)):
        name = rng.choice(names) if rng.random() < 0.98 else "[missing]"
        pieces.insert(rng.randint(0, len(pieces)),
                      {"SpecialToken": {"id": name, "type_id": rng.choice((0, 1, 3))}})
    return pieces


def template(rng, vocabulary):
    names = ["[CLS]", "[SEP]", "a b", "", "[MANY]"]
    tokens = {}
    for name in names:
        ids = [special(rng, vocabulary) for _ in range(rng.choice((1, 1, 1, 2, 3, 0)))]
        tokens[name] = {"id": name, "ids": [i for _, i in ids], "tokens": [t for t, _ in ids]}
    return {"type": "TemplateProcessing", "single": template_pieces(rng, names, False),
            "pair": template_pieces(rng, names, True), "special_tokens": tokens}


def processor(rng, vocabulary, depth=0):
    kind = rng.choice(("bert", "roberta", "bytes", "template", "template", "sequence"))
    flags = {"trim_offsets": rng.random() < 0.7, "add_prefix_space": rng.random() < 0.5}
    pairs = {"sep": special(rng, vocabulary), "cls": special(rng, vocabulary)}
    if kind == "bert":
        return {"type": "BertProcessing", **pairs}
    if kind == "roberta":
        return {"type": "RobertaProcessing", **pairs, **flags}
    if kind == "bytes":
        return {"type": "ByteLevel", "use_regex": True, **flags}
    if kind == "template" or depth > 1:
        return template(rng, vocabulary)
    return {"type": "Sequence", "processors": [processor(rng, vocabulary, depth + 1)
                                               for _ in range(rng.choice((0, 1, 2, 2, 3)))]}


def configured(rng, document):
    """Truncation and padding that stand in the file."""
    document["truncation"] = rng.choice((None, {
        "direction": rng.choice(("Left", "Right")), "max_length": rng.choice((0, 1, 3, 6, 10)),
        "strategy": rng.choice(("LongestFirst", "OnlyFirst", "OnlySecond")),
        "stride": rng.choice((0, 0, 1, 4))}))
    document["padding"] = rng.choice((None, {
        "strategy": rng.choice(("BatchLongest", {"Fixed": rng.randrange(20)})),
        "direction": rng.choice(("Left", "Right")),
        "pad_to_multiple_of": rng.choice((None, 0, 3, 8)), "pad_id": rng.randrange(200),
        "pad_type_id": rng.randrange(3), "pad_token": rng.choice(("[PAD]", "", "\u4e2d"))}))


# --- Cases

def odd_text(rng):
    parts = []
    for _ in range(rng.choice((1, 2, 4, 9))):
        how = rng.random()
        if how < 0.5:
            parts.append(golden_texts.random_text(rng, rng.choice((3, 10))))
        elif how < 0.8:
            parts.append(rng.choice(KNOWN) + rng.choice(("", "", " ", "a")))
        else:
            parts.append(rng.choice(TRAPS) * rng.choice((1, 1, 2)))
    return "".join(parts)


def text(rng):
    if rng.random() < 0.6:
        return odd_text(rng)
    return rng.choice(("", " ", "")).join(
        rng.choice(WORDS) + rng.choice((" ", " ", "", "  "))
        for _ in range(rng.choice((0, 1, 1, 3, 8, 20))))


def words(rng):
    return [rng.choice(WORDS) + rng.choice(("", "", " x", "'s", "."))
            for _ in range(rng.choice((0, 1, 2, 5, 12)))]


def document(rng, is_split):
    make = words if is_split else text
    return [make(rng)] + ([make(rng)] if rng.random() < 0.4 else [])


def random_truncation(rng):
    options = {"max_length": rng.choice((0, 1, 2, 3, 4, 5, 6, 8, 10, 16, 64, 2 ** 40))}
    if rng.random() < 0.6:
        options["stride"] = rng.choice((0, 1, 2, 3, 5, 9))
    if rng.random() < 0.7:
        options["strategy"] = rng.choice(("longest_first", "only_first", "only_second"))
    if rng.random() < 0.6:
        options["direction"] = rng.choice(("left", "right"))
    return options


def random_padding(rng):
    options = {}
    if rng.random() < 0.5:
        options["length"] = rng.choice((None, 0, 1, 5, 13, 40))
    if rng.random() < 0.5:
        options["direction"] = rng.choice(("left", "right"))
    if rng.random() < 0.5:
        options["pad_to_multiple_of"] = rng.choice((None, 0, 1, 3, 8))
    if rng.random() < 0.4:
        options.update(pad_id=rng.randrange(2 ** 32), pad_type_id=rng.randrange(9),
                       pad_token=rng.choice(("", "[X]", "\u00e9")))
    return options


def case(rng):
    is_split = rng.random() < 0.3
    options = {"add_special_tokens": rng.random() < 0.7}
    if rng.random() < 0.15:
        options["as_configured"] = True
    else:
        if rng.random() < 0.7:
            options["truncation"] = random_truncation(rng)
        if rng.random() < 0.4:
            options["padding"] = random_padding(rng)
    if rng.random() < 0.1:
        options["encode_special_tokens"] = True
    count = rng.choice((None, None, None, 0, 1, 2, 5))
    made = [document(rng, is_split) for _ in range(1 if count is None else count)]
    return {"is_split": is_split, "is_batch": count is not None, "documents": made,
            "options": options}


def line(one):
    def item(made):
        name = "words" if one["is_split"] else "text"
        return {name: made[0], **({"pair": made[1]} if len(made) > 1 else {})}
    documents = [item(made) for made in one["documents"]]
    return {**({"batch": documents} if one["is_batch"] else documents[0]),
            "options": one["options"]}


# --- Both sides

class Program:
    def __init__(self, path):
        self.path = path

    def encode(self, file, cases):
        command = [self.path, "encode", "--tokenizer", file, "--input-format", "jsonl",
                   "--fields", ",".join(FIELDS + ("overflowing",))]
        data = "".join(json.dumps(line(one)) + "\n" for one in cases)
        done = subprocess.run(command, input=data.encode(), capture_output=True, check=False)
        if done.returncode == 3:
            return None, done.stderr.decode()
        answers = [json.loads(answer) for answer in done.stdout.splitlines()]
        if len(answers) != len(cases) or done.returncode not in (0, 1):
            sys.exit(f"{' '.join(command)}: {len(answers)} answers to {len(cases)} lines, exit "
                     f"{done.returncode}: {done.stderr.decode()[-1000:]}")
        return answers, ""


def shown(encoding, with_overflowing=True):
    fields = {name: getattr(encoding, name) for name in FIELDS}
    fields["offsets"] = [list(pair) for pair in encoding.offsets]
    if with_overflowing:
        fields["overflowing"] = [shown(other, False) for other in encoding.overflowing]
    return fields


class Reference:
    def __init__(self, file):
        self.tokenizer = Tokenizer.from_file(file)
        self.configured = Tokenizer.from_file(file)

    def _prepared(self, options):
        tokenizer = self.configured if options.get("as_configured") else self.tokenizer
        tokenizer.encode_special_tokens = options.get("encode_special_tokens", False)
        if tokenizer is self.configured:
            return tokenizer
        tokenizer.no_truncation()
        tokenizer.no_padding()
        if options.get("truncation"):
            tokenizer.enable_truncation(**options["truncation"])
        if options.get("padding") is not None:
            tokenizer.enable_padding(**options["padding"])
        return tokenizer

    def encode(self, one):
        try:
            tokenizer = self._prepared(one["options"])
            flags = {"is_pretokenized": one["is_split"],
                     "add_special_tokens": one["options"]["add_special_tokens"]}
            if one["is_batch"]:
                inputs = [tuple(made) if len(made) > 1 else made[0] for made in one["documents"]]
                return {"batch": [shown(e) for e in tokenizer.encode_batch(inputs, **flags)]}
            return shown(tokenizer.encode(*one["documents"][0], **flags))
        except BaseException as error:  # its panics are no Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            return {"error": str(error)}


class Quiet:
    """Panics print where they come from."""

    def __enter__(self):
        self.kept = os.dup(2)
        self.null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(self.null, 2)

    def __exit__(self, *unused):
        os.dup2(self.kept, 2)
        os.close(self.null)
        os.close(self.kept)


def same(expected, found):
    if "error" in expected or "error" in found:
        return "error" in expected and "error" in found
    if "batch" in expected:
        return len(expected["batch"]) == len(found["batch"]) and all(
            map(same, expected["batch"], found["batch"]))
    if any(expected[name] != found.get(name) for name in FIELDS):
        return False
    over, other = expected.get("overflowing", []), found.get("overflowing", [])
    return len(over) == len(other) and all(map(same, over, other))


class Comparison:
    def __init__(self, program, show):
        self.program, self.show = program, show
        self.compared = self.equal = self.errors = 0

    def differing(self, file, cases):
        with Quiet():
            reference = Reference(file)
            expected = [reference.encode(one) for one in cases]
        found, why = self.program.encode(file, cases)
        if found is None:
            return [(None, "loads", why)]
        self.errors += sum("error" in answer for answer in expected)
        return [triple for triple in zip(cases, expected, found) if not same(*triple[1:])]

    def shorter(self, one):
        for at in range(len(one["documents"])):
            if one["is_batch"]:
                yield {**one, "documents": one["documents"][:at] + one["documents"][at + 1:]}
            for part, value in enumerate(one["documents"][at]):
                for size in sorted({len(value) // 2, 1}, reverse=True):
                    for begin in range(0, len(value), max(size, 1)):
                        made = list(one["documents"][at])
                        made[part] = value[:begin] + value[begin + max(size, 1):]
                        yield {**one, "documents": one["documents"][:at] + [made]
                               + one["documents"][at + 1:]}
        for name in set(one["options"]) - {"add_special_tokens"}:
            yield {**one, "options": {k: v for k, v in one["options"].items() if k != name}}

    def shortest(self, file, one):
        for _ in range(20):
            differences = self.differing(file, list(self.shorter(one)))
            if not differences or differences[0][0] is None:
                return one
            one = differences[0][0]
        return one

    def run(self, file, cases):
        differences = self.differing(file, cases)
        self.compared += len(cases)
        self.equal += len(cases) - len(differences)
        for one, expected, found in differences[:self.show]:
            if one is None:
                print(f"  {file} does not load: {found}")
                self.equal -= len(cases) - 1
                break
            one = self.shortest(file, one)
            [(_, expected, found)] = self.differing(file, [one]) or [(0, "equal", "alone")]
            print(f"  {ascii(line(one))}\n    reference {ascii(expected)[:1500]}\n"
                  f"    found     {ascii(found)[:1500]}", flush=True)
        return len(differences)


def loads(file):
    with Quiet():
        try:
            Tokenizer.from_file(file)
            return True
        except BaseException:
            return False


def compare(comparison, arguments, path, folder, rng):
    know(Tokenizer.from_file(path))
    cases = [case(rng) for _ in range(arguments.cases)]
    differences = comparison.run(path, cases)
    print(f"{path}: {len(cases) - differences} of {len(cases)} equal", flush=True)
    with open(path, encoding="utf-8") as file:
        original = json.load(file)
    vocabulary = sorted(Tokenizer.from_file(path).get_vocab().items())[:400]
    for number in range(arguments.chains):
        changed = {**original, "post_processor":
                   None if number == 0 else processor(rng, vocabulary)}
        configured(rng, changed)
        file = os.path.join(folder, "chain.json")
        with open(file, "w", encoding="utf-8") as out:
            json.dump(changed, out)
        if not loads(file):
            continue
        cases = [case(rng) for _ in range(arguments.cases)]
        if comparison.run(file, cases):
            print(f"  with {json.dumps(changed['post_processor'])}, "
                  f"{json.dumps(changed['truncation'])}, {json.dumps(changed['padding'])}")
    print(f"{path}, with {arguments.chains} other post-processors", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--chains", type=int, default=40)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("tokenizers", nargs="+")
    arguments = parser.parse_args()
    if tokenizers.__version__ != "0.23.3":
        sys.exit(f"the reference is 0.23.3, not {tokenizers.__version__}")
    print(f"seed {arguments.seed}")
    comparison = Comparison(Program(arguments.program), arguments.show)
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.tokenizers:
            compare(comparison, arguments, path, folder, rng)
    print(f"{comparison.errors} refused by the reference")
    print(f"{comparison.equal} of {comparison.compared} equal")
    sys.exit(comparison.equal != comparison.compared)


if __name__ == "__main__":
    main()
