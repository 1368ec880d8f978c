# SPDX-License-Identifier: Apache-2.0
from engines.flat_json import FlatJson


class Adapter(FlatJson):
    mark, title = "F", "fastokens 0.3.5"
    package = "fastokens"
    requires = ("fastokens==0.3.5",)

    def load(self, files):
        from fastokens import _native
        self.load_class(_native.Tokenizer, files)
