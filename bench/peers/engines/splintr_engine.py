# SPDX-License-Identifier: Apache-2.0
from engines.adapter import FlatBatches, as_ids


class Adapter(FlatBatches):
    mark, title = "S", "splintr-rs 0.22.0"
    package = "splintr"
    requires = ("splintr-rs==0.22.0",)
    note = "encode_flat: ids as bytes; it always adds the template's tokens, which are cut off before ids are compared"

    def load(self, files):
        import splintr
        self.tokenizer = splintr.from_json(files["json"])
        self.encode, self.encode_batch = self.tokenizer.encode_flat, self.tokenizer.encode_batch_flat
        with_template, plain = self.tokenizer.encode("a"), self.tokenizer.encode_raw("a")
        self.drop_first = next(i for i in range(len(with_template)) if with_template[i:i + len(plain)] == plain)
        self.drop_last = len(with_template) - len(plain) - self.drop_first

    def ids_of(self, result):
        ids = as_ids(result)
        return ids[self.drop_first:len(ids) - self.drop_last]
