"""Judging many firms at once: each startup of each seed as if it were the firm that a case is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.cases.evidence import Evidence
from analysis.cases.expectations import GONE, figures, judge, matches

if TYPE_CHECKING:
    from scenarios.expectation import Expectation

STARTUP = "startup"
STAND_IN = "stand-in"  # the name under which every peer is judged


def peers_of(endings: pd.DataFrame, focal: str, near_months: int) -> pd.DataFrame:
    """Other startups, one row per seed and firm: alive when the focal firm entered, or founded near its founding.

    endings: seed, firm, kind, founded, ended, ending. Near: at most `near_months` before or after.
    """
    entered = endings.loc[endings["firm"] == focal].set_index("seed")["founded"]
    others = endings[(endings["kind"] == STARTUP) & (endings["firm"] != focal)]
    start = others["seed"].map(entered)
    near = pd.DateOffset(months=near_months)
    founded_near = (others["founded"] >= start - near) & (others["founded"] <= start + near)
    gone = others["ended"].where(others["ending"].isin(GONE))  # a listed firm goes on
    lived = (others["founded"] <= start) & (gone.isna() | (gone > start))
    return others.loc[founded_near | lived, ["seed", "firm"]].reset_index(drop=True)


def judge_peers(expectations: Sequence[Expectation], evidence: Evidence, peers: pd.DataFrame) -> pd.Series:
    """Which peers meet all expectations, shape (peers,)."""
    return matches(expectations, verdicts_of_peers(expectations, evidence, peers))


def verdicts_of_peers(expectations: Sequence[Expectation], evidence: Evidence, peers: pd.DataFrame) -> pd.DataFrame:
    """Which peers meet which expectations, peers × expectation ids: each peer is a seed of its own to the judge."""
    valued, firms = against_sector(expectations, evidence.firms)
    numbered = peers.assign(peer=range(len(peers)))
    relabelled = Evidence(
        range(len(peers)),
        evidence.months,
        _as_stand_in(firms, numbered),
        _events_as_stand_in(evidence.events, numbered),
        _as_stand_in(evidence.endings, numbered),
    )
    return judge(valued, STAND_IN, relabelled)


def against_sector(expectations: Sequence[Expectation], firms: pd.DataFrame) -> tuple[list[Expectation], pd.DataFrame]:
    """Expectations of ranks and the like as expectations of values, and the firms table with those as further columns.

    A rank needs a whole sector, which a table of single firms has no longer.
    """
    valued, firms = [], firms.copy()
    for one in expectations:
        if one.of != "value":
            column = f"{one.of} {one.metric}"
            firms[column] = figures(firms, str(one.metric), one.of)
            one = one.model_copy(update={"metric": column, "of": "value"})
        valued.append(one)
    return valued, firms


def _as_stand_in(table: pd.DataFrame, peers: pd.DataFrame) -> pd.DataFrame:
    joined = table.merge(peers, on=["seed", "firm"])
    return joined.assign(seed=joined["peer"], firm=STAND_IN)


def _events_as_stand_in(events: pd.DataFrame, peers: pd.DataFrame) -> pd.DataFrame:
    """Events of each peer, as the firm or as the other party."""
    as_other = events.merge(peers.rename(columns={"firm": "other"}), on=["seed", "other"])
    as_other = as_other.assign(seed=as_other["peer"], other=STAND_IN)
    return pd.concat([_as_stand_in(events, peers), as_other], ignore_index=True)
