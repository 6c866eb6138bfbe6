"""From a request to a calibrated scenario: what is read, what is searched, what is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.base_rates.targets import Target, load_targets
from analysis.calibration.loss import WorldObjective
from analysis.calibration.parameters import Knob, load_parameters
from analysis.calibration.report import Report, folder_of, write_report
from analysis.calibration.screening import effects, points_of
from analysis.calibration.search import Objective, Trial, search
from analysis.calibration.study_file import check_study_file
from analysis.play.estimate import Estimate, check_size, estimate
from analysis.play.experiment import BASE, loaded, real_engine
from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions
from analysis.play.provenance import code_fingerprint
from analysis.runs import write as run_folder

if TYPE_CHECKING:
    from scenarios import Scenario


def calibrate(
    scenario: str,
    study: Path,
    n_trials: int,
    settings: PlayOptions,
    parameters: Path | None = None,
    targets: Path | None = None,
    search_seed: int = 0,
    told: Callable[[Trial], None] = lambda _: None,
    objective: Objective | None = None,
    trajectories: int = 0,
) -> tuple[Report, Path]:
    """Search until `study` (SQLite) holds `n_trials`, 0: only report; returns the report and the folder it is in.

    trajectories: above 0, no search but a screening: so many walks in which every parameter moves once.

    settings: `replications` seeds from `seed` on are played in each trial, on `device`, with `ledger`.
    objective: what finds the loss of a choice of values (None: worlds are played).
    Raises `ScenarioError` and `AnalysisError` for a wrong request, `SearchInterrupted` on Ctrl-C; the report of what
    was finished is written then too.
    """
    check_study_file(study)
    setup = loaded(scenario, settings)
    knobs, wanted = load_parameters(parameters, setup), load_targets(targets)
    identity = identity_of(setup, wanted, knobs, settings, search_seed)
    points = points_of(knobs, trajectories, search_seed) if trajectories else None
    if points is not None:
        identity, n_trials = {**identity, "trajectories": trajectories}, min(n_trials, 1) * len(points)
    check_size(estimate_trials(setup, settings, n_trials), scenario, settings)
    if objective is None:
        played = settings.seeds, settings.ledger_path, settings.device, real_engine()
        objective = WorldObjective(scenario, knobs, wanted, *played, settings.plugins)
    folder = folder_of(study)
    found: list[Trial] = []
    with run_folder.locked(folder):
        try:
            found = search(study, identity, knobs, objective, n_trials, search_seed, told, points)
        except KeyboardInterrupt:
            found = search(study, identity, knobs, objective, 0, search_seed)
            raise
        finally:
            seen = tuple(effects(knobs, wanted, found, points)) if points is not None else None
            report = Report(scenario, knobs, wanted, len(settings.seeds), tuple(found), seen)
            if found or n_trials == 0:
                write_report(report, folder)
    return report, folder


def estimate_trials(setup: Scenario, settings: PlayOptions, n_trials: int) -> Estimate:
    """What so many trials will about take: each plays all seeds together, and keeps none of their tables."""
    one = estimate([Arm(setup.name, BASE, setup)], settings, at_once=settings.replications)
    return replace(one, n_worlds=one.n_worlds * n_trials, seconds=one.seconds * n_trials, disk_bytes=0.0)


def identity_of(
    setup: Scenario, wanted: Sequence[Target], knobs: Sequence[Knob], settings: PlayOptions, search_seed: int
) -> dict[str, Any]:
    """What a study must have in common with the one it goes on with."""
    return {
        "scenario": setup.fingerprint(),
        "targets": [target.model_dump(mode="json") for target in wanted],
        "parameters": [knob.free.model_dump(mode="json") for knob in knobs],
        "seeds": settings.seeds.pairs,
        "search seed": search_seed,
        "code": code_fingerprint(),
    }
