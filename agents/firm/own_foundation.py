"""A foundation of an application firm's own: how large it can be, and which text it reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agents.firm.ways import Option
from simulation.settings.foundations import ladder_of, pretraining_usd
from simulation.training.foundation.plan import FoundationPlan

if TYPE_CHECKING:
    from simulation.settings import WorldSettings

CASH_SHARE = 0.3  # assumption, as for any run: no more of the cash goes into one


@dataclass(frozen=True, slots=True)
class OwnFoundation:
    """What a firm has pretrained."""

    rung: float
    plan: FoundationPlan


def own_option(
    world: WorldSettings, held: OwnFoundation | None, task: str, year: int, seed: int, cash_usd: float
) -> Option | None:
    """The firm's own foundation as a way: a larger one where it can pay for it, else the one it has, else none."""
    rung = largest_affordable(world, year, CASH_SHARE * cash_usd)
    if rung is not None and (held is None or rung > held.rung):
        plan, usd = plan_of(world, rung, task, year, seed), pretraining_usd(world, rung, year)
        return Option("own", "own", own=plan, own_rung=rung, pretraining_usd=usd)
    return None if held is None else Option("own", "own", own=held.plan, own_rung=held.rung)


def largest_affordable(world: WorldSettings, year: int, money_usd: float) -> float | None:
    """Largest rung that the settings, the frontier of the year and the money allow; None for none."""
    most, foundations = world.sourcing.own_rung, world.foundations
    if most is None or foundations is None:
        return None
    ladder = ladder_of(foundations)
    most = min(most, ladder.frontier(year))
    rungs = [rung for rung in ladder.rungs if rung <= most and pretraining_usd(world, rung, year) <= money_usd]
    return max(rungs, default=None)


def plan_of(world: WorldSettings, rung: float, task: str, year: int, seed: int) -> FoundationPlan:
    """What it reads: text of the year, a part of it from the firm's sector; one of the world's few seeds."""
    foundations = world.foundations
    assert foundations is not None
    plan = ladder_of(foundations).plan(rung)
    share = world.sourcing.own_sector_share
    return replace(plan, sector=task, sector_share=share, vintage=year, seed=seed % foundations.pool)
