#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the commands say and how they end when files, lines and options are not what they should be.

    hostile_cli_test.py PROGRAM
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "build/bin/budtiktok"
LSTRIP = {
    "added_tokens": [{"content": "<m>", "lstrip": True, "normalized": False}],
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]",
              "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
}


def run(*arguments, data=b"", stdout=subprocess.PIPE):
    return subprocess.run([PROGRAM, *arguments], input=data, stdout=stdout, stderr=subprocess.PIPE,
                          check=False, timeout=60)


def answers(*arguments, data):
    done = run(*arguments, data=data)
    return done.returncode, [json.loads(line.decode()) for line in done.stdout.splitlines()]


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def expect(self, done, status, message):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(message, done.stderr.decode())

    def test_what_is_no_tokenizer_is_said_to_be_none(self):
        for text, message in (
                ("", "there is nothing in it"),
                ("{}", "this is not a tokenizer"),
                ("[]", "no line [CLS]"),
                ('{"model": {"type": "WordPiece"}}', "model.vocab: is to be an object"),
                ('{"model": {"type": "BPE", "vocab": {}}}', "model.merges: is to be an array")):
            path = self.write("tokenizer.json", text)
            self.expect(run("encode", "--tokenizer", path), 3, message)

    def test_a_reference_that_cannot_be_read_is_an_error(self):
        self.expect(run("verify", "--reference", self.folder.name), 3, "Is a directory")
        path = self.write("reference.jsonl", '{"text": "a"}\n{"text": 1}\n')
        self.expect(run("verify", "--reference", path), 3, "line 2: a line without")

    def test_differences_are_shown_side_by_side(self):
        path = self.write("reference.jsonl",
                          '{"text": "Hello", "ids": [1, 2]}\n{"text": "", "ids": []}\n')
        done = run("verify", "--reference", path)
        self.assertEqual(done.returncode, 1)
        lines = done.stdout.decode().splitlines()
        self.assertEqual(lines[0], "1 of 2 equal")
        self.assertEqual(lines[1], 'ids of "Hello"')
        self.assertEqual(lines[2], "    expected [1,2]")
        self.assertRegex(lines[3], r"^    found    \[\d+\]$")

    def test_tokens_of_replaced_text_are_read_from_it(self):
        path = self.write("tokenizer.json", json.dumps(LSTRIP))
        status, lines = answers("encode", "--tokenizer", path, "--invalid-utf8", "replace",
                                "--fields", "tokens,offsets", data=b"\xff\xff\xff <m>\n")
        self.assertEqual(status, 0)
        self.assertEqual(lines, [{"tokens": ["[UNK]", " <m>"], "offsets": [[0, 3], [3, 7]]}])


class Lines(unittest.TestCase):
    def test_a_bad_line_is_an_error_in_its_place(self):
        status, lines = answers("encode", "--input-format", "jsonl", data=b"\n".join([
            b'{"text": 5}', b"[1]", b"null", b"nonsense", b'{"text": "\\ud800"}', b'{"text": "\xff"}',
            b'{"batch": 1}', b'{"text": "a", "options": {"stride": 1}}']))
        self.assertEqual(status, 1)
        self.assertEqual([line["error"]["code"] for line in lines],
                         ["malformed", "malformed", "malformed", "invalid_json", "invalid_utf8",
                          "invalid_utf8", "malformed", "not_supported"])

    def test_null_is_as_if_it_were_not_there(self):
        status, lines = answers("encode", "--input-format", "jsonl", data=b"\n".join([
            b'{"text": "a"}', b'{"text": "a", "pair": null, "words": null, "batch": null}',
            b'{"text": "a", "options": null}',
            b'{"text": "a", "options": {"padding": null, "add_special_tokens": null}}']))
        self.assertEqual(status, 0)
        self.assertEqual(lines, 4 * [lines[0]])

    def test_ids_that_are_none_are_refused(self):
        status, lines = answers("decode", data=b"\n".join([
            b'{"text": "a"}', b'{"ids": null}', b'{"ids": [-1]}', b'{"ids": [1.5]}',
            b'{"ids": [4294967295]}', b'{"ids": []}']))
        self.assertEqual(status, 1)
        self.assertEqual([line["error"]["code"] for line in lines[:4]], 4 * ["malformed"])
        self.assertEqual(lines[4:], 2 * [{"text": ""}])

    def test_messages_are_utf8_wherever_they_are_cut(self):
        data = "".join(f'{{"text": "a", "options": {{"{before}{"é" * 80}": 1}}}}\n'
                       for before in ("", "x")).encode()
        status, lines = answers("encode", "--input-format", "jsonl", data=data)
        self.assertEqual((status, len(lines)), (1, 2))


class Options(unittest.TestCase):
    def test_files_that_a_command_does_not_take_are_wrong_use(self):
        for arguments in (("status", "x"), ("serve", "x"), ("worker", "x"), ("verify", "x"),
                          ("inspect", "x", "y")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(b"--help", done.stderr)

    def test_a_full_disk_is_an_error(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        for arguments in (("--help",), ("inspect",), ("encode", "--help"), ("encode", "/dev/null")):
            with open("/dev/full", "wb") as full:
                done = run(*arguments, stdout=full)
            self.assertEqual(done.returncode, 3, arguments)
            self.assertIn(b"No space left", done.stderr)


if __name__ == "__main__":
    unittest.main()
