# SPDX-License-Identifier: Apache-2.0
"""The short text that bench/instructions counts on: the beginning of each bench text.

It has to stay under 64 KiB, which is what budtiktok-bench measures whole and without a warm-up.
"""
import glob

PART_BYTES = 7200


def mixed_text(tree):
    parts = []
    for path in sorted(glob.glob(f"{tree}/bench/texts/*.txt")):
        with open(path, "rb") as file:
            part = file.read(PART_BYTES)
        parts.append(part[:part.rfind(b"\n") + 1])
    return b"".join(parts)
