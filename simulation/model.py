"""The world: one Mesa step is one month; SimPy carries what takes time inside it.

`step()` runs SimPy to the month's end, makes the training results that are due, and then runs PHASES in order. The two
halves are public (`advance_clock`, `finish_month`) so that many worlds can advance together and share one training
batch. This module knows no agent class: actors enter through `enter`, and phases call them by method name.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import mesa
import numpy as np
import pandas as pd
import simpy

from simulation.books import Bank
from simulation.calendar import Calendar
from simulation.capital import trend
from simulation.compute import REFERENCE_YEAR, Cloud, progress_after
from simulation.labour import TalentMarket
from simulation.laws import Laws
from simulation.market import Market, Standing
from simulation.market_log import MarketLog
from simulation.model_catalogue import ModelCatalogue
from simulation.model_market import ModelMarket
from simulation.plugins.plugin import Plugin, PluginSettings
from simulation.public_accounts import PublicAccounts
from simulation.public_figures import PublicFigures
from simulation.randomness import Streams
from simulation.records.columns import SectorRow
from simulation.records.events import Breakthrough, Event, Law
from simulation.records.recorder import Recorder
from simulation.settings import CapitalSettings, Role, WorldSettings
from simulation.technology import Technology
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.plan import TrainingPlan
from simulation.training.pool import member
from simulation.training.result import TrainingResult
from simulation.training.service import TrainingService
from simulation.training.values import DOCUMENT_TASKS, USUAL_YEAR, language_year
from simulation.trend import Trend
from simulation.welfare import measure_society

# (name, method of the world, method of the actors): the month's table of contents.
PHASES: tuple[tuple[str, str, str], ...] = (
    ("law", "change_law", ""),
    ("results", "", "receive_results"),
    ("planning", "", "plan"),
    ("data and compute", "", "acquire"),
    ("market", "clear_market", ""),
    ("books", "", "close_books"),
    ("financing", "", "seek_capital"),
    ("exits and entry", "", "leave_or_enter"),
    ("measurement", "measure", ""),
)


class FundLike(Protocol):
    """What the world needs to know of a fund to measure it."""

    name: str

    def final_row(self) -> tuple[object, ...]: ...


class ReleasesModels(Protocol):
    """What the world needs to know of a laboratory to measure what it has on offer."""

    name: str

    def observe(self, month: date) -> Iterable[tuple[object, ...]]: ...


class FirmLike(Protocol):
    """What the world needs to know of a firm to measure it."""

    name: str
    kind: str
    sector: str
    alive: bool
    founded_month: int

    @property
    def staff(self) -> Mapping[Role, float]: ...

    def headcount(self) -> float: ...
    def qualities(self) -> Iterable[tuple[str, float]]: ...

    def observe(self, month: date, standing: Standing, share: float, headcount: float) -> tuple[object, ...]: ...
    def final_row(self) -> tuple[object, ...]: ...


class Ordered(NamedTuple):
    """A training run that was ordered in a world."""

    plan: TrainingPlan
    skill: float
    """Skill of the team that chose the recipe; NaN where none did."""


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """Settings in force from a month on (dated interventions, resolved and validated)."""

    month: int
    world: WorldSettings
    firms: dict[str, Any]
    says: str = ""


F = TypeVar("F", bound=FirmLike)


class MarketModel(mesa.Model, Generic[F]):
    """One simulated market. Build one with `scenarios.build.build_world`."""

    def __init__(
        self,
        changes: Sequence[SettingsChange],
        start: date,
        n_months: int,
        seed: int,
        service: TrainingService,
        plugins: Sequence[tuple[Plugin[Any], PluginSettings]] = (),
    ) -> None:
        super().__init__(seed=seed)
        self.plugins: dict[str, PluginSettings] = {plugin.name: settings for plugin, settings in plugins}
        self.rules: dict[str, Callable[..., Any]] = {}  # those that plug-ins have replaced in this world
        for plugin, _ in plugins:
            self.rules |= plugin.rules
        # Who acts in which phase, in the order of entry: most actors leave most phases as they are.
        self._acting: dict[str, dict[Any, None]] = {method: {} for _, _, method in PHASES if method}
        self.changes = list(changes)
        self.settings: WorldSettings = changes[0].world
        self._laws = Laws(self.settings)
        self.firm_settings: dict[str, Any] = changes[0].firms
        self.n_months, self.month, self.seed = n_months, 0, seed
        self.calendar = Calendar(start)
        self._year: tuple[float, float] = (-1.0, 0.0)  # when it was worked out, and what it was
        self._today: tuple[float, date] = (0.0, start)
        self._asked_in, self._asked = -1, dict[str, float]()
        self._heat: tuple[float, CapitalSettings | None, float] = (-1.0, None, 0.0)
        self.streams = Streams(seed)
        self.env = simpy.Environment()
        self.bank = Bank()
        self.public_accounts = PublicAccounts()
        self.recorder = Recorder()
        self.service = service
        s = self.settings
        self.market = Market(self.laws.sectors(), s.revenue, s.brand, self.year)
        self.market_log = MarketLog()
        self.cloud = Cloud(self.env, s.compute, self.year)
        self.talent = TalentMarket(s.labour, self.year)
        self.model_market = ModelMarket()
        self.model_catalogue = ModelCatalogue(self.model_market)
        self.public_figures = PublicFigures()
        self.technology = Technology(s.technology, list(s.sectors), self.calendar, self.streams)
        self._progress = {
            name: Trend(progress_after, sector.algorithmic_halving_months, REFERENCE_YEAR)
            for name, sector in s.sectors.items()
        }
        self.firms: dict[str, F] = {}
        self.living: dict[str, F] = {}
        self._living_in: dict[tuple[str, str], dict[str, F]] = {}
        self._n_founded: Counter[tuple[str, int]] = Counter()
        self.funds: list[FundLike] = []
        self.labs: list[ReleasesModels] = []
        self.listeners: list[Callable[[str, Event], None]] = []  # who hears of each event of a firm, when it happens
        self.traditional: dict[str, TrainingResult] = {}
        self.exits: dict[str, int] = dict.fromkeys(s.sectors, 0)
        self.ordered: dict[str, Ordered] = {}  # by ledger key, in the order of the first order
        self._due: set[str] = set()
        self._traditional_keys = {name: self.order(self.traditional_plan(name)) for name in s.sectors}

    # -- time ---------------------------------------------------------------------------------------------------------

    @property
    def year(self) -> float:
        """Decimal calendar year now."""
        now = self.env.now
        if self._year[0] != now:
            self._year = now, self.calendar.year_of(now)
        return self._year[1]

    @property
    def today(self) -> date:
        """Calendar date now."""
        now = self.env.now
        if self._today[0] != now:
            self._today = now, self.calendar.date_of(now)
        return self._today[1]

    @property
    def heat(self) -> float:
        """Funding climate now, relative to 2018-2020 (V26)."""
        now = self.env.now
        if self._heat[0] != now or self._heat[1] is not self.settings.capital:
            self._heat = now, self.settings.capital, trend(self.settings.capital.heat, self.year)
        return self._heat[2]

    @property
    def laws(self) -> Laws:
        """The laws in force, by whom they bind."""
        if self._laws.world is not self.settings:  # settings never change, they are replaced
            self._laws = Laws(self.settings)
        return self._laws

    def algorithmic_progress(self, sector: str) -> float:
        """How much more a GPU hour achieves now for models of a sector than in 2017 (C6, C7)."""
        return self._progress[sector].at(self.year)

    def firm_settings_at(self, month: int) -> dict[str, Any]:
        """Settings of the firms that the scenario names, by name, as they are in force in a month of the run."""
        return [change.firms for change in self.changes if change.month <= month][-1]

    def step(self) -> None:
        """One month."""
        self.service.train(self.advance_clock())
        self.finish_month()

    def advance_clock(self) -> set[str]:
        """Run SimPy to the month's end; returns the ledger keys of the training results that are due now."""
        self.env.run(until=self.month + 1)
        due, self._due = self._due, set()
        return due

    def finish_month(self) -> None:
        """Run the month's phases. The results that `advance_clock` named must stand in the training service."""
        if not self.traditional:
            self.traditional = {name: self.service.result(key) for name, key in self._traditional_keys.items()}
        for _, world_method, actor_method in PHASES:
            if world_method:
                getattr(self, world_method)()
            else:
                # A copy: who enters during a phase begins with the next, who ends during it is asked a last time.
                for actor in list(self._acting[actor_method]):
                    getattr(actor, actor_method)()
        self.month += 1

    # -- training -----------------------------------------------------------------------------------------------------

    def order(self, plan: TrainingPlan, due: bool = True, skill: float = math.nan) -> str:
        """Submit a plan of a team of that skill; returns its ledger key. `due` results are made before the next
        phases run.
        """
        key = self.service.submit(plan)
        self.ordered.setdefault(key, Ordered(plan, skill))
        if due:
            self._due.add(key)
        return key

    def order_foundation(self, plan: FoundationPlan) -> str:
        """Submit a pretraining run; returns its key. Its result is made after `call_due`."""
        return self.service.submit_foundation(plan)

    def call_due(self, key: str) -> None:
        """Say that the simulated time of an ordered result is up."""
        self._due.add(key)

    def traditional_plan(self, sector: str) -> TrainingPlan:
        """The traditional method of a sector as it is fitted now."""
        settings = self.settings.sectors[sector]
        seed, pool = self.streams.integer("traditional", sector), self.settings.training.pool
        if pool is not None:
            seed = member(settings.task, seed % pool).seed
        return TrainingPlan(
            task=settings.task,
            kind="linear",
            rung=0,
            rows=settings.traditional_rows,
            coverage=0.5,
            seed=seed,
            year=self.language_year(settings.task),
        )

    def language_year(self, task: str) -> int:
        """Year of the language in which a task's inputs are written now: of documents that age, the calendar's."""
        if task not in DOCUMENT_TASKS or not self.settings.sourcing.aging:
            return USUAL_YEAR
        return language_year(self.today.year)

    # -- actors -------------------------------------------------------------------------------------------------------

    def register_agent(self, agent: Any) -> None:
        """Mesa's register of agents, and who of them acts when."""
        super().register_agent(agent)
        for method, actors in self._acting.items():
            if agent.acts_in(method):
                actors[agent] = None

    def deregister_agent(self, agent: Any) -> None:
        """Take an agent off both."""
        super().deregister_agent(agent)
        for actors in self._acting.values():
            actors.pop(agent, None)

    def enter(self, firm: F) -> None:
        """Let a firm into the market."""
        self.firms[firm.name] = self.living[firm.name] = firm
        for group in self._groups_of(firm):
            group[firm.name] = firm
        self._n_founded[firm.sector, firm.founded_month] += 1

    def leave(self, firm: F) -> None:
        """Let a firm go that has ended: its history stays."""
        del self.living[firm.name]
        for group in self._groups_of(firm):
            del group[firm.name]
        self.exits[firm.sector] += 1

    def _groups_of(self, firm: F) -> list[dict[str, F]]:
        return [self._living_in.setdefault((firm.sector, kind), {}) for kind in ("", firm.kind)]

    def firms_in(self, sector: str, kind: str = "") -> list[F]:
        """Living firms of a sector, of one kind where it is given, in order of entry."""
        return list(self._living_in.get((sector, kind), {}).values())

    def record_event(self, firm: str, event: Event) -> None:
        """Record an event of a firm now; of none, where the name is empty."""
        self.recorder.event(self.today, self.calendar.date_of(self.month), firm, event)
        for hear in self.listeners:
            hear(firm, event)

    # -- phases of the world ------------------------------------------------------------------------------------------

    def change_law(self) -> None:
        """Let dated interventions take effect, the market and the cloud grow, and wages move."""
        for change in self.changes[1:]:
            if change.month == self.month:
                self.put_in_force(change)
                month = self.calendar.date_of(self.month)
                self.recorder.event(month, month, "", Law(says=change.says))
        self.learn_of_breakthroughs()
        self.market.grow(self.year)
        self.cloud.grow(self.year)
        self.talent.move(self.settings.labour, self.year, (firm.staff for firm in self.living.values()))

    def learn_of_breakthroughs(self) -> None:
        """Let what becomes possible this month be known."""
        month = self.calendar.date_of(self.month)
        for known, sectors in self.technology.advance(self.month, self.settings.technology):
            event = Breakthrough(
                other=known.name,
                what=known.kind,
                sectors=sectors,
                factor=known.factor if known.factor != 1.0 else None,
                model_kind=known.model_kind,
                source=known.source,
            )
            self.recorder.event(month, month, "", event)

    def put_in_force(self, change: SettingsChange) -> None:
        """Take the settings of a dated change; what follows a trend bends at its date."""
        since = self.calendar.year_of(change.month)
        self.settings, self.firm_settings = change.world, change.firms
        self.market.configure(self.laws.sectors(), change.world.revenue, change.world.brand)
        self.cloud.configure(change.world.compute, since)
        self.talent.configure(change.world.labour, since)
        for name, sector in change.world.sectors.items():
            self._progress[name].bend(sector.algorithmic_halving_months, since)

    def clear_market(self) -> None:
        """Customers choose."""
        served = self.market.served()
        self.market.clear()
        self.market_log.note(self.market, served)

    def sector_shares(self) -> dict[str, dict[str, float]]:
        """Share of each firm in the value served in its sector, by sector and firm name."""
        value, sector_of = self.market.value_served_usd(), self.market.sector_of_offer()
        totals = np.bincount(sector_of, value, len(self.market.sector_names))
        slots = np.flatnonzero(value)
        sectors, parts = sector_of[slots], value[slots] / totals[sector_of[slots]]
        tables: list[dict[str, float]] = [{} for _ in self.market.sector_names]
        for slot, sector, part in zip(slots.tolist(), sectors.tolist(), parts.tolist(), strict=True):
            table, firm = tables[sector], self.market.firm[slot]
            table[firm] = table.get(firm, 0.0) + part
        return dict(zip(self.market.sector_names, tables, strict=True))

    def shares_in(self, sector: str) -> dict[str, float]:
        """Share of each firm in the value served in one sector, by firm name."""
        inside = np.flatnonzero(self.market.sector_of_offer() == self.market.sector_names.index(sector))
        value = self.market.value_served_usd()[inside]
        table: dict[str, float] = {}
        total = np.bincount(np.zeros(len(value), int), value, 1)[0]  # summed in the order of `sector_shares`
        for slot, usd in zip(inside.tolist(), value.tolist(), strict=True):
            if usd:
                table[self.market.firm[slot]] = table.get(self.market.firm[slot], 0.0) + usd / float(total)
        return table

    def incumbents_share(self, sector: str) -> float:
        """Share of the value served in a sector that incumbents held when the first firm asked in this month.

        Counted once a month: the firms that end in it all ask, and the market is as large as they are many.
        """
        if self._asked_in != self.month:
            self._asked_in, self._asked = self.month, {}
        if sector not in self._asked:
            shares = self.shares_in(sector).items()
            self._asked[sector] = float(sum(share for name, share in shares if self.firms[name].kind == "incumbent"))
        return self._asked[sector]

    def measure(self) -> None:
        """Write the month's rows of the firms, sectors and foundations tables."""
        # Who was founded in the phase before enters the tables with the first month of its own.
        living = [firm for firm in self.living.values() if firm.founded_month <= self.month]
        people = [firm.headcount() for firm in living]
        shares = self.sector_shares()
        self._measure_firms(living, people, shares)
        self._measure_sectors(living, people, shares)
        self._measure_models()

    def _measure_models(self) -> None:
        for lab in self.labs:
            self.recorder.add("foundations", lab.observe(self.calendar.date_of(self.month)))
        self.model_market.close_month()

    def _measure_firms(
        self, living: Sequence[FirmLike], people: Sequence[float], shares: Mapping[str, Mapping[str, float]]
    ) -> None:
        month, standings = self.calendar.date_of(self.month), self.market.standings(firm.name for firm in living)
        self.recorder.add(
            "firms",
            [
                firm.observe(month, standing, shares[firm.sector].get(firm.name, 0.0), headcount)
                for firm, standing, headcount in zip(living, standings, people, strict=True)
            ],
        )

    def _measure_sectors(
        self, living: Sequence[FirmLike], people: Sequence[float], shares: Mapping[str, Mapping[str, float]]
    ) -> None:
        month, price = self.calendar.date_of(self.month), self.cloud.price_usd(self.year)
        market, served = self.market, self.market.served()
        society = measure_society(market, self.settings.society).by_sector()
        employed: dict[str, list[float]] = {name: [] for name in market.sector_names}
        offered: dict[str, list[float]] = {name: [] for name in market.sector_names}
        for firm, headcount in zip(living, people, strict=True):
            employed[firm.sector].append(headcount)
            for sector, quality in firm.qualities():
                if not math.isnan(quality):  # before the first model
                    offered[sector].append(quality)
        for sector, (productivity_usd, displaced, burden, exposed) in zip(market.sector_names, society, strict=True):
            inside, old = market.segments_of[sector], self.traditional[sector]
            row = SectorRow(
                month=month,
                sector=sector,
                n_firms=len(employed[sector]),
                entries=self._n_founded[sector, self.month],
                exits=self.exits[sector],
                hhi=float(sum([share**2 for share in shares[sector].values()])),
                adopters=float(np.add.reduce(served[inside])),
                best_quality_field=max(offered[sector], default=np.nan),
                consumer_surplus_usd=float(np.add.reduce(market.surplus_usd[inside])),
                traditional_lab=old.accuracy_lab,
                traditional_field=old.accuracy_field,
                gpu_price_usd_hour=price,
                productivity_usd=productivity_usd,
                jobs_displaced=displaced,
                jobs_created=float(sum(employed[sector])),
                minority_burden=burden,
                exposed_users=exposed,
            )
            self.recorder.add("sectors", [row])
            self.exits[sector] = 0

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables of the run so far; endings, funds and public accounts as they would be if the run ended now."""
        self.recorder.rows["endings"] = [firm.final_row() for firm in self.firms.values()]
        self.recorder.rows["funds"] = [fund.final_row() for fund in self.funds]
        self.recorder.rows["public_accounts"] = list(self.public_accounts.rows())
        return self.recorder.frames()
