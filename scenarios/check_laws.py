"""Cross-checks of jurisdictions and laws: shares that add up, homes that exist, what the law of one sector can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scenarios.content import Content
from scenarios.strict_yaml.errors import Path, Problem, dotted, not_one_of, unknown_key
from simulation.parameters import Settings, declared

TOLERANCE = 1e-9  # of sums of shares


def check_laws(s: Content) -> Iterator[Problem]:
    """Problems of jurisdictions, of homes, and of laws that stand inside a sector."""
    yield from _check_shares(s)
    yield from _check_homes(s)
    for name, sector in s.world.sectors.items():
        for path in _of_the_whole_state(sector.law, ("world", "sectors", name, "law")):
            says = f"{dotted(path)}: holds for a whole state; set it in world.law or in the law of a jurisdiction"
            yield Problem(says, path, hint="set it in world.law or in the law of a jurisdiction")
    for name, place in s.world.jurisdictions.items():
        law: Any = place.law  # whose parameters are made from those of `LawSettings`
        for i, sector_name in enumerate(law.support.sectors or ()):
            path = ("world", "jurisdictions", name, "law", "support", "sectors", i)
            if sector_name not in s.world.sectors:
                yield not_one_of(path, sector_name, s.world.sectors, "the sectors in world.sectors")


def _check_shares(s: Content) -> Iterator[Problem]:
    """Shares of customers, in each sector, and of founders are parts of a whole."""
    places = s.world.jurisdictions
    above: Path = ("world", "jurisdictions")
    for name, place in places.items():
        for sector in place.share_in_sector:
            if sector not in s.world.sectors:
                yield unknown_key((*above, name, "share_in_sector", sector), s.world.sectors, "sector")
    sums = {
        f"customers of sector {sector}": sum(p.share_of(sector) for p in places.values()) for sector in s.world.sectors
    }
    sums["founders"] = sum(place.share_of_founders for place in places.values())
    for what, total in sums.items():
        if total > 1 + TOLERANCE:
            yield Problem(f"{dotted(above)}: shares of {what} add up to {total:g}: must be at most 1", above, total)
            return  # in most cases all sectors have the same shares


def _check_homes(s: Content) -> Iterator[Problem]:
    for name, firm in s.firms.items():
        if firm.home is not None and firm.home not in s.world.jurisdictions:
            path: Path = ("firms", name, "home")
            yield not_one_of(path, firm.home, s.world.jurisdictions, "the jurisdictions in world.jurisdictions")


def _of_the_whole_state(law: Settings, path: Path) -> Iterator[Path]:
    """Parameters of a law that are said and that hold for all sectors of a state at once."""
    for name, field in type(law).model_fields.items():
        said = getattr(law, name)
        if isinstance(said, Settings):
            yield from _of_the_whole_state(said, (*path, name))
        elif said is not None and declared(field, "binds") == "state":
            yield (*path, name)
