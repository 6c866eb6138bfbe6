"""All behavioural rules that a plug-in may replace: importing this module declares them."""

from __future__ import annotations

import agents.entry
import agents.firm.firm
import agents.firm.markets_served
import agents.fund
import agents.incumbent.acquisition
import agents.incumbent.incumbent
import agents.startup.fundraising
import agents.startup.startup
import agents.state.regulator  # noqa: F401
from simulation.plugins.rules import RULES as RULES
