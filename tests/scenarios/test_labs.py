"""What a scenario may say of laboratories and foundations: names, owners, rungs, dates; one clear line each."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.strict_yaml.errors import ScenarioError
from tests.support.lab_worlds import LAB_MARKET
from tests.support.world_fakes import merged, scenario_of

WORLD = "world.foundations"


def lab_scenario(changes: dict[str, Any]) -> Any:
    return scenario_of(merged(LAB_MARKET, changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"world": {"foundations": None}, "labs": {"alpha": {}}}, r"labs: need world\.foundations"),
        ({"labs": {"alpha": {"owner": "gian"}}}, r"labs\.alpha\.owner = 'gian'.*giant; did you mean 'giant'"),
        ({"labs": {"alpha": {"owner": "iris"}}}, r"labs\.alpha\.owner = 'iris'.*incumbent: giant"),
        ({"labs": {"iris": {}}}, r"labs\.iris: a firm bears that name"),
        ({"labs": {"fund": {}}}, r"labs\.fund: an investor bears that name"),
        ({"labs": {"savers": {}}}, r"labs\.savers: an aggregate bears that name"),
        ({"labs": {"community": {}}}, r"labs\.community: the community of open weights bears that name"),
        (
            {"firms": {"community": {"sector": "vision", "offers": {"cameras": "licence"}}}},
            r"firms\.community: the community of open weights bears that name",
        ),
        (
            {
                "labs": {"alpha": {"envelopment_share": 0.1}},
                "firms": {"alpha-vision": {"sector": "vision", "offers": {"cameras": "licence"}}},
            },
            r"firms\.alpha-vision: the product of the laboratory 'alpha' in vision has that name",
        ),
        ({"labs": {"alpha": {"founded": "2025-01"}}}, r"labs\.alpha\.founded = '2025-01-01'.*before the run ends"),
        ({"labs": {"alpha": {"budget_usd_month": 5}}}, r"labs\.alpha.*budget_usd_month is for .* with an owner"),
        (
            {"labs": {"alpha": {"owner": "giant", "investor_belief": 2}}},
            r"labs\.alpha.*investor_belief is for a laboratory without an owner",
        ),
        ({"labs": {"alpha": {"acess": "open"}}}, r"unknown key 'acess' in labs\.alpha; did you mean 'access'"),
        ({"world": {"foundations": {"last_rung": 7}}}, r"last_rung = 7.*laptop, by halves: 0 to 6"),
        ({"world": {"foundations": {"last_rung": 2.3}}}, r"last_rung = 2\.3.*by halves"),
        ({"world": {"foundations": {"ladder": "laptp"}}}, r"ladder = 'laptp': must be one of laptop, gpu"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_one_line(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError, match=says) as error:
        lab_scenario(changes)
    assert "\n" not in str(error.value)


def test_a_community_needs_no_name_where_there_are_no_foundations() -> None:
    firm = {"community": {"sector": "vision", "offers": {"cameras": "licence"}}}
    assert "community" in scenario_of({"firms": firm}).firms


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (WORLD, None, "world.foundations"), (WORLD, {"pool": 3}, "world.foundations.pool"),
        (f"{WORLD}.first_flop", 1e22, ""), (f"{WORLD}.ladder", "gpu", ""), (f"{WORLD}.scale", 0.5, ""),
    ],
)  # fmt: skip
def test_whether_there_are_foundations_and_what_they_stand_for_takes_no_date(path: str, value: Any, what: str) -> None:
    said = {"at": "2023-01", "says": "A change", "set": {path: value}}
    with pytest.raises(ScenarioError, match=f"an intervention cannot set '{path}'.*{what}.*acts at the start only"):
        lab_scenario({"interventions": [said]})


def test_foundations_cannot_begin_by_date() -> None:
    said = {"at": "2017-01", "says": "A change", "set": {WORLD: {}}}
    with pytest.raises(ScenarioError, match="acts at the start only"):
        scenario_of({"interventions": [said]})


def test_what_costs_and_support_may_change_by_date() -> None:
    support = {"world.law.support.open_weights_usd_year": 1e6}
    paths = {f"{WORLD}.community.lag_months": 1, f"{WORLD}.text_ratio": 0.3, **support}
    scenario = lab_scenario({"interventions": [{"at": "2023-01", "says": "Text", "set": paths}]})
    after = scenario.settings_at()[-1][1].foundations
    assert after is not None and (after.text_ratio, after.community.lag_months) == (0.3, 1)


@pytest.mark.parametrize(
    ("changes", "largest"),
    [
        ({}, None), ({"world": {"foundations": None}}, None), ({"labs": {"alpha": {}}}, "laptop/F3"),
        ({"labs": {"alpha": {"ahead_rungs": 0.5}, "beta": {}}}, "laptop/F3.5"),
        ({"labs": {"alpha": {}}, "world": {"foundations": {"last_rung": 1.5}}}, "laptop/F1.5"),
        ({"labs": {"alpha": {}}, "world": {"foundations": {"ladder": "gpu"}}}, "gpu/F6"),
        ({"world": {"law": {"support": {"open_weights_usd_year": 1e6}}}}, "laptop/F3"),
        (
            {
                "world": {
                    "jurisdictions": {
                        "eu": {"share_of_customers": 0.3, "law": {"support": {"open_weights_usd_year": 1e6}}}
                    }
                }
            },
            "laptop/F3",
        ),
        (
            {
                "labs": {"alpha": {}}, "world": {"foundations": {"last_rung": 1.0}},
                "interventions": [{"at": "2023-01", "says": "More", "set": {f"{WORLD}.last_rung": 2.0}}],
            },
            "laptop/F2",
        ),
    ],
)  # fmt: skip
def test_the_largest_foundation_of_a_run_is_known_before_it(changes: dict[str, Any], largest: str | None) -> None:
    assert lab_scenario(changes).largest_foundation() == largest


def test_sectors_that_are_left_out_take_their_part_of_laboratories_and_their_units_along() -> None:
    shop = {"segments": {"chains": {"customers": 100, "reference_price_usd": 100}}, "task": "commerce-reviews"}
    owner = {"kind": "incumbent", "sector": "shops", "offers": {"chains": "subscription"}, "capital_usd": 1e8}
    changes = {
        "world": {"sectors": {"shops": shop}, "foundations": {"scale": 0.8}}, "firms": {"store": owner},
        "labs": {"alpha": {}, "unit": {"owner": "store", "budget_usd_month": 1e6}},
    }  # fmt: skip
    whole, part = lab_scenario(changes), lab_scenario({**changes, "sectors": ["vision"]})
    assert whole.labs.keys() == {"alpha", "unit"} and part.labs.keys() == {"alpha"}
    assert whole.world.foundations and part.world.foundations
    assert part.world.foundations.scale == pytest.approx(whole.world.foundations.scale / 2)
