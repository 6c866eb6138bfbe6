"""What a calibration leaves behind: all trials, the best parameters as YAML files that other commands take, a plot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from analysis.base_rates.targets import Target
from analysis.calibration.loss import distance
from analysis.calibration.parameters import Knob, overrides
from analysis.calibration.screening import Effect
from analysis.calibration.search import Trial
from analysis.runs.files import draft_of, refuse_links, write_json

TRIALS, REPORT, WHATIF, SCENARIO, PLOT, SETS = (
    "trials.parquet", "report.json", "best-whatif.yaml", "best-scenario.yaml", "losses.png", "uncertainty.yaml",
)  # fmt: skip
FITS = 0.5
"""Half-widths of its range by which a target may be missed in a set of values that fits; assumption: a few worlds tell
a statistic no better."""
MOST_SETS = 100


@dataclass(frozen=True)
class Report:
    """A calibration so far."""

    scenario: str
    knobs: tuple[Knob, ...]
    targets: tuple[Target, ...]
    n_seeds: int
    trials: tuple[Trial, ...]
    effects: tuple[Effect, ...] | None = None
    """Of a screening; None of a search."""

    @property
    def first(self) -> Trial | None:
        """The scenario as it is."""
        return self.trials[0] if self.trials else None

    @property
    def best(self) -> Trial | None:
        """The trial with the lowest loss; of equals the earliest."""
        return min(self.trials, key=lambda trial: trial.loss, default=None)

    @property
    def fitting(self) -> tuple[Trial, ...]:
        """Trials in which every target that counts is met, or missed by no more than `FITS`; the best first."""
        counting = [target for target in self.targets if target.weight > 0]
        fit = [one for one in self.trials if all(distance(one.simulated[t.id], t) <= FITS for t in counting)]
        return tuple(sorted(fit, key=lambda trial: trial.loss)[:MOST_SETS])

    @property
    def says(self) -> dict[str, str]:
        """What each parameter is, by name."""
        return {knob.free.name: f"{knob.free.says} ({knob.free.how})" for knob in self.knobs}

    @property
    def seconds_per_trial(self) -> float:
        """Median wall time of a trial, s."""
        return median(trial.seconds for trial in self.trials) if self.trials else 0.0


def folder_of(study: Path) -> Path:
    """Where the results of a study lie: beside it."""
    return study.with_suffix("") if study.suffix else study.with_name(f"{study.name}-results")


def write_report(report: Report, folder: Path) -> dict[str, Any]:
    """Write trials, best parameters and the report; returns the report's document."""
    folder.mkdir(parents=True, exist_ok=True)
    refuse_links(folder)
    document = as_document(report)
    write_json(folder / REPORT, document)
    if report.best is None:
        return document
    _write_trials(report.trials, folder / TRIALS)
    if report.effects is not None:
        return document
    _write(folder / WHATIF, best_whatif(report, report.best))
    _write(folder / SCENARIO, best_scenario(report, report.best, folder))
    if len(report.fitting) > 1:
        _write(folder / SETS, sets_that_fit(report))
    return document


def best_whatif(report: Report, best: Trial) -> str:
    """The best parameters as a what-if: `ventures compare SCENARIO --with FILE`."""
    return _yaml({"whatif": True, **_titles(report, best), "set": overrides(report.knobs, best.values)})


def best_scenario(report: Report, best: Trial, folder: Path) -> str:
    """The best parameters as a scenario that extends the calibrated one: `ventures run FILE`."""
    nested: dict[str, Any] = {}
    for path, value in overrides(report.knobs, best.values).items():
        *above, last = path.split(".")
        node = nested
        for part in above:
            node = node.setdefault(part, {})
        node[last] = value
    file = Path(report.scenario)
    parent = os.path.relpath(file, folder).replace(os.sep, "/") if file.is_file() else report.scenario
    return _yaml({"extends": parent, **_titles(report, best), **nested})


def sets_that_fit(report: Report) -> str:
    """All sets of values that fit, for `ventures compare SCENARIO --with FILE --over uncertainty.yaml`."""
    fitting = report.fitting
    about = (
        f"Found by ventures calibrate: {len(fitting)} of {len(report.trials)} trials with {report.n_seeds} seeds each "
        f"in which no target is missed by more than {FITS:g} half-widths of its range; the best first."
    )
    sets = [{path: float(value) for path, value in overrides(report.knobs, one.values).items()} for one in fitting]
    return _yaml(
        {"uncertainty": report.scenario, "title": f"{report.scenario}: what fits", "about": about, "sets": sets}
    )


def as_document(report: Report) -> dict[str, Any]:
    """The report as JSON says it."""
    return {
        "scenario": report.scenario,
        "seeds": report.n_seeds,
        "trials": len(report.trials),
        "seconds_per_trial": report.seconds_per_trial,
        "first": _trial_document(report, report.first),
        "best": _trial_document(report, report.best),
        "losses": [trial.loss for trial in report.trials],
        "fitting": [trial.index for trial in report.fitting],
        "effects": None if report.effects is None else [asdict(one) for one in report.effects],
    }


def _trial_document(report: Report, trial: Trial | None) -> dict[str, Any] | None:
    if trial is None:
        return None
    targets = [
        {
            "id": target.id,
            "target_low": target.range[0],
            "target_high": target.range[1],
            "weight": target.weight,
            "simulated": trial.simulated[target.id],
            "distance": distance(trial.simulated[target.id], target),
        }
        for target in report.targets
    ]
    return {**asdict(trial), "targets": targets, "set": overrides(report.knobs, trial.values)}


def _write_trials(trials: Sequence[Trial], path: Path) -> None:
    """One row per trial: index, loss, seconds, trained, from_ledger, parameter.NAME, simulated.ID."""
    import pandas as pd

    rows = [
        {
            "index": trial.index,
            "loss": trial.loss,
            "seconds": trial.seconds,
            "trained": trial.trained,
            "from_ledger": trial.from_ledger,
            **{f"parameter.{name}": value for name, value in trial.values.items()},
            **{f"simulated.{name}": value for name, value in trial.simulated.items()},
        }
        for trial in trials
    ]
    with draft_of(path) as draft:
        pd.DataFrame(rows).to_parquet(draft, index=False)


def _titles(report: Report, best: Trial) -> dict[str, str]:
    about = (
        f"Found by ventures calibrate: loss {best.loss:.4g} in trial {best.index} of {len(report.trials)}, with "
        f"{report.n_seeds} seeds each; the scenario as it is has {report.trials[0].loss:.4g}. The best of many noisy "
        "trials looks better than it is: check it with other seeds."
    )
    return {"title": f"{report.scenario}, calibrated", "about": about}


def _yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _write(path: Path, text: str) -> None:
    with draft_of(path) as draft:
        draft.write_text(text, encoding="utf-8")
