"""What firms live through, from the tables of a run: their life times, their rounds, their years."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from analysis.statistics.ages import months_between
from simulation.records.columns import NOTE as NOTE
from simulation.records.endings import GONE

FIRM = ["seed", "firm"]


def lifetimes(endings: pd.DataFrame, end: pd.Timestamp, deaths: Collection[str]) -> pd.DataFrame:
    """Months under observation and whether they ended in one of `deaths`; other endings and the run's end censor.

    endings: seed, founded, ended, ending. Firms founded at the very end of the run are left out.
    """
    stop = endings["ended"].where(endings["ending"].isin(GONE), end).fillna(end)
    months = months_between(endings["founded"], stop)
    found = pd.DataFrame({"seed": endings["seed"], "months": months, "died": endings["ending"].isin(deaths)})
    return found[found["months"] > 0]


def first_rounds(rounds: pd.DataFrame, stage: str) -> pd.DataFrame:
    """First round of the stage of each firm, with the date of its next round of any stage (`next`, NaT: none).

    rounds: seed, firm, time, round, in time order within each firm.
    """
    priced = rounds[rounds["round"] != NOTE]
    priced = priced.assign(next=priced.groupby(FIRM)["time"].shift(-1))
    return priced[priced["round"] == stage].drop_duplicates(FIRM)


def full_years(firms: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Sums by seed, firm and calendar year, of years in which the firm has a row in all twelve months."""
    by_year = firms.assign(year=firms["month"].dt.year).groupby([*FIRM, "year"])
    return by_year[list(columns)].sum(min_count=12).dropna().reset_index()
