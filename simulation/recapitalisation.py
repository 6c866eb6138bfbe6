"""Recapitalisation: a round that wipes out the old, with pay-to-play. Pure functions of a cap table.

As in the special mandatory conversion of the NVCA's model charter: preferred stock of a holder who does not take its
pro-rata part of the round is converted into common stock, one to one, and loses its preference; of who takes a part of
it, the rest. Those who take all keep all. Nobody is protected against the low price. Departure: new and kept stock rank
equally.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulation.capital import CapTable
from simulation.settings.valuation import RecapitalisationSettings


def parts_due_usd(table: CapTable, size_usd: float) -> dict[str, float]:
    """What each holder of preferred stock must put into a round of this size to keep all of it."""
    held = preferred(table)
    total = sum(held.values())
    return {holder: size_usd * count / total for holder, count in held.items()} if total else {}


def preferred(table: CapTable) -> dict[str, float]:
    """Number of preferred shares, converted, by holder."""
    held: dict[str, float] = {}
    for series in table.series:
        for holder, count in series.shares.items():
            held[holder] = held.get(holder, 0.0) + count
    return held


def clearing_price_usd(offers: Mapping[str, tuple[float, float]], size_usd: float) -> float:
    """The highest pre-money valuation at which enough money comes together for the size, or all there is.

    offers: by investor, the most it pays for the whole firm before the money, and the most money it puts in.
    """
    ranked, money = sorted(offers.values(), reverse=True), 0.0
    for price, most in ranked:
        money += most
        if money >= size_usd:
            return price
    return ranked[-1][0] if ranked else 0.0


def recapitalise(
    table: CapTable,
    paid_usd: Mapping[str, float],
    pre_money_usd: float,
    terms: RecapitalisationSettings,
    note_discount: float,
) -> float:
    """Issue the round; returns the part of the old preferred stock that became common."""
    due, old = parts_due_usd(table, sum(paid_usd.values())), sum(preferred(table).values())
    price = pre_money_usd / table.n_shares()
    lost = {one: terms.pay_to_play * left_out(paid_usd.get(one, 0.0), usd) for one, usd in due.items()}
    moved = sum(convert(table, holder, part) for holder, part in lost.items() if part > 0)
    table.sell_series(paid_usd, price, terms.preference)
    table.sell_series(table.notes_usd, (1 - note_discount) * price)
    table.notes_usd = {}
    table.common += table.n_shares() * terms.pool_share / (1 - terms.pool_share)
    table.post_money_usd = price * table.n_shares()
    return moved / old if old else 0.0


def left_out(paid_usd: float, due_usd: float) -> float:
    """The part of its due that a holder does not take."""
    return 1 - min(paid_usd / due_usd, 1.0) if due_usd > 0 else 0.0


def convert(table: CapTable, holder: str, part: float) -> float:
    """Turn a part of a holder's preferred stock into common stock; returns the number of shares."""
    moved = 0.0
    for series in table.series:
        if count := series.shares.get(holder):
            series.shares[holder] = count * (1 - part)
            moved += count * part
    table.other_common[holder] = table.other_common.get(holder, 0.0) + moved
    table.preference_usd[holder] = table.preference_usd.get(holder, 0.0) * (1 - part)
    if part >= 1:
        forget(table, holder)
    return moved


def forget(table: CapTable, holder: str) -> None:
    """Take a holder that has no preferred stock left off its list."""
    table.preference_usd.pop(holder)
    for series in table.series:
        series.shares.pop(holder, None)
