#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every option of encoding gives through a cluster what it gives in one process.

    cluster_options_test.py PROGRAM

What `encode` answers was compared with the reference elsewhere; here `submit` has to give the same bytes,
and HTTP the same values, for documents and options of all shapes.
"""
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "build/bin/budtiktok"
MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tokenizer/default")
FIELDS = ("ids", "type_ids", "tokens", "offsets", "word_ids", "sequence_ids", "special_tokens_mask", "attention_mask",
          "overflowing")
PIECES = ("Hello", " world", "naïve", " 日本語", "🙂", "\n", "[SEP]", "<|endoftext|>", " 12345", "é\u0301", "\0", "x" * 70, " ", "don't")
SEED = 20261125


def write_models(folder):
    """The built-in models, and the same with truncation and padding in the file."""
    paths = {}
    configured = {
        "truncation": {"direction": "Left", "max_length": 9, "strategy": "LongestFirst", "stride": 2},
        "padding": {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": 4, "pad_id": 3,
                    "pad_type_id": 1, "pad_token": "<fill>"}}
    for name in ("wordpiece", "bpe"):
        with open(os.path.join(MODELS, name + ".json"), encoding="utf-8") as file:
            model = json.load(file)
        for suffix, more in (("", {}), ("_configured", configured)):
            paths[name + suffix] = os.path.join(folder, f"{name}{suffix}.json")
            with open(paths[name + suffix], "w", encoding="utf-8") as file:
                json.dump({**model, **more}, file)
    return paths


class Random(random.Random):
    def text(self):
        return "".join(self.choices(PIECES, k=self.choice((0, 1, 2, 5, 30))))

    def either(self):
        return [self.text() for _ in range(self.randrange(4))] if self.random() < 0.4 else self.text()

    def document(self):
        first = self.either()
        document = {"words" if isinstance(first, list) else "text": first}
        if self.random() < 0.4:
            document["pair"] = self.either()
        return document

    def options(self):
        options = {}
        if self.random() < 0.3:
            options["as_configured"] = self.random() < 0.8
        if self.random() < 0.5:
            options["truncation"] = self.choice((None, {
                "max_length": self.choice((0, 3, 5, 12, 100)), "stride": self.choice((0, 1, 4)),
                "strategy": self.choice(("longest_first", "only_first", "only_second")),
                "direction": self.choice(("left", "right"))}))
        if self.random() < 0.5:
            options["padding"] = self.choice((None, {}, {
                "length": self.choice((None, 0, 7, 200)), "pad_to_multiple_of": self.choice((None, 0, 8)),
                "direction": self.choice(("left", "right")), "pad_id": self.choice((0, 7)), "pad_type_id": 1,
                "pad_token": self.choice(("", "[PAD]", "é\0" * 100))}))
        if self.random() < 0.3:
            options["add_special_tokens"] = self.random() < 0.5
        if self.random() < 0.3:
            options["special_text"] = self.choice((None, "default", "parse", "plain", "error"))
        if self.random() < 0.1:
            options["encode_special_tokens"] = self.choice((None, True, False))
        return options

    def line(self):
        many = self.random() < 0.3
        line = {"batch": [self.document() for _ in range(self.randrange(1, 6))]} if many else self.document()
        if self.random() < 0.7:
            line["options"] = self.options()
        return line


class ClusterOptions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.models = write_models(cls.folder.name)
        cls.endpoint = "ipc://" + os.path.join(cls.folder.name, "control")
        tokenizers = [x for name, path in cls.models.items() for x in ("--tokenizer", f"{name}={path}")]
        cls.server = subprocess.Popen([PROGRAM, "serve", "--workers", "2", "--listen", cls.endpoint, "--http", "127.0.0.1:0",
                                       *tokenizers], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = dict(word.split("=", 1) for word in cls.server.stdout.readline().split()[1:])
        cls.address = ready["http"]

    @classmethod
    def tearDownClass(cls):
        cls.server.send_signal(signal.SIGTERM)
        status = cls.server.wait(timeout=60)
        cls.server.stdout.close()
        cls.folder.cleanup()
        assert status == 0, status

    def run_both(self, name, lines, *options):
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        both = []
        for command in (["encode", "--tokenizer", self.models[name]],
                        ["submit", "--connect", self.endpoint, "--tokenizer", name]):
            done = subprocess.run([PROGRAM, *command, "--input-format", "jsonl", *options], input=data, capture_output=True,
                                  check=False, timeout=300)
            both.append((done.returncode, done.stdout))
        self.assertEqual(both[0][1].count(b"\n"), len(lines))
        return both

    def check_same(self, name, lines, *options):
        (encode_status, encoded), (submit_status, submitted) = self.run_both(name, lines, *options)
        for line, one, other in zip(lines, encoded.splitlines(), submitted.splitlines()):
            self.assertEqual(one, other, (name, options, line))
        self.assertEqual((submit_status, submitted), (encode_status, encoded))

    def test_lines_of_all_shapes_and_options(self):
        for number, name in enumerate(self.models):
            any_ = Random(SEED + number)
            lines = [any_.line() for _ in range(600)]
            fields = ",".join(any_.sample(FIELDS, any_.randrange(1, len(FIELDS))))
            self.check_same(name, lines, "--fields", ",".join(FIELDS))
            self.check_same(name, lines, "--fields", fields, "--offsets-unit", "byte", "--as-configured")
            self.check_same(name, lines, "--no-special-tokens", "--truncation", '{"max_length": 6}', "--padding", "{}")

    def test_a_batch_of_more_documents_than_a_shard_is_padded_to_its_longest(self):
        lines = [{"batch": [{"text": "a b"}] * 9000 + [{"text": "one two three four"}]}, {"text": "alone"}]
        self.check_same("wordpiece", lines, "--padding", "{}")

    def test_long_documents_with_much_overflow(self):
        text = "the quick brown fox jumps over the lazy dog " * 3000
        options = {"truncation": {"max_length": 64, "stride": 60}, "padding": {"length": 80}}
        self.check_same("bpe", [{"text": text, "options": options}] * 3, "--fields", "ids,offsets,overflowing")

    def test_more_options_than_a_client_registers(self):
        lines = [{"text": "one two three four five six", "options": {"truncation": {"max_length": n % 700}}} for n in range(2000)]
        self.check_same("wordpiece", lines)

    def test_what_becomes_too_large_is_refused_line_by_line(self):
        lines = [{"text": "a"}, {"text": "b", "options": {"padding": {"length": 1 << 40}}}, {"text": "c"}]
        both = self.run_both("wordpiece", lines)
        for status, output in both:
            answers = [json.loads(line) for line in output.splitlines()]
            self.assertEqual(status, 1)
            self.assertEqual(answers[1]["error"]["code"], "too_large")
            self.assertTrue(answers[0]["ids"] and answers[2]["ids"])

    def ask(self, body):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("POST", "/tokenize", json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def test_http_gives_the_fields_that_encode_gives(self):
        any_ = Random(SEED - 1)
        for name in self.models:
            lines = [{"batch": [any_.document() for _ in range(3)], "options": any_.options()} for _ in range(40)]
            (_, encoded), _ = self.run_both(name, lines, "--fields", ",".join(FIELDS))
            for line, expected in zip(lines, encoded.splitlines()):
                body = {"model": name, "inputs": line["batch"], "fields": list(FIELDS), **line["options"]}
                status, answer = self.ask(body)
                expected = json.loads(expected)
                if "error" in expected:
                    self.assertIn(status, (413, 422), (body, answer))
                else:
                    self.assertEqual((status, answer), (200, expected["batch"]), body)

    def test_http_options_that_are_always_others_do_not_fill_the_cluster(self):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        for n in range(4300):
            body = {"inputs": "one two three four five", "fields": ["ids"], "truncation": {"max_length": n + 2}}
            connection.request("POST", "/tokenize", json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            ids = json.loads(answer.read())[0]["ids"]
            self.assertEqual((answer.status, len(ids)), (200, min(n + 2, 7)), n)
        connection.close()


if __name__ == "__main__":
    unittest.main()
