# SPDX-License-Identifier: Apache-2.0
"""Tools that see system calls and switches: bpftrace, and strace where there is nothing better.

A tool has watch(waits, pids, look), which sees what happens while look() runs, and
watch_command(waits, command, name), which gives {pid: name}; both fill an offcpu.Waits."""
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from profiling.base import Failure, capture, find_tool, last_lines, say

READY_SECONDS = 20
STOP_SECONDS = 60
AGAIN_SECONDS = 4
# Waits until it is let go: what watches it is in place by then.
HELD = 'kill -STOP $$; exec "$@"'


def start_held(command):
    process = subprocess.Popen(["sh", "-c", HELD, "sh", *command], stdin=subprocess.DEVNULL)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise Failure("the command could not be started")
    return process


def interrupt(tracer):
    """bpftrace notices a signal only while it waits: one that comes while it works is lost, and sent again."""
    end = time.monotonic() + STOP_SECONDS
    while tracer.poll() is None and time.monotonic() < end:
        tracer.send_signal(signal.SIGINT)
        try:
            tracer.wait(AGAIN_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    if tracer.poll() is None:
        tracer.kill()
        tracer.wait()
        raise Failure(f"{tracer.args[0]} did not end within {STOP_SECONDS} s")


class Bpftrace:
    name = "bpftrace"
    sees_threads = True

    def __init__(self, names):
        self.names = names

    @staticmethod
    def why_not():
        if not shutil.which("bpftrace"):
            return "bpftrace is not here"
        if os.geteuid() != 0:
            return "bpftrace needs root"
        status, _, message = capture(["bpftrace", "-e", "tracepoint:raw_syscalls:sys_enter { @ = count(); } "
                                      "interval:ms:1 { exit(); }"], timeout=READY_SECONDS)
        return f"bpftrace does not work here: {last_lines(message, 2)}" if status else None

    def start(self, pids, folder):
        script = pathlib.Path(__file__).with_name("offcpu.bt").read_text(encoding="utf-8")
        path = os.path.join(folder, "offcpu.bt")
        pathlib.Path(path).write_text(
            script.replace("PROCESSES", " ".join(f"@watched[{pid}] = 1;" for pid in pids), 2), encoding="utf-8")
        output = open(os.path.join(folder, "out"), "w", encoding="utf-8")
        errors = open(os.path.join(folder, "err"), "w+", encoding="utf-8")
        tracer = subprocess.Popen(["bpftrace", "-f", "json", "-o", output.name, path], stdout=errors, stderr=errors)
        end = time.monotonic() + READY_SECONDS
        while '"ready\\n"' not in pathlib.Path(output.name).read_text(encoding="utf-8"):
            if tracer.poll() is not None or time.monotonic() > end:
                tracer.kill()
                raise Failure("bpftrace did not start: " + last_lines(pathlib.Path(errors.name).read_text()))
            time.sleep(0.05)
        return tracer, output.name

    def stop(self, waits, tracer, output):
        interrupt(tracer)
        maps = {}
        for line in pathlib.Path(output).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("type") == "map":
                maps.update(event["data"])
        waits.add_maps(maps, self.names)

    def watch(self, waits, pids, look):
        with tempfile.TemporaryDirectory() as folder:
            tracer, output = self.start(pids, folder)
            try:
                look()
            finally:
                self.stop(waits, tracer, output)

    def watch_command(self, waits, command, name):
        process = start_held(command)
        with tempfile.TemporaryDirectory() as folder:
            try:
                tracer, output = self.start([process.pid], folder)
            finally:
                os.kill(process.pid, signal.SIGCONT)
            process.wait()
            self.stop(waits, tracer, output)
        return {process.pid: name}


class Strace:
    """Sums for a process only, by the time inside of calls. Needs ptrace of the processes."""
    name = "strace"
    sees_threads = False

    def __init__(self, names):
        self.names = names

    @staticmethod
    def why_not():
        return None if shutil.which("strace") else "strace is not here"

    @staticmethod
    def read_summary(path):
        """{call: (ns, calls)} of the table that strace -c -w writes."""
        found = collections.OrderedDict()
        for line in pathlib.Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if len(words) >= 5 and words[0].replace(".", "").isdigit() and words[-1] != "total":
                found[words[-1]] = (int(float(words[1]) * 1e9), int(words[3]))
        return found

    def watch(self, waits, pids, look):
        with tempfile.TemporaryDirectory() as folder:
            tracers = []
            for pid in pids:
                path = os.path.join(folder, str(pid))
                tracers.append((pid, path, subprocess.Popen(
                    [find_tool("strace"), "-f", "-c", "-w", "-o", path, "-p", str(pid)], stderr=subprocess.DEVNULL)))
            look()
            for pid, path, tracer in tracers:
                interrupt(tracer)
                waits.rows[(pid, pid)] = dict(self.read_summary(path))

    def watch_command(self, waits, command, name):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out")
            tracer = subprocess.Popen([find_tool("strace"), "-f", "-c", "-w", "-o", path, *command],
                                      stdin=subprocess.DEVNULL)
            tracer.wait()
            waits.rows[(tracer.pid, tracer.pid)] = dict(self.read_summary(path))
        return {tracer.pid: name}


def choose(wanted, names):
    reasons = []
    for tool in (Bpftrace, Strace):
        if wanted not in ("auto", tool.name):
            continue
        reason = tool.why_not()
        if not reason:
            for other in reasons:
                say(f"{other}; {tool.name} in its place: all threads of a process are one, and calls are slower")
            return tool(names)
        reasons.append(reason)
    raise Failure("; ".join(reasons) + "; install what is missing with tools/dev/install-packages profile")
