# SPDX-License-Identifier: Apache-2.0
"""What happens in a cell: the reference answers, everybody is measured once, ours and the best take turns."""
import functools
import hashlib
import json
import os

import cut
import engines
import processes
import results
import shortest
import tables
from cells import OURS, REFERENCE, TOKENIZERS, form_of
from processes import Failed

LOAD_ROUNDS = 3
EXAMPLE_CHARACTERS_MAX = 20_000  # of a longer document that is told wrong, only the place is said


# --- Files

def shortened(path, most_bytes, folder):
    """A text with `most_bytes` to measure and the same warm-up; both sides read this file."""
    with open(path, "rb") as file:
        data = file.read()
    body, warm_up = cut.split(data, most_bytes)
    if len(body) + len(warm_up) == len(data):
        return path
    os.makedirs(folder, exist_ok=True)
    short = os.path.join(folder, os.path.basename(path))
    # Characters must end where the warm-up of the new file begins: it is as long as that of the old one.
    with open(short, "wb") as file:
        file.write(body + warm_up)
    return short


@functools.cache
def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Answers:
    """What the reference says, once for each tokenizer, text and form; kept in a folder."""

    def __init__(self, folder, starter):
        self.folder, self.starter = folder, starter

    def place(self, tokenizer, text, form):
        return os.path.join(self.folder, tokenizer, f"{text}-{form}")

    def get(self, tokenizer, text, form, job):
        """The path of ids and counts, without the end of its name."""
        place = self.place(tokenizer, text, form)
        of = [sha256(job["files"]["json"]), sha256(job["text"])]
        try:
            with open(f"{place}.json", encoding="ascii") as file:
                if json.load(file)["of"] == of:
                    return place
        except (OSError, KeyError, ValueError):
            pass
        os.makedirs(os.path.dirname(place), exist_ok=True)
        answer = self.starter.engine({**job, "do": "answer", "engine": REFERENCE, "form": form, "reference": place,
                                      "threads": 1})
        if "error" in answer:
            raise Failed(answer["error"])
        with open(f"{place}.json", "w", encoding="ascii") as file:
            json.dump({"of": of, **answer}, file)
        return place

    def for_bench(self, place, form, text_path):
        """The same as a file of digests for budtiktok-bench --reference."""
        with open(f"{place}.json", encoding="ascii") as file:
            answer = json.load(file)
        prefix = {"pieces": "", "whole": "whole_", "lines": "lines_"}[form]
        name = os.path.basename(text_path).removesuffix(".txt")
        with open(f"{place}-digests.json", "w", encoding="ascii") as file:
            json.dump({name: {f"{prefix}{member}": answer[member] for member in
                              ("bytes", "pieces", "tokens", "ids_xxh64", "offsets_xxh64")}}, file)
        return f"{place}-digests.json"


# --- Measuring

