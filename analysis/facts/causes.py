"""Stated reasons of failure: how often each, how many a firm, and do they tell failures from surviving peers?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from analysis.facts.figures import OF_ROW, label, observed
from analysis.facts.tables import INCUMBENT, STARTUP, Tables
from analysis.statistics.ages import months_between
from analysis.statistics.histories import FIRM, NOTE
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import ESTIMATED_SHARE, PLAIN_SHARE, POSITIVE, ratio_of
from simulation.demand import advantage
from simulation.records.endings import FAILED
from simulation.records.reasons import LARGE_INCUMBENTS_SHARE, LOW_FIELD_ADVANTAGE, LOW_TRUST

MOST_COUNTED = 5
AGE_WITHIN_MONTHS = 12  # assumption: peers were founded at most so long before or after
SURVIVE_MONTHS = 12  # assumption: and do not fail within so long after, as far as the run tells
CELL = ["seed", "month", "sector"]


class CauseRow(NamedTuple):
    """One kind of stated reason, and the same in peers."""

    cause: Annotated[str, label("kind of reason, as in docs/outputs.md")]
    failures: Annotated[Interval, observed("share", "of failed entrants, that carry it")]
    failures_by_table: Annotated[
        Interval,
        observed(
            "share",
            "of failed entrants with peers, to which the rule of this cause, read off tables, applies in "
            "their last month; no figure where tables do not tell",
        ),
    ]
    peers_by_table: Annotated[
        Interval,
        observed("share", "of their surviving peers of the same sector and age, to which the same rule applies then"),
    ]  # fmt: skip


class CauseCountRow(NamedTuple):
    """How many reasons a failure carries."""

    reasons: Annotated[str, label(f"number of reasons, `{MOST_COUNTED}+` for so many or more; `mean`")]
    unit: Annotated[str, label("`share`, or `reasons` of the mean")]
    failures: Annotated[Interval, observed(OF_ROW, "of failed entrants, that carry so many; or the mean number")]


def causes(tables: Tables) -> list[CauseRow]:
    """One row per kind of reason that a failed entrant carries, the most frequent first."""
    failed = stated(tables)
    n = tables.per_seed(failed)
    kinds = sorted({kind for own in failed["kinds"] for kind in own})
    peers = peers_of(tables, failed)
    rows = []
    for kind in kinds:
        carries = failed["kinds"].map(lambda own, kind=kind: kind in own)
        share = ratio_of(tables.per_seed(failed, carries), n, PLAIN_SHARE)
        rows.append(CauseRow(kind, share, *compared(tables, peers, kind)))
    return sorted(rows, key=lambda row: -row.failures.estimate)


def cause_counts(tables: Tables) -> list[CauseCountRow]:
    """Shares of failed entrants by the number of their reasons, and the mean number; no rows without any."""
    failed = stated(tables)
    if not len(failed):
        return []
    n, held = tables.per_seed(failed), failed["kinds"].map(len)
    names = {str(count): held == count for count in range(MOST_COUNTED)} | {f"{MOST_COUNTED}+": held >= MOST_COUNTED}
    shares = {name: ratio_of(tables.per_seed(failed, has), n, PLAIN_SHARE) for name, has in names.items()}
    mean = ratio_of(tables.per_seed(failed, held), n, POSITIVE)
    return [
        *(CauseCountRow(name, "share", one) for name, one in shares.items()),
        CauseCountRow("mean", "reasons", mean),
    ]


def stated(tables: Tables) -> pd.DataFrame:
    """Failed entrants with the kinds of their reasons (`kinds`, each once)."""
    failed = tables.entrants[tables.entrants["ending"].isin(FAILED)]
    return failed.assign(kinds=pd.Series(map(_kinds, failed["causes"]), index=failed.index, dtype=object))


def _kinds(causes: str | None) -> tuple[str, ...]:
    held = json.loads(causes) if isinstance(causes, str) and causes else []
    return tuple(dict.fromkeys(str(one["kind"]) for one in held))


# -- peers ------------------------------------------------------------------------------------------------------------


def peers_of(tables: Tables, failed: pd.DataFrame) -> pd.DataFrame:
    """Rows of failures in their last month and of their peers then; `failure` names the failed firm of a row.

    Peers are startups of the same seed and sector, founded at most `AGE_WITHIN_MONTHS` earlier or later, that do not
    fail within `SURVIVE_MONTHS`.
    """
    startups = with_signs(tables)
    own = startups.merge(failed[FIRM], on=FIRM)
    last = own.sort_values("month", kind="stable").drop_duplicates(FIRM, keep="last")
    keys = last[[*CELL, "firm", "founded"]].rename(columns={"firm": "failure", "founded": "failure_founded"})
    pairs = startups.merge(keys, on=CELL)
    near = months_between(pairs["failure_founded"], pairs["founded"]).abs() <= AGE_WITHIN_MONTHS
    failures = tables.endings[tables.endings["ending"].isin(FAILED)][[*FIRM, "ended"]]
    pairs = pairs.merge(failures, on=FIRM, how="left")
    lives = ~(months_between(pairs["month"], pairs["ended"]) <= SURVIVE_MONTHS)
    itself = pairs["firm"] == pairs["failure"]
    kept = pairs[itself | (near.to_numpy() & lives.to_numpy())]
    has_peers = kept.groupby(["seed", "failure"])["firm"].transform("size") > 1
    return kept[has_peers].assign(itself=kept["firm"] == kept["failure"])


def with_signs(tables: Tables) -> pd.DataFrame:
    """Months of startups with what the rules of causes look at: traditional methods, incumbents' share, refusals."""
    firms = tables.firms
    held = firms[firms["kind"] == INCUMBENT].groupby(CELL)["share"].sum().rename("incumbents").reset_index()
    own = firms[firms["kind"] == STARTUP].merge(held, on=CELL, how="left")
    own = own.merge(tables.sectors[[*CELL, "traditional_lab", "traditional_field"]], on=CELL, how="left")
    return own.assign(incumbents=own["incumbents"].fillna(0.0), refused=refused(tables, own))


