"""Randomness: every draw is a function of (seed, purpose, who, when), so a firm more shifts nobody else's draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from simulation.model import MarketModel
from simulation.randomness import Streams
from tests.support.world_fakes import merged, play, world_of

Key = tuple[str, str, str, int]
N = 20_000

LIVELY: dict[str, Any] = {
    "years": 6,
    "world": {
        "sectors": {"quiet": {"segments": {"nobody": {"adoption_hurdle": 20, "innovation_rate_year": 0}}}},
        "risk": {"breach_rate_year": 1.0, "outage_rate_year": 2.0},
        "law": {"audits_year": 1.0},
        "labour": {"wage_response": 0},  # else one more firm moves everybody's wages, as it should
    },
    "entrants": {
        "new": {"sector": "vision", "per_year": 4, "offers": [{"cameras": "licence"}, {"photos": "freemium"}]},
    },
    "regulator": {},
}  # fmt: skip
IDLE_ELSEWHERE = {"sector": "quiet", "offers": {"nobody": "subscription"}}
IDLE_HERE = {
    "sector": "vision", "offers": {"cameras": "subscription"}, "price_level": 10, "release_months": 60,
    "capital_usd": 1e4,
}  # fmt: skip
RIVAL = {"sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 1e8, "skill": 1.0}


class Listener:
    """Writes down every draw. Normal and lognormal draws are made from uniform ones."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.draws: dict[Key, float] = {}
        for method in ("uniform", "integer", "generator"):
            patch.setattr(Streams, method, self.wrapped(method, getattr(Streams, method)))

    def wrapped(self, method: str, real: Any) -> Any:
        def draw(streams: Streams, purpose: str, who: str = "", when: int = 0) -> Any:
            value = real(streams, purpose, who, when)
            self.draws[method, purpose, who, when] = value if method != "generator" else 0.0
            return value

        return draw


def played(extra: dict[str, Any] | None, seed: int = 3) -> tuple[MarketModel, dict[Key, float]]:
    """A lively world with or without one firm more, and all its draws."""
    with pytest.MonkeyPatch.context() as patch:
        listener = Listener(patch)
        model = play(world_of(merged(LIVELY, {"firms": {"extra": extra}} if extra else {}), seed))
    return model, listener.draws


def of_others(draws: dict[Key, float]) -> dict[Key, float]:
    return {key: value for key, value in draws.items() if key[2] != "extra" and key[1] != "signal:extra"}


@pytest.fixture(scope="module")
def without_extra() -> tuple[MarketModel, dict[Key, float]]:
    return played(None)


@pytest.mark.parametrize("extra", [IDLE_ELSEWHERE, IDLE_HERE], ids=["in a sector of its own", "in the same sector"])
def test_one_extra_startup_that_does_nothing_changes_no_draw_of_others(
    without_extra: tuple[MarketModel, dict[Key, float]], extra: dict[str, Any]
) -> None:
    base, draws = without_extra
    model, with_extra = played(extra)
    assert any(key[2] == "extra" for key in with_extra), "the extra firm itself draws"
    assert of_others(with_extra) == draws
    frame = model.tables()["firms"]
    pd.testing.assert_frame_equal(frame[frame["firm"] != "extra"].reset_index(drop=True), base.tables()["firms"])


def test_a_rival_changes_what_happens_but_not_what_is_drawn(
    without_extra: tuple[MarketModel, dict[Key, float]],
) -> None:
    base, draws = without_extra
    model, with_rival = played(RIVAL)
    assert not model.tables()["firms"].equals(base.tables()["firms"])
    common = draws.keys() & with_rival.keys()
    assert len(common) > 500 and all(draws[key] == with_rival[key] for key in common)


def test_the_draws_of_a_lively_world_have_many_purposes(
    without_extra: tuple[MarketModel, dict[Key, float]],
) -> None:
    purposes = {key[1].split(":")[0] for key in without_extra[1]}
    assert purposes >= {"recipe", "training", "submission", "entry", "offer", "skill", "breach", "outage", "audit"}
    assert purposes >= {"diligence", "signal", "traditional"}


def test_the_order_of_draws_does_not_matter() -> None:
    keys = [("a", "x", 0), ("a", "y", 0), ("b", "x", 0), ("a", "x", 1), ("ab", "x", 0), ("a", "bx", 0)]
    forward, backward = Streams(7), Streams(7)
    one = {key: forward.uniform(*key) for key in keys}
    other = {key: backward.uniform(*key) for key in reversed(keys)}
    assert one == other and len(set(one.values())) == len(keys)
    assert forward.generator("v", "x").random(3).tolist() == backward.generator("v", "x").random(3).tolist()


def test_zero_is_a_seed_and_different_seeds_differ() -> None:
    values = [Streams(seed).uniform("p", "w", 1) for seed in range(1000)]
    assert len(set(values)) == 1000
    assert stats.kstest(values, "uniform").pvalue > 0.001
    assert world_of(seed=0).seed == 0
    with pytest.raises(ValueError, match="-1"):
        world_of(seed=-1)


# Seeded, so these pass or fail for ever. With 20,000 draws the mean's bound of 4 standard errors is 0.028 standard
# deviations: a shift of 0.04 is found with a power of 95 %, a scale wrong by 4 % likewise.
@pytest.mark.parametrize("seed", [0, 1, 2**63])
@pytest.mark.parametrize(
    ("method", "distribution"),
    [("uniform", stats.uniform), ("normal", stats.norm)],
)
def test_draws_follow_their_distribution(method: str, distribution: Any, seed: int) -> None:
    draw = getattr(Streams(seed), method)
    values = np.array([draw("test", "firm", i) for i in range(N)])
    assert stats.kstest(values, distribution.cdf).pvalue > 0.001
    assert abs(values.mean() - distribution.mean()) < 4 * distribution.std() / N**0.5
    assert values.std() == pytest.approx(distribution.std(), rel=0.03)
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 4 / N**0.5


def test_lognormal_draws_have_the_median_and_spread_that_were_asked_for() -> None:
    values = np.log([Streams(5).lognormal(4.0, 0.4, "diligence", "firm", i) for i in range(N)])
    assert abs(values.mean() - np.log(4.0)) < 4 * 0.4 / N**0.5
    assert values.std() == pytest.approx(0.4, rel=0.03)


def test_integers_fit_a_training_seed() -> None:
    values = [Streams(5).integer("training", "firm", i) for i in range(N)]
    assert 0 <= min(values) and max(values) < 2**31 and len(set(values)) > N - 5
    assert np.mean(values) == pytest.approx(2**30, rel=0.02)
