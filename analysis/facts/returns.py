"""Returns: gross multiples of realised investments, and multiples of funds.

Each round of an entrant is one investment. What it got back follows from the world's own cap table
(`simulation.capital.CapTable`), played again from the rounds: the price at a sale by rank of claims, its share of the
value at a listing, what is left where it is given up, nothing in a bankruptcy, and dividends before. Each round decides
for itself whether to convert, while in the world a holder of several rounds decides for all of them. In a
recapitalisation all earlier preferred stock loses as much as the old stock did on the whole, for rounds do not say
which of their holders took part.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.facts.figures import label, observed
from analysis.facts.tables import Tables
from analysis.statistics.histories import FIRM, NOTE
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import (
    ESTIMATED_SHARE,
    PLAIN_SHARE,
    POSITIVE,
    by_seed,
    intervals_of,
    ratio_of,
)
from analysis.statistics.survival import Floats
from analysis.statistics.tails import tail_of
from simulation.capital import FOUNDERS, CapTable
from simulation.recapitalisation import convert, preferred
from simulation.records.columns import RECAPITALISATION
from simulation.records.endings import GONE
from simulation.settings import STAGES

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
TOP = 0.1
Realised = tuple[str, float]  # how a firm was realised, and for how much, USD
Terms = dict[str, float]  # of a recapitalisation, as its event has them


class Priced(NamedTuple):
    """A round: stage, money, pre-money valuation, USD; terms of a recapitalisation, None for other rounds."""

    stage: str
    amount_usd: float
    pre_money_usd: float
    terms: Terms | None = None


class MultipleRow(NamedTuple):
    """Multiples of one kind of investment."""

    of: Annotated[str, label("`all` priced rounds, `venture` (A and later), a stage, or convertible notes (`bridge`)")]
    realised: Annotated[int, label("investments in firms that ended or were listed", "investments")]
    below_one: Annotated[Interval, observed("share", "got back less than was paid in")]
    mean: Annotated[Interval, observed("ratio", "mean multiple")]
    pooled: Annotated[Interval, observed("ratio", "all that came back over all that was paid in")]
    q10: Annotated[Interval, observed("ratio", "quantile 0.10 of multiples")]
    q25: Annotated[Interval, observed("ratio", "quantile 0.25")]
    median: Annotated[Interval, observed("ratio", "median")]
    q75: Annotated[Interval, observed("ratio", "quantile 0.75")]
    q90: Annotated[Interval, observed("ratio", "quantile 0.90")]
    q99: Annotated[Interval, observed("ratio", "quantile 0.99")]
    top_share: Annotated[Interval, observed("share", f"of all that came back, from the best {TOP:.0%} by multiple")]
    tail_exponent: Annotated[Interval, observed("", "Hill's ζ of multiples above the cut-off, P(X > x) ∝ x^−ζ")]
    tail_error: Annotated[float, label("its standard error, investments taken as independent")]
    tail_points: Annotated[int, label("multiples above the cut-off", "investments")]
    tail_cut_off: Annotated[float, label("the cut-off", "ratio")]


class FundRow(NamedTuple):
    """Multiples of funds at the end of the run."""

    of: Annotated[
        str,
        label(
            "`tvpi` (distributed + residual over paid in), `dpi` (distributed over paid in), `gross` (distributed + "
            "residual over paid in less fees)"
        ),
    ]
    below_one: Annotated[Interval, observed("share", "of funds below 1")]
    q10: Annotated[Interval, observed("ratio", "quantile 0.10 over funds")]
    q25: Annotated[Interval, observed("ratio", "quantile 0.25")]
    median: Annotated[Interval, observed("ratio", "median")]
    q75: Annotated[Interval, observed("ratio", "quantile 0.75")]
    q90: Annotated[Interval, observed("ratio", "quantile 0.90")]
    pooled: Annotated[Interval, observed("ratio", "of all funds together")]


# -- investments ------------------------------------------------------------------------------------------------------


def multiples(tables: Tables) -> list[MultipleRow]:
    """Gross multiples of realised investments by kind; kinds without any are left out."""
    made = investments(tables)
    kinds = [
        ("all", made["round"] != NOTE),
        ("venture", made["round"].isin(STAGES[1:])),
        *((stage, made["round"] == stage) for stage in (*STAGES, NOTE)),
    ]
    return [_multiples(tables, name, made[chosen]) for name, chosen in kinds if chosen.any()]


def investments(tables: Tables) -> pd.DataFrame:
    """Realised investments in entrants: seed, firm, round, time, paid_usd, back_usd, multiple."""
    rounds, ends = tables.of_entrants(tables.rounds), realised(tables)
    back = np.full(len(rounds), math.nan)
    terms = terms_of(tables)
    priced = [
        Priced(
            row["round"],
            row["amount_usd"],
            row["pre_money_usd"],
            terms.get((row["seed"], row["firm"], row["time"]), {}),
        )
        for row in rounds.to_dict("records")
    ]
    groups: Any = rounds.groupby(FIRM).indices
    paid_out = dividends(tables)
    for key in groups.keys() & ends.keys():
        places = np.sort(groups[key])
        own = [priced[place] for place in places]
        back[places] = proceeds_usd(own, ends[key], tables.note_discount)
        for time, usd in paid_out.get(key, ()):
            held = own[: int((rounds["time"].iloc[places] <= time).sum())]
            back[places[: len(held)]] += dividend_usd(held, usd, tables.note_discount)
    made = rounds.rename(columns={"amount_usd": "paid_usd"}).assign(back_usd=back)
    made = made[made["paid_usd"] > 0].assign(multiple=lambda own: own["back_usd"] / own["paid_usd"])
    return made.dropna(subset=["multiple"])[[*FIRM, "round", "time", "paid_usd", "back_usd", "multiple"]]


def terms_of(tables: Tables) -> dict[tuple[int, str, pd.Timestamp], Terms]:
    """Terms of recapitalisations by seed, firm and date."""
    found = tables.events[tables.events["kind"] == "recapitalised"]
    rows = found.to_dict("records")
    return {(row["seed"], row["firm"], row["time"]): json.loads(row["fields"] or "{}") for row in rows}


def realised(tables: Tables) -> dict[tuple[int, str], Realised]:
    """By seed and firm how its investors were paid, and for how much; a listing counts, whatever came after it."""
    ended = tables.entrants[tables.entrants["ending"].isin([*GONE, "public"])]
    keys = zip(ended["seed"].tolist(), ended["firm"].tolist(), strict=True)
    found = dict(zip(keys, zip(ended["ending"], ended["exit_value_usd"], strict=True), strict=True))
    listed = tables.events[tables.events["kind"] == "listed"]
    for row in listed.to_dict("records"):
        if (key := (row["seed"], row["firm"])) in found:
            found[key] = ("public", _value_usd(row["fields"]))
    return found


def dividends(tables: Tables) -> dict[tuple[int, str], list[tuple[pd.Timestamp, float]]]:
    """By seed and firm when it paid out to its holders, and how much, USD."""
    found: dict[tuple[int, str], list[tuple[pd.Timestamp, float]]] = {}
    for row in tables.events[tables.events["kind"] == "dividend"].to_dict("records"):
        found.setdefault((row["seed"], row["firm"]), []).append((row["time"], row["amount_usd"]))
    return found


def dividend_usd(rounds: Sequence[Priced], usd: float, note_discount: float) -> list[float]:
    """What each round held so far gets of a dividend, USD: its share, all preferred stock converted."""
    if any(one.stage != NOTE and not one.pre_money_usd > 0 for one in rounds):
        return [math.nan] * len(rounds)
    table, common = cap_table(rounds, note_discount)
    return by_round(table, common, {holder: share * usd for holder, share in table.shares.items()}, len(rounds))


def by_round(table: CapTable, common: dict[str, float], parts: dict[str, float], n: int) -> list[float]:
    """Parts of holders as parts of rounds: seed rounds have theirs of what common stock gets."""
    parts = parts | {name: parts[FOUNDERS] * shares / table.common for name, shares in common.items()}
    return [parts.get(str(number), 0.0) for number in range(n)]


def _value_usd(fields: str | None) -> float:
    value = json.loads(fields or "{}").get("value_usd")
    return math.nan if value is None else float(value)


def proceeds_usd(rounds: Sequence[Priced], end: Realised, note_discount: float) -> list[float]:
    """What each round of a firm got back, USD, as its cap table says.

    rounds: in time order; end: `bankrupt`, `gave up`, `acquired` or `public`, and what was left for holders, the price
    or the valuation. NaN for all where a price is missing that the shares depend on.
    """
    how, usd = end
    if how == "bankrupt":
        return [0.0] * len(rounds)
    if any(one.stage != NOTE and not one.pre_money_usd > 0 for one in rounds) or math.isnan(usd):
        return [math.nan] * len(rounds)
    table, common = cap_table(rounds, note_discount)
    if how == "public":
        if table.notes_usd:
            table.issue({}, usd, note_discount)
        parts = {holder: share * usd for holder, share in table.shares.items()}
    else:
        parts = table.split(usd)
    return by_round(table, common, parts, len(rounds))


def cap_table(rounds: Iterable[Priced], note_discount: float) -> tuple[CapTable, dict[str, float]]:
    """The cap table after rounds, each a holder called by its number, and the common shares that seed rounds bought.

    Seed money comes from private savers, who hold common stock (`agents/startup/fundraising.py`).
    """
    table, common = CapTable(), dict[str, float]()
    for number, (stage, amount, pre, terms) in enumerate(rounds):
        name = str(number)
        if stage == NOTE:
            table.lend({name: amount})
            continue
        if stage == RECAPITALISATION:
            recapitalise_all(table, {name: amount}, pre, terms or {}, note_discount)
            continue
        if stage == STAGES[0]:
            common[name] = amount * table.n_shares() / pre
        table.issue({FOUNDERS if name in common else name: amount}, pre, note_discount)
    return table, common


def recapitalise_all(
    table: CapTable, paid_usd: dict[str, float], pre_money_usd: float, terms: Terms, note_discount: float
) -> None:
    """A recapitalisation in which all old preferred stock becomes common to the same part."""
    price = pre_money_usd / table.n_shares()
    for holder in preferred(table):
        convert(table, holder, terms.get("converted", 0.0))
    table.sell_series(paid_usd, price, terms.get("preference", 1.0))
    table.sell_series(table.notes_usd, (1 - note_discount) * price)
    pool = terms.get("pool_share", 0.0)
    table.notes_usd, table.common = {}, table.common + table.n_shares() * pool / (1 - pool)


def _multiples(tables: Tables, name: str, made: pd.DataFrame) -> MultipleRow:
    per_seed, paid, back = tables.per_seed, made["paid_usd"], made["back_usd"]
    seen = by_seed(made, ["multiple", "back_usd"], tables.seeds)
    scales = [POSITIVE] * (1 + len(LEVELS)) + [ESTIMATED_SHARE]
    mean, q10, q25, median, q75, q90, q99, top = intervals_of(seen, _reduce, scales)
    tail = tail_of(made["multiple"])
    above = made[made["multiple"] > tail.cut_off]
    logs = per_seed(above, np.log(above["multiple"] / tail.cut_off))
    return MultipleRow(
        of=name,
        realised=len(made),
        below_one=ratio_of(per_seed(made, made["multiple"] < 1), per_seed(made), PLAIN_SHARE),
        mean=mean,
        pooled=ratio_of(per_seed(made, back), per_seed(made, paid), POSITIVE, len(made)),
        q10=q10,
        q25=q25,
        median=median,
        q75=q75,
        q90=q90,
        q99=q99,
        top_share=top,
        tail_exponent=ratio_of(per_seed(above), logs, POSITIVE, tail.n),
        tail_error=tail.hill_error,
        tail_points=tail.n,
        tail_cut_off=tail.cut_off,
    )


def _reduce(values: Floats) -> Floats:
    """Mean, quantiles and share of the top, of (multiple, USD that came back)."""
    if not len(values):
        return np.full(2 + len(LEVELS), np.nan)
    return np.array([values[:, 0].mean(), *np.quantile(values[:, 0], LEVELS), top_share(values[:, 0], values[:, 1])])


def top_share(ranked_by: Floats, amounts: Floats, top: float = TOP) -> float:
    """Part of all amounts that the top share of observations has, at least one; NaN where all amounts are 0."""
    total = amounts.sum()
    best = np.argsort(-ranked_by, kind="stable")[: math.ceil(round(top * len(amounts), 9))]
    return float(amounts[best].sum() / total) if total > 0 else math.nan


# -- funds ------------------------------------------------------------------------------------------------------------


def funds(tables: Tables) -> list[FundRow]:
    """Multiples of funds that called money; no rows where there is none, or where sectors were asked for."""
    own = tables.funds[tables.funds["paid_in_usd"] > 0]
    worth = own["distributed_usd"] + own["residual_usd"]
    invested = own["paid_in_usd"] - own["fees_usd"]
    kinds: list[tuple[str, Any, Any]] = [
        ("tvpi", worth, own["paid_in_usd"]),
        ("dpi", own["distributed_usd"], own["paid_in_usd"]),
        ("gross", worth[invested > 0], invested[invested > 0]),
    ]
    return [_funds(tables, name, own.loc[above.index], above, below) for name, above, below in kinds if len(above)]


def _funds(tables: Tables, name: str, own: pd.DataFrame, above: pd.Series, below: pd.Series) -> FundRow:
    per_seed, seen = tables.per_seed, own.assign(multiple=above / below).dropna(subset=["multiple"])
    scales = [POSITIVE] * (len(LEVELS) - 1)
    q10, q25, median, q75, q90 = intervals_of(by_seed(seen, ["multiple"], tables.seeds), _quantiles, scales)
    return FundRow(
        of=name,
        below_one=ratio_of(per_seed(seen, seen["multiple"] < 1), per_seed(seen), PLAIN_SHARE),
        q10=q10,
        q25=q25,
        median=median,
        q75=q75,
        q90=q90,
        pooled=ratio_of(per_seed(own, above), per_seed(own, below), POSITIVE, len(own)),
    )


def _quantiles(values: Floats) -> Floats:
    levels = LEVELS[:-1]
    return np.quantile(values[:, 0], levels) if len(values) else np.full(len(levels), np.nan)
