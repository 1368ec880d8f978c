# SPDX-License-Identifier: Apache-2.0
"""The process of one engine, in its own virtual environment. compare.py starts it: a job comes as a line of JSON on
standard input, what came of it goes as a line to standard output; whatever the engine prints goes to standard error.

    {"do": "measure", ...}   times of a group of modes, and whether the ids are the reference's
    {"do": "answer", ...}    the reference itself: ids of each form, for all others to be compared with
    {"do": "load", ...}      time and memory until the first ids
    {"do": "serve", ...}     ids of texts that come line by line, to find the shortest one that is told wrong
"""
import importlib
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.dirname(HERE))
sys.dont_write_bytecode = True

import engines  # noqa: E402
import measuring  # noqa: E402
import rewrite  # noqa: E402


def digest(ids):
    import xxhash
    return xxhash.xxh64_hexdigest(ids.tobytes())


class NotLoaded(Exception):
    pass


def said(error):
    """In one line."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, NotLoaded) else f"{type(error).__name__}: {text}"


def load_rewritten(engine, job):
    """What was changed, or None. The file is kept where the job says, for the next process to begin with."""
    with open(job["files"]["json"], encoding="utf-8") as file:
        text, changes = rewrite.rewrite(file.read())
    if not changes:
        return None
    os.makedirs(os.path.dirname(job["rewritten"]), exist_ok=True)
    with open(job["rewritten"], "w", encoding="utf-8") as file:
        file.write(text)
    engine.load({**job["files"], "json": job["rewritten"]})
    with open(job["rewritten"] + ".changes", "w", encoding="utf-8") as file:
        json.dump(changes, file)
    return changes


def load(job):
    """The engine, and what had to be changed in its file. Panics of an extension are BaseExceptions."""
    engine = engines.find(job["engine"])(job.get("threads", 1))
    if engine.takes_rewritten and os.path.exists(job["rewritten"] + ".changes"):
        engine.load({**job["files"], "json": job["rewritten"]})
        with open(job["rewritten"] + ".changes", encoding="utf-8") as file:
            return engine, json.load(file)
    try:
        engine.load(job["files"])
        return engine, []
    except BaseException as error:  # pylint: disable=broad-exception-caught
        if not engine.takes_rewritten:
            raise
        first = error
    try:
        changes = load_rewritten(engine, job)
    except BaseException as error:  # pylint: disable=broad-exception-caught
        second = said(error)
        raise NotLoaded(said(first) + (f"; rewritten: {second}" if second != said(first) else "")) from error
    if changes is None:
        raise first
    return engine, changes


def read_text(job):
    with open(job["text"], "rb") as file:
        return file.read()


def do_measure(job):
    engine, changes = load(job)
    calls, warm_up, size = measuring.calls_of(read_text(job), job["form"])
    try:
        times, answers, offsets = measuring.measure(engine, job["form"], calls, warm_up, job["modes"], job["keeps_results"])
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return {"error": said(error), "where": "encode"}
    call_us = {"call_us": measuring.call_seconds(engine.encode) * 1e6} if "cold" in job["modes"] else {}
    different = measuring.difference(answers, measuring.read_answers(job["reference"]))
    if different:
        different["text"] = calls[different["call"]] if different["call"] < len(calls) else ""
    rows = [{"mode": mode, "bytes": size, "pieces": len(calls), "tokens": len(answers[0]), "seconds": seconds,
             "cpu_seconds": cpu_seconds, "mb_per_s": size / seconds / 1e6, "ids_xxh64": digest(answers[0]),
             **({"offsets_xxh64": digest(offsets)} if offsets else {}), **call_us}
            for mode, (seconds, cpu_seconds) in times.items()]
    return {"rewritten": changes, "rows": rows, "different": different}


def do_answer(job):
    """The plain call of the reference, which is not the one that is measured."""
    engine, _ = load(job)
    calls, _, size = measuring.calls_of(read_text(job), job["form"])
    pairs = [engine.pairs_of(engine.encode_offsets(call)) for call in calls]
    ids, counts = measuring.joined([ids for ids, _ in pairs])
    offsets, _ = measuring.joined([offsets for _, offsets in pairs])
    for name, column in (("ids", ids), ("counts", counts)):
        with open(f"{job['reference']}.{name}", "wb") as file:
            column.tofile(file)
    return {"bytes": size, "pieces": len(calls), "tokens": len(ids), "ids_xxh64": digest(ids), "offsets_xxh64": digest(offsets)}


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def do_load(job):
    """After the package was imported and the file was read once: neither Python nor a disk is measured."""
    importlib.import_module(engines.find(job["engine"]).package)
    for path in filter(None, job["files"].values()):
        with open(path, "rb") as file:
            file.read()
    before, begin = resident_bytes(), time.perf_counter()
    engine, changes = load(job)
    loaded = time.perf_counter()
    engine.encode("The first ids of this process.")
    return {"rewritten": changes, "seconds": time.perf_counter() - begin, "open_seconds": loaded - begin,
            "grown_bytes": resident_bytes() - before}


def serve(job, answer):
    engine, _ = load(job)
    answer({})
    for line in sys.stdin:
        ids = []
        for text in json.loads(line):
            try:
                ids.append(engine.ids_of(engine.encode(text)).tolist())
            except BaseException as error:  # pylint: disable=broad-exception-caught
                ids.append(said(error))
        answer(ids)


def main():
    output = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)

    def answer(result):
        output.write(json.dumps(result) + "\n")
        output.flush()

    job = json.loads(sys.stdin.readline())
    try:
        if job["do"] == "serve":
            serve(job, answer)
        else:
            answer({"measure": do_measure, "answer": do_answer, "load": do_load}[job["do"]](job))
    except BaseException as error:  # pylint: disable=broad-exception-caught
        answer({"error": said(error), "where": "load"})


if __name__ == "__main__":
    main()
