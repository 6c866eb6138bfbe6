"""The tables of rules and levers in docs/explain.md, from their declarations."""

from __future__ import annotations

from analysis.counterfactual.levers import LEVERS, Lever
from analysis.explain.rules import RULES
from analysis.pages.blocks import Document, table

DIRECTIONS = {1: "more helps", -1: "less helps", 0: "open: both ways are tried"}


def rules(document: Document, source: str) -> str:
    """Every rule that `explain` infers links by."""
    return table(["Rule", "What it says"], [[f"`{name}`", says] for name, says in RULES.items()])


def levers(document: Document, source: str) -> str:
    """Every lever that has a size, with the causes that it acts on."""
    header = ["Lever", "Settings", "Range", "Direction", "Acts on"]
    return table(header, [_row(lever) for lever in LEVERS])


def _row(lever: Lever) -> list[str]:
    settings = ", ".join(f"`{knob.path}`" for knob in lever.knobs)
    spans = dict.fromkeys(f"{knob.low:,g} to {knob.high:,g}{', log' if knob.log else ''}" for knob in lever.knobs)
    acts_on = ", ".join(f"`{name}`" for name in lever.acts_on)
    return [lever.name, settings, "; ".join(spans), DIRECTIONS[lever.helps], acts_on]
