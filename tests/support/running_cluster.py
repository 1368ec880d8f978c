# SPDX-License-Identifier: Apache-2.0
"""A cluster of `budtiktok serve` for as long as a test wants it, and load on it."""
import json
import re
import subprocess
import tempfile
import time
import urllib.request


class Cluster:
    def __init__(self, program, *arguments):
        self.command = [program, "serve", "--workers", "2", "--http", "127.0.0.1:0", *arguments]

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.endpoint = f"ipc://{self.folder.name}/c"
        self.process = subprocess.Popen([*self.command, "--listen", self.endpoint], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.address = re.search(r"http=(\S+)", self.process.stdout.readline()).group(1)
        self.url = "http://" + self.address
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=60)
        self.folder.cleanup()

    def read(self, path):
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read().decode()

    def ask(self, path, value=None):
        data = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def load(self, program, *arguments):
        """A running budtiktok-load; the caller ends it."""
        return subprocess.Popen([program, "--connect", self.endpoint, *arguments], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)


def wait_for(what, seconds=15):
    """What `what` returned as soon as that is true, or in the end."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.1)
