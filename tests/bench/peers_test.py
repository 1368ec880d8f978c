#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bench/peers promises, without any peer: cuts, ids that differ, tables, charts, the choice of engines.

    peers_test.py PROGRAM LIBRARY TREE

Where a process of an engine is needed, it gets packages of this test: they answer by the library of this build.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from contextlib import redirect_stderr
from io import StringIO

PROGRAM = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "build/bin/budtiktok-bench")
LIBRARY = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "build/tokenizer/libbudtiktok.so")
TREE = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else ".")
sys.dont_write_bytecode = True
sys.path[:0] = [f"{TREE}/bench", f"{TREE}/bench/peers"]

import chart  # noqa: E402
import compare  # noqa: E402
import comparison  # noqa: E402
import cut  # noqa: E402
import engines  # noqa: E402
import measuring  # noqa: E402
import results  # noqa: E402
import rewrite  # noqa: E402
import shortest  # noqa: E402
import tables  # noqa: E402
from cells import TEXTS, TOKENIZERS  # noqa: E402
from engines.adapter import Engine, FlatBatches, as_ids  # noqa: E402

# --- Packages of this test: "tokenizers" is right, "gigatoken" tells " the " wrong, "fastokens" does not load.

PACKAGES = {
    "xxhash": '''
MASK, P1, P2, P3, P4, P5 = 2**64 - 1, 11400714785074694791, 14029467366897019727, 1609587929392839161, \\
    9650029242287828579, 2870177450012600261

def left(x, n):
    return (x << n | x >> 64 - n) & MASK

def step(lane, value):
    return left(lane + value * P2 & MASK, 31) * P1 & MASK

def xxh64_hexdigest(data):
    words = memoryview(data[:len(data) // 8 * 8]).cast("Q")
    used, result = len(data) // 32 * 4, P5
    if used:
        lanes = [P1 + P2 & MASK, P2, 0, -P1 & MASK]
        for i in range(0, used, 4):
            lanes = [step(lane, word) for lane, word in zip(lanes, words[i:i + 4])]
        result = sum(map(left, lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            result = (result ^ step(0, lane)) * P1 + P4 & MASK
    result = result + len(data) & MASK
    for word in words[used:]:
        result = left(result ^ step(0, word), 27) * P1 + P4 & MASK
    rest = data[len(words) * 8:]
    if len(rest) >= 4:
        result = left(result ^ int.from_bytes(rest[:4], "little") * P1 & MASK, 23) * P2 + P3 & MASK
        rest = rest[4:]
    for byte in rest:
        result = left(result ^ byte * P5 & MASK, 11) * P1 & MASK
    result = (result ^ result >> 33) * P2 & MASK
    result = (result ^ result >> 29) * P3 & MASK
    return f"{result ^ result >> 32:016x}"
''',
    "tokenizers": '''
from engines import budtiktok_engine
__version__ = "0.23.3"

class Encoding:
    def __init__(self, ids):
        self.ids, self.offsets = list(ids), [(0, 0)] * len(ids)

class Tokenizer:
    @classmethod
    def from_file(cls, path):
        tokenizer = cls()
        tokenizer.engine = budtiktok_engine.Adapter(1)
        tokenizer.engine.load({"json": path})
        return tokenizer

    def no_padding(self):
        pass

    no_truncation = no_padding

    def encode(self, text, add_special_tokens=True):
        return Encoding(self.engine.encode(text))

    def encode_batch_fast(self, texts, add_special_tokens=True):
        return [self.encode(text) for text in texts]
''',
    "gigatoken": '''
from tokenizers import Tokenizer as Right

class Tokenizer:
    def __init__(self, path):
        self.backend, self.right = self, Right.from_file(path)

    def encode(self, text):
        return self.right.encode(text).ids + [0] * (" the " in text)
''',
    "fastokens": 'raise ImportError("not today")\n',
}


