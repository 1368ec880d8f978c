# SPDX-License-Identifier: Apache-2.0
"""The expressions that stand in the dashboard and in the rules."""
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "ops/prometheus"
DASHBOARD = ROOT / "ops/grafana/budtiktok.json"
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def of_dashboard():
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def of_rules():
    text = "\n".join((RULES / name).read_text(encoding="utf-8") for name in ("alerts.yml", "recording.yml"))
    return re.findall(r"^ *expr: (.+)$", text, re.MULTILINE)


def names_in(expression):
    return set(re.findall(r"\bbudtiktok_\w+", re.sub(r"instance:\S+:\w+", "", expression)))
