"""What a firm pays for what it no longer uses: notice, severance, space, compute under contract (`world.exit`).

    held  ←  used where it grows;  held − (held − used) / months where it shrinks

So a firm that shrinks saves late, and decline itself costs. With zero months costs follow at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agents.firm.staffing import wage_bill

if TYPE_CHECKING:
    from agents.firm.owner import Owner
    from simulation.settings import ExitSettings, Role


def followed(held: float, used: float, months: float) -> float:
    """What is held next: what is used, or what is left of more that was held."""
    return used if months <= 1 or used >= held else held - (held - used) / months


class Commitments:
    """Obligations of one firm, USD a month but for `severance_usd`, which is due once.

    Attributes:
        rented_usd: wage bill for which there are space and tools.
        reserved_usd: inference under contract.
        on_notice_usd: wages of those who were let go and are paid on.
        idle_usd: overhead and wages that buy no work.
    """

    def __init__(self, firm: Owner) -> None:
        self.firm = firm
        self.rented_usd = self.reserved_usd = self.on_notice_usd = self.severance_usd = 0.0
        self.idle_usd = 0.0

    @property
    def rules(self) -> ExitSettings:
        """The rules in force."""
        return self.firm.model.settings.exit

    @property
    def hold(self) -> bool:
        """Whether anything follows use late."""
        rules = self.rules
        return rules.severance_months + rules.notice_months + rules.lease_months + rules.reserved_months > 0

    def let_go(self, before: Mapping[Role, float], after: Mapping[Role, float]) -> None:
        """People leave; for those who do not leave by themselves something is owed."""
        rules = self.rules
        if rules.severance_months == 0 and rules.notice_months == 0:
            return
        stay = 1 - rules.quits_year / 12
        lost = {role: max(stay * people - after[role], 0.0) for role, people in before.items()}
        usd = wage_bill(lost, self.firm.model.talent.wages)
        self.severance_usd += rules.severance_months * usd
        if rules.notice_months > 0:
            self.on_notice_usd += usd

    def people_usd(self) -> float:
        """What is due this month to those who were let go."""
        return self.severance_usd + self.on_notice_usd

    def rent_for_usd(self, wages_usd: float) -> float:
        """Wage bill whose overhead is paid this month."""
        return followed(self.rented_usd, wages_usd, self.rules.lease_months)

    def inference_usd(self, used_usd: float) -> float:
        """What is paid for inference this month."""
        return followed(self.reserved_usd, used_usd, self.rules.reserved_months)

    def end_month(self, wages_usd: float, inference_paid_usd: float) -> None:
        """The month was paid: carry on what is held; what was idle is known when the next one is planned."""
        self.rented_usd, self.reserved_usd = self.rent_for_usd(wages_usd), inference_paid_usd
        self.severance_usd = 0.0
        self.on_notice_usd *= 1 - 1 / max(self.rules.notice_months, 1.0)
        overhead = self.firm.model.settings.labour.overhead_share * (self.rented_usd - wages_usd)
        self.idle_usd = overhead + self.on_notice_usd

    def closing_usd(self) -> float:
        """What all people are owed when the firm closes."""
        owed = self.rules.severance_months + self.rules.notice_months
        return owed * wage_bill(self.firm.staff, self.firm.model.talent.wages) + self.people_usd()
