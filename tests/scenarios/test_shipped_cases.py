"""Every shipped case keeps the rules: its file is read by itself, apart from the checks that loading makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import scenarios
from scenarios import Scenario, catalogue
from scenarios.usual import CITED, IDENTITY, are_alike, traits_of, usual_traits
from tests.support.paths import ROOT
from tests.support.shipped import shipped

LIBRARY = Path(scenarios.__file__).parent / "library"
CASES = [entry.name for entry in catalogue() if entry.group == "cases"]
Told = tuple[Scenario, dict[str, Any]]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Told:
    text = (LIBRARY / f"{request.param}.yaml").read_text(encoding="utf-8")
    return shipped(request.param), yaml.safe_load(text)


def chapters_of(told: dict[str, Any]) -> set[str]:
    """The sections that the file is about."""
    found = re.search(r"Sections? (\d+\.\d+)(?: and (\d+\.\d+))?", told["about"])
    assert found, "about says which section the case is from"
    return {one for one in found.groups() if one}


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from numbers_in(one)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def test_no_typed_number_takes_a_cause_away_and_nothing_goes_below_usual(case: Told) -> None:
    setup, told = case
    focal = str(setup.focal)
    usual = usual_traits(setup, focal)
    for name, cause in told["causes"].items():
        assert "from_chapter" not in cause, "no chapter of the book gives such a number"
        assert not [*numbers_in(cause.get("set", {}))], name
        before, without = traits_of(setup.firms[focal]), traits_of(setup.without(name).firms[focal])
        moved = {trait for trait in usual if without[trait] != before[trait]}
        assert moved == set(cause.get("usual", [])), name
        assert all(are_alike(without[trait], usual[trait]) for trait in moved), name


def test_each_trait_that_is_not_usual_cites_its_section_and_all_others_are_usual(case: Told) -> None:
    setup, told = case
    focal = str(setup.focal)
    own, usual = traits_of(setup.firms[focal]), usual_traits(setup, focal)
    special = {trait for trait in own if not are_alike(own[trait], usual[trait])}
    assert special | set(CITED) == set(told["endowments"])
    for part, section in told["endowments"].items():
        assert section in chapters_of(told) or (part in CITED and section == "assumption"), part
    written = {trait for trait in own if is_written(told["firms"][focal], trait.split("."))}
    assert written == special, "nothing usual is typed in"
    assert set(told["firms"][focal]) - {trait.split(".")[0] for trait in special} <= set(IDENTITY)


def is_written(firm: Any, trait: list[str]) -> bool:
    for part in trait:
        if not isinstance(firm, dict) or part not in firm:
            return False
        firm = firm[part]
    return True


def test_the_base_world_is_left_as_it_is(case: Told) -> None:
    """A case adds its firm and nothing else."""
    setup, told = case
    assert set(told["firms"]) == {setup.focal} and not {"world", "entrants", "investors", "interventions"} & set(told)


def test_every_cause_says_what_its_removal_should_change_and_statements_cite_the_chapter(case: Told) -> None:
    setup, told = case
    assert all(cause.manipulation is not None for cause in setup.causes.values())
    cited = [one.section for one in (*setup.expect, *setup.causes.values())]
    assert set(cited) <= chapters_of(told)


def test_facts_that_give_a_bound_stand_in_the_table_of_sources(case: Told) -> None:
    table = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    for one in case[0].expect:
        assert one.fact is None or re.search(rf"^\| {one.fact} \|", table, re.M), one.id
        assert not one.from_chapter or f"{one.at_least:.0%}".replace("%", " %") in one.says, one.id
