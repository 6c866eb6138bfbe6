"""The table of the cases for the READMEs: every statement, the outcome beside it, the twin, three figures per cause.

Files that were written before outcomes were counted have a table of their own (`cases.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.pages.blocks import Document, table
from analysis.pages.figures import NONE, effect, share, short

GOAL = 0.60  # least lower bound of the share of seeds that meet every statement
SIGNS = {"at_least": "≥", "at_most": "≤"}


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    header: tuple[str, ...]
    all_causes: str
    twin: str
    without: str
    endings: Mapping[str, str]
    met: str
    missed: str
    reproduced: str
    not_reproduced: str
    ruled_out: str
    goals: str
    twins: str
    worst: str
    worst_of: str
    easy: str
    comma: str
    semicolon: str


ENGLISH = Words(
    header=(
        "Case", "Arm", "Share of seeds meeting every statement [95 %]", "Effect", "Outcome [95 %]", "Effect",
        "What the removal should change: effect", "Goal",
    ),
    all_causes="all causes in place: ",
    twin="its twin, every trait usual",
    without="without `{name}` (§{section})",
    endings={},
    met="lower bound ≥ {goal:.2f}",
    missed="**missed**: lower bound < {goal:.2f}",
    reproduced="reproduced",
    not_reproduced="**not reproduced**",
    ruled_out=" (`{id}` alone moves, and the removal rules it out)",
    goals="The goal, a lower bound of {goal:.2f} or more for the share of seeds that meet every statement, is met by "
    "{met} of {cases} cases. {reproduced} of {causes} causes are reproduced: without them the outcome is surely rarer "
    "(the interval of the effect lies below zero).",
    twins="A twin with the traits of the median entrant, founded in the same month in a parallel arm, surely has the "
    "outcome more rarely in {rarer} of {twins} cases.",
    worst="Bounds that neither the chapter nor a fact gives, each moved by up to a quarter, leave at worst {told}.",
    worst_of="{share:.2f} of the seeds ({case}, `{id}` {sign} {bound} in place of {was})",
    easy="More than half of the startups beside the firm meet {told}, which ought to be background.",
    comma=", ",
    semicolon="; ",
)  # fmt: skip
CHINESE = Words(
    header=(
        "案例", "对照", "符合全部陈述的种子比例 [95 %]", "效应", "结局陈述 [95 %]", "效应", "去除应当改变的量：效应",
        "目标",
    ),
    all_causes="全部原因俱在：",
    twin="孪生企业，各项特征均为通常值",
    without="去掉 `{name}`（§{section}）",
    endings={"profitable": "盈利", "public": "上市", "alive": "存活", "acquired": "被收购", "bankrupt": "破产"},
    met="下界 ≥ {goal:.2f}",
    missed="**未达到**：下界 < {goal:.2f}",
    reproduced="得到重现",
    not_reproduced="**没有重现**",
    ruled_out="（只有 `{id}` 变化，而去除本身就排除了它）",
    goals="目标是符合全部陈述的种子比例的下界不低于 {goal:.2f}，{cases} 个案例中有 {met} 个达到。"
    "{causes} 个原因中有 {reproduced} 个得到重现：去掉之后结局陈述确实变少（效应的置信区间低于零）。",
    twins="孪生企业具有中位新进入者的特征，在平行对照中于同月成立；"
    "{twins} 个案例中有 {rarer} 个，其结局陈述确实更少成立。",
    worst="既非书中也非事实给出的阈值，各自变动至多四分之一时，最差情形为 {told}。",
    worst_of="{share:.2f} 的种子（{case}，`{id}` {sign} {bound}，原为 {was}）",
    easy="超过半数的同行创业公司也符合 {told}，这些陈述应当只作背景。",
    comma="，",
    semicolon="；",
)  # fmt: skip


def tells_outcomes(document: Document) -> bool:
    """Whether the file was written since outcomes are counted."""
    return all("outcome" in case for case in document["cases"])


def table_of(cases: Sequence[Mapping[str, Any]], words: Words) -> str:
    """One row for each case as it is, its twin, and each cause taken away."""
    return table(list(words.header), [row for case in cases for row in _rows(case, words)])


def sentences(cases: Sequence[Mapping[str, Any]], words: Words) -> list[str]:
    """What the table comes to: goals, twins, how much hangs on bounds, statements that say little."""
    causes = [cause for case in cases for cause in case["causes"]]
    met = sum(case["match"]["low"] is not None and case["match"]["low"] >= GOAL for case in cases)
    reproduced = sum(bool(cause["reproduced"]) for cause in causes)
    told = [words.goals.format(goal=GOAL, met=met, cases=len(cases), reproduced=reproduced, causes=len(causes))]
    if twins := [case["twin"]["effect"] for case in cases if case["twin"]]:
        rarer = sum(one["low"] is not None and one["low"] > 0 for one in twins)
        told.append(words.twins.format(rarer=rarer, twins=len(twins)))
    if worst := [_worst(case, words) for case in cases if case["worst_threshold"]]:
        told.append(words.worst.format(told=words.semicolon.join(worst)))
    if easy := [
        f"`{one['id']}` ({short_id(case)})" for case in cases for one in case["expectations"] if one["too_easy"]
    ]:
        told.append(words.easy.format(told=words.comma.join(easy)))
    return told


def short_id(case: Mapping[str, Any]) -> str:
    """The id of a case without what all have in common."""
    return str(case["id"]).removeprefix("CASE-")


def _worst(case: Mapping[str, Any], words: Words) -> str:
    found = case["worst_threshold"]
    was = next(one["bound"] for one in case["thresholds"] if (one["id"], one["side"]) == (found["id"], found["side"]))
    return words.worst_of.format(
        share=found["share"], case=short_id(case), id=found["id"], sign=SIGNS[found["side"]],
        bound=short(found["bound"]), was=short(was),
    )  # fmt: skip


def _rows(case: Mapping[str, Any], words: Words) -> Iterator[list[str]]:
    endings = ", ".join(f"{words.endings.get(name, name)} {n}" for name, n in case["endings"].items())
    low = case["match"]["low"]
    goal = words.met if low is not None and low >= GOAL else words.missed
    yield [
        f"**{case['id']}**", words.all_causes + endings, share(case["match"], bold=True), "",
        share(case["outcome"], bold=True), "", "", goal.format(goal=GOAL),
    ]  # fmt: skip
    if case["twin"]:
        yield ["", words.twin, "", "", share(case["twin"]), effect(_turned(case["twin"]["effect"])), "", ""]
    for cause in case["causes"]:
        yield _cause_row(cause, words)


def _cause_row(cause: Mapping[str, Any], words: Words) -> list[str]:
    outcome, verdict = cause["outcome"], NONE
    if outcome:
        verdict = words.reproduced if cause["reproduced"] else words.not_reproduced
    if cause["forbidden"]:
        verdict += words.ruled_out.format(id=cause["forbidden"])
    left = f"{outcome['share_without']:.2f}" if outcome else NONE
    arm = words.without.format(name=cause["name"], section=cause["section"])
    return ["", arm, f"{cause['share_without']:.2f}", effect(cause), left, effect(outcome), _check(cause), verdict]


def _check(cause: Mapping[str, Any]) -> str:
    found = cause["manipulation"]
    if not found or found["effect"] is None:
        return NONE
    bounds = [found["low"], found["high"]]
    interval = "" if None in bounds else f" [{', '.join(f'{bound:+.3g}' for bound in bounds)}]"
    return f"`{found['measure']}` {found['effect']:+.3g}{interval}"


def _turned(found: Mapping[str, Any]) -> dict[str, Any]:
    """The twin less the firm, as the other arms have it."""

    def negative(value: float | None) -> float | None:
        return None if value is None else -value

    return {"effect": negative(found["effect"]), "low": negative(found["high"]), "high": negative(found["low"])}
