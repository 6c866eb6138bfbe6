"""Whether the rules that are loaded are those of their source files.

Worker processes load the files anew, and a run folder names the hash of the files: a rule that was replaced at run time
(`Startup.pivot_if_stuck = mine`) would be lost in the first and unseen in the second. What can be noticed is refused
there. What cannot is told in docs/outputs.md: values that are computed when a module is loaded, default arguments, what
hangs on single objects, and changes of libraries.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from analysis.errors import AnalysisError
from analysis.play.source_bodies import Body, body_of_file, sets_global

WORLD_PACKAGES = ("simulation", "agents", "scenarios")  # analysis only reads what these produce
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_MISSING = object()


def refuse_replaced_rules(because: str) -> None:
    """Raise `AnalysisError` where something in the packages of the world is not what its source file says."""
    if found := first_replaced():
        module, name = found
        raise AnalysisError(
            f"{name} in module {module} is not what its source file says (replaced at run time, or the file has "
            f"changed since): {because}"
        )


def first_replaced() -> tuple[str, str] | None:
    """(Module, name) of something that is loaded otherwise than its source file says; None where nothing is."""
    bodies = {module: read for module in _world_modules() if (read := _body_of(module)) is not None}
    known = frozenset[CodeType]().union(*(functions for _, functions in bodies.values()))
    for module, (body, functions) in bodies.items():
        for name in _replaced(vars(module), body, module, known):
            if not sets_global(functions, name):
                return module.__name__, name
    return None


def _world_modules() -> list[ModuleType]:
    loaded = [(name, sys.modules[name]) for name in sorted(sys.modules) if name.split(".")[0] in WORLD_PACKAGES]
    return [module for _, module in loaded if isinstance(module, ModuleType) and getattr(module, "__file__", None)]


def _body_of(module: ModuleType) -> tuple[Body, frozenset[CodeType]] | None:
    path = Path(str(module.__file__))
    try:
        return body_of_file(module.__name__, str(path), path.stat().st_mtime_ns)
    except OSError:
        return None


def _replaced(held: Mapping[str, Any], body: Body, module: ModuleType, known: frozenset[CodeType]) -> Iterator[str]:
    """Names of a module or class whose values are not those of the file; dotted within classes."""
    for name, codes in body.functions.items():
        layers = list(_layers(held.get(name)))
        if not name.startswith("<") and not any(layer.__code__ in codes for layer in layers):
            yield name
    for name, inner in body.classes.items():
        kind = held.get(name)
        if not isinstance(kind, type) or kind.__module__ != module.__name__:
            yield name
        else:
            yield from (f"{name}.{part}" for part in _replaced(vars(kind), inner, module, known))
    for name, value in held.items():
        if any(not _is_usual(layer, known) for layer in _layers(value)):
            yield name
    yield from _imported_otherwise(held, body.imports)
    yield from _other_literals(held, body.literals)


def _imported_otherwise(held: Mapping[str, Any], imports: Mapping[str, list[tuple[str, str]]]) -> Iterator[str]:
    """Imported functions and classes that are not those of the module they were imported from."""
    for name, origins in imports.items():
        there = [vars(sys.modules[module]).get(one, _MISSING) for module, one in origins if module in sys.modules]
        callables = [one for one in there if callable(one)]
        if name in held and callables and len(callables) == len(origins) and held[name] not in callables:
            yield name


def _other_literals(held: Mapping[str, Any], literals: Mapping[str, list[Any]]) -> Iterator[str]:
    """Plain numbers and texts that are not those of the file. What a class turns into something else is left out."""
    for name, values in literals.items():
        value = held.get(name, _MISSING)
        plain = any(type(value) is type(one) for one in values) or isinstance(value, (bool, int, float, str))
        if not name.startswith("__") and plain and value not in values:
            yield name


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


def _is_usual(function: FunctionType, known: frozenset[CodeType]) -> bool:
    """Whether a function is one of the world's, of a library, or was made by one (methods of a data class)."""
    file = function.__code__.co_filename
    made = file.startswith("<") and function.__globals__.get("__name__") != "__main__"
    return function.__code__ in known or made or file.startswith(_LIBRARIES)
