"""A pricing rule: startups charge what serving costs plus a margin, whatever the market would bear.

    ventures run markets/base --plugin docs/examples/plugins/cost_plus.py -n 8

Cost-plus pricing is common among software vendors, and economists warn against it (Nagle & Müller, The Strategy and
Tactics of Pricing). The shipped rule raises a price only where it does not cover serving.
"""

from __future__ import annotations

from agents.averages import last_quarter
from agents.startup.startup import Startup
from simulation.parameters import parameter
from simulation.plugins import Plugin, PluginSettings


class CostPlus(PluginSettings):
    """Keys below `plugins.cost-plus` in scenario files."""

    margin: float = parameter(
        0.6, "gross margin that a startup wants on its sales", "share", low=0.05, high=0.95, kind="lever"
    )
    step: float = parameter(
        0.03, "largest change of its price in a month, up or down", "share", low=0.001, high=0.5, kind="lever"
    )


plugin = Plugin("cost-plus", "startups price at cost plus a margin", CostPlus)


@plugin.rule("startup.price")
def move_toward_margin(startup: Startup) -> None:
    """Move the price level toward the one at which serving is `1 - margin` of sales."""
    settings, sales = plugin.settings_in(startup.model), last_quarter(startup.recurring)
    if sales <= 0:
        return
    wanted = startup.sales.serving_usd() / (1 - settings.margin) / sales
    change = min(max(wanted, 1 - settings.step), 1 + settings.step)
    startup.sales.price_level = min(max(startup.sales.price_level * change, 0.05), 10.0)
