"""What the READMEs say of the Shapley values, from `ventures cases --shapley --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.pages import chapters
from analysis.pages.blocks import Document, wrapped


def english(document: Document, source: str) -> str:
    """The part `shapley.en`."""
    values, n, none = _values(document), _seeds(document), _most_with_none(document)
    positive, unsure = sum(one["value"] > 0 for one in values), sum(one["low"] <= 0 <= one["high"] for one in values)
    least = min(values, key=lambda one: one["value"])
    return wrapped(
        f"Shapley values (`ventures cases --shapley -n {n}`; [plot]({_plot(source)})) share out among its causes how "
        f"often a chapter's every statement is met: {_count(positive, len(values))} are positive, "
        f"{unsure or 'no'} interval{'s' if unsure > 1 else ''} hold{'s' if unsure <= 1 else ''} 0, the smallest is "
        f"`{least['name']}` with {100 * least['value']:.0f} points; with no cause in place "
        f"{f'at most {none:.2f} of the seeds meet' if none else 'no seed meets'} a whole chapter. They were worked "
        f"out with {n} seeds. They say nothing of the ending alone.{chapters.in_english(document)}"
    )


def chinese(document: Document, source: str) -> str:
    """The part `shapley.zh`."""
    values, n, none = _values(document), _seeds(document), _most_with_none(document)
    positive, unsure = sum(one["value"] > 0 for one in values), sum(one["low"] <= 0 <= one["high"] for one in values)
    least = min(values, key=lambda one: one["value"])
    count = f"全部 {positive} 个" if positive == len(values) else f"{len(values)} 个中有 {positive} 个"
    holds_zero = f"{unsure} 个区间包含 0" if unsure else "没有一个区间包含 0"
    with_none = f"最多有 {none:.2f} 的种子符合整章" if none else "没有一个种子符合整章"
    return (
        f"Shapley 值（`ventures cases --shapley -n {n}`；[图]({_plot(source)})）把符合全部陈述的比例分摊给各个原因："
        f"{count}为正，{holds_zero}，最小的是 `{least['name']}`，{100 * least['value']:.0f} 个百分点；"
        f"没有任何原因时，{with_none}。用了 {n} 个种子；它们不涉及单独的结局。{chapters.in_chinese(document)}\n"
    )


def _values(document: Document) -> list[Mapping[str, Any]]:
    return [value for case in document["shapley"] for value in case["values"]]


def _seeds(document: Document) -> int:
    return int(document["shapley"][0]["match_all"]["n"])


def _most_with_none(document: Document) -> float:
    """The largest share that a chapter reaches without any of its causes."""
    return max(float(case["match_none"]["share"]) for case in document["shapley"])


def _plot(source: str) -> str:
    return source.removesuffix(".json") + ".png"


def _count(some: int, all_of_them: int) -> str:
    return f"all {some}" if some == all_of_them else f"{some} of {all_of_them}"
