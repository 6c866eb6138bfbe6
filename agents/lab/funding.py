"""Money of a laboratory: what its owner or investors put in, what it owes each month, how it ends."""

from __future__ import annotations

from agents.averages import average, last_quarter
from agents.lab.base import Lab
from agents.lab.pretraining import law_of
from agents.treasury import enter
from simulation.general_purpose_law import duties_usd_month
from simulation.plugins.rules import rule
from simulation.public_accounts import Recipient
from simulation.records.events import LabEnded, LabFunded
from simulation.settings.foundations import ladder_of

KIND = "laboratory"
LEAST_ROUND_USD = 1e6  # assumption: less is not worth a round


def collect_budget(lab: Lab) -> None:
    """The owner's parent pays the month's budget of a unit."""
    usd = lab.scaled(lab.settings.budget_usd_month)
    if usd > 0:
        lab.model.bank.pay("savers", lab.name, usd, "spending", "paid_in_capital")


def pay_month(lab: Lab) -> None:
    """What answers cost to serve, staff and its overhead, duties of general-purpose models, tax."""
    rungs = {one.offer_by(lab.name).name: one.rung for one in lab.models}
    uses = lab.model.model_market.uses_of(lab.name)
    serving = sum(use.million_tokens * lab.serving_usd(rungs[name]) for name, use in uses if name in rungs)
    wages = lab.scaled(lab.settings.staff) * lab.model.talent.wages["research"]
    overhead = lab.model.settings.labour.overhead_share * wages
    duties = duties_usd(lab)
    cover(lab, serving + wages + overhead + duties)
    lab.spend(serving, "inference")
    lab.spend(wages, "wages", "workers")
    lab.spend(overhead, "overhead")
    lab.spend(duties, "compliance")
    pay_tax(lab)


def duties_usd(lab: Lab) -> float:
    """What the law on general-purpose models costs it this month, for the largest that it has released, USD."""
    flop = max((one.trained.training_flop for one in lab.models), default=0.0)
    return lab.scaled(duties_usd_month(law_of(lab.model), flop))


def pay_tax(lab: Lab) -> None:
    """Pay what is due; the public accounts know laboratories as a kind of their own."""
    paid = lab.spend(tax_due_usd(lab), "taxes", "government")
    if paid:
        enter(lab.model, "taxes", "received", paid, Recipient(kind=KIND), (lab.name,))


def cover(lab: Lab, due_usd: float) -> None:
    """What a unit's money does not pay for, its owner's parent does; nobody does for a laboratory of its own."""
    missing = due_usd - lab.books.cash_usd
    if lab.settings.owner is not None and missing > 0:
        # One cent per account more than the sum: each cost is rounded to cents by itself.
        lab.model.bank.pay("savers", lab.name, missing + 0.1, "spending", "paid_in_capital")


def tax_due_usd(lab: Lab) -> float:
    """Tax on the month's profit once losses are made good."""
    profit, past = lab.books.month_profit_usd(), -lab.books.balance["retained_earnings"] / 100
    return max(min(profit, profit + past), 0.0) * lab.model.settings.law.tax_rate


def growth_year(lab: Lab) -> float:
    """Growth of revenue against a year ago; 0 without a year of it."""
    before = average(lab.revenues[:-12][-3:])
    return last_quarter(lab.revenues) / before - 1 if before > 0 else 0.0


def value_usd(lab: Lab) -> float:
    """What investors see in it: a multiple of its revenue as for every firm, and what may come of a large model."""
    model, capital, s = lab.model, lab.model.settings.capital, lab.foundations
    multiple = capital.revenue_multiple + capital.growth_multiple * min(max(growth_year(lab), 0.0), 3.0)
    behind = max(ladder_of(s).frontier(model.today.year) - lab.best_rung(), 0.0)
    promise = lab.scaled(s.frontier_value_usd) * 2 ** (-2 * behind)
    return model.heat * lab.settings.investor_belief * (12 * last_quarter(lab.revenues) * multiple + promise)


@rule("lab.raise", "money that a laboratory raises now at which value, (USD, USD); (0, value) for no round")
def wanted_round(lab: Lab) -> tuple[float, float]:
    """A part of its value, once a year, when its money does not pay for the next run of the largest size."""
    s, value = lab.foundations, value_usd(lab)
    waited = lab.model.month - lab.last_round_month
    rung = lab.largest_rung()
    is_rich = lab.affordable_usd() >= lab.pretraining.cost_usd(rung)
    usd = s.round_share * value
    if waited < s.round_months or is_rich or usd < LEAST_ROUND_USD:
        return 0.0, value
    return usd, value


def raise_money(lab: Lab) -> None:
    """A round of a laboratory without an owner: private owners of money pay for new shares."""
    if lab.settings.owner is not None or lab.settings.investor_belief == 0:
        return
    usd, value = wanted_round(lab)
    if usd > 0:
        paid = lab.model.bank.pay("savers", lab.name, usd, "spending", "paid_in_capital")
        lab.raised_usd += paid
        lab.last_round_month = lab.model.month
        lab.record(LabFunded(amount_usd=paid, value_usd=value))


def reason_to_end(lab: Lab) -> str:
    """Why it ends now: `cash` is out, or its `owner` has ended; empty where it goes on."""
    owner = lab.settings.owner
    if owner is None:
        return "cash" if lab.unpaid or lab.books.cash_usd < 1.0 else ""
    return "owner" if owner in lab.model.firms and owner not in lab.model.living else ""


def wind_up(lab: Lab, why: str) -> None:
    """Withdraw what it sells, drop its run, pay out what cash is left; open weights stay with the community."""
    lab.alive = False
    lab.pretraining.give_up()
    lab.model.model_market.end_supplier(lab.name)
    lab.books.post("write_offs", "investments", lab.books.balance["investments"])  # its products go on without it
    left = lab.books.cash_usd
    if left > 0:
        lab.model.bank.pay(lab.name, "savers", left, "returns", "income")
    lab.books.close_month()
    lab.record(LabEnded(why=why))
    lab.remove()
