"""From what some worlds ordered to what further worlds will need: every order with every member of the pool.

Which member a team draws is independent of all else about it, so a team that was seen with one member is as likely with
each of the others; the seed and the learning rate of its plans are then the member's. A plan's frequency is the mean
number of its orders in a world, its saving the training FLOPs that it saves there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from agents.firm.training_plan import recipe_for
from analysis.training.pool.orders import Order
from simulation.model import Ordered
from simulation.training.plan import TrainingPlan
from simulation.training.pool import member


class Combination(NamedTuple):
    """A plan by its member: `plan` is the same for all members, which differ in seed and learning rate."""

    plan: TrainingPlan
    learning_rate: float
    number: int

    def whole(self) -> TrainingPlan:
        """The plan that is trained."""
        recipe = replace(self.plan.recipe, learning_rate=self.learning_rate)
        return replace(self.plan, recipe=recipe, seed=member(self.plan.task, self.number).seed)


@dataclass(frozen=True, slots=True)
class Need:
    """What further worlds are expected to order: `frequency` times in each."""

    combination: Combination
    frequency: float
    flops: float

    @property
    def saving(self) -> float:
        """Training FLOPs saved in a world, once it is in the ledger."""
        return self.frequency * self.flops


@dataclass(frozen=True)
class Reach:
    """Shares of the networks, and of the training FLOPs, of worlds that the first `n` plans would have served."""

    n: int
    of_networks: float
    of_flops: float


def needs(worlds: Sequence[Iterable[Order]], pool: int, rate_step: float) -> list[Need]:
    """All plans that orders of these worlds lead to with any member of the pool, largest saving first."""
    teams: Counter[tuple[TrainingPlan, float, float]] = Counter()
    flops: dict[TrainingPlan, float] = {}
    for order in (order for world in worlds for order in world):
        common = without_member(order.ordered.plan)
        rate = order.ordered.plan.recipe.learning_rate
        teams[(common, rate, -1.0) if math.isnan(order.ordered.skill) else (common, 0.0, order.ordered.skill)] += 1
        flops[common] = order.flops
    counts: Counter[Combination] = Counter()
    for (common, rate, skill), count in teams.items():
        for number in range(pool):
            own = rate if skill < 0 else rate_of(common.task, skill, number, rate_step)
            counts[Combination(common, own, number)] += count
    share, texts = 1 / (pool * max(len(worlds), 1)), {common: common.as_json() for common in flops}
    found = [Need(one, count * share, flops[one.plan]) for one, count in counts.items()]
    return sorted(found, key=lambda need: (-need.saving, texts[need.combination.plan], *need.combination[1:]))


def reach(worlds: Sequence[Sequence[Order]], pool: int, rate_step: float, sizes: Sequence[int]) -> list[Reach]:
    """What plans ranked by one half of the worlds would have saved in the other half; nothing of a single world.

    With half the worlds to rank by it rather says too little.
    """
    known, new = worlds[::2], worlds[1::2]
    if not new:
        return []
    ranks = {need.combination: rank for rank, need in enumerate(needs(known, pool, rate_step))}
    numbers: dict[str, dict[int, int]] = {}
    asked = []
    for order in (order for world in new for order in world):
        task = order.ordered.plan.task
        by_seed = numbers.setdefault(task, {member(task, number).seed: number for number in range(pool)})
        asked.append((ranks.get(combination_of(order.ordered, by_seed), math.inf), order.flops))
    return [_reach(size, asked) for size in sizes]


def _reach(size: int, asked: Sequence[tuple[float, float]]) -> Reach:
    served = [flops for rank, flops in asked if rank < size]
    total = sum(flops for _, flops in asked)
    return Reach(size, len(served) / max(len(asked), 1), sum(served) / total if total else 0.0)


def combination_of(ordered: Ordered, by_seed: dict[int, int]) -> Combination:
    """An order by its member; `by_seed`: numbers of the members of its task by their seeds."""
    plan = ordered.plan
    return Combination(without_member(plan), plan.recipe.learning_rate, by_seed[plan.seed])


def without_member(plan: TrainingPlan) -> TrainingPlan:
    """What is left of a plan when seed and learning rate are taken away."""
    return replace(plan, seed=0, recipe=replace(plan.recipe, learning_rate=1.0))


def rate_of(task: str, skill: float, number: int, rate_step: float) -> float:
    """Learning rate of a team of that skill with that member's luck."""
    return recipe_for(skill, member(task, number).luck, task, rate_step).learning_rate