class Comparison:
    def __init__(self, options, writer):
        self.options, self.writer = options, writer
        self.starter = processes.Starter(options.environments, options.program, options.library, options.cpus, options.timeout)
        self.answers = Answers(os.path.join(options.out, "reference"), self.starter)
        self.cannot_load = {(row["engine"], row["tokenizer"]) for row in writer.rows
                            if row["kind"] == "refused" and row["text"] is None}
        self.examples = {}  # of engine, tokenizer and the call that it told wrong

    def refuse(self, engine, tokenizer, reason, text=None, modes=()):
        """Without a text and modes: this engine has nothing for any text of the tokenizer."""
        for place in [{"text": text, "mode": mode} for mode in modes] or [{"text": None}]:
            self.writer.add({"kind": "refused", "engine": engine, "tokenizer": tokenizer, **place, "reason": reason})

    def files(self, tokenizer):
        name, model = TOKENIZERS[tokenizer]
        model = model and os.path.join(self.options.tokenizer_folder, model)
        return {"json": os.path.join(self.options.tokenizer_folder, name),
                "sentencepiece": model if model and os.path.exists(model) else None}

    def job(self, engine, tokenizer):
        """What every process of an engine is told."""
        files = self.files(tokenizer)
        place = os.path.join(self.options.out, "rewritten", f"{engine}-{tokenizer}-{sha256(files['json'])[:16]}.json")
        return {"engine": engine, "files": files, "rewritten": place}

    def example(self, engine, tokenizer, call):
        """The shortest text that this engine tells wrong, if it can be found."""
        if not 0 < len(call) <= EXAMPLE_CHARACTERS_MAX:
            return {}
        servers = []
        try:
            servers = [self.starter.serve({**self.job(name, tokenizer), "do": "serve"}) for name in (engine, REFERENCE)]
            return {"example": shortest.find(call, *servers)}
        except Failed:
            return {}
        finally:
            for server in servers:
                server.close()

    def tell_different(self, engine, cell, modes, different):
        tokenizer, text = cell
        call = different.pop("text")
        if (engine, tokenizer, call) not in self.examples:
            self.examples[engine, tokenizer, call] = self.example(engine, tokenizer, call)
        for mode in modes:
            self.writer.add({"kind": "different", "engine": engine, "tokenizer": tokenizer, "text": text, "mode": mode,
                             **different, **self.examples[engine, tokenizer, call]})

    def run_peer(self, engine, cell, modes, job, which):
        """Whether there are figures."""
        tokenizer, text = cell
        try:
            answer = self.starter.engine({**job, **self.job(engine, tokenizer), "do": "measure",
                                          "keeps_results": which["pass"] == "first"})
        except Failed as error:
            answer = {"error": str(error), "where": "encode"}
        if "error" in answer:
            if answer["where"] == "load":
                self.cannot_load.add((engine, tokenizer))
                self.refuse(engine, tokenizer, answer["error"])
            else:
                self.refuse(engine, tokenizer, answer["error"], text, modes)
            return False
        if answer["different"]:
            self.tell_different(engine, cell, modes, answer["different"])
            return False
        for row in answer["rows"]:
            self.writer.add({"kind": "run", **which, "engine": engine, "tokenizer": tokenizer, "text": text,
                             "threads": job["threads"], "rewritten": answer["rewritten"], **row})
        return True

    def run_ours(self, cell, modes, job, which):
        """The same file; budtiktok-bench cuts it itself, and has to come to the same pieces and the same ids."""
        tokenizer, text = cell
        with open(f"{job['reference']}.json", encoding="ascii") as file:
            wanted = json.load(file)
        digests = self.answers.for_bench(job["reference"], job["form"], job["text"])
        try:
            rows = self.starter.ours(job["files"]["json"], job["text"], modes, job["threads"], digests)
            for row in rows:
                for name in ("bytes", "pieces", "tokens", "ids_xxh64"):
                    if row[name] != wanted[name]:
                        raise Failed(f"{name}: {row[name]} for {wanted[name]}")
                if row["verified"] != "reference":
                    raise Failed(f"verified by {row['verified']}")
        except Failed as error:
            for mode in modes:
                self.writer.add({"kind": "different", "engine": OURS, "tokenizer": tokenizer, "text": text, "mode": mode,
                                 "call": None, "token": None, "got": str(error), "wanted": "the reference's"})
            return False
        for row in rows:
            self.writer.add({"kind": "run", **which, "engine": OURS, "tokenizer": tokenizer, "text": text,
                             "threads": job["threads"], **row})
        return True

    def run(self, engine, cell, modes, job, which):
        runner = self.run_ours if engine == OURS else lambda *rest: self.run_peer(engine, *rest)
        return runner(cell, modes, job, which)

    def first_pass(self, cell, modes, job):
        """Engines that have figures, ours apart."""
        found = []
        for engine in self.options.engines:
            if engine == OURS or (engine, cell[0]) in self.cannot_load:
                continue
            if modes == ["offsets"] and not engines.find(engine).has_offsets:
                continue
            if self.run(engine, cell, modes, job, {"pass": "first"}):
                found.append(engine)
        return found

    def best(self, found, cell, modes):
        """The fastest few of each mode."""
        first = results.figures(self.writer.rows, "first")
        chosen = {}
        for mode in modes:
            rates = first.get((*cell, mode), {})
            chosen |= dict.fromkeys(sorted(found, key=lambda engine, rates=rates: -rates[engine][0])[:self.options.best])
        return list(chosen)

    def compare(self, tokenizer, text, path, modes):
        cell, form = (tokenizer, text), form_of(modes[0])
        job = {"files": self.files(tokenizer), "text": path, "form": form, "modes": modes,
               "threads": self.options.threads if modes == ["threads"] else 1}
        try:
            job["reference"] = self.answers.get(tokenizer, text, form, job)
        except Failed as error:
            self.refuse(REFERENCE, tokenizer, f"no answer to compare with: {error}", text, modes)
            return
        found = self.first_pass(cell, modes, job)
        if self.run(OURS, cell, modes, job, {"pass": "first"}):
            turns = [OURS, *self.best(found, cell, modes)]
            for number in range(self.options.rounds if len(turns) > 1 else 0):
                first = number % len(turns)  # nobody is always behind the same one
                for engine in turns[first:] + turns[:first]:
                    self.run(engine, cell, modes, job, {"pass": "round", "round": number})
        self.writer.add({"kind": "done", "tokenizer": tokenizer, "text": text, "modes": modes})
        self.tell(cell, modes)

    def tell(self, cell, modes):
        marks = {name: engines.find(name).title for name in engines.MODULES}
        found = results.cells(self.writer.rows)
        for mode in modes:
            print(f"{cell[0]}, {cell[1]}, {mode}: {tables.shown(found.get((*cell, mode)), marks).replace('*', '')}", flush=True)

    def measure_loads(self, tokenizer):
        if any(row["kind"] == "load" and row["tokenizer"] == tokenizer for row in self.writer.rows):
            return
        for _ in range(LOAD_ROUNDS):
            for engine in dict.fromkeys([OURS, *self.options.engines]):
                if (engine, tokenizer) in self.cannot_load:
                    continue
                try:
                    answer = self.starter.engine({**self.job(engine, tokenizer), "do": "load"})
                except Failed as error:
                    answer = {"error": str(error)}
                if "error" in answer:
                    self.cannot_load.add((engine, tokenizer))
                    self.refuse(engine, tokenizer, answer["error"])
                else:
                    self.writer.add({"kind": "load", "engine": engine, "tokenizer": tokenizer, **answer})
