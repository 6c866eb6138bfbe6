"""Playing one recorded world again, with one firm changed, in the same seed: everything else is drawn as before."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.counterfactual.changes import NO_CHANGES, Changes, changed_setup
from analysis.counterfactual.ledger import LayeredLedger, bring_training
from analysis.errors import AnalysisError
from analysis.explain.facts import Subject, is_failure, scenario_of
from analysis.explain.offers import settings_at_founding
from analysis.play.lockstep import Engine, Service, World, one_thread, play_month, real_engine
from analysis.play.options import IN_MEMORY, default_ledger
from analysis.play.provenance import code_fingerprint
from analysis.runs.check import is_unknown_to
from analysis.runs.run import Run
from analysis.runs.tables import WORLD_TABLES, world_table
from simulation.training.ledger.read_only import ReadOnlyLedger

if TYPE_CHECKING:
    from agents.settings import FirmSettings
    from scenarios import Scenario

LARGEST_BATCH = 8  # worlds that are played together: what an interrupt can lose


@dataclass(frozen=True)
class ReplayContext:
    """What a replay needs. Picklable.

    founded: month of the run in which the firm enters; 0 for one that is there from the start.
    ledger: the replays' own file; below: the user's ledger, which is only read (None: there is none).
    """

    subject: Subject
    setup: Scenario
    founded: int
    engine: Engine
    ledger: Path
    below: Path | None
    device: str

    @property
    def named(self) -> bool:
        """Whether the scenario names the firm; else it was drawn from a stream of entrants."""
        return self.subject.firm in self.setup.firms


@dataclass(frozen=True)
class Outcome:
    """How the firm ended in a replay."""

    ending: str
    ended: str  # month, or nothing for a firm that lives
    failed: bool


@contextmanager
def replay_context(run: Run, subject: Subject, ledger: Path | None, device: str) -> Iterator[ReplayContext]:
    """Context for replays of one world of a run. Nothing is written but in a temporary folder that ends with it.

    The run's own training results go into a ledger there, and what replays train joins them. No path that the manifest
    names is opened: a run folder may come from anybody.
    ledger: read for what is missing there, never written; None takes the user's.
    Raises `AnalysisError` where rules were replaced at run time or the scenario in the manifest is none for this
    release, `LedgerError` where the user's ledger is none.
    """
    engine = real_engine()
    below = ledger or default_ledger()
    known = None if str(below) == IN_MEMORY else below.resolve()
    if known is not None:
        ReadOnlyLedger(known)  # one that cannot be one is told before anything is played
    setup = setup_of(run, subject)
    folder = Path(tempfile.mkdtemp(prefix="ventures-replay-"))
    try:
        own = folder / "ledger.sqlite"
        bring_training(run, own)
        yield ReplayContext(subject, setup, founding_of(run, subject, setup), engine, own, known, device)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def founding_of(run: Run, subject: Subject, setup: Scenario) -> int:
    """The month of the run in which the firm enters."""
    here = [("seed", "==", subject.seed), ("firm", "==", subject.firm)]
    founded = run.select("endings", subject.scenario, subject.arm, ["founded"], here)["founded"].iloc[0]
    return max(setup.month_of(founded.date()), 0)


def service_of(context: ReplayContext) -> Service:
    """A training service on the replays' own ledger, over the one that is only read."""
    service = context.engine.open_service(context.ledger, context.device, False)
    if context.below is not None:
        service.ledger = LayeredLedger(service.ledger, ReadOnlyLedger(context.below))
    return service


def setup_of(run: Run, subject: Subject) -> Scenario:
    """The scenario of the subject's arm, from the manifest."""
    from scenarios import ScenarioError

    try:
        return scenario_of(run, subject)
    except ScenarioError as error:
        raise other_version(run, f"its scenario is none for this release: {error}") from error


