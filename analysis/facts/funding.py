"""The funding funnel: how many seed-funded entrants reach later rounds, and how long that takes.

References
[1] Fine & Gray (1999), A proportional hazards model for the subdistribution of a competing risk: who ends without the
    event stays among those who have not had it until the end of the run. doi:10.1080/01621459.1999.10474144
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from analysis.facts.figures import label, observed
from analysis.facts.survival import YEAR, share_alive
from analysis.facts.tables import Tables
from analysis.statistics.ages import months_between
from analysis.statistics.histories import FIRM, first_rounds
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import PLAIN_SHARE, POSITIVE, by_seed, intervals_of, ratio_of
from analysis.statistics.survival import Floats
from simulation.settings import STAGES

WITHIN_YEARS = 5  # as the base rate V1 looks on for second rounds
QUARTILES = (0.25, 0.5, 0.75)


class FunnelRow(NamedTuple):
    """Entrants with a seed round, by a later stage."""

    stage: Annotated[str, label("stage reached")]
    reached: Annotated[Interval, observed("share", "of those with a seed round, that reached it by the end of the run")]
    reached_in_time: Annotated[
        Interval,
        observed("share", f"that reach it within {WITHIN_YEARS} years of the seed round; the end of the run censors"),
    ]
    of_previous: Annotated[Interval, observed("share", "of those that reached the stage before, that reached it")]
    months_lower: Annotated[Interval, observed("months", "from the stage before, lower quartile of those with both")]
    months_median: Annotated[Interval, observed("months", "the same, median")]
    months_upper: Annotated[Interval, observed("months", "the same, upper quartile")]


def funnel(tables: Tables) -> list[FunnelRow]:
    """One row per stage after the seed round; no rows where no entrant had one."""
    rounds = tables.of_entrants(tables.rounds)
    firsts: dict[str, pd.DataFrame] = {stage: first_rounds(rounds, stage)[[*FIRM, "time"]] for stage in STAGES}
    seeded = firsts["seed"]
    if not len(seeded):
        return []
    firsts = {stage: own.merge(seeded[FIRM], on=FIRM) for stage, own in firsts.items()}
    return [_stage(tables, firsts, before, stage) for before, stage in pairwise(STAGES)]


def _stage(tables: Tables, firsts: dict[str, pd.DataFrame], before: str, stage: str) -> FunnelRow:
    seeded, earlier, own = firsts["seed"], firsts[before], firsts[stage]
    both = own.merge(earlier, on=FIRM, suffixes=("", "_before"))
    waited = pd.DataFrame({"seed": both["seed"], "months": months_between(both["time_before"], both["time"])})
    per_seed = tables.per_seed
    return FunnelRow(
        stage,
        ratio_of(per_seed(own), per_seed(seeded), PLAIN_SHARE),
        reached_in_time(tables, seeded, own),
        ratio_of(per_seed(both), per_seed(earlier), PLAIN_SHARE),
        *intervals_of(by_seed(waited, ["months"], tables.seeds), _quartiles, [POSITIVE] * len(QUARTILES)),
    )


def reached_in_time(tables: Tables, seeded: pd.DataFrame, own: pd.DataFrame) -> Interval:
    """Share that reaches a stage within `WITHIN_YEARS` of the seed round: cumulative incidence [1].

    Every firm would be observed until the end of the run, which is known, so one that ends without the stage stays in
    the denominator, and the product-limit estimator of "not reached" gives the share.
    """
    waits = seeded.merge(own, on=FIRM, how="left", suffixes=("", "_own"))
    observed_until = waits["time_own"].fillna(tables.months.end)
    lives = pd.DataFrame({"seed": waits["seed"], "months": months_between(waits["time"], observed_until)})
    lives = lives.assign(died=waits["time_own"].notna())[lives["months"] > 0]
    n = int((months_between(seeded["time"], tables.months.end) >= YEAR * WITHIN_YEARS).sum())
    never = share_alive(lives, tables.seeds, WITHIN_YEARS, n)
    return Interval(1 - never.estimate, 1 - never.high, 1 - never.low, n)


def _quartiles(values: Floats) -> Floats:
    return np.quantile(values[:, 0], QUARTILES) if len(values) else np.full(len(QUARTILES), np.nan)
