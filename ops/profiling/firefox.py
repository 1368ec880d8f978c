# SPDX-License-Identifier: Apache-2.0
"""The processed profile format of the Firefox Profiler, in its version 61.

Tables are objects of columns of equal length, and refer to each other by index:

    thread.samples.stack -> stackTable -> frameTable -> funcTable -> stringArray
                            (prefix: the caller's stack)       `---> resourceTable -> libs

Newer versions of the viewer convert it when they load it."""
import os
import time

VERSION = 61
CATEGORIES = [
    {"name": "Other", "color": "grey", "subcategories": ["Other"]},
    {"name": "BudTikTok", "color": "blue", "subcategories": ["Other"]},
    {"name": "Libraries", "color": "green", "subcategories": ["Other"]},
    {"name": "Kernel", "color": "orange", "subcategories": ["Other"]},
]
OTHER, OWN, LIBRARIES, KERNEL = range(4)
RESOURCE_LIBRARY = 1


def category_of(library):
    if library.startswith("[kernel") or library.endswith(".ko"):
        return KERNEL
    if "budtiktok" in library:
        return OWN
    return LIBRARIES if ".so" in library or library == "[vdso]" else OTHER


class Rows:
    """A table whose rows are found by what stands in them."""

    def __init__(self):
        self.indices = {}

    def index(self, row):
        return self.indices.setdefault(row, len(self.indices))

    def column(self, at):
        return [row[at] for row in self.indices]

    def __len__(self):
        return len(self.indices)


class Tables:
    def __init__(self):
        self.strings, self.libraries = Rows(), Rows()
        self.functions = Rows()  # (name, library)
        self.frames = Rows()     # (function, category)
        self.stacks = Rows()     # (prefix or None, frame)

    def string(self, text):
        return self.strings.index((text,))

    def stack(self, frames):
        prefix = None
        for frame in frames:
            function = self.functions.index((self.string(frame.symbol), self.libraries.index((frame.library,))))
            prefix = self.stacks.index((prefix, self.frames.index((function, category_of(frame.library)))))
        return prefix

    def shared(self):
        names = [self.string(library) for (library,) in list(self.libraries.indices)]
        functions, frames, stacks = len(self.functions), len(self.frames), len(self.stacks)
        return {
            "stackTable": {"prefix": self.stacks.column(0), "frame": self.stacks.column(1), "length": stacks},
            "frameTable": {
                "address": [-1] * frames, "inlineDepth": [0] * frames,
                "category": self.frames.column(1), "subcategory": [0] * frames,
                "func": self.frames.column(0), "nativeSymbol": [None] * frames,
                "innerWindowID": [None] * frames, "line": [None] * frames, "column": [None] * frames,
                "length": frames,
            },
            "funcTable": {
                "name": self.functions.column(0), "isJS": [False] * functions,
                "relevantForJS": [False] * functions, "resource": self.functions.column(1),
                "source": [None] * functions, "lineNumber": [None] * functions,
                "columnNumber": [None] * functions, "length": functions,
            },
            "resourceTable": {
                "lib": list(range(len(names))), "name": names, "host": [None] * len(names),
                "type": [RESOURCE_LIBRARY] * len(names), "length": len(names),
            },
            "nativeSymbols": {"libIndex": [], "address": [], "name": [], "functionSize": [], "length": 0},
            "sources": {"id": [], "filename": [], "startLine": [], "startColumn": [], "sourceMapURL": [],
                        "length": 0},
            "stringArray": self.strings.column(0),
        }

    def libs(self):
        return [{"arch": os.uname().machine, "name": name, "path": name, "debugName": name, "debugPath": name,
                 "breakpadId": "0" * 33, "codeId": None} for name in self.libraries.column(0)]


def empty_markers():
    return {"data": [], "name": [], "startTime": [], "endTime": [], "phase": [], "category": [], "length": 0}


def make_thread(tables, samples, begin_s):
    first = samples[0]
    times = [(sample.time_s - begin_s) * 1000 for sample in samples]
    return {
        "processType": "default", "processName": first.process, "processStartupTime": 0,
        "processShutdownTime": None, "registerTime": 0, "unregisterTime": None, "pausedRanges": [],
        "name": first.process if first.pid == first.tid else f"thread {first.tid}",
        "isMainThread": first.pid == first.tid, "pid": str(first.pid), "tid": first.tid,
        "samples": {"stack": [tables.stack(sample.frames) for sample in samples], "time": times,
                    "weight": None, "weightType": "samples", "length": len(samples)},
        "markers": empty_markers(),
    }


def convert(recording, title, frequency):
    tables, threads = Tables(), {}
    for sample in recording.samples:
        threads.setdefault((sample.pid, sample.tid), []).append(sample)
    begin_s = min(sample.time_s for sample in recording.samples)
    end_s = max(sample.time_s for sample in recording.samples)
    made = [make_thread(tables, sorted(threads[key], key=lambda sample: sample.time_s), begin_s)
            for key in sorted(threads)]
    shared = tables.shared()
    return {
        "meta": {
            "interval": 1000 / frequency, "startTime": (time.time() - (end_s - begin_s)) * 1000,
            "processType": 0, "categories": CATEGORIES, "product": title, "stackwalk": 1, "version": 24,
            "preprocessedProfileVersion": VERSION, "symbolicated": True, "markerSchema": [],
            "platform": "Linux", "oscpu": " ".join((os.uname().sysname, os.uname().release)),
            "importedFrom": "budtiktok ops/profile", "usesOnlyOneStackType": True,
            "sourceCodeIsNotOnSearchfox": True, "keepProfileThreadOrder": True,
        },
        "libs": tables.libs(),
        "shared": shared,
        "threads": made,
    }
