# SPDX-License-Identifier: Apache-2.0
"""Bars of ours and of the best peer as SVG, for a page that may be light or dark: nothing is painted behind them."""
from xml.sax.saxutils import escape

import results
from cells import TEXTS, TOKENIZERS
from tables import in_order, rate, title_of

WIDTH, LEFT, BAR, ROW, TOP = 860, 128, 9, 27, 46
ROOM_FOR_NUMBERS = 96
STYLE = """
text { font: 11px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #59636e }
.title { font-size: 13px; font-weight: 600 }
.ours { fill: #2f81f7 }
.peer { fill: #9198a1 }
.figure { font-size: 9.5px }
@media (prefers-color-scheme: dark) { text { fill: #c9d1d9 } .peer { fill: #6e7681 } }
"""


def text(x, y, content, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def bar(x, y, width, kind, figure, scale, label):
    length = figure.median * scale
    return [f'<rect x="{x:.1f}" y="{y:.1f}" width="{min(length, width):.1f}" height="{BAR}" rx="1.5" class="{kind}"/>',
            text(x + length + 4, y + BAR - 1, label, "figure")]


def panel(x, width, title, rows, titles):
    """One text: a pair of bars for each tokenizer."""
    parts = [text(x, TOP - 12, title, "title")]
    most = max((figure.median for _, cell in rows for figure in (cell.ours, cell.best) if figure), default=1)
    room = width - ROOM_FOR_NUMBERS
    for i, (_, cell) in enumerate(rows):
        y = TOP + i * ROW
        if cell.ours and not cell.ours_differs:
            ratio = f" ({cell.ratio:.2f}x)" if cell.ratio else ""
            parts += bar(x, y, room, "ours", cell.ours, room / most, rate(cell.ours.median) + ratio)
        if cell.best:
            name = titles.get(cell.best.engine, cell.best.engine)
            parts += bar(x, y + BAR + 1, room, "peer", cell.best, room / most, f"{rate(cell.best.median)} {name}")
    return parts


def chart(rows, mode, texts):
    """One panel for each of the texts, which all have the same tokenizers. None: nothing to show."""
    head = next(row for row in rows if row["kind"] == "head")
    titles = {name: engine["title"].split()[0] for name, engine in head["engines"].items()}
    titles |= {name: engine["title"] for name, engine in head["engines"].items() if titles[name] == "tokenizers"}
    cells = {name: cell for name, cell in results.cells(rows).items() if name[2] == mode and (not texts or name[1] in texts)}
    texts = in_order({name[1] for name in cells}, texts or TEXTS)
    tokenizers = in_order({name[0] for name in cells}, TOKENIZERS)
    if not cells:
        return None
    width = (WIDTH - LEFT) / len(texts)
    height = TOP + len(tokenizers) * ROW + 4
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}" role="img">',
             f"<title>MB/s, {escape(mode)}: budtiktok and the best peer</title><style>{STYLE}</style>",
             f'<rect x="0" y="4" width="9" height="9" class="ours"/>{text(14, 12, "budtiktok, MB/s")}',
             f'<rect x="122" y="4" width="9" height="9" class="peer"/>{text(136, 12, "the best peer with the same ids, MB/s")}']
    parts += [text(LEFT - 8, TOP + i * ROW + BAR + 4, tokenizer, anchor="end") for i, tokenizer in enumerate(tokenizers)]
    for i, name in enumerate(texts):
        shown = [(tokenizer, cells.get((tokenizer, name, mode), results.Cell())) for tokenizer in tokenizers]
        parts += panel(LEFT + i * width, width, title_of(name), shown, titles)
    return "\n".join([*parts, "</svg>", ""])
