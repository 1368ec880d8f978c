#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The probes of common/probes.h stand in the programs, and the scripts of ops/bpftrace see them.

    probes_test.py BIN_FOLDER SOURCE_FOLDER

Where bpftrace is missing or may not attach (no root, no kernel support), the scripts are only parsed, or
not even that, and the last line says which.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

# Name and count of arguments, by program.
PROBES = {
    "budtiktok": {"batch_enqueue": 5, "dispatch": 6, "credit_zero": 3, "epoch_bump": 3},
    "budtiktok-worker": {"tokenize_start": 5, "tokenize_done": 6},
}
SCRIPTS = {"queue_wait": "budtiktok-worker", "tokenization": "budtiktok-worker", "credit": "budtiktok"}
SUBMISSIONS = 2
PATIENCE_S = 20


def require(condition, what):
    if not condition:
        raise AssertionError(what)


def check_notes(bin_folder):
    for program, probes in PROBES.items():
        notes = subprocess.run(["readelf", "-n", bin_folder / program], capture_output=True, text=True, check=True)
        found = re.findall(r"Provider: budtiktok\n\s+Name: (\w+)\n.*\n\s+Arguments: (.*)\n", notes.stdout)
        counts = {name: len(arguments.split()) for name, arguments in found}
        require(counts == probes, f"{program} has the probes {counts}, expected {probes}")
    print(f"ok: {sum(len(probes) for probes in PROBES.values())} probes with their arguments")


class Cluster:
    def __init__(self, bin_folder, folder):
        self.endpoint = f"ipc://{folder}/control"
        self.program = bin_folder / "budtiktok"
        self.server = subprocess.Popen(
            [self.program, "serve", "--listen", self.endpoint, "--http", "off", "--workers", "2"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        require(self.server.stdout.readline().startswith("ready"), "the cluster does not start")

    def submit(self, text):
        subprocess.run([self.program, "submit", "--connect", self.endpoint, "--input-format", "lines",
                        "--output-format", "u32", "--output", "/dev/null", text], check=True)

    def workers(self):
        children = pathlib.Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split()
        return [int(pid) for pid in children
                if b"budtiktok-worker" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]

    def end(self):
        self.server.terminate()
        self.server.wait(PATIENCE_S)


class Watch:
    """One script on one program."""

    def __init__(self, script, program, folder):
        self.output = folder / f"{script.stem}.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(["bpftrace", script, program], stdout=output, stderr=subprocess.STDOUT)

    def is_attached(self):
        return "Attaching" in self.output.read_text()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE_S)
        return self.output.read_text()


def can_attach():
    """None, or why bpftrace cannot look at programs here."""
    if not shutil.which("bpftrace"):
        return "bpftrace is not here"
    if os.geteuid() != 0:
        return "bpftrace wants root"
    tried = subprocess.run(["bpftrace", "-e", "BEGIN { exit(); }"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else tried.stderr.strip().split("\n")[-1]


def number(text, name):
    """The sum of a map's values, with keys or without."""
    return sum(int(value) for value in re.findall(rf"^@{name}(?:\[\d+\])?: (\d+)$", text, re.MULTILINE))


def histogram_count(text, name):
    """How many values the histograms of this name hold."""
    total = 0
    for block in re.findall(rf"^@{name}(?:\[\d+\])?: ?\n((?:[\[(].*\n)+)", text, re.MULTILINE):
        total += sum(int(line.split(")")[-1].split("]")[-1].split()[0]) for line in block.splitlines())
    return total


def check_outputs(outputs, text_bytes, new_pid):
    tokenized = outputs["tokenization"]
    shards = number(tokenized, "shards")
    require(shards >= SUBMISSIONS, f"tokenization.bt saw {shards} shards:\n{tokenized}")
    seen_bytes = number(tokenized, "bytes")
    # Ends of lines are not part of the documents, and on a busy machine a shard may be done again.
    require(0.9 * SUBMISSIONS * text_bytes < seen_bytes < 2 * SUBMISSIONS * text_bytes,
            f"tokenization.bt saw {seen_bytes} bytes of {SUBMISSIONS * text_bytes}")
    stamped, between = number(tokenized, "stamped_ns"), number(tokenized, "between_probes_ns")
    require(0.5 * between < stamped <= 1.02 * between, f"stamps say {stamped} ns, the probes {between}")
    require(histogram_count(tokenized, "tokenization_us") == shards, "the histograms have other shards")
    waits = histogram_count(outputs["queue_wait"], "all_queue_wait_us")
    require(waits >= shards, f"queue_wait.bt saw {waits} shards, tokenization.bt {shards}")
    credit = outputs["credit"]
    require(number(credit, "shards") >= waits, f"credit.bt saw fewer shards than {waits}:\n{credit}")
    require(number(credit, "batches") >= SUBMISSIONS, f"credit.bt saw no batches:\n{credit}")
    bumps = re.findall(r"worker \d+: epoch (\d+), pid (\d+)", credit)
    require(new_pid in [int(pid) for _, pid in bumps], f"credit.bt saw the incarnations {bumps}, not {new_pid}")
    print(f"ok: {shards} shards, {waits} waits, {len(bumps)} new incarnation seen by bpftrace")


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        require(time.monotonic() < end, f"waited in vain for {what}")
        time.sleep(0.05)


def replace_worker(cluster):
    """Kills one; the pid of the one that comes."""
    before = cluster.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: len(set(cluster.workers()) - set(before)) == 1, "a new worker")
    return (set(cluster.workers()) - set(before)).pop()


def run_scripts(bin_folder, source):
    text = source / "bench/texts/en.txt"
    with tempfile.TemporaryDirectory(prefix="probes-") as name:
        folder = pathlib.Path(name)
        cluster = Cluster(bin_folder, folder)
        watches = {}
        try:
            for script, program in SCRIPTS.items():
                watches[script] = Watch(source / f"ops/bpftrace/{script}.bt", bin_folder / program, folder)
            wait_for(lambda: all(watch.is_attached() for watch in watches.values()), "bpftrace to attach")
            time.sleep(1)  # "Attaching" is said before it is done
            new_pid = replace_worker(cluster)
            for _ in range(SUBMISSIONS):
                cluster.submit(text)
            time.sleep(0.5)
        finally:
            outputs = {script: watch.end() for script, watch in watches.items()}
            cluster.end()
        check_outputs(outputs, text.stat().st_size, new_pid)


def parse_scripts(bin_folder, source):
    for script, program in SCRIPTS.items():
        done = subprocess.run(["bpftrace", "-d", source / f"ops/bpftrace/{script}.bt", bin_folder / program],
                              capture_output=True, text=True, check=False)
        # As a user it parses, and then says that it may not.
        require("AST" in done.stdout + done.stderr or "root" in done.stderr, f"{script}.bt: {done.stderr}")


def main():
    bin_folder, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    check_notes(bin_folder)
    why_not = can_attach()
    if why_not is None:
        run_scripts(bin_folder, source)
        return
    if "not here" not in why_not:
        parse_scripts(bin_folder, source)
    print(f"the scripts of ops/bpftrace did not run: {why_not}")


if __name__ == "__main__":
    main()
