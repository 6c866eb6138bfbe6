"""Whether the rules that are loaded are those of their source files.

A run folder names the hash of the files, and worker processes load the files anew: a rule that was replaced at run time
(`Startup.pivot_if_stuck = mine`) would be unseen in the first and lost in the second. What can be noticed is refused.
docs/outputs.md says what cannot.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from analysis.engine.source_file import COMPUTED, PLAIN, Imported, Names, Value, read
from analysis.errors import AnalysisError

# What makes a world, and what plays it and writes its tables. Statistics and plots do not.
PACKAGES = ("simulation.", "agents.", "scenarios.", "analysis.play.", "analysis.runs.")
_PROJECT = {"simulation", "agents", "scenarios", "analysis"}
_LIBRARIES = {*sys.stdlib_module_names, "mesa", "numpy", "pandas", "pydantic", "scipy", "simpy", "torch", "yaml"}
_KNOWN = _PROJECT | _LIBRARIES
_MISSING = object()


def refuse_replaced_rules() -> None:
    """Raise `AnalysisError` where something that makes a world is not what its source file says."""
    if found := first_replaced():
        module, name = found
        raise AnalysisError(
            f"{name} in module {module} is not what its source file says: it was replaced at run time, or the file "
            "changed after it was loaded; run folders and worker processes go by the files, so change the file, or "
            "start Python anew"
        )


def first_replaced() -> tuple[str, str] | None:
    """(module, dotted name) of something that is loaded otherwise than its source file says; None where nothing is."""
    return next(((module.__name__, name) for module in loaded_modules() for name in replaced_in(module)), None)


def loaded_modules() -> list[ModuleType]:
    """The modules that make, play and write worlds, by name."""
    names = [name for name in sorted(sys.modules) if _makes_worlds(name)]
    return [module for name in names if isinstance(module := sys.modules[name], ModuleType)]


def replaced_in(module: ModuleType) -> Iterator[str]:
    """Dotted names in a module that do not stand for what its source file says; none where there is no such file."""
    path = Path(getattr(module, "__file__", None) or "")
    try:
        bodies = read(module.__name__, str(path), path.stat().st_mtime_ns)
    except OSError:
        return
    if bodies:
        yield from _replaced(module.__name__, vars(module), bodies)


def _makes_worlds(module: str) -> bool:
    return f"{module}.".startswith(PACKAGES)


def _replaced(module: str, held: Mapping[str, Any], bodies: dict[str, Names], inside: str = "") -> Iterator[str]:
    """Dotted names of a module, or of a class in it, that do not stand for what the file says."""
    names = bodies[inside]
    for name in (*held, *(name for name in names if name not in held)):
        path, value = f"{inside}.{name}" if inside else name, held.get(name, _MISSING)
        if path not in bodies:
            if not _is_as_written(value, names.get(name), in_class=bool(inside)):
                yield path
        elif isinstance(value, type) and (value.__module__, value.__qualname__) == (module, path):
            yield from _replaced(module, vars(value), bodies, path)
        else:
            yield path


def _is_as_written(value: Any, wanted: list[Value] | None, in_class: bool) -> bool:
    layers = list(_layers(value))
    if wanted is None:
        return all(_is_generated(layer) for layer in layers)
    return all(_is_known(layer) for layer in layers) and _is_one_of(value, layers, wanted, in_class)


def _is_one_of(value: Any, layers: list[FunctionType], wanted: list[Value], in_class: bool) -> bool:
    codes = [one for one in wanted if isinstance(one, CodeType)]
    if codes:
        return not isinstance(value, partial) and any(layer.__code__ in codes for layer in layers)
    imports = [one for one in wanted if isinstance(one, Imported)]
    if imports:  # none is there of what is imported for type checkers alone
        return value is _MISSING or any(_is_imported(value, one) for one in imports)
    if COMPUTED in wanted or value is _MISSING:
        return True
    return value in wanted or (in_class and not isinstance(value, PLAIN))  # members of an enumeration, fields, …


def _is_imported(value: Any, origin: Imported) -> bool:
    """Whether that is the value of the name there. Of a library it may be an earlier one: tests replace clocks."""
    there = getattr(sys.modules.get(origin.module), origin.name, _MISSING)
    if value is there or there is _MISSING:
        return True
    return not _makes_worlds(origin.module) and _root(getattr(value, "__module__", None)) == _root(origin.module)


def _layers(value: Any) -> Iterator[FunctionType]:
    """The Python functions that a name stands for: a function, what it wraps, the parts of a property or method."""
    match value:
        case FunctionType():
            yield value
            yield from _layers(vars(value).get("__wrapped__"))
        case property():
            for part in (value.fget, value.fset, value.fdel):
                yield from _layers(part)
        case staticmethod() | classmethod() | MethodType():
            yield from _layers(value.__func__)
        case cached_property() | partial():
            yield from _layers(value.func)
        case _ if type(value).__name__ == "_lru_cache_wrapper":
            yield from _layers(value.__wrapped__)


def _is_known(function: FunctionType) -> bool:
    """Whether a function stands in this project or in a library that makes functions for it."""
    name = str(function.__globals__.get("__name__"))
    return _root(name) in _KNOWN or name.startswith("namedtuple_")


def _is_generated(function: FunctionType) -> bool:
    """Whether no file of the project says the function: libraries make methods of data classes and the like."""
    in_project = _root(function.__globals__.get("__name__")) in _PROJECT
    return _is_known(function) and (not in_project or function.__code__.co_filename.startswith("<"))


def _root(module: Any) -> str:
    return str(module).split(".")[0]
