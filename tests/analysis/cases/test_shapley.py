"""Shapley values of causes: known games, exact sums, paired resampling, and causes that are taken away together."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.cases.assess import assess_case
from analysis.cases.evidence import TWIN
from analysis.cases.results import CasesResult
from analysis.cases.shapley import (
    Attribution,
    Interaction,
    arm_without,
    arms_of_subsets,
    attribute,
    shapley_by_seed,
    strongest_interaction,
    subsets,
)
from analysis.cases.study import CaseStudy
from analysis.cases.study import as_document as study_document
from analysis.errors import AnalysisError
from analysis.play.experiment import play
from analysis.play.interrupted import Interrupted
from analysis.play.lockstep import play_block
from analysis.play.options import PlayOptions
from analysis.plots import plot_study
from analysis.screens.cases import attribution_screen, interaction_line
from analysis.statistics.intervals import bootstrap_means, bootstrap_ratio, wilson
from scenarios import ScenarioError, catalogue, load
from tests.support.analysis_fakes import ENGINE, SKILL, FakeScenario
from tests.support.scenario_files import edited, write

NAMES = ("a", "b", "c")
THREE = {name: SKILL for name in ("lead", "niche", "team")}
N = 16


def game(value) -> dict[frozenset[str], pd.Series]:
    """Matches by coalition from a function of the causes present, of one value per seed."""
    return {frozenset(s): pd.Series(np.atleast_1d(value(set(s)))) for s in subsets(NAMES)}


def drawn_game(n_seeds: int = 40) -> dict[frozenset[str], pd.Series]:
    rng = np.random.default_rng(7)
    return game(lambda present: rng.random(n_seeds) < 0.2 + 0.2 * len(present))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[CasesResult, Attribution]:
    setup = FakeScenario(causes=THREE)
    settings = PlayOptions(out=tmp_path_factory.mktemp("shapley"), replications=N, jobs=1, ledger="unused")
    run = play(arms_of_subsets(setup), settings, kind="cases", name=setup.name, engine=ENGINE)
    return CasesResult(run, (assess_case(run, setup),)), attribute(run, setup)


def test_an_additive_game_gives_every_cause_its_own_share() -> None:
    worth = {"a": 0.5, "b": 0.25, "c": 0.0}
    played = game(lambda present: sum(worth[name] for name in present))
    assert shapley_by_seed(played, NAMES).iloc[0].to_dict() == pytest.approx(worth)
    assert strongest_interaction(played, NAMES).effect.estimate == pytest.approx(0)


def test_the_glove_game_is_shared_out_as_in_the_textbooks() -> None:
    """One left glove (a), two right ones (b, c); a pair is worth 1: values 2/3, 1/6, 1/6."""
    played = game(lambda present: "a" in present and len(present) > 1)
    assert shapley_by_seed(played, NAMES).iloc[0].tolist() == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_values_are_the_mean_over_all_orders_of_arrival() -> None:
    played = drawn_game()
    by_hand = {name: np.zeros(40) for name in NAMES}
    for order in permutations(NAMES):
        for place, name in enumerate(order):
            with_it, before = played[frozenset(order[: place + 1])], played[frozenset(order[:place])]
            by_hand[name] += (with_it.to_numpy(float) - before.to_numpy(float)) / 6
    pd.testing.assert_frame_equal(shapley_by_seed(played, NAMES), pd.DataFrame(by_hand))


def test_values_sum_to_all_minus_none_in_every_seed_and_on_average() -> None:
    played = drawn_game()
    values = shapley_by_seed(played, NAMES)
    difference = played[frozenset(NAMES)].astype(float) - played[frozenset()].astype(float)
    assert np.abs(values.sum(axis=1) - difference).max() < 1e-12
    assert abs(values.mean().sum() - difference.mean()) < 1e-12


def test_causes_that_need_or_replace_each_other_interact_with_that_sign() -> None:
    need = strongest_interaction(game(lambda present: {"a", "b"} <= present), NAMES)
    assert (need.first, need.second, need.effect.estimate) == ("a", "b", pytest.approx(1))
    replace = strongest_interaction(game(lambda present: bool(present & {"b", "c"})), NAMES)
    assert (replace.first, replace.second, replace.effect.estimate) == ("b", "c", pytest.approx(-1))
    assert strongest_interaction({frozenset(): pd.Series([0]), frozenset("a"): pd.Series([1])}, ("a",)) is None


def test_resampled_seeds_are_the_same_for_all_columns() -> None:
    numbers = np.random.default_rng(3).normal(size=(50, 1))
    one, twice, opposite = bootstrap_means(np.hstack([numbers, 2 * numbers, -numbers]))
    assert (twice.low, twice.high) == pytest.approx((2 * one.low, 2 * one.high))
    assert (opposite.low, opposite.high) == pytest.approx((-one.high, -one.low))
    assert np.isnan(bootstrap_means([[1.0]])[0].low)


def test_the_bootstrap_covers_a_known_mean_about_as_often_as_it_says() -> None:
    """300 samples of 40 fair coins: 95 % nominal; three standard errors below would be 0.91."""
    samples = np.random.default_rng(11).random((40, 300)) < 0.5
    covered = [one.low <= 0.5 <= one.high for one in bootstrap_means(samples)]
    assert 0.9 <= np.mean(covered) <= 0.985


def test_a_ratio_over_seeds_is_cautious_where_none_or_all_count() -> None:
    none = bootstrap_ratio([0, 0, 0, 0], [10, 10, 10, 0])
    assert (none.estimate, none.n, none.low) == (0.0, 30, 0.0) and none.high > 0.5  # three seeds, not thirty
    some = bootstrap_ratio([1, 0, 5, 2], [10, 10, 10, 10])
    assert some.estimate == 0.2 and some.low < 0.2 < some.high
    assert np.isnan(bootstrap_ratio([0], [0]).estimate)


@pytest.mark.slow
def test_every_subset_is_an_arm_and_the_sum_is_exact(found: tuple[CasesResult, Attribution]) -> None:
    cases, shares = found
    arms = [arm["arm"] for arm in cases.run.manifest["arms"]]
    assert len(arms) == 8 and {"base", "without:lead", "without:lead+niche+team"} <= set(arms)
    assert len(shares.coalitions) == 8 and shares.coalitions[-1][1] == cases.cases[0].match.estimate
    total = sum(one.value.estimate for one in shares.contributions)
    assert total == pytest.approx(shares.total, abs=1e-12)
    assert shares.whole.estimate == pytest.approx(shares.total) and shares.whole.low < shares.total
    values = [one.value for one in shares.contributions]
    assert all(value.low <= value.estimate <= value.high for value in values)
    assert len({round(value.estimate, 12) for value in values}) == 1  # any cause alone spoils it: equal shares
    assert shares.strongest is not None and shares.strongest.effect.estimate > 0


def test_where_all_seeds_agree_the_interval_says_how_few_they_are() -> None:
    (sure,) = bootstrap_means(np.full((8, 1), 1 / 3))
    assert sure.estimate == pytest.approx(1 / 3) and sure.high - sure.estimate == pytest.approx(wilson(0, 8).high)
    (narrower,) = bootstrap_means(np.full((80, 1), 1 / 3))
    assert narrower.high < sure.high
    assert bootstrap_means(np.ones((4, 1)))[0].high == 1.0


def test_few_seeds_have_wide_intervals() -> None:
    """Three seeds span their whole range; many seeds keep to the percentiles of a normal mean."""
    few = bootstrap_means([[0.0], [0.5], [1.0]])[0]
    assert (few.low, few.high) == (0.0, 1.0)
    many = np.random.default_rng(5).normal(size=(400, 1))
    half = 1.96 * many.std() / 20
    wide = bootstrap_means(many)[0]
    assert wide.high - wide.low == pytest.approx(2 * half, rel=0.1)


@pytest.mark.slow
def test_interrupted_subsets_keep_their_finished_blocks_and_go_on(tmp_path: Path) -> None:
    """The shares of the finished seeds can be told, and the whole is as if nothing had happened."""
    setup = FakeScenario(causes=THREE)
    arms = arms_of_subsets(setup)
    settings = PlayOptions(out=tmp_path / "run", replications=4, jobs=1, ledger="unused")
    played = iter([True, True, True, False])

    def stopping(*arguments: object) -> object:
        if not next(played):
            raise KeyboardInterrupt
        return play_block(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.play.lockstep.LARGEST_BATCH", len(arms))  # one seed a block
        patch.setattr("analysis.play.workers.play_block", stopping)
        with pytest.raises(Interrupted) as stopped:
            play(arms, settings, kind="cases", name=setup.name, engine=ENGINE)
    assert len(stopped.value.run.seeds) == 3
    part = attribute(stopped.value.run, setup)
    assert part.match_all.n == 3 and sum(one.value.estimate for one in part.contributions) == pytest.approx(part.total)
    whole = attribute(play(arms, settings, kind="cases", name=setup.name, engine=ENGINE), setup)
    straight = replace(settings, out=tmp_path / "other")
    assert whole == attribute(play(arms, straight, kind="cases", name=setup.name, engine=ENGINE), setup)
    assert whole.match_all.n == 4


@pytest.mark.slow
def test_shares_are_shown_written_and_drawn(found: tuple[CasesResult, Attribution]) -> None:
    from rich.console import Console

    cases, shares = found
    console = Console(width=140, file=StringIO())
    console.print(attribution_screen(shares))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "16 seeds × 8 subsets" in said and "sum +" in said and "strongest interaction" in said
    (written,) = study_document(CaseStudy(cases, (shares,)))["shapley"]
    assert {"id", "match_all", "match_none", "total", "values", "strongest_interaction", "coalitions"} <= set(written)
    assert [one["name"] for one in written["values"]] == ["lead", "niche", "team"]
    plots = plot_study(CaseStudy(cases, (shares,)))
    assert [path.name for path in plots][-1] == "shapley.png" and plots[-1].stat().st_size > 10_000
    assert interaction_line(None) and "replace" in interaction_line(
        Interaction("a", "b", bootstrap_means([[-1], [-1]])[0])
    )


def test_many_causes_are_refused_before_anything_is_played() -> None:
    with pytest.raises(AnalysisError, match=r"names 7 causes, .* 2\^7 worlds a seed; .* 1 to 6 causes"):
        arms_of_subsets(FakeScenario(causes={f"c{i}": SKILL for i in range(7)}))
    with pytest.raises(AnalysisError, match="names 0 causes"):
        arms_of_subsets(FakeScenario(causes={}))
    assert len(arms_of_subsets(FakeScenario(causes={f"c{i}": SKILL for i in range(6)}))) == 64


CLASH = "    set: {firms.alpha.offers: {dictation: subscription}}\n"
PRICE = "  price:\n    section: x\n    says: It is dear.\n    set: {firms.alpha.offers: {calls: subscription}}\n"
AGREED = CLASH + "    together: {price: {firms.alpha.offers: {calls: licence}}}\n" + PRICE


def test_causes_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    setup = load(write(tmp_path, edited(CLASH, CLASH + PRICE)))
    for order in (("free", "price"), ("price", "free")):
        with pytest.raises(ScenarioError, match=r"cannot be taken away together: firms.alpha.offers") as caught:
            setup.without(*order)
        assert "'free'" in str(caught.value) and "'price'" in str(caught.value)
    assert setup.without("giants", "price").firms["alpha"].offers == {"calls": "subscription"}


def test_a_change_below_another_cause_s_path_is_a_contradiction(tmp_path: Path) -> None:
    staff = "    set: {firms.alpha.staff: {research: 1}}\n"
    setup = load(
        write(tmp_path, edited(CLASH, staff + PRICE.replace("offers: {calls: subscription}", "staff.research: 2")))
    )
    with pytest.raises(
        ScenarioError, match=r"'free' and 'price' cannot .* firms.alpha.staff: .* against firms.alpha.staff"
    ):
        setup.without("free", "price")


def test_the_same_value_twice_is_no_contradiction(tmp_path: Path) -> None:
    same = CLASH + PRICE.replace("{calls: subscription}", "{dictation: subscription}")
    setup = load(write(tmp_path, edited(CLASH, same)))
    assert setup.without("free", "price").firms["alpha"].offers == {"dictation": "subscription"}


def test_a_scenario_can_say_what_holds_without_both(tmp_path: Path) -> None:
    setup = load(write(tmp_path, edited(CLASH, AGREED)))
    for order in (("free", "price"), ("price", "free")):
        assert setup.without(*order).firms["alpha"].offers == {"calls": "licence"}
    assert setup.without("free").firms["alpha"].offers == {"dictation": "subscription"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("together: {price:", "together: {prize:", "prize"),
        (
            "together: {price: {firms.alpha.offers: {calls: licence}}}",
            "together: {price: {firms.alpha.skill: 0.5}}",
            "both",
        ),
    ],
)
def test_what_is_said_of_both_must_fit_both(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        load(write(tmp_path, edited(CLASH, AGREED.replace(old, new))))


DIFFERENT = {  # worlds, where one removal contains another
    "cases/speech": 12,  # without giants nobody gives anything away
    "cases/vision": 12,  # in a mass market there are no solutions to sell
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [entry.name for entry in catalogue() if entry.group == "cases"])
def test_all_subsets_of_a_shipped_case_can_be_built_and_differ(name: str) -> None:
    setup = load(name)
    *arms, twin = arms_of_subsets(setup)
    assert [arm.name for arm in arms] == [arm_without(taken) for taken in subsets(list(setup.causes))]
    assert len({arm.setup.fingerprint() for arm in arms}) == DIFFERENT.get(name, 2 ** len(setup.causes))
    assert twin.name == TWIN
