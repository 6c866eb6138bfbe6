"""What each cause contributes to meeting every statement of its case: Shapley values over all subsets of the causes.

The game: v(S) is the share of seeds that meet every statement of the chapter, its ending among them, when exactly the
causes in S are present. All subsets are played in the same seeds, so every seed has Shapley values of its own, and the
values of the case are their means.

References
[1] Shapley (1953), A value for n-person games. doi:10.1515/9781400881970-018
[2] Grabisch and Roubens (1999), An axiomatic approach to the concept of interaction among players in cooperative games.
    doi:10.1007/s001820050125
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.cases.evidence import read_evidence
from analysis.cases.expectations import judge, matches
from analysis.cases.setups import WITHOUT, twin_arms
from analysis.errors import AnalysisError
from analysis.play.experiment import BASE
from analysis.play.lockstep import Arm
from analysis.runs.run import Run
from analysis.statistics.intervals import Interval, bootstrap_means, paired_share_difference, wilson

if TYPE_CHECKING:
    from scenarios import Scenario

MOST_CAUSES = 6  # 64 worlds a seed
AND = "+"  # joins causes in names of arms; no name of a cause holds it

Coalition = frozenset[str]


@dataclass(frozen=True)
class Contribution:
    """One cause: its Shapley value [1], in shares of seeds; positive where the cause brings the match about."""

    name: str
    section: str
    says: str
    value: Interval


@dataclass(frozen=True)
class Interaction:
    """Two causes together, on average over the others [2]: above 0 each needs the other, below 0 each replaces it."""

    first: str
    second: str
    effect: Interval


@dataclass(frozen=True)
class Attribution:
    """One case: v of all causes and of none, and what each cause contributes; the values sum to the difference.

    whole: v(all) − v(none) with Tango's interval for paired shares.
    strongest: the pair of causes whose interaction is largest in size; None for a single cause.
    coalitions: v(S) by the causes present, sorted from none to all.
    """

    id: str
    name: str
    title: str
    match_all: Interval
    match_none: Interval
    whole: Interval
    contributions: tuple[Contribution, ...]
    strongest: Interaction | None
    coalitions: tuple[tuple[tuple[str, ...], float], ...]

    @property
    def total(self) -> float:
        """v(all) − v(none): the sum of the Shapley values."""
        return self.match_all.estimate - self.match_none.estimate


def arms_of_subsets(setup: Scenario) -> list[Arm]:
    """The case with every subset of its causes taken away, 2^k arms, and its twin where it has one.

    Raises `AnalysisError` for no or many causes.
    """
    names = list(setup.causes)
    if not 1 <= len(names) <= MOST_CAUSES:
        raise AnalysisError(
            f"{setup.name} names {len(names)} causes, which would need 2^{len(names)} worlds a seed; "
            f"Shapley values are for 1 to {MOST_CAUSES} causes"
        )
    arms = [Arm(setup.name, arm_without(taken), setup.without(*taken)) for taken in subsets(names)]
    return [*arms, *twin_arms(setup)]


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """All subsets, the empty one first, in the order of the names."""
    return [subset for size in range(len(names) + 1) for subset in combinations(names, size)]


def arm_without(taken: Sequence[str]) -> str:
    """Name of the arm without these causes."""
    return f"{WITHOUT}{AND.join(taken)}" if taken else BASE


def attribute(run: Run, setup: Scenario) -> Attribution:
    """Shapley values of one case, from the tables of a run that holds all its subsets."""
    names = tuple(setup.causes)
    played = matches_by_coalition(run, setup)
    values = shapley_by_seed(played, names)
    intervals = bootstrap_means(values.to_numpy())
    return Attribution(
        id=setup.id or setup.name,
        name=setup.name,
        title=setup.title,
        match_all=_share(played[frozenset(names)]),
        match_none=_share(played[frozenset()]),
        whole=paired_share_difference(played[frozenset(names)].to_numpy(), played[frozenset()].to_numpy()),
        contributions=tuple(
            Contribution(name, setup.causes[name].section, setup.causes[name].says, value)
            for name, value in zip(names, intervals, strict=True)
        ),
        strongest=strongest_interaction(played, names),
        coalitions=tuple((present, float(played[frozenset(present)].mean())) for present in subsets(names)),
    )


def matches_by_coalition(run: Run, setup: Scenario) -> dict[Coalition, pd.Series]:
    """Which seeds match, by the causes that are present."""
    names = list(setup.causes)
    return {
        frozenset(names) - frozenset(taken): matches(
            setup.expect, judge(setup.expect, setup.focal, read_evidence(run, setup, arm_without(taken)))
        )
        for taken in subsets(names)
    }


def shapley_by_seed(played: dict[Coalition, pd.Series], names: Sequence[str]) -> pd.DataFrame:
    """Shapley values of every seed by itself, seeds × causes; their means are those of the case (v is linear)."""
    return pd.DataFrame({name: _marginal(played, names, (name,)) for name in names})


def strongest_interaction(played: dict[Coalition, pd.Series], names: Sequence[str]) -> Interaction | None:
    """The pair of causes whose interaction is largest in size; ties go to the pair named first."""
    pairs = list(combinations(names, 2))
    if not pairs:
        return None
    by_seed = np.column_stack([_marginal(played, names, pair) for pair in pairs])
    effects = bootstrap_means(by_seed)
    best = max(range(len(pairs)), key=lambda i: (round(abs(effects[i].estimate), 12), -i))
    return Interaction(*pairs[best], effects[best])


def _marginal(played: dict[Coalition, pd.Series], names: Sequence[str], group: tuple[str, ...]) -> np.ndarray:
    """What one cause (Shapley value [1]) or a pair (interaction index [2]) adds, seed by seed, shape (seeds,).

    Mean over the orders in which the others may come before the group, of the group's difference of v. Orders are
    counted in whole numbers and divided once, so that values sum to the whole effect to the last digit.
    """
    others = [name for name in names if name not in group]
    n_orders = factorial(len(names) - len(group) + 1)
    total = np.zeros(len(next(iter(played.values()))))
    for before in subsets(others):
        weight = factorial(len(before)) * factorial(len(others) - len(before))
        for joined in subsets(group):
            sign = (-1) ** (len(group) - len(joined))
            total += sign * weight * played[frozenset(before) | frozenset(joined)].to_numpy(float)
    return total / n_orders


def _share(met: pd.Series) -> Interval:
    return wilson(int(met.sum()), len(met))


def as_document(found: Attribution) -> dict[str, Any]:
    """The attribution as JSON says it."""
    strongest = found.strongest
    return {
        "id": found.id,
        "scenario": found.name,
        "match_all": found.match_all.as_dict("share"),
        "match_none": found.match_none.as_dict("share"),
        "total": found.total,
        "whole": found.whole.as_dict("effect"),
        "values": [
            {"name": one.name, "section": one.section, "says": one.says, **one.value.as_dict("value")}
            for one in found.contributions
        ],
        "strongest_interaction": strongest
        and {"causes": [strongest.first, strongest.second], **strongest.effect.as_dict("effect")},
        "coalitions": [{"present": list(present), "share": share} for present, share in found.coalitions],
    }
