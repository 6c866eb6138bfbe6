"""How a firm turns talent, data and money into a training plan. Pure rules: numbers in, a plan out.

Weak teams really train with worse settings: the recipe follows from skill, and the learning rate of a weak team is
further from the tuned one.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from agents.settings import EngineeringSettings, FirmSettings
from simulation.compute import effective_gpu_hours, gpu_hours_for_rung, proxy_rows, rung_for
from simulation.settings import ComputeSettings
from simulation.training.ladder import RUNGS
from simulation.training.plan import NETWORK_KINDS, Recipe, TrainingPlan, TrainingResult

# Assumption: what teams of rising skill do; the least skilled work with the textbook recipe of the 1990s (MOD-OPT). The
# learning rates are near the best of each recipe on rungs 1 to 4; `off` below says how far a team misses it.
_NOVICE = Recipe(optimizer="sgd", activation="sigmoid", learning_rate=1.0, schedule="constant")
_COMPETENT = Recipe(optimizer="momentum", activation="tanh", learning_rate=0.05, schedule="constant")
_EXPERT = Recipe(optimizer="adam", activation="relu", learning_rate=0.01, schedule="cosine")
_LEADER = Recipe(optimizer="adam", activation="relu", learning_rate=0.014, schedule="cosine", augmentation=True)
USUAL_PRACTICE = EngineeringSettings()
# Measured (CNN, rungs 1 to 5, coverage 0.4, six seeds): varying the rows costs one to four points in the field there
# and gains up to four elsewhere. Teams that know of augmentation know where to leave it.
WITHOUT_AUGMENTATION = frozenset({"driving-perception", "medical-imaging", "service-language"})
RECIPES: tuple[tuple[float, Recipe], ...] = ((0.8, _LEADER), (0.55, _EXPERT), (0.35, _COMPETENT), (0.0, _NOVICE))


@lru_cache(maxsize=4096)
def recipe_for(skill: float, luck: float, task: str) -> Recipe:
    """Recipe of a team of `skill` (0..1); `luck`, a standard normal draw, sets how far its learning rate is off."""
    recipe = next(recipe for threshold, recipe in RECIPES if skill >= threshold)
    if task in WITHOUT_AUGMENTATION:
        recipe = replace(recipe, augmentation=False)
    off = math.exp(0.9 * (1 - min(skill, 1.0)) * max(min(luck, 2.5), -2.5))
    rate = float(f"{recipe.learning_rate * off:.1e}")
    return replace(recipe, learning_rate=rate)


@lru_cache(maxsize=4096)
def plan_of(skill: float, luck: float, task: str, **rest: Any) -> TrainingPlan:
    """The plan of a team. A firm that waits for more data or money composes that of last month again: it is kept."""
    return TrainingPlan(task=task, recipe=recipe_for(skill, luck, task), **rest)


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


def compose_plan(
    firm: FirmSettings, task: str, compute: ComputeSettings, means: Means, luck: float, seed: int
) -> tuple[TrainingPlan, float]:
    """The plan a firm makes, and the GPU hours it takes: the highest rung it can pay for, and no more."""
    skill = min(firm.skill * math.sqrt(firm.collaboration), 1.0)
    able, parallelism = engineering(firm) / (1 + means.pretraining_runs), firm.engineering.parallelism
    effective = effective_gpu_hours(compute, means.hours_affordable, means.progress, able, parallelism)
    rung = rung_for(compute, effective, len(RUNGS) - 1)
    needed = gpu_hours_for_rung(compute, rung, means.progress, able, parallelism)
    hours = min(needed, means.hours_affordable)
    rows = means.rows_lab + means.rows_field
    plan = plan_of(
        skill,
        luck,
        task,
        kind=firm.model_kind,
        rung=rung,
        rows=proxy_rows(compute, rows),
        label_noise=round(firm.label_noise, 3),
        coverage=min(round(means.rows_field / max(rows, 1.0), 1), firm.field_mix),
        minority_share=round(means.minority_share, 3),
        anonymisation=round(means.anonymisation, 3),
        compression=firm.compression,
        minimisation=round(means.minimisation, 3) if firm.model_kind in NETWORK_KINDS else 0.0,
        dp_noise=firm.dp_noise,
        pretraining_rows=means.pretraining_rows,
        seed=seed,
    )
    return plan, hours


def release_interval(settings: FirmSettings, researchers: float) -> float:
    """Months between two models: fewer with more researchers who work together; 5 to 18 (assumptions)."""
    effort = max(researchers * settings.collaboration, 0.5)
    return min(max(settings.release_months * math.sqrt(2 / effort), 5.0), 18.0)
