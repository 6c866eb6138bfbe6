"""A firm's research and data: rows it holds, models it trains, the one it has released."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import simpy

from agents.research import Means, compose_plan, expected_waste, judged, release_interval, usual_hours
from simulation.compute import HOURS_PER_MONTH, algorithmic_progress
from simulation.demand import advantage
from simulation.training.ladder import architecture, inference_flops
from simulation.training.plan import TrainingPlan, TrainingResult
from simulation.training.tasks import get_task

if TYPE_CHECKING:
    from agents.firm import Firm


@cache
def reference_flops(task: str) -> float:
    """Inference FLOPs of a mid-ladder network of the task: what `inference_gpu_hours` of a segment is meant for."""
    return inference_flops(architecture(get_task(task), "cnn", 2))


@dataclass(slots=True)
class Job:
    """A training run under way or done."""

    plan: TrainingPlan
    key: str
    ordered: float = 0.0  # months since the start of the world
    hours: float = 0.0  # GPU hours it takes when nothing unusual happens
    usual_hours: float = 0.0  # GPU hours that it would take with usual engineering practice


class Laboratory:
    """Data and models of one firm. Rows are real rows, `purse_usd` is what was set aside for training compute."""

    def __init__(self, firm: Firm) -> None:
        s = firm.settings
        self.firm, self.model = firm, firm.model
        # Luck and seed belong to the team, not to the order of its runs: the same plan is then the same run in every
        # arm of an experiment, and a data set that grows keeps its first rows.
        self.luck = self.model.streams.normal("recipe", firm.name)
        self.seed = self.model.streams.integer("training", firm.name)
        self.rows_lab, self.rows_field = s.rows * (1 - s.field_share), s.rows * s.field_share
        self.extra_anonymisation = 0.0
        self.minority_share = 0.1  # assumption: what convenience sampling gives a minority of a tenth
        self.ordered_field_accuracy = self.ordered_minimisation = 0.0
        self.released: TrainingResult | None = None
        self.released_plan: TrainingPlan | None = None
        self.last_plan: TrainingPlan | None = None
        self.job: Job | None = None
        self.finished: list[Job] = []
        self.n_jobs = 0
        self.n_broken = 0  # attempts that broke down so far
        self.lost_runs = 0.0  # work lost in them, in runs
        self.run_months = float("nan")  # from the order to the result of the last run
        self.last_order_month = -100
        self.purse_usd = 0.0
        self.fix_ordered = False
        self.hurried = False  # the next run need not wait for the usual interval

    # -- quality ------------------------------------------------------------------------------------------------------

    @property
    def quality_lab(self) -> float:
        """Measured lab accuracy of the released model; NaN before the first."""
        return self.released.accuracy_lab if self.released else float("nan")

    @property
    def quality_field(self) -> float:
        """Measured field accuracy of the released model; NaN before the first."""
        return self.released.accuracy_field if self.released else float("nan")

    def advantages(self) -> tuple[float, float]:
        """(lab, field) advantage over the sector's traditional method; (0, 0) before the first model."""
        if not self.released:
            return 0.0, 0.0
        old, new = self.model.traditional[self.firm.sector], self.released
        return advantage(new.accuracy_lab, old.accuracy_lab), advantage(new.accuracy_field, old.accuracy_field)

    def serving_scale(self) -> float:
        """Cost of serving with the released model against a mid-ladder one; 8-bit weights take half the hardware."""
        if not self.released or not self.released_plan:
            return 1.0
        half = 0.5 if self.released_plan.compression == "int8" else 1.0
        return max(half * self.released.inference_flops / reference_flops(self.released_plan.task), 0.02)

    def receive(self) -> None:
        """Release a finished model if its makers judge it better than the one in use, or if the law asks for it."""
        while self.finished:
            job = self.finished.pop(0)
            result = self.model.service.result(job.key)
            self.job = None
            # Assumption: who turns half of its customers' data into rows judges by the field figure alone.
            weight = self.firm.remedy.field_weight(min(2 * self.firm.settings.data_operations, 1.0))
            worse = self.released is not None and judged(result, weight) < judged(self.released, weight)
            follows = self.follows_order(job.plan, result)
            if worse and not (self.fix_ordered and follows) and not self.is_more_private(job.plan):
                continue
            self.released, self.released_plan = result, job.plan
            text = f"lab {result.accuracy_lab:.3f}, field {result.accuracy_field:.3f}, rung {job.plan.rung}"
            self.firm.record("release", cause=job.key, text=text)
            if follows:
                self.firm.obey_order()

    def follows_order(self, plan: TrainingPlan, result: TrainingResult) -> bool:
        """Whether a model has the treatment of personal data, the minority's rows and the field accuracy ordered."""
        asked = round(self.firm.settings.anonymisation + self.extra_anonymisation, 3)
        private = plan.anonymisation >= asked and plan.minimisation >= self.ordered_minimisation
        fair = plan.minority_share >= round(self.minority_share, 3)
        return private and fair and result.accuracy_field >= self.ordered_field_accuracy

    def is_more_private(self, plan: TrainingPlan) -> bool:
        """Whether a plan goes further than the released one in what law or firm decided: inputs left out, DP-SGD."""
        old = self.released_plan
        return old is not None and (plan.minimisation > old.minimisation or plan.dp_noise > old.dp_noise)

    def collect_minority(self) -> None:
        """Assumption: who must become fairer gathers twice the minority's rows, as far as half of all."""
        self.minority_share = min(2 * self.minority_share, 0.5)

    # -- data ---------------------------------------------------------------------------------------------------------

    def gather_data(self, usd: float) -> None:
        """Label rows: first what customers' use gave (as far as law and pipeline allow), then bought ones."""
        labour, law, s = self.model.settings.labour, self.model.settings.law, self.firm.settings
        keep, remedy = 1 - labour.data_decay_year / 12, self.firm.remedy
        field_share, row_usd = remedy.field_share(s.field_share), labour.label_cost_usd * law.data_cost_factor
        affordable = self.firm.spend(remedy.data_usd(usd), "data") / row_usd
        from_use = min(self.firm.sales.usage_rows() * law.consent_share * s.data_operations, affordable)
        bought = affordable - from_use
        self.rows_field = self.rows_field * keep + from_use + bought * field_share
        self.rows_lab = self.rows_lab * keep + bought * (1 - field_share)

    # -- training -----------------------------------------------------------------------------------------------------

    def order_training(self) -> None:
        """Order the next model when the last is old enough and money, data or law give a reason to."""
        firm, model = self.firm, self.model
        waited = model.month - self.last_order_month
        early = waited < release_interval(firm.settings, firm.staff["research"])
        if self.job or (early and not self.hurried):
            return
        # Assumption: no more than three tenths of the cash go into one run.
        money = min(self.purse_usd, 0.3 * firm.books.cash_usd)
        price = model.cloud.price_usd(model.year)
        own_hours = firm.settings.reserved_gpus * HOURS_PER_MONTH * model.settings.compute.job_months
        plan, hours = self.draw_plan(own_hours + firm.compute_bill_affordable(money) / price)
        if not self.fix_ordered and not self.worth_training(plan):
            return
        bought_hours = max(hours - own_hours, 0.0)
        self.purse_usd = max(self.purse_usd - firm.pay_compute(bought_hours * price), 0.0)
        self.last_order_month, self.hurried = model.month, False
        self.n_jobs += 1
        self.last_plan = plan
        progress = algorithmic_progress(firm.sector_settings.algorithmic_halving_months, model.year)
        usual = usual_hours(firm.settings, model.settings.compute, plan.rung, progress)
        self.job = Job(plan, model.order(plan, due=False), model.env.now, hours, usual)
        model.env.process(self.run(self.job, bought_hours))

    def draw_plan(self, hours: float) -> tuple[TrainingPlan, float]:
        """The plan for the GPU hours at hand, and the hours it takes."""
        model, firm, sector = self.model, self.firm, self.firm.sector_settings
        progress = algorithmic_progress(sector.algorithmic_halving_months, model.year)
        noise = firm.settings.anonymisation + self.extra_anonymisation
        minimisation = model.settings.law.minimisation_share
        means = Means(hours, progress, self.rows_lab, self.rows_field, self.minority_share, noise, minimisation)
        return compose_plan(firm.settings, sector.task, model.settings.compute, means, self.luck, self.seed)

    def worth_training(self, plan: TrainingPlan) -> bool:
        """A run is worth its price when it is larger, has more rows or more telling ones, or is more private."""
        old = self.released_plan
        if old is None or plan == self.last_plan:
            return old is None
        fairer = plan.minority_share > old.minority_share
        larger = plan.rung > old.rung or plan.rows > old.rows or plan.coverage > old.coverage + 0.05
        return larger or fairer or self.is_more_private(plan)

    def run(self, job: Job, cloud_hours: float) -> Generator[simpy.Event, object, None]:
        """SimPy process: a job waits for GPUs and runs, attempt by attempt; then its result is due.

        What broken attempts cost is paid with the order, at its expectation; how long they take is drawn.
        """
        model, number = self.model, self.n_jobs
        yield model.env.timeout(model.streams.uniform("submission", self.firm.name, number))
        broken = self.broken_attempts(number)
        lost = self.firm.settings.engineering.lost_share * broken
        pace = (1 + lost) / (1 + expected_waste(self.firm.settings.engineering))
        # GPUs are rented (or owned) for the work as usual practice would need it: better practice is done sooner.
        effort = job.hours / job.usual_hours if job.usual_hours > 1 else 1.0
        if cloud_hours > 1:
            yield model.env.process(model.cloud.run_job(cloud_hours * pace, cloud_hours / effort))
        else:
            yield model.env.timeout(max(model.settings.compute.job_months * effort * pace, 0.05))
        if self.firm.alive:
            self.n_broken += broken
            self.lost_runs += lost
            self.run_months = model.env.now - job.ordered
            if broken:
                self.firm.record(
                    "run broke down", cause=job.key, text=f"{broken} attempts, {lost:.1f} runs of work lost"
                )
            model.call_due(job.key)
            self.finished.append(job)

    def broken_attempts(self, number: int) -> int:
        """How many attempts at that run break down before one succeeds; at most 20."""
        rate = self.firm.settings.engineering.failure_rate
        draws = (self.model.streams.uniform(f"attempt:{attempt}", self.firm.name, number) for attempt in range(20))
        return next((attempt for attempt, u in enumerate(draws) if u >= rate), 20)
