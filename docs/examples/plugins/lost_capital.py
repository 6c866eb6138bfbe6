"""An outcome of comparisons: what investors lose in startups that go bankrupt.

ventures compare markets/base --with policies/compute-vouchers --plugin docs/examples/plugins/lost_capital.py
"""

from __future__ import annotations

import pandas as pd

from analysis.comparison import Measure
from analysis.runs.run import Run
from simulation.plugins import Plugin


def lost_capital(run: Run, scenario: str, arm: str) -> pd.Series:
    """Money raised by startups that ended bankrupt, USD, by seed; 0 where none did."""
    endings = run.select("endings", scenario, arm, ["seed", "kind", "ending", "raised_usd"])
    lost = endings[(endings["kind"] == "startup") & (endings["ending"] == "bankrupt")]
    return lost.groupby("seed")["raised_usd"].sum().reindex(run.seeds, fill_value=0.0)


plugin = Plugin("lost-capital", "an outcome: capital lost in bankruptcies")
plugin.outcome(Measure("lost_capital_usd", "capital lost in bankruptcies", "USD", lost_capital))
