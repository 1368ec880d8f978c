# SPDX-License-Identifier: Apache-2.0
"""fastokens and snaptokens have the same calls."""
from engines.adapter import FlatBatches


class FlatJson(FlatBatches):
    takes_rewritten = True
    note = "encode_batch_flat of one text: ids as bytes, cheaper than encode().ids"

    def load_class(self, tokenizer_class, files):
        self.tokenizer = tokenizer_class.from_file(files["json"])
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.encode_batch = self.tokenizer.encode_batch_flat  # special tokens are not added unless asked for

    def encode(self, text):
        return self.encode_batch([text])[0]
