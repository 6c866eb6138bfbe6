"""Calibration: a seeded search for the uncertain parameters that bring a world nearest to its base rates.

Every finished trial stands in an SQLite study at once. The sampler of a trial is seeded by the search's seed and the
number of trials before it, so a search that was interrupted goes on as if it had not been.

References
[1] Bergstra, Bardenet, Bengio & Kégl (2011), Algorithms for hyper-parameter optimization. NeurIPS 24 (TPE).
[2] Akiba et al. (2019), Optuna. doi:10.1145/3292500.3330701
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.calibration.loss import Outcome
from analysis.calibration.parameters import Knob
from analysis.calibration.study_file import STUDY, check_study_file, errors_of
from analysis.errors import AnalysisError

if TYPE_CHECKING:
    import optuna

Objective = Callable[[Mapping[str, float]], Outcome]
IDENTITY = "identity"
N_RANDOM = 10  # trials drawn at random before the sampler models the loss


@dataclass(frozen=True)
class Trial:
    """A finished trial; the first (index 0) is the scenario as it is."""

    index: int
    values: dict[str, float]
    loss: float
    simulated: dict[str, float | None]
    seconds: float
    trained: int
    from_ledger: int


class SearchInterrupted(KeyboardInterrupt):
    """Ctrl-C arrived during a search; all finished trials are in the study."""

    def __init__(self, done: int, wanted: int) -> None:
        super().__init__(f"interrupted: {done} of {wanted} trials are finished and kept; the same command goes on")


def search(
    file: Path,
    identity: Mapping[str, Any],
    knobs: Sequence[Knob],
    objective: Objective,
    n_trials: int,
    seed: int = 0,
    told: Callable[[Trial], None] = lambda _: None,
    points: Sequence[Mapping[str, float]] | None = None,
) -> list[Trial]:
    """Run trials until the study in `file` holds `n_trials`; returns all that it holds.

    identity: what makes two studies one (plain data); told: is called with each new trial; points: the values of each
    trial in turn (None: the sampler chooses).
    Raises `AnalysisError` when the file cannot be used or holds another study, `BrokenRun` when it cannot be written
    for now, `SearchInterrupted` on Ctrl-C.
    """
    with errors_of(file, reading=True):
        study = open_study(file, identity)
        _forget_unfinished(study)
        for trial in trials_of(study):  # what is wrong with them is told before days are spent on more
            _check(trial, knobs)
    with errors_of(file):
        while (done := len(_finished(study))) < n_trials:
            try:
                told(_run_trial(study, knobs, objective, done, seed, None if points is None else points[done]))
            except KeyboardInterrupt as stop:
                raise SearchInterrupted(len(_finished(study)), n_trials) from stop
        return trials_of(study)


def open_study(file: Path, identity: Mapping[str, Any]) -> optuna.Study:
    """The study in an SQLite file, made where there is none; raises `AnalysisError` where another one stands there."""
    import optuna
    from sqlalchemy import URL

    check_study_file(file)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file.parent.mkdir(parents=True, exist_ok=True)
    url = URL.create("sqlite", database=str(file)).render_as_string()
    study = optuna.create_study(storage=url, study_name=STUDY, load_if_exists=True)
    wanted = fingerprint(identity)
    held = study.user_attrs.get(IDENTITY)
    if held is None:
        study.set_user_attr(IDENTITY, wanted)
    elif held != wanted:
        changed = [name for name in wanted if held.get(name) != wanted[name]]
        raise AnalysisError(f"--study {file} holds another study (other {', '.join(changed)}); choose another file")
    return study


def fingerprint(identity: Mapping[str, Any]) -> dict[str, str]:
    """A short hash of every part of an identity."""
    return {
        name: hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
        for name, value in identity.items()
    }


def trials_of(study: optuna.Study) -> list[Trial]:
    """All finished trials in the order in which they were finished."""
    return [
        Trial(index=index, values=dict(one.params), loss=float(one.value or 0.0), **one.user_attrs["outcome"])
        for index, one in enumerate(_finished(study))
    ]


def _check(trial: Trial, knobs: Sequence[Knob]) -> None:
    """Raise `ValueError` where no search with these parameters has such a trial."""
    allowed = {knob.free.name: knob.free for knob in knobs}
    if trial.values.keys() != allowed.keys():
        raise ValueError("other parameters")
    if not all(allowed[name].low <= value <= allowed[name].high for name, value in trial.values.items()):
        raise ValueError("a parameter out of its range")
    if not (math.isfinite(trial.loss) and trial.loss >= 0):
        raise ValueError("a loss that cannot be")


def _run_trial(
    study: optuna.Study,
    knobs: Sequence[Knob],
    objective: Objective,
    index: int,
    seed: int,
    point: Mapping[str, float] | None = None,
) -> Trial:
    import optuna

    study.sampler = optuna.samplers.TPESampler(seed=_trial_seed(seed, index), n_startup_trials=N_RANDOM)
    waiting = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,))
    if not waiting and (point is not None or index == 0):
        study.enqueue_trial(dict(point or {knob.free.name: knob.start for knob in knobs}))
    trial = study.ask()
    values = {k.free.name: trial.suggest_float(k.free.name, k.free.low, k.free.high, log=k.free.log) for k in knobs}
    started = time.perf_counter()
    try:
        outcome = objective(values)
    except BaseException:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        raise
    note = {name: value for name, value in asdict(outcome).items() if name != "loss"}
    note["seconds"] = time.perf_counter() - started
    trial.set_user_attr("outcome", note)
    study.tell(trial, outcome.loss)
    return Trial(index=index, values=values, loss=outcome.loss, **note)


def _trial_seed(seed: int, index: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{index}".encode()).digest()[:4], "big")


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    import optuna

    return study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))


def _forget_unfinished(study: optuna.Study) -> None:
    """A process that was killed leaves a trial that nobody finishes."""
    import optuna

    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
