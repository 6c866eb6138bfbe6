"""What each cause contributes to a case's ending: bars with intervals."""

from __future__ import annotations

from pathlib import Path

from analysis.plots.style import FOCAL, MUTED, RIVALS, canvas, tidy
from analysis.shapley import Attribution


def plot_shapley(found: Attribution, path: Path) -> Path:
    """One bar per cause, first on top, with its 95 % interval; grey where the interval holds zero; the sum below."""
    causes = list(reversed(found.contributions))
    with canvas(path, 11, 2.6 + 0.6 * len(causes)) as figure:
        axes = figure.subplots()
        for height, cause in enumerate(causes):
            value = cause.value
            colour = MUTED if not value.excludes_zero else FOCAL if value.estimate > 0 else RIVALS
            axes.barh(height, value.estimate, height=0.55, color=colour, alpha=0.75)
            axes.plot([value.low, value.high], [height, height], color="black", linewidth=1.6)
            axes.plot([value.low, value.high], [height, height], "|", color="black", markersize=9)
        axes.axvline(0, color="black", linewidth=1)
        axes.set_yticks(
            range(len(causes)), [f"{one.name} (§{one.section})\n{one.value.estimate * 100:+.0f}" for one in causes]
        )
        axes.grid(axis="y", visible=False)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:+.0f}" if value else "0")
        axes.set_xlabel(
            f"Shapley value in points of the share of matching seeds (95 % interval, {found.match_all.n} seeds)\n"
            f"sum {found.total * 100:+.0f} points: {found.match_all.estimate:.0%} of seeds match with all causes, "
            f"{found.match_none.estimate:.0%} with none"
        )
        tidy(axes, f"{found.id}: what each cause contributes")
    return path
