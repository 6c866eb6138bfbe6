"""Parameters of founding: what potential founders expect, what else they could do, where they come from."""

from __future__ import annotations

from simulation.parameters import Settings, parameter


class FoundingSettings(Settings):
    """What a potential founder weighs. It acts on streams of entrants with `potential_per_year`, and on founders who
    come from firms.
    """

    firms_scale: float = parameter(
        1.0,
        "real firms that one simulated startup stands for: numbers of potential founders are divided by it",
        "firms",
        low=1,
        high=1e4,
        kind="constant",
    )
    patience_months: float = parameter(
        60.0, "time over which founders compare a startup with a career", "months", low=6, high=240
    )
    outside_share: float = parameter(
        0.5, "part of a researcher's wage that a founder forgoes", "share", low=0, high=2, kind="uncertainty"
    )
    outside_sigma: float = parameter(
        1.0, "spread of what potential founders could earn elsewhere, tastes included (log scale)", "", low=0, high=3
    )
    certainty_share: float = parameter(
        0.15,
        "what a dollar that founders expect is worth to them for sure: one bet, undiversified",
        "ratio",
        low=0,
        high=1,
        source="assumption; order of Hall & Woodward 2010: little is left of 5.8 M$ on average",
    )
    founders_share: float = parameter(
        0.4, "part of a startup that its founders expect to hold when it is sold", "share", low=0.01, high=1
    )
    success_prior: float = parameter(
        0.1, "chance of success that is believed in without any news", "probability", low=0.001, high=1
    )
    prior_events: float = parameter(
        10.0, "number of events in a sector that weigh as much as that belief", "events", low=0.1, high=1e4
    )
    memory_months: float = parameter(
        12.0, "time in which news of rounds, exits and failures fade to 1/e", "months", low=1, high=120
    )
    usual_advantage: float = parameter(
        0.3, "field advantage that a usual plan is thought to give, where no model on sale has more", low=0, high=1
    )
    crowding_exponent: float = parameter(
        1.0,
        "how what is left for one more falls with the number of startups (1: all share alike)",
        low=0,
        high=3,
    )
    hold_weight: float = parameter(
        0.5, "part of the open market that incumbents who serve all who are served keep entrants from", low=0, high=1
    )
    unfunded_share: float = parameter(
        0.1, "part of its value that a startup reaches without venture capital", "share", low=0, high=1
    )
    spinout_rate_year: float = parameter(
        0.0,
        "rate at which people of a firm with a model and `spinout_people` think of a startup of their own; 0: none",
        "1/firm/year",
        low=0,
        high=12,
    )
    spinout_people: float = parameter(10.0, "people from whom a firm may spawn a spin-out", "people", low=0, high=1e6)
    inherited_share: float = parameter(
        0.5,
        "how far skill, handling of data and engineering of a spin-out are those of its parent",
        "share",
        low=0,
        high=1,
    )
    return_share: float = parameter(
        0.0, "share of founders of ended startups who think of another one; 0: none", "share", low=0, high=1
    )
    return_months: float = parameter(12.0, "median time after the end at which they do", "months", low=1, high=120)
    experience_failed: float = parameter(
        0.01,
        "skill that a founder has gained where the last startup failed",
        "0..1",
        low=0,
        high=1,
        source="assumption, in the proportion of Gompers et al. 2010: 18 % of first startups, 20 % of second ones "
        "after a failure, 30 % after a success succeed",
    )
    experience_succeeded: float = parameter(
        0.06,
        "the same where it was sold at a gain",
        "0..1",
        low=0,
        high=1,
        source="assumption, as `experience_failed`",
    )
