"""How a firm turns talent, data and money into a training plan. Pure rules: numbers in, a plan out.

Weak teams really train with worse settings: the recipe follows from skill, and the learning rate of a weak team is
further from the tuned one.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from agents.settings import EngineeringSettings, FirmSettings
from simulation.compute import effective_gpu_hours, gpu_hours_for_rung, proxy_rows, rung_for
from simulation.settings import ComputeSettings, TrainingSettings
from simulation.settings.training import FINEST_COVERAGE
from simulation.training.plan import MAX_ROWS, NETWORK_KINDS, Recipe, TrainingPlan, highest_rung
from simulation.training.result import TrainingResult

# Assumption: what teams of rising skill do; the least skilled work with the textbook recipe of the 1990s (MOD-OPT). The
# learning rates are near the best of each recipe on rungs 1 to 4; `off` below says how far a team misses it.
_NOVICE = Recipe(optimizer="sgd", activation="sigmoid", learning_rate=1.0, schedule="constant")
_COMPETENT = Recipe(optimizer="momentum", activation="tanh", learning_rate=0.05, schedule="constant")
_EXPERT = Recipe(optimizer="adam", activation="relu", learning_rate=0.01, schedule="cosine")
_LEADER = Recipe(optimizer="adam", activation="relu", learning_rate=0.014, schedule="cosine", augmentation=True)
USUAL_PRACTICE = EngineeringSettings()
USUAL_GRID = TrainingSettings()
# Measured (CNN, rungs 1 to 5, coverage 0.4, six seeds): varying the rows costs one to four points in the field there
# and gains up to four elsewhere. Teams that know of augmentation know where to leave it.
WITHOUT_AUGMENTATION = frozenset({"driving-perception", "medical-imaging", "service-language"})
RECIPES: tuple[tuple[float, Recipe], ...] = ((0.8, _LEADER), (0.55, _EXPERT), (0.35, _COMPETENT), (0.0, _NOVICE))


@lru_cache(maxsize=4096)
def recipe_for(skill: float, luck: float, task: str, rate_step: float = 0.0) -> Recipe:
    """Recipe of a team of `skill` (0..1); `luck`, a standard normal draw, sets how far its learning rate is off.

    rate_step: grid of the factor by which it is off, in doublings; 0 for none.
    """
    recipe = next(recipe for threshold, recipe in RECIPES if skill >= threshold)
    if task in WITHOUT_AUGMENTATION:
        recipe = replace(recipe, augmentation=False)
    off = math.exp(0.9 * (1 - min(skill, 1.0)) * max(min(luck, 2.5), -2.5))
    if rate_step:
        off = 2 ** (rate_step * round(math.log2(off) / rate_step))
    rate = float(f"{recipe.learning_rate * off:.1e}")
    return replace(recipe, learning_rate=rate)


def engineering(firm: FirmSettings, practice: EngineeringSettings | None = None) -> float:
    """What a GPU hour yields in this team's hands, 1 for an average one (MOD-PRACTICE, TEAM-PRACTICE; assumption).

    Hours that broken attempts are expected to waste are counted off: a firm plans with its own experience. `practice`
    is the firm's own unless given.
    """
    practice = practice or firm.engineering
    waste = _USUAL_WORK / (1 + expected_waste(practice))
    return 0.5 * 4**firm.skill * firm.collaboration * practice.hardware * practice.memory * waste


def usual_hours(
    firm: FirmSettings, compute: ComputeSettings, rung: int, progress: float, pretraining_runs: float = 0.0
) -> float:
    """GPU hours that the rung would take the same team with usual practice: what it rents GPUs for."""
    return gpu_hours_for_rung(compute, rung, progress, engineering(firm, USUAL_PRACTICE) / (1 + pretraining_runs))


def expected_waste(practice: EngineeringSettings) -> float:
    """Work that broken attempts cost on average, as a share of the run: attempts until one succeeds are geometric."""
    rate = practice.failure_rate
    return rate / (1 - rate) * practice.lost_share


def judged(result: TrainingResult, field_weight: float) -> float:
    """Quality of a model as its makers see it: teams without data from the field judge by the lab figure."""
    return (1 - field_weight) * result.accuracy_lab + field_weight * result.accuracy_field


_USUAL_WORK = 1 + expected_waste(USUAL_PRACTICE)


class Means(NamedTuple):
    """What a firm can put into the next training run."""

    hours_affordable: float  # GPU hours (V100) that purse, vouchers and reserved GPUs pay for
    progress: float  # algorithmic progress relative to 2017
    rows_lab: float
    rows_field: float
    minority_share: float
    anonymisation: float
    minimisation: float = 0.0  # share of inputs that the law forbids to collect
    pretraining_rows: int = 0  # proxy rows per sector that a model's trunk is trained on first
    pretraining_runs: float = 0.0  # what that costs, in runs of the same size
    most_rows: int = MAX_ROWS  # proxy rows that a plan of the task can have


class Draft(NamedTuple):
    """What money, data and law make of a plan, as in `TrainingPlan`; the rest of it is the team's."""

    task: str
    rung: int
    rows: int
    coverage: float
    minority_share: float
    anonymisation: float
    minimisation: float
    dp_noise: float
    pretraining_rows: int


