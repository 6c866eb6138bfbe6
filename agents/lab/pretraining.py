"""Pretraining as a laboratory does it: what is trained, GPUs over months, instalments, and what comes out."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import simpy

from simulation.compute import HOURS_PER_MONTH
from simulation.general_purpose_law import evaluation_months, licence_usd, tokens_left
from simulation.settings.foundations import (
    FoundationSettings,
    ladder_of,
    pretraining_gpu_hours,
    text_tokens,
    training_flop,
)
from simulation.training.foundation.plan import FoundationPlan, FoundationResult
from simulation.training.pool import Member, member
from simulation.training.values import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from agents.firm.owner import World
    from simulation.books import Account
    from simulation.settings.general_purpose import GeneralPurposeSettings

RATE_STEP = 0.5  # doublings: steps between learning rates, so that plans of like teams are the same plan
TEXT_STEP = 0.01  # share: the same of the quality of text and of what is withheld


class Pays(Protocol):
    """Who trains and pays for it."""

    model: World
    name: str

    def spend(self, usd: float, account: Account, payee: str = ...) -> float: ...


@dataclass(frozen=True, slots=True)
class Intended:
    """A run that a laboratory means to begin: its plan, its rung, and what it expects to pay, USD."""

    plan: FoundationPlan
    rung: float
    cost_usd: float


@dataclass(slots=True)
class Run:
    """A run under way. Hours are GPU hours of a 2017 V100, as far as the laboratory is in this world."""

    intended: Intended
    key: str
    training_flop: float
    hours: float
    monthly_hours: float
    paid_hours: float = 0.0
    paid_usd: float = 0.0
    machines_done: bool = False
    called: bool = False  # its result is due

    @property
    def is_paid(self) -> bool:
        """Whether nothing is owed, but for rounding."""
        return self.paid_hours >= self.hours * (1 - 1e-9)


@dataclass(frozen=True, slots=True)
class Trained:
    """A foundation, what was measured on it, and what it cost."""

    plan: FoundationPlan
    rung: float
    result: FoundationResult
    cost_usd: float
    training_flop: float


def foundation_plan(
    settings: FoundationSettings,
    rung: float,
    year: int,
    identity: Member,
    skill: float,
    text_quality: float,
    text_left: float = 1.0,
) -> FoundationPlan:
    """What a team trains: a rung of the ladder on the text that it has, with a learning rate as good as its skill.

    `text_left`: share of the text that its owners do not keep out; never less than one step (assumption: some is free).
    """
    plan = ladder_of(settings).plan(rung)
    off = 2 ** (RATE_STEP * round(0.9 * (1 - skill) * identity.luck / math.log(2) / RATE_STEP))
    tokens = round(plan.tokens * max(on_grid(text_left), TEXT_STEP))
    return replace(
        plan,
        tokens=tokens,
        quality=on_grid(text_quality),
        vintage=min(max(year, FIRST_YEAR), LAST_YEAR),
        learning_rate=float(f"{plan.learning_rate * off:.3g}"),
        seed=identity.seed,
    )


def law_of(model: World) -> GeneralPurposeSettings:
    """What the world's law asks of makers of large models, who have no sector and no home."""
    return model.laws.of_state().general_purpose


def on_grid(share: float) -> float:
    """A share to the nearest step of text."""
    return round(TEXT_STEP * round(share / TEXT_STEP), 3)


def identity_of(model: World, name: str) -> Member:
    """Seed and luck of a team, of the pool that all laboratories of all worlds draw from."""
    settings = model.settings.foundations
    assert settings is not None
    return member("foundation", model.streams.integer("foundation", name) % settings.pool)


