"""A firm's side of the market: its offers, what they earn, what serving them takes."""

from __future__ import annotations

from math import inf, log1p, nan
from typing import TYPE_CHECKING

from agents.firm.sectors_served import offers_of, place_of
from simulation.general_purpose_law import gpu_price_factor
from simulation.revenue import data_advantage, data_worth

if TYPE_CHECKING:
    from agents.firm.owner import LaboratoryLike, Owner
    from agents.settings import FirmSettings
    from simulation.books import Account
    from simulation.settings import RevenueModel


class Sales:
    """Offers of one firm; `slots` are their indices in the market, by segment (elsewhere than at home with its sector:
    `agents.firm.sectors_served`).
    """

    def __init__(self, firm: Owner) -> None:
        self.firm, self.market = firm, firm.model.market
        s = firm.settings
        self.slots = {offer: self.open(offer, revenue_model) for offer, revenue_model in offers_of(s).items()}
        self.price_level = s.price_level
        self.licence_solution_share = nan  # of what customers paid last month
        self.market.register(firm.name)
        self.goods_usd = 0.0  # what the goods sold in the last month cost

    def open(self, offer: str, revenue_model: RevenueModel) -> int:
        """Open an offer; returns its slot."""
        return self.market.add_offer(self.firm.name, *place_of(self.firm.sector, offer), revenue_model)

    def follow(self, before: FirmSettings, after: FirmSettings) -> None:
        """Take over a dated change of price level and offers; what a firm set for itself since is scaled along,
        and the segments that it entered or left by itself stay so.
        """
        self.price_level *= after.price_level / before.price_level
        old, new = offers_of(before), offers_of(after)
        for segment, revenue_model in new.items():
            if segment not in self.slots:
                if segment not in old:
                    self.enter(segment, revenue_model)
            elif old.get(segment) != revenue_model:
                self.market.set_model(self.slots[segment], revenue_model)
        for segment in [segment for segment in old if segment in self.slots and segment not in new]:
            self.leave(segment)

    def enter(self, offer: str, revenue_model: RevenueModel) -> None:
        """Begin to sell in a segment."""
        self.slots[offer] = self.open(offer, revenue_model)

    def leave(self, offer: str) -> None:
        """Stop selling in a segment; its customers go back to the traditional method."""
        self.market.withdraw(self.slots.pop(offer))

    def total(self, column: str) -> float:
        """Sum of a market column over the firm's offers."""
        return float(sum(map(self.market[column].item, self.slots.values())))

    def users(self, slot: int) -> float:
        """Users of an offer, paying or not."""
        columns = self.market.columns
        return columns["customers"].item(slot) + columns["free"].item(slot)

    def trust(self) -> float:
        """Trust of its customers, weighted by the value served."""
        column, segments = self.market["trust"], self.firm.segments
        if not self.slots:
            return self.firm.desk.trust if self.firm.desk else self.market.brand.trust_start
        weights = {slot: self.users(slot) * segments[s].reference_price_usd + 1.0 for s, slot in self.slots.items()}
        return float(sum(w * column.item(slot) for slot, w in weights.items()) / sum(weights.values()))

    def lose_trust(self, amount: float) -> None:
        """An incident costs trust in every segment."""
        column = self.market["trust"]
        for slot in self.slots.values():
            column[slot] = max(column[slot] - amount, 0.0)
        if self.firm.desk:
            self.firm.desk.trust = max(self.firm.desk.trust - amount, 0.0)

    def served_by(self, lab: LaboratoryLike) -> dict[str, int]:
        """Slots of the offers that one laboratory makes the model for."""
        if self.firm.serves_one:
            return self.slots
        return {offer: slot for offer, slot in self.slots.items() if self.firm.laboratory_for(offer) is lab}

    def usage_rows(self, lab: LaboratoryLike) -> float:
        """Rows of field data that this month's use of a laboratory's model makes; who buys data uses no model."""
        segments, rows = self.firm.segments, 0.0
        for segment, slot in self.served_by(lab).items():
            if (users := self.users(slot)) and not self.market.record_of(slot).without_model:
                rows += users * segments[segment].usage_rows_month
        return rows

    def accident_hazard(self, lab: LaboratoryLike) -> tuple[float, float]:
        """Accidents a year that the field errors of a released model cause, and their liability in USD a year."""
        segments, rate, cost = self.firm.segments, 0.0, 0.0
        for segment, slot in self.served_by(lab).items():
            if (own := segments[segment]).accidents_year and not self.market.record_of(slot).without_model:
                accidents = self.users(slot) * own.accidents_year * (1 - lab.quality_field)
                rate, cost = rate + accidents, cost + accidents * own.accident_usd
        return rate, cost

    def operators_needed(self) -> float:
        """Operations staff that customers and projects keep busy."""
        columns, segments, needed = self.market.columns, self.firm.segments, 0.0
        customers = columns["customers"]
        for segment, slot in self.slots.items():
            own = segments[segment]
            if served := customers.item(slot):
                needed += served * self.care_of(own.reference_price_usd) * self.market.care_share(slot)
            if self.market.record_of(slot).tailored:
                # Assumption: plan for half as many projects again as last month's, at least one every other month.
                planned = max(1.5 * columns["won"].item(slot), 0.5)
                needed += planned * own.project_staff_months / self.firm.settings.collaboration
        return max(needed, 0.3)

    def care_of(self, price_usd: float) -> float:
        """Operators that one customer at this monthly price needs."""
        labour = self.firm.model.settings.labour
        by_hand = 1 - self.firm.management.automation
        return price_usd / labour.operator_price_usd / labour.customers_per_operator * by_hand

    def show_offers(self) -> None:
        """Put what customers see and feel into the market's columns."""
        market, segments, firm = self.market, self.firm.segments, self.firm
        certification, capacity_of = firm.certification, market.columns["capacity"]
        asked = certification.demands
        if asked and not certification.mandatory:
            asked = {}
        split = firm.markets.is_split
        shown = {lab.sector: (self.seen(lab), lab.on_sale()) for lab in firm.laboratories.values()}
        at_home = shown[firm.sector]
        for segment, slot in self.slots.items():
            seen, selling = at_home if firm.serves_one else shown[place_of(firm.sector, segment)[0]]
            earns, capacity = market.record_of(slot), inf
            if earns.without_model:
                seen, selling = self.seen_as_data(seen, firm.laboratory_for(segment).rows_field, selling)
            elif earns.tailored:
                capacity = self.projects_possible(segment)
            if segment in asked or split:
                capacity = min(capacity, self.room(segment))
                selling = selling and self.take_to_market(segment, slot)
            market.show(slot, seen, selling)
            market.set_price(slot, self.price_level * segments[segment].reference_price_usd)
            capacity_of[slot] = capacity

    def take_to_market(self, segment: str, slot: int) -> bool:
        """Sell to the customers whom law and the firm's choice of markets leave; whether there are any."""
        admitted = self.admits(segment)
        if not self.firm.markets.is_split:
            return admitted
        reach = self.firm.markets.reach(segment, admitted)
        if reach > 0:  # else customers leave as their contracts end
            self.market.set_reach(slot, reach)
        return reach > 0

    def admits(self, segment: str) -> bool:
        """Whether every law of the markets served admits what is sold in a segment."""
        return not self.firm.certification.mandatory or self.firm.certification.admits(segment)

    def room(self, segment: str) -> float:
        """New customers of a segment that law and reach leave; infinite where nothing bounds them.

        A sandbox bounds them in all markets served (simplified); who sells only where no examination binds has room.
        """
        if not self.firm.markets.is_split:
            return self.firm.certification.room(segment)
        admitted, slot = self.admits(segment), self.slots[segment]
        place = self.market.segment_index[place_of(self.firm.sector, segment)]
        within = self.firm.markets.reach(segment, admitted) * self.market.s["customers"][place]
        left = max(float(within) - self.users(slot), 0.0)
        return min(left, self.firm.certification.room(segment)) if admitted else left

    def seen(self, lab: LaboratoryLike) -> tuple[float, ...]:
        """What customers see and feel of every offer of a laboratory's model, in the order of
        `simulation.market.SHOWN`.
        """
        firm, settings, released = self.firm, self.firm.settings, lab.released
        lab_advantage, field_advantage = lab.advantages()
        return (
            lab_advantage,
            field_advantage,
            released.accuracy_field if released else 0.0,
            firm.brand_usd,
            firm.model.settings.labour.product_fit * log1p(settings.collaboration * firm.staff["product"]),
            1.0 if lab.fits_device else 0.0,
            lab.serving_scale(),
            released.fairness_gap if released else 0.0,
            released.leakage if released else 0.0,
        )

    def seen_as_data(self, seen: tuple[float, ...], rows: float, selling: bool) -> tuple[tuple[float, ...], bool]:
        """What buyers of data products see of them, and whether there is enough to sell.

        Worth counts those of the `rows` from use that people consent to pass on (law.consent_share). No device runs
        data products.
        """
        lab, field, accuracy, brand_usd, fit, _, *rest = seen
        revenue = self.market.revenue
        worth = data_worth(rows * self.firm.law.consent_share, revenue)
        advantages = data_advantage(lab, worth, revenue), data_advantage(field, worth, revenue)
        return (*advantages, accuracy, brand_usd, fit, 0.0, *rest), selling and worth > 0

    def projects_possible(self, segment: str) -> float:
        """New customers of a tailored solution that the operations staff can take on this month.

        What care for all customers leaves of the staff is shared evenly by the offers that need projects.
        """
        market, segments = self.market, self.firm.segments
        customers = market.columns["customers"]
        busy, n_offers = 0.0, 0
        for name, slot in self.slots.items():
            care = self.care_of(segments[name].reference_price_usd)
            busy += customers.item(slot) * care * market.care_share(slot)
            n_offers += market.record_of(slot).tailored
        hands = max(self.firm.staff["operations"] * self.firm.settings.collaboration - busy, 0.2)
        return float(hands / n_offers / segments[segment].project_staff_months)

    def upkeep_usd(self) -> float:
        """What product and sales in segments beyond the first cost this month."""
        return self.firm.model.settings.positioning.upkeep_usd_month * max(len(self.slots) - 1, 0)

    def serving_usd(self, only: str | None = None) -> float:
        """Cost of inference for all customers this month, or for those of one offer."""
        columns = self.market.columns
        customers, free, free_share = columns["customers"], columns["free"], self.market.revenue.free_serving_share
        usd, price = 0.0, self.firm.model.cloud.list_price_usd(self.firm.model.year)
        price *= gpu_price_factor(self.firm.law.compute)
        slots = self.slots if only is None else {only: self.slots[only]}
        for segment, slot in slots.items():
            if users := customers.item(slot) + free.item(slot) * free_share:
                hours = self.firm.segments[segment].inference_gpu_hours * columns["inference_scale"].item(slot)
                usd += users * hours * columns["serving_share"].item(slot) * price
        return usd

    def collect(self) -> float:
        """Take in the month's money from customers; returns recurring revenue, USD.

        Products are sold for good, not by the month; what their sale leaves after the goods counts as recurring all
        the same, for it is what such a firm lives on.
        """
        bank, columns, name = self.firm.model.bank, self.market.columns, self.firm.name
        recurring = self.goods_usd = 0.0
        paid = by_contract = 0.0
        for slot in self.slots.values():
            monthly = columns["customers"].item(slot) * columns["monthly_usd"].item(slot)
            upfront = columns["won"].item(slot) * columns["upfront_usd"].item(slot)
            earns = self.market.record_of(slot)
            if earns.sells_goods:
                upfront = 0.0
                recurring += (sold := self.sell_goods(slot))
                paid += sold
            paid += monthly + upfront
            if earns.by_contract:
                by_contract += monthly + upfront
            if monthly:
                recurring += bank.pay("customers", name, monthly, "spending", "sales")
            if upfront:
                account: Account = "deferred_revenue" if earns.deferred else "upfront_fees"
                bank.pay("customers", name, upfront, "spending", account)
        self.licence_solution_share = by_contract / (paid + self.goods_usd) if paid > 0 else nan
        self._earn_deferred()
        return recurring

    def sell_goods(self, slot: int) -> float:
        """Take in the price of the products sold to new customers and sold again; returns it less the goods, USD."""
        columns = self.market.columns
        sold = columns["won"].item(slot) + max(columns["renewed"].item(slot), 0.0)
        usd = sold * columns["upfront_usd"].item(slot)
        if usd:
            self.firm.model.bank.pay("customers", self.firm.name, usd, "spending", "sales")
        goods = self.market.revenue.product_goods_share * usd
        self.goods_usd += goods
        return usd - goods

    def _earn_deferred(self) -> None:
        """Earn this month's part of up-front licence fees: one contract length in equal hazard."""
        balance = -self.firm.books.balance["deferred_revenue"]
        if balance > 0:
            segments = self.firm.segments
            months = max((segments[seg].contract_months for seg in self.slots), default=1.0)
            self.firm.books.post("deferred_revenue", "upfront_fees", round(balance / months))
