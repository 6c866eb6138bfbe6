"""Interventions that tighten or add stand beside what a scenario says, at each later date, and repeat nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scenarios.build import build_world, settings_changes
from scenarios.load import load, load_whatif
from scenarios.schema import Scenario
from scenarios.strict_yaml.errors import ScenarioError
from simulation.settings.law import LawSettings
from tests.support.scenario_files import write
from tests.support.service import FakeService
from tests.support.world_fakes import scenario_of

LATER = {"at": "2017-06", "says": "A milder law", "set": {"world.law.consent_share": 0.7, "world.law.audits_year": 0.1}}


def laws(*interventions: dict[str, Any], **base: Any) -> dict[str, LawSettings]:
    """The law in force after each month in which something changes."""
    scenario = scenario_of({"interventions": list(interventions), **base})
    return {f"{change.month}": change.world.law for change in settings_changes(scenario)}


# -- what stands -------------------------------------------------------------------------------------------------------


def test_what_is_tightened_outlives_a_milder_law_and_yields_to_a_stricter_one() -> None:
    strict = {"at": "2016-06", "says": "Strict", "tighten": {"world.law.consent_share": 0.5}}
    stricter = {"at": "2018-01", "says": "Stricter", "set": {"world.law.consent_share": 0.2}}
    found = laws(strict, LATER, stricter)
    assert {month: law.consent_share for month, law in found.items()} == {"0": 1.0, "5": 0.5, "17": 0.5, "24": 0.2}
    assert found["17"].audits_year == 0.1  # what the milder law says of other things holds


def test_what_is_set_is_overwritten_by_the_next_law_but_what_is_added_comes_on_top() -> None:
    audits = "world.law.audits_year"
    set_once = laws({"at": "2016-06", "says": "Set", "set": {audits: 0.4}}, LATER)
    added = laws({"at": "2016-06", "says": "Added", "add": {audits: 0.4}}, LATER)
    assert [law.audits_year for law in set_once.values()] == [0.0, 0.4, 0.1]
    assert [law.audits_year for law in added.values()] == [0.0, 0.4, 0.5]


@pytest.mark.parametrize(
    ("path", "held", "said", "holds"),
    [
        ("leakage_limit", 0.3, 0.2, 0.2),
        ("leakage_limit", 0.1, 0.2, 0.1),
        ("fine_fixed_usd", 10.0, 5.0, 10.0),
        ("certification.scope", "safety-critical", "all", "all"),
        ("certification.scope", "all", "safety-critical", "all"),
        ("certification.renewal_months", 0.0, 24.0, 24.0),  # 0: a certificate never ends
        ("certification.renewal_months", 12.0, 24.0, 12.0),
        ("certification.mandatory", False, True, True),
        ("general_purpose.flop_threshold", 0.0, 1e25, 1e25),  # 0: no model has duties
    ],
)
def test_which_of_two_values_is_stricter_is_declared_with_the_parameter(
    path: str, held: Any, said: Any, holds: Any
) -> None:
    first = {"at": "2016-03", "says": "First", "set": {f"world.law.{path}": held}}
    second = {"at": "2016-06", "says": "Second", "tighten": {f"world.law.{path}": said}}
    found: Any = laws(first, second)["5"]
    for part in path.split("."):
        found = getattr(found, part)
    assert found == holds


def test_laws_of_one_sector_and_of_segments_can_be_tightened_too() -> None:
    at = {"at": "2016-06", "says": "Sector"}
    keys = {
        "world.sectors.vision.law.consent_share": 0.3,
        "world.sectors.vision.segments.cameras.field_accuracy_floor": 0.5,
    }
    scenario = scenario_of({"interventions": [{**at, "tighten": keys}]})
    sector = settings_changes(scenario)[-1].world.sectors["vision"]
    assert sector.law.model_dump() == {"consent_share": 0.3}
    assert (
        sector.segments["cameras"].field_accuracy_floor == 0.5 and sector.segments["photos"].field_accuracy_floor == 0
    )


# -- what-ifs ----------------------------------------------------------------------------------------------------------

WHATIF = """whatif: true
title: Strict from the start
tighten: {world.law.consent_share: 0.5}
add: {world.law.audits_year: 0.2}
"""


def test_a_whatif_tightens_during_the_whole_run_without_an_event(tmp_path: Path) -> None:
    base = scenario_of({"interventions": [LATER]})
    arm = load_whatif(write(tmp_path, WHATIF), base)
    found = [change.world.law for change in settings_changes(arm)]
    assert [(law.consent_share, round(law.audits_year, 9)) for law in found] == [(0.5, 0.2), (0.5, 0.3)]
    model = build_world(arm, 0, FakeService())
    model.step()
    assert "law" not in {row[1] for row in model.recorder.rows["events"]}


OLD: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "strict-data-protection": [
        (
            "2016-05",
            {
                "consent_share": 0.35, "data_cost_factor": 1.4, "compliance_usd_month": 12000, "audits_year": 0.5,
                "leakage_limit": 0.1, "fairness_gap_limit": 0.12, "fine_turnover_share": 0.04,
            },
        ),
        (
            "2018-05",
            {
                "consent_share": 0.35, "data_cost_factor": 1.4, "compliance_usd_month": 12000, "audits_year": 0.5,
                "leakage_limit": 0.1, "fairness_gap_limit": 0.12, "fine_turnover_share": 0.04,
            },
        ),
        ("2020-01", {"consent_share": 0.35, "compliance_usd_month": 12000}),
        ("2021-09", {"compliance_usd_month": 12000, "audits_year": 0.5}),
        ("2021-11", {"consent_share": 0.35, "fine_turnover_share": 0.04}),
    ],
    "ai-act-early": [
        (
            "2018-06",
            {
                "certification.scope": "safety-critical", "certification.field_accuracy": 0.6,
                "certification.fairness_gap": 0.15, "certification.exam_months": 6, "certification.fee_usd": 60000,
                "certification.transition_months": 24, "certification.sandbox_customers": 20,
                "critical_field_accuracy_floor": 0.6, "compliance_usd_month": 8000, "audits_year": 0.2,
                "fine_turnover_share": 0.02, "fine_fixed_usd": 50000,
            },
        ),
        ("2020-01", {"compliance_usd_month": 9000, "fine_fixed_usd": 50000}),
        ("2021-09", {"compliance_usd_month": 10000, "audits_year": 0.22}),
        ("2021-11", {"fine_turnover_share": 0.02}),
    ],
    "data-minimisation": [("2018-05", {"minimisation_share": 0.25}), ("2021-11", {"minimisation_share": 0.25})],
}  # fmt: skip
"""What these policies said before they could tighten: each value again whenever the base world changes."""


def by_month(scenario: Scenario) -> dict[int, Any]:
    """The world in force from each month on in which something changes."""
    return {change.month: change.world for change in settings_changes(scenario)}


@pytest.mark.parametrize("policy", OLD)
def test_a_policy_that_tightens_is_the_one_that_repeated_itself(policy: str) -> None:
    base = load("markets/base", {"sectors": ["health"]})
    repeated = base.to_document()
    for at, said in OLD[policy]:
        change = {"at": f"{at}-01", "says": "", "set": {f"world.law.{key}": value for key, value in said.items()}}
        repeated.data["interventions"].append({**change, "tighten": {}, "add": {}})
    old, new = by_month(Scenario.from_document(repeated)), load_whatif(f"policies/{policy}", base)
    assert by_month(new) == old
    own = [one for one in new.interventions if one not in base.interventions]
    assert len(own) == 1 < len(OLD[policy])


# -- what is wrong is said ---------------------------------------------------------------------------------------------

BASE = """extends: markets/base
title: mine
sectors: [health]
interventions:
  - at: 2019-01
    says: Mine
    {change}
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("tighten: {world.law.tax_rate: 0.3}", ("cannot tighten 'world.law.tax_rate'", "use set")),
        ("tighten: {world.law.certification: {scope: all}}", ("cannot tighten", "name the parameters below it")),
        ("tighten: {world.law.consent_shar: 0.3}", ("unknown key 'consent_shar'", "did you mean 'consent_share'?")),
        ("tighten: {world.law.consent_share: 1.5}", ("world.law.consent_share = 1.5", "between 0 and 1")),
        ("tighten: {world.law.consent_share: often}", ("world.law.consent_share = 'often'", "between 0 and 1")),
        ("tighten: {focal: iris}", ("cannot set 'focal'", "below world")),
        ("add: {world.law.certification.scope: 1}", ("cannot add to 'world.law.certification.scope'", "no number")),
        ("add: {world.law.audits_year: 20}", ("world.law.audits_year = 20", "between 0 and 12")),
        ("add: {world.sectors.health.traditional_rows: 20}", ("acts at the start only",)),
        ("says: nothing", ("duplicate key",)),
    ],
)
def test_what_cannot_stand_is_refused_in_one_line(change: str, words: tuple[str, ...], tmp_path: Path) -> None:
    path = write(tmp_path, BASE.format(change=change))
    with pytest.raises(ScenarioError) as caught:
        load(path)
    text = str(caught.value)
    assert "\n" not in text and str(path) in text.split(" ")[0]
    assert [word for word in words if word not in text] == []


def test_an_amount_that_goes_too_far_at_a_later_date_is_told_with_that_date() -> None:
    first = {"at": "2016-06", "says": "More", "add": {"world.law.fine_turnover_share": 0.02}}
    later = {"at": "2017-06", "says": "Later", "set": {"world.law.fine_turnover_share": 0.03}}
    with pytest.raises(ScenarioError, match=r"after the intervention of 2017-06: .*fine_turnover_share = 0.05"):
        scenario_of({"interventions": [first, later]})


def test_a_change_of_what_is_not_played_is_left_out_of_all_parts() -> None:
    whole = load("markets/base").to_document()
    change = {
        "at": "2016-01-01", "says": "", "set": {},
        "tighten": {"world.sectors.vision.law.consent_share": 0.5}, "add": {"world.compute.gpus": 1000},
    }  # fmt: skip
    whole.data["interventions"].append(change)
    whole.data["sectors"] = ["health"]
    (kept,) = [one for one in Scenario.from_document(whole).interventions if one.at == date(2016, 1, 1)]
    assert kept.tighten == {} and 0 < kept.add["world.compute.gpus"] < 1000
