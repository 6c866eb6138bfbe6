"""A firm's research and data: rows it holds, models it trains, the one it has released."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING

import simpy

from agents.firm.general_purpose import evaluated_for, pay_licences, rows_left
from agents.firm.generations import Generations
from agents.firm.orders import Funds, Order
from agents.firm.remedy import FieldRemedy, LeakRemedy
from agents.firm.sectors_served import pretraining_runs
from agents.firm.service_desk import buy_rows, training_terms
from agents.firm.sourcing import Sourcing
from agents.firm.training_plan import (
    Draft,
    Means,
    compose_plan,
    draft_plan,
    expected_waste,
    hours_taken,
    improves_on,
    is_more_private,
    judged,
    release_interval,
    skill_at_work,
    usual_hours,
    whole_plan,
)
from agents.firm.ways import SCRATCH, Option, reference_flops, runs_in_house
from simulation.compute import HOURS_PER_MONTH, proxy_rows
from simulation.demand import advantage
from simulation.general_purpose_law import gpu_price_factor, most_gpus
from simulation.records.events import Release, RunBrokeDown
from simulation.settings import SectorSettings
from simulation.settings.law import LawSettings
from simulation.training.plan import MAX_DOCUMENTS, MAX_ROWS, NETWORK_KINDS, TrainingPlan
from simulation.training.pool import Member, member
from simulation.training.result import TrainingResult

if TYPE_CHECKING:
    from agents.firm.owner import LaboratoryLike, Owner
    from agents.settings import FirmSettings


LEAST_SERVING = 0.02  # of what a mid-ladder model takes; assumption: requests must be received and answered anyhow


@dataclass(slots=True)
class Job:
    """A training run under way or done."""

    plan: TrainingPlan
    key: str
    ordered: float = 0.0  # months since the start of the world
    hours: float = 0.0  # GPU hours it takes when nothing unusual happens
    usual_hours: float = 0.0  # GPU hours that it would take with usual engineering practice
    option: Option = SCRATCH


class Laboratory:
    """Data and models of one firm for one sector. Rows are real rows, `purse_usd` is what was set aside for training
    compute. `share` is the part of the firm's means that the sector gets: all where the firm serves one sector.
    """

    def __init__(self, firm: Owner, sector: str) -> None:
        s = firm.settings
        self.firm, self.model, self.sector = firm, firm.model, sector
        self.share = 1 / (1 + len(s.adapts_to))
        self.where = "" if sector == s.sector else sector  # how events name the sector
        self.name = f"{firm.name}.{sector}" if self.where else firm.name
        self.field_remedy = FieldRemedy(self)
        # Luck and seed belong to the team, not to the order of its runs: the same plan is then the same run in every
        # arm of an experiment, and a data set that grows keeps its first rows.
        self.seed, self.luck = self.draw_identity()
        rows = s.rows * self.share
        self.rows_lab, self.rows_field = rows * (1 - s.field_share), rows * s.field_share
        self.leak_remedy = LeakRemedy()
        self.minority_share = 0.1  # assumption: what convenience sampling gives a minority of a tenth
        self.ordered_field_accuracy = self.ordered_minimisation = 0.0
        self.released: TrainingResult | None = None
        self.released_plan: TrainingPlan | None = None
        self.released_hours = 0.0  # GPU hours that its training took
        self._advantages: tuple[TrainingResult, TrainingResult, tuple[float, float]] | None = None  # old, new, what
        self.last_plan: TrainingPlan | None = None
        self._last_draft: tuple[Draft, FirmSettings] | None = None  # what the last plan was made of, and whose it was
        self.job: Job | None = None
        self.finished: list[Job] = []
        self.n_jobs = 0
        self.n_broken = 0  # attempts that broke down so far
        self.lost_runs = 0.0  # work lost in them, in runs
        self.run_months = nan  # from the order to the result of the last run
        self.last_order_month = -100
        self.purse_usd = 0.0
        self.fix_ordered = self.suspended = False
        self.hurried = False  # the next run need not wait for the usual interval
        self.sourcing = Sourcing(self)
        self.generations = Generations(firm, self)

    def draw_identity(self) -> Member:
        """Seed and luck of the team: its own, or those of the member of the task's pool that it draws."""
        streams, name = self.model.streams, self.firm.name
        own, pool = streams.integer("training", name), self.model.settings.training.pool
        if pool is None:
            return Member(own, streams.normal("recipe", name))
        return member(self.sector_settings.task, own % pool)

    @property
    def sector_settings(self) -> SectorSettings:
        """Settings of the sector in force."""
        return self.model.settings.sectors[self.sector]

    @property
    def law(self) -> LawSettings:
        """The law that binds what it makes."""
        return self.model.laws.single or self.firm.markets.law_for(self.sector)

    # -- quality ------------------------------------------------------------------------------------------------------

    @property
    def quality_lab(self) -> float:
        """Measured lab accuracy of the released model; NaN before the first."""
        return self.released.accuracy_lab if self.released else nan

    @property
    def quality_field(self) -> float:
        """Measured field accuracy of the released model; NaN before the first."""
        return self.released.accuracy_field if self.released else nan

    @property
    def is_busy(self) -> bool:
        """Whether a training run is under way."""
        return self.job is not None

    def on_sale(self) -> bool:
        """Whether there is a model, and neither the authority nor its supplier has withdrawn it."""
        return self.released is not None and not self.suspended and not self.sourcing.is_cut_off

    @property
    def supplier(self) -> str:
        """On whom the model in use rests; empty for nobody."""
        return self.sourcing.supplier

    @property
    def fits_device(self) -> bool:
        """Whether the model in use runs on the customer's device."""
        plan, small = self.released_plan, self.firm.settings.compression != "none"
        return small and (plan is None or runs_in_house(plan.kind))

    def advantages(self) -> tuple[float, float]:
        """(lab, field) advantage over the sector's traditional method; (0, 0) before the first model."""
        if not self.released:
            return 0.0, 0.0
        old, new = self.model.traditional[self.sector], self.released
        known = self._advantages
        if known is None or known[0] is not old or known[1] is not new:  # asked monthly, new with a model only
            lab = advantage(new.accuracy_lab, old.accuracy_lab)
            known = self._advantages = old, new, (lab, advantage(new.accuracy_field, old.accuracy_field))
        return known[2]

    def serving_scale(self) -> float:
        """Cost of serving with the released model against a mid-ladder one; 8-bit weights take half the hardware.

        Answers that a supplier gives by the token leave next to nothing to compute in the house.
        """
        if not self.released or not self.released_plan:
            return 1.0
        if self.sourcing.way == "api":
            return LEAST_SERVING
        half = 0.5 if self.released_plan.compression == "int8" else 1.0
        return max(half * self.released.inference_flops / reference_flops(self.released_plan.task), LEAST_SERVING)

    def receive(self) -> None:
        """Release a finished model if its makers judge it better than the one in use, or if the law asks for it."""
        while self.finished:
            job = self.finished.pop(0)
            result = self.model.service.result(job.key)
            self.job = None
            weight = self.field_weight()
            worse = self.released is not None and judged(result, weight) < judged(self.released, weight)
            follows, old = self.follows_order(job.plan, result), self.released_plan
            more_private = old is not None and is_more_private(job.plan, old)
            if worse and not (self.fix_ordered and follows) and not more_private and not self.sourcing.must_leave:
                self.generations.settle(job.plan, is_released=False)
                continue
            self.released, self.released_plan, self.released_hours = result, job.plan, job.hours
            self.sourcing.put_in_force(job.option, job.plan, result)
            self.generations.settle(job.plan, is_released=True)
            lab, field = result.accuracy_lab, result.accuracy_field
            self.firm.record(Release(other=self.where, run=job.key, lab=lab, field=field, rung=job.plan.rung))
            if follows:
                self.obey_order()

    def field_weight(self) -> float:
        """Weight of the field figure in the makers' judgement.

        Assumption: who turns half of its customers' data into rows judges by the field figure alone.
        """
        return self.field_remedy.field_weight(min(2 * self.firm.settings.data_operations, 1.0))

    def remeasure(self, plan: TrainingPlan, result: TrainingResult) -> None:
        """Take over what was measured on the model in use in the language of a later year: the product is the same."""
        assert self.released is not None
        self.firm.certification.follow(self.released.key, result.key)
        self.released, self.released_plan = result, plan
        self.sourcing.announce(plan.kind, result)

    def take_over(self, other: LaboratoryLike) -> None:
        """Release the model of another firm, which was bought, where it is better in the field and no order stands."""
        result, plan = other.released, other.released_plan
        if result is None or plan is None or self.fix_ordered:
            return
        if self.released is not None and result.accuracy_field <= self.released.accuracy_field:
            return
        self.released, self.released_plan = result, plan
        lab, field = result.accuracy_lab, result.accuracy_field
        self.firm.record(Release(other=self.where, run=result.key, lab=lab, field=field, rung=plan.rung))

    def obey_order(self) -> None:
        """A new model is out: an order to fix is followed, and a withdrawn offer may come back."""
        self.fix_ordered = self.suspended = False
        self.ordered_field_accuracy = self.ordered_minimisation = 0.0

    def follows_order(self, plan: TrainingPlan, result: TrainingResult) -> bool:
        """Whether a model has the treatment of personal data, the minority's rows and the field accuracy ordered."""
        asked = round(self.firm.settings.anonymisation + self.extra_anonymisation, 3)
        excess = plan.kind in NETWORK_KINDS and plan.minimisation < self.ordered_minimisation
        private = plan.anonymisation >= asked and not excess
        private = private and self.leak_remedy.is_followed_by(plan)
        fair = plan.minority_share >= round(self.minority_share, 3)
        return private and fair and result.accuracy_field >= self.ordered_field_accuracy

    @property
    def extra_anonymisation(self) -> float:
        """Noise on the inputs that orders have added to what the firm does by itself."""
        return self.leak_remedy.anonymisation

    def collect_minority(self) -> None:
        """Assumption: who must become fairer gathers twice the minority's rows, as far as half of all."""
        self.minority_share = min(2 * self.minority_share, 0.5)

    # -- data ---------------------------------------------------------------------------------------------------------

    def gather_data(self, usd: float) -> None:
        """Label rows: first what customers' use gave (as far as law and pipeline allow), then bought ones."""
        world, s = self.model.settings, self.firm.settings
        labour, law = world.labour, self.law
        keep, remedy = 1 - labour.data_decay_year / 12, self.field_remedy
        field_share, row_usd = remedy.field_share(s.field_share), self.row_usd()
        usd, from_use = remedy.data_usd(usd), self.firm.sales.usage_rows(self) * law.consent_share * s.data_operations
        supplied = 0.0
        if "data" in self.firm.suppliers:
            supplied, paid = buy_rows(self.firm, self.sector, max(usd - from_use * row_usd, 0.0), row_usd)
            usd = max(usd - paid, 0.0)
        affordable = self.firm.spend(usd, "data") / row_usd
        from_use = min(from_use, affordable)
        bought = affordable - from_use + supplied
        self.rows_field = self.rows_field * keep + from_use + bought * field_share
        self.rows_lab = self.rows_lab * keep + bought * (1 - field_share)

    def row_usd(self) -> float:
        """What one row more costs: to collect and label, and of documents what the holder of the rights gets."""
        law = self.law
        cost = self.model.settings.labour.label_cost_usd * law.data_cost_factor
        return cost + law.row_licence_usd if self.sourcing.of_documents else cost

    # -- training -----------------------------------------------------------------------------------------------------

    def order_training(self) -> None:
        """Order the next model when the last is old enough and money, data, law or something new give a reason to."""
        firm, model = self.firm, self.model
        self.generations.review()
        if self.job:
            return
        waited = model.month - self.last_order_month
        if not self.hurried and waited < release_interval(firm.settings, firm.university.researchers() * self.share):
            return
        funds = self.funds()
        team = self.team()
        means = self.means(funds.hours)
        draft = draft_plan(team, self.sector_settings.task, model.settings.compute, means, model.settings.training)
        draft = self.generations.open_to(draft, self.released_plan)
        makes = self.sourcing.order if self.sourcing.is_open() else self.order_own
        order = makes(draft, team, means, funds)
        if order is not None:
            self.place(order, funds)
            self._last_draft = draft, team

    def funds(self) -> Funds:
        """What goes into the next run. Assumption: no more than three tenths of the cash go into one."""
        firm, model = self.firm, self.model
        money = min(self.purse_usd, 0.3 * firm.books.cash_usd * self.share)
        bill_usd = firm.support.bill_affordable_usd(money)
        factor, gain = training_terms(firm, bill_usd)
        price = model.cloud.price_usd(model.year) * gpu_price_factor(firm.law.compute) * factor
        own_hours = firm.settings.reserved_gpus * HOURS_PER_MONTH * model.settings.compute.job_months * self.share
        return Funds(bill_usd, price, own_hours, gain, firm.support.public_hours_left() * self.share)

    def order_own(self, draft: Draft, team: FirmSettings, means: Means, funds: Funds) -> Order | None:
        """The next network from scratch, where it is worth its price."""
        compute = self.model.settings.compute
        pressing = self.fix_ordered or self.sourcing.must_leave or bool(self.generations.trying)
        if not pressing and self.is_idle(draft, team):
            return None
        plan = self.dated(whole_plan(team, draft, self.luck, self.seed, self.model.settings.training))
        plan = self.leak_remedy.applied(plan)
        if not pressing and not self.worth_training(plan):
            return None
        usual = usual_hours(team, compute, plan.rung, means.progress, means.pretraining_runs)
        return Order(SCRATCH, plan, hours_taken(team, compute, means, draft.rung), usual)

    def place(self, order: Order, funds: Funds) -> None:
        """Pay for a run and begin it: on the firm's own GPUs, on those of a public programme, on rented ones."""
        firm, model, plan = self.firm, self.model, order.plan
        cloud_hours = max(order.hours - funds.own_hours, 0.0)
        bought_hours = funds.paid_hours(cloud_hours)
        firm.support.use_public_hours(cloud_hours - bought_hours)
        if self.where:
            pay_licences(firm, self.rows_elsewhere())
        self.purse_usd = max(self.purse_usd - firm.support.pay_compute(bought_hours * funds.price_usd), 0.0)
        self.last_order_month, self.hurried = model.month, False
        self.n_jobs += 1
        self.last_plan = plan
        key = model.order(plan, due=False, skill=skill_at_work(self.team()))
        self.job = Job(plan, key, model.env.now, order.hours, order.usual_hours, order.option)
        model.env.process(self.run(self.job, funds.held_hours(cloud_hours)))

    def dated(self, plan: TrainingPlan) -> TrainingPlan:
        """The plan in the language of the year."""
        year = self.sourcing.year()
        return plan if year == plan.year else replace(plan, year=year)

    def draw_plan(self, hours: float) -> tuple[TrainingPlan, float]:
        """The plan for the GPU hours at hand, and the hours it takes."""
        task, world = self.sector_settings.task, self.model.settings
        means, grid = self.means(hours), world.training
        plan, taken = compose_plan(self.team(), task, world.compute, means, self.luck, self.seed, grid)
        return self.leak_remedy.applied(self.dated(plan)), taken

    def team(self) -> FirmSettings:
        """The firm's settings with the skill that works on models now, and the kind of model that it makes."""
        return self.generations.team(self.firm.university.taught(self.firm.risks.team()))

    def means(self, hours: float) -> Means:
        """What goes into the next run: the GPU hours at hand, rows, and what law and orders ask."""
        model = self.model
        return Means(
            hours,
            model.algorithmic_progress(self.sector) * self.generations.efficiency,
            self.rows_lab + self.generations.transferred_rows(),
            self.rows_field,
            self.minority_share,
            self.firm.settings.anonymisation + self.extra_anonymisation,
            self.law.minimisation_share,
            *self.pretraining(),
            MAX_DOCUMENTS if self.sourcing.is_open() else MAX_ROWS,
        )

    def pretraining(self) -> tuple[int, float]:
        """Proxy rows per sector that the next model's trunk is trained on, and what that costs in runs; home: none.

        They stand for the rows that the firm holds in its other sectors, on average; where it serves fewer sectors
        than the trunk is trained on, public data fill in (assumption).
        """
        if not self.where:
            return 0, 0.0
        world, rows = self.model.settings, rows_left(self.firm, self.rows_elsewhere())
        n_others = len(self.firm.laboratories) - 1
        return proxy_rows(world.compute, rows, step=world.training.rows_step), pretraining_runs(n_others)

    def rows_elsewhere(self) -> float:
        """Rows that the firm holds in each of its other sectors, on average."""
        others = [lab for lab in self.firm.laboratories.values() if lab is not self]
        return sum(lab.rows_lab + lab.rows_field for lab in others) / len(others)

    def worth_training(self, plan: TrainingPlan) -> bool:
        """A run is worth its price when it is larger, has more rows or more telling ones, or is more private."""
        old = self.released_plan
        if old is None:
            return True
        if plan == self.last_plan:
            return False
        better_taught = self.firm.university.know_how > 0 and plan.recipe != old.recipe
        return better_taught or plan.year > old.year or improves_on(plan, old)

    def is_idle(self, draft: Draft, team: FirmSettings) -> bool:
        """Whether `worth_training` is sure to refuse the plan, so that it need not be written; most months end here."""
        old, remedy = self.released_plan, self.leak_remedy
        if old is None or remedy.minimisation or remedy.dp_noise:  # orders about leaks are laid over the plan
            return False
        if self.sourcing.year() > old.year:
            return False
        last = self._last_draft
        if last is not None and last[1] is team and last[0] == draft:
            return True
        return self.firm.university.know_how == 0 and not improves_on(draft, old)

    def run(self, job: Job, cloud_hours: float) -> Generator[simpy.Event, object, None]:
        """SimPy process: a job waits for GPUs and runs, attempt by attempt; then its result is due.

        What broken attempts cost is paid with the order, at its expectation; how long they take is drawn.
        """
        model, number = self.model, self.n_jobs
        yield model.env.timeout(model.streams.uniform("submission", self.name, number))
        broken = self.broken_attempts(number)
        lost = self.firm.settings.engineering.lost_share * broken
        pace = (1 + lost) / (1 + expected_waste(self.firm.settings.engineering))
        # GPUs are rented (or owned) for the work as usual practice would need it: better practice is done sooner.
        effort = job.hours / job.usual_hours if job.usual_hours > 1 else 1.0
        if cloud_hours > 1:
            most = most_gpus(self.firm.law.compute)
            yield model.env.process(model.cloud.run_job(cloud_hours * pace, cloud_hours / effort, most))
        else:
            yield model.env.timeout(max(model.settings.compute.job_months * effort * pace, 0.05))
        if months := evaluated_for(self.firm, job.hours):
            yield model.env.timeout(months)
        if self.firm.alive:
            self.n_broken += broken
            self.lost_runs += lost
            self.run_months = model.env.now - job.ordered
            if broken:
                self.firm.record(RunBrokeDown(other=self.where, run=job.key, attempts=broken, lost_runs=lost))
            model.call_due(job.key)
            self.finished.append(job)

    def broken_attempts(self, number: int) -> int:
        """How many attempts at that run break down before one succeeds; at most 20."""
        rate = self.firm.settings.engineering.failure_rate
        draws = (self.model.streams.uniform(f"attempt:{attempt}", self.name, number) for attempt in range(20))
        return next((attempt for attempt, u in enumerate(draws) if u >= rate), 20)
