#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare GGUF files with llama.cpp.

    pip install gguf sentencepiece==0.2.3 numpy regex; npm install node-llama-cpp   (in a folder of its own)
    tests/differential/gguf_models.py --node FOLDER [--program build/bin/budtiktok] [--code-points 0-10FFFF]
        [--random 20000] [--show 5] [--only NAME] [--keep FOLDER] FILE...
    tests/differential/gguf_models.py --node FOLDER --record tests/golden/gguf

FILEs are .model files, written as "llama" or "t5" models, tokenizer.json files of WordPiece, written as "bert" models
once for each way of normalizing, and of byte-level BPE, written as "gpt2" models once for each name of a pre-tokenizer
that is known. Ids are compared, for code points in three surroundings
and for random texts; special tokens are plain text, and once more parsed. Differences are shown, the shortest first.
Last line: "N of M equal"; exit 1 if not all are. --record writes small models of ours and what llama.cpp answers.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/dev"))
import golden_texts  # noqa: E402

FORMS = ("{}", "a{}b", " {}")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
REFERENCE = """
import {getLlama} from "node-llama-cpp";
import {createInterface} from "readline";
const llama = await getLlama({gpu: false, build: "never", logLevel: "disabled"});
const model = await llama.loadModel({modelPath: process.argv[2], vocabOnly: true});
const lines = createInterface({input: process.stdin, crlfDelay: Infinity});
for await (const line of lines) {
    const {text, special} = JSON.parse(line);
    console.log(JSON.stringify(Array.from(model.tokenize(text, special))));
}
process.stdout.write("", () => process.exit(0));
"""


class Llama:
    """llama.cpp by its binding for Node.js."""

    def __init__(self, folder, path):
        self.folder, self.path = folder, path
        self.script = os.path.join(folder, "reference.mjs")
        with open(self.script, "w", encoding="ascii") as file:
            file.write(REFERENCE)

    def encode(self, texts, special):
        # Line separators of JavaScript stay escaped.
        lines = "".join(json.dumps({"text": text, "special": special}) + "\n" for text in texts)
        done = subprocess.run(["node", self.script, self.path], input=lines.encode(), cwd=self.folder,
                              capture_output=True, check=False)
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"[")
                and not line.startswith(b"[node")]
        if len(rows) != len(texts):
            sys.exit(f"llama.cpp: {len(rows)} answers to {len(texts)} texts of {self.path}\n"
                     f"{done.stderr.decode()[-2000:]}")
        return rows


def ask(program, path, texts, special):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run([program, "encode", "--tokenizer", path, "--input-format", "jsonl", "--no-special-tokens",
                           "--special-text", "parse" if special else "plain"], input=lines.encode(),
                          capture_output=True, check=False)
    rows = [json.loads(line).get("ids") for line in done.stdout.splitlines()]
    if len(rows) != len(texts):
        sys.exit(f"{path}: {len(rows)} answers to {len(texts)} texts: {done.stderr.decode()}")
    return rows


# --- Files

def begin(path, model):
    from gguf import GGUFWriter
    writer = GGUFWriter(path, "llama")
    writer.add_tokenizer_model(model)
    return writer


