"""One firm's story from its run folder: what happened, what caused what, what would have turned its ending around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.counterfactual.agreement import Check, agrees, checks, label_of
from analysis.counterfactual.search import GRID, Reversals
from analysis.counterfactual.seeds import SeedRobustness
from analysis.errors import AnalysisError
from analysis.explain.causes import RECORDED, links_of
from analysis.explain.chronicle import chronicle, turning_points
from analysis.explain.facts import Fact, Record, Subject, read_record
from analysis.explain.rules import RULES, Link
from analysis.runs.choose import choose_arm, known, span
from analysis.runs.run import Run


@dataclass(frozen=True)
class Story:
    """What a run folder tells of one firm. `notes` says which world was chosen, and what could not be told."""

    record: Record
    facts: tuple[Fact, ...]
    turns: tuple[Fact, ...]
    links: tuple[Link, ...]
    notes: tuple[str, ...] = ()

    @property
    def end(self) -> Fact:
        """The ending."""
        return self.facts[-1]


def explain(run: Run, firm: str, seed: int | None = None, scenario: str | None = None, arm: str | None = None) -> Story:
    """The story of one firm of a run, from its tables alone.

    seed, scenario, arm: None takes the first seed, the first scenario and the arm `base`.
    Raises `AnalysisError` where the run has no such thing; the text names what comes close.
    """
    subject, notes = choose(run, firm, seed, scenario, arm)
    record = read_record(run, subject)
    if record.scenario is None:
        notes.append("its scenario is none for this release: what was sold and given away is left out")
    facts = chronicle(record)
    turns = turning_points(record) if len(record.months) else []
    return Story(record, tuple(facts), tuple(turns), tuple(links_of(record, facts)), tuple(notes))


def choose(run: Run, firm: str, seed: int | None, scenario: str | None, arm: str | None) -> tuple[Subject, list[str]]:
    """The firm's world, and what was chosen where nothing was said."""
    name, chosen, notes = choose_arm(run, scenario, arm)
    if seed is not None and seed not in run.seeds:
        raise AnalysisError(f"no seed {seed} in {run.folder}; there are {span(run.seeds)}")
    world = (name, chosen, run.seeds[0] if seed is None else seed)
    firms = run.select("endings", name, chosen, ["firm"], [("seed", "==", world[2])])["firm"].tolist()
    known("firm", firm, firms, run)
    if seed is None and len(run.seeds) > 1:
        notes.append(f"seed {world[2]}, one of {len(run.seeds)}")
    return Subject(*world, firm), notes


def as_document(story: Story, reversals: Reversals | None, robustness: SeedRobustness | None = None) -> dict[str, Any]:
    """The story as JSON says it; `reversals` and `further_seeds` are null where nothing was replayed."""
    subject = story.record.subject
    checked = checks_of(story, reversals)
    return {
        **{name: getattr(subject, name) for name in ("scenario", "arm", "seed", "firm")},
        "ending": story.record.ending["ending"],
        "failed": story.record.failed,
        "notes": list(story.notes),
        "chronicle": [fact.as_document() for fact in story.facts],
        "turning_points": [fact.as_document() for fact in story.turns],
        "causes": [_link_document(link, check_of(link, checked)) for link in story.links],
        "rules": {name: RULES[name] for name in sorted({link.basis for link in story.links} - {RECORDED})},
        "reversals": None if reversals is None else _reversals_document(reversals, checked),
        "further_seeds": None if robustness is None else robustness.as_document(),
    }


def checks_of(story: Story, reversals: Reversals | None) -> list[Check]:
    """The causes of the ending against the replays; none where nothing was replayed."""
    return checks(story.end, story.links, reversals) if reversals is not None else []


def check_of(link: Link, checked: Sequence[Check]) -> Check | None:
    """The check of a link that leads to the ending."""
    return next((one for one in checked if link.cause in one.causes and label_of(link) == one.label), None)


def _link_document(link: Link, check: Check | None) -> dict[str, Any]:
    return {
        "cause": link.cause.as_document(),
        "effect": link.effect.as_document(),
        "recorded": link.basis == RECORDED,
        "rule": None if link.basis == RECORDED else link.basis,
        "evidence": link.evidence,
        "agrees": None if check is None else check.agrees,
        "tested_by": [] if check is None else list(check.levers),
    }


def _reversals_document(reversals: Reversals, checked: Sequence[Check]) -> dict[str, Any]:
    order = [*reversals.found, *reversals.without]
    return {
        "complete": reversals.complete,
        "replays": reversals.n_replays,
        "grid": list(GRID),
        "levers": [{**one.as_document(), "agrees": agrees(one, checked, reversals.complete)} for one in order],
    }
