"""What the READMEs say of the placebo tests, from `ventures cases --placebo --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.cases.placebo import ALL
from analysis.pages.blocks import Document, wrapped
from analysis.pages.figures import percent

WORTH_TELLING = 0.015  # smaller shares of startups are "less"


def english(document: Document, source: str) -> str:
    """The part `placebo.en`."""
    told, rest = _beside(document)
    (first, share), *others = told or [("", 0.0)]
    named = ", ".join(f"{percent(value)} of {case}" for case, value in others)
    beside = f"{percent(share)} meet every statement of {first}" if told else "next to none meet a whole chapter"
    tail = (f", {named}" if named else "") + (", less of the others" if told and rest else "")
    pairs, most = _crossed(document)
    return wrapped(
        "Would any firm do? A placebo (`ventures cases --placebo`) judges other firms by each chapter. Of the startups "
        f"beside its firm {beside}{tail}. None of the {pairs} pairs of a case's firm with another chapter is above "
        f"{most:.2f}."
    )


def chinese(document: Document, source: str) -> str:
    """The part `placebo.zh`."""
    told, rest = _beside(document)
    named = "，".join(f"{percent(value)} 符合 {case} 的全部陈述" for case, value in told)
    tail = "，其余更少" if rest else ""
    pairs, most = _crossed(document)
    return (
        "换成别的企业也行吗？安慰剂检验（`ventures cases --placebo`）用每一章的陈述检验其他企业。"
        f"同一世界的其他创业公司中，{named or '几乎没有一家符合整章的陈述'}{tail if told else ''}。\n"
        f"各案例主角与其他各章的 {pairs} 种搭配中，没有一种高于 {most:.2f}。\n"
    )


def _beside(document: Document) -> tuple[list[tuple[str, float]], int]:
    """Cases with the share of startups beside the firm that meet them, largest first; how many are left out."""
    found = [(str(one["case"]), one["others"]["share"] or 0.0) for one in document["placebo"]["shuffled"]]
    told = sorted((one for one in found if one[1] >= WORTH_TELLING), key=lambda one: -one[1])
    return told, len(found) - len(told)


def _crossed(document: Document) -> tuple[int, float]:
    """Pairs of a firm with another chapter, and the largest share of seeds among them."""

    def counts(cell: Mapping[str, Any]) -> bool:
        return cell["expectation"] == ALL and cell["case"] != cell["judged_by"] and cell["share"] is not None

    shares = [cell["share"] for cell in document["placebo"]["crossed"] if counts(cell)]
    return len(shares), max(shares)
