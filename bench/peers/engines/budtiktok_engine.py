# SPDX-License-Identifier: Apache-2.0
import ctypes
import os
from array import array

from engines.adapter import Engine


class Info(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("offset", ctypes.c_uint64), ("message", ctypes.c_char * 512)]


class Encoding(ctypes.Structure):
    _fields_ = [("capacity", ctypes.c_size_t), ("count", ctypes.c_size_t)] + [
        (name, ctypes.c_void_p)
        for name in ("ids", "offsets", "type_ids", "word_ids", "special_tokens_mask", "sources")]


class Adapter(Engine):
    """Ours from Python, for --load: speed is measured by budtiktok-bench, which needs no Python."""
    mark, title = "B", "budtiktok"
    package = "ctypes"
    note = "the library through ctypes"

    def load(self, files):
        self.library = ctypes.CDLL(os.environ["BUDTIKTOK_LIBRARY"])
        self.library.btk_encode_bound.restype = ctypes.c_size_t
        self.info, self.tokenizer, self.scratch = Info(), ctypes.c_void_p(), ctypes.c_void_p()
        self.options = ctypes.create_string_buffer(4)  # struct btk_encode_options: no special tokens, and the defaults
        self.check(self.library.btk_tokenizer_open(files["json"].encode(), ctypes.byref(self.tokenizer),
                                                   ctypes.byref(self.info)))
        self.check(self.library.btk_scratch_new(self.tokenizer, ctypes.byref(self.scratch), ctypes.byref(self.info)))

    def check(self, status):
        if status:
            raise ValueError(self.info.message.decode())

    def encode(self, text):
        data = text.encode()
        room = self.library.btk_encode_bound(self.tokenizer, ctypes.c_size_t(len(data)), self.options)
        ids = array("I", bytes(4 * room))
        encoding = Encoding(capacity=room, ids=ids.buffer_info()[0])
        self.check(self.library.btk_encode(self.tokenizer, self.scratch, data, ctypes.c_size_t(len(data)), self.options,
                                           ctypes.byref(encoding), ctypes.byref(self.info)))
        return ids[:encoding.count]

    def encode_batch(self, texts):
        return [self.encode(text) for text in texts]
