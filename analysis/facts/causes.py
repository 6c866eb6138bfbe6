"""Stated reasons of failure: how often each, how many a firm, and do they tell failures from surviving peers?"""

from __future__ import annotations

import json
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from agents.averages import LEAST_SALES_USD_MONTH
from analysis.facts.figures import OF_ROW, label, observed
from analysis.facts.tables import STARTUP, Tables
from analysis.statistics.ages import months_between
from analysis.statistics.histories import FIRM, NOTE
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import ESTIMATED_SHARE, PLAIN_SHARE, POSITIVE, ratio_of
from simulation.records.endings import FAILED
from simulation.records.reasons import DECLINE_MONTHS, LEAST_PEERS

MOST_COUNTED = 5
AGE_WITHIN_MONTHS = 12  # assumption: peers were founded at most so long before or after
SURVIVE_MONTHS = 12  # assumption: and do not fail within so long after, as far as the run tells
CELL = ["seed", "month", "sector"]
GROUP = ["seed", "failure"]
LEAST_SALES_USD = LEAST_SALES_USD_MONTH * DECLINE_MONTHS  # as in the world: below that a margin says nothing


class CauseRow(NamedTuple):
    """One kind of stated reason, and the same in peers."""

    cause: Annotated[str, label("kind of reason, as in docs/outputs.md")]
    failures: Annotated[Interval, observed("share", "of failed entrants, that carry it")]
    failures_by_table: Annotated[
        Interval,
        observed(
            "share",
            "of failed entrants with peers, whom a sign of this cause in the tables sets apart from them; no figure "
            "where tables do not tell",
        ),
    ]
    peers_by_table: Annotated[
        Interval,
        observed("share", "of their surviving peers of the same sector and age, whom the same sign sets apart then"),
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
    """Signs of failures over their last `DECLINE_MONTHS` and of their peers over the same months, one row a firm.

    Peers are startups of the same seed and sector, founded at most `AGE_WITHIN_MONTHS` earlier or later, that do not
    fail within `SURVIVE_MONTHS`; failures with fewer than `LEAST_PEERS` are left out. `failure` names the failed
    firm of a row, `itself` is true of it.
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
    has_peers = kept.groupby(GROUP)["firm"].transform("size") > LEAST_PEERS
    return decline_of(startups, kept[has_peers][["seed", "failure", "firm", "month"]])


def decline_of(startups: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """What the signs of each pair's firm came to over the months before the failure."""
    months = startups.merge(pairs.rename(columns={"month": "last"}), on=FIRM)
    back = months_between(months["month"], months["last"])
    grouped = (
        months[(back >= 0) & (back < DECLINE_MONTHS)].sort_values("month", kind="stable").groupby([*GROUP, "firm"])
    )
    found = grouped[["field", "trust", "suspended"]].mean()
    sums, runs = grouped[["sales_usd", "cost"]].sum(), grouped["lost_runs"]
    margin = (1 - sums["cost"] / sums["sales_usd"]).where(sums["sales_usd"] > LEAST_SALES_USD)
    found = found.assign(margin=margin, refused=grouped["refused"].last(), lost=runs.max() - runs.min()).reset_index()
    return found.assign(itself=found["firm"] == found["failure"])


def with_signs(tables: Tables) -> pd.DataFrame:
    """Months of startups with what the signs of causes are read off."""
    firms = tables.firms
    own = firms[firms["kind"] == STARTUP].merge(tables.sectors[[*CELL, "traditional_field"]], on=CELL, how="left")
    old = np.maximum(1 - own["traditional_field"], 1e-6)
    return own.assign(
        field=np.nan_to_num(np.maximum(1 - (1 - own["quality_field"]) / old, -1.0)),
        suspended=(own["status"] == "suspended").astype(float),
        cost=own["serving_usd"] + own["operations_usd"],
        refused=refused(tables, own).astype(float),
    )


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
    """Shares of failures, and of their peers, whom a sign of a cause sets apart; every failure counts once."""
    signs = SIGNS.get(kind)
    if signs is None or not len(peers):
        nobody = np.zeros(len(tables.seeds))
        return (ratio_of(nobody, nobody, PLAIN_SHARE),) * 2
    parts = [rows.assign(applies=set_apart(rows, signs).astype(float)) for _, rows in peers.groupby(GROUP)]
    rows = pd.concat(parts)
    failures, others = rows[rows["itself"]], rows[~rows["itself"]]
    means = others.groupby(GROUP)["applies"].mean().reset_index()
    n = tables.per_seed(means)
    return (
        ratio_of(tables.per_seed(failures, failures["applies"]), n, PLAIN_SHARE),
        ratio_of(tables.per_seed(means, means["applies"]), n, ESTIMATED_SHARE),
    )


def set_apart(rows: pd.DataFrame, signs: tuple[tuple[str, bool], ...]) -> np.ndarray:
    """Of firms of one time, who stands outside the worse quartile of the others in any of the signs."""
    return np.any([outside(rows[name].to_numpy(float), much_is_bad) for name, much_is_bad in signs], axis=0)


def outside(values: np.ndarray, much_is_bad: bool) -> np.ndarray:
    """Which values lie beyond the worse quartile of the others; none where fewer than `LEAST_PEERS` others have one."""
    signed = values if much_is_bad else -values
    beyond = np.zeros(len(values), bool)
    for i, own in enumerate(signed):
        others = np.delete(signed, i)
        others = others[~np.isnan(others)]
        beyond[i] = len(others) >= LEAST_PEERS and own > np.quantile(others, 0.75)
    return beyond


SIGNS: dict[str, tuple[tuple[str, bool], ...]] = {
    "capital": (("refused", True),),
    "price or cost": (("margin", False),),
    "product": (("field", False), ("trust", False)),
    "team": (("lost", True),),
    "regulation": (("suspended", True),),
}
"""Signs of causes that tables tell of firms that live too, and whether much of each is bad; names of `decline_of`.

The world itself sees more, and asks what undoing a cause would have bought (`agents/diagnosis/`), so
`failures_by_table` differs from what failures carry: both are shown. Of the other causes the tables do not tell.
"""
