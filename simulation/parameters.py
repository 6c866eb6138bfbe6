"""Parameter records: one declaration carries default, meaning, unit, range, kind and source of a number.

Settings classes in `simulation/` and `agents/` declare their fields with `parameter(...)`; validation, the scenario
errors and the table in `docs/parameters.md` are generated from these declarations, so a default stands in one place.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.fields import FieldInfo

Kind = Literal["uncertainty", "lever", "constant"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""Name of a firm, sector, segment or fund."""


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
) -> Any:
    """Declare one parameter.

    `low` and `high` are inclusive bounds in `unit`. `kind` follows EMA's XLRM: an *uncertainty* of the world, a *lever*
    that somebody can pull, a *constant*. `source` is an id of `docs/sources.md`, a reference, or "assumption".
    """
    extra: dict[str, Any] = {"unit": unit, "kind": kind, "source": source}
    return Field(default, description=meaning, ge=low, le=high, json_schema_extra=extra)


def parameter_records(settings: type[Settings]) -> list[dict[str, Any]]:
    """One record per parameter of a settings class: name, meaning, unit, default, low, high, kind, source."""
    return [_record(name, field) for name, field in settings.model_fields.items()]


def _record(name: str, field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    bounds = {type(m).__name__: m for m in field.metadata}
    return {
        "name": name,
        "meaning": field.description or "",
        "unit": extra.get("unit", ""),
        "default": None if field.is_required() else field.get_default(call_default_factory=True),
        "low": getattr(bounds.get("Ge"), "ge", None),
        "high": getattr(bounds.get("Le"), "le", None),
        "kind": extra.get("kind", ""),
        "source": extra.get("source", ""),
    }
