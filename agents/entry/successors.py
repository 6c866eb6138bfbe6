"""Founders who come from a firm: spin-outs of living firms, and founders of ended startups who try again.

Spin-outs are keyed by parent and month, returns by the startup that ended: one firm more or less changes no other
firm's successors. A spin-out inherits a share of its parent's know-how (Klepper & Thompson 2005; Agarwal et al. 2004);
who founded before has the skill of then and some experience more (Gompers et al. 2010).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agents.entrant_names import Background, successor_name
from agents.settings import EngineeringSettings, FirmSettings
from agents.startup.startup import Startup
from simulation.records.endings import sold_low
from simulation.records.events import Event, Left, Listed

if TYPE_CHECKING:
    from agents.firm.owner import Owner, World

RETURN_SIGMA = 0.5  # assumption: log spread of the time until a founder thinks of another startup


class Candidate(NamedTuple):
    """A potential founder, named by the startup it may found."""

    name: str
    background: Background = "new"
    origin: str = ""


class Successors:
    """Potential founders of a world who come from firms, by sector; `home` is the stream that they enter with."""

    def __init__(self, model: World) -> None:
        self.model = model
        self.home: dict[str, str] = {}
        self._due: dict[int, list[str]] = {}  # ended startups by the month in which their founders think again
        model.listeners.append(self.hear)

    def hear(self, name: str, event: Event) -> None:
        """The founder of a startup that ends may come back some months later; one that is listed goes on."""
        share = self.model.settings.founding.return_share
        if not isinstance(event, Left) or isinstance(event, Listed) or share == 0:
            return
        if self.model.firms[name].kind == "startup" and self.model.streams.uniform("return", name) < share:
            self._due.setdefault(self.month_of_return(name), []).append(name)

    def month_of_return(self, name: str) -> int:
        """Month in which the founder of an ended startup thinks of another one."""
        median = self.model.settings.founding.return_months
        months = self.model.streams.lognormal(median, RETURN_SIGMA, "months until return", name)
        return self.model.month + max(round(months), 1)

    def candidates(self, stream: str, sector: str) -> list[Candidate]:
        """Potential founders of the month who come from firms of the sector; none but for the sector's own stream."""
        if self.home.get(sector) != stream:
            return []
        firms, today = self.model.firms, self.model.today
        again = [name for name in self._due.get(self.model.month, ()) if firms[name].sector == sector]
        rows: list[tuple[Background, str]] = [("spin-out", name) for name in self.parents(sector)]
        rows += [("serial", name) for name in again]
        return [Candidate(successor_name(stream, today, kind, name), kind, name) for kind, name in rows]

    def parents(self, sector: str) -> list[str]:
        """Firms of a sector from which somebody thinks of leaving this month: with a model, and people enough."""
        rules, draw, month = self.model.settings.founding, self.model.streams.uniform, self.model.month
        rate = rules.spinout_rate_year / 12
        drawn = [f for f in self.model.firms_in(sector) if rate > 0 and draw("spin-out", f.name, month) < rate]
        return [f.name for f in drawn if f.laboratory.released and f.headcount() >= rules.spinout_people]

    # -- what they bring ----------------------------------------------------------------------------------------------

    def skill(self, candidate: Candidate, own: float) -> float:
        """Skill of a candidate who would have `own` without that past."""
        if candidate.background == "new":
            return own
        origin = self.model.firms[candidate.origin]
        if candidate.background == "spin-out":
            return mixed(own, origin.settings.skill, self.model.settings.founding.inherited_share)
        return min(origin.settings.skill + self.experience(origin), 1.0)

    def experience(self, ended: Owner) -> float:
        """Skill that the founder of an ended startup has gained."""
        rules = self.model.settings.founding
        assert isinstance(ended, Startup)
        is_success = ended.ending == "acquired" and not sold_low(ended.ending, ended.exit_value_usd, ended.raised_usd)
        return rules.experience_succeeded if is_success else rules.experience_failed

    def with_past(self, candidate: Candidate, own: FirmSettings) -> FirmSettings:
        """Settings of a candidate who would have `own` without that past."""
        if candidate.background == "new":
            return own
        update: dict[str, object] = {"skill": self.skill(candidate, own.skill)}
        if candidate.background == "spin-out":
            update |= self.inherited(own, self.model.firms[candidate.origin].settings)
        return own.model_copy(update=update)

    def inherited(self, own: FirmSettings, parent: FirmSettings) -> dict[str, object]:
        """What people take along beside their skill: how data are handled and how training is run."""
        share = self.model.settings.founding.inherited_share
        there, here = parent.engineering.model_dump(), own.engineering.model_dump()
        engineering = EngineeringSettings(**{key: mixed(here[key], there[key], share) for key in here})
        operations = mixed(own.data_operations, parent.data_operations, share)
        return {"data_operations": operations, "engineering": engineering}


def mixed(own: float, other: float, share: float) -> float:
    """A value moved by `share` of the way to another."""
    return own + share * (other - own)
