"""Platform envelopment: a laboratory enters a sector in which its customers earn well, with its own model.

Eisenmann, Parker & Van Alstyne 2011: a platform enters another market by bundling what both have in common. Here that
is the foundation: a unit's owner builds its own product on it, and a laboratory founds a product where its customers
earn enough.
"""

from __future__ import annotations

from agents.averages import last_quarter
from agents.firm.firm import Firm
from agents.lab.adaptation import can_adapt, order_adaptation
from agents.lab.base import Lab
from agents.lab.product import found_product
from simulation.plugins.rules import rule
from simulation.records.events import PlatformEntry

PAYBACK_YEARS = 3  # assumption: a product must bring its capital back within three years
BETWEEN_ENTRIES_MONTHS = 12  # assumption


def adapt_owner(lab: Lab) -> None:
    """The owner's product takes the unit's newest model, where the unit may envelop and the sector writes documents."""
    owner = lab.model.firms.get(lab.settings.owner or "")
    if not lab.settings.envelopment_share or not lab.models or not isinstance(owner, Firm) or not owner.alive:
        return
    plan = order_adaptation(owner.laboratory, lab.models[-1].trained.plan, lab.owner_plan)
    lab.owner_plan = plan or lab.owner_plan
    if plan is not None and owner.sector not in lab.entered:
        lab.entered[owner.sector] = owner.name
        earned = customers_usd_year(lab, owner.sector)
        lab.record(PlatformEntry(other=owner.name, sector=owner.sector, customers_usd_year=earned, amount_usd=0.0))


def consider_entry(lab: Lab) -> None:
    """Found a product in the sector that promises most, at most one a year."""
    sector = sector_to_enter(lab)
    if sector is None:
        return
    earned = customers_usd_year(lab, sector)
    product = found_product(lab, sector)
    lab.entered[sector], lab.last_entry_month = product.name, lab.model.month
    capital = lab.settings.product_capital_usd
    lab.record(PlatformEntry(other=product.name, amount_usd=capital, sector=sector, customers_usd_year=earned))


@rule("lab.envelop", "sector that a laboratory enters now with a product of its own, or None")
def sector_to_enter(lab: Lab) -> str | None:
    """Where what it expects to take of its customers' sales pays the capital back; it keeps as much again in cash."""
    s = lab.settings
    if not s.envelopment_share or not lab.models or lab.model.month - lab.last_entry_month < BETWEEN_ENTRIES_MONTHS:
        return None
    if lab.books.cash_usd < 2 * s.product_capital_usd:
        return None
    owner = lab.model.firms.get(s.owner or "")
    taken = {*lab.entered, *((owner.sector,) if owner is not None else ())}
    open_to_it = [name for name in lab.model.settings.sectors if name not in taken and can_adapt(lab.model, name)]
    expected = {name: s.envelopment_share * customers_usd_year(lab, name) * PAYBACK_YEARS for name in open_to_it}
    best = max(expected, key=lambda name: (expected[name], name), default=None)
    return best if best is not None and expected[best] > s.product_capital_usd else None


def customers_usd_year(lab: Lab, sector: str) -> float:
    """What living firms of a sector that build on its models earn from customers, its own apart, USD a year."""
    names = {one.offer_by(lab.name).name for one in lab.models}
    market, own = lab.model.model_market, set(lab.entered.values())
    users = dict.fromkeys(firm for name in sorted(names) for firm in market.users.get(name, ()))
    firms = [lab.model.living[name] for name in users if name in lab.model.living and name not in own]
    return 12 * sum(last_quarter(firm.recurring) for firm in firms if firm.sector == sector)
