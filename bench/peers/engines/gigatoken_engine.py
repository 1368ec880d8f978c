# SPDX-License-Identifier: Apache-2.0
from engines.adapter import Engine, as_ids


class Adapter(Engine):
    mark, title = "G", "gigatoken 0.10.0"
    package = "gigatoken"
    requires = ("gigatoken==0.10.0",)
    note = "encode of its backend: a numpy array of ids"

    def load(self, files):
        import gigatoken
        self.backend = gigatoken.Tokenizer(files["json"]).backend
        self.encode = self.backend.encode

    def encode_batch(self, texts):
        return self.backend.encode_batch(texts, parallel=self.threads > 1)

    def ids_of_batch(self, result):
        import awkward
        return as_ids(awkward.to_numpy(awkward.flatten(result))), as_ids(awkward.to_numpy(awkward.num(result)))
