"""What a person reads of `ventures bench market`."""

from __future__ import annotations

from typing import Any

from rich.table import Column, Table

from analysis.screens.load import load_in_words, load_text


def market_tables(document: dict[str, Any]) -> list[Any]:
    """The reference case, the peers, growth in firms and in customers, the verdicts."""
    reference, growth, customers = document["reference"], document["growth"], document["customers"]
    every = reference["every_play_at_reference"]
    said: list[Any] = [
        f"reference: {reference['months']} months with {reference['firms']['median']:.0f} firms on average in "
        f"{reference['seconds']['median']:.2f} s, {reference['us_per_firm_month']['median']:.0f} µs a firm and month "
        f"(of each world the best of {reference['plays']} plays; median over {reference['worlds']} worlds)",
        load_in_words(document["machine"]),
        f"every play, scaled to 40 firms: {every['median']:.2f} s ({every['min']:.2f} to {every['max']:.2f})",
        peer_table(document),
        cost_table(growth["rows"], "firms"),
        f"cost of a month grows as firms^{growth['exponent']:.2f}; "
        f"between the two largest as firms^{growth['exponent_at_the_top']:.2f}",
        cost_table(customers["rows"], "customers"),
        f"cost of a firm's month grows as customers^{customers['exponent']:.3f}",
    ]
    for one in document["targets"]:
        verdict = "met" if one["met"] else "NOT MET"
        said.append(f"target {one['what']}: at {one['at']} {one['target']:g}, reached {one['reached']:.3g}: {verdict}")
    return said


def peer_table(document: dict[str, Any]) -> Table:
    """Microseconds per agent and period, ours first."""
    names = ("model", "agents", "µs an agent and period", "min…max", "load")
    table = Table(*(Column(name, no_wrap=True) for name in names), box=None)
    load = load_text(document["machine"]["load_before"])
    own = document["reference"]["us_per_firm_month"]
    rows = [("this market", f"{document['reference']['firms']['median']:.0f}", own, "")]
    rows += [(row["name"], str(row["agents"]), row["us_per_agent_period"], row["why_not"]) for row in document["peers"]]
    for name, agents, cost, why in rows:
        figures = (f"{cost['median']:.3g}", f"{cost['min']:.3g}…{cost['max']:.3g}", load) if cost else (why, "", "")
        table.add_row(name, agents, *figures)
    return table


def cost_table(rows: list[dict[str, Any]], against: str) -> Table:
    """Cost of a month by size."""
    table = Table(against, "ms a month", "µs a firm and month", "min…max", "load", "months", box=None)
    for row in rows:
        size = f"{row['firms']:,.0f}" if against == "firms" else f"× {row['customer_factor']:g}"
        cost = row["us_per_firm_month"]
        table.add_row(
            size,
            f"{1e3 * row['seconds_per_month']['median']:.3g}",
            f"{cost['median']:.3g}",
            f"{cost['min']:.3g}…{cost['max']:.3g}",
            load_text(row["load_before"]),
            str(row["months"]),
        )
    return table
