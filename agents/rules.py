"""All behavioural rules that a plug-in may replace: importing this module declares them."""

from __future__ import annotations

import agents.diagnosis.causes
import agents.entry.prospects
import agents.entry.stream
import agents.firm.firm
import agents.firm.markets_served
import agents.firm.sourcing
import agents.fund
import agents.incumbent.acquisition
import agents.incumbent.expected_worth
import agents.incumbent.incumbent
import agents.incumbent.line
import agents.lab.lab
import agents.startup.exits
import agents.startup.fundraising
import agents.startup.giving_up
import agents.startup.price_competition
import agents.startup.recapitalisation
import agents.startup.reserves
import agents.startup.startup
import agents.state.regulator  # noqa: F401
from simulation.plugins.rules import RULES as RULES
