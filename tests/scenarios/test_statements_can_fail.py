"""No statement of a shipped chapter is decided before anything is played, by what its world can produce at all."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios import Scenario, catalogue, load
from scenarios.expectation import Expectation
from simulation.records.endings import ENDINGS
from tests.support.shipped import shipped
from tests.support.statement_ranges import decided, range_of

CASES = [entry.name for entry in catalogue() if entry.group == "cases"]
# Taking these causes away settles a statement by itself: the effect on that statement is a matter of definition.
SETTLED_BY_A_CAUSE = {
    ("cases/speech", "free-model", "unpaid", "never"),  # nobody uses a subscription for nothing
}


@pytest.mark.parametrize("name", CASES)
def test_every_statement_can_hold_and_can_fail(name: str) -> None:
    setup = shipped(name)
    assert {one.id: decided(setup, one) for one in setup.expect} == {one.id: "" for one in setup.expect}


@pytest.mark.slow
def test_statements_that_a_cause_settles_by_itself_are_known() -> None:
    found = set()
    for setup in map(load, CASES):
        for cause in setup.causes:
            without = setup.without(cause)
            found |= {(setup.name, cause, one.id, how) for one in without.expect if (how := decided(without, one))}
    assert found == SETTLED_BY_A_CAUSE


@pytest.fixture(scope="module")
def fraud() -> Scenario:
    return shipped("cases/fraud")


def stated(**fields: Any) -> Expectation:
    return Expectation(id="x", section="7.3", says="It holds.", **fields)


@pytest.mark.parametrize(
    ("fields", "how"),
    [
        ({"metric": "inference_flops", "statistic": "max", "at_most": 20000}, "always"),  # 15,296 is the most
        ({"metric": "inference_flops", "statistic": "max", "at_most": 15000}, ""),
        ({"metric": "inference_flops", "statistic": "min", "at_most": 1000}, "never"),
        ({"metric": "quality_lab", "at_least": 1.2}, "never"),
        ({"metric": "quality_lab", "at_most": 1}, "always"),
        ({"metric": "quality_lab", "of": "over_traditional", "at_most": 1}, "always"),
        ({"metric": "quality_lab", "of": "over_traditional", "at_least": 0}, ""),
        ({"metric": "quality_gap", "statistic": "change", "at_least": -2}, "always"),
        ({"metric": "rung", "statistic": "max", "at_least": 6}, "never"),
        ({"metric": "rung", "at_most": 5}, "always"),
        ({"metric": "customers", "statistic": "max", "at_least": 6101}, "never"),  # 5,700 banks, 400 processors
        ({"metric": "customers", "statistic": "sum", "at_least": 6101}, ""),
        ({"metric": "free_share", "at_most": 0}, "always"),  # nothing that it sells is free
        ({"metric": "revenue_usd", "at_least": 0}, "always"),
        ({"metric": "profit_usd", "at_least": 0}, ""),
        ({"metric": "customers", "of": "rank", "at_least": 1}, "always"),
        ({"metric": "customers", "of": "rank", "at_most": 0.5}, "never"),
        ({"metric": "customers", "of": "times_incumbents", "at_least": 0}, ""),
        ({"metric": "trust", "before": "2015-03-01", "at_most": 1}, "never"),  # it enters in that month
        ({"metric": "rows", "statistic": "max", "at_least": 1000}, "always"),  # it begins with two hundred thousand
        ({"metric": "rows", "of": "times_incumbents", "statistic": "max", "at_most": 0.1}, ""),
        ({"metric": "profit_usd", "of": "over_twin", "statistic": "sum", "at_least": 1}, ""),
        ({"event": "certified"}, "never"),  # nobody in fraud asks for an examination
        ({"event": "certified", "occurs": False}, "always"),
        ({"event": "certificate refused", "at_most": 0}, "always"),
        ({"event": "outage"}, ""),
        ({"ending": (*ENDINGS,)}, "always"),
        ({"ending": (*ENDINGS,)[1:]}, ""),
    ],
)
def test_the_check_can_fire(fraud: Scenario, fields: dict[str, Any], how: str) -> None:
    assert decided(fraud, stated(**fields)) == how


def test_pruning_lowers_the_least_number_of_operations(fraud: Scenario) -> None:
    few = stated(metric="inference_flops", at_most=900)
    pruned = load("cases/fraud", {"firms.ledger-guard.compression": "pruned"})
    assert decided(fraud, few) == "never" and decided(pruned, few) == ""


def test_a_pivot_is_reckoned_with() -> None:
    """Freemium becomes a subscription, and that a tailored solution: the share can still reach one."""
    speech = shipped("cases/speech")
    assert range_of(speech, stated(metric="licence_solution_share", at_least=0.5)) == (0, 1)
    vision = load("cases/vision", {"firms.clear-eye.offers": {"security-cameras": "solution"}})
    assert range_of(vision, stated(metric="licence_solution_share", at_least=0.5)) == (1, 1)
