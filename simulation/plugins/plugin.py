"""What a user's module declares: rules in place of ours, actors, tasks, kinds of model, statistics and outcomes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, cast

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypeVar

from simulation.parameters import Name, Settings, parameter
from simulation.plugins.rules import RULES

Function = TypeVar("Function", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)


class PluginError(ValueError):
    """A plug-in that cannot be used, told in one line."""


class PluginSettings(Settings):
    """Settings of a plug-in: subclass it and declare parameters with units, ranges and sources (`parameter`)."""

    active: bool = parameter(True, "whether the plug-in acts in this world", kind="constant")


S = TypeVar("S", bound=PluginSettings, default=PluginSettings)


class WithPlugins(Protocol):
    """A world that knows the settings of the plug-ins that act in it."""

    @property
    def plugins(self) -> Mapping[str, PluginSettings]: ...


@dataclass(frozen=True)
class AgentType:
    """A kind of actor. `build` is called as `build(model, name, settings)` once, when the world begins."""

    name: str
    settings: type[Settings]
    build: Callable[..., Any]


@dataclass(frozen=True)
class Source:
    """Where a plug-in comes from. `origin`: an absolute path or the name of a module; `sha256`: of its source."""

    origin: str = ""
    sha256: str = ""


class Plugin(Generic[S]):
    """A module's declaration. Make one at the top of the module: the loader finds it there, whatever it is called.

    Args:
        name: as scenario files call it (`plugins.NAME`): lower-case letters, digits and hyphens.
        about: what it does, in one sentence.
        settings: a subclass of `PluginSettings`; its parameters are keys of scenario files.

    Raises:
        PluginError: the name or the settings class is none.
    """

    def __init__(self, name: str, about: str, settings: type[S] | None = None) -> None:
        try:
            TypeAdapter(Name).validate_python(name)
        except ValidationError:
            raise PluginError(f"a plug-in cannot be named {name!r}: lower-case letters, digits, hyphens") from None
        if settings is not None and not (isinstance(settings, type) and issubclass(settings, PluginSettings)):
            raise PluginError(f"plug-in {name}: settings must be a subclass of PluginSettings, not {settings!r}")
        self.name, self.about = name, about
        self.settings = cast("type[S]", settings or PluginSettings)
        self.source = Source()
        self.rules: dict[str, Callable[..., Any]] = {}
        self.agents: dict[str, AgentType] = {}
        self.tasks: dict[str, Callable[[], Any]] = {}
        self.kinds: dict[str, Callable[[], Any]] = {}
        self.statistics: dict[str, Any] = {}
        self.outcomes: list[Any] = []

    def settings_in(self, world: WithPlugins) -> S:
        """This plug-in's settings in a world in which it acts."""
        return cast("S", world.plugins[self.name])

    def rule(self, name: str) -> Callable[[Function], Function]:
        """Put the decorated function in the place of a rule; it takes the same arguments, the actor first."""

        def declare(function: Function) -> Function:
            self.rules[name] = function
            return function

        return declare

    def check_rules(self) -> None:
        """Raise `PluginError` for a rule that does not exist, or whose function takes other arguments."""
        for name, function in self.rules.items():
            if name not in RULES:
                raise PluginError(f"plug-in {self.name}: no rule {name!r}; rules: {', '.join(sorted(RULES))}")
            wanted, given = RULES[name].parameters, inspect.signature(function)
            try:
                given.bind(*wanted)
            except TypeError:
                says = f"{function.__name__}{given} must take {', '.join(wanted)}"
                raise PluginError(f"plug-in {self.name}: rule {name}: {says}") from None

    def agent(self, name: str, settings: type[Settings]) -> Callable[[Class], Class]:
        """Declare a kind of actor: scenario files name it as `type` below `actors.NAME`, beside its settings."""

        def declare(build: Class) -> Class:
            self.agents[name] = AgentType(name, settings, build)
            return build

        return declare

    def task(self, name: str) -> Callable[[Class], Class]:
        """Declare a training task, a subclass of `simulation.training.tasks.Task`: sectors may name it as `task`."""

        def declare(task: Class) -> Class:
            self.tasks[name] = task
            return task

        return declare

    def model_kind(self, name: str) -> Callable[[Class], Class]:
        """Declare a kind of model, a subclass of `simulation.training.extra_kinds.ModelKind`: firms may train it."""

        def declare(kind: Class) -> Class:
            self.kinds[name] = kind
            return kind

        return declare

    def statistic(self, name: str, statistic: Any) -> None:
        """Declare a statistic (`analysis.base_rates.statistics.Statistic`) that targets may ask for."""
        self.statistics[name] = statistic

    def outcome(self, measure: Any) -> None:
        """Declare an outcome (`analysis.comparison.Measure`), which comparisons then show beside their own."""
        self.outcomes.append(measure)
