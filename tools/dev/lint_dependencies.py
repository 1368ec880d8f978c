#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hold the direction of dependencies, and what may stand in no file.

    lint_dependencies.py        prints what is wrong as FILE:LINE: what; exit 1 if anything is

Includes are written from the root, so the folder in the line is the room that is seen. What a room may
see stands in ROOMS, who may include a third-party library in LIBRARIES.
"""
import pathlib
import re
import subprocess
import sys

ENGINE = {"common", "kernels", "tokenizer"}
ROOMS = {
    "common": {"common"},
    "kernels": {"common", "kernels"},
    "tokenizer": ENGINE,
    "ipc": {"common", "ipc"},
    "worker": ENGINE | {"ipc", "worker"},
    "coordinator": {"common", "ipc", "coordinator"},
    "client": {"common", "ipc", "client"},
}
# More than the room may see, one header each.
ALSO = {"coordinator": {"tokenizer/image.h", "tokenizer/image_format.h"}}
# Public headers are included as users do, and belong to the room that keeps them.
PUBLIC = {"types.h": "common", "encoding.h": "common", "profile.h": "common", "encodings.h": "tokenizer", "tokenizer.h": "tokenizer",
          "client.h": "client"}
LIBRARIES = {
    "utf8proc": {"common/unicode.c"},
    "xxhash": {"common/hash.c"},
    "msgpack": {"ipc/control.c"},
    "czmq": {"ipc/socket.c"},
    "zmq": {"ipc/socket.c", "ipc/remote.c"},
    "microhttpd": {"coordinator/http.c"},
    "curl": {"coordinator/otlp_http.c"},
    "liburing": {"ipc/file_reader.c", "ipc/file_writer.c"},
    "oniguruma": {"tokenizer/regex.c"},
    "criterion": set(),
    "sys/sdt": {"common/probes.h"},
}
INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
# Written apart, so that this file passes.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(home|root|Users|work|src)/[\w.-]+")
CORPUS = "tests/fuzz/corpus/"
DATA = (".model", ".gguf", ".png", ".txt", ".jsonl", "default/bpe.json", "default/wordpiece.json", "Cargo.lock")
FILE_LINES_MAX = 500
GENERATED = ("common/unicode_kinds.c", "common/unicode_normal_tables.c",
             "common/unicode_properties_tables.c",
             "common/unicode_tables.c")


def check_include(path, kind, header):
    room = path.split("/")[0]
    library = header.removesuffix(".h")
    if library not in LIBRARIES:
        library = header.split("/")[0].removesuffix(".h").removesuffix("_utils")
    if kind == "<" and library in LIBRARIES and room != "tests" and path not in LIBRARIES[library]:
        yield f"<{header}> belongs to {' or '.join(sorted(LIBRARIES[library])) or 'tests'} alone"
    if header.startswith("budtiktok/"):
        seen = PUBLIC.get(header.removeprefix("budtiktok/"))
    elif kind == '"':
        seen = header.split("/")[0] if "/" in header else None
        if seen is None:
            yield f'"{header}": includes are written from the root'
    else:
        return
    if seen and room in ROOMS and seen not in ROOMS[room] and header not in ALSO.get(room, ()):
        yield f'{room}/ may not see "{header}"'


def check_file(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    is_code = path.endswith((".c", ".h"))
    lines = text.split("\n")
    if is_code and lines[0] != "// SPDX-License-Identifier: Apache-2.0":
        yield 1, "the first line is the SPDX line"
    if is_code and len(lines) > FILE_LINES_MAX + 1 and path not in GENERATED:
        yield len(lines), f"more than {FILE_LINES_MAX} lines"
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line) if is_code else None
        if include:
            for fault in check_include(path, *include.groups()):
                yield number, fault
        if UNFINISHED.search(line):
            yield number, "unfinished work is not kept in the tree"
        if MACHINE_PATH.search(line):
            yield number, "the path of one machine"


def main():
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                             check=True, stdout=subprocess.PIPE).stdout.decode()
    paths = [path for path in listing.split("\0")
             if path and not path.endswith(DATA) and not path.startswith(CORPUS)
             and pathlib.Path(path).is_file()]
    faults = [f"{path}:{number}: {fault}" for path in paths for number, fault in check_file(path)]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
