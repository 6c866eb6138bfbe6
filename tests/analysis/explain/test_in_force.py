"""Explain and replays read what is in force at a date, dated changes included, never what a file says at its start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.counterfactual.changes import NO_CHANGES, Changes, changed_setup
from analysis.counterfactual.levers import NOTHING_FREE, lever_changes
from analysis.counterfactual.replay import build, check_same, replay_context
from analysis.explain.facts import Record, Subject, read_record
from analysis.explain.offers import free_offers, given_away, own_offers
from analysis.explain.story import Story, explain
from analysis.play.experiment import play
from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions
from analysis.runs.run import Run
from scenarios import Scenario
from tests.support.explain_fakes import ENGINE, ENTRANTS
from tests.support.service import FakeService
from tests.support.world_fakes import scenario_of

PAID = {"photos": "subscription", "cameras": "licence"}
FREE = {"photos": "bundle", "cameras": "bundle"}
IRIS = {"founded": "2016-04", "offers": {"cameras": "subscription", "photos": "freemium"}}


@pytest.fixture(autouse=True)
def computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.counterfactual.replay.real_engine", lambda: ENGINE)


def dated(*changes: tuple[str, dict[str, Any]], **firms: Any) -> Scenario:
    """The small market with iris founded in April 2016 and these dated changes."""
    said = [{"at": at, "set": settings} for at, settings in changes]
    return scenario_of({"firms": {"iris": IRIS, **firms}, "entrants": ENTRANTS, "interventions": said})


def played(scenario: Scenario, folder: Path) -> Run:
    settings = PlayOptions(replications=1, jobs=1, out=folder / "run", ledger=":memory:")
    return play([Arm("small", "base", scenario)], settings, kind="run", name="s", engine=ENGINE)


def told(story: Story, *kinds: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(Date, kind, fields) of the facts of these kinds."""
    return [(f"{fact.when:%Y-%m-%d}", fact.kind, dict(fact.data)) for fact in story.facts if fact.kind in kinds]


def free(firm: str, *segments: str) -> dict[str, Any]:
    """What a bundle says as fields: who gives away what; nothing, where it has ended."""
    return {"firm": firm, "segments": segments}


def record_in(scenario: Scenario, folder: Path, firm: str = "iris") -> Record:
    return read_record(played(scenario, folder), Subject("small", "base", 0, firm))


# -- what others give away --------------------------------------------------------------------------------------------


def test_a_bundle_that_ended_before_the_founding_is_none(tmp_path: Path) -> None:
    story = explain(played(dated(("2016-02", {"firms.giant.offers": PAID})), tmp_path), "iris")
    assert told(story, "bundle", "bundle ended") == [] and given_away(story.record) == {}


def test_a_bundle_is_told_from_the_date_on_which_it_begins_to_that_on_which_it_ends(tmp_path: Path) -> None:
    changes = (("2016-02", {"firms.giant.offers": PAID}), ("2016-06", {"firms.giant.offers": FREE}))
    over = ("2016-09", {"firms.giant.offers.cameras": "licence", "firms.giant.offers.photos": "subscription"})
    story = explain(played(dated(*changes, over), tmp_path), "iris")
    assert told(story, "bundle", "bundle ended") == [
        ("2016-06-01", "bundle", free("giant", "cameras", "photos")),
        ("2016-09-01", "bundle ended", free("giant")),
    ]
    begun, ended = (fact.says for fact in story.facts if fact.kind.startswith("bundle"))
    assert begun == "giant gives cameras, photos away with its other products"
    assert ended == "giant gives none of that away any longer"
    keys = [fact.key for fact in story.facts if fact.kind.startswith("bundle")]
    assert keys == [f"arms.resolved.interventions 2016-0{month} firms.giant.offers" for month in (6, 9)]


def test_a_bundle_counts_where_the_firm_sells_and_since_both_are_there(tmp_path: Path) -> None:
    late = {"kind": "incumbent", "sector": "vision", "founded": "2016-07", "offers": {"cameras": "bundle"}}
    later = {**late, "founded": "2016-08", "offers": {"photos": "bundle"}}
    own = ("2016-08", {"firms.iris.offers": {"photos": "subscription"}})
    story = explain(played(dated(own, maker=late, painter=later), tmp_path), "iris")
    assert told(story, "bundle", "bundle ended", "offers") == [
        ("2016-04-01", "bundle", free("giant", "photos")),
        ("2016-07-01", "bundle", free("maker", "cameras")),
        ("2016-08-01", "bundle ended", free("maker")),
        ("2016-08-01", "bundle", free("painter", "photos")),
        ("2016-08-01", "offers", {"offers": {"cameras": "", "photos": "subscription"}}),
    ]


