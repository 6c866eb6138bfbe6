"""Strategic acquisitions: an incumbent buys a healthy startup that is better or takes its customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.averages import average
from agents.incumbent.expected_worth import expected_asked_usd, expected_worth_usd
from agents.incumbent.perception import View, is_noticed, truth, view_of
from agents.startup.exits import sell
from agents.startup.startup import Startup, startups_in
from simulation.capital import fair_value_usd
from simulation.plugins.rules import rule
from simulation.records.reasons import Reason
from simulation.valuation import bargained_usd

if TYPE_CHECKING:
    from agents.incumbent.incumbent import Incumbent

# Assumptions: a point more in the field is clearly better; a rival with this share of the sector is a threat; three
# years of the sales that such a rival takes are the loss that buying it avoids; half a year of cash is healthy.
CLEARLY_BETTER, SHARE_THAT_WORRIES = 0.01, 0.15
LOSS_MONTHS, HEALTHY_RUNWAY_MONTHS = 36, 6
# Assumptions: it spends half of its cash, and its parent adds up to what it pays for AI in ten years.
CASH_SHARE, PARENT_MONTHS = 0.5, 120


def value_to_buyer_usd(revenue_usd_year: float, multiple: float, avoided_loss_usd: float) -> float:
    """What a startup is worth to the buyer: a multiple of its yearly revenue, and the loss avoided."""
    return revenue_usd_year * multiple + avoided_loss_usd


def agreed_price_usd(value_usd: float, asked_usd: float, most_usd: float) -> float:
    """Halfway (in logarithms) between what holders ask and what the buyer sees, within its means; 0: no deal."""
    price = min((asked_usd * value_usd) ** 0.5, most_usd) if value_usd > asked_usd else 0.0
    return price if price >= asked_usd else 0.0


@rule("incumbent.acquisition", "nothing; it may buy a healthy startup")
def approach(buyer: Incumbent) -> None:
    """Now and then look at the healthy startups of the sector, and buy the one that brings the most over its price."""
    model = buyer.model
    chance = model.settings.capital.acquisition_rate_year / 12
    if not buyer.settings.acquires or model.streams.uniform("approach", buyer.name, model.month) >= chance:
        return
    shares = model.shares_in(buyer.sector)
    worth = {t: worth_usd(buyer, t, shares.get(t.name, 0.0)) for t in targets(buyer, shares)}
    prices = {t: price_usd(buyer, value, asked_usd(t)) for t, value in worth.items()}
    deals = [target for target, price in prices.items() if price > 0]
    if not deals:
        return
    best = max(deals, key=lambda t: (worth[t] - prices[t], t.name))
    winner, price = (
        highest_bid(buyer, best, prices[best], shares) if model.settings.exit.auction else (buyer, prices[best])
    )
    buy(winner, best, price, shares.get(best.name, 0.0))


def buy(buyer: Incumbent, target: Startup, price_usd: float, share: float) -> None:
    """Buy a target that holds `share` of the sector, for what the buyer believes of it."""
    seen, true = worth_usd(buyer, target, share), true_worth_usd(buyer, target, share)
    reasons = [threatened_by(target, buyer, share), *misjudged(seen, true)]
    parent_pays(buyer, price_usd)
    sell(target, buyer, price_usd, reasons)


@rule("incumbent.auction", "who gets a healthy startup that an incumbent would buy, and for how much: (buyer, USD)")
def highest_bid(
    first: Incumbent, target: Startup, price_usd: float, shares: dict[str, float]
) -> tuple[Incumbent, float]:
    """Who values the target most gets it, at the price agreed with it alone or at what the next would pay.

    All incumbents of the sector that acquire and for whom it is a target bid up to its worth, within their means.
    """
    share = shares.get(target.name, 0.0)
    others = [one for one in acquirers(first) if target in targets(one, shares)]
    limits = {one: min(worth_usd(one, target, share), means_usd(one)) for one in (first, *others)}
    winner = max(limits, key=lambda one: (limits[one], one.name))
    next_usd = max((usd for one, usd in limits.items() if one is not winner), default=0.0)
    if winner is not first:
        price_usd = agreed_price_usd(worth_usd(winner, target, share), asked_usd(target), means_usd(winner))
    return winner, max(price_usd, next_usd)


def acquirers(first: Incumbent) -> list[Incumbent]:
    """The other incumbents of the sector that acquire."""
    around = first.model.firms_in(first.sector, first.kind)
    return [one for one in around if one is not first and isinstance(one, type(first)) and one.settings.acquires]


def price_usd(buyer: Incumbent, worth_usd: float, asked_usd: float) -> float:
    """What both sides agree on, within the buyer's means; 0: no deal."""
    capital = buyer.model.settings.capital
    if capital.exit_valuation == "expected":
        return bargained_usd(worth_usd, asked_usd, means_usd(buyer), capital.expectation)
    return agreed_price_usd(worth_usd, asked_usd, means_usd(buyer))


