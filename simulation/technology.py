"""What technology has made possible so far: dated breakthroughs and those that no date foretells (OP-FUTURE).

A breakthrough is known to all from its month on; who makes use of it when is up to the firms
(`agents/firm/generations.py`). Random ones are efficiency jumps: in each sector and month one comes where a keyed draw
falls below 1 − exp(−breakthrough_rate_year / 12), and makes a GPU hour achieve a lognormal factor more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import expm1

from simulation.calendar import Calendar
from simulation.randomness import Streams
from simulation.settings.technology import Breakthrough, BreakthroughKind, TechnologySettings


@dataclass(frozen=True, slots=True)
class Known:
    """A breakthrough that is known, in one sector. `since`: month of the run, below 0 where it is older."""

    name: str
    kind: BreakthroughKind
    since: int
    factor: float = 1.0
    model_kind: str = ""
    source: str = ""
    share: float = 0.0


class Technology:
    """Breakthroughs known by sector, in the order in which they came."""

    def __init__(
        self, settings: TechnologySettings, sectors: Sequence[str], calendar: Calendar, streams: Streams
    ) -> None:
        self.streams, self.sectors = streams, list(sectors)
        self._coming = sorted(
            ((calendar.month_of(one.at), name, one) for name, one in settings.breakthroughs.items()),
            key=lambda coming: coming[:2],
        )
        self.known: dict[str, tuple[Known, ...]] = dict.fromkeys(self.sectors, ())
        self.stock_rows: Mapping[str, float] = {}
        """Rows that a firm of a sector holds, on average over the value served, by sector that others can draw on."""
        while self._coming and self._coming[0][0] < 0:
            self._learn(*self._coming.pop(0))

    def advance(self, month: int, settings: TechnologySettings) -> Iterator[tuple[Known, list[str]]]:
        """What becomes known in a month of the run, and in which sectors."""
        while self._coming and self._coming[0][0] <= month:
            since, name, one = self._coming.pop(0)
            if sectors := self._learn(since, name, one):
                yield known_of(since, name, one), sectors
        if settings.breakthrough_rate_year:
            yield from ((jump, [sector]) for sector in self.sectors for jump in self._jump(sector, month, settings))

    def sources(self) -> set[str]:
        """Sectors whose rows are usable in another one by now."""
        return {one.source for known in self.known.values() for one in known if one.source}

    def _learn(self, since: int, name: str, one: Breakthrough) -> list[str]:
        reached = [sector for sector in self.sectors if sector in one.sectors or not one.sectors]
        reached = [sector for sector in reached if sector != one.source]
        for sector in reached:
            self.known[sector] += (known_of(since, name, one),)
        return reached

    def _jump(self, sector: str, month: int, settings: TechnologySettings) -> Iterator[Known]:
        """An efficiency jump that nobody foresaw, or none."""
        if self.streams.uniform("breakthrough", sector, month) < -expm1(-settings.breakthrough_rate_year / 12):
            draw = self.streams.lognormal(
                settings.breakthrough_factor, settings.breakthrough_sigma, "breakthrough factor", sector, month
            )
            jump = Known(f"{sector}-{month}", "efficiency", month, max(draw, 1.0))
            self.known[sector] += (jump,)
            yield jump


def known_of(since: int, name: str, one: Breakthrough) -> Known:
    """A dated breakthrough, known since a month of the run."""
    return Known(name, one.kind, since, one.factor or 1.0, one.model_kind or "", one.source or "", one.share or 0.0)