def draft_plan(
    firm: FirmSettings, task: str, compute: ComputeSettings, means: Means, grid: TrainingSettings = USUAL_GRID
) -> Draft:
    """What a firm would train with its means: the highest rung it can pay for, all rows it has."""
    able = engineering(firm) / (1 + means.pretraining_runs)
    parallelism = firm.engineering.parallelism
    effective = effective_gpu_hours(compute, means.hours_affordable, means.progress, able, parallelism)
    rows = means.rows_lab + means.rows_field
    return Draft(
        task,
        rung_for(compute, effective, min(compute.last_rung, highest_rung(task))),
        proxy_rows(compute, rows, highest=means.most_rows, step=grid.rows_step),
        min(coverage_on_grid(means.rows_field / max(rows, 1.0), grid.coverage_step), firm.field_mix),
        round(means.minority_share, 3),
        round(means.anonymisation, 3),
        round(means.minimisation, 3) if firm.model_kind in NETWORK_KINDS else 0.0,
        firm.dp_noise,
        means.pretraining_rows,
    )


def skill_at_work(firm: FirmSettings) -> float:
    """Skill with which a team chooses its recipe: its people's, and what working together makes of it; 0..1."""
    return min(firm.skill * math.sqrt(firm.collaboration), 1.0)


def coverage_on_grid(share: float, step: float) -> float:
    """A share of rows from the field to the nearest multiple of `step`."""
    if step == FINEST_COVERAGE:
        return round(share, 1)  # exact where a share lies between two tenths, which a quotient is not
    return min(round(step * round(share / step), 3), 1.0)


def whole_plan(
    firm: FirmSettings, draft: Draft, luck: float, seed: int, grid: TrainingSettings = USUAL_GRID
) -> TrainingPlan:
    """A draft with what the team adds: its kind of model, its recipe, its labels."""
    return TrainingPlan(
        **draft._asdict(),
        kind=firm.model_kind,
        label_noise=round(firm.label_noise, 3),
        compression=firm.compression,
        recipe=recipe_for(skill_at_work(firm), luck, draft.task, grid.rate_step),
        seed=seed,
    )


def is_more_private(new: TrainingPlan | Draft, old: TrainingPlan) -> bool:
    """Whether a plan goes further in what law or firm decided: inputs left out, DP-SGD."""
    return new.minimisation > old.minimisation or new.dp_noise > old.dp_noise


def improves_on(new: TrainingPlan | Draft, old: TrainingPlan) -> bool:
    """Whether a plan is larger, has more rows, more telling or fairer ones, or is more private."""
    larger = new.rung > old.rung or new.rows > old.rows or new.coverage > old.coverage + 0.05
    larger = larger or new.pretraining_rows > old.pretraining_rows
    return larger or new.minority_share > old.minority_share or is_more_private(new, old)


def hours_taken(firm: FirmSettings, compute: ComputeSettings, means: Means, rung: int) -> float:
    """GPU hours that the rung takes, and no more than the firm can pay for."""
    able = engineering(firm) / (1 + means.pretraining_runs)
    return min(
        gpu_hours_for_rung(compute, rung, means.progress, able, firm.engineering.parallelism), means.hours_affordable
    )


def compose_plan(
    firm: FirmSettings,
    task: str,
    compute: ComputeSettings,
    means: Means,
    luck: float,
    seed: int,
    grid: TrainingSettings = USUAL_GRID,
) -> tuple[TrainingPlan, float]:
    """The plan a firm makes, and the GPU hours it takes."""
    draft = draft_plan(firm, task, compute, means, grid)
    return whole_plan(firm, draft, luck, seed, grid), hours_taken(firm, compute, means, draft.rung)


def release_interval(settings: FirmSettings, researchers: float) -> float:
    """Months between two models: fewer with more researchers who work together; 5 to 18 (assumptions)."""
    effort = max(researchers * settings.collaboration, 0.5)
    return min(max(settings.release_months * math.sqrt(2 / effort), 5.0), 18.0)
