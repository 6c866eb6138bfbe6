"""How a firm turns talent, data and money into a training plan. Pure rules: numbers in, a plan out.

Weak teams really train with worse settings: the recipe follows from skill, and the learning rate of a weak team is
further from the tuned one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from agents.settings import EngineeringSettings, FirmSettings
from simulation.compute import effective_gpu_hours, gpu_hours_for_rung, proxy_rows, rung_for
from simulation.settings import ComputeSettings
from simulation.training.ladder import RUNGS
from simulation.training.plan import Recipe, TrainingPlan, TrainingResult

# Assumption: what teams of rising skill do; the least skilled work with the textbook recipe of the 1990s (MOD-OPT). The
# learning rates are near the best of each recipe on rungs 1 to 4; `off` below says how far a team misses it.
_NOVICE = Recipe(optimizer="sgd", activation="sigmoid", learning_rate=1.0, schedule="constant")
_COMPETENT = Recipe(optimizer="momentum", activation="tanh", learning_rate=0.05, schedule="constant")
_EXPERT = Recipe(optimizer="adam", activation="relu", learning_rate=0.01, schedule="cosine")
_LEADER = Recipe(optimizer="adam", activation="relu", learning_rate=0.014, schedule="cosine", augmentation=True)
# Measured on both tasks: above this share, more rows from the field lower the lab figure and do not raise the field
# figure. Clean rows are cheap to make, so a firm with more field data than that mixes some in.
BEST_MIX = 0.5
USUAL_PRACTICE = EngineeringSettings()
RECIPES: tuple[tuple[float, Recipe], ...] = ((0.8, _LEADER), (0.55, _EXPERT), (0.35, _COMPETENT), (0.0, _NOVICE))


def recipe_for(skill: float, luck: float) -> Recipe:
    """Recipe of a team of `skill` (0..1); `luck`, a standard normal draw, sets how far its learning rate is off."""
    recipe = next(recipe for threshold, recipe in RECIPES if skill >= threshold)
    off = math.exp(0.9 * (1 - min(skill, 1.0)) * max(min(luck, 2.5), -2.5))
    rate = float(f"{recipe.learning_rate * off:.1e}")
    return Recipe(recipe.optimizer, recipe.activation, rate, recipe.schedule, recipe.augmentation, recipe.weight_decay)


def engineering(firm: FirmSettings) -> float:
    """What a GPU hour yields in this team's hands, 1 for an average one (MOD-PRACTICE, TEAM-PRACTICE; assumption).

    Hours that broken attempts are expected to waste are counted off: a firm plans with its own experience.
    """
    practice = firm.engineering
    waste = (1 + expected_waste(USUAL_PRACTICE)) / (1 + expected_waste(practice))
    return 0.5 * 4**firm.skill * firm.collaboration * practice.hardware * practice.memory * waste


def usual_hours(firm: FirmSettings, compute: ComputeSettings, rung: int, progress: float) -> float:
    """GPU hours that the rung would take the same team with usual practice: what it rents GPUs for."""
    usual = firm.model_copy(update={"engineering": USUAL_PRACTICE})
    return gpu_hours_for_rung(compute, rung, progress, engineering(usual))


def expected_waste(practice: EngineeringSettings) -> float:
    """Work that broken attempts cost on average, as a share of the run: attempts until one succeeds are geometric."""
    return practice.failure_rate / (1 - practice.failure_rate) * practice.lost_share


def judged(result: TrainingResult, field_weight: float) -> float:
    """Quality of a model as its makers see it: teams without data from the field judge by the lab figure."""
    return (1 - field_weight) * result.accuracy_lab + field_weight * result.accuracy_field


@dataclass(frozen=True, slots=True)
class Means:
    """What a firm can put into the next training run."""

    hours_affordable: float  # GPU hours (V100) that purse, vouchers and reserved GPUs pay for
    progress: float  # algorithmic progress relative to 2017
    rows_lab: float
    rows_field: float
    minority_share: float
    anonymisation: float


def compose_plan(
    firm: FirmSettings, task: str, compute: ComputeSettings, means: Means, luck: float, seed: int
) -> tuple[TrainingPlan, float]:
    """The plan a firm makes, and the GPU hours it takes: the highest rung it can pay for, and no more."""
    skill = min(firm.skill * math.sqrt(firm.collaboration), 1.0)
    able, parallelism = engineering(firm), firm.engineering.parallelism
    effective = effective_gpu_hours(compute, means.hours_affordable, means.progress, able, parallelism)
    rung = rung_for(compute, effective, len(RUNGS) - 1)
    needed = gpu_hours_for_rung(compute, rung, means.progress, able, parallelism)
    hours = min(needed, means.hours_affordable)
    rows = means.rows_lab + means.rows_field
    plan = TrainingPlan(
        task=task,
        kind=firm.model_kind,
        rung=rung,
        rows=proxy_rows(compute, rows),
        label_noise=round(firm.label_noise, 3),
        coverage=min(round(means.rows_field / max(rows, 1.0), 1), BEST_MIX),
        minority_share=round(means.minority_share, 3),
        anonymisation=round(means.anonymisation, 3),
        compression=firm.compression,
        recipe=recipe_for(skill, luck),
        seed=seed,
    )
    return plan, hours


def release_interval(settings: FirmSettings, researchers: float) -> float:
    """Months between two models: fewer with more researchers who work together; 5 to 18 (assumptions)."""
    effort = max(researchers * settings.collaboration, 0.5)
    return min(max(settings.release_months * math.sqrt(2 / effort), 5.0), 18.0)
