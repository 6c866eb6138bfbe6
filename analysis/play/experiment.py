"""Playing an experiment: arms × seeds into a run folder, resumable, interruptible; and `run`, its simplest form."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from analysis.errors import AnalysisError, Interrupted
from analysis.play.lockstep import Arm, Engine, real_engine, split_into_blocks
from analysis.play.options import Options, Settings
from analysis.play.progress import Tally, progress_bar
from analysis.play.provenance import provenance
from analysis.play.workers import Job, play_blocks
from analysis.runs import write as run_folder
from analysis.runs.run import Run

if TYPE_CHECKING:
    from scenarios import Scenario

BASE = "base"


def run(scenario: Scenario | str | Path, **options: Unpack[Options]) -> Run:
    """Play a scenario with many seeds; the result's `firms`, `sectors`, `events`, … are data frames.

    scenario: a loaded scenario, a shipped name such as "cases/vision", or a YAML file.
    options: `replications`, `seed`, `jobs`, `device`, `out`, `ledger`, `retrain`, `progress`; see `Settings`.
    Raises `AnalysisError` and `scenarios.ScenarioError` for a wrong request, `Interrupted` on Ctrl-C.
    """
    setup = loaded(scenario)
    return play([Arm(setup.name, BASE, setup)], Settings.of(options), kind="run", name=setup.name)


def loaded(scenario: Scenario | str | Path) -> Scenario:
    """The scenario itself, or the one of that name or file."""
    if isinstance(scenario, str | os.PathLike):
        from scenarios import load

        return load(scenario)
    if not hasattr(scenario, "fingerprint"):
        raise AnalysisError(f"scenario must be a name, a path or a loaded scenario, not {scenario!r}")
    return scenario


def play(arms: Sequence[Arm], settings: Settings, *, kind: str, name: str, engine: Engine | None = None) -> Run:
    """Play all arms with all seeds of the settings, going on where `settings.out` stopped.

    kind: run, cases or compare; name: what the manifest calls the experiment; engine: the real one by default.
    """
    wanted = _first_manifest(arms, settings, kind, name)
    out, keep = settings.open_out()
    with run_folder.locked(out):
        manifest = run_folder.open_folder(out, wanted)
        started = time.perf_counter()
        status = "failed"
        try:
            _play_missing(arms, settings, out, manifest, engine or real_engine())
            status = "finished"
        except KeyboardInterrupt:
            status = "interrupted"
        finally:
            manifest = run_folder.merge(out, manifest)
            seconds = manifest["seconds"] + time.perf_counter() - started
            run_folder.write_manifest(
                out, {**manifest, "status": status, "finished": run_folder.now(), "seconds": seconds}
            )
    result = Run(out, keep)
    if status == "interrupted":
        raise Interrupted(result)
    return result


def _play_missing(arms: Sequence[Arm], settings: Settings, out: Path, manifest: dict[str, Any], engine: Engine) -> None:
    done = run_folder.finished_seeds(out, manifest)
    missing = [seed for seed in manifest["seeds"] if seed not in done]
    blocks = split_into_blocks(missing, arms, settings.n_jobs)
    # Absolute paths: a worker may have been started while this process stood in another folder.
    tally = Tally.create(out.resolve() / run_folder.TALLY, max(1, len(blocks)))
    job = Job(engine, out.resolve(), settings.ledger_path, settings.device, settings.retrain, tally)
    total = sum(block.n_world_months for block in blocks)
    label = f"{manifest['name']}: {len(missing)} seeds × {len(arms)} worlds, training on {manifest['device']}"
    if done:
        label += f" ({len(done)} seeds are finished already)"
    with progress_bar(label, total, tally.totals, settings.progress):
        play_blocks(blocks, job, settings.n_jobs)


def _first_manifest(arms: Sequence[Arm], settings: Settings, kind: str, name: str) -> dict[str, Any]:
    from simulation.training.device import device_name, resolve_device

    described = [_describe(arm) for arm in arms]
    identity = [[kind], *([arm["scenario"], arm["arm"], arm["fingerprint"]] for arm in described)]
    if len({(arm["scenario"], arm["arm"]) for arm in described}) < len(described):
        raise AnalysisError("two arms of one experiment have the same name")
    return {
        "layout": run_folder.LAYOUT,
        "kind": kind,
        "name": name,
        "fingerprint": hashlib.sha256(json.dumps(sorted(identity)).encode()).hexdigest()[:16],
        "status": "running",
        "seeds": settings.seeds,
        "finished_seeds": [],
        "device": device_name(resolve_device(settings.device)),
        "devices": [],
        "jobs": settings.n_jobs,
        "ledger": str(settings.ledger_path),
        "retrain": settings.retrain,
        "started": run_folder.now(),
        "finished": None,
        "seconds": 0.0,
        "training": {"runs": 0, "from_ledger": 0, "seconds": 0.0, "process_seconds": 0.0, "share": 0.0},
        **provenance(),
        "arms": described,
    }


def _describe(arm: Arm) -> dict[str, Any]:
    setup = arm.setup
    return {
        "scenario": arm.scenario,
        "arm": arm.name,
        "id": setup.id,
        "title": setup.title,
        "start": setup.start.isoformat(),
        "n_months": setup.n_months,
        "focal": setup.focal,
        "fingerprint": setup.fingerprint(),
        "resolved": setup.model_dump(mode="json"),
    }
