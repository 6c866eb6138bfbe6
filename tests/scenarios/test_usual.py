"""What is usual: the traits of the median entrant, as the entrants of a world really have them."""

from __future__ import annotations

from statistics import median
from typing import Any

import pytest

from agents.settings import EntrantSettings, Spread
from scenarios import Scenario, ScenarioError
from scenarios.build import build_world
from scenarios.usual import are_alike, stream_into, trait_names, traits_of, usual_traits
from simulation.model import MarketModel
from tests.support.service import FakeService
from tests.support.shipped import shipped
from tests.support.world_fakes import play, scenario_of

STREAM: dict[str, Any] = {
    "sector": "vision", "per_year": 60, "at_start": 30, "offers": [{"cameras": "subscription"}],
    "skill": {"mean": 0.62}, "collaboration": {"mean": 1.1}, "rows": {"mean": 70_000}, "managed": {"mean": 0.6},
    "data_operations": {"mean": 0.2}, "risk_budget_share": {"mean": 0.03}, "management": {"burn_multiple": 1.5},
}  # fmt: skip
SPREADS = [name for name, field in EntrantSettings.model_fields.items() if field.annotation is Spread]
ALIKE = {name: {**STREAM.get(name, {}), "sd": 0.0} for name in SPREADS}
CAPITAL = {"capital": {"seed_sigma": 0.0}}
CHANCE = ("pivot_months",)  # drawn without a spread that could be set to nothing


def market(**changes: Any) -> Scenario:
    """The small market with entrants who are all alike, and a firm founded in its second year."""
    return scenario_of(
        {"entrants": {"newcomers": {**STREAM, **ALIKE}}, "world": CAPITAL, "firms": {"iris": {"founded": "2017-03"}}}
        | changes
    )


def entrants_of(model: MarketModel, founded: str) -> list[Any]:
    """Drawn startups founded in a month."""
    return [firm for firm in model.firms.values() if firm.name.startswith(f"newcomers-{founded}-")]


@pytest.fixture(scope="module")
def played() -> MarketModel:
    return play(build_world(market(), 0, FakeService()), 15)


def test_the_entrants_of_a_world_have_all_usual_traits_where_they_do_not_differ(played: MarketModel) -> None:
    """Every trait that a firm can have: one that entrants come to draw otherwise is noticed here."""
    usual, found = usual_traits(market(), "iris"), entrants_of(played, "2017-03")
    assert len(found) > 1 and usual.keys() == set(trait_names())
    for entrant in found:
        own = traits_of(entrant.settings)
        assert {t: own[t] for t in own if t not in CHANCE and not are_alike(own[t], usual[t])} == {}


def test_patience_differs_around_what_is_usual(played: MarketModel) -> None:
    everyone = [firm.settings.pivot_months for firm in played.firms.values() if firm.name.startswith("newcomers-")]
    assert median(everyone) == pytest.approx(usual_traits(market(), "iris")["pivot_months"], abs=3)


def test_the_usual_seed_is_that_of_the_founding_month() -> None:
    first, later = market(firms={"iris": {}}), market()
    assert usual_traits(first, "iris")["capital_usd"] < usual_traits(later, "iris")["capital_usd"]
    raised = {"at": "2016-06", "set": {"world.capital.stages.seed.round_usd_2014": 2e6}}
    changed = market(interventions=[raised])
    assert usual_traits(changed, "iris")["capital_usd"] > 1.3 * usual_traits(later, "iris")["capital_usd"]
    assert usual_traits(market(interventions=[{**raised, "at": "2017-06"}]), "iris") == usual_traits(later, "iris")


def test_the_largest_stream_of_the_firms_direction_counts() -> None:
    few = {**STREAM, "per_year": 1, "skill": {"mean": 0.2}}
    tools = {**STREAM, "per_year": 99, "direction": "tools", "offers": [], "services": [{"data": 0.5}]}
    mixed = market(entrants={"few": few, "newcomers": STREAM, "sellers": {**tools, "skill": {"mean": 0.9}}})
    assert stream_into(mixed, "iris").per_year == STREAM["per_year"]
    assert usual_traits(mixed, "iris")["skill"] == 0.62


def test_a_middle_outside_of_the_range_is_its_end() -> None:
    stream = {**STREAM, "skill": {"mean": 40.0}, "rows": {"mean": 3}}
    usual = usual_traits(market(entrants={"newcomers": stream}), "iris")
    assert (usual["skill"], usual["rows"]) == (1.0, 100.0)


def test_where_nobody_enters_nothing_is_usual() -> None:
    with pytest.raises(ScenarioError, match="no startups of direction vertical enter the sector 'vision' of iris"):
        usual_traits(scenario_of(), "iris")


def test_identity_is_no_trait() -> None:
    """Where, from when and how a firm sells is what makes it the one that the chapter tells of."""
    usual = usual_traits(shipped("cases/driving"), "road-pilot")
    assert not {"sector", "founded", "offers", "kind", "direction"} & usual.keys()
    assert usual["skill"] == 0.68 and usual["rows"] == 5e5 and usual["engineering.hardware"] == 1.0
