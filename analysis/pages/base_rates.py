"""What docs/base-rates.md says of the shipped world, from `ventures validate-world --json`, and of the kept search."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from analysis.pages.blocks import Document, table, wrapped
from analysis.pages.figures import NONE, percent, short
from analysis.screens.base_rates import STYLES, number
from scenarios import load

NEAR = 0.15
NEARLY_MET = 0.001  # losses below this are told apart
MILLION = 1e6
SPREAD, OPTION = "world.capital.seed_sigma", "world.capital.option_usd"
LATE_FUND, EARLY_FUND = "investors.venture-2014.hurdle", "investors.early-2013.hurdle"


def rates(document: Document, source: str) -> str:
    """The part `base-rates`: every target beside what the world gives, and the count of verdicts."""
    rows = [
        [
            str(one["id"]), str(one["says"]), _range(one), _simulated(one), f"{one['n']:,}", str(one["verdict"]),
        ]
        for one in document["targets"]
    ]  # fmt: skip
    head = f"`ventures validate-world {document['scenario']} -n {len(document['seeds'])}` (file: `{source}`):\n"
    verdicts = Counter(str(one["verdict"]) for one in document["targets"])
    counted = ", ".join(f"{verdicts[name]} {name}" for name in STYLES if verdicts[name])
    titles = ["Target", "What", "Range", "Simulated [95 %]", "n", "Verdict"]
    told = [f"{counted}.", *_beyond(document["targets"]), *_near_an_end(document["targets"])]
    return "\n".join([head, table(titles, rows), wrapped(" ".join(told))])


def _beyond(targets: list[Mapping[str, Any]]) -> list[str]:
    """Of each target whose interval is not inside its range: which end it crosses or lies beyond."""
    told = []
    for one in targets:
        if one["verdict"] == "inside" or one["low"] is None:
            continue
        low, high = _bounds(one)
        over = [end for end, crossed in (("lower", one["low"] < low), ("upper", one["high"] > high)) if crossed]
        if over:
            told.append(f"{one['id']}: the interval crosses the {' and the '.join(over)} end of the range.")
    return told


def _near_an_end(targets: list[Mapping[str, Any]]) -> list[str]:
    """The targets that are inside, but nearer to an end than NEAR of the width of their range."""
    inside = [one for one in targets if one["verdict"] == "inside" and math.isfinite(_width(one))]
    near = [one["id"] for one in inside if _distance(one) <= NEAR * _width(one)]
    if not near:
        return []
    return [f"Inside, but near an end (within {percent(NEAR)} of the range's width): {', '.join(near)}."]


def _bounds(one: Mapping[str, Any]) -> tuple[float, float]:
    low, high = one["target_low"], one["target_high"]
    return -math.inf if low is None else low, math.inf if high is None else high


def _width(one: Mapping[str, Any]) -> float:
    low, high = _bounds(one)
    return high - low


def _distance(one: Mapping[str, Any]) -> float:
    """From the simulated value to the nearer end of its range."""
    low, high = _bounds(one)
    return min(float(one["simulated"]) - low, high - float(one["simulated"]))


def search(document: Document, source: str) -> str:
    """The part `calibration`: what the kept search found."""
    losses, first = document["losses"], document["first"]
    met = [str(index) for index, loss in enumerate(losses) if loss == 0]
    low = sum(loss < NEARLY_MET for loss in losses)
    seconds = f"{document['seconds_per_trial']:.0f} s each (median; `{source}`)"
    return wrapped(
        f"{document['trials']} trials of {document['seeds']} seeds, {seconds}. Trial 0 is the world as earlier "
        f'searches and trials by hand had left it (column "before"): loss {first["loss"]:.4f}. {low} trials came below '
        f"{NEARLY_MET:g}, {len(met)} of them ({', '.join(met)}) met all {len(document['best']['targets'])} targets: "
        "loss 0."
    )


def shipped(document: Document, source: str) -> str:
    """The part `calibration-shipped`: values before the search, of its best trial, and as they are shipped."""
    base = load(str(document["scenario"]))
    capital, best = base.world.capital, document["best"]
    factor, values = best["values"], best["set"]
    option, late, early = (values[path] for path in (OPTION, LATE_FUND, EARLY_FUND))
    funds = base.investors
    rows = [
        ["`capital.seed_sigma`", short(document["first"]["values"]["seed-spread"]), short(values[SPREAD]),
         short(capital.seed_sigma), "S1; V20: at least 0.9"],
        ["`capital.option_usd`", _millions(option / factor["option-value"]), _millions(option),
         _millions(capital.option_usd), "V16"],
        ["`hurdle` of funds (early ones)", _pair(late / factor["hurdle"], early / factor["hurdle"]), _pair(late, early),
         _pair(*(funds[path.split(".")[1]].hurdle for path in (LATE_FUND, EARLY_FUND))), "V1, V16"],
    ]  # fmt: skip
    return table(["Parameter", "before", f"trial {best['index']}", "shipped", "target"], rows)


def _millions(usd: float) -> str:
    return f"{short(usd / MILLION)} M$"


def _pair(late: float, early: float) -> str:
    return f"{late:.2f} ({early:.2f})"


def _range(one: Mapping[str, Any]) -> str:
    low, high, unit = one["target_low"], one["target_high"], one["unit"]
    if low is None or high is None:
        return f"≥ {number(low, unit)}" if low is not None else f"≤ {number(high, unit)}"
    return f"{number(low, unit)} – {number(high, unit)}"


def _simulated(one: Mapping[str, Any]) -> str:
    if one["simulated"] is None:
        return NONE
    value = number(one["simulated"], one["unit"])
    if one["low"] is None:
        return value
    return f"{value} [{number(one['low'], one['unit'])}, {number(one['high'], one['unit'])}]"
