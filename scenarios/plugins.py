"""What a scenario says of plug-ins and of the actors that they declare: checked, and every default filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, create_model

from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Path, Problem, ScenarioError, did_you_mean, listed, missing_key, show
from scenarios.strict_yaml.validation import validate_as
from simulation.plugins.loading import LOADED
from simulation.plugins.plugin import AgentType, Plugin, PluginSettings

SOURCE = "source_sha256"
"""Key of the hash of a plug-in's source, which the complete scenario holds: it is part of the fingerprint."""
Said = dict[str, dict[str, Any]]


def complete_plugins(said: Said) -> Said:
    """Settings of the plug-ins that a scenario names, checked, with defaults and the hash of each one's source.

    Raises `ScenarioError` for a plug-in that is not loaded, one that has changed, and a wrong setting.
    """
    for name, settings in said.items():
        _check_loaded(name, settings)
    own = {name: {key: value for key, value in one.items() if key != SOURCE} for name, one in said.items()}
    checked = _checked("plugins", own, {name: LOADED[name].settings for name in said})
    return {name: {**one, SOURCE: LOADED[name].source.sha256} for name, one in checked.items()}


def complete_actors(said: Said) -> Said:
    """Settings of further actors, checked, with defaults. Raises `ScenarioError` for an unknown type or setting."""
    types = agent_types()
    for name, settings in said.items():
        at: Path = ("actors", name, "type")
        if "type" not in settings:
            raise ScenarioError(
                missing_key(at, f"one of {listed(types)}" if types else "a type that a plug-in declares")
            )
        if (kind := settings["type"]) not in types:
            hint = did_you_mean(str(kind), types)
            allowed = f"types of actors: {listed(types)}" if types else "no plug-in that declares types is loaded"
            raise ScenarioError(Problem(f"actors.{name}.type = {show(kind)}: {hint}{allowed}", at, kind, allowed))
    own = {name: {key: value for key, value in one.items() if key != "type"} for name, one in said.items()}
    checked = _checked("actors", own, {name: types[said[name]["type"]].settings for name in said})
    return {name: {"type": said[name]["type"], **one} for name, one in checked.items()}


def agent_types() -> dict[str, AgentType]:
    """Types of actors that the loaded plug-ins declare."""
    return {name: kind for plugin in LOADED.values() for name, kind in plugin.agents.items()}


def acting(said: Said) -> list[tuple[Plugin[Any], PluginSettings]]:
    """Plug-ins that act in a scenario, in the order in which it names them, with their settings there.

    Raises `ScenarioError` where two of them replace one rule.
    """
    found = [(LOADED[name], _settings(LOADED[name], one)) for name, one in said.items()]
    found = [(plugin, settings) for plugin, settings in found if settings.active]
    _refuse_two_for_one_rule([plugin for plugin, _ in found])
    return found


def with_plugins(document: Document, names: list[str]) -> Document:
    """A scenario's document in which these plug-ins act, with the settings that it gives them."""
    document.data["plugins"] = {name: {} for name in names} | dict(document.data.get("plugins") or {})
    return document


def actor_settings(said: Mapping[str, Any]) -> tuple[AgentType, BaseModel]:
    """The type of an actor, and its settings."""
    kind = agent_types()[said["type"]]
    own = {key: value for key, value in said.items() if key != "type"}
    return kind, validate_as(kind.settings, Document(own, ""))


def _settings(plugin: Plugin[Any], said: Mapping[str, Any]) -> PluginSettings:
    own = {key: value for key, value in said.items() if key != SOURCE}
    settings: PluginSettings = validate_as(plugin.settings, Document(own, ""))
    return settings


def _check_loaded(name: str, settings: Mapping[str, Any]) -> None:
    at: Path = ("plugins", name)
    if name not in LOADED:
        known = f"loaded: {listed(LOADED)}" if LOADED else "no plug-in is loaded"
        says = (
            f"plugins.{name}: {did_you_mean(name, LOADED)}{known}; load it by --plugin FILE.py (plugins=[…] in Python)"
        )
        raise ScenarioError(Problem(says, at, name, known))
    if settings.get(SOURCE, LOADED[name].source.sha256) != LOADED[name].source.sha256:
        says = f"plugins.{name}: its source has changed ({LOADED[name].source.origin}); load the one that was meant"
        raise ScenarioError(Problem(says, (*at, SOURCE), settings[SOURCE]))


def _checked(part: str, said: Said, models: Mapping[str, type[BaseModel]]) -> Said:
    """Validated as one settings class with a field per name, so that errors name the whole path."""
    if not said:
        return {}
    inner: Any = create_model(part, **{name: (model, ...) for name, model in models.items()})  # type: ignore[call-overload]
    outer: Any = create_model("scenario", **{part: (inner, ...)})  # type: ignore[call-overload]
    checked: Said = validate_as(outer, Document({part: said}, "")).model_dump(mode="json")[part]
    return checked


def _refuse_two_for_one_rule(plugins: list[Plugin[Any]]) -> None:
    for name, owners in _owners(plugins):
        if len(owners) > 1:
            says = (
                f"plug-ins {' and '.join(owners)} both replace the rule {name}; set plugins.NAME.active: false for one"
            )
            raise ScenarioError(Problem(says, ("plugins", owners[-1])))


def _owners(plugins: list[Plugin[Any]]) -> Iterator[tuple[str, list[str]]]:
    rules = dict.fromkeys(name for plugin in plugins for name in plugin.rules)
    yield from ((name, [plugin.name for plugin in plugins if name in plugin.rules]) for name in rules)
