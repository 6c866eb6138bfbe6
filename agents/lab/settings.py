"""What a scenario may say of a laboratory that makes large models."""

from __future__ import annotations

from pydantic import model_validator

from simulation.model_market import Access
from simulation.parameters import Month, Settings, parameter
from simulation.settings import Name


class LabSettings(Settings):
    """A laboratory that pretrains large models: a startup of its own, or a unit of an incumbent. Its money, staff and
    costs count as far as `world.foundations.scale` says.
    """

    owner: Name | None = parameter(None, "incumbent of which it is a unit; empty: none", kind="constant", fixed=True)
    founded: Month | None = parameter(
        None, "month in which it begins; empty: with the world", kind="constant", fixed=True
    )
    capital_usd: float = parameter(2e8, "money at its beginning", "USD", low=0, high=1e12)
    budget_usd_month: float = parameter(
        0.0, "what its owner pays; only with an owner", "USD/month", low=0, high=1e11, kind="lever"
    )
    staff: float = parameter(30, "people beside those whom a run pays", "people", low=0, high=100_000, kind="lever")
    skill: float = parameter(0.8, "skill with which it chooses its learning rate", "0..1", low=0, high=1)
    text_quality: float = parameter(
        0.98, "share of tokens of its text that stand as they were written", "share", low=0.5, high=1
    )
    access: Access = parameter("api", "how it gives access as long as nothing moves it to open", kind="lever")
    ahead_rungs: float = parameter(
        0.0, "rungs by which it goes beyond the largest of the year, by halves", "rungs", low=0, high=2
    )
    release_months: float = parameter(
        12, "least time between the beginnings of two runs", "months", low=1, high=120, kind="lever"
    )
    run_months: float = parameter(4, "time that a run takes", "months", low=0.5, high=36)
    stake: float = parameter(
        0.6, "most of its money that it puts into one run", "share", low=0.01, high=1, kind="lever"
    )
    kept: int = parameter(2, "generations that it keeps on offer", "models", low=1, high=20, kind="lever")
    markup: float = parameter(
        2.0, "price over cost that it asks where nobody leaves it", "ratio", low=0, high=100, kind="lever"
    )
    least_markup: float = parameter(
        0.0, "price over cost below which it does not go; below 0 it sells at a loss", "ratio", low=-1, high=100,
        kind="lever",
    )  # fmt: skip
    undercut: float = parameter(
        0.05, "how far it goes below the cheapest rival while users leave it", "share", low=0, high=0.9, kind="lever"
    )
    price_step: float = parameter(
        0.25, "most by which a price moves in a month: 26 % a month are 40 times a year (L1)", "share", low=0.001,
        high=0.9,
    )  # fmt: skip
    licensees: float = parameter(
        20, "firms over which the fee of a licence spreads the cost of a run", "firms", low=1, high=1e6
    )
    opens_behind_rungs: float | None = parameter(
        None, "opens a model that is so many rungs behind the largest of others; empty: never", "rungs", low=0, high=12,
        kind="lever",
    )  # fmt: skip
    commoditise_share: float | None = parameter(
        None,
        "opens what it has when others take so much of what is paid for models; empty: never; only with an owner",
        "share",
        low=0,
        high=1,
        kind="lever",
    )
    investor_belief: float = parameter(
        1.0, "value that investors see in it, against what others see; 0: it never raises", "ratio", low=0, high=100
    )
    envelopment_share: float = parameter(
        0.0,
        "share of what its customers earn in a sector that it expects from a product of its own; 0: it never enters",
        "share",
        low=0,
        high=1,
        kind="lever",
    )
    product_capital_usd: float = parameter(
        2e7, "what it puts into a product of its own", "USD", low=1e4, high=1e11, kind="lever"
    )

    @model_validator(mode="after")
    def _says_nothing_of_another_kind(self) -> LabSettings:
        for name in ("budget_usd_month", "commoditise_share"):
            if self.owner is None and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} is for a laboratory with an owner; this one has none")
        if self.owner is not None and self.investor_belief != 1.0:
            raise ValueError("investor_belief is for a laboratory without an owner, which pays for this one")
        return self
