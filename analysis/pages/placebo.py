"""What the READMEs say of the placebo tests, from `ventures cases --placebo --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.cases.placebo import ALL
from analysis.pages import chapters
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
    return wrapped(
        "Would any firm do? A placebo (`ventures cases --placebo`) judges other firms by each chapter. Of the startups "
        f"beside its firm {beside}{tail}. {_pairs_in_english(document)}"
        f"{chapters.in_english(document)}"
    )


def chinese(document: Document, source: str) -> str:
    """The part `placebo.zh`."""
    told, rest = _beside(document)
    named = "，".join(f"{percent(value)} 符合 {case} 的全部陈述" for case, value in told)
    tail = "，其余更少" if rest else ""
    return (
        "换成别的企业也行吗？安慰剂检验（`ventures cases --placebo`）用每一章的陈述检验其他企业。"
        f"同一世界的其他创业公司中，{named or '几乎没有一家符合整章的陈述'}{tail if told else ''}。\n"
        f"{_pairs_in_chinese(document)}{chapters.in_chinese(document)}\n"
    )


def _pairs_in_english(document: Document) -> str:
    n, above, most = _crossed(document)
    if not above:
        return f"None of the {n} pairs of a case's firm with another chapter is above {most:.2f}."
    named = "; ".join(
        f"{case}'s firm meets every statement of {by} in {share:.2f} of the seeds" for case, by, share in above
    )
    target, verb = document["placebo"]["target"], "is" if len(above) == 1 else "are"
    return (
        f"Of the {n} pairs of a case's firm with another chapter {len(above)} {verb} above {target:.2f}: {named}. "
        f"Of the others none is above {most:.2f}."
    )


def _pairs_in_chinese(document: Document) -> str:
    n, above, most = _crossed(document)
    if not above:
        return f"各案例主角与其他各章的 {n} 种搭配中，没有一种高于 {most:.2f}。"
    named = "，".join(f"{case} 的企业在 {share:.2f} 的种子中符合 {by} 的全部陈述" for case, by, share in above)
    target = document["placebo"]["target"]
    return (
        f"各案例主角与其他各章的 {n} 种搭配中，有 {len(above)} 种高于 {target:.2f}：{named}。"
        f"其余没有一种高于 {most:.2f}。"
    )


def _beside(document: Document) -> tuple[list[tuple[str, float]], int]:
    """Cases with the share of startups beside the firm that meet them, largest first; how many are left out."""
    found = [(str(one["case"]), one["others"]["share"] or 0.0) for one in document["placebo"]["shuffled"]]
    told = sorted((one for one in found if one[1] >= WORTH_TELLING), key=lambda one: -one[1])
    return told, len(found) - len(told)


def _crossed(document: Document) -> tuple[int, list[tuple[str, str, float]], float]:
    """Pairs of a firm with another chapter: number, those above the target by size, and the largest of the rest."""

    def counts(cell: Mapping[str, Any]) -> bool:
        return cell["expectation"] == ALL and cell["case"] != cell["judged_by"] and cell["share"] is not None

    pairs = [cell for cell in document["placebo"]["crossed"] if counts(cell)]
    found = sorted(((one["case"], one["judged_by"], one["share"]) for one in pairs), key=lambda one: -one[2])
    above = [one for one in found if one[2] > document["placebo"]["target"]]
    return len(found), above, max((share for *_, share in found[len(above) :]), default=0.0)
