"""Whether the chain and the replays say the same: what the chain names, taken away, should change the ending.

A chain shows that things went together; a replay without one of them shows whether the ending needed it. Where they
contradict each other, the replay is the better witness, and the story must say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.counterfactual.search import Reversals, Search
from analysis.explain.causes import chain
from analysis.explain.facts import Fact
from analysis.explain.rules import Link, names_of


@dataclass(frozen=True)
class Check:
    """One kind of cause in a chain against the replays that act on it.

    label: what levers call it (`Lever.acts_on`); causes: those of its kind, the nearest to the ending first.
    direct: whether it leads to the ending itself. levers: those that were tried; turning: those that turn the ending.
    """

    label: str
    causes: tuple[Fact, ...]
    direct: bool
    levers: tuple[str, ...]
    turning: tuple[str, ...]
    complete: bool

    @property
    def agrees(self) -> bool | None:
        """True: without the cause the ending turns; False: it stays; None: no replay can tell."""
        if self.turning:
            return True
        return False if self.levers and self.complete else None


def label_of(link: Link) -> str:
    """What a lever acts on: the measure that a recorded cause was found in, or its kind; else the rule."""
    return names_of(link.cause)[1] if link.cause.kind == "condition" else link.basis


def checks(end: Fact, links: Sequence[Link], reversals: Reversals) -> list[Check]:
    """Each kind of cause that leads to the ending, against all levers that act on it; the direct ones first."""
    found: dict[str, dict[Fact, int]] = {}
    for depth, link in chain(end, links):
        depths = found.setdefault(label_of(link), {})
        depths[link.cause] = min(depth, depths.get(link.cause, depth))
    every = [check(label, causes, reversals) for label, causes in found.items()]
    return sorted((one for one in every if one.direct or one.levers), key=lambda one: not one.direct)


def check(label: str, causes: dict[Fact, int], reversals: Reversals) -> Check:
    """One kind of cause against all levers that act on it; `causes` holds their depths in the chain."""
    acting = [one for one in reversals.searches if label in one.pull.acts_on and one.tried]
    turning = [one for one in acting if one.reversal is not None]
    nearest = sorted(causes, key=lambda cause: causes[cause])
    return Check(
        label, tuple(nearest), causes[nearest[0]] == 1, levers_of(acting), levers_of(turning), reversals.complete
    )


def levers_of(searches: Sequence[Search]) -> tuple[str, ...]:
    """Levers by name, each once."""
    return tuple(dict.fromkeys(one.pull.lever for one in searches))


def agrees(one: Search, checked: Sequence[Check], complete: bool) -> bool | None:
    """Whether a lever that acts on a cause in the chain turns the ending around, and one that does not leaves it.

    None while the search is not done.
    """
    named = any(check.label in one.pull.acts_on for check in checked)
    if one.reversal is not None:
        return named
    return None if not complete else not named
