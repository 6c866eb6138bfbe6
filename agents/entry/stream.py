"""Streams of entrants: who founds a startup when, with what talent, data and idea. Every trait is a keyed draw."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scipy.special import pdtr, pdtrik

from agents.actor import Actor
from agents.entrant_names import entrant_name
from agents.entry.founding import found_startup, with_changes
from agents.entry.prospects import Prospects
from agents.entry.successors import Candidate, Successors
from agents.settings import EntrantSettings, FirmSettings, Spread
from agents.startup.first_segment import informed_utilities
from agents.startup.startup import Startup
from simulation.capital import usual_round
from simulation.laws import ELSEWHERE
from simulation.plugins.rules import rule
from simulation.records.columns import FoundingRow
from simulation.records.events import Founders

if TYPE_CHECKING:
    from agents.firm.owner import World

SMALLEST_SHARE = 1e-9  # of founders: below it lies what rounding leaves


def poisson_count(u: float, rate: float) -> int:
    """The smallest count whose Poisson distribution function reaches `u` in (0, 1); `rate` at least 0.

    That is `scipy.stats.poisson.ppf`, from the same special functions, without its checks of arrays.
    """
    if u <= pdtr(0, rate):
        return 0
    count = math.ceil(pdtrik(u, rate))
    return count - 1 if pdtr(count - 1, rate) >= u else count


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
        prospects: Prospects | None = None,
        successors: Successors | None = None,
    ) -> None:
        super().__init__(model, name)
        self.settings, self.overrides = settings, overrides or {}
        self.prospects, self.successors = prospects or Prospects(model), successors or Successors(model)
        if settings.direction == "vertical":
            self.successors.home.setdefault(settings.sector, name)
        self.found(settings.at_start)

    def leave_or_enter(self) -> None:
        """Found this month's entrants: so many as the climate invites, or those who expect enough."""
        has_potential = self.settings.potential_per_year > 0
        if not has_potential:
            self.found(self.n_entrants())
        people = [*(self.newcomers() if has_potential else ()), *self.of_firms()]
        if has_potential or people:
            self.found_willing(people)

    @rule("entry.number", "how many startups of the stream are founded this month")
    def n_entrants(self) -> int:
        """As the funding climate invites: inverse of the Poisson distribution at one keyed draw."""
        rate = self.settings.per_year / 12 * self.model.heat
        return poisson_count(self.model.streams.uniform("entry", self.name, self.model.month), rate)

    def found(self, n: int) -> None:
        """Found the first `n` potential entrants of the month that begins now."""
        for number in range(1, n + 1):
            name = entrant_name(self.name, self.model.today, number)
            self.settle(name, self.draw(name))

    def settle(self, name: str, settings: FirmSettings) -> Startup:
        """Found one startup, with the changes of a replay; it pays for what it wanted to know of its segments."""
        firm = found_startup(self.model, name, with_changes(settings, self.overrides.get(name, {})))
        firm.first_study_usd = self.settings.research_usd
        return firm

    # -- those who decide ---------------------------------------------------------------------------------------------

    @rule("entry.potential", "how many people of the stream think of founding a startup this month")
    def n_potential(self) -> int:
        """Steady, whatever the climate: inverse of the Poisson distribution at one keyed draw."""
        rate = self.settings.potential_per_year / self.model.settings.founding.firms_scale / 12
        return poisson_count(self.model.streams.uniform("potential founders", self.name, self.model.month), rate)

    def newcomers(self) -> list[Candidate]:
        """The potential founders of the month who come from no firm of the model."""
        return [Candidate(entrant_name(self.name, self.model.today, n)) for n in range(1, self.n_potential() + 1)]

    def of_firms(self) -> list[Candidate]:
        """The potential founders of the month who come from a firm of the sector."""
        return self.successors.candidates(self.name, self.settings.sector)

    def found_willing(self, people: Sequence[Candidate]) -> None:
        """Let those found a startup who expect more of it than of another career. All look at the same month."""
        willing = [one for one in people if self.is_willing(one)]
        self.note(len(people), len(willing))
        for one in willing:
            self.found_by(one)

    def is_willing(self, one: Candidate) -> bool:
        """Whether a potential founder expects more than elsewhere. A replay changes who they are, not whether."""
        own = self.normal(self.settings.skill, "skill", one.name, 0.05, 1.0)
        expected = self.prospects.expected_usd(self.name, self.settings, self.successors.skill(one, own))
        return expected > self.prospects.outside_usd(one.name)

    def found_by(self, one: Candidate) -> None:
        """Found the startup of one of them, with what comes from a firm that they leave."""
        own = self.draw(one.name)
        settings = self.successors.with_past(one, own)
        firm = self.settle(one.name, settings)
        if one.origin:
            firm.record(
                Founders(other=one.origin, background=one.background, skill_usual=own.skill, skill=settings.skill)
            )

    def note(self, potential: int, founded: int) -> None:
        """The month's row of the founding table."""
        s, seen = self.settings, self.prospects.outlook(self.name, self.settings)
        rules, wage = self.model.settings.founding, self.model.talent.wages["research"]
        row = FoundingRow(
            month=self.model.calendar.date_of(self.model.month),
            stream=self.name,
            sector=s.sector,
            potential=potential,
            founded=founded,
            expected_usd=self.prospects.expected_usd(self.name, s, s.skill.mean),
            outside_usd=rules.outside_share * wage * rules.patience_months,
            chance=seen.chance,
            open_usd_year=seen.open_usd_year,
            rivals=seen.rivals,
            possible=seen.possible,
            funded_share=seen.funded_share,
        )
        self.model.recorder.add("founding", [row])

    # -- who they are -------------------------------------------------------------------------------------------------

    def draw(self, name: str) -> FirmSettings:
        """Traits of an entrant. A change of one trait's distribution leaves all other draws as they are."""
        s, streams = self.settings, self.model.streams
        capital = self.model.settings.capital
        _, usual = usual_round(capital, "seed", self.model.year)
        return FirmSettings(
            kind="startup",
            sector=s.sector,
            direction=s.direction,
            home=self.home_of(name),
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

    def home_of(self, name: str) -> str | None:
        """The jurisdiction in which an entrant is founded, by the share of each in founders; None for elsewhere."""
        shares = {place: one.share_of_founders for place, one in self.model.settings.jurisdictions.items()}
        shares[ELSEWHERE] = 1 - sum(shares.values())
        weights = {place: math.log(share) for place, share in shares.items() if share > SMALLEST_SHARE}
        return self.model.streams.choice(weights, "home", name) or None if len(shares) > 1 else None

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