def finish(writer):
    # What every model has, whatever its tokenizer.
    for add, value in ((writer.add_context_length, 128), (writer.add_embedding_length, 32), (writer.add_block_count, 1),
                       (writer.add_head_count, 1), (writer.add_feed_forward_length, 32),
                       (writer.add_rope_dimension_count, 32), (writer.add_layer_norm_rms_eps, 1e-5)):
        add(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_llama(path, pieces, adds_space=None):
    """pieces: (text, score, type)"""
    writer = begin(path, "llama")
    writer.add_token_list([piece[0] for piece in pieces])
    writer.add_token_scores([piece[1] for piece in pieces])
    writer.add_token_types([piece[2] for piece in pieces])
    if adds_space is not None:
        writer.add_add_space_prefix(adds_space)
    finish(writer)


def write_t5(path, pieces, charsmap):
    writer = begin(path, "t5")
    writer.add_token_list([piece[0] for piece in pieces])
    writer.add_token_scores([piece[1] for piece in pieces])
    writer.add_token_types([piece[2] for piece in pieces])
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces(True)
    writer.add_unk_token_id([piece[2] for piece in pieces].index(UNKNOWN))
    writer.add_add_eos_token(False)
    if charsmap:
        writer.add_precompiled_charsmap(charsmap)
    finish(writer)


def charsmap_of(path):
    """Of the normalizer_spec; and is it a unigram model?"""
    from sentencepiece_models import fields
    charsmap, is_unigram = b"", True
    with open(path, "rb") as file:
        for number, value in fields(file.read()):
            if number == 3:
                charsmap = dict(fields(value)).get(2, b"")
            elif number == 2:
                is_unigram = dict(fields(value)).get(3, 1) == 1
    return charsmap, is_unigram


def write_bytes(path, pre, tokens, merges):
    """tokens: (text, type)"""
    writer = begin(path, "gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([token[0] for token in tokens])
    writer.add_token_types([token[1] for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    finish(writer)


# Lower case, strip accents; None: the file does not say.
BERT_WAYS = ((None, None), (False, None), (True, False), (False, True))


def write_bert(path, tokens, way, ends):
    """tokens: (text, type); ends: of [CLS], [SEP], [UNK]"""
    writer = begin(path, "bert")
    writer.add_token_list([token[0] for token in tokens])
    writer.add_token_types([token[1] for token in tokens])
    writer.add_bos_token_id(ends[0])
    writer.add_sep_token_id(ends[1])
    writer.add_unk_token_id(ends[2])
    # Ids that llama.cpp has on its own, and which a small file does not have.
    writer.add_pad_token_id(ends[0])
    writer.add_mask_token_id(ends[0])
    for key, flag in zip(("lowercase", "strip_accents"), way):
        if flag is not None:
            writer.add_bool("tokenizer.ggml.normalizer." + key, flag)
    finish(writer)


def bert_tokens(root):
    """As llama.cpp's own conversion has them: the beginning of a word is marked, not what goes on."""
    special = {token["content"] for token in root["added_tokens"]}
    tokens = []
    for text, _ in sorted(root["model"]["vocab"].items(), key=lambda entry: entry[1]):
        if text in special:
            tokens.append((text, CONTROL))
        else:
            tokens.append((text[2:] if text.startswith("##") else "\u2581" + text, NORMAL))
    return tokens, [root["model"]["vocab"][text] for text in ("[CLS]", "[SEP]", "[UNK]")]


def pieces_of_model(path):
    import sentencepiece
    processor = sentencepiece.SentencePieceProcessor(model_file=path)

    def kind(piece):
        for kind, is_one in ((UNKNOWN, processor.is_unknown), (CONTROL, processor.is_control),
                             (UNUSED, processor.is_unused), (BYTE, processor.is_byte)):
            if is_one(piece):
                return kind
        return NORMAL
    return [(processor.id_to_piece(piece), processor.get_score(piece), kind(piece))
            for piece in range(processor.get_piece_size())]


def tokens_of_json(path):
    with open(path, encoding="utf-8") as file:
        root = json.load(file)
    vocabulary, added = root["model"]["vocab"], root["added_tokens"]
    size = 1 + max([*vocabulary.values(), *(token["id"] for token in added)])
    tokens = [(f"[PAD{number}]", UNUSED) for number in range(size)]
    for text, number in vocabulary.items():
        tokens[number] = (text, NORMAL)
    for token in added:
        tokens[token["id"]] = (token["content"], CONTROL if token["special"] else USER_DEFINED)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in root["model"]["merges"]]
    return tokens, merges


def known_names():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../tokenizer/compile/format/known_gguf.c")
    with open(path, encoding="utf-8") as file:
        lists = re.findall(r"_names\[\] = \{(.*?)NULL\}", file.read(), re.S)
    return [re.findall(r'"([^"]+)"', one)[0] for one in lists]


# --- Texts

def code_point_texts(first, last):
    return [form.format(chr(point)) for point in range(first, last + 1) if not 0xd800 <= point <= 0xdfff
            for form in FORMS]


def random_texts(seed, count, added):
    rng = random.Random(seed)
    texts = [case for _, case in golden_texts.cases(added, random_count=60)]
    while len(texts) < count:
        parts = [golden_texts.random_text(rng, rng.choice((3, 10, 40))) for _ in range(rng.choice((1, 1, 3)))]
        if added and rng.random() < 0.3:
            parts.insert(rng.randrange(len(parts) + 1), rng.choice(added))
        texts.append("".join(parts))
    # The binding takes texts as C strings.
    return [text for text in texts if "\0" not in text]


class Comparison:
    def __init__(self, arguments):
        self.arguments, self.equal, self.count = arguments, 0, 0

    def compare(self, name, path, texts, added):
        llama = Llama(self.arguments.node, path)
        differences = []
        for special in (False, True):
            some = texts if not special else [text for text in texts if any(token in text for token in added)]
            for begin_at in range(0, len(some), 200_000):
                part = some[begin_at:begin_at + 200_000]
                for text, wanted, found in zip(part, llama.encode(part, special),
                                               ask(self.arguments.program, path, part, special)):
                    self.count += 1
                    self.equal += wanted == found
                    if wanted != found:
                        differences.append((len(text), text, special, wanted, found))
        print(f"{name}: {len(differences)} differences", flush=True)
        for _, text, special, wanted, found in sorted(differences, key=lambda one: one[:2])[:self.arguments.show]:
            print(f"    {text!r}, special tokens parsed: {special}\n        wanted {wanted}\n        found  {found}")


def record(arguments):
    """Small models of ours: the pieces of a made-up alphabet, and bytes with some merges."""
    rng = random.Random(1)
    letters = ["\u2581", "a", "b", "c", "\u00e9", "\u4e2d"]
    pieces = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    pieces += [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    texts = dict.fromkeys(letters)
    while len(texts) < 60:
        texts["".join(rng.choice(letters) for _ in range(rng.randint(2, 4)))] = None
    pieces += [(text, -float(rng.randint(0, 40)), NORMAL) for text in texts]
    pieces += [("<tool>", 0.0, USER_DEFINED), ("  ", 0.0, USER_DEFINED), ("<|im_end|>", 0.0, NORMAL)]
    write_llama(os.path.join(arguments.record, "llama.gguf"), pieces)
    write_llama(os.path.join(arguments.record, "llama_no_space.gguf"), pieces, adds_space=False)
    write_t5(os.path.join(arguments.record, "t5.gguf"),
             [piece for piece in pieces if piece[2] != BYTE] + [("abca", -1.0, UNUSED)], b"")
    spelled = [chr(code) if ok else None for code in range(256)
               for ok in [33 <= code <= 126 or 161 <= code <= 172 or 174 <= code <= 255]]
    spare = iter(range(256, 512))
    spelled = [one or chr(next(spare)) for one in spelled]
    tokens = [("<|endoftext|>", CONTROL)] + [(one, NORMAL) for one in spelled]
    merges = []
    while len(merges) < 80:
        left, right = rng.choice(tokens[1:])[0], rng.choice(tokens[1:])[0]
        if rng.random() < 0.9:
            left, right = rng.choice(tokens[60:120])[0], rng.choice(tokens[60:])[0]
        if len(left + right) < 6 and (left + right, NORMAL) not in tokens:
            merges.append(f"{left} {right}")
            tokens.append((left + right, NORMAL))
    tokens.append(("<tool>", USER_DEFINED))
    for pre in ("gpt-2", "llama-bpe", "qwen2"):
        write_bytes(os.path.join(arguments.record, f"{pre.replace('-', '_')}.gguf"), pre, tokens, merges)
    words = ["[UNK]", "[CLS]", "[SEP]", "<tool>"]
    bert = [(word, CONTROL) for word in words]
    parts = dict.fromkeys([*"abcdeinorst0123456789.,!-()$", "\u4e2d", "\u1112", "the", "and", "ing", "\u00e9", "\u0915", "\u1161"])
    bert += [("\u2581" + part, NORMAL) for part in parts] + [(part, NORMAL) for part in parts if part[0].isalnum()]
    for way, name in zip(BERT_WAYS, ("bert", "bert_cased", "bert_accents", "bert_cased_stripped")):
        write_bert(os.path.join(arguments.record, name + ".gguf"), bert, way, (1, 2, 0))
    made = random_texts(3, 200, ["<tool>", "<s>", "<|im_end|>", "<|endoftext|>", "  "])[-120:]
    made += ["a" + one for one in ("b", "bc", " abc", "\u4e2da", "  b c")] + [""]
    for name in sorted(os.listdir(arguments.record)):
        if name.endswith(".gguf"):
            path = os.path.join(arguments.record, name)
            with open(path[:-len("gguf")] + "jsonl", "w", encoding="ascii") as file:
                for text, ids in zip(made, Llama(arguments.node, os.path.abspath(path)).encode(made, False)):
                    file.write(json.dumps({"text": text, "ids": ids}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/budtiktok")
    parser.add_argument("--node", required=True, metavar="FOLDER")
    parser.add_argument("--code-points", default="1-10FFFF")
    parser.add_argument("--random", type=int, default=20000)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--only", help="one name of a pre-tokenizer")
    parser.add_argument("--record", metavar="FOLDER")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    if arguments.record:
        record(arguments)
        return
    comparison = Comparison(arguments)
    first, last = (max(1, int(end, 16)) for end in arguments.code_points.split("-"))
    points = code_point_texts(first, last)
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "made.gguf")
        for path in arguments.files:
            if path.endswith(".model"):
                charsmap, is_unigram = charsmap_of(path)
                if is_unigram:
                    write_t5(made, pieces_of_model(path), charsmap)
                else:
                    write_llama(made, pieces_of_model(path))
                comparison.compare(path, made, points + random_texts(1, arguments.random, ["<s>", "</s>"]),
                                   ["<s>", "</s>"])
                continue
            with open(path, encoding="utf-8") as file:
                root = json.load(file)
            if "merges" not in root["model"]:
                tokens, ends = bert_tokens(root)
                for way in BERT_WAYS:
                    write_bert(made, tokens, way, ends)
                    comparison.compare(f"{path}, {way}", made, points + random_texts(1, arguments.random, ["[SEP]", "[MASK]"]),
                                       ["[SEP]", "[MASK]"])
                continue
            tokens, merges = tokens_of_json(path)
            added = [text for text, kind in tokens if kind in (CONTROL, USER_DEFINED)][:200]
            for pre in [arguments.only] if arguments.only else known_names():
                write_bytes(made, pre, tokens, merges)
                comparison.compare(f"{path}, {pre}", made, points + random_texts(1, arguments.random, added), added)
    print(f"{comparison.equal} of {comparison.count} equal")
    sys.exit(comparison.equal != comparison.count)


if __name__ == "__main__":
    main()
