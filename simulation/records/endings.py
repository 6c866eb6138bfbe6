"""How firms end, each ending once: what tables call it, whether the firm is gone, whether that is a failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

EndingKind = Literal["bankrupt", "gave up", "closed", "acquired", "public", "profitable", "alive"]


@dataclass(frozen=True, slots=True)
class Ending:
    """One way to end. `gone`: it competes no longer; `failed`: it stopped without having been bought."""

    meaning: str
    gone: bool = False
    failed: bool = False


ENDINGS: dict[EndingKind, Ending] = {
    "bankrupt": Ending("it could not pay and found no buyer", gone=True, failed=True),
    "gave up": Ending("its founders or investors wound it up while it could still pay", gone=True, failed=True),
    "closed": Ending("the parent of an incumbent closed a line that lost", gone=True, failed=True),
    "acquired": Ending("somebody bought it", gone=True),
    "public": Ending("listed, and still there"),
    "profitable": Ending("alive, twelve months brought more than they cost"),
    "alive": Ending("alive"),
}
"""Endings as the endings table has them, those of failure first."""
assert (*ENDINGS,) == get_args(EndingKind)

GONE: tuple[EndingKind, ...] = tuple(name for name, ending in ENDINGS.items() if ending.gone)
"""Endings after which a firm is no more; a listed firm goes on."""
FAILED: tuple[EndingKind, ...] = tuple(name for name, ending in ENDINGS.items() if ending.failed)
"""Endings of firms that stopped and were not bought. For a survival curve all of them are deaths (S1 counts whoever
closes, whether or not it could still pay)."""
SURVIVED: tuple[EndingKind, ...] = tuple(name for name, ending in ENDINGS.items() if not ending.gone)
"""Endings of firms that live when the run ends."""


def sold_low(ending: str, exit_value_usd: float, raised_usd: float) -> bool:
    """Whether a firm was bought for less than was raised."""
    return ending == "acquired" and exit_value_usd < raised_usd
