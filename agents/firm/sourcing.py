"""How a firm gets its next model of documents: from scratch, by the token, as weights, on a foundation of its own.

A generation begins with trials: small training runs of ways that the firm does not know, with its own rows. When they
are in, it chooses (rule `firm.sourcing`); what it releases is what was really trained and measured. Contracts with
suppliers are in `agents/firm/supply.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agents.firm.orders import Funds, Order, Orders, Situation
from agents.firm.outlook import Outlook, cost_share, data_leaves, dependence, made_of, unit_use, utility
from agents.firm.own_foundation import OwnFoundation, own_option
from agents.firm.supply import Supply, bill, pay_supplier
from agents.firm.training_plan import USUAL_PRACTICE, Draft, Means, engineering, whole_plan
from agents.firm.trials import Trials
from agents.firm.ways import SCRATCH, TUNED_KINDS, Option, hours_for, kind_of, not_outdated, plan_for
from simulation.model_market import ModelOffer
from simulation.plugins.rules import rule
from simulation.public_figures import Figures
from simulation.records import events
from simulation.training.plan import TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.values import DOCUMENT_TASKS, language_year

if TYPE_CHECKING:
    from agents.settings import FirmSettings
    from simulation.settings import Way


class Sourcing:
    """Where one laboratory's model comes from, and where the next one will."""

    def __init__(self, laboratory: Orders) -> None:
        self.laboratory, self.model = laboratory, laboratory.model
        self.task = laboratory.sector_settings.task
        self.of_documents = self.task in DOCUMENT_TASKS
        self.option = SCRATCH  # of the model in use
        self.supply: Supply | None = None
        self.held: OwnFoundation | None = None
        self.trials = Trials(laboratory)
        self._settled: tuple[Draft, FirmSettings, int] | None = None  # for what nothing was worth ordering
        self._seen: frozenset[str] = frozenset()  # offers at that time

    # -- views --------------------------------------------------------------------------------------------------------

    def is_open(self) -> bool:
        """Whether there is a choice: documents, and somebody who offers a foundation."""
        return self.of_documents and bool(self.model.model_market.offers)

    @property
    def way(self) -> Way:
        """In which the model in use was got."""
        return self.option.way

    @property
    def supplier(self) -> str:
        """On whom the model in use rests; empty for nobody."""
        return self.option.supplier

    @property
    def must_leave(self) -> bool:
        """Whether the supplier of the model in use has given notice, or ended."""
        return self.supply is not None and self.supply.ends is not None

    @property
    def is_cut_off(self) -> bool:
        """Whether the model in use may not be used any more."""
        return self.supply is not None and self.supply.is_over(self.model.month)

    def year(self) -> int:
        """Year of the language that the next model is trained on."""
        return language_year(self.model.today.year) if self.is_open() else self.model.language_year(self.task)

    # -- contracts ----------------------------------------------------------------------------------------------------

    def review(self) -> None:
        """Once a month: renew the contract at the price of the day when it is up; a supplier may be gone."""
        supply = self.supply
        if supply is None:
            return
        model, terms = self.model, self.model.settings.sourcing
        left_before = self.must_leave
        if supply.review(model.model_market, model.month, terms):
            self._settled = None
        if supply.ends is None:
            return
        self.laboratory.hurried = True
        if not left_before:
            lost = events.SupplierLost(other=supply.offer.supplier, months=supply.ends - model.month)
            self.laboratory.firm.record(lost)

    def bill(self) -> tuple[float, float]:
        """(Millions of tokens, USD) of the month's use; nothing once the supplier has stopped."""
        if self.supply is None or self.is_cut_off:
            return 0.0, 0.0
        return bill(self.laboratory.firm, self.laboratory, self.supply)

    def pay(self) -> float:
        """Pay the month's bill as far as there is cash; returns the USD paid."""
        tokens, usd = self.bill()
        return pay_supplier(self.laboratory.firm, self.supply, tokens, usd) if self.supply is not None else 0.0

    def put_in_force(self, option: Option, plan: TrainingPlan, result: TrainingResult) -> None:
        """A new model is released: its contract begins, that of the old one ends, its figures become known."""
        lab, market = self.laboratory, self.model.model_market
        if self.supply is None or self.supply.offer.name != option.name:
            self.leave()
            if option.offer is not None:
                self.supply = self.contract(option.offer)
                market.subscribe(lab.firm.name, option.name)
        self.option = option
        self.announce(plan.kind, result)

    def contract(self, offer: ModelOffer) -> Supply:
        """A contract that begins now, at the price of the day."""
        today = self.model.model_market.offers.get(offer.name, offer)
        return Supply(today, self.model.month + self.model.settings.sourcing.contract_months)

    def announce(self, kind: str, result: TrainingResult) -> None:
        """What was measured on the product becomes known to all in the sector."""
        if self.of_documents:
            figures = Figures(self.laboratory.firm.name, result.accuracy_lab, result.accuracy_field)
            self.model.public_figures.publish(self.laboratory.sector, made_of(self.option, kind), figures)

    def leave(self) -> None:
        """End the contract with the supplier, if there is one."""
        if self.supply is not None:
            self.model.model_market.leave(self.laboratory.firm.name, self.supply.offer.name)
            self.supply = None

    # -- the next model -----------------------------------------------------------------------------------------------

    def order(self, draft: Draft, team: FirmSettings, means: Means, funds: Funds) -> Order | None:
        """What to order now; None while trials run, and where nothing is worth its price."""
        lab = self.laboratory
        state = draft, team, self.year()
        if not lab.fix_ordered and not self.must_leave and self.is_settled(state):
            return None
        self.trials.collect()
        plan = whole_plan(team, draft, lab.luck, lab.seed, self.model.settings.training)
        now = Situation(draft, team, means, funds, plan, unit_use(lab.firm, lab))
        orders = {one.name: self.made(one, now) for one in self.options(team)}
        outlooks = {name: self.outlook(order, now) for name, order in orders.items()}
        if self.tries(outlooks, now):
            return None
        chosen = orders[self.choose(outlooks)]
        if not (lab.fix_ordered or self.must_leave or self.is_worth_it(chosen)):
            self._settled, self._seen = state, frozenset(self.model.model_market.offers)
            return None
        self.change_to(chosen.option, outlooks)
        return chosen

    def is_settled(self, state: tuple[Draft, FirmSettings, int]) -> bool:
        """Whether nothing has changed since nothing was worth ordering."""
        known, offers = self._settled, self.model.model_market.offers
        return known is not None and known[1] is state[1] and known == state and offers.keys() == self._seen

    def is_worth_it(self, order: Order) -> bool:
        """Whether a run gives more than the model in use: another way, or more of what the same way is made of."""
        old = self.laboratory.released_plan
        if not self.laboratory.worth_training(order.plan):
            is_new = old is not None and (order.plan.kind, order.plan.foundation) != (old.kind, old.foundation)
            return is_new and order.plan != self.laboratory.last_plan
        return True

    def tries(self, outlooks: Mapping[str, Outlook], now: Situation) -> bool:
        """Begin trials that the firm wants; whether any run now."""
        orders = {name: self.made(seen.option, now, as_trial=True) for name, seen in outlooks.items()}
        in_use = self.option.name if self.laboratory.released is not None else ""
        self.trials.begin(orders, outlooks, in_use, now.funds)
        return bool(self.trials.pending)

    @rule("firm.sourcing", "name of the way in which the next model is got, one of the `outlooks`")
    def choose(self, outlooks: Mapping[str, Outlook]) -> str:
        """A random-utility choice: one Gumbel draw for each way and generation (McFadden 1974)."""
        settings, lab = self.model.settings, self.laboratory
        ease = settings.law.interoperability
        utilities = {name: utility(seen, settings.sourcing, ease) for name, seen in outlooks.items()}
        return self.model.streams.choice(utilities, "sourcing", lab.name, lab.n_jobs)

    def change_to(self, option: Option, outlooks: Mapping[str, Outlook]) -> None:
        """Pay for what the way takes beside training: engineers where the product moves, a foundation of one's own."""
        lab = self.laboratory
        if option.pretraining_usd:
            paid = lab.firm.spend(option.pretraining_usd, "compute")
            lab.purse_usd = max(lab.purse_usd - paid, 0.0)
        if option.own is not None:
            self.held = OwnFoundation(option.own_rung, option.own)
        if option.way == "api" and not self.trials.knows(option):
            self.trials.pay_for_rows(option)
        if lab.released is not None and not outlooks[option.name].is_change:
            return
        expected = {name: round(seen.advantage, 4) for name, seen in outlooks.items()}
        before = self.option.way if lab.released is not None else ""
        cost = self.pay_for_change() if lab.released is not None else 0.0
        self.record_change(before, option, cost, expected)

    def record_change(self, before: str, option: Option, cost_usd: float, expected: dict[str, float]) -> None:
        """Record the way of the next model, and what was expected of each."""
        change = events.Sourcing(
            other=option.supplier,
            amount_usd=cost_usd,
            sector=self.laboratory.where,
            before=before,
            after=option.way,
            expected=expected,
        )
        self.laboratory.firm.record(change)

    def pay_for_change(self) -> float:
        """Engineers' work when a product moves; less where systems work together by law. USD paid."""
        terms, model = self.model.settings.sourcing, self.model
        months = terms.switching_staff_months * (1 - model.settings.law.interoperability)
        return self.laboratory.firm.spend(months * model.talent.wages["research"], "outsourcing", "workers")

    # -- ways ---------------------------------------------------------------------------------------------------------

    def options(self, team: FirmSettings) -> list[Option]:
        """Ways open to the firm. Private training and inputs left out need a network of one's own."""
        found, lab = [SCRATCH], self.laboratory
        remedy = lab.leak_remedy
        if team.dp_noise > 0 or remedy.dp_noise > 0 or remedy.minimisation > 0:
            return found
        for offer in not_outdated(self.model.model_market.offers.values()):
            if offer.access != "api" or team.compression == "none":  # what must run on a device cannot be rented
                found.append(Option(offer.access, offer.name, offer))
        cash = lab.firm.books.cash_usd * lab.share
        own = own_option(self.model.settings, self.held, self.task, self.year(), lab.seed, cash)
        return [*found, own] if own is not None else found

    def made(self, option: Option, now: Situation, as_trial: bool = False) -> Order:
        """The run that a way takes: on the highest rung that can be paid for; a trial is smaller.

        From scratch it is one rung lower, from a foundation's weights a few steps: both cost a small part of the run.
        """
        world, lab, team, means = self.model.settings, self.laboratory, now.team, now.means
        kind = kind_of(option, team, world.sourcing.tuned_as)
        width = option.foundation.width if option.foundation is not None else 0
        able, usually = (engineering(team, p) / (1 + means.pretraining_runs) for p in (None, USUAL_PRACTICE))

        def hours(on: int, able: float, parallel: float = 1.0) -> float:
            return hours_for(kind, self.task, width, on, world.compute, means.progress, able, parallel)

        most = world.sourcing.tuned_rung if kind in TUNED_KINDS else now.draft.rung
        rung, parallel = min(now.draft.rung, most), team.engineering.parallelism
        while rung > 0 and hours(rung, able, parallel) > means.hours_affordable * (1 + 1e-9):
            rung -= 1
        if as_trial:
            rung = max(rung - 1, 0) if option.foundation is None else 0
        plan = lab.leak_remedy.applied(plan_for(option, kind, now.plan, rung, self.year()))
        taken = min(hours(rung, able, parallel), means.hours_affordable)
        return Order(option, plan, taken, hours(rung, usually))

    def outlook(self, order: Order, now: Situation) -> Outlook:
        """What the firm expects of a way."""
        lab, firm, option = self.laboratory, self.laboratory.firm, order.option
        terms, price, plan = self.model.settings.sourcing, now.funds.price_usd, order.plan
        once_usd = option.pretraining_usd + self.trials.rows_usd(option)
        return Outlook(
            option,
            self.expected(order),
            cost_share(option, plan.kind, self.task, plan.rung, now.use, price, once_usd, terms),
            data_leaves(option, firm, lab),
            dependence(option, lab, firm.laboratories),
            lab.released is not None and option.builds_on != self.option.builds_on,
        )

    def expected(self, order: Order) -> float:
        """Expected advantage of a way, as its makers would judge it: of the way in use, what was measured."""
        lab, weight = self.laboratory, self.laboratory.field_weight()
        if lab.released is not None and order.option.name == self.option.name:
            in_lab, in_field = lab.advantages()
            return (1 - weight) * in_lab + weight * in_field
        old, model = self.model.traditional[lab.sector], self.model
        known = made_of(order.option, order.plan.kind)
        return self.trials.knowledge.expected(
            order.option, known, model.month, model.public_figures, old, weight, model.settings.sourcing
        )
