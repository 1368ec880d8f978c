# SPDX-License-Identifier: Apache-2.0
"""Starts what is measured: one process an engine, pinned, in the virtual environment of that engine."""
import json
import os
import subprocess
import sys

import engines
from cells import MODES, OURS

HERE = os.path.dirname(os.path.abspath(__file__))
FAMILIES = "wordpiece,bpe,unigram,wordlevel"


class Failed(Exception):
    """A process that gave no answer; the message says how it ended."""


def python_of(environments, engine):
    """Ours needs no package but digests: the environment of the reference will do."""
    return os.path.join(environments, "tokenizers-0.23" if engine == OURS else engine, "bin", "python")


class Starter:
    def __init__(self, environments, program, library, cpus, timeout):
        self.environments, self.program, self.library = environments, program, library
        self.cpus, self.timeout = cpus, timeout

    def environment(self, threads):
        """As many threads as are asked for; nothing is fetched."""
        return {**os.environ, "RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads),
                "TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false", "HF_HUB_OFFLINE": "1",
                "BUDTIKTOK_LIBRARY": self.library}

    def pin(self, threads):
        cpus = set(self.cpus[:threads])
        return lambda: os.sched_setaffinity(0, cpus)

    def run(self, command, threads, request=None):
        try:
            done = subprocess.run(command, input=request, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                                  timeout=self.timeout, env=self.environment(threads), preexec_fn=self.pin(threads))
        except subprocess.TimeoutExpired as error:
            raise Failed(f"no answer within {self.timeout} s") from error
        except OSError as error:
            raise Failed(f"{os.path.basename(command[0])}: {error.strerror}") from error
        return done

    def engine(self, job):
        """The answer to one job; Failed."""
        command = [python_of(self.environments, job["engine"]), os.path.join(HERE, "engine_process.py")]
        done = self.run(command, job.get("threads", 1), json.dumps(job).encode() + b"\n")
        if not done.stdout:
            last = done.stderr.decode(errors="replace").strip().split("\n")[-1]
            how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
            raise Failed(f"{how}: {last[:200]}")
        return json.loads(done.stdout)

    def serve(self, job):
        return Server(subprocess.Popen(
            [python_of(self.environments, job["engine"]), os.path.join(HERE, "engine_process.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.environment(1)), job)

    def ours(self, tokenizer, text, modes, threads, reference):
        """Rows of budtiktok-bench, which has compared its ids with the reference's digests."""
        command = [self.program, "--bench", FAMILIES, "--tokenizer", tokenizer, "--input", text, "--mode",
                   ",".join(MODES[mode][1] for mode in modes), "--threads", str(threads), "--reference", reference, "--json"]
        if "offsets" in modes:
            command.append("--offsets")
        done = self.run(command, threads)
        if done.returncode:
            raise Failed(done.stderr.decode(errors="replace").strip().split("\n")[-1])
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return [{"mode": mode, **{name: row[name] for name in ("bytes", "pieces", "tokens", "ids_xxh64", "simd", "verified")},
                 "seconds": row["runs"][0], "mb_per_s": row["bytes"] / row["runs"][0] / 1e6}
                for mode, row in zip(modes, rows)]


class Server:
    """An engine that answers texts as long as it is asked."""

    def __init__(self, process, job):
        self.process = process
        self.ask(job)

    def ask(self, request):
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise Failed("it ended while it was asked")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def described(names, environments):
    """Which Python and which packages answered, for the record."""
    found = {}
    for name in names:
        if name != OURS and os.path.exists(python_of(environments, name)):
            found[name] = {"title": engines.find(name).title, "requires": engines.find(name).requires,
                           "note": engines.find(name).note, "mark": engines.find(name).mark}
    return {"python": sys.version.split()[0], "engines": found}
