"""How a laboratory gives access to what it has trained, and what it asks for it."""

from __future__ import annotations

import math
from typing import Literal

from agents.lab.base import Lab
from agents.lab.community import community_of
from agents.lab.supplier import Released
from simulation.model_market import Access, ModelOffer
from simulation.plugins.rules import rule
from simulation.records.events import FoundationOpened, FoundationRepriced

LICENCE_MONTHS = 24  # assumption: what a run would cost comes back within two years of licences
TOLD_CHANGE = 0.3  # share by which a price must have moved to be told


Opening = Literal["behind", "commoditise"]
"""Why weights are opened: they are behind the frontier, or their owner spoils what rivals sell."""


def review_offers(lab: Lab) -> None:
    """The month's decisions about all that it has on offer: access, then price."""
    for one in lab.on_offer():
        why = access_of(lab, one)
        if why is not None and one.access != "open":
            open_weights(lab, one, why)
        else:
            reprice(lab, one)


# -- access -----------------------------------------------------------------------------------------------------------


@rule("lab.access", "why a laboratory opens the weights of a model, `behind` or `commoditise`; None: it does not")
def access_of(lab: Lab, one: Released) -> Opening | None:
    """Who is behind has little to lose by opening; an owner that earns elsewhere spoils what rivals live on."""
    s = lab.settings
    if s.opens_behind_rungs is not None and best_of_others(lab) - one.rung >= s.opens_behind_rungs:
        return "behind"
    if s.commoditise_share is not None and rivals_part(lab) >= s.commoditise_share:
        return "commoditise"
    return None


def best_of_others(lab: Lab) -> float:
    """The largest rung that somebody else has on offer; −∞ for none."""
    offers = lab.model.model_market.offers.values()
    return max((offer.rung for offer in offers if offer.made_by != lab.name), default=-math.inf)


def rivals_part(lab: Lab) -> float:
    """Part of what was paid for models last month that went to others; 0 where nobody paid."""
    total = sum(lab.model_revenue.values())
    return 1 - lab.model_revenue.get(lab.name, 0.0) / total if total > 0 else 0.0


def open_weights(lab: Lab, one: Released, why: Opening) -> None:
    """Withdraw what is sold; the community keeps the weights on offer."""
    lab.model.model_market.withdraw(one.offer_by(lab.name).name)
    lab.record(FoundationOpened(run=one.trained.result.key, rung=one.rung, why=why))
    community_of(lab.model).take(one)


# -- price ------------------------------------------------------------------------------------------------------------


def first_price_usd(lab: Lab, one: Released) -> float:
    """What is asked on the day of release: the usual markup; nothing for open weights."""
    return 0.0 if one.access == "open" else (1 + lab.settings.markup) * cost_usd(lab, one, one.access)


def cost_usd(lab: Lab, one: Released, access: Access) -> float:
    """What a price has to cover: serving a million tokens, or a licensee's part of what the run would cost today."""
    if access == "api":
        return lab.serving_usd(one.rung)
    whole = lab.pretraining.cost_usd(one.rung) / lab.foundations.scale  # its licensees are in the world as far as it is
    return whole / (LICENCE_MONTHS * lab.settings.licensees)


def reprice(lab: Lab, one: Released) -> None:
    """Move the price of what is sold toward what the rule wants, and tell it when it has moved far."""
    offer = one.offer_by(lab.name)
    n_users = lab.users_of(offer.name)
    rival = cheapest_rival(lab, one)
    price = wanted_price_usd(lab, one, n_users, rival[0])
    one.n_users = n_users
    if one.access == "open" or price == one.price_usd:
        return
    one.price_usd = price
    new = one.offer_by(lab.name)
    lab.model.model_market.reprice(offer.name, new.usd_per_million_tokens, new.usd_month)
    if abs(price / one.told_usd - 1) >= TOLD_CHANGE:
        other = rival[1] if rival[0] < one.told_usd else ""
        key = one.trained.result.key
        lab.record(FoundationRepriced(other=other, amount_usd=price, before_usd=one.told_usd, run=key, rung=one.rung))
        one.told_usd = price


@rule("lab.price", "price that a laboratory asks from now on: USD a million tokens, or a month's licence")
def wanted_price_usd(lab: Lab, one: Released, n_users: int, rival_usd: float) -> float:
    """Its usual markup while its users stay; below the cheapest rival, in price for what it is worth, while they leave.

    Bertrand competition with differentiated products: who keeps its users need not follow. `n_users`: firms that build
    on it now; `rival_usd`: what the cheapest rival asks for as much, infinite for none.
    """
    s, cost = lab.settings, cost_usd(lab, one, one.access)
    leaving = n_users < one.n_users or (n_users == 0 and math.isfinite(rival_usd))
    wanted = (1 + s.markup) * cost
    if leaving:
        wanted = max(min(wanted, (1 - s.undercut) * rival_usd), (1 + s.least_markup) * cost)
    low, high = (1 - s.price_step) * one.price_usd, (1 + s.price_step) * one.price_usd
    return min(max(wanted, low), high)


def cheapest_rival(lab: Lab, one: Released) -> tuple[float, str]:
    """What the cheapest rival asks for answers worth as much as this model's, and who that is; infinite for none.

    Rivals of answers are answers, and weights at what running them costs; rivals of a licence are other licences.
    """
    found = [
        (equal_price_usd(lab, one, offer, asked), offer.supplier)
        for offer in lab.model.model_market.offers.values()
        if offer.made_by != lab.name and (asked := asked_usd(lab, one.access, offer)) is not None
    ]
    return min(found, default=(math.inf, ""))


def asked_usd(lab: Lab, access: Access, offer: ModelOffer) -> float | None:
    """What a rival's offer costs in the unit of this access; None where it is no rival."""
    if access == "licence":
        return offer.usd_month if offer.access == "licence" else None
    return offer.usd_per_million_tokens if offer.access == "api" else lab.serving_usd(offer.rung)


def equal_price_usd(lab: Lab, one: Released, offer: ModelOffer, asked_usd: float) -> float:
    """The rival's price for what this model is worth against it: e times as much for a loss lower by the scale."""
    return asked_usd * math.exp((offer.loss_general - one.loss) / lab.foundations.loss_price_scale)
