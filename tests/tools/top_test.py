#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`budtiktok top` on a terminal and without one.

Usage: top_test.py PATH/TO/budtiktok PATH/TO/budtiktok-load
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from running_cluster import Cluster, wait_for

PROGRAM = LOAD = None
ENTER, LEAVE = "\033[?1049h\033[?25l", "\033[?25h\033[?1049l"


class Screen:
    """A terminal of its own with `top` in it."""

    def __init__(self, cluster, *arguments, columns=100, rows=30):
        self.all = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            time.sleep(0.2)  # until the size is set
            os.execv(PROGRAM, [PROGRAM, "top", "--connect", cluster.endpoint, *arguments])
        self.resize(columns, rows)
        self.settings = termios.tcgetattr(self.fd)

    def resize(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds=0.0):
        end = time.monotonic() + seconds
        while select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            try:
                self.all += os.read(self.fd, 65536).decode()
            except OSError:  # the other end is closed
                break
        return self.all

    def frames(self):
        """What was drawn, frame by frame, without what it was drawn with."""
        parts = self.read().split("\033[H")[1:]
        parts = [part.split(LEAVE)[0] for part in parts]
        return [re.sub(r"\033\[[?0-9]*[a-zA-Z]", "", part).split("\r\n") for part in parts if part.endswith("\033[J")]

    def wait_for_frame(self, what, seconds=15):
        return wait_for(lambda: next((frame for frame in self.frames() if any(what in line for line in frame)), None), seconds)

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        self.read(1)
        status = os.waitpid(self.pid, 0)[1]
        self.read()
        os.close(self.fd)
        return status


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(PROGRAM))
        load = cls.cluster.load(LOAD, "--rate", "200", "--duration", "60")
        cls.addClassCleanup(lambda: (load.terminate(), load.wait()))
        wait_for(lambda: cls.cluster.ask("/debug/latency")["requests_total"] > 100)

    def test_q_ends_it_and_the_terminal_is_as_it_was(self):
        screen = Screen(self.cluster, "--interval", "0.2")
        self.assertTrue(wait_for(lambda: len(screen.frames()) >= 3))
        self.assertNotEqual(termios.tcgetattr(screen.fd), screen.settings)
        screen.press("q")
        self.assertTrue(wait_for(lambda: screen.read().endswith(LEAVE)), screen.all[-200:])
        self.assertTrue(screen.all.startswith(ENTER), screen.all[:200])
        self.assertEqual(termios.tcgetattr(screen.fd), screen.settings)
        self.assertEqual(screen.end(), 0)

    def test_a_frame_has_rates_parts_bars_and_every_worker_and_fits(self):
        screen = Screen(self.cluster, "--interval", "0.2", columns=80, rows=25)
        wait_for(lambda: len(screen.frames()) >= 4)
        frame = screen.frames()[-1]
        text = "\n".join(frame)
        self.assertLessEqual(len(frame), 25)
        self.assertTrue(all(len(line) <= 80 for line in frame), text)
        self.assertRegex(text, r"tokens/s +[1-9][0-9.]*( [kMG])? +MB/s +[0-9.]+")
        self.assertIn("workers 2 of 2", text)
        for part in ("q queue_wait", "i ipc_transfer", "T tokenization", "r return"):
            self.assertRegex(text, rf"(?m)^  {part} +([0-9.]+ +){{6}}[1-9][0-9]*$")
        for bar in re.findall(r"\[([qiTr]+)\]", text):
            self.assertRegex(bar, r"^q*i*T*r*$")
            self.assertEqual(len(bar), 52)
        self.assertEqual(len(re.findall(r"(?m)^ +[01] ready +[0-9]+ % \[", text)), 2)
        screen.press("q")
        self.assertEqual(screen.end(), 0)

    def test_w_takes_another_window(self):
        screen = Screen(self.cluster, "--interval", "30")
        self.assertTrue(screen.wait_for_frame("last 10 s"))
        screen.press("w")
        self.assertTrue(screen.wait_for_frame("last 60 s"))
        screen.press("w")
        self.assertTrue(screen.wait_for_frame("since start  "))
        screen.press("q")
        self.assertEqual(screen.end(), 0)

    def test_it_fits_itself_to_a_terminal_that_changes(self):
        screen = Screen(self.cluster, "--interval", "30", columns=100, rows=30)
        self.assertTrue(wait_for(screen.frames))
        screen.resize(50, 16)
        self.assertTrue(wait_for(lambda: len(screen.frames()) >= 2))
        self.assertTrue(all(len(line) <= 50 for line in screen.frames()[-1]))
        self.assertLessEqual(len(screen.frames()[-1]), 16)
        self.assertTrue(any("... and 2 more" in line for line in screen.frames()[-1]), screen.frames()[-1])
        screen.press("q")
        self.assertEqual(screen.end(), 0)

    def test_a_signal_ends_it_with_the_terminal_restored(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            screen = Screen(self.cluster)
            self.assertTrue(wait_for(screen.frames))
            os.kill(screen.pid, number)
            self.assertTrue(wait_for(lambda: screen.read().endswith(LEAVE)))
            self.assertEqual(os.WTERMSIG(screen.end()), number)

    def test_a_stop_gives_the_terminal_back_for_a_while(self):
        screen = Screen(self.cluster, "--interval", "0.2")
        self.assertTrue(wait_for(screen.frames))
        os.kill(screen.pid, signal.SIGTSTP)
        self.assertTrue(wait_for(lambda: screen.read().endswith(LEAVE)))
        self.assertEqual(termios.tcgetattr(screen.fd), screen.settings)
        seen = len(screen.read(0.6))
        self.assertEqual(len(screen.read()), seen, "it draws while it is stopped")
        os.kill(screen.pid, signal.SIGCONT)
        self.assertTrue(wait_for(lambda: ENTER in screen.read()[seen:]))
        screen.press("q")
        self.assertEqual(screen.end(), 0)

    def test_without_a_terminal_it_prints_blocks(self):
        command = [PROGRAM, "top", "--connect", self.cluster.endpoint]
        once = subprocess.run([*command, "--once"], capture_output=True, text=True, timeout=30)
        self.assertEqual((once.returncode, once.stderr), (0, ""))
        self.assertIn("(since start)", once.stdout)
        self.assertNotIn("\033", once.stdout)
        begin = time.monotonic()
        three = subprocess.run([*command, "--count", "3", "--interval", "0.3"], capture_output=True, text=True, timeout=30)
        self.assertGreater(time.monotonic() - begin, 0.6)
        blocks = three.stdout.split("\n\nbudtiktok top")
        self.assertEqual(len(blocks), 3)
        self.assertEqual(["(since start)" in block for block in blocks], [True, False, False])


class Trouble(unittest.TestCase):
    def test_without_a_cluster_it_says_so(self):
        done = subprocess.run([PROGRAM, "top", "--connect", "ipc:///tmp/there/is/none"], capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertIn("ipc:///tmp/there/is/none", done.stderr)

    def test_a_cluster_that_ends_is_said_and_its_successor_is_found(self):
        with Cluster(PROGRAM) as cluster:
            screen = Screen(cluster, "--interval", "0.2")
            self.assertTrue(screen.wait_for_frame("live"))
            cluster.process.terminate()
            cluster.process.wait(timeout=60)
            self.assertTrue(screen.wait_for_frame("NO ANSWER: "))
            again = subprocess.Popen([*cluster.command, "--listen", cluster.endpoint], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.assertTrue(again.stdout.readline())
            self.assertTrue(wait_for(lambda: "live" in screen.frames()[-1][0], 20), screen.frames()[-1][0])
            again.terminate()
            again.communicate(timeout=60)
            screen.press("q")
            self.assertEqual(screen.end(), 0)

    def test_what_is_no_interval_and_no_count_is_refused(self):
        for option in (["--interval", "0"], ["--interval", "nan"], ["--interval", "1s"], ["--interval", "1e9"], ["--count", "0"], ["--count", "-1"]):
            done = subprocess.run([PROGRAM, "top", *option], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 2, option)
            self.assertIn(option[0], done.stderr)


if __name__ == "__main__":
    PROGRAM, LOAD = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
