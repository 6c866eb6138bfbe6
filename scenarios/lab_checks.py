"""Cross-checks of laboratories that make large models: their names and owners, and how far foundations may go."""

from __future__ import annotations

from collections.abc import Iterator

from agents.lab.names import COMMUNITY, product_name
from scenarios.content import Content
from scenarios.strict_yaml.errors import Path, Problem, bad_value, did_you_mean, dotted, listed, show
from simulation.books import Bank
from simulation.settings.foundations import FoundationSettings, ladder_of


def check_labs(s: Content) -> Iterator[Problem]:
    """Everything about laboratories and foundations that does not fit together."""
    foundations = s.world.foundations
    if foundations is None:
        if s.labs:
            says = "labs: need world.foundations, which says what large models cost; {} takes its defaults"
            yield Problem(says, ("labs",), None, "world.foundations: {}")
        return
    yield from _check_last_rung(foundations)
    for name in dict.fromkeys((*s.labs, COMMUNITY)):
        yield from _check_name(s, name)
    for name, lab in s.labs.items():
        path: Path = ("labs", name)
        if lab.owner is not None and (lab.owner not in s.firms or s.firms[lab.owner].kind != "incumbent"):
            owners = [firm for firm, settings in s.firms.items() if settings.kind == "incumbent"]
            allowed = f"one of the firms of kind incumbent: {listed(owners)}"
            yield bad_value((*path, "owner"), lab.owner, allowed, did_you_mean(lab.owner, owners).strip())
        if lab.founded is not None and lab.founded >= s.end:
            yield bad_value((*path, "founded"), str(lab.founded), f"before the run ends, {s.end:%Y-%m}")
        if lab.envelopment_share:
            yield from _check_products(s, name)


def _check_last_rung(settings: FoundationSettings) -> Iterator[Problem]:
    last, ladder = settings.last_rung, ladder_of(settings)
    if last is not None and last not in ladder.rungs:
        allowed = f"a rung of the ladder {ladder.name}, by halves: 0 to {ladder.last:g}"
        yield bad_value(("world", "foundations", "last_rung"), last, allowed)


def _check_name(s: Content, name: str) -> Iterator[Problem]:
    """Books are kept by name: firms, funds, aggregates and suppliers of models share one list."""
    named = {"firms": {*s.firms}, "investors": {*s.investors}, "labs": {*s.labs}}
    if name == COMMUNITY:
        for part in (part for part, names in named.items() if name in names):
            says = f"{part}.{name}: the community of open weights bears that name; choose another"
            yield Problem(says, (part, name), name)
        return
    taken = {"a firm": named["firms"], "an investor": named["investors"], "an aggregate": {*Bank.AGGREGATES}}
    for what in (what for what, names in taken.items() if name in names):
        yield Problem(f"labs.{name}: {what} bears that name; choose another", ("labs", name), name)


def _check_products(s: Content, name: str) -> Iterator[Problem]:
    for sector in s.world.sectors:
        firm = product_name(name, sector)
        if firm in s.firms:
            says = f"{dotted(('firms', firm))}: the product of the laboratory {show(name)} in {sector} has that name"
            yield Problem(f"{says}; choose another", ("firms", firm), firm)
