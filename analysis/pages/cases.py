"""What the READMEs say of the cases: a paragraph and a table, in English and Chinese, from `ventures cases --json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.pages import chapters, outcomes
from analysis.pages.blocks import Document, table, wrapped
from analysis.pages.figures import effect, minutes, percent, share, span_of

HELD_OUT = 100  # seeds from here on were used for no choice of thresholds or starting values


@dataclass(frozen=True)
class Words:
    """The sentences of one language."""

    header: tuple[str, ...]
    played: str
    seeds: str
    span: str
    in_view: str
    held_out: str
    all_held_out: str
    seeds_not_in_file: str
    all_causes: str
    without: str
    endings: Mapping[str, str]
    lowered: str
    changed: str
    none_stated: str
    not_in_file: str
    comma: str
    changed_chapters: Callable[[Document], str]
    outcomes: outcomes.Words
    wraps: bool


ENGLISH = Words(
    header=(
        "Case", "Arm", "Seeds that meet every statement [95 %]", "Effect", "Seeds with the chapter's ending [95 %]",
        "Effect",
    ),
    played="{seeds}: {runs:,} networks trained live, {share} of the processes' time, {ledger:,} more from a ledger of "
    "earlier runs, {minutes} minutes in all. Source: `{source}`; the command and the machine stand in "
    "[benchmarks](benchmarks/README.md).",
    seeds="{n} seeds",
    span=" ({first} to {last})",
    in_view="Thresholds and starting values were set with seeds 0 to {last} in view.",
    held_out="On seeds {first} to {last}, used for no choice, {shares} meet every statement.",
    all_held_out="The seeds played here were used for no choice.",
    seeds_not_in_file="What seeds say that were not stands in [benchmarks](benchmarks/README.md).",
    all_causes="all causes in place: ",
    without="without `{name}` (§{section})",
    endings={},
    lowered="Without a cause fewer seeds meet every statement in {lower} of {all} removals (the interval of the effect "
    "lies below zero).",
    changed="The chapter's ending becomes rarer in {rarer} of {all} removals and more frequent in {more}; in the other "
    "{same} the interval of the effect holds zero: taking the cause away leaves the ending as it is, as far as {n} "
    "seeds can tell, and breaks other statements.",
    none_stated="{cases} states no ending.",
    not_in_file="This file was written before endings were counted apart, so that it does not say how often the "
    "chapter's ending comes about ({dash} in the table).",
    comma=", ",
    changed_chapters=chapters.in_english,
    outcomes=outcomes.ENGLISH,
    wraps=True,
)  # fmt: skip
CHINESE = Words(
    header=("案例", "对照", "符合全部陈述的种子比例 [95 %]", "效应", "出现书中结局的种子比例 [95 %]", "效应"),
    played="{seeds}：现场训练了 {runs:,} 个网络，占进程时间的 {share}，"
    "另有 {ledger:,} 个取自先前推演的台账，共 {minutes} 分钟。\n"
    "数据来源：`{source}`；所用命令和机器见 [benchmarks](benchmarks/README.md)。",
    seeds="{n} 个种子",
    span="（{first} 到 {last}）",
    in_view="阈值和起始条件是在看过种子 0 到 {last} 之后定的。",
    held_out="在没有任何设定参考过的种子 {first} 到 {last} 上，符合全部陈述的比例为 {shares}。",
    all_held_out="没有任何设定参考过这里推演的种子。",
    seeds_not_in_file="没有任何设定参考过的种子上的结果见 [benchmarks](benchmarks/README.md)。",
    all_causes="全部原因俱在：",
    without="去掉 `{name}`（§{section}）",
    endings={
        "profitable": "盈利",
        "public": "上市",
        "alive": "存活",
        "acquired": "被收购",
        "bankrupt": "破产",
        "gave up": "主动关闭",
        "closed": "业务关停",
    },
    lowered="{all} 次去除中有 {lower} 次使符合全部陈述的种子变少（效应的置信区间低于零）。",
    changed="去掉一个原因后，书中的结局在 {all} 次中有 {rarer} 次变少，{more} 次变多；"
    "其余 {same} 次效应的置信区间包含零："
    "就 {n} 个种子所能判断的而言，去掉该原因并不改变结局，改变的是其他陈述。",
    none_stated="{cases} 没有陈述结局。",
    not_in_file="该文件写成时还没有单独统计结局，因此没有给出书中结局出现的比例（表中记为 {dash}）。",
    comma="，",
    changed_chapters=chapters.in_chinese,
    outcomes=outcomes.CHINESE,
    wraps=False,
)


def english(document: Document, source: str) -> str:
    """The part `cases.en`."""
    return _written(document, source, ENGLISH)


def chinese(document: Document, source: str) -> str:
    """The part `cases.zh`."""
    return _written(document, source, CHINESE)


def _written(document: Document, source: str, words: Words) -> str:
    cases = document["cases"]
    if outcomes.tells_outcomes(document):
        told = outcomes.table_of(cases, words.outcomes)
        summary = _paragraph(outcomes.sentences(cases, words.outcomes), words)
    else:
        told = table(list(words.header), [row for case in cases for row in _rows(case, words)])
        summary = _summary(cases, words)
    choices = _paragraph(_choices(document, words), words)
    return "\n".join([_played(document, source, words), told, summary, choices])


def _played(document: Document, source: str, words: Words) -> str:
    training, n = document["training"], document["cases"][0]["match"]["n"]
    span = span_of(document.get("seeds"))
    seeds = words.seeds.format(n=n) + (words.span.format(first=span[0], last=span[1]) if span else "")
    told = words.played.format(
        seeds=seeds, runs=training["runs"], share=percent(training["share"]), ledger=training["from_ledger"],
        minutes=minutes(document["seconds"]), source=source,
    )  # fmt: skip
    return _paragraph([told + words.changed_chapters(document)], words)


def _choices(document: Document, words: Words) -> list[str]:
    """Which seeds were looked at when choices were made, and what the others say."""
    in_view = words.in_view.format(last=HELD_OUT - 1)
    return [in_view, *_held_out(document, words)]


def _held_out(document: Document, words: Words) -> list[str]:
    """What the seeds that no choice was made with say; nothing where all played ones were in view."""
    played = document.get("seeds")
    if played is None:
        return [words.seeds_not_in_file]
    seeds = [seed for seed in played if seed >= HELD_OUT]
    if len(seeds) in (0, len(played)):
        return [words.all_held_out] if seeds else []
    shares = [
        f"{1 - sum(seed >= HELD_OUT for seed in case['unmet_seeds']['match']) / len(seeds):.2f} ({_short(case)})"
        for case in document["cases"]
    ]
    return [words.held_out.format(first=seeds[0], last=seeds[-1], shares=words.comma.join(shares))]


def _rows(case: Mapping[str, Any], words: Words) -> list[list[str]]:
    endings = ", ".join(f"{words.endings.get(name, name)} {n}" for name, n in case["endings"].items())
    rows = [[
        f"**{case['id']}**", words.all_causes + endings, share(case["match"], bold=True), "",
        share(case.get("ending"), bold=True), "",
    ]]  # fmt: skip
    for cause in case["causes"]:
        ending = cause.get("ending")
        left = f"{ending['share_without']:.2f}" if ending else share(None)
        arm = words.without.format(name=cause["name"], section=cause["section"])
        rows.append(["", arm, f"{cause['share_without']:.2f}", effect(cause), left, effect(ending)])
    return rows


def _summary(cases: list[Mapping[str, Any]], words: Words) -> str:
    """How many removals act on the statements, and how many on the ending."""
    causes = [cause for case in cases for cause in case["causes"]]
    lower = sum(cause["high"] < 0 for cause in causes)
    told = [words.lowered.format(lower=lower, all=len(causes))]
    if not all("ending" in case for case in cases):
        return _paragraph([*told, words.not_in_file.format(dash=share(None))], words)
    effects = [cause["ending"] for cause in causes if cause["ending"]]
    rarer, more = sum(one["high"] < 0 for one in effects), sum(one["low"] > 0 for one in effects)
    n, same = cases[0]["match"]["n"], len(effects) - rarer - more
    told.append(words.changed.format(all=len(effects), rarer=rarer, more=more, same=same, n=n))
    silent = [case["id"] for case in cases if case["ending"] is None]
    if silent:
        told.append(words.none_stated.format(cases=words.comma.join(silent)))
    return _paragraph(told, words)


def _paragraph(sentences: list[str], words: Words) -> str:
    return wrapped(" ".join(sentences)) if words.wraps else "".join(sentences) + "\n"


def _short(case: Mapping[str, Any]) -> str:
    return str(case["id"]).removeprefix("CASE-")
