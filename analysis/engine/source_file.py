"""The names that a source file binds, read off the compiled file.

Python keeps that beside the source (`__pycache__`), so that nothing is parsed again.
"""

from __future__ import annotations

import dis
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any

FUNCTION = 0x1  # CO_OPTIMIZED: the bodies of modules and classes do not have it
PLAIN = (bool, int, float, str, bytes, tuple, type(None))


@dataclass(frozen=True)
class Imported:
    """What `from module import name` binds."""

    module: str
    name: str


class Computed:
    """A value that is known only when the module is loaded."""


COMPUTED = Computed()
Value = CodeType | Imported | Computed | Any
"""What a name may stand for: a function's code, something imported, a literal, or something computed."""
Names = dict[str, list[Value]]
"""Names of a module's or class's body, each with all it is bound to: a property's setter is a second."""


@cache
def read(module: str, file: str, changed_ns: int) -> dict[str, Names] | None:
    """The names of the file ("") and of each class in it, by its dotted path; None where it cannot be read.

    changed_ns: the file's date, so that it is read again when it has changed.
    """
    try:
        code = SourceFileLoader(module, file).get_code(module)
    except (OSError, ImportError, SyntaxError):
        return None
    return dict(_bodies(code, "")) if code else None


def _bodies(body: CodeType, path: str) -> Iterator[tuple[str, Names]]:
    names: Names = defaultdict(list)
    for inner in body.co_consts:
        if isinstance(inner, CodeType) and not inner.co_flags & FUNCTION:
            yield from _bodies(inner, f"{path}.{inner.co_name}" if path else inner.co_name)
        elif isinstance(inner, CodeType) and not inner.co_name.startswith("<"):  # no lambda, no comprehension
            names[inner.co_name].append(inner)
    for name, value in _assignments(body):
        names[name].append(value)
    yield path, dict(names)


def _assignments(body: CodeType) -> Iterator[tuple[str, Value]]:
    """(name, literal or import that it is bound to); `COMPUTED` where it is bound to something else."""
    module = ""
    ready: list[Value] = [COMPUTED]
    for operation, argument in _steps(body):
        match operation:
            case "STORE_NAME":
                yield body.co_names[argument], ready[0]
                ready = ready[1:] or [COMPUTED]
            case "IMPORT_NAME":
                module, ready = body.co_names[argument], [COMPUTED]
            case "IMPORT_FROM":
                ready = [Imported(module, body.co_names[argument])]
            case "LOAD_CONST" if isinstance(body.co_consts[argument], PLAIN):
                ready = [body.co_consts[argument]]
            case "UNPACK_SEQUENCE" if isinstance(ready[0], tuple):  # `A, B = 1, 2`
                ready = list(ready[0])
            case _:
                ready = [COMPUTED]


def _steps(body: CodeType) -> Iterator[tuple[str, int]]:
    """(operation, argument) as `dis` has them, without the texts that make it ten times slower."""
    bytecode, high = body.co_code, 0
    for i in range(0, len(bytecode), 2):
        operation, argument = dis.opname[bytecode[i]], bytecode[i + 1] | high
        high = argument << 8 if operation == "EXTENDED_ARG" else 0
        if operation not in ("EXTENDED_ARG", "CACHE"):
            yield operation, argument
