"""What `validate-world` and `calibrate` show: tables for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from analysis.base_rates.judge import BaseRate, BaseRates
from analysis.calibration.screening import LOSS
from analysis.statistics.written import NO_NUMBER

if TYPE_CHECKING:
    from analysis.calibration.report import Report

STYLES = {"inside": "green", "below": "red", "above": "red", "too little to tell": "yellow"}


def base_rates_screen(result: BaseRates) -> Group:
    """Every target beside what the world gives."""
    title = f"\n{result.run.manifest['name']}: base rates, {len(result.run.seeds)} seeds"
    return Group(Text(title, style="bold"), rates_table(result.rates), Text(counted(result.rates)))


def rates_table(rates: tuple[BaseRate, ...]) -> Table:
    """One row per target."""
    table = _table("id", "what", "target", "simulated [95 %]", "n", "verdict")
    for rate in rates:
        target, one = rate.target, rate.simulated
        table.add_row(
            target.id,
            target.says,
            written_range(target.range, target.unit),
            written(one.estimate, one.low, one.high, target.unit),
            f"{one.n:,}",
            Text(rate.verdict, style=STYLES[rate.verdict]),
        )
    return table


def counted(rates: tuple[BaseRate, ...]) -> str:
    """How many targets have which verdict."""
    verdicts = [rate.verdict for rate in rates]
    return ", ".join(f"{verdicts.count(name)} {name}" for name in STYLES if name in verdicts)


def calibration_screen(report: Report) -> Group:
    """Loss of the world as it is and of the best trial, the best parameters, and every target in both."""
    head = Text(f"\n{report.scenario}: {len(report.trials)} trials with {report.n_seeds} seeds each", style="bold")
    best, first = report.best, report.first
    if best is None or first is None:
        return Group(head, Text("no trial is finished yet"))
    losses = f"loss as it is {first.loss:.3f}; best {best.loss:.3f} in trial {best.index}"
    parameters = _table("parameter", "best", "in words")
    for name, value in best.values.items():
        parameters.add_row(name, f"{value:.4g}", report.says.get(name, ""))
    targets = _table("target", "range", "as it is", "best")
    for target in report.targets:
        cells = (written_value(trial.simulated.get(target.id), target.unit) for trial in (first, best))
        targets.add_row(target.id, written_range(target.range, target.unit), *cells)
    if report.effects is not None:
        return Group(head, effects_table(report))
    speed = Text(f"{report.seconds_per_trial:.1f} s a trial (median), networks that had to be trained included")
    return Group(head, Text(losses), parameters, targets, speed)


def effects_table(report: Report) -> Table:
    """Parameters by what they do to the loss, each with the targets that it moves most."""
    table = _table("parameter", "effect on the loss", "±", "depends on others", "moves most (half-widths of the range)")
    effects = report.effects or ()
    for one in sorted((one for one in effects if one.figure == LOSS), key=lambda one: -one.size):
        own = sorted((e for e in effects if e.parameter == one.parameter and e.figure != LOSS), key=lambda e: -e.size)
        most = ", ".join(f"{e.figure} {e.size:.2g}" for e in own[:3])
        table.add_row(one.parameter, f"{one.size:.3g}", f"{one.half:.2g}", f"{one.spread:.2g}", most)
    return table


def written_range(wanted: tuple[float | None, float | None], unit: str) -> str:
    """A range with its unit."""
    low, high = wanted
    if low is None or high is None:
        return f"≥ {number(low, unit)}" if low is not None else f"≤ {number(high, unit)}"
    scale, suffix = scaled(unit)
    return f"{_short(low * scale)}–{_short(high * scale)}{suffix}"


def written(estimate: float, low: float, high: float, unit: str) -> str:
    """A number with its interval and unit."""
    if math.isnan(estimate):
        return NO_NUMBER
    scale, suffix = scaled(unit)
    bounds = "" if math.isnan(low) else f" [{_short(low * scale)}, {_short(high * scale)}]"
    return f"{_short(estimate * scale)}{suffix}{bounds}"


def written_value(value: float | None, unit: str) -> str:
    """A number with its unit; a dash for none."""
    return NO_NUMBER if value is None or math.isnan(value) else number(value, unit)


def number(value: float | None, unit: str) -> str:
    """A number with its unit."""
    scale, suffix = scaled(unit)
    return f"{_short((value or 0.0) * scale)}{suffix}"


def scaled(unit: str) -> tuple[float, str]:
    """How a unit is shown: shares in percent, money in millions."""
    if unit == "share":
        return 100.0, " %"
    if unit.startswith("USD"):
        return 1e-6, f" M${unit.removeprefix('USD')}"
    return 1.0, f" {unit}" if unit else ""


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
