# SPDX-License-Identifier: Apache-2.0
from engines.adapter import Engine, as_ids


class Adapter(Engine):
    """The reference: as cheap as it can be called where it is measured, plainly where it answers."""
    mark, title = "R", "tokenizers 0.23.3"
    package = "tokenizers"
    requires = ("tokenizers==0.23.3",)
    note = "encode_batch_fast of one text (no offsets), cheaper than encode().ids; with offsets: encode()"
    has_offsets = True

    def load(self, files):
        import tokenizers
        if tokenizers.__version__ != "0.23.3":
            raise ValueError(f"the reference is tokenizers 0.23.3, not {tokenizers.__version__}")
        self.tokenizer = tokenizers.Tokenizer.from_file(files["json"])
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.call = self.tokenizer.encode_batch_fast

    def encode(self, text):
        return self.call([text], add_special_tokens=False)[0].ids

    def encode_batch(self, texts):
        return [encoding.ids for encoding in self.call(texts, add_special_tokens=False)]

    def encode_offsets(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False)

    def pairs_of(self, result):
        """Ids, and offsets in characters: begin and end of each token."""
        return as_ids(result.ids), as_ids([place for pair in result.offsets for place in pair])
