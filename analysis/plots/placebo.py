"""Placebo tests as a heat map: focal firms against the expectations of every chapter, and startups beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.cases.beside import NEAR_MONTHS
from analysis.cases.placebo_results import ALL, TARGET, Cell, Placebo
from analysis.cases.placebo_verdicts import statement_of, verdicts
from analysis.plots.style import BAD, FOCAL, GOOD, MUTED, RIVALS, canvas, tidy
from analysis.plots.text import labels

VERDICTS = {True: "passes", False: "fails"}
LABEL_WIDTH = 40  # characters
COLOURS = {True: GOOD, False: BAD}
DARK_FROM = 0.55  # shares above stand on dark ground and are written in white


def plot_placebo(found: Placebo, path: Path) -> Path:
    """Left: share of seeds that meet each expectation; right, on the same rows: who meets it, pooled, and verdicts."""
    columns = list(dict.fromkeys(cell.case for cell in found.cells))
    rows = list(dict.fromkeys((cell.judged_by, cell.expectation) for cell in found.cells))
    with canvas(path, 13 + 0.75 * len(columns), 2.6 + 0.34 * len(rows)) as figure:
        left, right = figure.subplots(1, 2, width_ratios=[5 + len(columns), 6], sharey=True)
        draw_matrix(left, found, rows, columns)
        draw_pooled(right, found, rows)
        figure.suptitle("Placebo: would any other firm meet what a chapter expects?")
    return path


def draw_matrix(axes: Axes, found: Placebo, rows: list[tuple[str, str]], columns: list[str]) -> None:
    """Expectations × focal firms; the firm's own chapter is framed, `*` marks what its own chapter expects as well."""
    shares = np.full((len(rows), len(columns)), np.nan)
    for cell in found.cells:
        if cell.share is not None:
            shares[rows.index((cell.judged_by, cell.expectation)), columns.index(cell.case)] = cell.share.estimate
    axes.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for cell in found.cells:
        write_cell(axes, cell, rows.index((cell.judged_by, cell.expectation)), columns.index(cell.case))
    axes.set_xticks(range(len(columns)), labels([label(name) for name in columns], 12))
    texts = [f"{label(case)}: {'all together' if one == ALL else one}" for case, one in rows]
    axes.set_yticks(range(len(rows)), labels(texts, LABEL_WIDTH, lines=1))
    for text, (_, one) in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_fontweight("bold" if one == ALL else "normal")
    for below in [i for i, (_, one) in enumerate(rows[:-1]) if one == ALL]:
        axes.axhline(below + 0.5, color="white", linewidth=4)
    axes.grid(False)
    axes.set_xlabel("focal firm of\nframed: its own chapter; * its own chapter expects the like; – not measured")
    frame_own(axes, rows, columns)
    tidy(axes, f"Seeds that meet it (wanted elsewhere: ≤ {TARGET:.2f})")


def write_cell(axes: Axes, cell: Cell, row: int, column: int) -> None:
    """The share in its field."""
    share = None if cell.share is None else cell.share.estimate
    text = "–" if share is None else f"{share:.2f}{'*' if cell.alike and not cell.own else ''}"
    colour = "white" if share is not None and share > DARK_FROM else "black"
    weight = "bold" if cell.expectation == ALL else "normal"
    axes.text(column, row, text, ha="center", va="center", color=colour, fontsize="small", fontweight=weight)


def frame_own(axes: Axes, rows: list[tuple[str, str]], columns: list[str]) -> None:
    """One frame around each firm's own chapter."""
    for column, case in enumerate(columns):
        own = [row for row, (judge, _) in enumerate(rows) if judge == case]
        axes.add_patch(
            Rectangle((column - 0.5, own[0] - 0.5), 1, len(own), fill=False, edgecolor=RIVALS, linewidth=3, zorder=3)
        )


def draw_pooled(axes: Axes, found: Placebo, rows: list[tuple[str, str]]) -> None:
    """Who meets each statement, pooled, with 95 % intervals; verdicts beside whole chapters that were played."""
    for height, (case, expectation) in enumerate(rows):
        one = statement_of(found, case, expectation)
        groups = ((one.own, FOCAL, -0.22), (one.others, RIVALS, 0.0), (one.peers, MUTED, 0.22))
        for share, colour, shift in groups:
            if share is not None and share.n:
                axes.plot([share.low, share.high], [height + shift] * 2, color=colour, linewidth=2)
                axes.plot(share.estimate, height + shift, "o", color=colour, markersize=5)
        if expectation == ALL:
            axes.axhline(height + 0.5, color=MUTED, linewidth=0.8)
    for verdict in verdicts(found):
        height, good = rows.index((verdict.case, ALL)), not verdict.failures
        axes.text(1.06, height, VERDICTS[good], va="center", color=COLOURS[good], fontsize="small", fontweight="bold")
    for name, colour in (("its own firm", FOCAL), ("firms of other cases", RIVALS), ("startups beside it", MUTED)):
        axes.plot([], [], "o-", color=colour, label=name)
    axes.axvline(TARGET, color="black", linewidth=1, linestyle=":")
    axes.set_xlim(-0.03, 1.25)
    axes.set_xticks([0, TARGET, 0.5, 1])
    axes.set_xlabel(
        f"share that meets it (95 % interval); dotted: {TARGET:.2f}\nbeside it: startups alive when the firm entered\n"
        f"or founded within {NEAR_MONTHS} months of it"
    )
    axes.grid(axis="y", visible=False)
    tidy(axes, "Pooled, and the verdict on whole chapters")
    axes.tick_params(labelleft=False)
    axes.figure.legend(loc="outside lower right", frameon=False, fontsize="small", ncols=3)


def label(case: str) -> str:
    """The case without its prefix."""
    return case.removeprefix("CASE-").rpartition("/")[2].lower()
