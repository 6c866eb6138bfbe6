"""Parameter records: one declaration carries default, meaning, unit, range, kind and source of a number.

Settings classes in `simulation/` and `agents/` declare their fields with `parameter(...)`; validation, the scenario
errors and the table in `docs/parameters.md` are generated from these declarations, so a default stands in one place.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.fields import FieldInfo

Kind = Literal["uncertainty", "lever", "constant"]
Stricter = Literal["higher", "lower"]
Binds = Literal["sale", "home", "state"]
"""What a parameter of law binds: what is sold to customers of a jurisdiction, firms whose home it is, the state."""
FirmKind = Literal["startup", "incumbent"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""Name of a firm, sector, segment or fund."""


def _first_of_month(day: date) -> date:
    if day.day != 1:
        raise ValueError("must be a month")
    return day


Month = Annotated[date, AfterValidator(_first_of_month)]
"""First day of a month: the model's step, so that no date of a scenario is finer."""


class Settings(BaseModel):
    """Base of every settings class: immutable, and an unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def parameter(
    default: Any,
    meaning: str,
    unit: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    kind: Kind = "uncertainty",
    source: str = "assumption",
    fixed: bool = False,
    only_for: FirmKind | None = None,
    stricter: Stricter | None = None,
    adds_up: bool = False,
    off: float | None = None,
    binds: Binds | None = None,
) -> Any:
    """Declare one parameter.

    `low` and `high` are inclusive bounds in `unit`. `kind` follows EMA's XLRM: an *uncertainty* of the world, a *lever*
    that somebody can pull, a *constant*. `source` is an id of `docs/sources.md`, a reference, or "assumption". `fixed`:
    it acts at the start only (of the run, or of the firm), so that no dated change may set it. `only_for` is the kind
    of firm that it says something of; for others it stays at its default.

    The rest is for parameters of law (`simulation.laws`). `stricter`: which of two values asks more; `adds_up`: what
    several laws ask at once is their sum; `off`: the value that asks for nothing; `binds`: whom (by default what is
    sold).
    """
    extra: dict[str, Any] = {"unit": unit, "kind": kind, "source": source, "fixed": fixed, "only_for": only_for}
    of_law = {"stricter": stricter, "adds_up": adds_up or None, "off": off, "binds": binds}
    extra |= {key: value for key, value in of_law.items() if value is not None}
    return Field(default, description=meaning, ge=low, le=high, json_schema_extra=extra)


def parameter_records(settings: type[Settings]) -> list[dict[str, Any]]:
    """One record per parameter of a settings class: name and default, and what `parameter` declares."""
    return [_record(name, field) for name, field in settings.model_fields.items()]


def declared(field: FieldInfo, key: str) -> Any:
    """What a field declares beside its type and range (`unit`, `fixed`, …); None where it says nothing of it."""
    return field.json_schema_extra.get(key) if isinstance(field.json_schema_extra, dict) else None


def _record(name: str, field: FieldInfo) -> dict[str, Any]:
    bounds = {type(m).__name__: m for m in field.metadata}
    return {
        "name": name,
        "meaning": field.description or "",
        "unit": declared(field, "unit") or "",
        "default": None if field.is_required() else field.get_default(call_default_factory=True),
        "low": getattr(bounds.get("Ge"), "ge", None),
        "high": getattr(bounds.get("Le"), "le", None),
        "kind": declared(field, "kind") or "",
        "source": declared(field, "source") or "",
        "fixed": bool(declared(field, "fixed")),
        "only_for": declared(field, "only_for"),
        "stricter": declared(field, "stricter"),
        "adds_up": bool(declared(field, "adds_up")),
    }
