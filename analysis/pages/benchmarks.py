"""The tables of docs/benchmarks.md, from `ventures bench training --json` and `ventures bench market --json`.

Each has the machine's load at the start beside its figures: a ratio taken on a busy machine is one of that moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.pages.blocks import Document, table, wrapped
from analysis.pages.figures import short
from analysis.screens.load import load_in_words, load_text

NAMES = {
    "ratio_to_plain": "ratio to `plain`",
    "share_of_matmul": "share of matmul",
    "runs_per_s": "networks per second",
    "startup_extra_s": "seconds to start",
    "reference_seconds": "reference, seconds",
    "exponent_in_firms": "exponent in firms",
    "exponent_at_the_top": "the same between the two largest",
}


RATES = {"runs_per_s": "Networks per second", "tokens_per_s": "Tokens per second"}


def training(document: Document, source: str) -> str:
    """The part `bench-training`: every contender, the gate they passed, and the targets."""
    load, rows = load_text(document["machine"]["load_before"]), document["contenders"]
    rate = next(name for name in RATES if name in rows[0])
    share = "share_of_matmul" in rows[0]
    cells = [
        [
            f"`{one['name']}`", _spread(one[rate]), _spread(one["ratio_to_plain"]), load,
            *([_spread(one["share_of_matmul"])] if share else []),
        ]
        for one in rows
    ]  # fmt: skip
    titles = ["Contender", RATES[rate], "Ratio to `plain`", "Load", *(["Share of matmul"] if share else [])]
    return "\n".join([_head(document, source), table(titles, cells), *_gate(document), _targets(document)])


def _gate(document: Document) -> list[str]:
    """How near the contenders came to the loss of the plain one; files of before have no gate."""
    gates = document.get("gate", [])
    rows = [
        row
        for gate in (gates if isinstance(gates, list) else [gates])
        for row in gate["contenders"]
        if row["name"] != gate["reference"]
    ]
    if not rows:
        return []
    failed = [f"`{row['name']}`" for row in rows if not row["passed"]]
    worst = max(row["difference_of_allowed"] for row in rows if row["passed"]) if len(failed) < len(rows) else 0.0
    told = f"Equal-loss gate: the timed ones are within {short(worst)} of the allowed difference"
    return [wrapped(f"{told}; failed: {', '.join(failed)}." if failed else f"{told}; nobody failed.")]


def market(document: Document, source: str) -> str:
    """The part `bench-market`: the reference, growth, and the targets."""
    reference, growth, load = document["reference"], document["growth"], load_text(document["machine"]["load_before"])
    figures = {
        "reference, seconds (best play of each world)": _spread(reference["seconds_at_reference"]),
        "reference, seconds (every play)": _spread(reference["every_play_at_reference"]),
        "reference, µs a firm and month": _spread(reference["us_per_firm_month"]),
        "exponent in firms": f"{growth['exponent']:.2f}",
        "exponent in firms, between the two largest": f"{growth['exponent_at_the_top']:.2f}",
        "exponent in customers": f"{document['customers']['exponent']:.3f}",
    }
    rows = [[what, figure, load] for what, figure in figures.items()]
    titles = ["What", "Median (smallest to largest)", "Load"]
    return "\n".join([_head(document, source), table(titles, rows), _targets(document)])


def _head(document: Document, source: str) -> str:
    machine = document["machine"]
    what = f"job {document['job']}" if "job" in document else "the market"
    when = str(document["time"])[:10]
    return wrapped(f"`{source}` ({what}, {when}, {machine['cores']} cores): {load_in_words(machine)}.")


def _targets(document: Document) -> str:
    if not document["targets"]:
        return ""
    told = [
        f"{NAMES.get(one['what'], one['what'])} {short(one['reached'])} (wanted: at {one['at']} {one['target']:g}, "
        f"{'met' if one['met'] else 'not met'})"
        for one in document["targets"]
    ]
    return wrapped(f"Targets: {'; '.join(told)}.")


def _spread(found: Mapping[str, Any]) -> str:
    return f"{short(found['median'])} ({short(found['min'])} to {short(found['max'])})"
