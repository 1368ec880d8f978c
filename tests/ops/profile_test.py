#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the subcommands of ops/profile write, on short workloads: contents, not exit statuses alone.

    profile_test.py BUILD
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from running_cluster import RunningCluster

BUILD = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "build"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROFILE = os.path.join(ROOT, "ops", "profile")
LOOP = os.path.join(BUILD, "tests", "ops", "encode_loop")
SVG = "{http://www.w3.org/2000/svg}"
RESOLVED_PERCENT_MIN = 95


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise unittest.SkipTest(f"{tool} is not here: tools/dev/install-packages profile")


def need_perf():
    need("perf")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["perf", "record", "-e", "cpu-clock", "-o", folder + "/data", "true"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise unittest.SkipTest("perf may not record here (kernel.perf_event_paranoid)")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="budtiktok-profile.")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def profile(self, *words, status=0):
        done = subprocess.run([PROFILE, *map(str, words)], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def check_resolved(self, text):
        match = re.search(r"(\d+) samples, ([\d.]+) % resolved", text)
        self.assertIsNotNone(match, text)
        self.assertGreater(int(match[1]), 100)
        self.assertGreaterEqual(float(match[2]), RESOLVED_PERCENT_MIN, text)

    def check_columns(self, table, name):
        for column, values in table.items():
            if isinstance(values, list):
                self.assertEqual(len(values), table["length"], f"{name}.{column}")


class Recording(Case):
    @classmethod
    def setUpClass(cls):
        need_perf()

    def check_firefox(self, name):
        """Every index of every table leads somewhere; gives the names of functions and processes."""
        profile = json.loads(self.read(name))
        self.assertEqual(profile["meta"]["preprocessedProfileVersion"], 61)
        for key in ("interval", "startTime", "product", "stackwalk", "version", "categories", "markerSchema"):
            self.assertIn(key, profile["meta"])
        shared = profile["shared"]
        for table in ("stackTable", "frameTable", "funcTable", "resourceTable", "nativeSymbols", "sources"):
            self.check_columns(shared[table], table)
        stacks, frames, functions = shared["stackTable"], shared["frameTable"], shared["funcTable"]
        for index, prefix in enumerate(stacks["prefix"]):
            self.assertTrue(prefix is None or 0 <= prefix < index)
        self.assertLess(max(stacks["frame"]), frames["length"])
        self.assertLess(max(frames["func"]), functions["length"])
        self.assertLess(max(frames["category"]), len(profile["meta"]["categories"]))
        self.assertLess(max(functions["name"]), len(shared["stringArray"]))
        self.assertLess(max(functions["resource"]), shared["resourceTable"]["length"])
        self.assertLess(max(shared["resourceTable"]["lib"]), len(profile["libs"]))
        for thread in profile["threads"]:
            self.check_columns(thread["samples"], "samples")
            self.assertEqual(thread["samples"]["time"], sorted(thread["samples"]["time"]))
            self.assertLess(max(thread["samples"]["stack"]), stacks["length"])
            self.assertEqual(type(thread["pid"]), str)
        return ({shared["stringArray"][index] for index in functions["name"]},
                {thread["processName"] for thread in profile["threads"]})

    def check_speedscope(self, name):
        file = json.loads(self.read(name))
        self.assertEqual(file["$schema"], "https://www.speedscope.app/file-format-schema.json")
        self.assertLess(file["activeProfileIndex"], len(file["profiles"]))
        frames = file["shared"]["frames"]
        for profile in file["profiles"]:
            self.assertEqual((profile["type"], profile["unit"]), ("sampled", "none"))
            self.assertEqual(len(profile["samples"]), len(profile["weights"]))
            self.assertEqual(profile["endValue"] - profile["startValue"], sum(profile["weights"]))
            self.assertTrue(all(stack and max(stack) < len(frames) for stack in profile["samples"]))
        return {frame["name"] for frame in frames}, {profile["name"] for profile in file["profiles"]}

    def test_a_recording_names_our_functions_and_kernels_in_every_format(self):
        text = self.profile("record", "-o", "out", "--", LOOP, "wordpiece", "en", 80_000_000)
        self.check_resolved(text)
        folded = self.read("out.folded")
        firefox, processes = self.check_firefox("out.firefox.json")
        speedscope, _ = self.check_speedscope("out.speedscope.json")
        for function in ("btk_encode_pieces", "btk_wordpiece_encode", "bert_masks"):
            self.assertIn(function, folded)
            self.assertIn(function, firefox)
            self.assertIn(function, speedscope)
        self.assertEqual(processes, {"encode_loop"})
        report = self.profile("report", "out.data")
        self.assertIn("btk_wordpiece_encode", report)
        annotated = self.profile("annotate", "btk_wordpiece_encode", "out.data")
        self.assertRegex(annotated, r"\d+\.\d+ +: +[0-9a-f]+:")
        self.assertIn("no samples in a function", self.profile("annotate", "nothing", "out.data", status=1))

    def test_a_cluster_is_one_profile_with_its_processes_named_by_role(self):
        with RunningCluster(BUILD) as cluster, cluster.load(65536):
            text = self.profile("record", "--pid", cluster.pid, "--seconds", 2, "-o", "out")
        self.check_resolved(text)
        roles = {"coordinator", "worker 0", "worker 1"}
        names, processes = self.check_firefox("out.firefox.json")
        self.assertEqual(processes, roles)
        self.assertIn("btk_encode_pieces", names)
        _, profiles = self.check_speedscope("out.speedscope.json")
        self.assertLessEqual(roles, profiles)
        self.assertEqual({line.split(";")[0] for line in self.read("out.folded").splitlines()}, roles)

    def test_a_flame_graph_of_a_command_shows_our_kernels(self):
        text = self.profile("flamegraph", "-o", "out.svg", "--", LOOP, "wordpiece", "en", 80_000_000)
        self.check_resolved(text)
        titles = [title.text for title in ElementTree.fromstring(self.read("out.svg")).iter(SVG + "title")]
        for function in ("main", "btk_encode_pieces", "bert_masks"):
            self.assertTrue(any(re.match(rf"{function}: \d+ samples, [\d.]+ %", title) for title in titles), function)

    def test_an_event_that_is_not_there_is_refused_by_name(self):
        text = self.profile("record", "--event", "no-such-event", "--", "true", status=2)
        self.assertIn("event no-such-event", text)


class FlameGraph(Case):
    def draw(self, *words):
        self.profile("flamegraph", "-o", "out.svg", *words)
        return ElementTree.fromstring(self.read("out.svg"))

    def test_widths_are_shares_and_names_are_escaped(self):
        self.write("in.folded", 'main;a<b>&"c" 30\nmain;d 10\n')
        root = self.draw("--from", "in.folded")
        boxes = {box.get("data-name"): box for box in root.iter(SVG + "g") if box.get("class") == "box"}
        self.assertEqual(set(boxes), {"all", "main", 'a<b>&"c"', "d"})
        width = {name: float(box.find(SVG + "rect").get("width")) for name, box in boxes.items()}
        self.assertAlmostEqual(width['a<b>&"c"'] / width["main"], 0.75, places=2)
        self.assertEqual(boxes["d"].find(SVG + "title").text, "d: 10 samples, 25.00 %")

    def test_nothing_outside_of_the_file_is_needed(self):
        self.write("in.folded", "main;a 1\n")
        self.draw("--from", "in.folded")
        text = re.sub(r'xmlns="[^"]*"', "", self.read("out.svg"))
        self.assertNotRegex(text, r"https?:|href|url\(|@import")

    def test_a_browser_zooms_and_searches(self):
        need("chromium")
        self.write("in.folded", "main;left;deep 30\nmain;right 10\n")
        self.draw("--from", "in.folded")
        act = """<script><![CDATA[
            const box = name => document.querySelector('[data-name="' + name + '"]');
            const root = document.documentElement, facts = [];
            box("right").dispatchEvent(new MouseEvent("mouseover", {bubbles: true}));
            facts.push(root.querySelector(".details").textContent);
            box("right").dispatchEvent(new MouseEvent("click", {bubbles: true}));
            facts.push(box("right").querySelector("rect").getAttribute("width"), box("left").classList.contains("away"));
            root.querySelector(".reset").dispatchEvent(new MouseEvent("click", {bubbles: true}));
            facts.push(box("left").classList.contains("away"));
            window.dispatchEvent(new KeyboardEvent("keydown", {key: "f", ctrlKey: true}));
            const search = root.querySelector(".search");
            search.value = "left|deep";
            search.dispatchEvent(new Event("input"));
            facts.push(root.querySelector(".matched").textContent, box("deep").classList.contains("found"));
            root.setAttribute("data-facts", facts.join("|"));
        ]]></script></svg>"""
        self.write("act.svg", self.read("out.svg").replace("</svg>", act))
        done = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--virtual-time-budget=2000",
             "--user-data-dir=" + self.folder + "/browser", "file://" + self.folder + "/act.svg"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False, timeout=120)
        facts = re.search(r'data-facts="([^"]*)"', done.stdout)
        self.assertIsNotNone(facts, done.stdout[:300])
        self.assertEqual(facts[1], "right: 10 samples, 25.00 %|1180|true|false|matched: 75.00 %|true")

    def test_a_difference_is_red_where_more_is_and_blue_where_less_is(self):
        self.write("before.folded", "main;grew 10\nmain;shrank 80\nmain;same 10\n")
        self.write("after.folded", "main;grew 160\nmain;shrank 20\nmain;same 20\n")
        root = self.draw("--difference", "before.folded", "after.folded")
        fills = {box.get("data-name"): box.find(SVG + "rect").get("fill") for box in root.iter(SVG + "g")
                 if box.get("class") == "box"}
        self.assertEqual(fills["grew"], "rgb(235,0,0)")
        self.assertEqual(fills["shrank"], "rgb(0,0,235)")
        self.assertEqual(fills["same"], "rgb(235,235,235)")
        self.assertIn("larger share than before", self.read("out.svg"))

    def test_what_is_not_folded_stacks_is_refused_with_its_line(self):
        self.write("in.folded", "main;a 1\nnonsense\n")
        self.assertIn("in.folded:2:", self.profile("flamegraph", "--from", "in.folded", status=3))
        self.assertIn("No such file", self.profile("flamegraph", "--from", "missing", status=3))


