"""Playing some sectors of a world: the others are left out, and what all sectors share is scaled to those kept.

    share = entrants a year into the sectors kept / entrants a year into all sectors

A fund's size, the GPU cloud and the part of laboratories that is in the world (`world.foundations.scale`) are
multiplied by the share, so that a startup meets the same scarcity as in the whole world. The most that a fund puts into
one company stays what it was in dollars (`ticket_share` / share, at most 1). A laboratory goes with its owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import fsum
from typing import Any

from scenarios.content import Content
from scenarios.statements import PARTS
from scenarios.strict_yaml.document import Document, Origin
from scenarios.strict_yaml.errors import Path, Problem, ScenarioError, dotted, listed, show

BY = "with these sectors alone: "


def is_selection(scenario: Content) -> bool:
    """Whether the scenario still holds sectors that it does not play."""
    return scenario.sectors is not None and scenario.world.sectors.keys() - set(scenario.sectors) != set()


def selected(whole: Content, document: Document) -> Document:
    """The document of `whole`, a valid scenario read from `document`, without the sectors that it does not play.

    Raises `ScenarioError` where the focal firm, an expectation or a cause speaks of something that is left out.
    """
    gone = whole.world.sectors.keys() - set(whole.sectors or ())
    firms = {name for name, firm in whole.firms.items() if firm.sector in gone}
    if problems := [*_focal(whole, firms), *_expectations(whole, firms), *_causes(whole, gone, firms)]:
        raise ScenarioError([_placed(problem, document) for problem in problems])
    data = whole.model_dump(mode="json")
    share = demand_share(whole, document)
    data["world"]["sectors"] = {name: value for name, value in data["world"]["sectors"].items() if name not in gone}
    for place in data["world"]["jurisdictions"].values():
        place["share_in_sector"] = {name: part for name, part in place["share_in_sector"].items() if name not in gone}
    for part in ("firms", "entrants"):
        data[part] = {name: value for name, value in data[part].items() if value["sector"] not in gone}
    data["labs"] = {name: value for name, value in data["labs"].items() if value["owner"] not in firms}
    for firm in data["firms"].values():
        firm["adapts_to"] = {name: offers for name, offers in firm["adapts_to"].items() if name not in gone}
        if firm["direction"] == "general" and not firm["adapts_to"]:
            firm["direction"] = "vertical"
    for fund in data["investors"].values():
        fund["thesis"] = {name: factor for name, factor in fund["thesis"].items() if name not in gone}
    _keep_breakthroughs(data["world"]["technology"], gone)
    kept = _keep_interventions(data, gone, firms, share)
    origins = _moved(document.origins, kept) | dict.fromkeys(_scale(data, share), Origin(BY, ("sectors",)))
    return replace(document, data=data, places=_moved(document.places, kept), origins=origins)


def _scale(data: dict[str, Any], share: float) -> list[Path]:
    """Scale the GPU cloud and the funds; returns the paths that hold another value than the file says."""
    data["world"]["compute"]["gpus"] *= share
    for fund in data["investors"].values():
        fund["size_usd"] *= share
        fund["ticket_share"] = min(fund["ticket_share"] / share, 1.0)
    paths: list[Path] = [("world", "compute", "gpus"), *(("investors", name, "size_usd") for name in data["investors"])]
    if data["world"]["foundations"] is not None:
        data["world"]["foundations"]["scale"] *= share
        paths.append(("world", "foundations", "scale"))
    return paths


def demand_share(whole: Content, document: Document) -> float:
    """Share of the sectors kept in the entrants of a year; where nobody enters at all, in the number of sectors.

    Raises `ScenarioError` where entrants come, but none into the sectors kept.
    """
    kept = set(whole.sectors or ())
    scale = whole.world.founding.firms_scale
    rates = [(stream.sector in kept, stream.candidates_year(scale)) for stream in whole.entrants.values()]
    everywhere = fsum(rate for _, rate in rates)
    if everywhere == 0:
        return len(kept) / len(whole.world.sectors)
    share = fsum(rate for is_kept, rate in rates if is_kept) / everywhere
    if share == 0:
        says = f"sectors = {show(whole.sectors)}: no entrants come there, so nothing says what share of funds and GPUs"
        hint = "add a stream of entrants there, or a sector that has one"
        problem = Problem(f"{says} these sectors need; {hint}", ("sectors",), whole.sectors, hint=hint)
        raise ScenarioError(_placed(problem, document))
    return share


def _focal(s: Content, firms: set[str]) -> Iterator[Problem]:
    if s.focal in firms:
        yield _left_out(s, ("focal",), str(s.focal), s.firms[str(s.focal)].sector)


def _expectations(s: Content, firms: set[str]) -> Iterator[Problem]:
    for i, expectation in enumerate(s.expect):
        if expectation.firm in firms:
            yield _left_out(s, ("expect", i, "firm"), str(expectation.firm), s.firms[str(expectation.firm)].sector)


def _causes(s: Content, gone: set[str], firms: set[str]) -> Iterator[Problem]:
    """A cause that could not act would look like one that does not matter, so it is refused."""
    for name, cause in s.causes.items():
        for key in cause.set:
            if (thing := _names_gone(key, gone, firms)) is not None:
                sector = s.firms[thing].sector if key.startswith("firms.") else thing
                yield _left_out(s, ("causes", name, "set", key), thing, sector)


def _left_out(s: Content, path: Path, thing: str, sector: str) -> Problem:
    hint = f"add {sector} to sectors: [{listed(s.sectors or ())}]"
    what = "" if thing == sector else f" of {thing}"
    says = f"{dotted(path)} = {show(thing)}: the sector {show(sector)}{what} is left out; {hint}"
    if path[0] == "causes":
        says = f"cause {show(str(path[1]))} sets {show(str(path[-1]))}: sector {show(sector)} is left out; {hint}"
    return Problem(says, path, thing, hint=hint)


def _names_gone(key: str, gone: set[str], firms: set[str]) -> str | None:
    """The sector or firm left out that a dotted path leads to."""
    parts = key.split(".")
    if parts[0] == "firms" and len(parts) > 1 and parts[1] in firms:
        return parts[1]
    return parts[2] if parts[:2] == ["world", "sectors"] and len(parts) > 2 and parts[2] in gone else None


def _keep_breakthroughs(technology: dict[str, Any], gone: set[str]) -> None:
    """Leave out what breakthroughs say of sectors left out, and those that reach no other or come from such a one."""
    kept = {}
    for name, one in technology["breakthroughs"].items():
        sectors = [sector for sector in one["sectors"] if sector not in gone]
        if one["source"] not in gone and (sectors or not one["sectors"]):
            kept[name] = {**one, "sectors": sectors}
    technology["breakthroughs"] = kept


def _keep_interventions(data: dict[str, Any], gone: set[str], firms: set[str], share: float) -> dict[int, int]:
    """Leave out what interventions say of things left out; old index → new index of those that still say something."""
    before = data["interventions"]
    for intervention in before:
        for part in PARTS:
            said = intervention[part]
            paths = {key: value for key, value in said.items() if _names_gone(key, gone, firms) is None}
            if isinstance(gpus := paths.get("world.compute.gpus"), int | float):
                paths["world.compute.gpus"] = gpus * share
            intervention[part] = paths
    kept = [i for i, intervention in enumerate(before) if any(intervention[part] for part in PARTS)]
    data["interventions"] = [before[i] for i in kept]
    return {old: new for new, old in enumerate(kept)}


def _moved(by_path: Mapping[Path, Any], kept: Mapping[int, int]) -> dict[Path, Any]:
    """What is known by path, with the interventions under their new index."""
    moved: dict[Path, Any] = {}
    for path, value in by_path.items():
        if len(path) < 2 or path[0] != "interventions":
            moved[path] = value
        elif path[1] in kept:
            moved[("interventions", kept[int(path[1])], *path[2:])] = value
    return moved


def _placed(problem: Problem, document: Document) -> Problem:
    origin = document.origin(problem.path)
    place = (origin and origin.place) or document.place(problem.path)
    return Problem(**{**vars(problem), "place": place, "by": origin.by if origin else ""})
