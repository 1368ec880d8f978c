# SPDX-License-Identifier: Apache-2.0
"""The runs as Markdown."""
import statistics

import results
from cells import MODES, OURS, REFERENCE, TEXTS, TOKENIZERS

COLUMNS = 5  # texts side by side


def rate(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def escape(text):
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def shown(cell, marks):
    if cell is None:
        return ""
    if cell.ours_differs:
        return "ours: ids differ"
    ours = rate(cell.ours.median) if cell.ours else "–"
    if not cell.best:
        return f"no peer, {ours}"
    ratio = f": **{cell.ratio:.2f}x**" if cell.ratio else ""
    return f"{rate(cell.best.median)} {marks.get(cell.best.engine, cell.best.engine)}, {ours}{ratio}"


def line(values):
    return "| " + " | ".join(values) + " |"


def mean_of(cells, wanted):
    mean = results.geometric_mean([cell.ratio for name, cell in cells.items() if wanted(name) and cell.ratio])
    return f"{mean:.2f}x" if mean else ""


def in_order(names, order):
    known = [name for name in order if name in names]
    return known + sorted(set(names) - set(known))


def title_of(text):
    return TEXTS[text][1] if text in TEXTS else text


def mode_table(cells, mode, marks):
    names = [name for name in cells if name[2] == mode]
    tokenizers = in_order({name[0] for name in names}, TOKENIZERS)
    all_texts = in_order({name[1] for name in names}, TEXTS)
    lines = [f"### {mode}: {MODES[mode][2]}", "", "Best peer, ours: ratio; MB/s.", ""]
    for begin in range(0, len(all_texts), COLUMNS):
        texts = all_texts[begin:begin + COLUMNS]
        lines += [line(["", *map(title_of, texts)]), line(["---"] * (len(texts) + 1))]
        for tokenizer in tokenizers:
            lines.append(line([tokenizer, *(shown(cells.get((tokenizer, text, mode)), marks) for text in texts)]))
        means = (mean_of(cells, lambda name, text=text: name[1:] == (text, mode)) for text in texts)
        lines += [line(["geometric mean", *means]), ""]
    return lines


def every_engine(cells, mode, marks):
    """All peers in one mode: those that took turns by their median, the others by the one run of the first pass."""
    names = [name for name in cells if name[2] == mode]
    engines = in_order({engine for name in names for engine in cells[name].peers}, marks)
    lines = [f"### {mode}: every engine, MB/s", "", line(["", "", "ours", *engines]), line(["---"] * (len(engines) + 3))]
    for tokenizer in in_order({name[0] for name in names}, TOKENIZERS):
        for text in in_order({name[1] for name in names if name[0] == tokenizer}, TEXTS):
            cell = cells[tokenizer, text, mode]
            lines.append(line([tokenizer, title_of(text), rate(cell.ours.median) if cell.ours else "–",
                               *(rate(cell.peers[engine].median) if engine in cell.peers else "–" for engine in engines)]))
    return lines + [""]


def load_table(rows):
    loads = [row for row in rows if row["kind"] == "load"]
    if not loads:
        return []
    engines = in_order({row["engine"] for row in loads}, [OURS])
    times = {}
    for row in loads:
        times.setdefault((row["tokenizer"], row["engine"]), []).append((row["seconds"], row["grown_bytes"] / 1e6))
    middle = {name: tuple(sorted(column)[len(column) // 2] for column in zip(*each)) for name, each in times.items()}
    lines = ["### Until the first ids: seconds, and MB by which the process grew", "", line(["", *engines]),
             line(["---"] * (len(engines) + 1))]
    for tokenizer in in_order({row["tokenizer"] for row in loads}, TOKENIZERS):
        values = [middle.get((tokenizer, engine)) for engine in engines]
        lines.append(line([tokenizer, *(f"{value[0]:.3f}, {value[1]:.1f}" if value else "–" for value in values)]))
    return lines + [""]


def why(row):
    if row["kind"] == "refused":
        return escape(row["reason"])
    if row["call"] is None:
        return escape(f"ids differ: {row['got']}")
    place = f"ids differ at call {row['call']}, token {row['token']}: {row['got']} for {row['wanted']}"
    example = row.get("example")
    if example:
        place += (f"; shortest: `{escape(ascii(example['text'])[:120])}` gives {str(example['got'])[:80]} "
                  f"for {str(example['wanted'])[:80]}")
    elif "example" in row:
        place += "; right when the call comes alone"
    return place


def left_out(rows):
    """Who was not measured, where, and why: one line for what is said the same way of several places."""
    places = {}
    for row in rows:
        if row["kind"] in ("refused", "different"):
            where = places.setdefault((row["engine"], why(row)), {}).setdefault(row["tokenizer"], {})
            where.setdefault(row.get("text"), []).append(row.get("mode"))
    lines = ["### Left out, and why", "", line(["engine", "tokenizer: text, modes", ""]), line(["---"] * 3)]
    for (engine, reason), tokenizers in places.items():
        where = [tokenizer + ("" if None in texts else ": " + "; ".join(
            f"{text}, {' '.join(dict.fromkeys(modes))}" for text, modes in texts.items())) for tokenizer, texts in tokenizers.items()]
        lines.append(line([engine, "<br>".join(where), reason]))
    return lines + [""] if places else []


def rewritten(rows):
    changes = {}
    for row in rows:
        if row["kind"] in ("run", "load") and row.get("rewritten"):
            changes.setdefault("; ".join(row["rewritten"]), {}).setdefault((row["engine"], row["tokenizer"]))
    if not changes:
        return []
    return ["Given another form of the file, because they cannot load the original (ids compared with those of the original):",
            "", *(f"- {change}: {', '.join(' with '.join(who) for who in names)}" for change, names in changes.items()), ""]


def call_cost(rows, engine):
    costs = [row["call_us"] for row in rows if row["kind"] == "run" and row["engine"] == engine and "call_us" in row]
    return f"; a call with one letter takes {statistics.median(costs):.1f} us" if costs else ""


def legend(head, rows):
    lines = [f"- {engine['mark']}: {engine['title']}{' (the reference)' if name == REFERENCE else ''}; {engine['note']}"
             f"{call_cost(rows, name)}" for name, engine in head["engines"].items()]
    return [f"{head['date']}, {head['machine']}; {head['rounds']} rounds in turn, medians; ids equal to the reference's.", "",
            *lines, ""]


def markdown(rows):
    head = next(row for row in rows if row["kind"] == "head")
    marks = {name: engine["mark"] for name, engine in head["engines"].items()}
    cells = results.cells(rows)
    modes = [mode for mode in MODES if any(name[2] == mode for name in cells)]
    lines = ["## The peers", "", *legend(head, rows), *rewritten(rows)]
    for mode in modes:
        lines += mode_table(cells, mode, marks)
    lines += load_table(rows) + left_out(rows)
    for mode in modes:
        lines += every_engine(cells, mode, marks)
    return "\n".join(lines)
