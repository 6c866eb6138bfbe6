"""Compute: the GPU cloud (a SimPy container with a queue), its price, and the bridge from money to a proxy rung.

The bridge is monotone in money and documented in `docs/model.md`:

    GPU hours   = budget / price(t)                                  price falls by C1
    effective   = GPU hours · n^(−loss) · 2^(Δmonths / halving) · engineering       loss = parallel_loss · parallelism
    rung        = 1 + log(effective / rung_gpu_hours) / log(rung_factor), rounded down, at least 0
"""

from __future__ import annotations

import math
from collections.abc import Generator

import simpy

from simulation.settings import ComputeSettings
from simulation.settings.resources import REFERENCE_YEAR as REFERENCE_YEAR
from simulation.settings.resources import list_price_usd as list_price_usd
from simulation.settings.training import FINEST_ROWS
from simulation.trend import Trend, doubled, halved

HOURS_PER_MONTH = 730.0


def progress_after(halving_months: float, years: float) -> float:
    """How much more a GPU hour achieves after so many years, where the compute for a fixed quality halves."""
    return float(2 ** (years * 12 / halving_months))


def algorithmic_progress(halving_months: float, year: float) -> float:
    """How much more a GPU hour achieves in `year` than in 2017 (C6, C7)."""
    return progress_after(halving_months, year - REFERENCE_YEAR)


def gpus_for(settings: ComputeSettings, gpu_hours: float) -> float:
    """GPUs that a firm uses so that the job takes about `job_months`; at least one. Not rounded: see the cloud."""
    return max(1.0, gpu_hours / (HOURS_PER_MONTH * settings.job_months))


def effective_gpu_hours(
    settings: ComputeSettings, gpu_hours: float, progress: float, engineering: float, parallelism: float = 1.0
) -> float:
    """GPU hours after distribution loss, algorithmic progress and engineering skill (MOD-DISTRIBUTED, MOD-PRACTICE).

    `parallelism` scales the exponent of what is lost to distribution: below 1 for better parallel code than usual.
    """
    loss = settings.parallel_loss * parallelism
    return gpu_hours * gpus_for(settings, gpu_hours) ** -loss * progress * engineering


def rung_for(settings: ComputeSettings, effective: float, highest: int) -> int:
    """Rung of the proxy ladder that `effective` GPU hours buy, 0 … `highest`."""
    if effective < 1e-9:
        return 0
    rung = 1 + math.floor(math.log(effective / settings.rung_gpu_hours) / math.log(settings.rung_factor) + 1e-9)
    return min(max(rung, 0), highest)


def gpu_hours_for_rung(
    settings: ComputeSettings, rung: int, progress: float, engineering: float, parallelism: float = 1.0
) -> float:
    """GPU hours that just buy `rung` (inverse of the bridge); 0 for rung 0."""
    if rung <= 0:
        return 0.0
    needed = settings.rung_gpu_hours * settings.rung_factor ** (rung - 1) / (progress * engineering)
    on_one = (
        HOURS_PER_MONTH * settings.job_months
    )  # what one GPU does in the time aimed at: up to there nothing is lost
    if needed > on_one:
        loss = settings.parallel_loss * parallelism
        needed = (needed / on_one**loss) ** (1 / (1 - loss))
    return needed * (1 + 1e-6)


def proxy_rows(
    settings: ComputeSettings, rows: float, lowest: int = 64, highest: int = 8192, step: float = FINEST_ROWS
) -> int:
    """Proxy rows that stand for `rows` real ones, on a grid of `step` doublings so that like plans are the same plan.

    The finest grid rounds down; coarser ones round so that they take no more off on average.
    """
    raw = settings.rows_proxy_base * (max(rows, 1.0) / settings.rows_base) ** settings.rows_exponent
    doublings = math.log2(max(raw, lowest) / lowest) + (step - FINEST_ROWS) / 2
    return min(round(lowest * 2 ** (math.floor(doublings / step + 1e-9) * step)), highest)


class Cloud:
    """The shared GPU cloud: jobs queue first come, first served for the GPUs they need."""

    def __init__(self, env: simpy.Environment, settings: ComputeSettings, year: float) -> None:
        self.env = env
        self.settings = settings
        self.price_trend = Trend(halved, settings.price_halving_years, REFERENCE_YEAR)
        self.size_trend = Trend(doubled, settings.growth_doubling_years, REFERENCE_YEAR)
        self.size = max(1.0, settings.gpus * self.size_trend.at(year))
        self.free = simpy.Container(env, init=self.size)
        self._queued: float | None = 0.0  # None: the queue may have moved since it was counted
        self._listed: tuple[float, ComputeSettings, float] = (math.nan, settings, 0.0)  # year, settings, price

    def configure(self, settings: ComputeSettings, year: float) -> None:
        """Take the settings that an intervention gives from `year` on."""
        self.settings = settings
        self.price_trend.bend(settings.price_halving_years, year)
        self.size_trend.bend(settings.growth_doubling_years, year)

    def grow(self, year: float) -> None:
        """Add the GPUs that have come by `year`; the cloud never shrinks."""
        target = self.settings.gpus * self.size_trend.at(year)
        if target > self.size:
            self.free.put(target - self.size)
            self.size, self._queued = target, None

    def queued_gpus(self) -> float:
        """GPUs that waiting jobs ask for."""
        if self._queued is None:
            self._queued = float(sum(request.amount for request in self.free.get_queue))
        return self._queued

    def list_price_usd(self, year: float) -> float:
        """List price of a GPU hour now, worked out once a month."""
        if self._listed[0] != year or self._listed[1] is not self.settings:
            self._listed = (year, self.settings, self.settings.price_usd_hour * self.price_trend.at(year))
        return self._listed[2]

    def price_usd(self, year: float) -> float:
        """Price of a GPU hour now: the list price, raised while jobs queue."""
        return self.list_price_usd(year) * (1 + self.settings.congestion * self.queued_gpus() / self.size)

    def run_job(
        self, gpu_hours: float, sized_for: float | None = None, most: float = math.inf
    ) -> Generator[simpy.Event, object, float]:
        """SimPy process: wait for GPUs, hold them, give them back. Returns the months waited.

        `sized_for` is the work that the number of GPUs was chosen for, GPU hours; by default what the job takes. `most`
        is how many GPUs the law lets one job have.
        """
        planned = gpu_hours if sized_for is None else sized_for
        n_gpus = min(float(math.ceil(gpus_for(self.settings, planned))), self.size, most)
        asked = self.env.now
        granted, self._queued = self.free.get(n_gpus), None
        yield granted
        waited = self.env.now - asked
        yield self.env.timeout(max(gpu_hours / n_gpus / HOURS_PER_MONTH, 0.05))
        returned, self._queued = self.free.put(n_gpus), None
        yield returned
        return float(waited)
