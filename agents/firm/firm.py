"""A firm: books, staff, laboratory, sales. Startups and incumbents add how they decide about money and rivals."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from math import log1p
from typing import TYPE_CHECKING

from agents import treasury
from agents.actor import Actor
from agents.averages import growth_of, last_quarter
from agents.firm.certification import Certification
from agents.firm.commitments import Commitments
from agents.firm.general_purpose import duties_now_usd
from agents.firm.history import NO_FUNDING, Funding, History
from agents.firm.laboratory import Laboratory
from agents.firm.management import Management
from agents.firm.markets_served import MarketsServed
from agents.firm.measures import firm_row, open_costs, totals_now
from agents.firm.remedy import FieldRemedy
from agents.firm.risk import RiskRegister
from agents.firm.sales import Sales
from agents.firm.sectors_served import place_of, segments_of
from agents.firm.service_desk import ServiceDesk, use_services
from agents.firm.staffing import adjust, staff_wanted, wage_bill
from agents.firm.support import Support
from agents.firm.university import UniversityLink
from agents.settings import FirmSettings
from simulation.books import Account, AccountName
from simulation.laws import ELSEWHERE
from simulation.market import Standing
from simulation.plugins.rules import rule
from simulation.records.columns import EndingRow, FirmRow
from simulation.records.events import Event
from simulation.records.reasons import Reason, as_records
from simulation.settings import ROLES, SectorSettings, SegmentSettings, Service, WorldSettings
from simulation.settings.law import LawSettings

if TYPE_CHECKING:
    from agents.firm.owner import Owner, World

PAID_TO_PEOPLE: tuple[Account, ...] = ("wages", "severance")
SMALLEST_TEAM = 3.0  # assumption: founders do not fire themselves


class Firm(Actor, ABC):
    """What startups and incumbents have in common. Money in USD, staff in people."""

    kind = "firm"

    def __init__(self, model: World, name: str, settings: FirmSettings) -> None:
        super().__init__(model, name)
        self.settings, self.sector = settings, settings.sector
        self.founded, self.founded_month = model.today, int(model.env.now)
        self.books = model.bank.open(name)
        self.staff = {role: float(settings.staff.get(role, 0.0)) for role in ROLES}
        self.given = settings  # as the scenario has them; managers move some in `settings`
        self.home = settings.home or ELSEWHERE
        self.markets = MarketsServed(self)
        self.brand_usd = settings.brand_usd
        self.management = Management(self)
        self.risks = RiskRegister(self)
        self.serves_one = not settings.adapts_to
        self._segments: tuple[WorldSettings, FirmSettings, Mapping[str, SegmentSettings]] | None = None
        self.laboratories = {name: Laboratory(self, name) for name in (self.sector, *settings.adapts_to)}
        self.laboratory = self.laboratories[self.sector]
        self.sales = Sales(self)
        self.suppliers: dict[Service, Owner] = {}  # whom it buys from; what is missing it does itself
        self.prepaid_serving_usd = 0.0  # at list price
        self.desk = ServiceDesk(self) if settings.services else None
        self.service_revenue_usd = 0.0
        self.model_access_usd = 0.0  # paid for the use of others' models in the last month
        self.certification = Certification(self)
        self.support = Support(self)
        self.university = UniversityLink(self)
        self.commitments = Commitments(self)
        self.budget_usd = 0.0
        self.revenues: list[float] = []
        self.costs: list[float] = []
        self.recurring: list[float] = []
        self.margin: tuple[float, float, float] = (0.0, 0.0, 0.0)
        self.history = History()
        self.alive, self.insolvent = True, False
        self.ending, self.exit_value_usd, self.raised_usd = "alive", 0.0, 0.0
        self.ended: date | None = None
        self.reasons: list[Reason] = []  # of its ending; none while it lives, but those of a listing
        self.incident_to_audit = ""  # breach or accident of the month, for the authority
        model.enter(self)

    # -- views --------------------------------------------------------------------------------------------------------

    @property
    def law(self) -> LawSettings:
        """The law that binds it: of the markets it serves, the stricter, and of its home."""
        return self.model.laws.single or self.markets.law()

    def law_for(self, offer: str) -> LawSettings:
        """The law that binds one of its offers."""
        return self.model.laws.single or self.markets.law_for(place_of(self.sector, offer)[0])

    @property
    def markets_served(self) -> tuple[str, ...]:
        """The jurisdictions it sells to; none where the world has none."""
        return self.markets.served

    @property
    def sector_settings(self) -> SectorSettings:
        """Settings of its sector in force."""
        return self.model.settings.sectors[self.sector]

    @property
    def quality_field(self) -> float:
        """Measured field accuracy of the released model; NaN before the first."""
        return self.laboratory.quality_field

    @property
    def segments(self) -> Mapping[str, SegmentSettings]:
        """Settings in force of the segments it may sell to, by the name that an offer there has."""
        world, own = self.model.settings, self.settings
        kept = self._segments
        if kept is None or kept[0] is not world or kept[1] is not own:  # settings never change, they are replaced
            one, sectors = self.serves_one, world.sectors
            found = sectors[self.sector].segments if one else segments_of(own, sectors)
            kept = self._segments = world, own, found
        return kept[2]

    def laboratory_for(self, offer: str) -> Laboratory:
        """The laboratory whose model an offer is made of."""
        return self.laboratories[place_of(self.sector, offer)[0]]

    @property
    def suspended(self) -> bool:
        """Whether the authority has withdrawn what it sells at home."""
        return self.laboratory.suspended

    @property
    def remedy(self) -> FieldRemedy:
        """Its work on field accuracy at home."""
        return self.laboratory.field_remedy

    def qualities(self) -> list[tuple[str, float]]:
        """(Sector, measured field accuracy) of each laboratory's model; NaN before the first."""
        return [(lab.sector, lab.quality_field) for lab in self.laboratories.values()]

    def age_years(self) -> float:
        """Years since it was founded."""
        return (self.model.env.now - self.founded_month) / 12

    def headcount(self) -> float:
        """People."""
        return sum(self.staff.values())

    def organisation(self) -> tuple[float, float]:
        """People and age in years of the organisation whose routines bind it."""
        return self.headcount(), self.age_years()

    @rule("firm.inertia", "mean delay with which a firm uses a new generation of technology, months")
    def inertia_months(self) -> float:
        """It grows with size and age (Henderson & Clark 1990) and with the sales that the new would replace (Arrow)."""
        technology, costs = self.model.settings.technology, last_quarter(self.costs)
        people, years = self.organisation()
        size, age = log1p(people / technology.inertia_people), log1p(years / technology.inertia_age_years)
        cannibalised = min(last_quarter(self.recurring) / costs, 1.0) if costs > 0 else 0.0
        return 12 * technology.inertia * (size + age + cannibalised)

    def growth_year(self) -> float:
        """Growth of recurring revenue against a year ago; young firms are compared with their first months."""
        return growth_of(self.recurring)

    def record(self, event: Event) -> None:
        """Record an event of this firm now."""
        self.model.record_event(self.name, event)

    # -- phases -------------------------------------------------------------------------------------------------------

    def receive_results(self) -> None:
        """Release what came out of training."""
        if self.alive:
            for laboratory in self.laboratories.values():
                if laboratory.finished:
                    laboratory.receive()

    def plan(self) -> None:
        """The month's decisions, in order."""
        if not self.alive:
            return
        changed = self.model.firm_settings.get(self.name, self.given)
        if changed is not self.given:
            self.sales.follow(self.given, changed)
            self.given, self.settings = changed, self.management.applied(changed)
        if self.settings.managed:
            self.management.manage()
        self.budget_usd = self.choose_budget()
        self.budget_usd -= self.risks.manage(self.budget_usd)
        if self.markets.is_split:
            self.markets.review()
        self.plan_staff()
        self.respond_to_market()
        for laboratory in self.laboratories.values():
            laboratory.field_remedy.review()
            laboratory.sourcing.review()
        self.certification.apply()
        self.sales.show_offers()

    @abstractmethod
    def choose_budget(self) -> float:
        """Spending this month, USD. Startups and incumbents each have their rule."""

    @abstractmethod
    def respond_to_market(self) -> None:
        """Change prices or ways of earning; startups and incumbents each have their rules."""

    @rule("firm.staff", "nothing; it sets how many people of each role the firm has")
    def plan_staff(self) -> None:
        """Hire or fire toward what the budget pays for."""
        labour, s, sales = self.model.settings.labour, self.settings, self.sales
        wages = self.model.talent.wages
        for_people = self.budget_usd * (1 - s.compute_share - s.data_share - s.marketing_share)
        for_people -= self.commitments.inference_usd(sales.serving_usd())
        for_people -= sales.goods_usd + self.access_usd() + self.commitments.idle_usd
        operators = sales.operators_needed()
        if self.desk:
            for_people -= self.desk.last_goods_usd
            operators += self.desk.operators_needed()
        for_people = max(for_people / (1 + labour.overhead_share), SMALLEST_TEAM * wages["research"])
        wanted = staff_wanted(for_people, wages, s.research_share, operators)
        before = self.staff
        self.staff = self.university.with_graduates(adjust(before, wanted), wanted)
        self.commitments.let_go(before, self.staff)

    def acquire(self) -> None:
        """Advertise, buy and label data, and order a training run when one is due."""
        if not self.alive:
            return
        s = self.settings
        self.advertise(s.marketing_share * self.budget_usd)
        self.set_aside(s.compute_share * self.budget_usd)
        for laboratory in self.laboratories.values():
            laboratory.gather_data(s.data_share * self.budget_usd * laboratory.share)
            laboratory.order_training()
        if self.suppliers or self.prepaid_serving_usd:
            use_services(self)

    def set_aside(self, usd: float) -> None:
        """Set money aside for training compute, in equal parts for all sectors served."""
        for laboratory in self.laboratories.values():
            laboratory.purse_usd += usd * laboratory.share

    def advertise(self, usd: float) -> None:
        """Turn advertising and the work of marketing staff into goodwill, which fades."""
        wage = self.model.talent.wages["marketing"]
        self.brand_usd *= 1 - self.model.settings.brand.brand_decay_month
        self.brand_usd += self.spend(usd, "advertising")
        self.brand_usd += self.staff["marketing"] * self.settings.collaboration * wage

    def spend(self, usd: float, account: Account, payee: str = "suppliers", credit: AccountName = "income") -> float:
        """Pay what is wanted, or what is there; returns the USD paid."""
        if not usd > 0:
            return 0.0
        cash = self.books.balance["cash"] / 100  # `cash_usd` without the call, for every payment comes by here
        if not cash > 0:
            return 0.0
        return self.model.bank.pay(self.name, payee, usd if usd < cash else cash, account, credit)

    def close_books(self) -> None:
        """Collect revenue, pay costs, close the month."""
        if not self.alive:
            return
        if self.desk:
            self.service_revenue_usd = self.desk.revenue_usd()
        self.recurring.append(self.sales.collect() + self.service_revenue_usd)
        due = self.costs_due()
        self.find_cash(sum(due.values()))
        self.pay_costs(due)
        if self.commitments.hold:
            self.commitments.end_month(due["wages"], due["inference"])
        self.pay_taxes()
        self.margin, self.model_access_usd = self.margin_flows(), self.books.balance["model_access"] / 100
        noted = open_costs(self)
        revenue, costs = self.books.close_month()
        self.revenues.append(revenue)
        self.costs.append(costs)
        self.history.note(totals_now(self, *noted))

    def access_usd(self) -> float:
        """The month's bill for the use of others' models, USD."""
        return sum([lab.sourcing.bill()[1] for lab in self.laboratories.values() if lab.sourcing.supply is not None])

    def margin_flows(self) -> tuple[float, float, float]:
        """Of the open month, USD: sales and fees from customers; inference, others' models, goods; wages of operations
        staff.
        """
        balance, wage = self.books.balance, self.model.talent.wages["operations"]
        in_sales = -(balance["sales"] + balance["upfront_fees"]) / 100
        out_serving = (balance["inference"] + balance["goods"] + balance["model_access"]) / 100
        return in_sales, out_serving, self.staff["operations"] * wage

    def find_cash(self, due_usd: float) -> None:
        """Get hold of cash for costs of `due_usd` before they are paid; a startup has nobody to ask at short notice."""

    def costs_due(self) -> dict[Account, float]:
        """Costs of the month by account, USD, in the order in which they are paid."""
        labour, law = self.model.settings.labour, self.law
        out_wages = wage_bill(self.staff, self.model.talent.wages)
        return {
            "wages": out_wages,
            "severance": self.commitments.people_usd(),
            "overhead": labour.overhead_share * self.commitments.rent_for_usd(out_wages),
            "goods": self.sales.goods_usd,
            "inference": self.commitments.inference_usd(self.inference_needed_usd()),
            "model_access": self.access_usd(),
            "compliance": law.compliance_usd_month + duties_now_usd(self, law),
            "positioning": self.sales.upkeep_usd(),
        }

    def inference_needed_usd(self) -> float:
        """What serving its customers costs this month beyond what is paid already."""
        return max(self.sales.serving_usd() - self.prepaid_serving_usd, 0.0)

    def pay_costs(self, due: Mapping[Account, float]) -> None:
        """Pay the month's costs, USD by account; a firm that cannot pay them in full is insolvent."""
        for account, usd in due.items():
            if not usd:
                continue
            if account == "model_access":
                paid = self.pay_for_access()
            else:
                paid = self.spend(usd, account, "workers" if account in PAID_TO_PEOPLE else "suppliers")
            if paid < usd - 0.01:
                self.insolvent = True

    def pay_for_access(self) -> float:
        """Pay the suppliers of models; returns the USD paid."""
        return sum([lab.sourcing.pay() for lab in self.laboratories.values() if lab.sourcing.supply is not None])

    def pay_taxes(self) -> None:
        """Tax on the month's profit once losses are made good."""
        balance = self.books.balance
        profit = self.books.month_profit_usd()
        past = -balance["retained_earnings"] / 100
        taxable = min(profit, profit + past)
        tax = max(taxable, 0.0) * self.law.tax_rate
        treasury.receive(self, "taxes", self.support.tax_due_usd(tax), "taxes")

    # -- law and incidents --------------------------------------------------------------------------------------------

    def suffer(self, event: Event, usd: float, trust: float) -> None:
        """An incident: pay, and lose trust; a rehearsed plan makes both less."""
        left = self.risks.loss_left()
        paid = self.spend(usd * left, "incidents")
        self.risks.draw_on_reserve(paid)
        self.management.incident_months.append(self.model.month)
        self.sales.lose_trust(trust * left)
        self.record(replace(event, amount_usd=paid))

    # -- end ----------------------------------------------------------------------------------------------------------

    def end(self, ending: str, exit_value_usd: float = 0.0) -> None:
        """Leave the market."""
        self.alive, self.ending, self.ended = False, ending, self.model.today
        self.exit_value_usd = exit_value_usd
        self.model.leave(self)
        self.remove()
        for slot in self.sales.slots.values():
            self.model.market.withdraw(slot)
        for laboratory in self.laboratories.values():
            laboratory.sourcing.leave()

    def observe(self, month: date, standing: Standing, share: float, headcount: float) -> FirmRow:
        """This month's row of the firms table."""
        return firm_row(self, month, standing, share, headcount)

    def stage_name(self) -> str:
        """Financing stage, for the tables."""
        return ""

    def funding(self) -> Funding:
        """How it stands with investors; whoever has none asks for nothing."""
        return NO_FUNDING

    def final_row(self) -> EndingRow:
        """Row of the endings table."""
        ending = self.ending
        if self.alive and ending == "alive" and sum(self.revenues[-12:]) > sum(self.costs[-12:]):
            ending = "profitable"
        return EndingRow(
            firm=self.name,
            founded=self.founded,
            ended=self.ended,
            ending=ending,
            causes=json.dumps(as_records(self.reasons), ensure_ascii=False) if self.reasons else "",
            raised_usd=self.raised_usd,
            exit_value_usd=self.exit_value_usd,
            kind=self.kind,
            sector=self.sector,
        )
