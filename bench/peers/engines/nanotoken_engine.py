# SPDX-License-Identifier: Apache-2.0
from engines.adapter import Engine, as_ids, bounds_of, joined


class Adapter(Engine):
    mark, title = "N", "nanotoken 0.1.0"
    package = "nanotoken"
    requires = ("nanotoken==0.1.0",)
    note = "encode of its backend: a numpy array of ids; WordPiece only"

    def load(self, files):
        import nanotoken
        self.backend = nanotoken.Tokenizer(files["json"]).backend
        self.call = self.backend.encode

    def encode(self, text):
        return self.call(text, add_special_tokens=False)

    def encode_batch(self, texts):
        return self.backend.encode_batch(texts, add_special_tokens=False, parallel=self.threads > 1)

    def ids_of_batch(self, result):
        ids, bounds = as_ids(result[0]), bounds_of(result[1].tobytes())
        return joined([ids[begin:end] for begin, end in zip(bounds[:-1], bounds[1:])])