class Pretraining:
    """The runs of one laboratory, one after another."""

    def __init__(self, owner: Pays) -> None:
        self.owner, self.model = owner, owner.model
        self.identity = identity_of(self.model, owner.name)
        self.run: Run | None = None
        self.n_runs = 0
        self.last_order_month = -1000

    @property
    def settings(self) -> FoundationSettings:
        """Settings in force."""
        settings = self.model.settings.foundations
        assert settings is not None
        return settings

    def cost_usd(self, rung: float) -> float:
        """What a run of that rung would cost this laboratory at today's price, as far as it is in this world."""
        hours = self.settings.scale * pretraining_gpu_hours(self.settings, rung, self.model.year)
        return hours * self.hour_usd() + self.licences_usd(rung)

    def licences_usd(self, rung: float) -> float:
        """Licences that the law asks for the text of a run of that rung, as far as it is in this world."""
        law, tokens = law_of(self.model), text_tokens(training_flop(self.settings, rung, self.model.year))
        return self.settings.scale * licence_usd(law, tokens_left(law, tokens))

    def hour_usd(self) -> float:
        """A GPU hour with what goes with it: wages and text."""
        s = self.settings
        return self.model.cloud.price_usd(self.model.year) * (1 + s.staff_ratio + s.text_ratio)

    def intend(self, rung: float, skill: float, text_quality: float) -> Intended:
        """The run of that rung, begun now."""
        year = self.model.today.year
        left = tokens_left(law_of(self.model), 1.0)
        plan = foundation_plan(self.settings, rung, year, self.identity, skill, text_quality, left)
        return Intended(plan, rung, self.cost_usd(rung))

    def order(self, intended: Intended, run_months: float) -> Run:
        """Begin a run: GPUs are rented for its months, the first instalment is due at once."""
        s, year = self.settings, self.model.year
        hours = s.scale * pretraining_gpu_hours(s, intended.rung, year)
        key = self.model.order_foundation(intended.plan)
        self.run = Run(
            intended, key, training_flop(s, intended.rung, year), hours, monthly_hours=hours / math.ceil(run_months)
        )
        self.n_runs += 1
        self.last_order_month = self.model.month
        self.model.env.process(self.occupy(self.run, run_months))
        self.run.paid_usd += self.owner.spend(self.licences_usd(intended.rung), "data")
        self.pay_instalment()
        return self.run

    def occupy(self, run: Run, run_months: float) -> Generator[simpy.Event, object, None]:
        """SimPy process: hold GPUs of the shared cloud for the months of a run."""
        env, compute = self.model.env, self.model.settings.compute
        yield env.timeout(self.model.streams.uniform("pretraining", self.owner.name, self.n_runs))
        shared = run.hours * self.settings.cloud_share
        if shared / run_months > HOURS_PER_MONTH:  # one GPU at least
            yield env.process(self.model.cloud.run_job(shared, shared * compute.job_months / run_months))
        else:
            yield env.timeout(run_months)
        if months := evaluation_months(law_of(self.model), run.training_flop):
            yield env.timeout(months)
        run.machines_done = True
        self.call(run)

    def pay_instalment(self) -> float:
        """Pay this month's part of the run under way; returns the USD paid. What cannot be paid stays due."""
        run = self.run
        if run is None or run.is_paid:
            return 0.0
        hours, price = min(run.monthly_hours, run.hours - run.paid_hours), self.model.cloud.price_usd(self.model.year)
        s, owner = self.settings, self.owner
        due = hours * price * (1 + s.staff_ratio + s.text_ratio)
        paid = owner.spend(hours * price, "compute")
        paid += owner.spend(hours * price * s.staff_ratio, "wages", "workers")
        paid += owner.spend(hours * price * s.text_ratio, "data")
        run.paid_usd += paid
        run.paid_hours += hours * min(paid / due, 1.0) if paid < due - 0.05 else hours
        self.call(run)
        return paid

    def call(self, run: Run) -> None:
        """The result is due once the machines are done and paid for."""
        if run is self.run and run.machines_done and run.is_paid and not run.called:
            run.called = True
            self.model.call_due(run.key)

    def receive(self) -> Trained | None:
        """What came out of the run, once."""
        run = self.run
        if run is None or not run.called:
            return None
        self.run = None
        result = self.model.service.foundation_result(run.key)
        return Trained(run.intended.plan, run.intended.rung, result, run.paid_usd, run.training_flop)

    def give_up(self) -> None:
        """Drop the run under way: nobody pays for it any more."""
        self.run = None
