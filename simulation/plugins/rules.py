"""Behavioural rules by name. A world calls each through this registry, so that a replaced rule is the one that runs.

A rule is a method or function whose first argument is the actor that decides. `@rule("startup.budget", "…")` declares
it; a plug-in that names it takes its place in every world whose scenario says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class WithRules(Protocol):
    """A world that says which rules are replaced in it."""

    @property
    def rules(self) -> Mapping[str, Callable[..., Any]]: ...


class Decides(Protocol):
    """An actor that decides by rules."""

    @property
    def model(self) -> WithRules: ...


A = TypeVar("A", bound=Decides)


@dataclass(frozen=True)
class Rule:
    """A rule that a plug-in may replace. `returns`: what it decides, with the unit; `usual`: the shipped function."""

    name: str
    returns: str
    usual: Callable[..., Any]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its arguments, the actor first."""
        return tuple(inspect.signature(self.usual).parameters)


RULES: dict[str, Rule] = {}
"""The rules that can be replaced, by name; `agents.rules` imports all that declare some."""


def rule(name: str, returns: str) -> Callable[[Callable[Concatenate[A, P], R]], Callable[Concatenate[A, P], R]]:
    """Declare a rule: calls go to the function that the actor's world has in its place, if it has one."""

    def declare(function: Callable[Concatenate[A, P], R]) -> Callable[Concatenate[A, P], R]:
        RULES[name] = Rule(name, returns, function)

        @wraps(function)
        def decide(actor: A, *args: P.args, **kwargs: P.kwargs) -> R:
            other = actor.model.rules.get(name)
            if other is None:
                return function(actor, *args, **kwargs)
            decided: R = other(actor, *args, **kwargs)
            return decided

        return decide

    return declare


def usual(name: str) -> Callable[..., Any]:
    """The shipped function of a rule, for a plug-in that builds on it. Raises `KeyError` for an unknown name."""
    return RULES[name].usual
