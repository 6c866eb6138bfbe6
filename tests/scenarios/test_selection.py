"""Playing some sectors of a world: what is left out, what is scaled, what is refused, what stays the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scenarios import ScenarioError, load, load_whatif
from scenarios.build import build_world
from scenarios.schema import Scenario
from scenarios.strict_yaml.document import Document
from simulation.training.plan import SECTOR_TASKS
from tests.support.scenario_files import error_of, write
from tests.support.service import FakeService
from tests.support.shipped import shipped
from tests.support.world_fakes import merged, play

WORLD = """\
title: Two sectors
start: 2014-01
years: 8
world:
  sectors:
    speech: {task: speech, segments: {calls: {customers: 300}}}
    vision: {segments: {cameras: {customers: 900}}}
  compute: {gpus: 4000}
firms:
  ear: {kind: incumbent, sector: speech, offers: {calls: bundle}}
  eye: {sector: vision, offers: {cameras: licence}}
entrants:
  talkers: {sector: speech, per_year: 3, offers: [{calls: subscription}]}
  lookers: {sector: vision, per_year: 1, offers: [{cameras: subscription}]}
investors:
  fund: {size_usd: 2.0e+8, ticket_share: 0.1, stages: [A, B]}
  angel: {size_usd: 4.0e+7, ticket_share: 0.5, stages: [A]}
interventions:
  - {at: 2015-01, set: {firms.ear.skill: 0.9}}
  - {at: 2016-01, set: {world.sectors.speech.algorithmic_halving_months: 8, world.law.tax_rate: 0.1}}
  - {at: 2017-01, set: {world.compute.gpus: 8000}}
"""


@pytest.fixture
def vision(tmp_path: Path) -> Scenario:
    return load(write(tmp_path, WORLD + "sectors: [vision]\n"))


def test_the_other_sectors_are_left_out_with_their_firms_and_entrants(vision: Scenario) -> None:
    assert list(vision.world.sectors) == ["vision"] and vision.sectors == ("vision",)
    assert list(vision.firms) == ["eye"] and list(vision.entrants) == ["lookers"]


def test_money_and_gpus_are_scaled_by_the_share_of_entrants_but_not_what_one_company_gets(vision: Scenario) -> None:
    fund, angel = vision.investors["fund"], vision.investors["angel"]
    assert vision.world.compute.gpus == 1000
    assert fund.size_usd == 5e7 and fund.size_usd * fund.ticket_share == pytest.approx(2e7)
    assert angel.size_usd == 1e7 and angel.ticket_share == 1  # not more than all its money


def test_the_sectors_played_together_share_what_the_world_has(tmp_path: Path) -> None:
    path = write(tmp_path, WORLD)
    parts = [load(path, {"sectors": [name]}) for name in ("speech", "vision")]
    assert sum(part.investors["fund"].size_usd for part in parts) == pytest.approx(2e8)
    assert sum(part.world.compute.gpus for part in parts) == pytest.approx(4000)
    both, whole = load(path, {"sectors": ["vision", "speech"]}), load(path)
    assert both.world == whole.world and both.investors == whole.investors and both.firms == whole.firms


def test_where_nobody_enters_sectors_count_alike(tmp_path: Path) -> None:
    quiet = WORLD.replace("per_year: 3", "per_year: 0").replace("per_year: 1,", "per_year: 0,")
    assert load(write(tmp_path, quiet + "sectors: [vision]\n")).world.compute.gpus == 2000


def test_potential_founders_count_where_there_are_any(tmp_path: Path) -> None:
    """Ten simulated ones of a hundred, beside one usual entrant: the sector's part of the money is ten elevenths."""
    many = WORLD.replace("per_year: 3,", "potential_per_year: 100,").replace(
        "  compute:", "  founding: {firms_scale: 10}\n  compute:"
    )
    speech = load(write(tmp_path, many + "sectors: [speech]\n"))
    assert speech.world.compute.gpus == pytest.approx(4000 * 10 / 11)


def test_what_interventions_say_of_other_sectors_is_left_out(vision: Scenario) -> None:
    assert [f"{change.at:%Y}" for change in vision.interventions] == ["2016", "2017"]
    assert vision.interventions[0].set == {"world.law.tax_rate": 0.1}
    assert vision.settings_at()[-1][1].compute.gpus == 2000  # the share of 8000


def test_leaving_out_again_changes_nothing(vision: Scenario) -> None:
    assert Scenario.from_document(vision.to_document()).fingerprint() == vision.fingerprint()


def test_overrides_and_whatifs_hold_as_written(tmp_path: Path) -> None:
    path = write(tmp_path, WORLD + "sectors: [vision]\n")
    assert load(path, {"world.compute.gpus": 500}).world.compute.gpus == 500
    whatif = write(tmp_path, "whatif: true\ntitle: Few\nset: {world.compute.gpus: 70}\n", "few.yaml")
    assert load_whatif(whatif, load(path)).world.compute.gpus == 70
    assert load(path, {"sectors": None, "firms.ear.skill": 0.3}).firms["ear"].skill == 0.3


