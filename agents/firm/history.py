"""A firm's own past, month by month, as running totals: what a question about its last months needs."""

from __future__ import annotations

from typing import NamedTuple


class Totals(NamedTuple):
    """Totals from a firm's founding to the end of a month. Money in USD."""

    revenue: float = 0.0
    costs: float = 0.0
    sales: float = 0.0  # and earned fees, from customers
    cost_of_sales: float = 0.0  # inference, goods, wages of operations staff
    compute: float = 0.0  # for training
    regulation: float = 0.0  # fines, fees of examinations, cost of compliance
    skill: float = 0.0  # sum over months of the team's skill
    lost_runs: float = 0.0  # work lost in training runs that broke down, in runs
    raised: float = 0.0


class Refusal(NamedTuple):
    """A raise that found no money, as it stood then."""

    stage: str
    month: int
    revenue_usd_year: float
    growth_year: float
    size_usd: float  # of the round that was asked for
    value_usd: float  # that investors saw, before any fund's own belief and error
    asked_usd: float | None  # that they asked for; None where nothing was enough
    climate: float


class Funding(NamedTuple):
    """How a firm stands with investors now. `refusal`: of its last raise, if no round has come since."""

    climate_at_round: float | None = None  # when money last came in
    refusal: Refusal | None = None


NO_FUNDING = Funding()


class History:
    """Totals of a firm at the end of each of its months, the first first."""

    def __init__(self) -> None:
        self.totals: list[Totals] = [Totals()]

    def __len__(self) -> int:
        """Months closed so far."""
        return len(self.totals) - 1

    @property
    def last(self) -> Totals:
        """Totals so far."""
        return self.totals[-1]

    def note(self, totals: Totals) -> None:
        """Take down a month that has been closed."""
        self.totals.append(totals)

    def over(self, months: int) -> Totals:
        """What the last months came to; all of them where there are fewer."""
        now, before = self.totals[-1], self.totals[max(len(self) - months, 0)]
        return Totals(*(after - earlier for after, earlier in zip(now, before, strict=True)))
