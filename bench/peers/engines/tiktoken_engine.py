# SPDX-License-Identifier: Apache-2.0
import json

from engines.adapter import Engine, Unsupported

GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def byte_of_character():
    """The printable stand-ins of bytes in a byte-level vocabulary, as GPT-2 chose them."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{chr(byte): byte for byte in plain}, **{chr(256 + i): byte for i, byte in enumerate(others)}}


def pattern_of(pretokenizer):
    """The one expression that cuts the text; a chain of them is more than tiktoken can be given."""
    steps = (pretokenizer or {}).get("pretokenizers", [pretokenizer])
    patterns = [step["pattern"].get("Regex") for step in steps if step and step["type"] == "Split"]
    patterns += [GPT2_PATTERN for step in steps if step and step["type"] == "ByteLevel" and step.get("use_regex", True)]
    kinds = {step["type"] for step in steps if step}
    if len(patterns) != 1 or not patterns[0] or not kinds <= {"Split", "ByteLevel"}:
        raise Unsupported("tiktoken takes one expression and no other pre-tokenizer")
    return patterns[0]


def ranks_of(model):
    stand_ins = byte_of_character()
    if "merges" not in model or model.get("byte_fallback"):
        raise Unsupported("tiktoken has byte-level BPE only")
    return {bytes(stand_ins[character] for character in token): number for token, number in model["vocab"].items()
            if token and all(character in stand_ins for character in token)}


class Adapter(Engine):
    mark, title = "T", "tiktoken 0.14.0"
    package = "tiktoken"
    requires = ("tiktoken==0.14.0",)
    note = "encode_ordinary: a list; ranks and expression are those of tokenizer.json"

    def load(self, files):
        import tiktoken
        with open(files["json"], encoding="utf-8") as file:
            tokenizer = json.load(file)
        self.encoding = tiktoken.Encoding("peer", pat_str=pattern_of(tokenizer["pre_tokenizer"]),
                                          mergeable_ranks=ranks_of(tokenizer["model"]), special_tokens={})
        self.encode = self.encoding.encode_ordinary

    def encode_batch(self, texts):
        return self.encoding.encode_ordinary_batch(texts, num_threads=self.threads)
