"""An agent type: a community that trains a model on donations and gives it away.

    ventures run FILE.yaml --plugin docs/examples/plugins/community.py

where FILE.yaml says, for instance:

    extends: markets/base
    title: An open community in speech
    actors:
      open-speech: {type: community, sector: speech, segments: [consumer], donations_usd_month: 200000}

It is a firm like others: it has staff, buys compute and data, trains, and its users' data improve its model. It asks
nothing for it, so it lives on what sponsors give, and it cannot go bankrupt.
"""

from __future__ import annotations

from agents.firm.firm import Firm
from agents.firm.owner import World
from agents.settings import FirmSettings
from simulation.parameters import Name, Settings, parameter
from simulation.plugins import Plugin


class CommunitySettings(Settings):
    """Keys below `actors.NAME` of an actor of type `community`, beside `type`."""

    sector: Name = parameter(..., "sector it works in", kind="constant")
    segments: list[Name] = parameter(..., "segments that it gives its model to", kind="constant")
    donations_usd_month: float = parameter(
        100_000, "what sponsors give", "USD/month", low=1_000, high=1e9, kind="lever"
    )
    skill: float = parameter(0.6, "skill of those who take part", "0..1", low=0, high=1)
    rows: float = parameter(50_000, "labelled rows at the start", "rows", low=100, high=1e12)


plugin = Plugin("community", "communities train models on donations and give them away")


@plugin.agent("community", CommunitySettings)
class Community(Firm):
    """Budget: the donations. It answers no rival, raises nothing, and ends with the run."""

    kind = "community"

    def __init__(self, model: World, name: str, settings: CommunitySettings) -> None:
        self.donations_usd_month = settings.donations_usd_month
        as_firm = FirmSettings(
            kind="incumbent",  # the settings of a firm that has a sponsor
            sector=settings.sector,
            offers=dict.fromkeys(settings.segments, "bundle"),
            skill=settings.skill,
            rows=settings.rows,
            marketing_share=0.0,
        )
        super().__init__(model, name, as_firm)
        model.bank.pay("savers", name, 6 * self.donations_usd_month, "spending", "paid_in_capital")
        self.set_aside(3 * as_firm.compute_share * self.donations_usd_month)

    def choose_budget(self) -> float:
        """What sponsors give."""
        return self.donations_usd_month

    def find_cash(self, due_usd: float) -> None:
        """Sponsors give their part, and make up what is missing."""
        missing = max(due_usd - self.books.cash_usd - self.donations_usd_month, 0.0)
        self.model.bank.pay(
            "savers", self.name, self.donations_usd_month + missing + 0.1, "spending", "paid_in_capital"
        )

    def respond_to_market(self) -> None:
        """Nothing: what is free has no price to change."""
