"""Filling a ledger ahead of time for worlds that share a pool: what saves most is trained first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import TrainingInterrupted
from analysis.play.options import PlayOptions
from analysis.training.grids import train_plans
from analysis.training.pool.orders import OpenService, orders_of
from analysis.training.pool.ranking import Need, Reach, needs, reach
from simulation.training.device import device_name, resolve_device

if TYPE_CHECKING:
    from scenarios import Scenario

USUAL_LIMIT = 10_000
USUAL_SEEDS = 8
PORTION = 2_048
"""Plans that are trained in one go: many enough for full batches, few enough that the most useful ones come first."""
SIZES = (1_000, 4_000, 16_000, 64_000, 256_000)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Filled:
    """What was done: `n_orders` of `n_worlds` worlds led to `n_plans` plans, of which `n_wanted` were asked for.

    n_played: networks trained while the worlds were played; n_trained: ahead of time; n_from_ledger: of the plans asked
    for, those that stood there already; saved: shares of networks and FLOPs of worlds left out, by plans in the ledger.
    """

    scenario: str
    pool: int
    n_worlds: int
    n_orders: int
    n_played: int
    n_plans: int
    n_wanted: int
    n_trained: int
    n_from_ledger: int
    seconds: float
    device: str
    saved: tuple[Reach, ...]


def fill(
    scenario: Scenario, settings: PlayOptions, limit: int, tell: Tell, open_service: OpenService | None = None
) -> Filled:
    """Play worlds of a scenario that has a pool, and train the `limit` plans that save most in further ones.

    settings: its seeds are the worlds; what is in its ledger is neither trained nor counted as trained.

    Raises:
        TrainingInterrupted: Ctrl-C; what was trained by then is in the ledger, the same command goes on.
    """
    started, training = time.perf_counter(), scenario.world.training
    pool = training.pool or 0
    block = orders_of(scenario, settings, open_service)
    worlds = list(block.orders.values())
    ranked = needs(worlds, pool, training.rate_step)
    wanted = ranked[:limit]
    tell(_plan_told(worlds, ranked, wanted))
    n_trained = _train(wanted, settings, tell)
    sizes = sorted({len(wanted), len(ranked), *(size for size in SIZES if size < len(ranked))})
    return Filled(
        scenario.name,
        pool,
        len(worlds),
        sum(map(len, worlds)),
        block.n_trained,
        len(ranked),
        len(wanted),
        n_trained,
        len(wanted) - n_trained,
        time.perf_counter() - started,
        device_name(resolve_device(settings.device)),
        tuple(reach(worlds, pool, training.rate_step, sizes)),
    )


def _train(wanted: Sequence[Need], settings: PlayOptions, tell: Tell) -> int:
    """Train in portions; returns how many were not in the ledger."""
    started, done, trained = time.perf_counter(), 0, 0
    for begin in range(0, len(wanted), PORTION):
        portion = wanted[begin : begin + PORTION]
        try:
            trained += train_plans([need.combination.whole() for need in portion], settings).n_trained
        except TrainingInterrupted as stop:
            raise TrainingInterrupted(done + stop.done, len(wanted)) from stop
        done += len(portion)
        left = (time.perf_counter() - started) * (len(wanted) - done) / done
        tell(f"{done:,} of {len(wanted):,} plans are in the ledger, {trained:,} trained now; about {told_time(left)}")
    return trained


def told_time(seconds: float) -> str:
    """Time left."""
    return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"


def _plan_told(worlds: Sequence[Sequence[Any]], ranked: Sequence[Need], wanted: Sequence[Need]) -> str:
    whole, part = (sum(need.saving for need in some) for some in (ranked, wanted))
    orders = sum(map(len, worlds))
    return (
        f"{orders:,} networks of {len(worlds)} worlds lead to {len(ranked):,} plans with all members of the pool; the "
        f"{len(wanted):,} that save most stand for {part / whole if whole else 0:.0%} of their training"
    )


def as_document(filled: Filled) -> dict[str, Any]:
    """JSON-serialisable dict; keys in docs/outputs.md."""
    record = {name: getattr(filled, name) for name in Filled.__dataclass_fields__ if name != "saved"}
    saved = [{"plans": one.n, "networks": one.of_networks, "flops": one.of_flops} for one in filled.saved]
    return {"grid": "pool", **record, "saved": saved}
