# SPDX-License-Identifier: Apache-2.0
"""Cache misses of the encode loop by valgrind's cachegrind, in caches of a fixed size.

The caches are simulated, so the figures are those of the program and not of the machine or of its
neighbours. Their sizes are a worker's own: D1 48 KiB in 12 ways, and as the last level an L2 of 2 MiB in
16 ways. Opening a tokenizer, cutting the text and warming up are run a second time without the loop, and
subtracted. valgrind stops at AVX-512, so the kernels are those of AVX2."""
import json
import os
import pathlib
import subprocess
import tarfile

from profiling.base import ROOT, Failure, capture, find_tool, last_lines, make_folder, say, table

SUMMARY = "cache misses and branches of the encode loop, in simulated caches (cachegrind)"
MORE = """\
examples:
  ops/profile cache
  ops/profile cache --bench bpe --bytes 1000000 --embedded
  ops/profile cache --check                        (exit 1 past a bound of ops/profiling/cache_bounds.json)
  ops/profile cache --tokenizer llama3.json --input book.txt
  cg_annotate cache/cachegrind.out.bpe             (which lines miss)

bert-base-uncased and gpt2 over English books where ../shared/data has them, else the embedded tokenizers over
bench/texts/en.txt, again and again.
"""
CACHES = ("--I1=32768,8,64", "--D1=49152,12,64", "--LL=2097152,16,64")
BOUNDS = pathlib.Path(__file__).with_name("cache_bounds.json")
BENCHES = {"wordpiece": "bert-base-uncased.json", "bpe": "gpt2.json"}
BOOKS = "en_books.txt"


def add_arguments(parser):
    parser.add_argument("--bench", choices=(*BENCHES, "all"), default="all", help="default all")
    parser.add_argument("--bytes", type=int, default=10_000_000, metavar="N", help="of text (default 10000000)")
    parser.add_argument("--tokenizer", metavar="PATH", help="this one in place of those of --bench")
    parser.add_argument("--input", metavar="PATH", help="this text")
    parser.add_argument("--embedded", action="store_true", help="the embedded tokenizers and our own text")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bound is passed")
    parser.add_argument("-o", "--output", default="cache", metavar="DIR", help="cachegrind's files (default cache)")
    parser.add_argument("--build", default=str(ROOT / "build"), metavar="DIR", help="build folder (default build)")


def unpack(build, archive, member):
    """A file of ../shared/data, once; None: it is not there."""
    path = pathlib.Path(build) / "profiling-data" / member
    source = ROOT.parent / "shared" / "data" / archive
    if path.exists() or not source.exists():
        return str(path) if path.exists() else None
    say(f"unpacking {member} of {archive}")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with tarfile.open(source) as tar, open(part, "wb") as out:
        out.write(tar.extractfile("./" + member).read())
    os.replace(part, path)
    return str(path)


def subjects(arguments):
    """(name, kind, tokenizer, text): kind says which bounds hold, None: none do."""
    if arguments.tokenizer or arguments.input:
        name = os.path.basename(arguments.tokenizer or "wordpiece").removesuffix(".json")
        return [(name, None, arguments.tokenizer or "wordpiece", arguments.input or "en")]
    names = BENCHES if arguments.bench == "all" else [arguments.bench]
    found = []
    for name in names:
        tokenizer = text = None
        if not arguments.embedded:
            tokenizer = unpack(arguments.build, "tokenizers.tar.xz", BENCHES[name])
            text = unpack(arguments.build, "corpus.tar.xz", BOOKS) if tokenizer else None
        found.append((name, "corpus", tokenizer, text) if text else (name, "embedded", name, "en"))
    return found


def read_events(path):
    """{event: count} of the whole program."""
    names = counts = None
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("events:"):
                names = line.split()[1:]
            elif line.startswith("summary:"):
                counts = [int(word) for word in line.split()[1:]]
    if not names or not counts or len(names) != len(counts):
        raise Failure(f"{path}: not a file of cachegrind", 3)
    return dict(zip(names, counts))


def simulate(arguments, tokenizer, text, count, output):
    loop = os.path.join(arguments.build, "tests", "ops", "encode_loop")
    if not os.path.exists(loop):
        raise Failure(f"{loop} is missing: build first, with ./run build", 3)
    command = [find_tool("valgrind"), "--tool=cachegrind", "--cache-sim=yes", "--branch-sim=yes", *CACHES,
               "--cachegrind-out-file=" + output, loop, tokenizer, text, str(count)]
    status, out, message = capture(command, env={**os.environ, "BUDTIKTOK_SIMD": "avx2"}, stdin=subprocess.DEVNULL)
    if status:
        raise Failure(f"cachegrind: {last_lines(message)}")
    facts = dict(word.split("=") for word in out.split())
    return read_events(output), int(facts["bytes"])


def measure(arguments, name, tokenizer, text):
    make_folder(arguments.output)
    output = os.path.join(arguments.output, "cachegrind.out." + name)
    whole, count = simulate(arguments, tokenizer, text, arguments.bytes, output)
    rest, _ = simulate(arguments, tokenizer, text, 0, output + ".without")
    return figures({event: whole[event] - rest[event] for event in whole}, count)


def figures(loop, count):
    references = loop["Dr"] + loop["Dw"]
    d1, ll = loop["D1mr"] + loop["D1mw"], loop["DLmr"] + loop["DLmw"]
    branches, wrong = loop["Bc"] + loop["Bi"], loop["Bcm"] + loop["Bim"]
    return {
        "bytes": count,
        "instructions_per_byte": loop["Ir"] / count,
        "references_per_byte": references / count,
        "d1_percent": 100 * d1 / references,
        "ll_percent": 100 * ll / references,
        "d1_misses_per_kb": 1000 * d1 / count,
        "ll_misses_per_kb": 1000 * ll / count,
        "branches_per_byte": branches / count,
        "mispredicted_percent": 100 * wrong / branches,
        "mispredicted_per_kb": 1000 * wrong / count,
    }


def past_bounds(name, kind, found):
    try:
        bounds = json.loads(BOUNDS.read_text(encoding="utf-8"))[name][kind]
    except (OSError, ValueError, KeyError) as error:
        raise Failure(f"{BOUNDS.name}: no bounds for {name}, {kind}: {error!r}", 3) from error
    return [f"{name}: {key} is {found[key]:.2f}, the bound is {bound}"
            for key, bound in bounds.items() if key != "reason" and not found[key] < bound]


def run(arguments):
    if not 1 <= arguments.bytes <= 1 << 30:
        raise Failure("--bytes: expected 1 to 1073741824", 2)
    found, faults = {}, []
    for name, kind, tokenizer, text in subjects(arguments):
        say(f"{name}: {os.path.basename(tokenizer)}, {os.path.basename(text)}, {arguments.bytes} bytes")
        found[name] = measure(arguments, name, tokenizer, text)
        if arguments.check and kind:
            faults += past_bounds(name, kind, found[name])
    rows = [(key.replace("_", " "), *(f"{found[name][key]:.2f}" if key != "bytes" else found[name][key]
                                      for name in found)) for key in next(iter(found.values()))]
    print(table(("encode loop, avx2", *("> " + name for name in found)), rows))
    for fault in faults:
        print("past a bound: " + fault)
    if arguments.check and not faults:
        print("ok: within the bounds of ops/profiling/cache_bounds.json")
    return 1 if faults else 0
