"""How a laboratory's model gets into a product: a firm's laboratory adapts it to the documents of its sector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.firm.laboratory import Job, Laboratory
from agents.firm.training_plan import coverage_on_grid, skill_at_work
from agents.firm.ways import Option
from simulation.compute import proxy_rows
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.plan import MAX_DOCUMENTS, Recipe, TrainingPlan
from simulation.training.values import DOCUMENT_TASKS, FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from agents.firm.owner import World

FINETUNED_FROM = 1024
"""Proxy rows from which finetuning does better than a read-out in closed form (docs/foundation-models.md)."""
RECIPE, RUNG = Recipe(learning_rate=1e-3), 2
"""How weights are finetuned, and for how long; assumption near the best in docs/foundation-models.md."""


def can_adapt(model: World, sector: str) -> bool:
    """Whether a foundation can be adapted to a sector's task: it must be one of documents."""
    return model.settings.sectors[sector].task in DOCUMENT_TASKS


def adaptation_plan(laboratory: Laboratory, foundation: FoundationPlan) -> TrainingPlan:
    """The best that a team with weights and rows can make of a foundation."""
    world, firm = laboratory.model.settings, laboratory.firm.settings
    held = laboratory.rows_lab + laboratory.rows_field
    rows = proxy_rows(world.compute, held, highest=MAX_DOCUMENTS, step=world.training.rows_step)
    mix = coverage_on_grid(laboratory.rows_field / max(held, 1.0), world.training.coverage_step)
    return TrainingPlan(
        task=laboratory.sector_settings.task,
        kind="finetuned" if rows >= FINETUNED_FROM else "probe",
        rung=RUNG,
        rows=rows,
        label_noise=round(firm.label_noise, 3),
        coverage=min(mix, firm.field_mix),
        minority_share=round(laboratory.minority_share, 3),
        anonymisation=round(firm.anonymisation + laboratory.extra_anonymisation, 3),
        recipe=RECIPE,
        seed=laboratory.seed,
        year=min(max(laboratory.model.today.year, FIRST_YEAR), LAST_YEAR),
        foundation=foundation,
    )


def is_worth_it(new: TrainingPlan, last: TrainingPlan | None) -> bool:
    """Whether to adapt again: another foundation, twice the rows, or the language of another year."""
    return last is None or new.foundation != last.foundation or new.year != last.year or new.rows >= 2 * last.rows


def order_adaptation(
    laboratory: Laboratory, foundation: FoundationPlan, last: TrainingPlan | None
) -> TrainingPlan | None:
    """Adapt a foundation where that is worth it and the laboratory is free; returns the plan that is trained, if any.

    What that costs in compute is nothing beside the foundation (assumption). `last`: what was ordered so before.
    """
    model = laboratory.model
    if laboratory.is_busy or not can_adapt(model, laboratory.sector):
        return None
    plan = adaptation_plan(laboratory, foundation)
    if not is_worth_it(plan, last):
        return None
    laboratory.n_jobs += 1
    laboratory.last_plan, laboratory.last_order_month = plan, model.month
    key = model.order(plan, due=False, skill=skill_at_work(laboratory.firm.settings))
    laboratory.job = Job(plan, key, model.env.now, option=Option("own", "own", own=foundation))
    model.env.process(laboratory.run(laboratory.job, 0.0))
    return plan
