"""Playing an experiment: arms × seeds into a run folder, resumable, interruptible; and `run`, its simplest form."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from analysis.documents import finite
from analysis.errors import AnalysisError, BrokenRun
from analysis.play.estimate import check_size, estimate
from analysis.play.foundations import check_trainable
from analysis.play.interrupted import Interrupted
from analysis.play.interrupts import held
from analysis.play.lockstep import Arm, Engine, real_engine, split_into_blocks
from analysis.play.options import PlayArguments, PlayOptions
from analysis.play.over import Over, arm_over, over_of
from analysis.play.plugins import acting_in, sources_of
from analysis.play.progress import Tally, progress_bar
from analysis.play.provenance import provenance
from analysis.play.workers import Job, play_blocks
from analysis.runs import write as run_folder
from analysis.runs.choose import BASE
from analysis.runs.manifest import ArmNote, Manifest, PluginNote, Status
from analysis.runs.parts import sound_parts
from analysis.runs.run import Run
from analysis.runs.seeds import SeedSet

if TYPE_CHECKING:
    from scenarios import Scenario


def run(scenario: Scenario | str | Path, **options: Unpack[PlayArguments]) -> Run:
    """Play a scenario with many seeds; the result's `firms`, `sectors`, `events`, … are data frames.

    scenario: a loaded scenario, a shipped name such as "cases/vision", or a YAML file.
    options: `replications`, `seed`, `jobs`, `device`, `out`, `ledger`, `retrain`, `progress`, `yes`, `plugins`, `over`;
        see `PlayOptions`.
    Raises `AnalysisError` and `scenarios.ScenarioError` for a wrong request, `Interrupted` on Ctrl-C.
    """
    settings = PlayOptions.of(options)
    setup = loaded(scenario, settings)
    over = over_of(settings, setup)
    return play([arm_over(setup, BASE, over)], settings, kind="run", name=setup.name, over=over)


def loaded(scenario: Scenario | str | Path, settings: PlayOptions) -> Scenario:
    """The scenario itself, or the one of that name or file; the plug-ins of the settings act in it."""
    if isinstance(scenario, str | os.PathLike):
        from scenarios import load

        return acting_in(load(scenario), settings.plugins)
    if not hasattr(scenario, "fingerprint"):
        raise AnalysisError(f"scenario must be a name, a path or a loaded scenario, not {scenario!r}")
    return acting_in(scenario, settings.plugins)


def play(
    arms: Sequence[Arm],
    settings: PlayOptions,
    *,
    kind: str,
    name: str,
    engine: Engine | None = None,
    over: Over | None = None,
) -> Run:
    """Play all arms with all seeds of the settings, going on where `settings.out` stopped.

    kind: run, cases or compare; name: what the manifest calls the experiment; engine: the real one by default; over:
    the sets of values that the arms were made with.
    """
    if settings.over is not None and over is None:
        raise AnalysisError(f"over is for run and compare; {kind} plays its scenarios as they are")
    check_size(estimate(arms, settings), name, settings)
    check_trainable(arms, settings)
    engine = engine or real_engine()
    wanted = _first_manifest(arms, settings, kind, name, over)
    out, keep = settings.open_out()
    run_folder.refuse_foreign(out)
    with run_folder.locked(out), held() as requests:
        manifest = run_folder.open_folder(out, wanted)
        started = time.perf_counter()
        status: Status = "failed"
        try:
            with requests.let_through():
                _play_missing(arms, settings, out, manifest, engine)
            status = "finished"
        except KeyboardInterrupt:
            status = "interrupted"
        finally:
            manifest = run_folder.merge(out, manifest)
            status = status if status != "finished" or manifest.finished_seeds == manifest.seeds else "failed"
            seconds = manifest.seconds + time.perf_counter() - started
            ended = {"status": status, "finished": run_folder.now(), "seconds": seconds}
            run_folder.write_manifest(out, manifest.model_copy(update=ended))
    result = Run(out, keep)
    if status == "interrupted" or requests.noted:
        raise Interrupted(result)
    if status == "failed":
        missing = len(manifest.seeds) - len(manifest.finished_seeds)
        raise BrokenRun(
            f"{missing} seeds were damaged before they could be kept; the same command with --out {out} "
            "plays them again"
        )
    return result


def _play_missing(arms: Sequence[Arm], settings: PlayOptions, out: Path, manifest: Manifest, engine: Engine) -> None:
    done = SeedSet().union(manifest.finished_seeds, *(part.seeds for part in sound_parts(out, manifest)))
    missing = manifest.seeds - done
    blocks = split_into_blocks(missing, arms, settings.n_jobs, settings.device_type)
    # Absolute paths: a worker may have been started while this process stood in another folder.
    folder = out.resolve()
    tally = Tally.create(folder / run_folder.TALLY, len(blocks))
    job = Job(engine, folder, manifest.token, settings.ledger_path, settings.device, settings.retrain, tally)
    total = len(missing) * sum(arm.setup.n_months for arm in arms)
    label = f"{manifest.name}: {len(missing)} seeds × {len(arms)} worlds, training on {manifest.device}"
    if done:
        label += f" ({len(done)} seeds are finished already)"
    with progress_bar(label, total, tally.totals, settings.progress):
        play_blocks(blocks, job, settings.n_jobs)


def _first_manifest(arms: Sequence[Arm], settings: PlayOptions, kind: str, name: str, over: Over | None) -> Manifest:
    from simulation.training.device import device_name, resolve_device

    described = tuple(_describe(arm) for arm in arms)
    note = over.note if over else None
    identity = [
        [kind],
        *([["over", note.sha256]] if note else []),
        *([arm.scenario, arm.arm, arm.fingerprint] for arm in described),
    ]
    if len({(arm.scenario, arm.arm) for arm in described}) < len(described):
        raise AnalysisError("two arms of one experiment have the same name")
    return Manifest(
        kind=kind,
        name=name,
        fingerprint=hashlib.sha256(json.dumps(sorted(identity)).encode()).hexdigest()[:16],
        token=secrets.token_hex(16),
        status="running",
        seeds=settings.seeds,
        device=device_name(resolve_device(settings.device)),
        jobs=settings.n_jobs,
        ledger=str(settings.ledger_path),
        retrain=settings.retrain,
        started=run_folder.now(),
        arms=described,
        plugins=tuple(
            PluginNote(name=name, origin=source.origin, sha256=source.sha256)
            for name, source in sources_of(arm.setup for arm in arms).items()
        ),
        over=note,
        **provenance(),
    )


def _describe(arm: Arm) -> ArmNote:
    setup = arm.setup
    return ArmNote(
        scenario=arm.scenario,
        arm=arm.name,
        id=setup.id,
        title=setup.title,
        start=setup.start.isoformat(),
        n_months=setup.n_months,
        focal=setup.focal,
        fingerprint=setup.fingerprint(),
        resolved=finite(setup.model_dump(mode="json")),
    )