def test_bundles_are_told_of_drawn_firms_and_incumbents_too(tmp_path: Path) -> None:
    maker = {"kind": "incumbent", "sector": "vision", "offers": {"cameras": "bundle"}}
    run = played(dated(maker=maker), tmp_path)
    for firm in ("new-2016-01-1", "giant"):
        assert [what for _, _, what in told(explain(run, firm), "bundle")] == [free("maker", "cameras")]


# -- what the firm itself sells ---------------------------------------------------------------------------------------


def test_a_free_offer_goes_back_to_what_made_it_free(tmp_path: Path) -> None:
    changes = (("2016-02", {"firms.iris.offers": {"cameras": "subscription"}}),)
    later = ("2016-10", {"firms.iris.offers": {"cameras": "freemium"}})
    record = record_in(dated(*changes, later), tmp_path)
    assert [dict(change.offers) for change in own_offers(record)] == [
        {"cameras": "subscription"},
        {"cameras": "freemium"},
    ]
    ((offer, change),) = free_offers(record, own_offers(record)[0].moment)
    assert offer == "cameras" and f"{change.when:%Y-%m}" == "2016-10"
    assert free_offers(record_in(dated(*changes), tmp_path / "other"), own_offers(record)[0].moment) == []


def test_what_a_firm_changes_by_itself_is_what_it_sells_from_then_on(tmp_path: Path) -> None:
    """A pivot, a segment entered and one left; each as the market had it at the end."""
    tiny = {"customers": 10, "reference_price_usd": 10}
    large = {"customers": 2000, "reference_price_usd": 2000, "innovation_rate_year": 0.3, "contract_months": 12}
    studies = {"research_usd": 30_000, "research_error": 0, "looks_year": 0, "interval_months": 3}
    for segments, studied, expected in (
        ({"cameras": tiny}, {}, {"cameras": "solution"}),
        ({"cameras": tiny, "halls": large}, studies, {"halls": "subscription"}),
    ):
        changes: dict[str, Any] = {
            "world": {"sectors": {"vision": {"segments": segments}}, "positioning": studied},
            "firms": {"iris": {"offers": {"cameras": "subscription"}, "pivot_months": 8, "capital_usd": 5e6}},
        }
        record = record_in(scenario_of(changes), tmp_path / str(len(segments)))
        assert own_offers(record)[0].offers == {"cameras": "subscription"}
        assert own_offers(record)[-1].offers == expected


def test_a_story_tells_the_breakthroughs_of_the_firms_sector_and_when_it_took_them_up(tmp_path: Path) -> None:
    jump = {"at": "2016-06", "kind": "efficiency", "factor": 8}
    shops = {"task": "commerce-recommendation", "market_opens": 2016, "segments": {"chains": {}}}
    far = {**jump, "at": "2016-07", "sectors": ["shops"]}
    changes: dict[str, Any] = {
        "world": {
            "sectors": {"shops": shops},
            "technology": {"breakthroughs": {"near": jump, "far": far}, "take_up_months": 0},
        },
        "firms": {"iris": {"capital_usd": 5e6}},
    }
    story = explain(played(scenario_of(changes), tmp_path), "iris")
    assert [(when, fields["sectors"]) for when, _, fields in told(story, "breakthrough")] == [
        ("2016-06-01", ["vision", "shops"])
    ]
    assert [fields["what"] for _, _, fields in told(story, "breakthrough taken up")] == ["efficiency"]


def test_what_an_incumbent_lives_on_is_what_its_parent_pays_at_the_end(tmp_path: Path) -> None:
    more = ("2017-01", {"firms.giant.core_income_usd_month": 3e6})
    story = explain(played(dated(more), tmp_path), "giant")
    (link,) = [link for link in story.links if link.basis == "parent"]
    assert link.cause.says.startswith("its parent pays 3 M$ a month for it, 1 M$ at first")
    assert "interventions 2017-01" in link.cause.key and link.effect == story.end


def test_a_scenario_of_another_release_is_told_without_offers(tmp_path: Path) -> None:
    run = played(dated(), tmp_path)
    run.manifest["arms"][0]["resolved"]["firms"]["iris"]["magic"] = 1
    story = explain(run, "iris")
    assert told(story, "bundle") == [] and any("none for this release" in note for note in story.notes)
    assert story.links, "what the tables say is told all the same"


# -- replays ----------------------------------------------------------------------------------------------------------

SOLD_FIRST = ("2016-02", {"firms.iris.offers": {"cameras": "freemium"}, "firms.iris.skill": 0.9})


