#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run every command of a page of docs/, and see whether it prints what the page shows.

    guide_test.py PAGE...        from the root of the tree, with the programs in build/

The blocks marked sh run one after the other in one shell: it has a network of its own where that is allowed (so
that the default ports are free) and folders of its own for sockets and caches. "sh needs=perf,heaptrack" is left
out where one of these programs is not installed, and it is said so. A block marked text behind it shows its output:
half of its lines have to be found there, whatever their numbers are now.
Exit 0, 1: a block fails or prints something else, 77: nothing could be run.
"""
import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)
# What one run has and another has not: numbers, addresses, paths in temporary folders.
VARYING = re.compile(r"0x[0-9a-f]+|/\S*/|\d[\d.,:]*|\s+")


class Block:
    def __init__(self, number, line, info, text):
        self.number, self.line, self.text, self.sample = number, line, text, ""
        needs = re.search(r"needs=(\S+)", info)
        self.missing = [tool for tool in needs[1].split(",") if not shutil.which(tool)] if needs else []

    def name(self):
        return f"block {self.number} (line {self.line}): {self.text.strip().splitlines()[0]}"


def blocks_of(page):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    blocks = []
    for match in BLOCK.finditer(text):
        language, info, body = match.groups()
        if language == "sh":
            blocks.append(Block(len(blocks) + 1, text.count("\n", 0, match.start()) + 1, info, body))
        elif language == "text" and blocks:
            blocks[-1].sample += body
    return blocks


def shape(line):
    return VARYING.sub(" ", line).strip()


def shows(block, output):
    printed = {shape(line) for line in output.splitlines()}
    wanted = [shape(line) for line in block.sample.splitlines() if "..." not in line]
    wanted = [line for line in wanted if re.search(r"\w", line)]
    lost = [line for line in wanted if line not in printed]
    return [] if 2 * len(lost) <= len(wanted) else lost


def enter_network():
    """A network with nothing but its loopback. False: not allowed here."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
    return True


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def script_of(blocks, folder):
    """Each block's output goes to a file of its own; the first that fails ends the shell."""
    lines = ["set -e -o pipefail", f"trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT"]
    for block in blocks:
        if not block.missing:
            lines.append(f"echo {block.number} > {folder}/running\n{{\n{block.text}\n}} > {folder}/{block.number} 2>&1")
    return "\n".join([*lines, f"echo done > {folder}/running"])


def run_page(page, folder):
    blocks = blocks_of(page)
    home = {name: os.path.join(folder, name.lower()) for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "TMPDIR")}
    for path in home.values():
        os.mkdir(path, 0o700)
    shell = subprocess.Popen(["bash", "-c", script_of(blocks, folder)], env={**os.environ, **home}, stdin=subprocess.DEVNULL,
                             start_new_session=True)
    shell.wait()
    try:
        os.killpg(shell.pid, signal.SIGKILL)  # what it left running
    except ProcessLookupError:
        pass
    with open(os.path.join(folder, "running"), encoding="ascii") as file:
        reached = file.read().strip()
    passed = failed = 0
    for block in blocks:
        if block.missing:
            print(f"{page}: {block.name()}\n    left out: {', '.join(block.missing)} not installed")
            continue
        path = os.path.join(folder, str(block.number))
        if not os.path.exists(path):
            break
        with open(path, encoding="utf-8", errors="replace") as file:
            output = file.read()
        lost = shows(block, output)
        if str(block.number) != reached and not lost:
            passed += 1
            continue
        failed += 1
        why = "fails" if str(block.number) == reached else "does not print " + " | ".join(lost[:4])
        print(f"{page}: {block.name()}\n    {why}; it printed\n{output[-3000:]}")
    print(f"{page}: {passed} blocks of {len(blocks)} ran as they should, {failed} did not", flush=True)
    return failed == 0 and reached == "done"


def main():
    if not sys.argv[1:]:
        sys.exit(__doc__)
    if not enter_network() and not is_free(8080):
        print("port 8080 is taken, and a network of its own is not allowed")
        sys.exit(77)
    fine = True
    for page in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            fine = run_page(page, folder) and fine
    sys.exit(not fine)


if __name__ == "__main__":
    main()
