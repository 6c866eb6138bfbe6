"""The bridge from real money and operations to rungs, and what answers cost."""

from __future__ import annotations

import pytest

from simulation.settings import ComputeSettings, WorldSettings
from simulation.settings.foundations import (
    FoundationSettings,
    ladder_of,
    largest_rung,
    pretraining_cost_usd,
    pretraining_gpu_hours,
    pretraining_usd,
    serving_flop_token,
    serving_usd_million_tokens,
    training_flop,
)

LADDERS = ["laptop", "gpu"]


@pytest.mark.parametrize("ladder", LADDERS)
def test_operations_of_the_frontier_grow_as_the_source_says(ladder: str) -> None:
    s = FoundationSettings(ladder=ladder)  # type: ignore[arg-type]
    frontier = ladder_of(s).frontier
    for year in range(2018, 2030):
        now, later = training_flop(s, frontier(year), year), training_flop(s, frontier(year + 1), year + 1)
        assert later / now == pytest.approx(s.frontier_growth_year)
    assert training_flop(s, frontier(2023), 2023) == pytest.approx(2e25, rel=0.05)  # C17


@pytest.mark.parametrize("ladder", LADDERS)
def test_a_rung_takes_half_the_operations_after_eight_months(ladder: str) -> None:
    s = FoundationSettings(ladder=ladder)  # type: ignore[arg-type]
    assert training_flop(s, 2.0, 2023 + 8 / 12) == pytest.approx(training_flop(s, 2.0, 2023) / 2)
    slow = FoundationSettings(ladder=ladder, algorithmic_halving_months=16)  # type: ignore[arg-type]
    assert training_flop(slow, 2.0, 2023 + 16 / 12) == pytest.approx(training_flop(slow, 2.0, 2023) / 2)


def test_cost_is_hours_at_the_price_with_wages_and_text() -> None:
    s, price = FoundationSettings(staff_ratio=0.5, text_ratio=0.25), 2.0
    assert pretraining_cost_usd(s, 1.5, 2024, price) == pytest.approx(1.75 * 2 * pretraining_gpu_hours(s, 1.5, 2024))


def test_cost_of_a_rung_falls_by_algorithms_and_hardware_and_rises_by_rung() -> None:
    world = WorldSettings.model_construct(compute=ComputeSettings(), foundations=FoundationSettings())
    costs = [pretraining_usd(world, 2.5, year) for year in (2023, 2024)]
    assert costs[0] / costs[1] == pytest.approx(2 ** (12 / 8) * 2 ** (1 / 2.46))
    by_rung = [pretraining_usd(world, rung, 2024) for rung in ladder_of(FoundationSettings()).rungs]
    assert by_rung == sorted(by_rung) and by_rung[1] > 5 * by_rung[0]
    assert 5e7 < pretraining_usd(world, 2.5, 2023) < 3e8, "tens to hundreds of millions for the largest of 2023"


def test_a_world_without_foundations_says_so() -> None:
    world = WorldSettings.model_construct(compute=ComputeSettings(), foundations=None)
    with pytest.raises(ValueError, match=r"world\.foundations is not set"):
        pretraining_usd(world, 1.0, 2024)


def test_answers_of_a_new_model_cost_two_operations_a_parameter_and_halve_from_then_on() -> None:
    s = FoundationSettings()
    new = serving_flop_token(s, 2.5, 2023)
    assert new == pytest.approx(2 * (training_flop(s, 2.5, 2023) / 120) ** 0.5)
    assert serving_flop_token(s, 2.5, 2020) == pytest.approx(new), "nothing is known of it before it is new"
    assert serving_flop_token(s, 2.5, 2023 + 8 / 12) == pytest.approx(new / 2)
    assert serving_flop_token(s, 3.0, 2024) > serving_flop_token(s, 2.5, 2024)
    assert serving_usd_million_tokens(s, 2.5, 2023, 0.7) == pytest.approx(1e6 * new / s.flop_gpu_hour * 0.7)


@pytest.mark.parametrize(
    ("settings", "year", "ahead", "rung"),
    [
        ({}, 2017, 0.0, 0.0), ({}, 2022, 0.0, 2.0), ({}, 2023, 0.0, 2.5), ({}, 2023, 0.5, 3.0), ({}, 2023, 0.7, 3.0),
        ({"last_rung": 2.5}, 2028, 1.0, 2.5), ({}, 2050, 2.0, 6.0), ({"ladder": "gpu"}, 2050, 0.0, 12.0),
        ({"ladder": "gpu"}, 2020, 0.0, 2.0),
    ],
)  # fmt: skip
def test_nobody_goes_beyond_the_year_the_settings_and_the_ladder(
    settings: dict[str, object], year: int, ahead: float, rung: float
) -> None:
    assert largest_rung(FoundationSettings(**settings), year, ahead) == rung  # type: ignore[arg-type]
