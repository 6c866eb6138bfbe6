"""What founders could have in another career; asked when they found a startup, and while they go on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.entrant_names import founder_of

if TYPE_CHECKING:
    from agents.firm.owner import World


def outside_option_usd(model: World, name: str, months: float) -> float:
    """What the founder of that startup forgoes in `months`, USD: a wage, times a draw of the founder's own."""
    rules, wage = model.settings.founding, model.talent.wages["research"]
    own = model.streams.lognormal(1.0, rules.outside_sigma, "outside option", founder_of(name))
    return rules.outside_share * wage * months * own
