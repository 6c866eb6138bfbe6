"""Whole played worlds: of every firm, no cause comes after its effect, and every ending has a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from analysis.cli.main import run_command
from analysis.explain import facts as facts_module
from analysis.explain.causes import links_of
from analysis.explain.chronicle import chronicle
from analysis.explain.moments import BEGINNING, MEASURED, OVER, Moment
from analysis.explain.story import Story, explain
from analysis.play.experiment import play
from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions
from analysis.runs.run import Run
from scenarios import load
from tests.support.damage import seal_again
from tests.support.explain_fakes import ENGINE, events_of, months_of, play_small, record_of

WORLDS = ("markets/base", "markets/general-or-vertical", "markets/tools-and-services", "cases/speech", "cases/vision")
LIVING = ("alive", "profitable")


def disorders(story: Story) -> Iterator[str]:
    """What is out of order in a story, in words."""
    for link in story.links:
        if not link.cause.moment < link.effect.moment or link.cause.when > link.effect.when:
            yield f"{link.basis}: {link.cause.trace} after {link.effect.trace}"
    dates = [fact.when for fact in story.facts]
    if dates != sorted(dates):
        yield "the chronicle is not in order of time"
    yield from (f"{fact.trace} after the end" for fact in story.facts if fact.moment > story.end.moment)
    if not any(link.effect == story.end for link in story.links):
        yield f"no reason for the ending {story.record.ending['ending']}"
    if story.record.ending["ending"] in LIVING and (
        story.record.ending["causes"] or any(link.cause.kind == "condition" for link in story.links)
    ):
        yield "causes of an end that did not come"


def all_disorders(run: Run) -> list[str]:
    """The same of every firm in every arm and seed of a run."""
    found = []
    for row in run.endings.to_dict("records"):
        story = explain(run, row["firm"], row["seed"], row["scenario"], row["arm"])
        found += [f"{row['firm']}, seed {row['seed']}: {says}" for says in disorders(story)]
    return found


@pytest.fixture
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenarios are read once for all firms of a world."""
    read = facts_module.scenario_of

    @cache
    def kept(folder: Path, scenario: str, arm: str) -> object:
        return read(runs[folder], facts_module.Subject(scenario, arm, 0, ""))

    runs: dict[Path, Run] = {}

    def once(run: Run, subject: facts_module.Subject) -> object:
        runs[run.folder] = run
        return kept(run.folder, subject.scenario, subject.arm)

    monkeypatch.setattr(facts_module, "scenario_of", once)


@pytest.mark.slow
def test_in_small_worlds_no_cause_comes_after_its_effect(tmp_path: Path, read_once: None) -> None:
    assert all_disorders(play_small(tmp_path / "run", seeds=3)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_in_whole_worlds_no_cause_comes_after_its_effect(name: str, tmp_path: Path, read_once: None) -> None:
    scenario = load(name)
    settings = PlayOptions(replications=2, jobs=1, out=tmp_path / "run", ledger=":memory:")
    run = play([Arm(scenario.name, "base", scenario)], settings, kind="run", name=name, engine=ENGINE)
    kinds = Counter(run.endings["ending"])
    assert len(run.endings) >= 10 and len(kinds) >= 2, "the world has endings of several kinds to explain"
    assert all_disorders(run) == []


def test_moments_of_one_month_are_ordered_by_what_came_first() -> None:
    march, april = pd.Timestamp("2016-03-01"), pd.Timestamp("2016-04-01")
    order = [
        Moment(march, BEGINNING), Moment(march, 7, -1), Moment(march, 7), Moment(march, 8), Moment(march, MEASURED),
        Moment(march, OVER), Moment(april, BEGINNING), Moment(april, 0),
    ]  # fmt: skip
    assert sorted(reversed(order)) == order and len(set(order)) == len(order)


def test_a_month_s_row_is_no_cause_of_what_was_decided_before_the_month_s_end() -> None:
    """A breach that a phase of March decides is dated to April 1, as is the row that March's end measures after it."""
    breach = ("2016-04-01", "breach", "iris", "", 1e4, {"rows": 5.0})
    story = record_of(months_of(trust=[0.5, 0.5, 0.4, 0.4]), events_of(breach))
    (link,) = [link for link in links_of(story, chronicle(story)) if link.basis == "incident"]
    assert link.cause.when == link.effect.when and link.cause.moment < link.effect.moment
    late = record_of(months_of(trust=[0.5, 0.5, 0.4, 0.4]), events_of(("2016-04-02", *breach[1:])))
    assert not [link for link in links_of(late, chronicle(late)) if link.basis == "incident"]


def test_a_release_after_the_lowest_trust_is_no_cause_of_its_fall() -> None:
    key = "0123456789abcdef0123456789abcdef"
    late = ("2016-05-01", "release", "iris", "", 0.0, {"run": key, "lab": 0.8, "field": 0.5, "rung": 2})
    record = record_of(months_of(trust=[0.5, 0.4, 0.3, 0.35, 0.4, 0.4]), events_of(late))
    assert "field gap" not in {link.basis for link in links_of(record, chronicle(record))}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda events: events.drop(columns=["month", "fields"]), "made by an earlier release"),
        (lambda events: events.assign(fields='{"offers": '), "the fields of an event are no JSON"),
        (lambda events: events.assign(fields="[" * 100_000), "the fields of an event are no JSON"),
    ],
)
def test_events_that_cannot_be_ordered_or_read_are_told_in_one_line(
    change: Callable[[pd.DataFrame], pd.DataFrame], says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = play_small(tmp_path / "run", seeds=1).folder
    change(pd.read_parquet(folder / "events.parquet")).to_parquet(folder / "events.parquet", index=False)
    seal_again(folder)
    capfd.readouterr()
    assert run_command(["explain", str(folder), "iris", "--no-replay"]) == 2
    out, err = capfd.readouterr()
    assert out == "" and says in err and err.count("\n") == 1
