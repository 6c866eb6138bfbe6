"""What a module's source file binds: its functions, classes, imports and literals, read off the compiled file.

Python keeps that beside the source (`__pycache__`), so that nothing is parsed again.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any

_FUNCTION = 0x1  # flag CO_OPTIMIZED: the bodies of modules and classes have it not
_NOTHING = object()


@dataclass(frozen=True)
class Body:
    """The names that the body of a module or class binds. A name may be bound more than once (a property's setter)."""

    functions: dict[str, list[CodeType]] = field(default_factory=dict)
    classes: dict[str, Body] = field(default_factory=dict)
    imports: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # `from module import name`
    literals: dict[str, list[Any]] = field(default_factory=dict)  # numbers, texts, and tuples of them


@cache
def body_of_file(module: str, file: str, changed_ns: int) -> tuple[Body, frozenset[CodeType]] | None:
    """The body of a module's file, and all functions in it however deep; None where it cannot be read.

    `changed_ns` is the file's date: a file that has changed is read again.
    """
    try:
        code = SourceFileLoader(module, file).get_code(module)
    except (OSError, ImportError, SyntaxError):
        return None
    return (_body(code), frozenset(_functions(code))) if code else None


def sets_global(functions: frozenset[CodeType], name: str) -> bool:
    """Whether one of the functions assigns a module's name by `global`."""
    able = (code for code in functions if name in code.co_names)
    return any(("STORE_GLOBAL", code.co_names.index(name)) in _steps(code) for code in able)


def _body(code: CodeType) -> Body:
    body = Body()
    for inner in _codes(code):
        if inner.co_flags & _FUNCTION:
            body.functions.setdefault(inner.co_name, []).append(inner)
        else:
            body.classes[inner.co_name] = _body(inner)
    for name, value in _stores(code):
        if isinstance(value, _Import):
            body.imports.setdefault(name, []).append((value.module, value.name))
        body.literals.setdefault(name, []).append(value)
    for name, values in list(body.literals.items()):  # a name that is bound to something else, too, is no literal
        if any(value is _NOTHING or isinstance(value, _Import) for value in values):
            del body.literals[name]
    return body


@dataclass(frozen=True)
class _Import:
    module: str
    name: str


def _stores(code: CodeType) -> Iterator[tuple[str, Any]]:
    """(name, literal or import that is stored there), in order; `_NOTHING` for anything that is neither."""
    module, ready = "", [_NOTHING]
    for operation, argument in _steps(code):
        match operation:
            case "STORE_NAME":
                yield code.co_names[argument], ready[0]
                ready = ready[1:] or [_NOTHING]
            case "IMPORT_NAME":
                module, ready = code.co_names[argument], [_NOTHING]
            case "IMPORT_FROM":
                ready = [_Import(module, code.co_names[argument])]
            case "LOAD_CONST":
                const = code.co_consts[argument]
                ready = [const if isinstance(const, (bool, int, float, str, tuple)) else _NOTHING]
            case "UNPACK_SEQUENCE" if isinstance(ready[0], tuple):  # `A, B = 1, 2`
                ready = list(ready[0])
            case _:
                ready = [_NOTHING]


def _steps(code: CodeType) -> Iterator[tuple[str, int]]:
    """(operation, argument) of the code, as `dis` has them, without the texts that make it ten times slower."""
    bytecode, high = code.co_code, 0
    for i in range(0, len(bytecode), 2):
        operation, argument = dis.opname[bytecode[i]], bytecode[i + 1] | high
        high = argument << 8 if operation == "EXTENDED_ARG" else 0
        if operation not in ("EXTENDED_ARG", "CACHE"):
            yield operation, argument


def _codes(code: CodeType) -> Iterator[CodeType]:
    return (const for const in code.co_consts if isinstance(const, CodeType))


def _functions(code: CodeType) -> Iterator[CodeType]:
    for inner in _codes(code):
        if inner.co_flags & _FUNCTION:
            yield inner
        yield from _functions(inner)
