"""How firms ended: one bar per arm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.plots.style import ENDING_COLOURS, MUTED, canvas, ending_colour, ink_on, tidy
from analysis.plots.text import labels, wrapped

LABEL_WIDTH = 36  # characters
LABEL_FROM = 0.06  # narrower pieces carry no number


def plot_endings(shares: Mapping[str, pd.Series], title: str, path: Path) -> Path:
    """Stacked bars of endings; `shares` maps each bar's label to the shares of its endings (sum 1)."""
    table = pd.DataFrame(dict(shares)).T.fillna(0.0)
    known = [ending for ending in ENDING_COLOURS if ending in table]
    table = table[known + [ending for ending in table if ending not in known]].iloc[::-1]
    with canvas(path, 11, 1.8 + 0.55 * len(table)) as figure:
        axes = figure.subplots()
        rows = np.arange(len(table))
        left = np.zeros(len(table))
        for ending in table:
            widths, colour = table[ending].to_numpy(), ending_colour(str(ending))
            bars = axes.barh(rows, widths, left=left, color=colour, edgecolor="white", label=str(ending))
            texts = [f"{width:.0%}" if width >= LABEL_FROM else "" for width in widths]
            axes.bar_label(bars, texts, label_type="center", color=ink_on(colour), fontsize="small")
            left += widths
        axes.set_yticks(rows, labels([str(arm) for arm in table.index], LABEL_WIDTH))
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter("{x:.0%}")
        axes.grid(False)
        tidy(axes, wrapped(title, 70))
        if len(table.columns):
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
        else:
            axes.text(0.5, rows.mean(), "there were none", ha="center", va="center", color=MUTED)
    return path
