"""A product of a laboratory's own: a firm in a sector of its customers, whose model is the laboratory's."""

from __future__ import annotations

from collections import Counter

from agents.averages import last_quarter
from agents.firm.firm import Firm
from agents.lab.adaptation import order_adaptation
from agents.lab.base import Lab
from agents.lab.names import product_name
from agents.settings import FirmSettings
from simulation.records.events import Bankrupt
from simulation.records.reasons import Reason, as_records
from simulation.settings import RevenueModel
from simulation.training.plan import TrainingPlan

CAPITAL_MONTHS = 36  # assumption: its capital is spent over three years
KEPT_MONTHS = 12  # assumption: cash beyond a year of costs goes to the laboratory


class LabProduct(Firm):
    """Sells what its laboratory's model does in one sector. It stands in the tables as an incumbent: a parent pays."""

    kind = "incumbent"

    def __init__(self, lab: Lab, name: str, settings: FirmSettings) -> None:
        super().__init__(lab.model, name, settings)
        self.lab = lab
        self.adapted: TrainingPlan | None = None  # the last that it ordered
        # The capital comes from the laboratory, not from outside as an incumbent's.
        self.invested_usd = lab.model.bank.pay(lab.name, name, settings.capital_usd, "investments", "paid_in_capital")

    def choose_budget(self) -> float:
        """What customers pay, and a part of the capital each month."""
        return last_quarter(self.revenues) + self.settings.capital_usd / CAPITAL_MONTHS

    def respond_to_market(self) -> None:
        """It answers nobody: its price is the sector's."""

    def acquire(self) -> None:
        """Advertise, gather data, and take the laboratory's newest model."""
        if not self.alive:
            return
        s = self.settings
        self.advertise(s.marketing_share * self.budget_usd)
        self.laboratory.gather_data(s.data_share * self.budget_usd)
        if self.lab.alive:
            plan = order_adaptation(self.laboratory, self.lab.models[-1].trained.plan, self.adapted)
            self.adapted = plan or self.adapted

    def seek_capital(self) -> None:
        """Pay the laboratory what it does not need."""
        if self.alive and self.lab.alive and self.costs:
            surplus = self.books.cash_usd - KEPT_MONTHS * last_quarter(self.costs) - self.settings.capital_usd
            if surplus > 0:
                self.model.bank.pay(self.name, self.lab.name, surplus, "returns", "gains")

    def leave_or_enter(self) -> None:
        """End when cash is out."""
        if self.alive and (self.insolvent or self.books.cash_usd < 1.0):
            self.wind_up()

    def wind_up(self) -> None:
        """Creditors get what is left; the laboratory writes its investment off."""
        self.reasons = [Reason("cash")]
        if self.lab.alive:
            self.lab.books.post("write_offs", "investments", round(100 * self.invested_usd))
        left = self.books.cash_usd
        if left > 0:
            self.model.bank.pay(self.name, "suppliers", left, "returns", "income")
        if deferred := -self.books.balance["deferred_revenue"]:
            self.books.post("deferred_revenue", "gains", deferred)
        self.books.close_month()
        self.record(Bankrupt(causes=as_records(self.reasons)))
        self.end("bankrupt")


def found_product(lab: Lab, sector: str) -> LabProduct:
    """Found a product in a sector: it sells where the laboratory's customers do, in the way that most of them earn."""
    name = product_name(lab.name, sector)
    settings = FirmSettings(
        kind="incumbent",
        sector=sector,
        offers=offers_like(lab, sector),
        skill=lab.settings.skill,
        capital_usd=lab.settings.product_capital_usd,
        compute_share=0.0,
    )
    return LabProduct(lab, name, settings)


def offers_like(lab: Lab, sector: str) -> dict[str, RevenueModel]:
    """Segments in which firms of the sector sell models, each with the most usual way of earning there."""
    market, counts = lab.model.market, dict[str, Counter[RevenueModel]]()
    for firm in lab.model.firms_in(sector):
        for segment, slot in firm.sales.slots.items():
            earns = market.record_of(slot)
            if "." not in segment and not earns.without_model:
                counts.setdefault(segment, Counter())[earns.name] += 1
    segments = lab.model.settings.sectors[sector].segments
    usual: dict[str, RevenueModel] = {name: found.most_common(1)[0][0] for name, found in counts.items()}
    return {name: usual.get(name, "subscription") for name in segments}
