#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The promises of the command line: exit status, JSON Lines, formats of output, sockets.

    cli_test.py PROGRAM
"""
import ast
import base64
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else "build/bin/budtiktok"
BPE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                   "../../tokenizer/default/bpe.json")
COMMANDS = ("encode", "decode", "compile", "inspect", "serve", "worker", "submit", "status",
            "verify")


def run(*arguments, data=b"", **more):
    return subprocess.run([PROGRAM, *arguments], input=data, capture_output=True, check=False,
                          timeout=60, **more)


def jsonl(verb, *lines, options=()):
    """(exit status, answers) to lines, which are objects or bytes as they stand."""
    data = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n"
                    for line in lines)
    done = run(verb, "--input-format", "jsonl", *options, data=data)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def ids(text, *options):
    status, [answer] = jsonl("encode", {"text": text}, options=options)
    assert status == 0, answer
    return answer["ids"]


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        return path

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def expect(self, done, status, message=""):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(message, done.stderr.decode())


class Usage(Files):
    def test_every_command_helps_on_stdout(self):
        for command in COMMANDS:
            done = run(command, "--help")
            self.expect(done, 0)
            self.assertIn(f"usage: budtiktok {command}", done.stdout.decode())
            self.assertIn("examples:", done.stdout.decode())
            self.assertEqual(done.stderr, b"")
        self.assertIn("exit status:", run("--help").stdout.decode())
        self.assertRegex(run("--version").stdout.decode(), r"\d+\.\d+\.\d+")

    def test_wrong_use_is_two_and_says_what(self):
        self.expect(run(), 2, "usage")
        self.expect(run("encrypt"), 2, "encrypt")
        for command in COMMANDS:
            self.expect(run(command, "--no-such-option"), 2, "--no-such-option")
        self.expect(run("encode", "--tokenizer"), 2, "--tokenizer")
        self.expect(run("encode", "--fields", "ids,colour"), 2, "colour")
        self.expect(run("encode", "--input-format", "xml"), 2, "xml")
        self.expect(run("encode", "--output-format", "xml"), 2, "xml")
        self.expect(run("encode", "--offsets-unit", "word"), 2, "word")
        self.expect(run("encode", "--invalid-utf8", "ignore"), 2, "ignore")
        self.expect(run("encode", "--max-document-bytes", "many"), 2, "many")

    def test_unknown_kernels_are_an_error(self):
        done = run("encode", data=b"a", env={**os.environ, "BUDTIKTOK_SIMD": "mmx"})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("mmx", done.stderr.decode())

    def test_all_kernels_give_the_same(self):
        text = "The na\u00efve caf\u00e9 \u4e2d\u6587, don't 123\n" * 50
        found = {}
        for name in ("scalar", "avx2", "avx512"):
            done = run("encode", "--fields", "ids,offsets", data=text.encode(),
                       env={**os.environ, "BUDTIKTOK_SIMD": name})
            if done.returncode == 0:
                found[name] = done.stdout
        self.assertIn("scalar", found)
        self.assertEqual(len(set(found.values())), 1)


class TokenizerFiles(Files):
    def test_what_cannot_be_read_is_three(self):
        self.expect(run("encode", "--tokenizer", self.path("missing.json")), 3, "missing.json")
        self.expect(run("encode", "--tokenizer", self.folder), 3, self.folder)
        self.expect(run("encode", self.path("missing.txt")), 3, "missing.txt")

    def test_a_file_cut_anywhere_is_three(self):
        vocabulary = {"[UNK]": 0, "a": 1}
        model = {"type": "WordPiece", "vocab": vocabulary, "unk_token": "[UNK]",
                 "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
        whole = json.dumps({"model": model, "pre_tokenizer": {"type": "BertPreTokenizer"}}).encode()
        for length in range(0, len(whole), 7):
            path = self.path("cut.json", whole[:length])
            self.expect(run("inspect", path), 3, "cut.json")
        self.expect(run("encode", "--tokenizer", self.path("whole.json", whole), data=b"a"), 0)

    def test_an_image_gives_what_its_file_gives_and_a_damaged_one_is_three(self):
        image = self.path("bpe.image")
        self.expect(run("compile", "--output", image, BPE), 0)
        self.assertEqual(ids("Hello world", "--tokenizer", image),
                         ids("Hello world", "--tokenizer", "bpe"))
        content = self.read("bpe.image")
        for damaged in (content[:-1], content[:1000], content[:100],
                        content[:5000] + b"\xff" + content[5001:]):
            path = self.path("damaged.image", damaged)
            self.expect(run("encode", "--tokenizer", path, data=b"a"), 3, "damaged.image")


    def test_inspect_says_what_is_in_a_tokenizer(self):
        def inspected(root):
            path = self.path("inspected.json", json.dumps(root).encode())
            done = run("inspect", path)
            self.expect(done, 0)
            return json.loads(done.stdout)
        model = {"type": "Unigram", "vocab": [["<unk>", 0.0], ["a", -1.0]], "unk_id": 0}
        found = inspected({"model": model, "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Lowercase"}, {"type": "Prepend", "prepend": "a"}]},
                           "pre_tokenizer": {"type": "Whitespace"}, "decoder": {"type": "Fuse"}})
        self.assertEqual([found[name] for name in ("model", "normalizer", "pre_tokenizer", "decoder")],
                         ["Unigram", ["lowercase", "prepend"], "split_words", "Fuse"])
        found = inspected({"model": model})
        self.assertEqual([found["normalizer"], found["pre_tokenizer"]], [None, None])
        found = json.loads(run("inspect", BPE).stdout)
        self.assertEqual([found["model"], found["pre_tokenizer"], found["pattern"]], ["BPE", "ByteLevel", "gpt2"])


class Lines(Files):
    def test_one_answer_for_each_line_in_order_and_errors_in_their_place(self):
        status, answers = jsonl("encode", {"text": "one"}, b"{", {"text": "two"}, {"txt": "x"},
                                {"text": 7}, {"text": ""}, b"[]", {"text": "one"})
        self.assertEqual(status, 1)
        self.assertEqual([("ids" in answer) for answer in answers],
                         [True, False, True, False, False, True, False, True])
        self.assertEqual(answers[0], answers[7])
        for answer in answers:
            if "error" in answer:
                self.assertTrue(answer["error"]["code"])
                self.assertTrue(answer["error"]["message"])

    def test_what_the_text_of_a_special_token_means(self):
        def answers(*texts, options=()):
            return jsonl("encode", *texts, options=("--no-special-tokens", *options))[1]
        token, plain = {"text": "a [SEP]"}, {"text": "a [ SEP ]"}
        parsed, split = answers(token, plain)
        self.assertEqual(len(parsed["ids"]), 2)
        self.assertEqual(answers(token, options=("--special-text", "parse")), [parsed])
        self.assertEqual(answers(token, options=("--special-text", "plain")), [split])
        for name, value in (("special_text", "plain"), ("encode_special_tokens", True)):
            self.assertEqual(answers({**token, "options": {name: value}}), [split])
        # null says nothing, over whatever the command line says.
        self.assertEqual(answers({**token, "options": {"encode_special_tokens": None}}, options=("--special-text", "plain")),
                         [split])
        status, refused = jsonl("encode", token, plain, options=("--special-text", "error"))
        self.assertEqual(status, 1)
        self.assertEqual(refused[0]["error"]["code"], "special_text")
        self.assertEqual(refused[0]["error"]["offset"], 2)
        self.assertIn("ids", refused[1])
        self.assertEqual(answers({**token, "options": {"special_text": "odd"}})[0]["error"]["code"], "malformed")

    def test_verify_reads_special_text_as_the_records_mean_it(self):
        bytes_ = b"".join(base64.b64encode(bytes([i])) + b" %d\n" % i for i in range(256))
        tokenizer = self.path("bytes.tiktoken", bytes_)
        options = ("--tokenizer", tokenizer, "--pattern", "gpt2", "--special", "<|end|>=300")
        plain = list(b"a<|end|>")
        records = [{"text": "a<|end|>", "ids": plain, "ids_special": [97, 300]},
                   {"input": ["a<|end|>"], "options": {"special_text": "parse"}, "encoding": {"ids": [97, 300]}},
                   {"input": ["a<|end|>"], "options": {"encode_special_tokens": True}, "encoding": {"ids": plain}},
                   {"input": ["a<|end|>"], "options": {}, "encoding": {"ids": plain}}]
        reference = self.path("reference.jsonl", b"".join(json.dumps(x).encode() + b"\n" for x in records))
        done = run("verify", *options, "--reference", reference)
        self.assertEqual((done.returncode, done.stdout.split()[:4]), (0, [b"8", b"of", b"8", b"equal"]), done.stdout)

    def test_a_lone_surrogate_is_invalid_utf8(self):
        status, answers = jsonl("encode", b'{"text": "a\\ud800b"}', b'{"text": "\\udc00"}',
                                b'{"text": "\\ud83d\\ude00"}')
        self.assertEqual(status, 1)
        self.assertEqual(answers[0]["error"]["code"], "invalid_utf8")
        self.assertEqual(answers[1]["error"]["code"], "invalid_utf8")
        self.assertIn("ids", answers[2])

    def test_nul_is_a_character(self):
        for model in ("wordpiece", "bpe"):
            status, [answer] = jsonl("encode", {"text": "a\0b"},
                                     options=("--tokenizer", model, "--no-special-tokens",
                                              "--fields", "ids,offsets"))
            self.assertEqual(status, 0)
            self.assertEqual(answer["offsets"][-1][1], 3)
        done = run("encode", "--tokenizer", "bpe", "--input-format", "text", data=b"a\0b")
        self.assertEqual(json.loads(done.stdout)["ids"], ids("a\0b", "--tokenizer", "bpe"))

    def test_lines_take_off_their_ends_and_empty_ones_are_documents(self):
        def split(data):
            done = run("encode", "--input-format", "lines", "--no-special-tokens", data=data)
            self.expect(done, 0)
            return [json.loads(line)["ids"] for line in done.stdout.splitlines()]
        hello, world = ids("hello", "--no-special-tokens"), ids("world", "--no-special-tokens")
        self.assertEqual(split(b"hello\nworld\n"), [hello, world])
        self.assertEqual(split(b"hello\nworld"), [hello, world])
        self.assertEqual(split(b"hello\r\n\nworld\r\n"), [hello, [], world])
        self.assertEqual(split(b"\n"), [[]])
        self.assertEqual(split(b""), [])

    def test_invalid_utf8_is_refused_at_its_byte_or_replaced(self):
        bad = b"good\nab\xffcd\ngood\n"
        done = run("encode", "--input-format", "lines", data=bad)
        self.assertEqual(done.returncode, 1)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(answers[1]["error"]["code"], "invalid_utf8")
        self.assertEqual(answers[1]["error"]["offset"], 2)
        self.assertEqual(answers[0], answers[2])
        done = run("encode", "--tokenizer", "bpe", "--input-format", "lines", "--invalid-utf8",
                   "replace", data=bad)
        self.expect(done, 0)
        self.assertEqual(json.loads(done.stdout.splitlines()[1])["ids"],
                         ids("ab\ufffdcd", "--tokenizer", "bpe"))

    def test_text_key_and_options_of_a_line(self):
        status, [answer] = jsonl("encode", {"body": "hello"}, options=("--text-key", "body"))
        self.assertEqual((status, answer["ids"]), (0, ids("hello")))
        status, [answer] = jsonl("encode", {"text": "hello",
                                            "options": {"add_special_tokens": False}})
        self.assertEqual((status, answer["ids"]), (0, ids("hello", "--no-special-tokens")))

    def test_a_document_beyond_the_limit_is_refused_and_the_rest_goes_on(self):
        status, answers = jsonl("encode", {"text": "a" * 101}, {"text": "a" * 100},
                                options=("--max-document-bytes", "100"))
        self.assertEqual(status, 1)
        self.assertIn("error", answers[0])
        self.assertIn("ids", answers[1])

    def test_what_was_encoded_is_decoded_and_unknown_ids_are_left_out(self):
        text = "Hello, world! \u00e9\u4e2d\U0001f600 \n x"
        encoded = ids(text, "--tokenizer", "bpe")
        status, answers = jsonl("decode", {"ids": encoded}, {"ids": encoded[:2] + [4000000000]},
                                {"ids": []}, options=("--tokenizer", "bpe"))
        self.assertEqual(status, 0)
        self.assertEqual(answers[0], {"text": text})
        self.assertEqual(answers[2], {"text": ""})
        status, [with_special] = jsonl("decode", {"ids": ids("hello")})
        status, [skipped] = jsonl("decode", {"ids": ids("hello")},
                                  options=("--skip-special-tokens",))
        self.assertEqual(skipped, {"text": "hello"})
        self.assertNotEqual(with_special, skipped)

    def test_ids_are_decoded_one_by_one(self):
        emoji = ids("\U0001f600", "--tokenizer", "bpe")
        self.assertGreater(len(emoji), 1)
        line = {"ids": ids("ab", "--tokenizer", "bpe") + emoji + emoji[:1]}
        held = [None] * (len(emoji) - 1)
        for mode, last in (("", [None]), ("=exact", [None]), ("=lossless", [None, "\ufffd"])):
            status, [answer] = jsonl("decode", line, options=("--tokenizer", "bpe", "--stream" + mode))
            self.assertEqual(status, 0)
            self.assertEqual(answer["steps"][-len(held + last) - 1:], held + ["\U0001f600"] + last)
        self.expect(run("decode", "--stream=fast", data=b""), 2, "exact, lossless")
        self.expect(run("encode", "--stream", data=b""), 2, "no such option")

    def test_a_stream_that_gives_up_says_so_beside_its_steps(self):
        vocabulary = {"a": 0, "<0xC3>": 1, "<0xA9>": 2}
        path = self.path("tokenizer.json", json.dumps({
            "decoder": {"type": "ByteFallback"},
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "a"}}).encode())
        line = {"ids": [1, 2, 1, 0]}
        status, [answer] = jsonl("decode", line, options=("--tokenizer", path, "--stream"))
        self.assertEqual((status, answer["steps"]), (1, [None, "\u00e9", None]))
        self.assertEqual(answer["error"]["code"], "changed_text")
        status, [answer] = jsonl("decode", line, options=("--tokenizer", path, "--stream=lossless"))
        self.assertEqual((status, answer), (0, {"steps": [None, "\u00e9", None, "\ufffda"]}))

    def test_offsets_of_bytes_and_of_characters(self):
        for unit, end in (("char", 2), ("byte", 4)):
            status, [answer] = jsonl("encode", {"text": "\u00e9\u00e9"},
                                     options=("--tokenizer", "bpe", "--offsets-unit", unit,
                                              "--fields", "ids,offsets"))
            self.assertEqual((status, answer["offsets"][-1][1]), (0, end))


class Outputs(Files):
    TEXTS = ("hello world", "", "don't \u4e2d\u6587")

    def encode_to(self, output_format):
        data = "\n".join(self.TEXTS).encode() + b"\n"
        self.expect(run("encode", "--input-format", "lines", "--output-format", output_format,
                        "--output", self.path("out"), data=data), 0)
        all_ids, ends = [], []
        for text in self.TEXTS:
            all_ids += ids(text)
            ends.append(len(all_ids))
        return all_ids, ends

    def test_u32_is_all_ids_and_where_each_document_ends(self):
        all_ids, ends = self.encode_to("u32")
        self.assertEqual(self.read("out"), struct.pack(f"<{len(all_ids)}I", *all_ids))
        self.assertEqual(self.read("out.ends"), struct.pack(f"<{len(ends)}Q", *ends))

    def test_npy_is_the_same_with_a_head(self):
        all_ids, ends = self.encode_to("npy")
        names = [name for name in sorted(os.listdir(self.folder)) if "ends" in name]
        self.assertEqual(len(names), 1)
        for name, kind, packed, count in (("out", "<u4", f"<{len(all_ids)}I", all_ids),
                                          (names[0], "<u8", f"<{len(ends)}Q", ends)):
            content = self.read(name)
            self.assertEqual(content[:8], b"\x93NUMPY\x01\x00")
            length = struct.unpack("<H", content[8:10])[0]
            self.assertEqual((10 + length) % 64, 0)
            head = ast.literal_eval(content[10:10 + length].decode())
            self.assertEqual(head, {"descr": kind, "fortran_order": False,
                                    "shape": (len(count),)})
            self.assertEqual(content[10 + length:], struct.pack(packed, *count))

    def test_an_output_that_cannot_be_written_is_three(self):
        self.expect(run("encode", "--output", "/nonexistent/out", data=b"a"), 3, "/nonexistent/out")


class Cluster(Files):
    """`serve` on a socket of its own; every test leaves no process."""

    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o700)
        self.endpoint = "ipc://" + self.path("control")

    def serve(self, *options):
        server = subprocess.Popen([PROGRAM, "serve", "--listen", self.endpoint, "--workers", "1",
                                   "--http", "off", *options], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        line = server.stdout.readline().decode()
        self.assertIn("ready listen=", line, line or server.stderr.read)
        return server

    def submit(self, data, *options):
        return run("submit", "--connect", self.endpoint, "--input-format", "lines", *options,
                   data=data)

    def test_nobody_there_is_four(self):
        self.expect(self.submit(b"a"), 4)
        self.expect(run("status", "--connect", self.endpoint), 4)

    def test_a_worker_started_by_hand_joins_and_leaves_on_sigterm(self):
        self.serve()
        for options in ((), ("--cpu", str(min(os.sched_getaffinity(0))))):
            worker = subprocess.Popen([PROGRAM, "worker", "--connect", self.endpoint, *options],
                                      stderr=subprocess.DEVNULL)
            self.addCleanup(worker.wait)
            self.addCleanup(worker.kill)
            end = time.monotonic() + 20
            while True:
                status = run("status", "--connect", self.endpoint, "--json")
                if json.loads(status.stdout)["workers_ready"] == 2:
                    break
                self.assertIsNone(worker.poll(), "the worker ended")
                self.assertLess(time.monotonic(), end, status.stdout)
                time.sleep(0.05)
            worker.send_signal(signal.SIGTERM)
            self.assertEqual(worker.wait(timeout=20), 0)

    def test_an_endpoint_that_cannot_be_one_is_refused(self):
        for endpoint in ("tcp://127.0.0.1:1", "ipc://@x", "nonsense"):
            done = run("submit", "--connect", endpoint, data=b"a")
            self.assertIn(done.returncode, (2, 3), done.stderr)
            self.assertIn(endpoint, done.stderr.decode())

    def test_a_cluster_gives_what_one_process_gives_and_drains_on_sigterm(self):
        server = self.serve()
        data = "hello world\n\ndon't \u4e2d\u6587\nbad \xff\n".encode("latin-1", "ignore")
        alone = run("encode", "--input-format", "lines", data=data)
        through = self.submit(data)
        self.assertEqual(through.returncode, alone.returncode, through.stderr)
        self.assertEqual([json.loads(line).get("ids") for line in through.stdout.splitlines()],
                         [json.loads(line).get("ids") for line in alone.stdout.splitlines()])
        self.expect(run("status", "--connect", self.endpoint), 0)
        self.expect(self.submit(b"a", "--tokenizer", "nobody_knows"), 3)
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=30), 0)

    def test_a_second_coordinator_on_the_same_socket_is_six(self):
        self.serve()
        self.expect(run("serve", "--listen", self.endpoint, "--workers", "1", "--http", "off"), 6)
        self.expect(self.submit(b"hello"), 0)

    def test_socket_files_that_a_killed_one_left_are_in_nobodys_way(self):
        server = self.serve()
        server.kill()
        server.wait()
        self.assertTrue(os.path.exists(self.path("control.fd")))
        self.expect(self.submit(b"a"), 4)
        self.serve()
        self.expect(self.submit(b"hello"), 0)

    def test_a_file_where_a_socket_goes_is_left_alone(self):
        for name in ("control", "control.fd"):
            with open(self.path(name), "wb") as file:
                file.write(b"precious")
            self.expect(run("serve", "--listen", self.endpoint, "--workers", "1", "--http", "off"),
                        3, "is no socket")
            with open(self.path(name), "rb") as file:
                self.assertEqual(file.read(), b"precious")
            os.remove(self.path(name))
        self.serve()

    def test_a_taken_port_is_six(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.expect(run("serve", "--listen", self.endpoint, "--workers", "1", "--http",
                            f"127.0.0.1:{port}"), 6, str(port))

    def test_a_folder_that_others_can_write_to_is_refused(self):
        os.chmod(self.folder, 0o777)
        done = run("serve", "--listen", self.endpoint, "--workers", "1", "--http", "off")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("0700", done.stderr.decode())


if __name__ == "__main__":
    unittest.main()
