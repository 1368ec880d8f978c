# SPDX-License-Identifier: Apache-2.0
"""One engine in this process: calls between two looks at the clock, ids compared when it has stopped.

    warm-up (not timed)   CLOCK  cold: one call a piece  CLOCK  warm: the same again  CLOCK   ids

Results are dropped as soon as they come, which is cheapest for an engine: ids are those of one more pass. With
keeps_results those of the cold pass itself are kept and compared.
"""
import ctypes
import gc
import time
from array import array

import cut
from engines.adapter import joined


def text_of(data):
    """A str that has its UTF-8 already: what CPython keeps when an engine asks for it the first time."""
    text = data.decode()
    as_utf8 = ctypes.pythonapi.PyUnicode_AsUTF8AndSize
    as_utf8.restype, as_utf8.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_void_p)
    as_utf8(text, None)
    return text


def calls_of(data, form):
    """Calls and warm-up of a text, and the bytes of the calls."""
    body, warm_up = cut.split(data)
    calls = cut.calls(body, form)
    return [text_of(call) for call in calls], [text_of(call) for call in cut.pieces(warm_up)], sum(map(len, calls))


def time_calls(encode, calls, keeps_results=False):
    """Seconds, processor seconds, and the results where they are kept."""
    results = []
    gc.collect()
    gc.disable()
    cpu, begin = time.process_time(), time.perf_counter()
    if keeps_results:
        results = [encode(call) for call in calls]
    else:
        for call in calls:
            encode(call)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
    gc.enable()
    return seconds, cpu_seconds, results


def call_seconds(encode, count=1000):
    """What the call itself costs, from Python into the engine and back: the least of a few passes with one letter."""
    return min(time_calls(encode, ["a"] * count)[0] for _ in range(3)) / count


def measure_pieces(engine, calls, warm_up, modes, keeps_results):
    """Cold and warm."""
    time_calls(engine.encode, warm_up)
    *cold, results = time_calls(engine.encode, calls, keeps_results)
    times = {"cold": cold}
    if "warm" in modes:
        times["warm"] = time_calls(engine.encode, calls)[:2]
    if not keeps_results:
        results = [engine.encode(call) for call in calls]
    return {mode: times[mode] for mode in modes}, joined([engine.ids_of(result) for result in results]), None


def measure_offsets(engine, calls, warm_up):
    time_calls(engine.encode_offsets, warm_up)
    times = time_calls(engine.encode_offsets, calls)[:2]
    pairs = [engine.pairs_of(engine.encode_offsets(call)) for call in calls]
    return {"offsets": times}, joined([ids for ids, _ in pairs]), joined([offsets for _, offsets in pairs])[0]


def measure(engine, form, calls, warm_up, modes, keeps_results):
    """Times of each mode (seconds, processor seconds), ids (all, and how many each call has), offsets or None."""
    if modes == ["offsets"]:
        return measure_offsets(engine, calls, warm_up)
    if modes in (["lines"], ["batch"], ["threads"]):
        engine.encode_batch(warm_up)
        *times, results = time_calls(engine.encode_batch, [calls], True)
        return {modes[0]: times}, engine.ids_of_batch(results[0]), None
    if form == "whole":
        time_calls(engine.encode, warm_up)
        *times, results = time_calls(engine.encode, calls, True)
        return {modes[0]: times}, joined([engine.ids_of(results[0])]), None
    return measure_pieces(engine, calls, warm_up, modes, keeps_results)


def difference(got, wanted):
    """The first call whose ids are not the reference's: its number and the place in it; None: all are equal."""
    if got == wanted:
        return None
    (ids, counts), (wanted_ids, wanted_counts) = got, wanted
    begin = wanted_begin = 0
    for number, (count, wanted_count) in enumerate(zip(counts, wanted_counts)):
        mine, theirs = ids[begin:begin + count], wanted_ids[wanted_begin:wanted_begin + wanted_count]
        if mine != theirs:
            at = next((i for i, (one, other) in enumerate(zip(mine, theirs)) if one != other), min(count, wanted_count))
            return {"call": number, "token": at, "got": list(mine[at:at + 6]), "wanted": list(theirs[at:at + 6])}
        begin, wanted_begin = begin + count, wanted_begin + wanted_count
    return {"call": min(len(counts), len(wanted_counts)), "token": 0, "got": [], "wanted": []}


def read_ids(path):
    ids = array("I")
    with open(path, "rb") as file:
        ids.frombytes(file.read())
    return ids


def read_answers(prefix):
    """What the reference answered: ids of all calls, and how many each has."""
    return read_ids(f"{prefix}.ids"), read_ids(f"{prefix}.counts")
