#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The report of ops/profile-all.sh: one HTML file without anything outside of it.

    release_report.py DIR               writes DIR/report.html from what the steps left there
    release_report.py --table FILE      prints the figures of `budtiktok-bench --json` as a table
"""
import html
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from profiling.base import ROOT, table  # noqa: E402

SETS = ("scalar", "avx2", "avx512")
COLORS = {"scalar": "#9aa0a6", "avx2": "#4f8fd9", "avx512": "#d9822b"}
STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #fff; --line: #ccc; --soft: #f4f4f0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #16181b; --line: #444; --soft: #22252a; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1240px;
       margin: 0 auto; padding: 1rem; }
h1, h2 { line-height: 1.2; } pre { background: var(--soft); padding: .8rem; overflow-x: auto; font-size: 13px; }
table { border-collapse: collapse; } td, th { border: 1px solid var(--line); padding: .2rem .6rem; text-align: left; }
.failed { color: #c62828; font-weight: bold; } figure { margin: 0; overflow-x: auto; }
.bars text { fill: var(--ink); font: 13px system-ui, sans-serif; }
"""


def read_figures(path):
    """{(tokenizer, input, mode): {set: figure}}"""
    figures = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        figure = json.loads(line)
        key = (figure["tokenizer"], figure["input"], figure["mode"])
        figures.setdefault(key, {})[figure["simd"]] = figure
    return figures


def benchmark_table(figures):
    """Only what was verified; other figures have no place in a table."""
    rows = []
    for key, sets in figures.items():
        known = {name: figure for name, figure in sets.items() if figure["verified"] != "none"}
        scalar = known.get("scalar", {}).get("mb_per_s")
        rows.append((*key, *(f"{known[name]['mb_per_s']:.1f}" if name in known else "-" for name in SETS),
                     *(f"{known[name]['mb_per_s'] / scalar:.2f}" if scalar and name in known else "-"
                       for name in SETS[1:])))
    return table(("tokenizer", "input", "mode", *("> " + name for name in SETS), "> avx2/scalar", "> avx512/scalar"),
                 rows)


def bars(figures):
    """Throughput as bars, one group for each measurement."""
    verified = [(key, {name: figure for name, figure in sets.items() if figure["verified"] != "none"})
                for key, sets in figures.items()]
    rates = [figure["mb_per_s"] for _, sets in verified for figure in sets.values()]
    if not rates:
        return "<p>no verified figures</p>"
    parts, y = [], 10
    for key, sets in verified:
        parts.append(f'<text x="0" y="{y + 12}">{html.escape(" ".join(key))}</text>')
        y += 20
        for name in SETS:
            if name in sets:
                width = 700 * sets[name]["mb_per_s"] / max(rates)
                parts.append(f'<rect x="60" y="{y}" width="{width:.1f}" height="14" fill="{COLORS[name]}"/>'
                             f'<text x="0" y="{y + 12}">{name}</text>'
                             f'<text x="{66 + width:.1f}" y="{y + 12}">{sets[name]["mb_per_s"]:.1f} MB/s</text>')
                y += 18
        y += 10
    return (f'<svg class="bars" role="img" aria-label="throughput of each set of kernels" width="860" height="{y}" '
            f'viewBox="0 0 860 {y}">' + "".join(parts) + "</svg>")


def machine():
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "-C", str(ROOT), "log", "-1", "--format=%h %s"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    return (f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {model}, {os.cpu_count()} processors, "
            f"Linux {platform.release()}" + (f", commit {commit}" if commit else ""))


def section(folder, title, name, picture=""):
    path = folder / (name + ".txt")
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else "this step did not run"
    return f"<h2>{title}</h2>{picture}<pre>{html.escape(text)}</pre>"


def steps_table(folder):
    rows = []
    for line in (folder / "steps.txt").read_text(encoding="utf-8").splitlines():
        name, result, *seconds = line.split()
        kind = ' class="failed"' if result != "ok" else ""
        rows.append(f"<tr><td>{html.escape(name)}</td><td{kind}>{html.escape(result)}</td>"
                    f"<td>{html.escape(' '.join(seconds))}</td></tr>")
    return "<table><tr><th>step</th><th>result</th><th>time</th></tr>" + "".join(rows) + "</table>"


def flame_graph(folder):
    path = folder / "flamegraph.svg"
    return f"<figure>{path.read_text(encoding='utf-8')}</figure>" if path.exists() else "<p>no flame graph</p>"


def write_report(folder):
    try:
        figures = read_figures(folder / "benchmark.json")
    except (OSError, ValueError, KeyError):
        figures = {}
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>BudTikTok: before a release</title><style>{STYLE}</style>",
        f"<h1>BudTikTok: before a release</h1><p>{html.escape(machine())}</p>", steps_table(folder),
        section(folder, "Where the time goes", "flamegraph", flame_graph(folder)),
        section(folder, "Sets of kernels, one against the other", "benchmark", f"<figure>{bars(figures)}</figure>"),
        section(folder, "Memory", "heap"), section(folder, "Caches and branches", "cache"),
        section(folder, "Instructions of each kernel", "simd"),
        "<h2>Files</h2><ul>" + "".join(f"<li>{html.escape(name)}" for name in sorted(os.listdir(folder))) + "</ul></html>\n",
    ]
    (folder / "report.html").write_text("\n".join(parts), encoding="utf-8")


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--table":
        print(benchmark_table(read_figures(sys.argv[2])))
    elif len(sys.argv) == 2 and os.path.isdir(sys.argv[1]):
        write_report(pathlib.Path(sys.argv[1]))
    else:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