def threatened_by(target: Startup, buyer: Incumbent, share: float) -> Reason:
    """Why a healthy target is bought: what the buyer believes of it."""
    view = view_of(buyer, target, share)
    seen = {"buyer": buyer.name, "quality_seen": view.quality, "share_seen": view.share}
    better = {"better_quality": view.quality} if is_better(buyer, view) else {}
    large = {"large_share": view.share} if view.share > SHARE_THAT_WORRIES else {}
    return Reason("threat", {**seen, **better, **large})


def means_usd(buyer: Incumbent) -> float:
    """The most it can pay for one startup."""
    return CASH_SHARE * buyer.books.cash_usd + PARENT_MONTHS * buyer.settings.core_income_usd_month


def parent_pays(buyer: Incumbent, price_usd: float) -> None:
    """The parent pays in what the price takes beyond the buyer's own means."""
    missing = price_usd - CASH_SHARE * buyer.books.cash_usd
    if missing > 0:
        buyer.model.bank.pay("savers", buyer.name, missing, "spending", "paid_in_capital")


def targets(buyer: Incumbent, shares: dict[str, float]) -> list[Startup]:
    """Startups of the sector that are noticed, healthy, not listed, and seem a threat to the buyer."""
    rivals = [f for f in startups_in(buyer.model, buyer.sector) if f.laboratory.released]
    noticed = [f for f in rivals if is_noticed(buyer, shares.get(f.name, 0.0))]
    return [f for f in noticed if is_healthy(f) and threatens(buyer, f, shares.get(f.name, 0.0))]


def is_healthy(firm: Startup) -> bool:
    """Neither listed nor about to run out of money."""
    return firm.ending == "alive" and not firm.insolvent and firm.runway_months() >= HEALTHY_RUNWAY_MONTHS


def is_better(buyer: Incumbent, view: View) -> bool:
    """Whether a model seems clearly better in the field; a buyer without a model has nothing to compare."""
    return view.quality - buyer.quality_field > CLEARLY_BETTER


def threatens(buyer: Incumbent, target: Startup, share: float) -> bool:
    """Whether the target seems clearly better or large."""
    view = view_of(buyer, target, share)
    return is_better(buyer, view) or view.share > SHARE_THAT_WORRIES


def worth_usd(buyer: Incumbent, target: Startup, share: float) -> float:
    """What the target is worth in the eyes of the buyer, USD."""
    return worth_as_seen_usd(buyer, target, view_of(buyer, target, share))


def true_worth_usd(buyer: Incumbent, target: Startup, share: float) -> float:
    """What it would be worth to a buyer that sees it as it is, USD."""
    return worth_as_seen_usd(buyer, target, truth(target, share))


def worth_as_seen_usd(buyer: Incumbent, target: Startup, view: View) -> float:
    """Worth of a target seen like this: revenue at the multiple of investors (times synergy), and a loss avoided.

    That loss: the buyer's own sales of three years in the share that the target has of the sector, and, where the
    target is better, the compute of the imitation that the buyer would need (`follow_months` of it). Where exits are
    priced by what buyers expect to earn: `agents/incumbent/expected_worth.py`.
    """
    capital, s = buyer.model.settings.capital, buyer.settings
    if capital.exit_valuation == "expected":
        return expected_worth_usd(buyer, target, view, is_better(buyer, view))
    multiple = capital.revenue_multiple + capital.growth_multiple * min(max(target.growth_year(), 0.0), 3.0)
    multiple *= buyer.model.heat * capital.acquisition_synergy
    out_customers = LOSS_MONTHS * average(buyer.recurring[-3:]) * view.share
    out_imitation = s.follow_months * s.compute_share * s.core_income_usd_month * is_better(buyer, view)
    revenue = 12 * average(target.recurring[-3:]) * view.revenue_ratio
    return value_to_buyer_usd(revenue, multiple, out_customers + out_imitation)


def misjudged(seen_usd: float, true_usd: float) -> list[Reason]:
    """What the buyer saw in the firm against what there was, as a reason; empty where they agree."""
    return [] if seen_usd == true_usd else [Reason("misjudged", {"seen_usd": seen_usd, "true_usd": true_usd})]


def asked_usd(target: Startup) -> float:
    """What holders ask: fair value of the firm at its stage, and a premium for control."""
    model, finance = target.model, target.finance
    capital = model.settings.capital
    if capital.exit_valuation == "expected":
        return expected_asked_usd(target)
    fair = fair_value_usd(capital, finance.facts(), finance.stage, model.heat, model.year)
    return (1 + capital.acquisition_premium) * fair
