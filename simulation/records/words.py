"""How figures are told in a phrase: `{amount_usd:money}` is 1.30 M$, `{share:percent}` 12 %."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

NO_NUMBER = "–"
MANY_MONTHS = 60.0


def money(usd: float) -> str:
    """USD with three figures: 1.30 M$, 64.2 k$; a dash where there is none."""
    if usd != usd:
        return NO_NUMBER
    for size, unit in ((1e9, "B$"), (1e6, "M$"), (1e3, "k$")):
        if abs(usd) >= size:
            return f"{usd / size:.3g} {unit}"
    return f"{usd:.0f} $"


def figure(value: float) -> str:
    """A figure of any size with three digits: 0.0123, 45.6, 1,200,000."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def months(value: float) -> str:
    """Months of life, as far as they are told apart."""
    return f"{MANY_MONTHS:.0f} months or" if value >= MANY_MONTHS else f"{value:.0f} months"


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {one}" for name, one in value.items())
    return ", ".join(str(one) for one in value)


FORMS = {
    "money": lambda value: money(float(value)),
    "percent": lambda value: f"{value:.0%}",
    "key": lambda value: str(value)[:8],
    "list": _listed,
    "itself": lambda value: str(value) or "itself",
    "figure": lambda value: figure(float(value)),
    "months": lambda value: months(float(value)),
    "amounts": lambda value: ", ".join(f"{name} {usd:,.0f}" for name, usd in value.items()),
}


class Words(Formatter):
    """Fills phrases; `FORMS` names what Python's own format specifications lack."""

    def format_field(self, value: Any, spec: str) -> str:
        """A value in words."""
        return FORMS[spec](value) if spec in FORMS else str(super().format_field(value, spec))

    def names(self, phrase: str) -> set[str]:
        """The fields that a phrase needs."""
        return {name for _, name, _, _ in self.parse(phrase) if name}


WORDS = Words()


def told(phrases: str | Sequence[str], fields: Mapping[str, Any]) -> str:
    """Phrases filled in, one after the other; one is left out where a field that it needs is missing or empty."""
    parts = [phrases] if isinstance(phrases, str) else phrases
    return "".join(WORDS.vformat(one, (), fields) for one in parts if _can_tell(one, fields))


def _can_tell(phrase: str, fields: Mapping[str, Any]) -> bool:
    return all(fields.get(name) not in (None, "", [], {}, ()) or ":itself" in phrase for name in WORDS.names(phrase))
