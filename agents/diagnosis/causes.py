"""Causes of a firm's end. A cause is named only if it set the firm apart from its peers, and cost it months of life.

(1) Over the last `DECLINE_MONTHS` (half or a quarter of them, if it lived no longer), the firm stood outside the worse
quartile of its peers: firms of its kind and sector that lived through the same months, at least `LEAST_PEERS` of them,
else those of all sectors. (2) With the peers' median in place of its own figure it would have lived
`LEAST_MONTHS_BOUGHT` months longer (`agents/diagnosis/account.py`). Several may hold; of each category the measure that
cost most is told. They describe and decide nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agents.averages import growth_of
from agents.diagnosis.account import UNDO, Account
from agents.diagnosis.peers import ALONE, VALUES, Comparison, Group, Value, compare, compare_all, group_of
from simulation.demand import Ints
from simulation.plugins.rules import rule
from simulation.records.reasons import (
    CATEGORIES,
    DECLINE_MONTHS,
    LEAST_MONTHS_BOUGHT,
    LEAST_PEERS,
    MEASURES,
    MeasureName,
    Reason,
)
from simulation.revenue import GIVEN_AWAY

if TYPE_CHECKING:
    from agents.firm.history import Refusal
    from agents.firm.owner import Owner

LEAST_MONTHS_OF_GROWTH, MONTHS_OF_GROWTH = (
    6,
    15,
)  # of revenue: before there is a growth to speak of; that it is read off
WINDOWS = (DECLINE_MONTHS, DECLINE_MONTHS // 2, DECLINE_MONTHS // 4, 1)
"""Months looked at: the longest that the firm lived through, so that firms that end together share their peers."""


@rule("firm.causes", "why a firm ends now, the most telling first: a list of `Reason`")
def causes_of(firm: Owner) -> list[Reason]:
    """What set a firm apart from its peers and cost it months of life, the most months first."""
    months = max((window for window in WINDOWS if window <= len(firm.history)), default=0)
    if not months:
        return [Reason("no peers")]
    group = group_of(firm.model, firm.kind, months)
    found = comparisons(firm, group)
    apart = [name for name in MEASURES if name in found and is_apart(firm, group, name, found[name])]
    if not apart:
        return [nothing_apart(firm, group)]
    account = Account(firm, months, group, found)
    bought = {name: UNDO[name](account, found[name]) for name in apart}
    named = [cause(firm, name, found[name], bought[name]) for name in costliest(bought)]
    return named or [nothing_apart(firm, group)]


def is_apart(firm: Owner, group: Group, name: MeasureName, one: Comparison) -> bool:
    """Whether a measure set the firm apart; a refusal does only where its revenue had grown like that of its peers."""
    if not one.is_apart(MEASURES[name].much_is_bad):
        return False
    return name != "refused" or grew_like_peers(firm, [group.firms[i] for i in group.others(firm, one.sector)])


def costliest(bought: dict[MeasureName, float]) -> list[MeasureName]:
    """Of each category the measure that cost most, if it cost enough; the costliest category first."""
    enough = {name: months for name, months in bought.items() if months >= LEAST_MONTHS_BOUGHT}
    by_category = [[name for name in enough if MEASURES[name].category == category] for category in CATEGORIES]
    return sorted((max(one, key=enough.__getitem__) for one in by_category if one), key=lambda name: -enough[name])


def nothing_apart(firm: Owner, group: Group) -> Reason:
    """What is told of a firm like all others, or of one without others to compare it with."""
    inside, all_over = len(group.others(firm, firm.sector)), len(group.others(firm))
    n_peers = inside if inside >= LEAST_PEERS else all_over
    return Reason("none apart", {"n_peers": n_peers}) if n_peers >= LEAST_PEERS else Reason("no peers")


def comparisons(firm: Owner, group: Group) -> dict[Value, Comparison]:
    """The firm's value of each measure beside those of its peers, where enough of them have one."""
    own, found = group.values[:, group.place[firm.name]], dict[Value, Comparison]()
    for sector in (firm.sector, ""):
        peers = group.others(firm, sector)
        compared = [*compare_all(own, group.values[:, peers], sector), compare_raised(firm, group, peers, sector)]
        for name, one in zip((*VALUES, ALONE), compared, strict=True):
            if one is not None and name not in found:
                found[name] = one
        if len(found) == len(compared):
            break
    return found


def compare_raised(firm: Owner, group: Group, peers: Ints, sector: str) -> Comparison | None:
    """Money raised until the age that the firm reached; incumbents raise none."""
    if firm.funding().climate_at_round is None:
        return None
    age, histories = len(firm.history), [group.firms[i].history.totals for i in peers.tolist()]
    raised = [one[age].raised if len(one) > age else one[-1].raised for one in histories]
    return compare(firm.raised_usd, np.array(raised, float), sector)


def grew_like_peers(firm: Owner, peers: list[Owner]) -> bool:
    """Whether revenue had grown no worse than most peers' when money was refused."""
    refusal = firm.funding().refusal
    if refusal is None:
        return False
    compared = compare(refusal.growth_year, np.array(growth_then(refusal, peers)), "")
    return compared is None or not compared.is_apart(much_is_bad=False)


def growth_then(refusal: Refusal, peers: list[Owner]) -> list[float]:
    """Growth of the peers' revenue in the month of a refusal, of those that were old enough."""
    ends = [max(refusal.month + 1 - one.founded_month, 0) for one in peers]
    known = [one.recurring[max(end - MONTHS_OF_GROWTH, 0) : end] for one, end in zip(peers, ends, strict=True)]
    return [growth_of(months) for months in known if len(months) >= LEAST_MONTHS_OF_GROWTH]


# -- telling ----------------------------------------------------------------------------------------------------------


def cause(firm: Owner, name: MeasureName, one: Comparison, months_bought: float) -> Reason:
    """A cause with its figures: own value, peers' median, months bought, and who the peers were."""
    figures = {
        "measure": name,
        "own": one.own,
        "peers": one.median,
        "months_bought": months_bought,
        "n_peers": one.n_peers,
        "sector": one.sector,
    }
    return Reason(MEASURES[name].category, {**figures, **details(firm, name)})


def details(firm: Owner, name: MeasureName) -> dict[str, Any]:
    """What else belongs to a cause: the model in use, the refusal, who gives a better model away."""
    released, refusal = firm.laboratory.released, firm.funding().refusal
    if MEASURES[name].category == "product" and released:
        return {"ledger_key": released.key}
    if name in ("refused", "climate") and refusal:
        return {"stage": refusal.stage, "revenue_usd_year": refusal.revenue_usd_year}
    if MEASURES[name].category == "outcompeted" and (firms := givers(firm)):
        return {"firms": firms}
    return {}


def givers(firm: Owner) -> list[str]:
    """Who bundles a model with a better field advantage in one of the firm's segments, by name."""
    market = firm.sales.market
    found: set[str] = set()
    bundles = np.flatnonzero(GIVEN_AWAY[market.model] & market.selling)
    for slot in firm.sales.slots.values():
        same = bundles[market.segment[bundles] == market.segment[slot]]
        better = same[market["field"][same] > market["field"][slot]]
        found |= {market.firm[i] for i in better.tolist()}
    return sorted(found)
