"""How many people a firm employs in which role. Pure rules."""

from __future__ import annotations

from collections.abc import Mapping

from simulation.settings import Role

_OTHERS: dict[Role, float] = {"product": 0.4, "marketing": 0.4, "finance": 0.2}  # assumption: split of what is left


def wage_bill(staff: Mapping[Role, float], wages: Mapping[Role, float]) -> float:
    """Wages of all staff, USD a month."""
    usd = 0.0
    for role, people in staff.items():
        usd += people * wages[role]
    return usd


def staff_wanted(
    budget_usd: float, wages: Mapping[Role, float], research_share: float, operators: float
) -> dict[Role, float]:
    """People by role for a wage budget: operations as customers need, research by its share, the rest split."""
    operations = min(operators, 0.6 * budget_usd / wages["operations"])
    left = budget_usd - operations * wages["operations"]
    wanted: dict[Role, float] = {
        "operations": operations,
        "research": research_share * left / wages["research"],
    }
    for role, share in _OTHERS.items():
        wanted[role] = (1 - research_share) * share * left / wages[role]
    return wanted


def adjust(
    staff: Mapping[Role, float], wanted: Mapping[Role, float], hire: float = 0.12, cut: float = 0.3
) -> dict[Role, float]:
    """Staff next month: hiring is slow (at most one person or 12 % a month), cutting is faster (30 %). Assumptions."""
    after: dict[Role, float] = {}
    for role, have in staff.items():
        goal = wanted.get(role, have)
        if goal > have:
            most = have + (hire * have if hire * have > 1 else 1.0)
            after[role] = goal if goal <= most else most
        else:
            least = have * (1 - cut)
            after[role] = goal if goal >= least else least
    return after
