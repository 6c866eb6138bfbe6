"""Compute: what money buys at a date, and what happens when two firms want the whole cloud."""

from __future__ import annotations

from typing import Any

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.compute import (
    HOURS_PER_MONTH,
    REFERENCE_YEAR,
    Cloud,
    algorithmic_progress,
    effective_gpu_hours,
    gpu_hours_for_rung,
    list_price_usd,
    proxy_rows,
    rung_for,
)
from simulation.settings import ComputeSettings
from tests.support.world_fakes import bound

TOP = 5
money = st.floats(1, 9).map(lambda x: 10**x)
years = st.floats(2010, 2030)
skills = st.floats(0.3, 3)


def rung_of(usd: float, year: float, able: float, settings: ComputeSettings | None = None) -> int:
    """The rung that a budget buys at a date."""
    compute = settings or ComputeSettings()
    hours = usd / list_price_usd(compute, year)
    effective = effective_gpu_hours(compute, hours, algorithmic_progress(16, year), able)
    return rung_for(compute, effective, TOP)


@given(a=money, b=money, year=years, able=skills)
@settings(max_examples=500)
def test_more_money_never_buys_a_lower_rung(a: float, b: float, year: float, able: float) -> None:
    assert rung_of(min(a, b), year, able) <= rung_of(max(a, b), year, able)


def test_one_gpu_hour_more_is_never_worth_less() -> None:
    """The distribution loss must not jump where one GPU more is taken: 1,090 hours must not buy what 1,100 do not."""
    compute = ComputeSettings(rung_gpu_hours=1080)
    effective = [effective_gpu_hours(compute, 10.0 * i, 1.0, 1.0) for i in range(1, 400)]
    assert effective == sorted(effective)
    rungs = [rung_for(compute, hours, TOP) for hours in effective]
    assert rungs == sorted(rungs)


@given(usd=money, a=years, b=years, able=skills)
def test_the_same_money_never_buys_less_at_a_later_date(usd: float, a: float, b: float, able: float) -> None:
    early, late = min(a, b), max(a, b)
    if late - early > 1:
        assert rung_of(usd, early, able) <= rung_of(usd, late, able)


@given(usd=money, year=years, a=skills, b=skills)
def test_skill_never_lowers_the_rung(usd: float, year: float, a: float, b: float) -> None:
    assert rung_of(usd, year, min(a, b)) <= rung_of(usd, year, max(a, b))


def test_the_ladder_is_used_from_bottom_to_top() -> None:
    assert rung_of(10, 2014, 1.0) == 0 and rung_of(1e9, 2022, 1.0) == TOP
    assert sorted({rung_of(10 ** (i / 4), 2018, 1.0) for i in range(4, 40)}) == list(range(TOP + 1))


@given(rung=st.integers(1, TOP), year=years, able=skills, loss=st.floats(0, 0.06), factor=st.floats(2, 30))
def test_the_hours_for_a_rung_buy_it_and_a_hundredth_less_does_not(
    rung: int, year: float, able: float, loss: float, factor: float
) -> None:
    compute = ComputeSettings(parallel_loss=loss, rung_factor=factor)
    progress = algorithmic_progress(16, year)
    hours = gpu_hours_for_rung(compute, rung, progress, able)
    assert rung_for(compute, effective_gpu_hours(compute, hours, progress, able), TOP) == rung
    assert rung_for(compute, effective_gpu_hours(compute, 0.99 * hours, progress, able), TOP) < rung
    assert gpu_hours_for_rung(compute, 0, progress, able) == 0


def test_the_hours_for_a_rung_buy_it_at_the_largest_loss_that_the_schema_allows() -> None:
    compute = ComputeSettings(parallel_loss=bound(ComputeSettings, "parallel_loss", "high"))
    hours = gpu_hours_for_rung(compute, 4, 1.0, 1.0)
    assert rung_for(compute, effective_gpu_hours(compute, hours, 1.0, 1.0), TOP) == 4


def test_the_price_of_a_gpu_hour_halves_every_2_46_years() -> None:
    compute = ComputeSettings()
    assert list_price_usd(compute, REFERENCE_YEAR) == 3.06
    for year in (2012.0, 2017.8, 2025.3):
        assert list_price_usd(compute, year + 2.46) == pytest.approx(list_price_usd(compute, year) / 2)


def test_algorithms_double_what_an_hour_achieves_in_the_stated_time() -> None:
    assert algorithmic_progress(16, REFERENCE_YEAR) == 1
    assert algorithmic_progress(16, REFERENCE_YEAR + 16 / 12) == pytest.approx(2)
    assert algorithmic_progress(8, REFERENCE_YEAR + 16 / 12) == pytest.approx(4)


