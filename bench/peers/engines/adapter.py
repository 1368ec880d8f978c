# SPDX-License-Identifier: Apache-2.0
"""What an engine has to have to be measured.

    load(files)       makes it; files["json"], files["sentencepiece"] (may be None); raises what it raises
    encode(text)      one document, in the cheapest way that the engine has; what it gives is not looked at
                      while the clock runs
    encode_batch(texts)
    ids_of(result), ids_of_batch(result)   when the clock has stopped: ids as the reference has them

encode and encode_batch are called as attributes of the object: load() may put the engine's own there.
"""
from array import array

assert array("I").itemsize == 4


class Unsupported(Exception):
    """The engine cannot be asked this; the message says why."""


def as_ids(values):
    """Of a list, of bytes in this machine's order, or of an array of numpy, which this module does not need."""
    ids = array("I")
    if isinstance(values, (bytes, bytearray, memoryview)):
        ids.frombytes(values)
    elif getattr(values, "itemsize", 0) == 4 and hasattr(values, "tobytes"):
        ids.frombytes(values.tobytes())
    else:
        ids.extend(values.tolist() if hasattr(values, "tolist") else values)
    return ids


def bounds_of(values):
    """Where documents begin and end: bytes of numbers of 8 bytes."""
    bounds = array("Q")
    bounds.frombytes(values)
    return bounds


def joined(parts):
    """Ids of all documents one after the other, and how many each has."""
    ids = array("I")
    for part in parts:
        ids.extend(part)
    return ids, array("I", map(len, parts))


class Engine:
    mark = "?"  # in tables
    title = "?"
    package = "?"  # what load() imports
    requires = ()  # for pip, versions pinned
    note = ""  # what a reader of its figures should know
    takes_rewritten = False  # may be given a file that rewrite.py made, where it cannot load the original
    has_offsets = False  # of the reference's kind: encode_offsets(text), pairs_of(result)

    def __init__(self, threads):
        self.threads = threads

    def load(self, files):
        raise NotImplementedError

    def encode(self, text):
        raise NotImplementedError

    def encode_batch(self, texts):
        raise Unsupported("no batch call")

    def ids_of(self, result):
        return as_ids(result)

    def ids_of_batch(self, result):
        return joined([self.ids_of(each) for each in result])


class FlatBatches(Engine):
    """Batches come as two buffers: ids of all documents (uint32), and where each begins and ends (uint64)."""
    drop_first, drop_last = 0, 0  # ids of each document that its template added

    def ids_of_batch(self, result):
        ids, bounds = as_ids(result[0]), bounds_of(result[1])
        return joined([ids[begin + self.drop_first:end - self.drop_last] for begin, end in zip(bounds[:-1], bounds[1:])])
