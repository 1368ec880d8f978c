# SPDX-License-Identifier: Apache-2.0
from engines.flat_json import FlatJson


class Adapter(FlatJson):
    mark, title = "s", "snaptokens 0.2.6"
    package = "snaptokens"
    requires = ("snaptokens==0.2.6",)

    def load(self, files):
        from snaptokens import _native
        self.load_class(_native.Tokenizer, files)
