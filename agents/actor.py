"""What all actors share: a name, and one method per monthly phase that does nothing unless an actor overrides it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import mesa

if TYPE_CHECKING:
    from agents.firm.owner import World


class IdCounters:
    """Counters of agents' ids by model, for Mesa 3.3: its own keep every model in memory for good (its issue 3179)."""

    def __init__(self) -> None:
        self._counters: WeakKeyDictionary[mesa.Model, Iterator[int]] = WeakKeyDictionary()

    def __getitem__(self, model: mesa.Model) -> Iterator[int]:
        return self._counters.setdefault(model, count(1))


class Actor(mesa.Agent):
    """A Mesa agent with a name. Phase methods are called in the order of `simulation.model.PHASES`."""

    model: World
    _ids = IdCounters()

    def __init__(self, model: World, name: str) -> None:
        super().__init__(model)
        self.name = name

    @classmethod
    def acts_in(cls, phase: str) -> bool:
        """Whether actors of this class do anything in a phase, named by its method."""
        return getattr(cls, phase) is not getattr(Actor, phase)

    def receive_results(self) -> None:
        """Training results that came in during the month."""

    def plan(self) -> None:
        """Decide on budget, staff, models, offers."""

    def acquire(self) -> None:
        """Order compute and data."""

    def close_books(self) -> None:
        """Collect revenue, pay costs, close the month."""

    def seek_capital(self) -> None:
        """Go out to raise, or not."""

    def leave_or_enter(self) -> None:
        """End, be bought, go public; or bring new firms in."""
