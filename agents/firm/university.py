"""Links between startups and universities (OP-ECOSYSTEM): joint projects bring people, data and know-how.

A partner pays its part of the project and gives some of its researchers' time. It gets associates who work on its
models, graduates who join faster than the labour market delivers, a shared data set, and know-how: the skill with
which it chooses its training recipe rises toward a bound,

    know-how  +=  speed / 12 · (bound − skill − know-how),   so it really trains with better recipes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from agents.settings import FirmSettings
from agents.treasury import grant, left_usd, part_paid, recipient
from simulation.records import events
from simulation.settings import Role
from simulation.settings.universities import UniversitySettings

if TYPE_CHECKING:
    from agents.firm.owner import Owner

CASH_MONTHS = 12  # assumption: who takes part has its own share of a year in cash
PROGRAMME: Final = "universities"


class UniversityLink:
    """One firm's link; `know_how` is the skill it has gained, which stays when the link ends."""

    def __init__(self, firm: Owner) -> None:
        self.firm, self.model = firm, firm.model
        self.know_how = 0.0
        self.joined = False
        self.last_month = -100  # in which the joint project was paid for
        self._taught: tuple[FirmSettings, float, FirmSettings] = (firm.settings, 0.0, firm.settings)

    @property
    def rules(self) -> UniversitySettings:
        """The rules in force."""
        return self.firm.law.university

    @property
    def active(self) -> bool:
        """Whether a joint project is under way; it is paid month by month."""
        return self.model.month - self.last_month <= 1

    def researchers(self) -> float:
        """People at work on the firm's models: its researchers less the time of the joint project, and associates."""
        own = self.firm.staff["research"]
        return own * (1 - self.rules.staff_time_share) + self.rules.associates if self.active else own

    def taught(self, settings: FirmSettings) -> FirmSettings:
        """Settings of a team with the skill that it has learnt, in steps of a hundredth."""
        gain = round(self.know_how, 2)
        if gain == 0:
            return settings
        if self._taught[0] is not settings or self._taught[1] != gain:
            skill = min(settings.skill + gain, 1.0)
            self._taught = settings, gain, settings.model_copy(update={"skill": skill})
        return self._taught[2]

    def with_graduates(self, staff: dict[Role, float], wanted: Mapping[Role, float]) -> dict[Role, float]:
        """Staff with the graduates who join this month, as far as the firm wants and pays more researchers."""
        if not self.active:
            return staff
        joining = min(self.rules.graduates_year / 12, max(wanted["research"] - staff["research"], 0.0))
        cost = joining * self.rules.graduate_usd
        if joining > 0:
            joining *= part_paid(self.ask(cost), cost)
        return {**staff, "research": staff["research"] + joining}

    def takes_part(self) -> bool:
        """Whether the firm is one of those that look for a partner: a draw that lasts its whole life."""
        chance = self.rules.participation_share
        return self.model.streams.uniform("university", self.firm.name) < chance

    def work_together(self) -> None:
        """One month of the joint project, if state and firm can pay for it."""
        rules = self.rules
        cost = rules.project_usd_year / 12
        own = (1 - rules.state_share) * cost
        if self.firm.books.cash_usd < CASH_MONTHS * own or left_usd(self.model, PROGRAMME, self.firm.home) == 0:
            return
        paid = self.ask(rules.state_share * cost)
        self.firm.spend(cost - paid, "overhead")  # where the budget ends within the month, the firm pays the rest
        if not self.joined:
            self.join()
        self.last_month = self.model.month
        gap = rules.skill_bound - self.firm.settings.skill - self.know_how
        self.know_how += min(rules.skill_speed_year / 12, 1.0) * max(gap, 0.0)

    def ask(self, usd: float) -> float:
        """Ask the state to pay a university; returns the USD paid."""
        whom, firms = recipient(self.firm), (self.firm.name,)
        return grant(self.model, PROGRAMME, "suppliers", usd, "income", whom, firms)

    def join(self) -> None:
        """Begin: the shared data set arrives; the state pays for its rows at their usual cost."""
        rules, settings, lab = self.rules, self.model.settings, self.firm.laboratory
        self.joined = True
        law = self.model.laws.at_home(self.firm.sector, self.firm.home)
        cost = rules.shared_rows * settings.labour.label_cost_usd * law.data_cost_factor
        rows = rules.shared_rows * part_paid(self.ask(cost), cost)
        lab.rows_field += rows * rules.shared_field_share
        lab.rows_lab += rows * (1 - rules.shared_field_share)
        self.firm.record(events.UniversityLink(rows=rows))