def test_levers_start_from_what_is_in_force_at_the_founding(tmp_path: Path) -> None:
    run = played(dated(SOLD_FIRST), tmp_path)
    with replay_context(run, Subject("small", "base", 0, "iris"), Path(":memory:"), "cpu") as stage:
        settings = check_same(run, stage)
    assert settings.offers == {"cameras": "freemium"} and settings.skill == 0.9
    levers = [pull.lever for pull in lever_changes(settings, failed=True)]
    assert "cameras: freemium → subscription" in levers and not any(lever.startswith("photos") for lever in levers)


@pytest.mark.parametrize(
    ("path", "value"), [("offers", {"cameras": "licence"}), ("skill", 0.2), ("engineering.memory", 2.0)]
)
def test_a_replayed_change_holds_at_the_founding_whatever_was_set_before_and_yields_to_what_comes_after(
    path: str, value: Any
) -> None:
    after = ("2016-10", {"firms.iris.skill": 0.7})
    changed = changed_setup(dated(SOLD_FIRST, after), "iris", 3, Changes({path: value}))
    begun, later = (changed.firms_in_force(month)["iris"].model_dump() for month in (3, 9))
    expected = {"offers": {"cameras": "freemium"}, "skill": 0.9, "engineering.memory": 1.0, path: value}
    for name, wanted in expected.items():
        *above, last = name.split(".")
        assert (begun[above[0]] if above else begun)[last] == wanted
    assert later["skill"] == 0.7 and changed.firms_in_force(3)["giant"] == dated().firms["giant"]


def test_a_replayed_offer_is_what_the_firm_is_founded_with(tmp_path: Path) -> None:
    """Before, a dated change took the replayed setting back, so that all ways of earning were one and the same."""
    run = played(dated(SOLD_FIRST), tmp_path)
    with replay_context(run, Subject("small", "base", 0, "iris"), Path(":memory:"), "cpu") as stage:
        setup = changed_setup(stage.setup, "iris", stage.founded, Changes({"offers": {"cameras": "licence"}}))
        world = stage.engine.build_world(setup, 0, stage.engine.open_service(Path(":memory:"), "cpu", False))
    for _ in range(3):
        world.step()
    events = world.tables()["events"].query("kind == 'founded' and firm == 'iris'")
    assert json.loads(events["fields"].iloc[0])["offers"] == {"cameras": "licence"}


def test_who_gives_nothing_away_in_a_replay_never_does_again(tmp_path: Path) -> None:
    again = ("2016-08", {"firms.giant.offers": FREE})
    part = ("2016-10", {"firms.giant.offers.photos": "bundle"})
    scenario = dated(again, part)
    record = record_in(scenario, tmp_path)
    assert given_away(record) == {"giant": ("cameras", "photos")}
    pull = next(
        pull for pull in lever_changes(scenario.firms["iris"], True, given_away(record)) if pull.lever == NOTHING_FREE
    )
    assert pull.at(1.0).as_document() == {
        "firms.giant.offers.cameras": "subscription",
        "firms.giant.offers.photos": "subscription",
    }
    changed = changed_setup(scenario, "iris", 3, pull.at(1.0))
    assert "bundle" in changed.firms_in_force(2)["giant"].offers.values(), "before the firm is founded all is as it was"
    for month in (3, 7, 9, 35):
        assert "bundle" not in changed.firms_in_force(month)["giant"].offers.values()
    assert changed.firms["iris"] == scenario.firms["iris"]


def test_without_a_change_the_scenario_is_the_same() -> None:
    scenario = dated(SOLD_FIRST)
    assert changed_setup(scenario, "iris", 3, Changes()) is scenario


def test_others_are_changed_around_a_drawn_firm_too(tmp_path: Path) -> None:
    run = played(dated(), tmp_path)
    with replay_context(run, Subject("small", "base", 0, "new-2016-01-1"), Path(":memory:"), "cpu") as stage:
        changes = (NO_CHANGES, Changes({"skill": 0.9}, {"giant": ("photos",)}))
        before, after = (build(stage, one, FakeService()).firms for one in changes)  # type: ignore[attr-defined]
    assert [firms["giant"].given.offers["photos"] for firms in (before, after)] == ["bundle", "subscription"]
    assert before["new-2016-01-1"].given.skill < 0.9 == after["new-2016-01-1"].given.skill
    assert before["new-2016-01-2"].given == after["new-2016-01-2"].given


def test_a_founding_says_what_is_in_force(tmp_path: Path) -> None:
    run = played(dated(SOLD_FIRST), tmp_path)
    events = pd.read_parquet(run.folder / "events.parquet").query("kind == 'founded' and firm == 'iris'")
    assert [json.loads(one)["offers"] for one in events["fields"]] == [{"cameras": "freemium"}]
