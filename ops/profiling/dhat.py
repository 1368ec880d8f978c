# SPDX-License-Identifier: Apache-2.0
"""What valgrind's DHAT found, read from its file of JSON (dhat.out.PID).

Each program point of the file is one place that allocates: tb, tbk are its bytes and blocks over the
whole run, gb, gbk those at the peak of the whole program, eb, ebk those never given back; fs are its
frames, innermost first."""
import json
import re

from profiling.base import Failure, bytes_text, table

ALLOCATORS = re.compile(r"\((in .*vgpreload_dhat|vg_replace_malloc)")
FRAME = re.compile(r"^0x[0-9A-Fa-f]+: (.*)$")


class Profile:
    def __init__(self, data, path):
        try:
            points, frames = data["pps"], data["ftbl"]
            self.points = [(point, [frames[index] for index in point["fs"]]) for point in points]
            self.total_bytes, self.total_blocks = self.sum("tb"), self.sum("tbk")
            self.peak_bytes, self.peak_blocks = self.sum("gb"), self.sum("gbk")
            self.end_bytes, self.end_blocks = self.sum("eb"), self.sum("ebk")
        except (KeyError, TypeError, IndexError) as error:
            raise Failure(f"{path}: not a file of DHAT, version 2: {error!r}", 3) from error

    def sum(self, field):
        return sum(point[field] for point, _ in self.points)


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return Profile(json.load(file), path)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", 3) from error
    except ValueError as error:
        raise Failure(f"{path}: not JSON: {error}", 3) from error


def place(frames, depth=2):
    """The functions that asked, innermost first."""
    names = []
    for frame in frames:
        match = FRAME.match(frame)
        if match and not ALLOCATORS.search(frame):
            names.append(match[1])
    return re.sub(r"\(in [^)]*/", "(", " < ".join(names[:depth])) or "?"


def hottest(profile, field, count):
    points = sorted(profile.points, key=lambda pair: pair[0][field], reverse=True)
    return [pair for pair in points[:count] if pair[0][field]]


def summary(profile, count=8):
    lines = [
        f"total     {bytes_text(profile.total_bytes)} in {profile.total_blocks} blocks",
        f"at peak   {bytes_text(profile.peak_bytes)} in {profile.peak_blocks} blocks",
        f"at end    {bytes_text(profile.end_bytes)} in {profile.end_blocks} blocks",
    ]
    for title, field in (("most blocks", "tbk"), ("most bytes at the peak", "gb")):
        rows = [(point["tbk"], bytes_text(point["tb"]), bytes_text(point["gb"]), place(frames))
                for point, frames in hottest(profile, field, count)]
        lines += ["", title + ":", table(("> blocks", "> bytes", "> at peak", "function < caller"), rows)]
    return "\n".join(lines)
