"""Effects in a comparison: deals, money and entries, and the later funding of treated firms, paired by seed.

Measured as studies of laws and of grants do: numbers of deals and the money in them; whether a firm that got a grant
raises venture capital later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from analysis.facts.figures import OF_ROW, label, over_seeds
from analysis.facts.tables import STARTUP, Tables
from analysis.statistics.histories import FIRM, NOTE
from analysis.statistics.intervals import Interval, paired_means
from analysis.statistics.survival import Floats
from simulation.records.columns import RECAPITALISATION
from simulation.settings import STAGES

DEALS, LATER = (*STAGES, RECAPITALISATION), (*STAGES[1:], RECAPITALISATION)


class EffectRow(NamedTuple):
    """One measure under one what-if: means over seeds, and the paired difference."""

    whatif: Annotated[str, label("arm that is compared with `base`")]
    measure: Annotated[str, label("what is compared, see docs/facts.md")]
    unit: Annotated[str, label("unit of the three figures")]
    base: Annotated[float, label("mean over seeds without the what-if", OF_ROW)]
    changed: Annotated[float, label("mean over the same seeds with it", OF_ROW)]
    effect: Annotated[Interval, over_seeds(OF_ROW, "changed − base, paired by seed")]
    relative: Annotated[float, label("effect over base", "share")]


@dataclass(frozen=True)
class Measured:
    """One measure in both arms: a number per seed, NaN where a seed has none."""

    name: str
    unit: str
    base: Floats
    changed: Floats


def effects(base: Tables, arms: Mapping[str, Tables]) -> list[EffectRow]:
    """Every measure under every what-if; of treated firms only where any got a grant."""
    return [
        _row(whatif, one)
        for whatif, changed in arms.items()
        for one in [*on_markets(base, changed), *on_treated(base, changed)]
    ]


def on_markets(base: Tables, changed: Tables) -> list[Measured]:
    """Deals (priced rounds), the money in them, and startups founded."""
    found = []
    for name, money, stages in (("deals", "deals_usd", DEALS), ("later_deals", "later_deals_usd", LATER)):
        rounds = [own.rounds[own.rounds["round"].isin(stages)] for own in (base, changed)]
        counts = (own.per_seed(rows) for own, rows in zip((base, changed), rounds, strict=True))
        found.append(Measured(name, "deals", *counts))
        sums = (own.per_seed(rows, rows["amount_usd"]) for own, rows in zip((base, changed), rounds, strict=True))
        found.append(Measured(money, "USD", *sums))
    entries = (own.per_seed(own.endings[own.endings["kind"] == STARTUP]) for own in (base, changed))
    return [*found, Measured("entries", "firms", *entries)]


def on_treated(base: Tables, changed: Tables) -> list[Measured]:
    """Later funding of firms that get a grant in the what-if and not in the base; the same firms in both arms."""
    treated = granted(changed).merge(granted(base), on=FIRM, how="left", indicator=True)
    treated = treated[treated["_merge"] == "left_only"][FIRM].merge(base.endings[FIRM], on=FIRM)
    if not len(treated):
        return []
    n = changed.per_seed(treated)
    n[n == 0] = np.nan
    raised = [later_usd(own, treated) for own in (base, changed)]
    shares = (changed.per_seed(one, one["usd"] > 0) / n for one in raised)
    sums = (changed.per_seed(one, one["usd"]) / n for one in raised)
    return [
        Measured("treated_raise_later", "share", *shares),
        Measured("treated_later_usd", "USD/firm", *sums),
        Measured("treated_firms", "firms", np.zeros(len(n)), np.nan_to_num(n)),
    ]


def granted(tables: Tables) -> pd.DataFrame:
    """Firms that got a grant: seed, firm."""
    return tables.events[tables.events["kind"] == "grant"][FIRM].drop_duplicates()


def later_usd(tables: Tables, firms: pd.DataFrame) -> pd.DataFrame:
    """New money of each firm in rounds after the seed round and in notes: seed, firm, usd (0: none)."""
    later = tables.rounds[tables.rounds["round"].isin((*LATER, NOTE))]
    sums = later.groupby(FIRM)["amount_usd"].sum().rename("usd").reset_index()
    found = firms.merge(sums, on=FIRM, how="left")
    return found.assign(usd=found["usd"].fillna(0.0))


def _row(whatif: str, one: Measured) -> EffectRow:
    found = paired_means(one.changed, one.base, is_share=one.unit == "share")
    relative = found.effect.estimate / found.control if found.control else np.nan
    return EffectRow(whatif, one.name, one.unit, found.control, found.treated, found.effect, float(relative))