CAUSE = "causes: {g: {section: a, says: b, set: {%s}}}\n"
REFUSED: dict[str, tuple[str, int, str]] = {
    "typo": ("sectors: [visoin]\n", 22, "sectors[0] = 'visoin': must be one of the sectors in world.sectors: speech, "
             "vision; did you mean 'vision'?"),
    "twice": ("sectors: [vision, vision]\n", 22, "sectors[1] = 'vision': stands there twice"),
    "none": ("sectors: []\n", 22, "sectors = []: must be a list with at least one entry"),
    "no list": ("sectors: vision\n", 22, "sectors = 'vision': must be a list"),
    "focal firm": ("sectors: [vision]\nfocal: ear\n", 23, "focal = 'ear': the sector 'speech' of ear is left out; add "
                   "speech to sectors: [vision]"),
    "firm of an expectation": (
        "sectors: [vision]\nexpect: [{id: a, section: b, says: c, firm: ear, ending: [alive]}]\n", 23,
        "expect[0].firm = 'ear': the sector 'speech' of ear is left out",
    ),
    "firm of a cause": (f"sectors: [vision]\n{CAUSE % 'firms.ear.skill: 1'}", 23, "cause 'g' sets 'firms.ear.skill': "
                        "sector 'speech' is left out; add speech to sectors: [vision]"),
    "sector of a cause": (f"sectors: [vision]\n{CAUSE % 'world.sectors.speech.task: speech'}", 23,
                          "cause 'g' sets 'world.sectors.speech.task': sector 'speech' is left out"),
    "nobody enters": ("sectors: [vision]\n", 22, "sectors = [vision]: no entrants come there"),
    "fund too small": ("sectors: [vision]\n", 22, "with these sectors alone: investors.fund.size_usd = 50000.0: must"),
    "mistake in a sector that is left out": ("sectors: [vision]\n", 6, "world.sectors.speech.task = 'speach'"),
    "mistake in an intervention that moves up": ("sectors: [vision]\n", 20, "world.law.tax_rate = 7"),
    "too few GPUs are left in an intervention": ("sectors: [vision]\n", 21, "world.compute.gpus = 0.5"),
}  # fmt: skip
EDITS = {
    "nobody enters": ("per_year: 1,", "per_year: 0,"),
    "fund too small": ("size_usd: 2.0e+8", "size_usd: 2.0e+5"),
    "mistake in a sector that is left out": ("task: speech", "task: speach"),
    "mistake in an intervention that moves up": ("tax_rate: 0.1", "tax_rate: 7"),
    "too few GPUs are left in an intervention": ("gpus: 8000", "gpus: 2"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_played_is_named_with_its_line(what: str, tmp_path: Path) -> None:
    added, line, words = REFUSED[what]
    path = write(tmp_path, WORLD.replace(*EDITS.get(what, ("", ""))) + added)
    message = str(error_of(path))
    assert message.startswith(f"{path}:{line}: ") and words in message


def test_an_override_cannot_bring_back_a_firm_that_is_left_out() -> None:
    with pytest.raises(ScenarioError, match=re.escape("no 'voice-giant-a' in firms")):
        load("cases/vision", {"firms.voice-giant-a.skill": 0.2})
    with pytest.raises(ScenarioError, match=re.escape("in an override: sectors[0] = 'visoin'")):
        load("cases/vision", {"sectors": ["visoin"]})


def test_the_base_world_has_every_task_of_a_sector_once() -> None:
    base = shipped("markets/base")
    assert sorted(sector.task for sector in base.world.sectors.values()) == sorted(SECTOR_TASKS)
    for name, sector in base.world.sectors.items():
        sold = {seg for stream in base.entrants.values() if stream.sector == name for o in stream.offers for seg in o}
        assert sold == set(sector.segments), name
        assert any(firm.sector == name and firm.kind == "incumbent" for firm in base.firms.values())


def test_the_cases_play_one_sector_with_its_part_of_the_base_world() -> None:
    base = shipped("markets/base")
    for name in ("vision", "speech"):
        case = load(f"cases/{name}")
        assert list(case.world.sectors) == [name] and case.world.sectors[name] == base.world.sectors[name]
        share = case.entrants[name].per_year / sum(stream.per_year for stream in base.entrants.values())
        assert case.world.compute.gpus == pytest.approx(share * base.world.compute.gpus)


def played(changes: dict[str, Any], sectors: list[str] | None, seed: int = 4) -> dict[str, pd.DataFrame]:
    data = merged(shipped("markets/base").to_document().data, {"years": 5, "interventions": [], **changes})
    if "investors" in changes:
        data["investors"] = {}
    scenario = Scenario.from_document(Document({**data, "sectors": sectors}, "test"))
    return play(build_world(scenario, seed, FakeService())).tables()


UNSHARED = {"investors": {}, "world": {"compute": {"gpus": 1e8}, "labour": {"wage_response": 0.0}}}


def test_a_sector_takes_the_same_path_alone_where_nothing_is_shared() -> None:
    """No funds, a GPU cloud without a queue, wages that do not answer: then other sectors cannot matter."""
    alone, together = played(UNSHARED, ["health"]), played(UNSHARED, ["health", "city", "speech"])
    inside = together["firms"]["sector"] == "health"
    assert inside.any() and not inside.all()
    pd.testing.assert_frame_equal(together["firms"][inside].reset_index(drop=True), alone["firms"])


def test_firms_have_the_same_traits_alone_where_money_is_shared() -> None:
    alone, together = played({}, ["health"]), played({}, ["health", "city", "speech"])
    here = together["endings"][together["endings"]["sector"] == "health"].reset_index(drop=True)
    pd.testing.assert_frame_equal(here[["firm", "founded"]], alone["endings"][["firm", "founded"]])
    first = [t["rounds"][t["rounds"]["round"] == "seed"].set_index("firm")["amount_usd"] for t in (alone, together)]
    assert len(first[0]) > 3 and first[0].equals(first[1][first[0].index])