def other_version(run: Run, what: str) -> AnalysisError:
    """The error for a run that this code cannot play again."""
    then, now = run.manifest.code, code_fingerprint()
    return AnalysisError(
        f"{run.folder} was made by another version (code {then}, now {now}), so nothing can be replayed: {what}; "
        "play it again, or read on with --no-replay"
    )


def build(context: ReplayContext, changes: Changes, service: Any) -> World:
    """A world with the firm changed, not stepped yet."""
    seed, firm = context.subject.seed, context.subject.firm
    own = changes.own if context.named else {}
    setup = changed_setup(context.setup, firm, context.founded, Changes(own, changes.sold))
    drawn = {} if context.named else changes.own
    return context.engine.build_world(setup, seed, service, *([{firm: dict(drawn)}] if drawn else []))


def play_changes(context: ReplayContext, many: Sequence[Changes]) -> list[Outcome]:
    """Replays with the firm changed in several ways, month by month together so that their training fuses.

    A world stops when the firm is gone, for nothing brings it back.
    """
    service = service_of(context)
    with one_thread():
        worlds = [build(context, changes, service) for changes in many]
        while running := [world for world in worlds if world.month < world.n_months and not is_gone(context, world)]:
            play_month(running, service)
        return [outcome_of(context, world) for world in worlds]


def is_gone(context: ReplayContext, world: World) -> bool:
    """Whether the firm has been wound up or bought."""
    firm = getattr(world, "firms", {}).get(context.subject.firm)
    return firm is not None and not firm.alive


def outcome_of(context: ReplayContext, world: World) -> Outcome:
    """How the firm stands in a world that was played."""
    endings = world.tables()["endings"]
    row = endings[endings["firm"] == context.subject.firm].iloc[0].to_dict()
    gone = "" if pd.isna(row["ended"]) else f"{row['ended']:%Y-%m}"
    return Outcome(str(row["ending"]), gone, is_failure(row))


def check_same(run: Run, context: ReplayContext) -> FirmSettings:
    """Replay the world without any change and compare all its tables; returns the settings with which the firm began.

    Raises `AnalysisError` that names the first difference.
    """
    service = service_of(context)
    with one_thread():
        world = build(context, NO_CHANGES, service)
        while world.month < world.n_months:
            play_month([world], service)
    if difference := first_difference(run, context.subject, world.tables()):
        raise other_version(run, f"without any change {difference}")
    if context.named:
        return settings_at_founding(context.setup, context.subject.firm)
    return world.firms[context.subject.firm].given  # type: ignore[attr-defined]


def first_difference(run: Run, subject: Subject, tables: Mapping[str, pd.DataFrame]) -> str:
    """Where a replay leaves the recorded tables, in words; nothing where it does not."""
    for name in WORLD_TABLES:
        if is_unknown_to(run.folder, name, run.manifest):
            continue
        label = (subject.scenario, subject.arm, subject.seed)
        now = world_table(name, [(*label, tables[name])]).to_pandas()
        then = run.select(name, *label[:2], where=[("seed", "==", subject.seed)]).reset_index(drop=True)
        if found := differing(then, now):
            return f"{name} {found}"
    return ""


def differing(then: pd.DataFrame, now: pd.DataFrame) -> str:
    """The first cell that differs, in words; columns that only one of them has count too."""
    if odd := sorted({*then.columns} ^ {*now.columns}):
        return f"has other columns ({', '.join(odd)})"
    if len(then) != len(now):
        return f"has {len(now)} rows, {len(then)} were recorded"
    same = pd.DataFrame({name: (then[name] == now[name]) | (then[name].isna() & now[name].isna()) for name in then})
    if same.all(axis=None):
        return ""
    i = int(same.all(axis=1).argmin())
    was, became = then.iloc[i].to_dict(), now.iloc[i].to_dict()
    column = next(name for name in was if not same[name].iloc[i])
    when = next((f"{was[name]:%Y-%m} " for name in ("month", "time", "founded") if name in was), "")
    return f"{when}{was.get('firm', '')}: {column} is {became[column]}, {was[column]} was recorded"
