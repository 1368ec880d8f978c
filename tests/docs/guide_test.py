#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run every command of a page of docs/, and see whether it prints what the page shows.

    guide_test.py [--slow] PAGE...        from the root of the tree, with the programs in build/

The blocks marked sh run one after the other in one shell: in a folder where everything of the tree has a link, so
that what they write goes away with it; with a network of its own where that is allowed, so that the default ports are
free; with folders of its own for sockets and caches. Behind "sh" may stand

    needs=perf,heaptrack   left out, and said so, where one of these programs is not installed
    slow                   run only with --slow
    tty                    left out: it wants a terminal, and has a test of its own
    any                    any exit status is right

A block marked text behind it shows its output: half of its lines have to be found there, whatever their numbers are.
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
# What one run has and another has not: what has a digit in it, paths, verdicts of comparisons, the width of columns.
VARYING = re.compile(r"\S*\d\S*|/\S*/|\b(?:same|slower|faster|regression|unknown)\b|\s+")


class Block:
    def __init__(self, number, line, info, text, runs_slow):
        self.number, self.line, self.text, self.sample = number, line, text, ""
        words = info.split()
        needs = re.search(r"needs=(\S+)", info)
        missing = [tool for tool in needs[1].split(",") if not shutil.which(tool)] if needs else []
        self.may_fail = "any" in words
        self.left_out = ("it wants a terminal" if "tty" in words else "it is slow" if "slow" in words and not runs_slow
                         else f"{', '.join(missing)} not installed" if missing else None)

    def name(self):
        return f"block {self.number} (line {self.line}): {self.text.strip().splitlines()[0]}"


def blocks_of(page, runs_slow):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    blocks = []
    for match in BLOCK.finditer(text):
        language, info, body = match.groups()
        if language == "sh":
            blocks.append(Block(len(blocks) + 1, text.count("\n", 0, match.start()) + 1, info, body, runs_slow))
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
    lines = ["set -e -o pipefail", "trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT"]
    for block in blocks:
        if block.left_out:
            continue
        may_fail = " || true" if block.may_fail else ""
        lines.append(f"echo {block.number} > {folder}/running\n{{\n{block.text}}} > {folder}/{block.number} 2>&1{may_fail}")
    return "\n".join([*lines, f"echo done > {folder}/running"])


def link_tree(folder):
    tree = os.path.join(folder, "tree")
    os.mkdir(tree)
    for name in os.listdir("."):
        os.symlink(os.path.abspath(name), os.path.join(tree, name))
    return tree


def run_page(page, folder, runs_slow):
    blocks = blocks_of(page, runs_slow)
    home = {name: os.path.join(folder, name.lower()) for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "TMPDIR")}
    for path in home.values():
        os.mkdir(path, 0o700)
    shell = subprocess.Popen(["bash", "-c", script_of(blocks, folder)], env={**os.environ, **home}, cwd=link_tree(folder),
                             stdin=subprocess.DEVNULL, start_new_session=True)
    shell.wait()
    try:
        os.killpg(shell.pid, signal.SIGKILL)  # what it left running
    except ProcessLookupError:
        pass
    with open(os.path.join(folder, "running"), encoding="ascii") as file:
        reached = file.read().strip()
    passed = failed = 0
    for block in blocks:
        if block.left_out:
            print(f"{page}: {block.name()}\n    left out: {block.left_out}")
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
    runs_slow = sys.argv[1:2] == ["--slow"]
    pages = sys.argv[2:] if runs_slow else sys.argv[1:]
    if not pages:
        sys.exit(__doc__)
    if not enter_network() and not is_free(8080):
        print("port 8080 is taken, and a network of its own is not allowed")
        sys.exit(77)
    fine = True
    for page in pages:
        with tempfile.TemporaryDirectory() as folder:
            fine = run_page(page, folder, runs_slow) and fine
    sys.exit(not fine)


if __name__ == "__main__":
    main()
