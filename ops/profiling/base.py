# SPDX-License-Identifier: Apache-2.0
"""What all subcommands share: failures, tools, commands, tables."""
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = "tools/dev/install-packages profile"


class Failure(Exception):
    """What goes wrong outside of this program, with its exit status: 2 wrong use, 3 a file cannot be
    read, 4 no cluster, 1 everything else."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def say(message):
    """Results go to stdout, everything else here."""
    print(f"ops/profile: {message}", file=os.sys.stderr, flush=True)


def find_tool(name):
    path = shutil.which(name)
    if not path:
        raise Failure(f"{name} is not here; install it with: {PACKAGES}")
    return path


def need_command(arguments):
    """The command behind --, checked before a tool is started whose own message would be about something else."""
    if not arguments.command:
        raise Failure("no command: write it behind --, as in: ops/profile record -- build/bin/budtiktok-bench", 2)
    if not shutil.which(arguments.command[0]):
        raise Failure(f"{arguments.command[0]}: there is no such program", 3)
    return arguments.command


def capture(command, **options):
    """(exit status, stdout, stderr) as text; bytes that are not UTF-8 are replaced."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace",
                          check=False, **options)
    return done.returncode, done.stdout, done.stderr


def last_lines(text, count=5):
    return "\n".join(text.strip().splitlines()[-count:])


def read_text(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", 3) from error


def make_folder(path):
    """`path` is a folder then, which may be ""."""
    try:
        os.makedirs(path or ".", exist_ok=True)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", 3) from error


def write_text(path, text):
    make_folder(os.path.dirname(path))
    try:
        pathlib.Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", 3) from error


def table(head, rows):
    """Text in columns: the first two letters of a head, "> ", set it to the right."""
    names = [name.removeprefix("> ") for name in head]
    cells = [names] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    lines = []
    for row in cells:
        parts = [cell.rjust(width) if head[i].startswith("> ") else cell.ljust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def bytes_text(count):
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1024 or unit == "MiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return str(count)
