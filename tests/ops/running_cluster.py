# SPDX-License-Identifier: Apache-2.0
"""A cluster of two workers on a socket of its own, and load on it, for the tests of ops/."""
import contextlib
import os
import signal
import subprocess
import tempfile


class RunningCluster:
    def __init__(self, build, environment=None):
        self.bin = os.path.join(build, "bin")
        self.folder = tempfile.TemporaryDirectory(prefix="budtiktok-ops.")
        self.endpoint = f"ipc://{self.folder.name}/control"
        self.process = subprocess.Popen(
            [os.path.join(self.bin, "budtiktok"), "serve", "--workers", "2", "--http", "off",
             "--listen", self.endpoint], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})})
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready "):
            self.stop()
            raise SystemExit(f"the cluster did not start: {line}")

    @property
    def pid(self):
        return self.process.pid

    def workers(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as children:
            found = [int(word) for word in children.read().split()]
        return sorted(pid for pid in found
                      if "budtiktok-worke" in open(f"/proc/{pid}/comm", encoding="utf-8").read())

    @contextlib.contextmanager
    def load(self, size):
        """Requests of so many bytes, until the block ends."""
        process = subprocess.Popen(
            [os.path.join(self.bin, "budtiktok-load"), "--connect", self.endpoint, "--concurrency", "4",
             "--duration", "600", "--size", str(size)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.process.stdout.close()
        self.folder.cleanup()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
