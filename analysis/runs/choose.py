"""Which run, which of its arms? What is not said is chosen and told; what is said wrongly has a hint."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.runs.manifest import MANIFEST
from analysis.runs.run import Run

BASE = "base"  # the arm without any change
NAMES_LISTED = 30


def open_run(folder: Path) -> Run:
    """The run in a folder; raises `AnalysisError` that names a run folder beside it with a name like it."""
    if (folder / MANIFEST).exists():
        return Run(folder)
    beside = [path.parent.name for path in folder.parent.glob(f"*/{MANIFEST}")] if folder.parent.is_dir() else []
    likely = difflib.get_close_matches(folder.name, beside, n=1)
    hint = f" (did you mean {folder.parent / likely[0]}?)" if likely else ""
    raise AnalysisError(f"{folder} is not a run folder: it holds no {MANIFEST}{hint}")


def choose_arm(run: Run, scenario: str | None, arm: str | None) -> tuple[str, str, list[str]]:
    """(scenario, arm) of a run, and notes on what was chosen where nothing was said: the first, and `base`.

    Raises `AnalysisError` where there is no such thing, or no finished seed.
    """
    if not run.seeds:
        raise AnalysisError(f"{run.folder} holds no finished seed")
    scenarios = list(dict.fromkeys(one["scenario"] for one in run.manifest["arms"]))
    name = known("scenario", scenario or scenarios[0], scenarios, run)
    arms = arms_of(run, name)
    chosen = known("arm", arm or (BASE if BASE in arms else arms[0]), arms, run)
    said = [(scenario, scenarios, name, "scenario"), (arm, arms, chosen, "arm")]
    notes = [f"{what} {one}, one of {len(there)}" for asked, there, one, what in said if not asked and len(there) > 1]
    return name, chosen, notes


def arms_of(run: Run, scenario: str) -> list[str]:
    """The arms in which a scenario was played."""
    return [one["arm"] for one in run.manifest["arms"] if one["scenario"] == scenario]


def known(what: str, name: str, there: Sequence[str], run: Run) -> str:
    """The name itself; raises `AnalysisError` with the closest ones and all that there are."""
    if name in there:
        return name
    lower = {one.lower(): one for one in there}
    likely = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, n=3)]
    hint = f" (did you mean {' or '.join(likely)}?)" if likely else ""
    more = f" and {len(there) - NAMES_LISTED} more" if len(there) > NAMES_LISTED else ""
    listed = ", ".join(sorted(there)[:NAMES_LISTED]) + more
    raise AnalysisError(f"no {what} {name!r} in {run.folder}{hint}; {what}s: {listed}")


def span(seeds: Sequence[int]) -> str:
    """Seeds in a few characters."""
    whole = list(seeds) == list(range(seeds[0], seeds[-1] + 1))
    return f"{seeds[0]} to {seeds[-1]}" if whole and len(seeds) > 1 else ", ".join(map(str, seeds))
