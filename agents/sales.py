"""A firm's side of the market: its offers, what they earn, what serving them takes."""

from __future__ import annotations

from math import log1p
from typing import TYPE_CHECKING

from simulation.compute import list_price_usd
from simulation.market import BUNDLE, FREEMIUM, SOLUTION

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
        values = self.market[column]
        return float(sum(values[slot] for slot in self.slots.values()))

    def freemium_users(self) -> tuple[float, float]:
        """(Paying, free) users of its freemium offers, customers."""
        slots = [slot for slot in self.slots.values() if self.market.model[slot] == FREEMIUM]
        return float(sum(self.market["customers"][slots])), float(sum(self.market["free"][slots]))

    def new_paying(self) -> float:
        """Customers who began to pay in the last month: won by offers that cost from the start, and converted."""
        market = self.market
        paid = [slot for slot in self.slots.values() if market.model[slot] not in (FREEMIUM, BUNDLE)]
        return float(sum(market["won"][paid])) + self.total("converted")

    def trust(self) -> float:
        """Trust of its customers, weighted by the value served."""
        column, value = self.market["trust"], self.market.value_served_usd()
        weights = {slot: value[slot] + 1.0 for slot in self.slots.values()}
        return float(sum(w * column[slot] for slot, w in weights.items()) / sum(weights.values()))

    def lose_trust(self, amount: float) -> None:
        """An incident costs trust in every segment."""
        column = self.market["trust"]
        for slot in self.slots.values():
            column[slot] = max(column[slot] - amount, 0.0)

    def usage_rows(self) -> float:
        """Rows of field data that this month's use makes."""
        market, segments = self.market, self.firm.sector_settings.segments
        users = {seg: market["customers"][slot] + market["free"][slot] for seg, slot in self.slots.items()}
        return float(sum(count * segments[seg].usage_rows_month for seg, count in users.items()))

    def accident_hazard(self) -> tuple[float, float]:
        """Accidents a year that the field errors of the released model cause, and their liability in USD a year."""
        market, segments = self.market, self.firm.sector_settings.segments
        error, rate, cost = 1 - self.firm.quality_field, 0.0, 0.0
        for segment, slot in self.slots.items():
            own = segments[segment]
            users = market["customers"][slot] + market["free"][slot]
            accidents = float(users * own.accidents_year * error)
            rate, cost = rate + accidents, cost + accidents * own.accident_usd
        return rate, cost

    def operators_needed(self) -> float:
        """Operations staff that customers and projects keep busy."""
        market, needed = self.market, 0.0
        for segment, slot in self.slots.items():
            own = self.firm.sector_settings.segments[segment]
            needed += market["customers"][slot] * self.care_of(own.reference_price_usd)
            if market.model[slot] == SOLUTION:
                # Assumption: plan for half as many projects again as last month's, at least one every other month.
                planned = max(1.5 * market["won"][slot], 0.5)
                needed += planned * own.project_staff_months / self.firm.settings.collaboration
        return max(needed, 0.3)

    def care_of(self, price_usd: float) -> float:
        """Operators that one customer at this monthly price needs."""
        labour = self.firm.model.settings.labour
        return price_usd / labour.operator_price_usd / labour.customers_per_operator

    def show_offers(self) -> None:
        """Put what customers see and feel into the market's columns."""
        firm, market = self.firm, self.market
        lab, field = firm.laboratory.advantages()
        fit = firm.model.settings.labour.product_fit * log1p(firm.settings.collaboration * firm.staff["product"])
        columns = {
            "lab": lab,
            "field": field,
            "field_accuracy": firm.laboratory.quality_field if firm.laboratory.released else 0.0,
            "brand_usd": firm.brand_usd,
            "fit": fit,
            "edge": 1.0 if firm.settings.compression != "none" else 0.0,
            "inference_scale": firm.laboratory.serving_scale(),
            "fairness_gap": firm.laboratory.released.fairness_gap if firm.laboratory.released else 0.0,
            "leakage": firm.laboratory.released.leakage if firm.laboratory.released else 0.0,
        }
        selling = firm.laboratory.released is not None and not firm.suspended
        for segment, slot in self.slots.items():
            for name, value in columns.items():
                market[name][slot] = value
            market.selling[slot] = selling
            market.set_price(slot, self.price_level * firm.sector_settings.segments[segment].reference_price_usd)
            market["capacity"][slot] = self.projects_possible(segment, slot)

    def projects_possible(self, segment: str, slot: int) -> float:
        """New customers that the operations staff can take on this month; only tailored solutions are limited.

        What care for all customers leaves of the staff is shared evenly by the offers that need projects.
        """
        market, segments = self.market, self.firm.sector_settings.segments
        if market.model[slot] != SOLUTION:
            return float("inf")
        busy = sum(
            market["customers"][s] * self.care_of(segments[seg].reference_price_usd) for seg, s in self.slots.items()
        )
        hands = max(self.firm.staff["operations"] * self.firm.settings.collaboration - busy, 0.2)
        n_offers = sum(market.model[s] == SOLUTION for s in self.slots.values())
        return float(hands / n_offers / segments[segment].project_staff_months)

    def serving_usd(self) -> float:
        """Cost of inference for all customers this month."""
        model, market = self.firm.model, self.market
        price = list_price_usd(model.settings.compute, model.year)
        usd = 0.0
        for segment, slot in self.slots.items():
            users = market["customers"][slot] + market["free"][slot] * model.settings.revenue.free_serving_share
            hours = self.firm.sector_settings.segments[segment].inference_gpu_hours * market["inference_scale"][slot]
            usd += users * hours * market["serving_share"][slot] * price
        return float(usd)

    def collect(self) -> float:
        """Take in the month's money from customers; returns recurring revenue, USD."""
        bank, market, name = self.firm.model.bank, self.market, self.firm.name
        recurring = 0.0
        for slot in self.slots.values():
            monthly = float(market["customers"][slot] * market["monthly_usd"][slot])
            upfront = float(market["won"][slot] * market["upfront_usd"][slot])
            recurring += bank.pay("customers", name, monthly, "spending", "sales")
            deferred = market.model[slot] != SOLUTION
            bank.pay("customers", name, upfront, "spending", "deferred_revenue" if deferred else "upfront_fees")
        self._earn_deferred()
        return recurring

    def _earn_deferred(self) -> None:
        """Earn this month's part of up-front licence fees: one contract length in equal hazard."""
        balance = -self.firm.books.balance["deferred_revenue"]
        if balance > 0:
            segments = self.firm.sector_settings.segments
            months = max(segments[seg].contract_months for seg in self.slots)
            self.firm.books.post("deferred_revenue", "upfront_fees", round(balance / months))