class Memory(Case):
    def test_the_heap_report_has_the_figures_of_both_tools(self):
        need("heaptrack", "valgrind")
        text = self.profile("heap", "-o", "heap", "--growth", 400_000, "--", LOOP, "bpe", "en", "{}")
        self.assertRegex(text, r"calls +[1-9]\d+")
        self.assertRegex(text, r"total +[1-9][\d.]* \w+ in [1-9]\d* blocks")
        self.assertRegex(text, r"at peak +[1-9][\d.]* \w+ in [1-9]\d* blocks")
        self.assertIn("btk_arena_allocate", text)
        # Encoding twice as much takes not one allocation more.
        self.assertRegex(text, r"each +\+0\.00 +\+0\.00 +\+0\.00 +\+0\.00")
        for name in ("heaptrack.zst", "dhat.out", "report.txt"):
            self.assertGreater(os.path.getsize(os.path.join(self.folder, "heap", name)), 0)

    def test_the_encode_loop_stays_within_the_bounds_of_cache_misses(self):
        need("valgrind")
        text = self.profile("cache", "--embedded", "--bytes", 1_000_000, "--check", "-o", "out")
        self.assertIn("ok: within the bounds", text)
        self.assertRegex(text, r"d1 percent +[\d.]+ +[\d.]+")


