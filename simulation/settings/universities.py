"""Parameters of links between industry and universities (OP-ECOSYSTEM): who takes part, what it gives, what it costs.

Modelled on the British Knowledge Transfer Partnerships: a graduate works in the firm on a joint project, a university
team helps, the state and the firm share the cost.
"""

from __future__ import annotations

from typing import ClassVar

from simulation.parameters import Binds, Settings, parameter

KTP = "Knowledge Transfer Partnerships: 75,000 £ a year on average, 67 % of it from the state for small firms (2nd)"


class UniversitySettings(Settings):
    """Links between startups and universities in force. Off by default: nobody takes part."""

    BINDS: ClassVar[Binds] = "home"

    participation_share: float = parameter(
        0.0,
        "share of the covered startups that take part; 0: there is no programme",
        "share",
        low=0,
        high=1,
        kind="lever",
    )
    project_usd_year: float = parameter(
        97_500,
        "cost of one joint project",
        "USD/year",
        low=0,
        high=1e8,
        kind="lever",
        source=f"{KTP}, at 1.3 $/£ (assumption)",
    )
    state_share: float = parameter(
        0.67, "part of it that the state pays; the firm pays the rest", "share", low=0, high=1, kind="lever", source=KTP
    )
    staff_time_share: float = parameter(
        0.1, "part of its researchers' time that the joint project takes", "share", low=0, high=0.9, kind="lever"
    )
    associates: float = parameter(
        1.0,
        "graduates who work on the project in the firm's research, paid out of the project",
        "people",
        low=0,
        high=100,
        kind="lever",
        source="Knowledge Transfer Partnerships: one associate or more (2nd)",
    )
    graduates_year: float = parameter(
        1.0,
        "graduates a year who join the firm's research beyond its usual pace of hiring, as far as it can pay them",
        "people/year",
        low=0,
        high=100,
        kind="lever",
    )
    graduate_usd: float = parameter(
        0.0, "what the state pays for the training of one who joins", "USD/person", low=0, high=1e7, kind="lever"
    )
    shared_rows: float = parameter(
        0.0, "rows of a shared data set that a firm gets when it begins", "rows", low=0, high=1e9, kind="lever"
    )
    shared_field_share: float = parameter(
        0.2, "share of these rows that comes from real use", "share", low=0, high=1, kind="lever"
    )
    skill_bound: float = parameter(
        0.6, "skill up to which a firm learns from the university's team", "0..1", low=0, high=1
    )
    skill_speed_year: float = parameter(
        0.3, "part of the gap to that bound that joint work closes in a year", "1/year", low=0, high=12
    )
