# SPDX-License-Identifier: Apache-2.0
from engines.adapter import Engine, Unsupported


class Adapter(Engine):
    mark, title = "P", "sentencepiece 0.2.3"
    package = "sentencepiece"
    requires = ("sentencepiece==0.2.3",)
    note = "the .model file that the tokenizer was made of"

    def load(self, files):
        import sentencepiece
        if not files["sentencepiece"]:
            raise Unsupported("there is no SentencePiece model of this tokenizer")
        self.processor = sentencepiece.SentencePieceProcessor(model_file=files["sentencepiece"])
        self.call = self.processor.encode

    def encode(self, text):
        return self.call(text, out_type=int)

    def encode_batch(self, texts):
        return self.call(texts, out_type=int, num_threads=self.threads)
