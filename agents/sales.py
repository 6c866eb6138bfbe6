"""A firm's side of the market: its offers, what they earn, what serving them takes."""

from __future__ import annotations

from math import inf, log1p
from typing import TYPE_CHECKING

from simulation.market import SOLUTION

if TYPE_CHECKING:
    from agents.firm import Firm
    from agents.settings import FirmSettings


class Sales:
    """Offers of one firm by segment; `slots` are their indices in the market."""

    def __init__(self, firm: Firm) -> None:
        self.firm, self.market = firm, firm.model.market
        s = firm.settings
        self.slots = {seg: self.market.add_offer(firm.name, s.sector, seg, how) for seg, how in s.offers.items()}
        self.price_level = s.price_level

    def follow(self, before: FirmSettings, after: FirmSettings) -> None:
        """Take over a dated change of price level and offers; what a firm set for itself since is scaled along."""
        self.price_level *= after.price_level / before.price_level
        for segment, how in after.offers.items():
            if segment not in self.slots:
                self.slots[segment] = self.market.add_offer(self.firm.name, self.firm.sector, segment, how)
            elif before.offers.get(segment) != how:
                self.market.set_model(self.slots[segment], how)
        for segment in [segment for segment in self.slots if segment not in after.offers]:
            self.market.withdraw(self.slots.pop(segment))

    def total(self, column: str) -> float:
        """Sum of a market column over the firm's offers."""
        return float(sum(map(self.market[column].item, self.slots.values())))

    def users(self, slot: int) -> float:
        """Users of an offer, paying or not."""
        columns = self.market.columns
        return columns["customers"].item(slot) + columns["free"].item(slot)

    def trust(self) -> float:
        """Trust of its customers, weighted by the value served."""
        column, segments = self.market["trust"], self.firm.sector_settings.segments
        weights = {slot: self.users(slot) * segments[s].reference_price_usd + 1.0 for s, slot in self.slots.items()}
        return float(sum(w * column.item(slot) for slot, w in weights.items()) / sum(weights.values()))

    def lose_trust(self, amount: float) -> None:
        """An incident costs trust in every segment."""
        column = self.market["trust"]
        for slot in self.slots.values():
            column[slot] = max(column[slot] - amount, 0.0)

    def usage_rows(self) -> float:
        """Rows of field data that this month's use makes."""
        segments = self.firm.sector_settings.segments
        return float(sum(self.users(slot) * segments[seg].usage_rows_month for seg, slot in self.slots.items()))

    def accident_hazard(self) -> tuple[float, float]:
        """Accidents a year that the field errors of the released model cause, and their liability in USD a year."""
        segments = self.firm.sector_settings.segments
        error, rate, cost = 1 - self.firm.quality_field, 0.0, 0.0
        for segment, slot in self.slots.items():
            if (own := segments[segment]).accidents_year:
                accidents = self.users(slot) * own.accidents_year * error
                rate, cost = rate + accidents, cost + accidents * own.accident_usd
        return rate, cost

    def operators_needed(self) -> float:
        """Operations staff that customers and projects keep busy."""
        market, segments, needed = self.market, self.firm.sector_settings.segments, 0.0
        for segment, slot in self.slots.items():
            own = segments[segment]
            needed += market["customers"].item(slot) * self.care_of(own.reference_price_usd)
            if market.model.item(slot) == SOLUTION:
                # Assumption: plan for half as many projects again as last month's, at least one every other month.
                planned = max(1.5 * market["won"].item(slot), 0.5)
                needed += planned * own.project_staff_months / self.firm.settings.collaboration
        return max(needed, 0.3)

    def care_of(self, price_usd: float) -> float:
        """Operators that one customer at this monthly price needs."""
        labour = self.firm.model.settings.labour
        return price_usd / labour.operator_price_usd / labour.customers_per_operator

    def show_offers(self) -> None:
        """Put what customers see and feel into the market's columns."""
        market, segments = self.market, self.firm.sector_settings.segments
        certification = self.firm.certification
        seen, selling = self.seen(), self.firm.laboratory.released is not None and not self.firm.suspended
        for segment, slot in self.slots.items():
            market.show(slot, seen, selling and certification.admits(segment))
            market.set_price(slot, self.price_level * segments[segment].reference_price_usd)
            market["capacity"][slot] = min(self.projects_possible(segment, slot), certification.room(segment))

    def seen(self) -> tuple[float, ...]:
        """What customers see and feel of every offer of the firm, in the order of `simulation.market.SHOWN`."""
        firm, lab = self.firm, self.firm.laboratory
        released = lab.released
        lab_advantage, field_advantage = lab.advantages()
        return (
            lab_advantage,
            field_advantage,
            released.accuracy_field if released else 0.0,
            firm.brand_usd,
            firm.model.settings.labour.product_fit * log1p(firm.settings.collaboration * firm.staff["product"]),
            1.0 if firm.settings.compression != "none" else 0.0,
            lab.serving_scale(),
            released.fairness_gap if released else 0.0,
            released.leakage if released else 0.0,
        )

    def projects_possible(self, segment: str, slot: int) -> float:
        """New customers that the operations staff can take on this month; only tailored solutions are limited.

        What care for all customers leaves of the staff is shared evenly by the offers that need projects.
        """
        market, segments = self.market, self.firm.sector_settings.segments
        if market.model.item(slot) != SOLUTION:
            return inf
        paying = market["customers"].item
        busy = sum(paying(s) * self.care_of(segments[seg].reference_price_usd) for seg, s in self.slots.items())
        hands = max(self.firm.staff["operations"] * self.firm.settings.collaboration - busy, 0.2)
        n_offers = sum(market.model[s] == SOLUTION for s in self.slots.values())
        return float(hands / n_offers / segments[segment].project_staff_months)

    def serving_usd(self) -> float:
        """Cost of inference for all customers this month."""
        model, columns, segments = self.firm.model, self.market.columns, self.firm.sector_settings.segments
        price, free_share = model.cloud.list_price_usd(model.year), model.settings.revenue.free_serving_share
        usd = 0.0
        for segment, slot in self.slots.items():
            users = columns["customers"].item(slot) + columns["free"].item(slot) * free_share
            hours = segments[segment].inference_gpu_hours * columns["inference_scale"].item(slot)
            usd += users * hours * columns["serving_share"].item(slot) * price
        return usd

    def collect(self) -> float:
        """Take in the month's money from customers; returns recurring revenue, USD."""
        bank, columns, name = self.firm.model.bank, self.market.columns, self.firm.name
        recurring = 0.0
        for slot in self.slots.values():
            monthly = columns["customers"].item(slot) * columns["monthly_usd"].item(slot)
            upfront = columns["won"].item(slot) * columns["upfront_usd"].item(slot)
            if monthly:
                recurring += bank.pay("customers", name, monthly, "spending", "sales")
            if upfront:
                account = "upfront_fees" if self.market.model.item(slot) == SOLUTION else "deferred_revenue"
                bank.pay("customers", name, upfront, "spending", account)
        self._earn_deferred()
        return recurring

    def _earn_deferred(self) -> None:
        """Earn this month's part of up-front licence fees: one contract length in equal hazard."""
        balance = -self.firm.books.balance["deferred_revenue"]
        if balance > 0:
            segments = self.firm.sector_settings.segments
            months = max(segments[seg].contract_months for seg in self.slots)
            self.firm.books.post("deferred_revenue", "upfront_fees", round(balance / months))
