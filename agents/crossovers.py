"""What other sectors' firms hold in rows, for those who can draw on it since a crossover (OP-FUTURE)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.actor import Actor

if TYPE_CHECKING:
    from agents.firm.owner import World


class CrossoverStocks(Actor):
    """Measures each month, before anybody plans, what the firms of a sector hold that others can draw on.

    Firms count by the value that they serve, so that one which sells nothing changes nobody's path.
    """

    def receive_results(self) -> None:
        """Take stock."""
        technology = self.model.technology
        technology.stock_rows = {source: stock_rows(self.model, source) for source in sorted(technology.sources())}


def stock_rows(model: World, sector: str) -> float:
    """Labelled rows that a firm of a sector holds for it, on average over the value served; 0 where nobody is."""
    rows = 0.0
    for name, share in model.shares_in(sector).items():
        laboratory = model.firms[name].laboratories[sector]
        rows += share * (laboratory.rows_lab + laboratory.rows_field)
    return rows
