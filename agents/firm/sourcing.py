"""How a firm gets its next model of documents: from scratch, by the token, as weights, on a foundation of its own.

A generation begins with trials: small training runs of ways that the firm does not know, with its own rows. When they
are in, it chooses (rule `firm.sourcing`); what it releases is what was really trained and measured. Contracts with
suppliers are in `agents/firm/supply.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agents.firm.orders import Candidate, Funds, Order, Orders, Situation
from agents.firm.outlook import Outlook, cost_share, data_outside, dependence, made_of, unit_use, utility
from agents.firm.own_foundation import OwnFoundation, own_option
from agents.firm.supply import Supply, bill, pay_supplier
from agents.firm.training_plan import Draft, Means, engineering, usual_hours, whole_plan
from agents.firm.trials import Trials
from agents.firm.ways import SCRATCH, TUNED_KINDS, Option, hours_for, kind_of, plan_for, relative_operations
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
    def interoperability(self) -> float:
        """Part of the cost of leaving a supplier that the law takes away."""
        return self.model.laws.interoperability(self.laboratory.sector)

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
        if self.trials.pending:
            return None
        now = self.situation(draft, team, means, funds)
        candidates = {one.name: self.candidate(one, now) for one in self.options(team)}
        outlooks = {name: self.outlook(one, now) for name, one in candidates.items()}
        if self.tries(candidates, outlooks, now):
            return None
        chosen = self.made(candidates[self.choose(outlooks)], now)
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

    def tries(self, candidates: Mapping[str, Candidate], outlooks: Mapping[str, Outlook], now: Situation) -> bool:
        """Begin the trials that the firm wants; whether any run now."""
        in_use = self.option.name if self.laboratory.released is not None else ""
        for name, seen in outlooks.items():
            if name != in_use and seen.cost_share < 1 and self.trials.would_try(seen.option):
                self.trials.begin(self.made(candidates[name].as_trial(), now), now.funds)
        return bool(self.trials.pending)

    @rule("firm.sourcing", "name of the way in which the next model is got, one of the `outlooks`")
    def choose(self, outlooks: Mapping[str, Outlook]) -> str:
        """A random-utility choice: one Gumbel draw for each way and generation (McFadden 1974)."""
        terms, lab = self.model.settings.sourcing, self.laboratory
        utilities = {name: utility(seen, terms, self.interoperability) for name, seen in outlooks.items()}
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
        months = self.model.settings.sourcing.switching_staff_months * (1 - self.interoperability)
        return self.laboratory.firm.spend(months * self.model.talent.wages["research"], "outsourcing", "workers")

    # -- ways ---------------------------------------------------------------------------------------------------------

    def options(self, team: FirmSettings) -> list[Option]:
        """Ways open to the firm. Private training and inputs left out need a network of one's own."""
        found, lab = [SCRATCH], self.laboratory
        remedy = lab.leak_remedy
        if team.dp_noise > 0 or remedy.dp_noise > 0 or remedy.minimisation > 0:
            return found
        for name, offer in self.model.model_catalogue.current().items():
            if offer.access != "api" or team.compression == "none":  # what must run on a device cannot be rented
                found.append(Option(offer.access, name, offer))
        cash = lab.firm.books.cash_usd * lab.share
        own = own_option(self.model.settings, self.held, self.task, self.year(), lab.seed, cash)
        return [*found, own] if own is not None else found

    def situation(self, draft: Draft, team: FirmSettings, means: Means, funds: Funds) -> Situation:
        """What all ways have in common."""
        lab, firm = self.laboratory, self.laboratory.firm
        able = engineering(team) / (1 + means.pretraining_runs)
        return Situation(draft, team, means, funds, able, unit_use(firm, lab), data_outside(firm, lab))

    def candidate(self, option: Option, now: Situation) -> Candidate:
        """A way with its kind and the highest rung that can be paid for."""
        kind, terms = kind_of(option, now.team, self.model.settings.sourcing.tuned_as), self.model.settings.sourcing
        most = terms.tuned_rung if kind in TUNED_KINDS else now.draft.rung
        found = Candidate(option, kind, min(now.draft.rung, most) if kind != "probe" else 0)
        most_hours = now.means.hours_affordable * (1 + 1e-9)
        while found.rung > 0 and self.hours(found, now, now.able) > most_hours:
            found = found._replace(rung=found.rung - 1)
        return found

    def hours(self, one: Candidate, now: Situation, able: float) -> float:
        """GPU hours that it takes a team of engineering `able`."""
        compute, parallel = self.model.settings.compute, now.team.engineering.parallelism
        return hours_for(one.kind, self.task, one.width, one.rung, compute, now.means.progress, able, parallel)

    def made(self, one: Candidate, now: Situation) -> Order:
        """The run that it takes."""
        world, lab, team = self.model.settings, self.laboratory, now.team
        base = whole_plan(team, now.draft, lab.luck, lab.seed, world.training)
        plan = lab.leak_remedy.applied(plan_for(one.option, one.kind, base, one.rung, self.year()))
        hours = min(self.hours(one, now, now.able), now.means.hours_affordable)
        relative = relative_operations(one.kind, self.task, one.rung, one.width)
        usual = usual_hours(team, world.compute, one.rung, now.means.progress, now.means.pretraining_runs)
        return Order(one.option, plan, hours, usual * relative)

    def outlook(self, one: Candidate, now: Situation) -> Outlook:
        """What the firm expects of a way."""
        lab, option, terms = self.laboratory, one.option, self.model.settings.sourcing
        once_usd = option.pretraining_usd + self.trials.rows_usd(option)
        return Outlook(
            option,
            self.expected(one),
            cost_share(option, one.kind, self.task, one.rung, now.use, now.funds.price_usd, once_usd, terms),
            now.data_outside if option.way == "api" else 0.0,
            dependence(option, lab, lab.firm.laboratories),
            lab.released is not None and option.builds_on != self.option.builds_on,
        )

    def expected(self, one: Candidate) -> float:
        """Expected advantage of a way, as its makers would judge it: of the way in use, what was measured."""
        lab, weight = self.laboratory, self.laboratory.field_weight()
        if lab.released is not None and one.option.name == self.option.name:
            in_lab, in_field = lab.advantages()
            return (1 - weight) * in_lab + weight * in_field
        old, model = self.model.traditional[lab.sector], self.model
        known = made_of(one.option, one.kind)
        return self.trials.knowledge.expected(
            one.option, known, model.month, model.public_figures, old, weight, model.settings.sourcing
        )
