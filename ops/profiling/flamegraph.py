# SPDX-License-Identifier: Apache-2.0
"""Flame graphs as SVG, drawn here: one file without anything outside of it.

Each box is a function; what it called stands on it, and its width is the share of samples that it was
in. Without its script the picture still has the names and figures, as titles."""
import collections
import os
import pathlib
import tempfile
from xml.sax.saxutils import escape, quoteattr

from profiling import record, samples
from profiling.base import Failure, need_command, say, table, write_text

SUMMARY = "draws a flame graph of a command, of folded stacks, or the difference of two recordings"
MORE = """\
examples:
  ops/profile flamegraph -o profile.svg -- build/bin/budtiktok-bench --bench bpe
  ops/profile flamegraph -o profile.svg --from profile.folded
  ops/profile flamegraph -o diff.svg --difference before.folded after.folded

Open the SVG in a browser: a hover says name, samples and share; a click makes a box as wide as the picture,
a click on the bottom box goes back; Ctrl-F searches (a regular expression) and says the share of what matched.
"""
WIDTH, ROW, TOP, SIDE, BOTTOM = 1200, 16, 70, 10, 26
CHARACTER_WIDTH = 6.7   # of the font below, at its size
NARROWEST = 0.1         # pixels; what is narrower is not drawn


def add_arguments(parser):
    parser.add_argument("-o", "--output", default="profile.svg", metavar="FILE", help="default profile.svg")
    parser.add_argument("--from", dest="source", metavar="FOLDED", help="draw these folded stacks")
    parser.add_argument("--difference", nargs=2, metavar=("BEFORE", "AFTER"),
                        help="draw AFTER, coloured by what grew and shrank since BEFORE")
    parser.add_argument("--title", help="headline of the picture")
    parser.add_argument("--event", metavar="E", help="what to sample by (default: cycles, else cpu-clock)")
    parser.add_argument("--frequency", type=int, default=1999, metavar="N",
                        help="samples a second and processor (default 1999)")


class Node:
    __slots__ = ("name", "count", "before", "children")

    def __init__(self, name):
        self.name = name
        self.count = 0     # samples in it and in what it called
        self.before = 0.0  # the same of the older recording, scaled to the newer one's total
        self.children = {}

    def add(self, names, count, before=0.0):
        node = self
        node.count += count
        node.before += before
        for name in names:
            node = node.children.setdefault(name, Node(name))
            node.count += count
            node.before += before


def build(counts, before=None):
    root = Node("all")
    for stack, count in counts.items():
        root.add(stack.split(";"), count)
    if before:
        scale = sum(counts.values()) / sum(before.values())
        for stack, count in before.items():
            root.add(stack.split(";"), 0, count * scale)
    return root


def depth_of(node):
    deepest, rest = 0, [(node, 1)]
    while rest:
        current, depth = rest.pop()
        deepest = max(deepest, depth)
        rest += [(child, depth + 1) for child in current.children.values() if child.count]
    return deepest


def warm_color(name):
    value = 0
    for character in name:
        value = (value * 31 + ord(character)) & 0xffffff
    return f"rgb({205 + value % 50},{90 + value // 64 % 120},{40 + value // 8192 % 40})"


def difference_color(node, total):
    """Red: a larger share than before, blue: a smaller one; full at 10 % of all samples."""
    change = (node.count - node.before) / total
    pale = round(235 * (1 - min(1, abs(change) / 0.10)))
    if abs(change) < 0.0005:
        return "rgb(235,235,235)"
    return f"rgb(235,{pale},{pale})" if change > 0 else f"rgb({pale},{pale},235)"


def title_of(node, total, is_difference):
    text = f"{node.name}: {node.count} samples, {100 * node.count / total:.2f} %"
    if is_difference:
        text += f", {100 * (node.count - node.before) / total:+.2f} points"
    return text


def label_of(name, width):
    room = int((width - 6) / CHARACTER_WIDTH)
    if room >= len(name):
        return name
    return name[:room - 2] + ".." if room > 4 else ""


