"""Plug-ins of an experiment: loaded where it begins and in every process that plays it, and noted in its manifest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from scenarios import Scenario
    from simulation.plugins.plugin import Plugin, Source


def load_plugins(wanted: Sequence[str | os.PathLike[str] | Plugin[Any]]) -> tuple[str, ...]:
    """Load plug-ins from files, modules or installed packages; returns their names, each once.

    Raises `AnalysisError` for what cannot be loaded.
    """
    if isinstance(wanted, str | os.PathLike):
        raise AnalysisError(f"plugins must be a list such as [{str(wanted)!r}], not {wanted!r}")
    if not isinstance(wanted, Iterable):
        raise AnalysisError(f"plugins must be a list of files, modules or names, not {wanted!r}")
    if not wanted:
        return ()
    import agents.rules  # noqa: F401  (declares what can be replaced)
    from simulation.plugins.loading import LOADED, load_plugin
    from simulation.plugins.plugin import Plugin

    for number, one in enumerate(wanted):
        if not isinstance(one, str | os.PathLike | Plugin):
            raise AnalysisError(f"plugins[{number}] must be a file, a module or a name, not {one!r}")
    names: dict[str, None] = {}
    for one in wanted:
        try:
            names |= dict.fromkeys([one] if one in LOADED else [plugin.name for plugin in load_plugin(one)])
        except (ValueError, TypeError) as error:
            raise AnalysisError(str(error)) from error
    return tuple(names)


def acting_in(scenario: Scenario, plugins: Sequence[Any]) -> Scenario:
    """The scenario with these loaded plug-ins acting in it, with the settings that it gives them itself."""
    if not plugins:
        return scenario
    from scenarios import Scenario
    from scenarios.plugins import with_plugins

    return Scenario.from_document(with_plugins(scenario.to_document(), [str(one) for one in plugins]), scenario.name)


def sources_of(scenarios: Iterable[Scenario]) -> dict[str, Source]:
    """Where the plug-ins come from that scenarios name, by name."""
    from simulation.plugins.loading import LOADED

    return {name: LOADED[name].source for scenario in scenarios for name in scenario.plugins}


def outcomes_of(resolved: Iterable[dict[str, Any]]) -> list[Any]:
    """Outcomes that the plug-ins declare which complete scenarios name; of those that are loaded here."""
    from simulation.plugins.loading import LOADED

    names = dict.fromkeys(name for one in resolved for name in one.get("plugins", {}))
    return [outcome for name in names if name in LOADED for outcome in LOADED[name].outcomes]
