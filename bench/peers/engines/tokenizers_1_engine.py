# SPDX-License-Identifier: Apache-2.0
from engines.adapter import Engine


class Adapter(Engine):
    mark, title = "H", "tokenizers 1.0.0rc3"
    package = "tokenizers"
    requires = ("tokenizers==1.0.0rc3",)
    note = "encode().ids_array; it has no offsets"

    def load(self, files):
        import tokenizers
        self.tokenizer = tokenizers.Tokenizer.from_file(files["json"])
        self.tokenizer.padding = None
        self.tokenizer.truncation = None
        self.call = self.tokenizer.encode

    def encode(self, text):
        return self.call(text, add_special_tokens=False).ids_array

    def encode_batch(self, texts):
        return [encoding.ids_array for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=False)]
