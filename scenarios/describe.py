"""The reference of all parameters as Markdown, generated from their records: `python -m scenarios.describe`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from scenarios.reach import DATED
from scenarios.schema import Scenario
from scenarios.strict_yaml.fields import Spot, number, spot
from simulation.parameters import Settings, parameter_records

PARTS = ("world", "firms", "entrants", "investors", "labs", "regulator")
HEADER = """# Parameters

Generated from the settings classes by `python -m scenarios.describe > docs/parameters.md`; do not edit by hand.
How a scenario sets them is told in [scenarios.md](scenarios.md).

*Range* is inclusive. *Kind*: an *uncertainty* of the world, a *lever* that somebody can pull, a *constant*.
*Source*: an id of `sources.md`, a reference, or "assumption". *Dated*: whether an intervention may change it, so that
it acts from that month on (below `world` and `firms`); what is not dated acts at the start only. In a path, words in
capitals stand for names you choose.
"""
PARTIAL = (
    "Any part of what `world.law` can say, in the same groups; what is left out does not bind. How it combines with\n"
    "the laws beside it is said there, under *Meaning*: the stricter counts, and where that is said the sum; of a\n"
    "parameter without a direction the more special law's value holds."
)
COLUMNS = ("Parameter", "Meaning", "Unit", "Default", "Range", "Kind", "Dated", "Source")


def parameter_table() -> str:
    """`docs/parameters.md`: one table per settings class, in the order in which a scenario nests them."""
    sections: dict[type[Settings], list[str]] = {}
    for part in PARTS:
        for path, settings in _classes((part,), spot(Scenario, (part,))):
            sections.setdefault(settings, []).append(path)
    return HEADER + "".join(_section(settings, paths) for settings, paths in sections.items())


def _classes(path: tuple[str, ...], here: Spot | None) -> Iterator[tuple[str, type[Settings]]]:
    """Every settings class at or below a place, with the path to it."""
    if here is None:
        return
    if here.is_mapping:
        closed = here.keys()
        yield from _classes(
            (*path, "STAGE" if closed else _placeholder(path[-1])), here.child(closed[0] if closed else "")
        )
    elif isinstance(here.kind, type) and issubclass(here.kind, Settings):
        yield ".".join(path), here.kind
        for name in () if here.says_a_part else here.kind.model_fields:  # what may stand there stands in its whole
            yield from _classes((*path, name), here.child(name))


def _placeholder(plural: str) -> str:
    return {"entrants": "STREAM", "investors": "FUND"}.get(plural, plural.removesuffix("s").upper())


def _section(settings: type[Settings], paths: list[str]) -> str:
    title = ", ".join(f"`{path}`" for path in paths)
    about = " ".join((settings.__doc__ or "").split())
    if Spot(settings).says_a_part:
        return f"\n## {title}\n\n{PARTIAL}\n"
    dated = any(path.split(".")[0] in DATED for path in paths)
    rows = [_row(record, Spot(settings).child(record["name"]), dated) for record in parameter_records(settings)]
    lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *(_line(row) for row in rows if row)]
    return f"\n## {title}\n\n{about}\n\n" + ("\n".join(lines) + "\n" if len(lines) > 2 else "")


def _row(record: dict[str, Any], here: Spot | None, dated: bool) -> list[str] | None:
    """One parameter; nothing for a part of the world, which has a section of its own."""
    if here is None or (here.is_model and not here.has_special_default):
        return None
    default = "required" if _is_required(here) else _default(record["default"])
    meaning = record["meaning"] or f"a {here.kind.__name__.lower()}, see below"
    meaning += f" ({record['only_for']}s only)" if record["only_for"] else ""
    if record["stricter"]:
        meaning += f" (stricter: {record['stricter']}{'; several laws add up' if record['adds_up'] else ''})"
    by_date = "yes" if dated and not record["fixed"] else "no"
    cells = [meaning, record["unit"], default, _range(record, here), record["kind"], by_date, record["source"]]
    return [f"`{record['name']}`", *map(str, cells)]


def _is_required(here: Spot) -> bool:
    return here.field is not None and here.field.is_required()


def _default(value: Any) -> str:
    if isinstance(value, BaseModel):
        return _default(value.model_dump())
    if isinstance(value, dict):
        if any(isinstance(item, BaseModel) for item in value.values()):
            return "; ".join(f"{k}: {_default(v)}" for k, v in value.items())
        return ", ".join(f"{k} {_default(v)}" for k, v in value.items())
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return json.dumps(value) if value is None or isinstance(value, bool) else str(value)
    return number(value)


def _range(record: dict[str, Any], here: Spot) -> str:
    low, high = record["low"], record["high"]
    if low is None and high is None:
        choices = here.expected()
        return choices.removeprefix("one of ") if choices.startswith("one of ") else ""
    return " … ".join("" if bound is None else number(bound) for bound in (low, high))


def _line(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(parameter_table())
