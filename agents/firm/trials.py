"""Trials: small training runs of ways to the next model that a firm does not know, with its own rows."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import simpy

from agents.firm.outlook import Knowledge, Trial
from agents.firm.supply import Supply, pay_supplier

if TYPE_CHECKING:
    from agents.firm.orders import Funds, Order, Orders
    from agents.firm.ways import Option


class Trials:
    """What one laboratory tries before it chooses, and what it has learnt. Results are due like those of any order."""

    def __init__(self, laboratory: Orders) -> None:
        self.laboratory, self.model = laboratory, laboratory.model
        self.knowledge = Knowledge(laboratory.sector, laboratory.firm.name)
        self.pending: set[str] = set()  # ways whose trials run
        self._ready: list[tuple[str, str]] = []  # ways and keys of trials whose time is up
        self._generation = -1
        self._decided: set[str] = set()  # ways of which it has said in this generation whether to try them

    def begin(self, order: Order, funds: Funds) -> None:
        """Begin a trial, if it can easily be paid for."""
        lab, name, terms = self.laboratory, order.option.name, self.model.settings.sourcing
        usd = max(order.hours - funds.own_hours, 0.0) * funds.price_usd
        if usd + self.rows_usd(order.option) > terms.trial_cost_share * funds.bill_usd:
            return
        paid = lab.firm.spend(usd, "compute") + self.pay_for_rows(order.option)
        lab.purse_usd = max(lab.purse_usd - paid, 0.0)
        self.pending.add(name)
        self.model.env.process(self.run(name, self.model.order(order.plan, due=False)))

    def would_try(self, option: Option) -> bool:
        """Whether the firm wants to try a way in this generation; it decides once about each.

        That is a draw of that way alone: no way competes with another for it.
        """
        lab = self.laboratory
        if self._generation != lab.n_jobs:
            self._generation, self._decided = lab.n_jobs, set()
        if option.name in self._decided or option.pretraining_usd or self.knows(option):
            return False
        self._decided.add(option.name)
        drawn = self.model.streams.uniform(f"trial:{option.name}", lab.name, lab.n_jobs)
        return drawn < self.model.settings.sourcing.trial_chance

    def knows(self, option: Option) -> bool:
        """Whether there is a trial of a way that is not too old."""
        return self.knowledge.is_tried(option, self.model.month)

    def run(self, name: str, key: str) -> Generator[simpy.Event, object, None]:
        """SimPy process: a trial runs; then its result is due."""
        yield self.model.env.timeout(self.model.settings.sourcing.trial_months)
        if self.laboratory.firm.alive:
            self.model.call_due(key)
            self._ready.append((name, key))

    def collect(self) -> None:
        """Take note of trials whose results are in."""
        for name, key in self._ready:
            self.knowledge.trials[name] = Trial(self.model.service.result(key), self.model.month)
            self.pending.discard(name)
        self._ready.clear()

    # -- rows that an interface reads ---------------------------------------------------------------------------------

    def rows_usd(self, option: Option) -> float:
        """What it costs to have an interface read all rows that the firm holds, USD."""
        lab, offer = self.laboratory, option.offer
        if offer is None or option.way != "api":
            return 0.0
        tokens = (lab.rows_lab + lab.rows_field) * self.model.settings.sourcing.tokens_per_row
        return tokens / 1e6 * offer.usd_per_million_tokens

    def pay_for_rows(self, option: Option) -> float:
        """Have an interface read the firm's rows; returns the USD paid."""
        usd, offer = self.rows_usd(option), option.offer
        if offer is None or not usd > 0:
            return 0.0
        tokens = usd / offer.usd_per_million_tokens
        return pay_supplier(self.laboratory.firm, Supply(offer, self.model.month), tokens, usd)