def refused(tables: Tables, months: pd.DataFrame) -> np.ndarray:
    """Whether the last raise of a firm was refused and no round came after it, by the end of each month."""
    priced = tables.rounds[tables.rounds["round"] != NOTE]
    refusals = tables.events[tables.events["kind"] == "raise refused"]
    news = pd.concat([priced[[*FIRM, "time"]].assign(no=False), refusals[[*FIRM, "time"]].assign(no=True)])
    news = news.assign(time=pd.to_datetime(news["time"]).astype("datetime64[us]")).sort_values("time", kind="stable")
    ends = months[[*FIRM]].assign(time=(months["month"] + pd.offsets.MonthBegin(1)).astype("datetime64[us]"))
    ends = ends.assign(place=np.arange(len(ends))).sort_values("time", kind="stable")
    if not len(news) or not len(ends):
        return np.zeros(len(months), bool)
    found = pd.merge_asof(ends, news, on="time", by=FIRM).sort_values("place")
    return found["no"].eq(True).to_numpy(bool)


def compared(tables: Tables, peers: pd.DataFrame, kind: str) -> tuple[Interval, Interval]:
    """Shares of failures, and of their peers, to which the rule of a cause applies; every failure counts once."""
    rule = RULES.get(kind)
    if rule is None or not len(peers):
        nobody = np.zeros(len(tables.seeds))
        return (ratio_of(nobody, nobody, PLAIN_SHARE),) * 2
    rows = peers.assign(applies=rule(peers).astype(float))
    failures, others = rows[rows["itself"]], rows[~rows["itself"]]
    means = others.groupby(["seed", "failure"])["applies"].mean().reset_index()
    n = tables.per_seed(means)
    return (
        ratio_of(tables.per_seed(failures, failures["applies"]), n, PLAIN_SHARE),
        ratio_of(tables.per_seed(means, means["applies"]), n, ESTIMATED_SHARE),
    )


def _disappoints(rows: pd.DataFrame) -> pd.Series:
    columns = ("quality_lab", "traditional_lab", "quality_field", "traditional_field")
    fails = [_fails_in_field(*values) for values in rows[list(columns)].to_numpy(float)]
    return pd.Series(fails, index=rows.index, dtype=bool)


def _fails_in_field(lab: float, old_lab: float, field: float, old_field: float) -> bool:
    """Whether the advantage in the field is far under that in the lab; not without a model."""
    return lab == lab and advantage(field, old_field) < LOW_FIELD_ADVANTAGE * advantage(lab, old_lab)


RULES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "no model": lambda rows: rows["quality_lab"].isna(),
    "field": _disappoints,
    "trust": lambda rows: rows["trust"] < LOW_TRUST,
    "incumbents": lambda rows: rows["incumbents"] > LARGE_INCUMBENTS_SHARE,
    "free": lambda rows: rows["freemium_free"] > 0,
    "refused": lambda rows: rows["refused"].astype(bool),
}
"""Causes that tables tell of firms that live, as `agents/startup/diagnosis.py` states them of firms that end.

They are read off the tables, so `failures_by_table` may differ from what failures carry: both are shown. Of the other
kinds (cash, what incumbents give away) the tables do not tell.
"""
