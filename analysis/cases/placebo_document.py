"""The placebo tests as JSON says them."""

from __future__ import annotations

from typing import Any

from analysis.cases import placebo_verdicts
from analysis.cases.placebo_results import TARGET, Placebo


def as_document(found: Placebo) -> dict[str, Any]:
    """Both tests as JSON says them."""
    return {
        "target": TARGET,
        "crossed": [
            {
                "case": cell.case,
                "judged_by": cell.judged_by,
                "expectation": cell.expectation,
                "alike": cell.alike,
                **(cell.share.as_dict("share") if cell.share else {"share": None, "low": None, "high": None, "n": 0}),
            }
            for cell in found.cells
        ],
        "shuffled": [
            {
                "case": one.case,
                "focal": one.focal.as_dict("share"),
                "others": one.others.as_dict("share"),
                "seeds": one.n_seeds,
            }
            for one in found.shuffled
        ],
        "summary": summary(found),
        "verdicts": placebo_verdicts.as_document(found),
    }


def summary(found: Placebo) -> dict[str, dict[str, int]]:
    """How many cells off the diagonal stay within the target: of expectations and of whole chapters, alike or not."""
    groups = {
        f"{'chapters' if whole else 'expectations'}{'_alike' if alike else ''}": found.crossed(alike=alike, whole=whole)
        for whole in (False, True)
        for alike in (False, True)
    }
    return {
        name: {"cells": len(cells), "within_target": sum(cell.within_target for cell in cells)}
        for name, cells in groups.items()
    }
