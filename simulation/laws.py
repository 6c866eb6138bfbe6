"""Which law binds whom: laws of the world, of sectors and of jurisdictions, combined by the stricter.

Duties of what is sold follow the customers: they bind whoever sells to a jurisdiction (GDPR, article 3; AI act,
article 2). Tax, support and access to compute follow the home of the firm. The laws of several markets are combined
parameter by parameter (`simulation.stricter`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from pydantic.fields import FieldInfo

from simulation.parameters import Settings, declared
from simulation.settings import SectorSettings, WorldSettings
from simulation.settings.law import CertificationSettings, LawSettings
from simulation.stricter import side_by_side

S = TypeVar("S", bound=Settings)
ELSEWHERE = ""
"""Where customers live, and firms have their home, that are in no jurisdiction: only the world's law holds."""


def laid_over(law: S, further: Settings) -> S:
    """A law with a more special one beside it, which may say a part only."""
    silent = isinstance(law, CertificationSettings) and law.scope == "none"  # how it would examine binds nobody
    changes = {}
    for name, field in type(law).model_fields.items():
        said, held = getattr(further, name), getattr(law, name)
        if isinstance(held, Settings):
            changes[name] = laid_over(held, said) if said is not None else held
        elif said is not None:
            changes[name] = said if silent else side_by_side(field, held, said)
    return law.model_copy(update={name: value for name, value in changes.items() if value is not getattr(law, name)})


def _binds_at_home(field: FieldInfo) -> bool:
    return (declared(field, "binds") or getattr(field.annotation, "BINDS", "sale")) != "sale"


HOME = tuple(name for name, field in LawSettings.model_fields.items() if _binds_at_home(field))
"""Parameters and groups of law that bind firms at home, not what they sell."""


class Laws:
    """The laws of one state of the world, by sectors, home and markets served; each is worked out once."""

    def __init__(self, world: WorldSettings) -> None:
        self.world, self.jurisdictions = world, world.jurisdictions
        alike = not world.jurisdictions and not any(one.law.says_something() for one in world.sectors.values())
        self.single: LawSettings | None = world.law if alike else None
        self._known: dict[tuple[object, ...], LawSettings] = {}

    def binding(self, sectors: Sequence[str], home: str, served: Sequence[str]) -> LawSettings:
        """The law for a firm: duties of all markets it serves in its `sectors`, the stricter; the rest of its home.

        The first of `sectors` is the firm's own.
        """
        if self.single is not None:
            return self.single
        key = (*sectors, "|", home, "|", *served)
        if key not in self._known:
            sale = self._stacked(sectors, served)
            own = self.at_home(sectors[0], home)
            self._known[key] = sale.model_copy(update={name: getattr(own, name) for name in HOME})
        return self._known[key]

    def on_sale(self, sector: str, jurisdiction: str = ELSEWHERE) -> LawSettings:
        """What the law of one jurisdiction asks of what is sold to its customers."""
        return self.single or self._cached(("sale", sector, jurisdiction), (sector,), (jurisdiction,))

    def at_home(self, sector: str, home: str = ELSEWHERE) -> LawSettings:
        """Tax, support and access to compute of firms of a sector with their home there."""
        return self.on_sale(sector, home)

    def of_state(self, jurisdiction: str = ELSEWHERE) -> LawSettings:
        """What a jurisdiction's law says of all sectors: budgets and programmes of the whole state."""
        return self.single or self._cached(("state", jurisdiction), (), (jurisdiction,))

    def states(self) -> Iterator[str]:
        """Whose programmes there are: the world's, and those of each jurisdiction."""
        yield ELSEWHERE
        yield from self.jurisdictions

    def sectors(self) -> Mapping[str, SectorSettings]:
        """Settings of the sectors as customers meet them: where suppliers must interoperate, changing costs less."""
        return {name: self._eased(name, sector) for name, sector in self.world.sectors.items()}

    def share_of(self, sector: str, jurisdiction: str) -> float:
        """Part of the sector's customers that lives in a jurisdiction; of `ELSEWHERE`, those in none."""
        if jurisdiction:
            return self.jurisdictions[jurisdiction].share_of(sector)
        return max(1 - sum(one.share_of(sector) for one in self.jurisdictions.values()), 0.0)

    def interoperability(self, sector: str) -> float:
        """Part of the cost of changing the supplier that law takes away, on average over a sector's customers."""
        if self.single is not None:
            return self.single.interoperability
        parts = [(self.share_of(sector, name), self.on_sale(sector, name).interoperability) for name in self.states()]
        return sum(share * part for share, part in parts)

    def _eased(self, name: str, sector: SectorSettings) -> SectorSettings:
        kept = 1 - self.interoperability(name)
        if kept == 1:
            return sector
        segments = {
            segment: settings.model_copy(update={"switching_cost": settings.switching_cost * kept})
            for segment, settings in sector.segments.items()
        }
        return sector.model_copy(update={"segments": segments})

    def _cached(self, key: tuple[object, ...], sectors: Sequence[str], served: Sequence[str]) -> LawSettings:
        if key not in self._known:
            self._known[key] = self._stacked(sectors, served)
        return self._known[key]

    def _stacked(self, sectors: Sequence[str], served: Sequence[str]) -> LawSettings:
        law = self.world.law
        for sector in dict.fromkeys(sectors):
            law = laid_over(law, self.world.sectors[sector].law)
        for name in served:
            if name:
                law = laid_over(law, self.jurisdictions[name].law)
        return law
