"""Entry of startups: who founds a firm when, with what talent, data and idea. Every trait is a keyed draw."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scipy.special import pdtr, pdtrik

from agents.actor import Actor
from agents.entrant_names import entrant_name
from agents.firm.sectors_served import offers_of
from agents.incumbent.incumbent import Incumbent
from agents.settings import EntrantSettings, FirmSettings, Spread
from agents.startup.first_segment import informed_utilities
from agents.startup.startup import Startup
from agents.state.programmes import award_founding_grant
from simulation.capital import usual_round
from simulation.plugins.rules import rule
from simulation.records.events import Founded

if TYPE_CHECKING:
    from agents.firm.owner import World


def found_startup(model: World, name: str, settings: FirmSettings) -> Startup:
    """Found a startup now, with a seed round from private savers (angels and seed funds are one aggregate)."""
    firm = Startup(model, name, settings)
    pre, usual = usual_round(model.settings.capital, "seed", model.year)
    offers, services = offers_of(settings), settings.services
    firm.record(Founded(amount_usd=settings.capital_usd, offers=dict(offers), services=dict(services)))
    firm.finance.take({"savers": settings.capital_usd}, pre * settings.capital_usd / usual, "seed")
    firm.set_aside(0.1 * settings.capital_usd)  # assumption: a tenth of the seed goes into the first model
    award_founding_grant(firm)
    return firm


def poisson_count(u: float, rate: float) -> int:
    """The smallest count whose Poisson distribution function reaches `u` in (0, 1); `rate` at least 0.

    That is `scipy.stats.poisson.ppf`, from the same special functions, without its checks of arrays.
    """
    if u <= pdtr(0, rate):
        return 0
    count = math.ceil(pdtrik(u, rate))
    return count - 1 if pdtr(count - 1, rate) >= u else count


def with_changes(settings: FirmSettings, changes: Mapping[str, Any]) -> FirmSettings:
    """The settings with values at dotted paths (`engineering.memory`), checked anew as a whole."""
    if not changes:
        return settings
    data = settings.model_dump()
    for path, value in changes.items():
        *above, last = path.split(".")
        node = data
        for part in above:
            node = node[part]
        node[last] = value
    return FirmSettings(**data)


class Entry(Actor):
    """The stream of entrants into one sector.

    `overrides` holds changes of single entrants by name, for replays of one world with one firm changed.
    """

    def __init__(
        self,
        model: World,
        name: str,
        settings: EntrantSettings,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(model, name)
        self.settings, self.overrides = settings, overrides or {}
        self.found(settings.at_start)

    def leave_or_enter(self) -> None:
        """Found this month's entrants."""
        self.found(self.n_entrants())

    @rule("entry.number", "how many startups of the stream are founded this month")
    def n_entrants(self) -> int:
        """As the funding climate invites: inverse of the Poisson distribution at one keyed draw."""
        rate = self.settings.per_year / 12 * self.model.heat
        return poisson_count(self.model.streams.uniform("entry", self.name, self.model.month), rate)

    def found(self, n: int) -> None:
        """Found the first `n` potential entrants of the month that begins now."""
        for number in range(1, n + 1):
            name = entrant_name(self.name, self.model.today, number)
            firm = found_startup(self.model, name, with_changes(self.draw(name), self.overrides.get(name, {})))
            firm.first_study_usd = self.settings.research_usd

    def draw(self, name: str) -> FirmSettings:
        """Traits of an entrant. A change of one trait's distribution leaves all other draws as they are."""
        s, streams = self.settings, self.model.streams
        capital = self.model.settings.capital
        _, usual = usual_round(capital, "seed", self.model.year)
        return FirmSettings(
            kind="startup",
            sector=s.sector,
            direction=s.direction,
            offers=self.choose_offers(name),
            services=self.one_of(s.services, "service", name),
            skill=self.normal(s.skill, "skill", name, 0.05, 1.0),
            collaboration=self.normal(s.collaboration, "collaboration", name, 0.5, 1.6),
            rows=min(max(streams.lognormal(s.rows.mean, s.rows.sd, "rows", name), 100), 1e12),
            data_operations=self.normal(s.data_operations, "data operations", name, 0.0, 1.0),
            managed=self.normal(s.managed, "managed", name, 0.0, 1.0),
            management=s.management,
            risk_budget_share=self.normal(s.risk_budget_share, "risk budget", name, 0.0, 0.5),
            pivot_months=12 + 24 * streams.uniform("patience", name),
            capital_usd=min(max(usual * streams.lognormal(1.0, capital.seed_sigma, "seed capital", name), 1e4), 1e11),
        )

    @rule("entry.offers", "segments in which an entrant begins, and how it earns there")
    def choose_offers(self, name: str) -> dict[Any, Any]:
        """One of the stream's options: by chance, or by what market research lets it expect of them."""
        s = self.settings
        utilities = informed_utilities(self.model, s) if s.research_usd else None
        return self.one_of(s.offers, "offer", name, utilities)

    def one_of(
        self, options: Sequence[dict[Any, Any]], trait: str, name: str, utilities: Sequence[float] | None = None
    ) -> dict[Any, Any]:
        """One of the options by a logit over their utilities, or with equal chance; an empty mapping where none is.

        Each option has a draw of its own, so that one more or less changes only who takes or loses it.
        """
        texts = [json.dumps(option, sort_keys=True) for option in options]
        labels = [f"{text} {texts[:i].count(text)}" for i, text in enumerate(texts)]  # an option may stand there twice
        weighed = dict(zip(labels, utilities or [0.0] * len(labels), strict=True))
        taken = self.model.streams.choice(weighed, trait, name)
        return options[labels.index(taken)] if taken else {}

    def normal(self, spread: Spread, trait: str, name: str, low: float, high: float) -> float:
        """A clipped normal draw."""
        return min(max(spread.mean + spread.sd * self.model.streams.normal(trait, name), low), high)


class Arrivals(Actor):
    """Firms that a scenario names, each founded at its date with the settings that are then in force."""

    def __init__(self, model: World) -> None:
        super().__init__(model, "arrivals")
        self.waiting = list(model.firm_settings)
        self.found_due(0)

    def leave_or_enter(self) -> None:
        """Found the firms whose month comes next."""
        self.found_due(self.model.month + 1)

    def found_due(self, month: int) -> None:
        """Found all firms whose date lies in or before `month`."""
        planned, calendar = self.model.firm_settings_at(month), self.model.calendar
        due = [n for n in self.waiting if (day := planned[n].founded) is None or calendar.month_of(day) <= month]
        self.waiting = [name for name in self.waiting if name not in due]
        for name in due:
            if planned[name].kind == "incumbent":
                Incumbent(self.model, name, planned[name])
            else:
                found_startup(self.model, name, planned[name])
