"""Other agent-based models beside ours in one run: Mesa's Boltzmann wealth example, and BAM Engine where installed.

They do something else: what a wealth agent does in a step is a move and a gift, what a BAM agent does is vectorised.
Their microseconds say how large an agent-month of ours is against what users of these libraries know.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import Any

from simulation.training.bench.run import spread


class Peer:
    """One model of others.

    Attributes:
        name: key in the results.
        package: what is installed for it.
        n_agents: agents of it.
        n_periods: periods of one repetition.
        play: builds a model (not timed) and returns what plays `n_periods`; ImportError where it is not installed.
        seconds: of every repetition.
        why: why it could not be measured; empty where it was.
    """

    def __init__(
        self, name: str, package: str, n_agents: int, n_periods: int, play: Callable[[], Callable[[], object]]
    ) -> None:
        self.name, self.package, self.n_agents, self.n_periods, self.play = name, package, n_agents, n_periods, play
        self.seconds: list[float] = []
        self.why = ""

    def measure(self) -> None:
        """One repetition."""
        if self.why:
            return
        try:
            run = self.play()
        except ImportError:
            self.why = "not installed"
            return
        started = time.process_time()
        run()
        self.seconds.append(time.process_time() - started)

    def row(self) -> dict[str, Any]:
        """What was measured."""
        per_agent = [1e6 * seconds / self.n_agents / self.n_periods for seconds in self.seconds]
        return {
            "name": self.name,
            "agents": self.n_agents,
            "version": version(self.package) if self.seconds else None,
            "periods": self.n_periods,
            "repeats": len(self.seconds),
            "us_per_agent_period": spread(per_agent) if per_agent else None,
            "why_not": self.why,
        }


def mesa_wealth(n_agents: int, n_periods: int) -> Callable[[], object]:
    """Mesa's own example, one cell an agent (as it comes: 100 agents on 100 cells), with its data collection."""
    example: Any = import_module("mesa.examples.basic.boltzmann_wealth_model.model")
    side = max(round(math.sqrt(n_agents)), 2)
    model = example.BoltzmannWealth(n=n_agents, width=side, height=side, seed=0)
    return lambda: [model.step() for _ in range(n_periods)]


def bam(n_firms: int, n_periods: int) -> Callable[[], object]:
    """BAM Engine (Delli Gatti et al. 2011), five households a firm and a bank per ten firms, as its defaults are."""
    engine: Any = import_module("bamengine")
    model = engine.Simulation.init(
        n_firms=n_firms, n_households=5 * n_firms, n_banks=max(n_firms // 10, 2), seed=0, n_periods=n_periods
    )
    return lambda: model.run(n_periods=n_periods)


def peers_of(quick: bool) -> list[Peer]:
    """Peers with as many agents as the reference case has firms, and with a thousand."""
    wealth = {40: 10, 100: 5} if quick else {40: 144, 1_000: 50}
    firms = {40: 2} if quick else {40: 144, 1_000: 20}
    return [
        Peer("mesa-boltzmann-wealth", "mesa", n, periods, partial(mesa_wealth, n, periods))
        for n, periods in wealth.items()
    ] + [
        Peer("bamengine", "bamengine", 6 * n + max(n // 10, 2), periods, partial(bam, n, periods))
        for n, periods in firms.items()
    ]