class Waiting(Case):
    def test_a_cluster_waits_in_epoll_and_takes_no_lock_on_the_data_path(self):
        need("bpftrace")
        if os.geteuid() != 0:
            self.skipTest("bpftrace needs root")
        with RunningCluster(BUILD) as cluster, cluster.load(1024):
            text = self.profile("offcpu", "--pid", cluster.pid, "--seconds", 2, "--tool", "bpftrace")
        for role in ("coordinator", "worker 0", "worker 1"):
            self.assertRegex(text, rf"{role} +main +epoll_wait +[\d.]+ +\d+")
        self.assertRegex(text, r"futex calls of worker 0's data path: \d+, 0\.0\d+ for each of [1-9]\d+ requests")
        self.assertIn("no lock is waited for on the data path", text)

    def test_a_command_under_strace_shows_its_calls(self):
        need("strace")
        text = self.profile("offcpu", "--tool", "strace", "--", "sleep", "0.1")
        self.assertRegex(text, r"sleep +main +clock_nanosleep +[1-9]\d+\.\d +1")


class Proof(Case):
    def test_each_set_of_kernels_has_its_instructions_and_none_of_a_higher_one(self):
        need("objdump")
        self.assertIn("ok: every set", self.profile("simd", "--check", "--build", BUILD))


class Use(Case):
    def test_every_subcommand_explains_itself_with_an_example(self):
        for name in ("record", "flamegraph", "report", "annotate", "heap", "offcpu", "cache", "simd"):
            self.assertIn(f"  ops/profile {name}", self.profile(name, "--help"))

    def test_wrong_use_is_told_apart_from_what_is_missing(self):
        self.profile(status=2)
        self.assertIn("no command", self.profile("heap", status=2))
        self.assertIn("no such program", self.profile("heap", "--", "./nothing", status=3))
        self.assertIn("no argument of the command", self.profile("heap", "--growth", 2, "--", "true", status=2))
        self.assertIn("/proc/nothing", self.profile("heap", "-o", "/proc/nothing", "--", "true", status=3))
        self.assertIn("not a coordinator", self.profile("offcpu", "--pid", 1, status=4))


if __name__ == "__main__":
    unittest.main()