def draw_boxes(root, height, is_difference):
    total = root.count
    scale = (WIDTH - 2 * SIDE) / total
    rest = [(root, 0, 0)]
    while rest:
        node, begin, depth = rest.pop()
        width = node.count * scale
        if width < NARROWEST:
            continue
        x, y = SIDE + begin * scale, height - BOTTOM - (depth + 1) * ROW
        color = difference_color(node, total) if is_difference else warm_color(node.name)
        yield (f'<g class="box" data-x="{begin}" data-w="{node.count}" data-d="{depth}" '
               f'data-name={quoteattr(node.name)} tabindex="-1">'
               f"<title>{escape(title_of(node, total, is_difference))}</title>"
               f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="{color}"/>'
               f'<text x="{x + 3:.1f}" y="{y + 12}">{escape(label_of(node.name, width))}</text></g>')
        for name in sorted(node.children):
            child = node.children[name]
            rest.append((child, begin, depth + 1))
            begin += child.count


def legend(height):
    y = height - 14
    return (f'<g class="legend"><rect x="{SIDE}" y="{y}" width="12" height="10" fill="rgb(235,40,40)"/>'
            f'<text x="{SIDE + 16}" y="{y + 9}">larger share than before</text>'
            f'<rect x="220" y="{y}" width="12" height="10" fill="rgb(40,40,235)"/>'
            f'<text x="236" y="{y + 9}">smaller share</text>'
            f'<rect x="360" y="{y}" width="12" height="10" fill="rgb(235,235,235)"/>'
            f'<text x="376" y="{y + 9}">the same. Full colour: 10 points. What is gone has no width: '
            "exchange the two files to see it.</text></g>")


def resource(name):
    return pathlib.Path(__file__).with_name(name).read_text(encoding="utf-8")


def draw(counts, title, before=None):
    root = build(counts, before)
    height = TOP + depth_of(root) * ROW + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flamegraph" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" data-total="{root.count}" data-width="{WIDTH - 2 * SIDE}" '
        f'data-side="{SIDE}" data-character="{CHARACTER_WIDTH}">',
        f"<title>{escape(title)}</title>",
        f"<style>{resource('flamegraph.css')}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        f'<text class="headline" x="{WIDTH / 2}" y="22">{escape(title)}</text>',
        f'<text class="reset" x="{SIDE}" y="44">reset zoom</text>',
        f'<foreignObject x="{WIDTH - 270}" y="30" width="260" height="26">'
        '<input xmlns="http://www.w3.org/1999/xhtml" class="search" type="search" placeholder="search (Ctrl-F)" '
        'aria-label="search for functions" /></foreignObject>',
        f'<text class="details" x="{SIDE}" y="62">{root.count} samples</text>',
        f'<text class="matched" x="{WIDTH - SIDE}" y="66"></text>',
        *draw_boxes(root, height, before is not None),
    ]
    if before is not None:
        parts.append(legend(height))
    parts.append(f"<script><![CDATA[{resource('flamegraph.js')}]]></script></svg>\n")
    return "\n".join(parts)


def self_shares(counts):
    shares, total = collections.Counter(), sum(counts.values())
    for stack, count in counts.items():
        shares[stack.rpartition(";")[2]] += 100 * count / total
    return shares


def changes(before, after, count=10):
    """The functions whose own share changed most, in points."""
    old, new = self_shares(before), self_shares(after)
    names = sorted(set(old) | set(new), key=lambda name: -abs(new[name] - old[name]))[:count]
    return table(("> before %", "> after %", "> change", "function"),
                 [(f"{old[name]:.1f}", f"{new[name]:.1f}", f"{new[name] - old[name]:+.1f}", name) for name in names])


def run_difference(arguments):
    before, after = (samples.read_folded(path) for path in arguments.difference)
    title = arguments.title or "from {} to {}".format(*map(os.path.basename, arguments.difference))
    write_text(arguments.output, draw(after, title, before))
    print(changes(before, after))


def run(arguments):
    if sum(map(bool, (arguments.source, arguments.difference, arguments.command))) > 1:
        raise Failure("--from, --difference and a command exclude each other", 2)
    status = 0
    if arguments.difference:
        run_difference(arguments)
    elif arguments.source:
        counts = samples.read_folded(arguments.source)
        write_text(arguments.output, draw(counts, arguments.title or os.path.basename(arguments.source)))
    else:
        command = need_command(arguments)
        with tempfile.TemporaryDirectory() as folder:
            recording, status = record.record(os.path.join(folder, "perf"), ["--"] + command, {},
                                              arguments.event, arguments.frequency)
        say(f"{len(recording.samples)} samples, {100 * recording.resolved_share():.1f} % resolved to symbols")
        write_text(arguments.output, draw(recording.folded(), arguments.title or " ".join(command)))
    print(f"written: {arguments.output}")
    return status
