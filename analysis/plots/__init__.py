"""The plots of a run folder: each function writes PNG files into `plots/` and returns them, most telling first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.cases.results import CaseResult, CasesResult
from analysis.cases.setups import WITHOUT
from analysis.cases.study import CaseStudy
from analysis.cases.verdicts import written
from analysis.comparison import Comparison, startup_endings
from analysis.play.experiment import BASE
from analysis.plots.effects import Outcome, plot_cause_effects, plot_differences
from analysis.plots.endings import plot_endings
from analysis.plots.placebo import plot_placebo
from analysis.plots.sectors import plot_sectors
from analysis.plots.shapley import plot_shapley
from analysis.plots.thresholds import plot_thresholds
from analysis.plots.trajectories import plot_trajectory
from analysis.runs.names import file_name
from analysis.runs.run import PLOTS, Run

__all__ = ["plot_cases", "plot_comparison", "plot_run", "plot_study"]


def plot_study(result: CaseStudy) -> list[Path]:
    """Plots of the cases, of what their causes contribute, and of the placebo tests."""
    folder = result.cases.run.folder / PLOTS
    paths = plot_cases(result.cases)
    if result.attributions:
        paths.append(plot_shapley(result.attributions, folder / "shapley.png"))
    if result.placebo:
        paths.append(plot_placebo(result.placebo, folder / "placebo.png"))
    return paths


def plot_cases(result: CasesResult) -> list[Path]:
    """Per case: the focal firm over time, the endings of every arm, the effects of causes, what hangs on bounds."""
    names = file_names([case.name for case in result.cases])
    return [path for case in result.cases for path in plot_case(result.run, case, names[case.name])]


def plot_case(run: Run, case: CaseResult, short: str) -> list[Path]:
    """The plots of one case, in files whose names begin with `short`."""
    folder = run.folder / PLOTS
    paths = [plot_trajectory(run, case.name, BASE, case.focal, folder / f"{short}-trajectory.png")]
    arms = [BASE, *(f"{WITHOUT}{cause.name}" for cause in case.causes)]
    shares = {_bar_label(arm): focal_endings(run, case.name, arm, case.focal) for arm in arms}
    title = f"{case.id}: how {case.focal} ended, {case.match.n} seeds"
    paths.append(plot_endings(shares, title, folder / f"{short}-endings.png"))
    if case.causes:
        rows = [f"{cause.name} (§{cause.section})" for cause in case.causes]
        title = f"{case.id}: each cause taken away, {case.match.n} seeds"
        paths.append(plot_cause_effects(rows, outcomes_of(case), title, folder / f"{short}-causes.png"))
    if case.thresholds:
        paths.append(plot_thresholds(case, folder / f"{short}-thresholds.png"))
    return paths


def outcomes_of(case: CaseResult) -> list[Outcome]:
    """What the causes of a case act on: every statement, and outcome and ending where the chapter states them."""
    every = f"meets every statement (with all causes {written(case.match)})"
    outcomes = [Outcome(every, [cause.effect for cause in case.causes])]
    if case.outcome:
        name = f"has the chapter's outcome ({written(case.outcome)})"
        outcomes.append(Outcome(name, [one.outcome.effect if one.outcome else None for one in case.causes]))
    if case.ending:
        name = f"has the chapter's ending ({written(case.ending)})"
        outcomes.append(Outcome(name, [one.ending.effect if one.ending else None for one in case.causes]))
    return outcomes


def plot_run(run: Run) -> list[Path]:
    """The sectors over time, the endings of startups and, where the scenario names one, the focal firm."""
    arm = run.manifest["arms"][0]
    scenario, focal, folder = arm["scenario"], arm["focal"], run.folder / PLOTS
    paths = [plot_sectors(run, scenario, BASE, folder / "sectors.png")]
    if focal is not None:
        paths.insert(0, plot_trajectory(run, scenario, BASE, focal, folder / "trajectory.png"))
    paths.append(_plot_startups(run, [BASE], folder / "endings.png"))
    return paths


def plot_comparison(result: Comparison) -> list[Path]:
    """Differences of every measure with their intervals, and the endings of startups in every arm."""
    folder = result.run.folder / PLOTS
    measures = list(dict.fromkeys(one.measure for one in result.differences))
    panels = [
        (
            m.says[0].upper() + m.says[1:],
            m.unit,
            [(one.whatif, one.effect) for one in result.differences if one.measure == m],
        )
        for m in measures
    ]
    title = f"What-if minus {result.base}: {len(result.run.seeds)} paired seeds, 95 % intervals (hollow: too few)"
    arms = [BASE, *dict.fromkeys(one.whatif for one in result.differences)]
    return [
        plot_differences(panels, title, folder / "differences.png"),
        _plot_startups(result.run, arms, folder / "endings.png"),
    ]


def focal_endings(run: Run, scenario: str, arm: str, focal: str) -> pd.Series:
    """Shares of the focal firm's endings over seeds."""
    endings = run.select("endings", scenario, arm, ["ending"], [("firm", "==", focal)])
    return endings["ending"].value_counts(normalize=True)


def _plot_startups(run: Run, arms: list[str], path: Path) -> Path:
    scenario = run.manifest["arms"][0]["scenario"]
    shares = {
        _bar_label(arm): startup_endings(run, scenario, arm)["ending"].value_counts(normalize=True) for arm in arms
    }
    return plot_endings(shares, f"How startups ended in {scenario}, {len(run.seeds)} seeds", path)


def _bar_label(arm: str) -> str:
    return "as it is" if arm == BASE else arm.replace(WITHOUT, "without ")


def file_names(scenarios: Sequence[str]) -> dict[str, str]:
    """What files of each scenario begin with: the last part of its name, or all of it where two end alike."""
    last = {name: name.rpartition("/")[2] or name for name in scenarios}
    common = Counter(last.values())
    return {name: file_name(short if common[short] == 1 else name) for name, short in last.items()}
