#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What budtiktok-bench and bench-compare promise: names, units, what is verified, baselines, exit status.

    bench_cli_test.py PROGRAM TREE [FLAG...]     FLAG "no-simd": this build has only the scalar kernels
"""
import importlib.machinery
import importlib.util
import io
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "build/bin/budtiktok-bench"
TREE = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else ".")
FAMILIES = ("wordpiece", "bpe", "unigram", "wordlevel")
STAGES = {"normalizer": "normalized_bytes", "pretokenizer": "pretokens", "decode": "decoded_bytes"}
# That no chance of a busy machine makes one, and a difference of factors does.
HUGE = "200"


def run(*arguments, program=PROGRAM, stdout=subprocess.PIPE, **environment):
    return subprocess.run([program, *arguments], stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=120,
                          env=dict(os.environ, **environment))


def load_script(path):
    loader = importlib.machinery.SourceFileLoader("script", path)
    spec = importlib.util.spec_from_loader("script", loader)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


class Figures(unittest.TestCase):
    def figures(self, *arguments, **environment):
        done = run("--json", *arguments, **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertTrue(rows, arguments)
        return rows

    def check_times(self, row):
        self.assertTrue(row["runs"] and all(time > 0 for time in row["runs"]), row)

    def check_text(self, row, bench):
        self.check_times(row)
        self.assertEqual((row["bench"], row["input"], row["verified"]), (bench, "en.txt", "golden"), row)
        self.assertRegex(row["ids_xxh64"], "^[0-9a-f]{16}$")
        self.assertGreater(row["tokens"], 0)
        middle = sorted(row["runs"])[len(row["runs"]) // 2]
        if len(row["runs"]) % 2:
            self.assertAlmostEqual(row["mb_per_s"], row["bytes"] / middle / 1e6, delta=0.06)

    def test_each_family_has_all_modes_and_is_verified(self):
        for family in FAMILIES:
            rows = self.figures("--bench", family, "--input", "en", "--mode", "cold,warm,whole,batch,lines")
            self.assertEqual([row["mode"] for row in rows], ["cold", "warm", "whole", "batch", "lines"])
            for row in rows:
                self.check_text(row, family)
                self.assertEqual((row["tokenizer"], row["threads"], row["fields"]), (family, 1, "ids"))
            by_mode = {row["mode"]: row for row in rows}
            self.assertEqual(by_mode["cold"]["ids_xxh64"], by_mode["warm"]["ids_xxh64"])

    def test_each_stage_leads_to_the_ids_of_the_whole(self):
        for stage, items in STAGES.items():
            for row in self.figures("--bench", stage, "--input", "en"):
                self.check_text(row, stage)
                self.assertGreater(row[items], 0)
                whole = self.figures("--bench", row["tokenizer"], "--input", "en", "--mode", "cold")[0]
                self.assertEqual((row["ids_xxh64"], row["tokens"]), (whole["ids_xxh64"], whole["tokens"]))

    def test_stages_share_their_calls_among_threads(self):
        for row in self.figures("--bench", ",".join(STAGES), "--tokenizer", "unigram", "--input", "ko", "--threads", "3"):
            self.assertEqual((row["threads"], row["verified"]), (3, "golden"), row)

    def test_all_fields_are_measured_with_the_same_ids(self):
        plain = self.figures("--bench", "bpe", "--input", "en", "--mode", "cold")[0]
        full = self.figures("--bench", "bpe", "--input", "en", "--mode", "cold", "--fields", "all")[0]
        self.assertEqual(full["fields"], "ids,offsets,type_ids,word_ids,special_tokens_mask")
        self.assertEqual(full["ids_xxh64"], plain["ids_xxh64"])
        offsets = self.figures("--bench", "bpe", "--input", "en", "--mode", "cold", "--offsets", "--repeat", "3")[0]
        self.assertEqual((offsets["fields"], len(offsets["runs"])), ("ids,offsets", 3))

    def test_kernels_are_those_of_the_list_and_equal_to_the_scalar_ones(self):
        with open(f"{TREE}/kernels/kernel_list.h", encoding="utf-8") as file:
            names = set(re.findall(r"^    KERNEL\(\w+, (\w+),", file.read(), re.M))
        rows = self.figures("--bench", "kernels")
        self.assertEqual({row["kernel"] for row in rows}, names)
        for row in rows:
            self.check_times(row)
            self.assertEqual(row["verified"], "specification" if row["simd"] == "scalar" else "scalar")
            self.assertAlmostEqual(row["gb_per_s"] * row["ns_per_byte"], 1, delta=0.1)
        scalar = self.figures("--bench", "kernels", "--simd", "scalar")
        self.assertEqual({row["simd"] for row in scalar}, {"scalar"})

    def test_rings_and_memory_verify_what_they_moved(self):
        for row in self.figures("--bench", "ring"):
            self.check_times(row)
            self.assertEqual((row["slots"], row["verified"]), (1 << 20, "content"))
            self.assertGreater(row["ns_per_slot"], 0)
        rows = self.figures("--bench", "memory", "--repeat", "1")
        verified = {"read": "sum", "copy": "content", "chase": "order", "footprint": "golden"}
        for row in rows:
            self.assertEqual(row["verified"], verified[row["mode"]], row)
            unit = {"chase": "ns_per_access", "footprint": "mb_per_s"}.get(row["mode"], "gb_per_s")
            self.assertGreater(row[unit], 0, row)
        alone = [row for row in rows if row.get("threads") == 1]
        for mode in ("read", "copy", "chase"):
            sizes = [row["bytes"] for row in alone if row["mode"] == mode]
            self.assertEqual((sizes[0], sizes[-1]), (32 << 10, 256 << 20))
        for row in rows:
            if row["mode"] == "footprint":
                self.assertTrue(0 < row["table_touched_bytes"] <= row["table_bytes"], row)

    def test_sets_of_kernels_stand_beside_each_other_with_the_same_ids(self):
        rows = self.figures("--bench", "wordpiece", "--input", "en", "--mode", "cold", "--simd", "all", "--repeat", "2")
        self.assertEqual(rows[-1]["simd"], "scalar")
        self.assertEqual(len({row["simd"] for row in rows}), len(rows))
        self.assertEqual(len({row["ids_xxh64"] for row in rows}), 1)
        done = run("--bench", "wordpiece", "--input", "en", "--mode", "cold", "--simd", "all", "--repeat", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        for row in rows[:-1]:
            self.assertIn(f"{row['simd']}/scalar", done.stdout.decode())

    def test_what_nothing_speaks_of_stands_in_no_table(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/book.txt"
            with open(path, "w", encoding="utf-8") as file:
                file.write("Nobody has recorded this.\n" * 40)
            self.assertEqual({row["verified"] for row in self.figures("--bench", "bpe,decode", "--input", path)},
                             {"none"})
            shown = run("--bench", "bpe", "--input", path, "--mode", "cold").stdout.decode()
            self.assertIn("not verified (none)", shown)
            self.assertNotIn("MB/s  ids verified by", shown)

    def test_other_ids_are_no_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{TREE}/bench/goldens/bpe.json", encoding="ascii") as file:
                goldens = json.load(file)
            for member in ("ids_xxh64", "decoded_xxh64"):
                changed = {"en": dict(goldens["en"], **{member: "0" * 16})}
                with open(f"{folder}/changed.json", "w", encoding="ascii") as file:
                    json.dump(changed, file)
                bench = "bpe" if member == "ids_xxh64" else "decode"
                done = run("--bench", bench, "--tokenizer", "bpe", "--input", "en", "--mode", "cold", "--json",
                           "--reference", f"{folder}/changed.json")
                self.assertEqual((done.returncode, done.stdout), (1, b""), done.stderr)
                self.assertIn(b"not what the reference produces", done.stderr)


class Baselines(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.options = ("--bench", "normalizer", "--tokenizer", "wordpiece", "--input", "en", "--repeat", "5")

    def bench(self, *arguments, **environment):
        return run(*self.options, *arguments, BUDTIKTOK_CACHE_DIR=self.folder, **environment)

    def compare(self, *arguments):
        return run(*arguments, program=f"{TREE}/ops/bench-compare", BUDTIKTOK_CACHE_DIR=self.folder)

    def save(self, name, **environment):
        done = self.bench("--save-baseline", name, **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return f"{self.folder}/baselines/{name}.jsonl"

    def test_a_slowdown_is_caught_and_the_same_is_accepted(self):
        if "no-simd" in FLAGS:
            self.skipTest("there is nothing slower than the scalar kernels")
        self.save("before")
        self.save("after", BUDTIKTOK_SIMD="scalar")
        self.assertEqual(self.bench("--baseline", "before", "--max-regression", HUGE).returncode, 0)
        slow = self.bench("--baseline", "before", "--max-regression", HUGE, BUDTIKTOK_SIMD="scalar")
        self.assertEqual(slow.returncode, 1, slow.stdout)
        self.assertIn(b"regression", slow.stdout)
        self.assertEqual(self.compare("before", "before").returncode, 0)
        done = self.compare("before", "after", "--max-regression", HUGE, "--json")
        self.assertEqual(done.returncode, 1, done.stderr)
        row = json.loads(done.stdout)
        self.assertEqual((row["verdict"], row["before_simd"] != row["after_simd"]), ("regression", True))
        self.assertTrue(3 < row["low"] <= row["ratio"] <= row["high"], row)
        self.assertEqual(self.compare("after", "before").returncode, 0)

    def test_both_programs_compute_the_same_interval(self):
        path = self.save("before")
        done = self.bench("--baseline", "before", "--save-baseline", "after", "--json", "--max-regression", "1000")
        own = [json.loads(line) for line in done.stdout.splitlines()][-1]
        other = json.loads(self.compare(path, f"{self.folder}/baselines/after.jsonl", "--json",
                                        "--max-regression", "1000").stdout)
        self.assertEqual(own["comparison"], other["name"])
        for name in ("ratio", "low", "high", "before_seconds", "after_seconds"):
            self.assertAlmostEqual(own[name] / other[name], 1, delta=1e-6)

    def test_a_baseline_says_where_it_is_from(self):
        with open(self.save("before"), encoding="utf-8") as file:
            head, *figures = map(json.loads, file)
        self.assertEqual(head["baseline"], "before")
        for member in ("date", "machine", "processors", "compiler", "commit"):
            self.assertTrue(head[member], member)
        self.assertEqual([len(figure["runs"]) for figure in figures], [5])

    def test_figures_that_the_baseline_has_not_are_told(self):
        self.save("before")
        done = self.bench("--baseline", "before", "--mode", "cold,warm", "--max-regression", "1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"1 figures are not in the baseline", done.stderr)
        self.assertEqual(self.bench("--baseline", "before", "--input", "de").returncode, 1)

    def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_measured(self):
        done = run(*self.options, "--save-baseline", "x", BUDTIKTOK_CACHE_DIR="/dev/null")
        self.assertEqual((done.returncode, done.stdout), (3, b""))
        self.assertIn(b"/dev/null/baselines: Not a directory", done.stderr)

    def test_programs_take_turns(self):
        done = self.compare("--programs", PROGRAM, PROGRAM, "--rounds", "3", "--max-regression", "1000", "--json", "--",
                            *self.options[:-2])
        self.assertEqual(done.returncode, 0, done.stderr)
        row = json.loads(done.stdout)
        self.assertTrue(row["low"] <= row["ratio"] <= row["high"], row)

    def test_other_ids_are_not_compared(self):
        path = self.save("before")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(f"{self.folder}/other.jsonl", "w", encoding="utf-8") as file:
            file.write(re.sub('"ids_xxh64":"....', '"ids_xxh64":"ffff', text))
        done = self.compare(path, f"{self.folder}/other.jsonl")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"different ids", done.stdout)

    def test_what_is_no_baseline_is_said_to_be_none(self):
        os.mkdir(f"{self.folder}/baselines")
        for text in ("", "{}", "[", '{"baseline": "x"}\n{"name": "a", "runs": [0]}', '{"baseline": "x"}\n{"name": 1}',
                     '{"baseline": "x"}\n{"name": "a", "runs": "long"}', "\0"):
            with open(f"{self.folder}/baselines/bad.jsonl", "w", encoding="utf-8") as file:
                file.write(text)
            done = self.bench("--baseline", "bad")
            self.assertEqual(done.returncode, 3, (text, done.stderr))
            self.assertIn(b"bad.jsonl", done.stderr)
            self.assertEqual(self.compare("bad", "bad").returncode, 3, text)
        self.assertEqual(self.bench("--baseline", "nowhere").returncode, 3)
        self.assertEqual(self.compare("nowhere", "bad").returncode, 3)


class Options(unittest.TestCase):
    def test_wrong_use_is_told_with_exit_status_2(self):
        for arguments, message in (
                (("--bench", "sentence"), "is not one of wordpiece, bpe, unigram, wordlevel, normalizer"),
                (("--mode", "hot"), "is not one of cold"), (("--fields", "ids,words"), "is not one of ids"),
                (("--simd", "mmx"), "mmx"), (("--simd", "scalar,"), "--simd"), (("--repeat", "0"), "--repeat"),
                (("--threads", "0"), "--threads"), (("--chunk", "3"), "--chunk"),
                (("--save-baseline", "../x"), "is not a name"), (("--baseline", ".x"), "is not a name"),
                (("--save-baseline", ""), "is not a name"), (("--baseline",), "needs a value"),
                (("--max-regression", "5"), "needs a --baseline"),
                (("--baseline", "x", "--max-regression", "nan"), "--max-regression"),
                (("--bench", "decode", "--mode", "whole"), "a stage has none"),
                (("--baseline", "x", "--simd", "all"), "do not go together"), (("book.txt",), "two dashes")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assertIn(message, done.stderr.decode())

    def test_wrong_use_of_bench_compare_is_told_with_exit_status_2(self):
        for arguments in ((), ("one",), ("a", "b", "c"), ("--programs", "a"), ("--programs", "a", "b", "c", "d"),
                          ("a", "b", "--max-regression", "-1"), ("a", "b", "--", "--json"),
                          ("--programs", "a", "b", "--rounds", "1")):
            done = run(*arguments, program=f"{TREE}/ops/bench-compare")
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))

    def test_a_tokenizer_of_another_family_is_refused(self):
        done = run("--bench", "unigram", "--tokenizer", "bpe")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"--bench bpe is what fits it", done.stderr)

    def test_a_full_disk_is_an_error(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        for arguments in (("--help",), ("--bench", "bpe", "--input", "en", "--mode", "cold"),
                          ("--bench", "ring", "--json")):
            with open("/dev/full", "wb") as full:
                done = run(*arguments, stdout=full)
            self.assertEqual(done.returncode, 3, arguments)
            self.assertIn(b"No space left", done.stderr)

    def test_help_man_page_and_completion_have_every_option(self):
        options = re.findall(r"^  (--[a-z-]+)", run("--help").stdout.decode(), re.M)
        self.assertIn("--save-baseline", options)
        man = run("--man").stdout.decode().replace("\\-", "-")
        shells = [run("--completion", shell).stdout.decode() for shell in ("bash", "zsh", "fish")]
        for option in options:
            self.assertIn(option, man)
            for text in shells:
                self.assertIn(option.removeprefix("--"), text)
        self.assertEqual(run("--completion", "csh").returncode, 2)


class InstructionGate(unittest.TestCase):
    """The arithmetic of bench/instructions; the counts themselves are a test of their own."""

    def compare(self, now):
        gate = load_script(f"{TREE}/bench/instructions")
        with open(gate.KEPT, encoding="utf-8") as file:
            kept = json.load(file)
        counts = json.loads(json.dumps(kept))
        now(counts)
        with redirect_stdout(io.StringIO()):
            return gate.compare(kept, counts)

    def test_two_percent_are_let_through_and_more_is_not(self):
        def scaled(factor):
            def change(counts):
                counts["instructions_per_byte"]["bpe"]["avx2"] *= factor
            return change
        self.assertEqual([self.compare(scaled(factor)) for factor in (1, 1.019, 0.981, 1.021, 0.979)], [0, 0, 0, 1, 1])

    def test_another_compiler_or_processor_is_skipped_and_the_reason_told(self):
        gate = load_script(f"{TREE}/bench/instructions")
        with open(gate.KEPT, encoding="utf-8") as file:
            kept = json.load(file)
        with self.assertRaisesRegex(gate.Skipped, "this build is of another"):
            gate.check_machine(dict(kept, machine=platform.machine()), "another")
        with self.assertRaisesRegex(gate.Skipped, "the counts are of abacus"):
            gate.check_machine(dict(kept, machine="abacus"), kept["compiler"])

    def test_a_kernel_or_family_that_is_missing_or_new_is_seen(self):
        self.assertEqual(self.compare(lambda counts: counts["kernel_instructions"]["avx512"].pop("utf8_copy")), 1)
        self.assertEqual(self.compare(lambda counts: counts["instructions_per_byte"].update(word={"avx2": 1})), 1)


FLAGS = sys.argv[1:]

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
