"""The startups beside the firm that a case is about, and which of its statements they meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.cases.evidence import OVER_TWIN, Evidence
from analysis.cases.placebo_peers import peers_of, verdicts_of_peers
from analysis.play.experiment import BASE
from analysis.runs.run import Run
from analysis.statistics.intervals import Interval, bootstrap_ratio

if TYPE_CHECKING:
    from scenarios import Scenario
    from scenarios.expectation import Expectation

NEAR_MONTHS = 12
COLUMNS = ["seed", "firm", "kind", "sector", "founded", "ended", "ending"]


def shares_beside(run: Run, setup: Scenario, evidence: Evidence) -> dict[str, Interval]:
    """Share of the other startups of the firm's sector that meet each statement about it, pooled over seeds, by id.

    Left out are statements about other firms, and those against the twin: startups beside the firm sell something else,
    and the twin itself never meets them. evidence: that of the arm as it is, for the statements of the case.
    """
    about = [one for one in about_focal(setup.expect, setup.focal) if one.of != OVER_TWIN]
    if not about:
        return {}
    endings = run.select("endings", setup.name, BASE, COLUMNS)
    sectors = endings.loc[endings["firm"] == setup.focal, "sector"].unique()
    peers = peers_of(endings[endings["sector"].isin(sectors)], str(setup.focal), NEAR_MONTHS)
    return pooled_shares(verdicts_of_peers(about, evidence, peers), peers, run.seeds)


def about_focal(expectations: Sequence[Expectation], focal: str | None) -> list[Expectation]:
    """What a case says of its own firm, as if of any."""
    return [one.model_copy(update={"firm": None}) for one in expectations if one.firm in (None, focal)]


def pooled_shares(met: pd.DataFrame, peers: pd.DataFrame, seeds: Sequence[int]) -> dict[str, Interval]:
    """Share of peers that meet each column of `met` (peers × statements); whole seeds are resampled."""
    index = pd.Index(list(seeds))
    by_seed = met.groupby(peers["seed"].to_numpy()).sum().reindex(index, fill_value=0)
    sizes = peers["seed"].value_counts().reindex(index, fill_value=0)
    return {str(name): bootstrap_ratio(by_seed[name], sizes) for name in by_seed}
