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

from analysis.errors import AnalysisError
from analysis.explain.facts import Subject, arm_of, is_failure
from analysis.play.lockstep import Engine, World, one_thread, play_month, real_engine
from analysis.play.options import IN_MEMORY, default_ledger
from analysis.play.provenance import code_fingerprint
from analysis.runs.run import Run
from analysis.runs.tables import WORLD_TABLES, world_table

if TYPE_CHECKING:
    from agents.settings import FirmSettings
    from scenarios import Scenario

Changes = Mapping[str, Any]
"""Settings of the firm by dotted path below it, with their new values."""
LARGEST_COMPANY = 8  # worlds that are played together: what an interrupt can lose


@dataclass(frozen=True)
class Stage:
    """What a replay needs. Picklable."""

    subject: Subject
    setup: Scenario
    engine: Engine
    ledger: Path
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
def stage_of(run: Run, subject: Subject, ledger: Path | None, device: str) -> Iterator[Stage]:
    """The stage for replays of one world of a run, with the run's training results in the ledger.

    ledger: None takes the run's own where it is still there, else the user's.
    Raises `AnalysisError` where the scenario in the manifest is none for this release.
    """
    named = str(ledger or run.manifest.ledger or default_ledger())
    folder = Path(tempfile.mkdtemp(prefix="ventures-replay-"))
    try:
        path = Path(named) if ledger or Path(named).exists() else default_ledger()
        path = folder / "ledger.sqlite" if named == IN_MEMORY else path.resolve()
        bring_training(run, path)
        yield Stage(subject, setup_of(run, subject), real_engine(), path, device)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bring_training(run: Run, ledger: Path) -> None:
    """Import the run folder's own training results, so that a run from another machine need not be trained again."""
    from analysis.training.ledger_files import import_ledger

    try:
        import_ledger(run.folder / "training.parquet", ledger)
    except AnalysisError:
        pass  # another layout of the ledger: what is missing is trained


def setup_of(run: Run, subject: Subject) -> Scenario:
    """The scenario of the subject's arm, from the manifest."""
    from scenarios import Scenario, ScenarioError
    from scenarios.strict_yaml.document import Document

    arm = arm_of(run, subject)
    try:
        return Scenario.from_document(Document(dict(arm["resolved"]), subject.scenario), subject.scenario)
    except ScenarioError as error:
        raise other_version(run, f"its scenario is none for this release: {error}") from error


def other_version(run: Run, what: str) -> AnalysisError:
    """The error for a run that this code cannot play again."""
    then, now = run.manifest.code, code_fingerprint()
    return AnalysisError(
        f"{run.folder} was made by another version (code {then}, now {now}), so nothing can be replayed: {what}; "
        "play it again, or read on with --no-replay"
    )


def changed_setup(stage: Stage, changes: Changes) -> Scenario:
    """The scenario with a named firm's settings changed from the start."""
    from scenarios import Scenario
    from scenarios.strict_yaml.changes import apply_changes

    document = stage.setup.to_document()
    document.data["causes"], document.data["expect"] = {}, ()  # they need not fit the changed scenario
    paths = {f"firms.{stage.subject.firm}.{path}": value for path, value in changes.items()}
    return Scenario.from_document(apply_changes(document, paths, Scenario, by="in a replay: "), stage.setup.name)


def build(stage: Stage, changes: Changes, service: Any) -> World:
    """A world with the firm changed, not stepped yet."""
    seed = stage.subject.seed
    if not changes:
        return stage.engine.build_world(stage.setup, seed, service)
    if stage.named:
        return stage.engine.build_world(changed_setup(stage, changes), seed, service)
    return stage.engine.build_world(stage.setup, seed, service, {stage.subject.firm: dict(changes)})


def play_changes(stage: Stage, many: Sequence[Changes]) -> list[Outcome]:
    """Replays with the firm changed in several ways, month by month together so that their training fuses.

    A world stops when the firm is gone, for nothing brings it back.
    """
    service = stage.engine.open_service(stage.ledger, stage.device, False)
    with one_thread():
        worlds = [build(stage, changes, service) for changes in many]
        while running := [world for world in worlds if world.month < world.n_months and not is_gone(stage, world)]:
            play_month(running, service)
        return [outcome_of(stage, world) for world in worlds]


def is_gone(stage: Stage, world: World) -> bool:
    """Whether the firm has been wound up or bought."""
    firm = getattr(world, "firms", {}).get(stage.subject.firm)
    return firm is not None and not firm.alive


def outcome_of(stage: Stage, world: World) -> Outcome:
    """How the firm stands in a world that was played."""
    endings = world.tables()["endings"]
    row = endings[endings["firm"] == stage.subject.firm].iloc[0].to_dict()
    gone = "" if pd.isna(row["ended"]) else f"{row['ended']:%Y-%m}"
    return Outcome(str(row["ending"]), gone, is_failure(row))


def check_same(run: Run, stage: Stage) -> FirmSettings:
    """Replay the world without any change and compare all its tables; returns the firm's settings at its start.

    Raises `AnalysisError` that names the first difference.
    """
    service = stage.engine.open_service(stage.ledger, stage.device, False)
    with one_thread():
        world = build(stage, {}, service)
        while world.month < world.n_months:
            play_month([world], service)
    if difference := first_difference(run, stage.subject, world.tables()):
        raise other_version(run, f"without any change {difference}")
    if stage.named:
        return stage.setup.firms[stage.subject.firm]
    return world.firms[stage.subject.firm].settings  # type: ignore[attr-defined]


def first_difference(run: Run, subject: Subject, tables: Mapping[str, pd.DataFrame]) -> str:
    """Where a replay leaves the recorded tables, in words; nothing where it does not."""
    for name in WORLD_TABLES:
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
