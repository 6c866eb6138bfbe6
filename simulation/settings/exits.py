"""Parameters of exit: when founders, investors and parents give up, what decline costs, what becomes of idle cash."""

from __future__ import annotations

from simulation.parameters import Settings, parameter


class ExitSettings(Settings):
    """What makes firms shrink, close and pay out. All of it is off by default."""

    give_up_months: float = parameter(
        0.0,
        "months in which founders expect less of their share than of another career before they give up; 0: never",
        "months",
        low=0,
        high=240,
    )
    value_sigma_year: float = parameter(
        0.89,
        "spread of what a startup may be worth a year later (log scale): founders' stock is an option on it",
        "1/√year",
        low=0,
        high=2,
        source="Cochrane 2005: 0.89 (recalled)",
    )
    least_growth_year: float = parameter(
        0.2,
        "growth of recurring revenue below which a firm does not grow, in the eyes of those who pay for it",
        "1/year",
        low=-1,
        high=10,
    )
    stop_feeding: bool = parameter(
        False, "whether funds refuse further money to a startup of theirs that neither grows nor earns", kind="lever"
    )
    living_dead_months: float = parameter(
        0.0,
        "months after its last round from which funds that hold as much as the founders end a startup that neither "
        "grows nor earns; 0: never",
        "months",
        low=0,
        high=240,
        source="assumption; living dead: Ruhnka, Feldman & Dean 1992",
    )
    severance_months: float = parameter(0.0, "wages paid for each person who is let go", "months", low=0, high=24)
    notice_months: float = parameter(
        0.0, "mean time for which people who are let go are paid on, without work", "months", low=0, high=24
    )
    quits_year: float = parameter(
        0.16,
        "share of staff who leave by themselves, for whom nothing is owed",
        "1/year",
        low=0,
        high=1,
        source="assumption; order of quits in the US information sector, BLS JOLTS",
    )
    lease_months: float = parameter(
        0.0, "time in which space and tools follow a staff that shrinks; 0: at once", "months", low=0, high=240
    )
    reserved_months: float = parameter(
        0.0,
        "time in which compute under contract follows a use that shrinks; 0: at once",
        "months",
        low=0,
        high=120,
    )
    line_loss_months: float = parameter(
        0.0,
        "months over which an incumbent's line must have lost more than its strategy is worth, on average, without "
        "growing, before the parent closes or sells it; 0: never",
        "months",
        low=0,
        high=240,
    )
    strategic_share: float = parameter(
        0.5,
        "part of what the parent first paid that the line is worth to its strategy whatever it earns",
        "share",
        low=0,
        high=2,
    )
    budget_response: float = parameter(
        0.0,
        "how far a parent moves what it pays in a yearly review, per unit of growth above `least_growth_year`",
        "ratio",
        low=0,
        high=5,
    )
    auction: bool = parameter(
        False, "whether all incumbents that want a healthy startup bid for it, not only the one that asked first"
    )
    cash_target_months: float = parameter(
        0.0,
        "months of costs that a mature startup keeps in cash; what it earned beyond is paid out, what it was given is "
        "invested; 0: it keeps all",
        "months",
        low=0,
        high=240,
        source="assumption; precautionary cash: Opler et al. 1999; who pays out: DeAngelo, DeAngelo & Stulz 2006",
    )