def make_environments(folder):
    """Folders that look like virtual environments, whose Python finds the packages above."""
    os.mkdir(f"{folder}/packages")
    for name, source in PACKAGES.items():
        with open(f"{folder}/packages/{name}.py", "w", encoding="utf-8") as file:
            file.write(source)
    for name in ("tokenizers-0.23", "gigatoken", "fastokens"):
        os.makedirs(f"{folder}/{name}/bin")
        with open(f"{folder}/{name}/bin/python", "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nPYTHONPATH="{folder}/packages" exec "{sys.executable}" "$@"\n')
        os.chmod(f"{folder}/{name}/bin/python", 0o755)


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name


class Cuts(Folder):
    def check(self, text, chunk):
        path = f"{self.folder}/text.txt"
        with open(path, "wb") as file:
            file.write(text)
        done = subprocess.run([PROGRAM, "--bench", "bpe", "--tokenizer", "bpe", "--input", path, "--mode", "cold,whole,lines",
                               "--chunk", str(chunk), "--json"], stdout=subprocess.PIPE, check=True)
        body, _ = cut.split(text)
        ours = [(row["pieces"], row["bytes"]) for row in map(json.loads, done.stdout.splitlines())]
        calls = [cut.pieces(body, chunk), cut.calls(body, "whole"), cut.calls(body, "lines")]
        self.assertEqual([(len(each), sum(map(len, each))) for each in calls], ours, (chunk, text[:80]))

    def test_they_are_those_of_the_program(self):
        # Of few characters and in short pieces, which often repeat: what is left of them tells where each was cut.
        random.seed(7)
        for characters, chunks in (("ab \n", (4, 5, 9)), ("é \n", (4, 7)), ("日本 ", (4, 11)), ("a", (6,)), ("\t \r\nx", (4, 8))):
            for chunk in chunks:
                self.check("".join(random.choices(characters, k=5000)).encode() + b"x", chunk)

    def test_what_is_behind_the_last_64_KiB_is_left_out(self):
        text = ("日本語 über\n" * 9000).encode()
        self.assertGreater(len(text), 2 * cut.WARM_UP_BYTES)
        for shift in range(4):
            self.check(text + b"x" * shift, 4096)
        body, warm_up = cut.split(text)
        self.assertEqual(body + warm_up, text)
        self.assertTrue(cut.WARM_UP_BYTES - 4 < len(warm_up) <= cut.WARM_UP_BYTES)
        self.assertEqual(cut.split(text, 1001)[0], text[:1001].decode(errors="ignore").encode())

    def test_they_are_those_that_the_reference_was_asked_for(self):
        with open(f"{TREE}/bench/goldens/bpe.json", encoding="ascii") as file:
            goldens = json.load(file)
        for name in ("en", "ja", "code"):
            with open(f"{TREE}/bench/texts/{name}.txt", "rb") as file:
                body, _ = cut.split(file.read())
            pieces = cut.pieces(body)
            self.assertEqual((len(pieces), sum(map(len, pieces))), (goldens[name]["pieces"], goldens[name]["bytes"]))
            self.assertEqual(sum(map(len, cut.lines(body))), goldens[name]["lines_bytes"])

    def test_a_shortened_text_keeps_its_warm_up(self):
        text = ("zeile mit ü\n" * 20000).encode()
        with open(f"{self.folder}/long.txt", "wb") as file:
            file.write(text)
        path = comparison.shortened(f"{self.folder}/long.txt", 10000, f"{self.folder}/short")
        with open(path, "rb") as file:
            short = file.read()
        self.assertEqual(short, text[:10000] + text[-cut.WARM_UP_BYTES:])
        self.assertEqual(comparison.shortened(path, 10000, self.folder), path)


class Letters(Engine):
    """Ids are the letters' numbers; `wrong` are told wrong."""
    wrong = ""

    def encode(self, text):
        return [0 if letter in self.wrong else ord(letter) for letter in text]

    def encode_batch(self, texts):
        return list(map(self.encode, texts))


class Measuring(unittest.TestCase):
    def measure(self, engine, modes, form="pieces", keeps_results=True):
        times, answers, _ = measuring.measure(engine, form, ["ab", "cd", "ef"], ["warm"], modes, keeps_results)
        self.assertEqual(list(times), modes)
        for seconds, cpu_seconds in times.values():
            self.assertTrue(seconds > 0 and cpu_seconds >= 0)
        return answers

    def test_all_modes_give_the_same_ids(self):
        answers = [self.measure(Letters(1), modes, form, keeps) for modes, form, keeps in (
            (["cold", "warm"], "pieces", True), (["cold"], "pieces", False), (["lines"], "lines", False),
            (["threads"], "pieces", False))]
        self.assertEqual(answers, [(as_ids(list(b"abcdef")), as_ids([2, 2, 2]))] * 4)

    def test_the_first_call_that_differs_is_found(self):
        right, engine = self.measure(Letters(1), ["cold"]), Letters(1)
        self.assertIsNone(measuring.difference(right, right))
        engine.wrong = "d"
        self.assertEqual(measuring.difference(self.measure(engine, ["cold"]), right),
                         {"call": 1, "token": 1, "got": [0], "wanted": [100]})
        # The same ids in all, cut elsewhere, are not the same.
        self.assertEqual(measuring.difference((right[0], as_ids([2, 1, 3])), right)["call"], 1)
        self.assertEqual(measuring.difference((right[0][:4], as_ids([2, 2])), right)["call"], 2)

    def test_ids_are_read_from_whatever_an_engine_gives(self):
        numbers = as_ids([1, 2, 3])
        for values in ([1, 2, 3], (1, 2, 3), numbers.tobytes(), memoryview(numbers.tobytes()), numbers):
            self.assertEqual(as_ids(values), numbers)
        flat = FlatBatches(1)
        flat.drop_first = 1
        bounds = b"".join(number.to_bytes(8, sys.byteorder) for number in (0, 2, 3))
        self.assertEqual(flat.ids_of_batch((numbers.tobytes(), bounds)), (as_ids([2]), as_ids([1, 0])))

    def test_the_shortest_text_is_found(self):
        def differs(texts):
            return ["x" in text and "ü" in text for text in texts]
        self.assertEqual(shortest.shortest("abc" * 300 + "x" + "def" * 100 + "ü" + "." * 50, differs), "xü")
        self.assertIsNone(shortest.shortest("abc", differs))
        self.assertEqual(shortest.shortest("x", lambda texts: [True] * len(texts)), "x")


class Rewriting(unittest.TestCase):
    def test_what_says_the_same_is_said_in_other_words(self):
        split = {"type": "Split", "pattern": {"Regex": r"\w+|\s+"}, "behavior": "Removed", "invert": True}
        text, changes = rewrite.rewrite(json.dumps({
            "added_tokens": [{"id": 4, "content": "<s>"}], "decoder": {"type": "Fuse"}, "pre_tokenizer": split,
            "model": {"vocab": {"a": 0, "": 1, "b": 3}, "merges": []}}))
        tokenizer = json.loads(text)
        self.assertEqual(len(changes), 4)
        self.assertEqual(tokenizer["model"], {"type": "BPE", "merges": [],
                                              "vocab": {"a": 0, "b": 3, "<|unused 2|>": 2, "<|empty|>": 1}})
        self.assertEqual(tokenizer["pre_tokenizer"], {**split, "behavior": "Isolated", "invert": False})
        self.assertIsNone(tokenizer["decoder"])

    def test_what_would_change_ids_is_left_alone(self):
        same = {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": r"\w+"}, "behavior": "Removed", "invert": True}]}}
        self.assertEqual(rewrite.rewrite(json.dumps(same)), (None, []))


# --- Recorded runs

HEAD = {"kind": "head", "date": "2026-12-01", "machine": "a machine", "rounds": 2, "engines": {
    "splintr": {"mark": "S", "title": "splintr-rs 0", "note": "flat"},
    "gigatoken": {"mark": "G", "title": "gigatoken 0", "note": "arrays"},
    "tokenizers-0.23": {"mark": "R", "title": "tokenizers 0.23.3", "note": "plain"}}}


def run(engine, rate, which="round", text="ru", tokenizer="gpt2", **more):
    return {"kind": "run", "pass": which, "engine": engine, "tokenizer": tokenizer, "text": text, "mode": "cold",
            "mb_per_s": rate, **more}


DONE = [{"kind": "done", "tokenizer": "gpt2", "text": text, "modes": ["cold", "warm"]} for text in ("ru", "ja", "hi")]
ROWS = [HEAD, *DONE,
        # Russian: turns count, not the first pass, whatever came out there.
        run("budtiktok", 10, "first"), run("gigatoken", 900, "first"), run("splintr", 100, "first"),
        run("tokenizers-0.23", 4, "first"),
        run("budtiktok", 300), run("gigatoken", 100), run("splintr", 80),
        run("gigatoken", 140), run("splintr", 90), run("budtiktok", 360),
        run("budtiktok", 200, tokenizer="qwen3"), run("splintr", 100, tokenizer="qwen3"),
        # Japanese: the fastest one is wrong.
        run("budtiktok", 50, text="ja"), run("splintr", 25, text="ja", rewritten=["gaps filled"]), run("gigatoken", 999, text="ja"),
        *({"kind": "different", "engine": "gigatoken", "tokenizer": "gpt2", "text": "ja", "mode": mode, "call": 3, "token": 5,
           "got": [1], "wanted": [2], "example": {"text": "ー|", "got": [1], "wanted": [2]}} for mode in ("cold", "warm")),
        # Hindi: ours is.
        run("splintr", 25, "first", "hi"),
        {"kind": "different", "engine": "budtiktok", "tokenizer": "gpt2", "text": "hi", "mode": "cold", "call": None,
         "token": None, "got": "tokens: 5 for 6", "wanted": "the reference's"},
        *({"kind": "refused", "engine": "gigatoken", "tokenizer": tokenizer, "text": None, "reason": "RuntimeError: Unigram"}
          for tokenizer in ("t5-small", "bert")),
        {"kind": "load", "engine": "budtiktok", "tokenizer": "gpt2", "seconds": 0.0256, "grown_bytes": 6_900_000}]


class Reports(Folder):
    def test_the_best_peer_is_the_fastest_one_with_the_right_ids(self):
        cells = results.cells(ROWS)
        russian, japanese, hindi = (cells["gpt2", text, "cold"] for text in ("ru", "ja", "hi"))
        self.assertEqual((russian.best.engine, russian.best.median, russian.ours.median), ("gigatoken", 120, 330))
        self.assertEqual((japanese.best.engine, japanese.ratio), ("splintr", 2))
        self.assertNotIn("gigatoken", japanese.peers)
        self.assertEqual((hindi.ours, hindi.ratio, hindi.ours_differs), (None, None, True))

    def test_tables(self):
        text = tables.markdown(ROWS)
        for line in ("|  | Russian | Japanese | Hindi |",
                     "| gpt2 | 120 G, 330: **2.75x** | 25.0 S, 50.0: **2.00x** | ours: ids differ |",
                     "| geometric mean | 2.35x | 2.00x |  |",
                     "| qwen3 | 100 S, 200: **2.00x** |  |  |", "| budtiktok | gpt2: hi, cold | ids differ: tokens: 5 for 6 |",
                     "| gpt2 | Russian | 330 | 85.0 | 120 | 4.00 |", "| gpt2 | Japanese | 50.0 | 25.0 | – | – |",
                     "| gpt2 | 0.026, 6.9 |", "- gaps filled: splintr with gpt2",
                     "| gigatoken | t5-small<br>bert | RuntimeError: Unigram |",
                     "| gigatoken | gpt2: ja, cold warm | ids differ at call 3, token 5: [1] for [2]; shortest: `'\\u30fc\\|'` "
                     "gives [1] for [2] |"):
            self.assertIn(line + "\n", text)
        self.assertNotIn("999", text)

    def test_bars_are_as_long_as_the_figures(self):
        drawn = chart.chart(ROWS, "cold", ["ru", "ja", "hi"])
        root = xml.etree.ElementTree.fromstring(drawn)
        bars = [(float(bar.get("x")), float(bar.get("width")), bar.get("class")) for bar in root.iter() if bar.get("rx")]
        self.assertEqual([kind for _, _, kind in bars], ["ours", "peer", "ours", "peer", "ours", "peer", "peer"])
        self.assertAlmostEqual(bars[0][1] / bars[1][1], 2.75, delta=0.01)
        self.assertAlmostEqual(bars[4][1] / bars[5][1], 2, delta=0.01)
        self.assertTrue(all(x + length <= chart.WIDTH for x, length, _ in bars))
        words = " ".join(root.itertext())
        self.assertIn("330 (2.75x)", words)
        self.assertIn("prefers-color-scheme: dark", words)
        self.assertIsNone(chart.chart(ROWS, "whole", ["ru"]))

    def test_a_cell_that_was_not_finished_is_measured_again(self):
        path = f"{self.folder}/runs.jsonl"
        writer = results.Writer(path, [HEAD, *DONE[:1], run("splintr", 1), run("splintr", 2, text="ja")])
        writer.file.write('{"kind": "run", "text')
        writer.file.close()
        rows = results.read(path)
        self.assertEqual([row["kind"] for row in rows], ["head", "done", "run"])
        again = results.Writer(path, rows)
        self.addCleanup(again.file.close)
        self.assertTrue(again.is_done("gpt2", "ru", ["cold", "warm"]))
        self.assertFalse(again.is_done("gpt2", "ja", ["cold", "warm"]))
        self.assertFalse(again.is_done("gpt2", "ru", ["cold"]))


class Engines(unittest.TestCase):
    def test_each_adapter_is_there_without_its_package_and_pins_it(self):
        marks = set()
        for name in engines.MODULES:
            adapter = engines.find(name)
            self.assertTrue(issubclass(adapter, Engine))
            self.assertTrue(all("==" in package for package in adapter.requires), name)
            self.assertTrue(adapter.requires or name == "budtiktok")
            self.assertTrue(adapter.title and adapter.note and adapter.package != "?")
            marks.add(adapter.mark)
        self.assertEqual(len(marks), len(engines.MODULES))

    def parse(self, *arguments):
        return compare.parse([*arguments, "--out", "nowhere", "--report"])

    def test_names_are_chosen_from_the_lists(self):
        options = self.parse("--engines", "splintr,gigatoken", "--tokenizers", "qwen3", "--texts", "ru,th", "--offsets", "--quick")
        self.assertEqual((options.engines, options.tokenizers, options.texts), (["splintr", "gigatoken"], ["qwen3"], ["ru", "th"]))
        self.assertEqual((options.modes, options.rounds, options.bytes),
                         (["cold", "warm", "offsets"], compare.QUICK_ROUNDS, compare.QUICK_BYTES))
        self.assertEqual((self.parse().tokenizers, self.parse().texts), (list(TOKENIZERS), list(TEXTS)))
        self.assertNotIn("budtiktok", self.parse().engines)

    def test_wrong_use_is_told_with_exit_status_2(self):
        for arguments, message in ((("--engines", "splinter"), "splinter is not one of"), (("--texts", "en"), "is not one of"),
                                   (("--tokenizers", "gpt3"), "is not one of"), (("--modes", "hot"), "is not one of"),
                                   (("--rounds", "0"), "--rounds"), (("--bytes", "100"), "--bytes")):
            with redirect_stderr(StringIO()) as told, self.assertRaises(SystemExit) as ended:
                self.parse(*arguments)
            self.assertEqual(ended.exception.code, 2, arguments)
            self.assertIn(message, told.getvalue())


class WholeRun(Folder):
    """compare.py from its command line to its files."""

    def setUp(self):
        super().setUp()
        make_environments(self.folder)
        os.mkdir(f"{self.folder}/data")
        os.symlink(f"{TREE}/tokenizer/default/bpe.json", f"{self.folder}/data/gpt2.json")
        for name in ("en_books", "ja"):
            os.symlink(f"{TREE}/bench/texts/{name[:2]}.txt", f"{self.folder}/data/{name}.txt")

    def compare(self, *arguments):
        return subprocess.run(
            [sys.executable, f"{TREE}/bench/peers/compare.py", "--tokenizer-folder", f"{self.folder}/data", "--text-folder",
             f"{self.folder}/data", "--environments", self.folder, "--program", PROGRAM, "--library", LIBRARY, "--out",
             f"{self.folder}/out", "--tokenizers", "gpt2", "--engines", "gigatoken,fastokens,tokenizers-0.23", "--bytes", "60000",
             "--rounds", "2", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)

    def rows(self):
        with open(f"{self.folder}/out/runs.jsonl", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_only_right_ids_have_figures(self):
        done = self.compare("--texts", "en_books,ja", "--modes", "cold,warm,whole", "--load")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        rows = self.rows()
        cells = results.cells(rows)
        english, japanese = cells["gpt2", "en_books", "cold"], cells["gpt2", "ja", "cold"]
        self.assertEqual(list(english.peers), ["tokenizers-0.23"])
        self.assertEqual(sorted(japanese.peers), ["gigatoken", "tokenizers-0.23"])
        self.assertEqual([len(cell.ours.rates) for cell in cells.values()], [2] * 6)
        wrong = [row for row in rows if row["kind"] == "different"]
        self.assertEqual({(row["engine"], row["text"], row["mode"]) for row in wrong},
                         {("gigatoken", "en_books", mode) for mode in ("cold", "warm", "whole")})
        self.assertEqual(wrong[0]["example"]["text"], " the ")
        self.assertEqual([row["reason"] for row in rows if row["kind"] == "refused"], ["ImportError: not today"])
        self.assertEqual({row["engine"] for row in rows if row["kind"] == "load"}, {"budtiktok", "gigatoken", "tokenizers-0.23"})
        for name in ("peers.md", "peers-cold.svg", "peers-warm.svg", "peers-whole.svg"):
            self.assertTrue(os.path.getsize(f"{self.folder}/out/{name}"))

    def test_it_goes_on_where_it_was_ended(self):
        self.assertEqual(self.compare("--texts", "ja", "--modes", "cold").returncode, 0)
        before = self.rows()
        done = self.compare("--texts", "ja,en_books", "--modes", "cold", "--resume")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(self.rows()[:len(before)], before)
        self.assertNotIn(b"ja, cold", done.stdout)
        self.assertIn(b"en_books, cold", done.stdout)

    def test_ids_of_ours_that_differ_are_exit_status_1(self):
        self.assertEqual(self.compare("--texts", "ja", "--modes", "cold").returncode, 0)
        place = f"{self.folder}/out/reference/gpt2/ja-pieces.json"
        with open(place, encoding="ascii") as file:
            answer = json.load(file)
        with open(place, "w", encoding="ascii") as file:
            json.dump({**answer, "ids_xxh64": "0" * 16}, file)
        done = self.compare("--texts", "ja", "--modes", "cold")
        self.assertEqual(done.returncode, 1, done.stderr.decode())
        self.assertIn("ours: ids differ", done.stdout.decode())

    def test_what_is_not_there_is_told_before_anything_is_measured(self):
        for arguments, message in ((("--texts", "ru"), "there is no ru.txt"), (("--texts", "ja", "--engines", "splintr"), "is not installed"),
                                   (("--texts", "ja", "--program", "/nowhere"), "there is no /nowhere")):
            done = self.compare(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assertIn(message, done.stderr.decode())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
