#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare every code point, and clusters of several, with the live references.

    pip install tokenizers==0.23.3 tiktoken==0.14.0 sentencepiece==0.2.3 numpy regex
    tests/differential/code_points.py --program build/bin/budtiktok FILE...
        [--pattern REGEX] [--code-points 0-10FFFF] [--clusters TEXT.txt ...] [--show 5]

FILEs are tokenizer.json, .model, and .tiktoken (all with the one --pattern). Each code point stands alone,
between letters and behind a space, and so do the 2,000 grapheme clusters of several code points that the
TEXTs have most often. Compared are ids, and places for tokenizer.json. Made for speed, a minute or two a
tokenizer; sweep.py compares all fields. Last line: "N of M equal"; exit 1 if not all are.
"""
import argparse
import collections
import json
import subprocess
import sys

FORMS = ("{}", "a{}b", " {}")
AT_ONCE = 60_000
CLUSTERS = 2000


def reference_of(path, pattern):
    """A function from texts to what is to be equal: ids, or ids and places."""
    if path.endswith(".model"):
        import sentencepiece
        return sentencepiece.SentencePieceProcessor(model_file=path).encode
    if path.endswith(".tiktoken"):
        import tiktoken
        from tiktoken.load import load_tiktoken_bpe
        encoding = tiktoken.Encoding("swept", pat_str=pattern, mergeable_ranks=load_tiktoken_bpe(path),
                                     special_tokens={})
        return lambda texts: [encoding.encode_ordinary(text) for text in texts]
    import tokenizers
    tokenizer = tokenizers.Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return lambda texts: [(found.ids, [list(place) for place in found.offsets])
                          for found in tokenizer.encode_batch(texts, add_special_tokens=False)]


def program_of(program, path, pattern):
    has_places = not path.endswith((".model", ".tiktoken"))
    command = [program, "encode", "--tokenizer", path, "--input-format", "jsonl", "--no-special-tokens",
               "--fields", "ids,offsets" if has_places else "ids"]
    if path.endswith(".tiktoken") and pattern:
        command += ["--pattern", pattern]

    def encode(texts):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        done = subprocess.run(command, input=lines.encode(), stdout=subprocess.PIPE, check=False)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if len(answers) != len(texts):
            sys.exit(f"{' '.join(command)}: {len(answers)} answers to {len(texts)} texts")
        return [(answer.get("ids"), answer.get("offsets")) if has_places else answer.get("ids")
                for answer in answers]
    return encode


def code_points(first, last):
    return (chr(point) for point in range(first, last + 1) if not 0xd800 <= point <= 0xdfff)


def frequent_clusters(paths):
    import regex
    count = collections.Counter()
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as file:
            count.update(cluster for cluster in regex.findall(r"\X", file.read(8_000_000))
                         if len(cluster) > 1 and cluster != "\r\n")
    return [cluster for cluster, _ in count.most_common(CLUSTERS)]


def batches(strings):
    batch = []
    for string in strings:
        batch += [form.format(string) for form in FORMS]
        if len(batch) >= AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def compare(strings, reference, program, show):
    equal = count = 0
    for texts in batches(strings):
        for text, wanted, found in zip(texts, reference(texts), program(texts)):
            count += 1
            equal += wanted == found
            if wanted != found and show:
                show -= 1
                print(f"    {text!r}\n        wanted {wanted}\n        found  {found}", flush=True)
    return equal, count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/budtiktok")
    parser.add_argument("--pattern")
    parser.add_argument("--code-points", default="0-10FFFF")
    parser.add_argument("--clusters", nargs="*", default=[])
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    first, last = (int(end, 16) for end in arguments.code_points.split("-"))
    clusters = frequent_clusters(arguments.clusters)
    all_equal = all_count = 0
    for path in arguments.files:
        reference = reference_of(path, arguments.pattern)
        program = program_of(arguments.program, path, arguments.pattern)
        equal, count = compare((string for part in (clusters, code_points(first, last)) for string in part),
                               reference, program, arguments.show)
        print(f"{path}: {equal} of {count} equal", flush=True)
        all_equal, all_count = all_equal + equal, all_count + count
    print(f"{all_equal} of {all_count} equal")
    sys.exit(all_equal != all_count)


if __name__ == "__main__":
    main()
