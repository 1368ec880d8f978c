# SPDX-License-Identifier: Apache-2.0
"""The file format of speedscope: one list of frames, one profile for each thread."""
import collections

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def thread_name(sample):
    return sample.process if sample.pid == sample.tid else f"{sample.process} (thread {sample.tid})"


def convert(recording, title):
    indices = {}
    threads = collections.defaultdict(lambda: ([], []))
    for sample in recording.samples:
        stacks, times = threads[(sample.pid, sample.tid, thread_name(sample))]
        stacks.append([indices.setdefault(frame[:2], len(indices)) for frame in sample.frames])
        times.append(sample.time_s)
    profiles = []
    for (_, _, name), (stacks, _) in sorted(threads.items()):
        # Samples have equal weight: how far they lie apart also says how long the thread slept.
        profiles.append({"type": "sampled", "name": name, "unit": "none", "startValue": 0,
                         "endValue": len(stacks), "samples": stacks, "weights": [1] * len(stacks)})
    return {
        "$schema": SCHEMA,
        "name": title,
        "exporter": "budtiktok ops/profile",
        "activeProfileIndex": max(range(len(profiles)), key=lambda i: profiles[i]["endValue"]),
        "shared": {"frames": [{"name": symbol, "file": library} for symbol, library in indices]},
        "profiles": profiles,
    }