@given(a=st.floats(0, 1e12), b=st.floats(0, 1e12))
def test_proxy_rows_grow_with_rows_on_a_half_octave_grid(a: float, b: float) -> None:
    compute = ComputeSettings()
    grid = {round(64 * 2 ** (i / 2)) for i in range(15)}
    few, many = proxy_rows(compute, min(a, b)), proxy_rows(compute, max(a, b))
    assert few <= many and {few, many} <= grid
    assert 64 <= few and many <= 8192


def test_proxy_rows_of_known_sizes() -> None:
    """10,000 real rows stand for 128 proxy rows (base), twice as many for four times as many (square root)."""
    compute = ComputeSettings()
    assert [proxy_rows(compute, rows) for rows in (0, 10_000, 40_000, 160_000, 1e12)] == [64, 128, 256, 512, 8192]


# -- the cloud ---------------------------------------------------------------------------------------------------------


def cloud_of(gpus: float, **terms: Any) -> Cloud:
    return Cloud(simpy.Environment(), ComputeSettings(gpus=gpus, **terms), REFERENCE_YEAR)


def finished(cloud: Cloud, *jobs: float) -> list[tuple[float, float]]:
    """(months waited, month of the end) of jobs of so many GPU hours, asked for together."""
    ends: list[tuple[float, float]] = [(-1.0, -1.0)] * len(jobs)

    def run(i: int, hours: float) -> Any:
        waited = yield cloud.env.process(cloud.run_job(hours))
        ends[i] = (waited, float(cloud.env.now))

    for i, hours in enumerate(jobs):
        cloud.env.process(run(i, hours))
    cloud.env.run(until=200)
    return ends


def test_a_lone_job_takes_its_hours() -> None:
    assert finished(cloud_of(100), 10 * HOURS_PER_MONTH) == [(0.0, 1.0)]


def test_two_jobs_that_need_the_whole_cloud_run_one_after_the_other() -> None:
    assert finished(cloud_of(10), 10 * HOURS_PER_MONTH, 10 * HOURS_PER_MONTH) == [(0.0, 1.0), (1.0, 2.0)]
    assert finished(cloud_of(20), 10 * HOURS_PER_MONTH, 10 * HOURS_PER_MONTH) == [(0.0, 1.0), (0.0, 1.0)]


def test_a_job_that_wants_more_than_there_is_runs_longer() -> None:
    assert finished(cloud_of(10), 40 * HOURS_PER_MONTH) == [(0.0, 4.0)]


def test_a_small_job_does_not_overtake_a_large_one() -> None:
    ends = finished(cloud_of(10), 8 * HOURS_PER_MONTH, 10 * HOURS_PER_MONTH, HOURS_PER_MONTH)
    assert ends == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]


@pytest.mark.parametrize("gpus", [10.1, 713.456789, 3.3, 1234.1])
def test_a_job_for_the_whole_cloud_gets_it_after_any_number_of_small_ones(gpus: float) -> None:
    """GPUs that are given back are all there again: rounding must not leave the cloud a hair too small for ever."""
    cloud = cloud_of(gpus)
    small = [HOURS_PER_MONTH * n for n in (1, 2, 3, 1, 2)]
    ends = finished(cloud, *small, 100 * gpus * HOURS_PER_MONTH)
    assert ends[-1][1] > 0


def test_the_price_rises_while_jobs_queue_and_falls_back() -> None:
    cloud = cloud_of(10, congestion=0.5)
    assert cloud.price_usd(REFERENCE_YEAR) == pytest.approx(3.06)
    for _ in range(3):
        cloud.env.process(cloud.run_job(10 * HOURS_PER_MONTH))
    cloud.env.run(until=0.5)
    assert cloud.queued_gpus() == 20
    assert cloud.price_usd(REFERENCE_YEAR) == pytest.approx(3.06 * (1 + 0.5 * 2))
    cloud.env.run(until=5)
    assert cloud.price_usd(REFERENCE_YEAR) == pytest.approx(3.06)


def test_the_cloud_grows_and_never_shrinks() -> None:
    cloud = cloud_of(100, growth_doubling_years=1.5)
    cloud.grow(REFERENCE_YEAR + 1.5)
    assert cloud.size == pytest.approx(200)
    cloud.grow(REFERENCE_YEAR)
    assert cloud.size == pytest.approx(200)
    cloud.env.run(until=1)
    assert cloud.free.level == pytest.approx(200)
