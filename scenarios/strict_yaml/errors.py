"""What is wrong with a file, in one clear line of bounded length: where, which key, which value, what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import Any

Path = tuple[str | int, ...]
MAX_SHOWN = 60
"""Characters of one value, key or name."""
MAX_LISTED = 60
"""Names in a list of what is allowed or present."""
MAX_SAID = 2_000
"""Characters of one problem, its file apart."""
MAX_PLACE = 300
"""Characters of the name of a file; of a longer one the end is shown."""
MAX_COMPARED = 1_000
"""Names among which the likeliest spelling is looked for."""
MAX_BITS = 1_000
"""Bits of a whole number that is still written out."""
FILE = "file"


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        file = self.file if len(self.file) <= MAX_PLACE else f"…{self.file[1 - MAX_PLACE :]}"
        return file if self.line is None else f"{file}:{self.line}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `says` is the whole sentence; the other fields carry its parts for programs.

    `path` is the key at fault. `by` says on whose account the value stands there (a cause, an intervention); `at` is
    then the key under which that was written, so that the line can be found.
    """

    says: str
    path: Path = ()
    value: Any = None
    allowed: str = ""
    hint: str = ""
    unknown_key: bool = False
    by: str = ""
    at: Path | None = None
    place: Place | None = None

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return one_line(where) + (" " if where else "") + shorten(one_line(f"{self.by}{self.says}"), MAX_SAID)


class ScenarioError(Exception):
    """A scenario, or another YAML file that a user hands in, that cannot be used.

    `str()` is one line; `all` lists every problem, one line each.

    `file`, `line`, `key`, `value`, `allowed` and `hint` belong to the first problem. `key` is a dotted path.
    """

    def __init__(self, problems: Sequence[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        more = len(self.problems) - 1
        tail = f" (and {more} more problem{'s' if more > 1 else ''})" if more else ""
        return f"{self.problems[0]}{tail}"

    @property
    def all(self) -> list[str]:
        return [str(problem) for problem in self.problems]

    @property
    def file(self) -> str:
        place = self.problems[0].place
        return place.file if place else ""

    @property
    def line(self) -> int | None:
        place = self.problems[0].place
        return place.line if place else None

    @property
    def key(self) -> str:
        return dotted(self.problems[0].path)

    @property
    def value(self) -> Any:
        return self.problems[0].value

    @property
    def allowed(self) -> str:
        return self.problems[0].allowed

    @property
    def hint(self) -> str:
        return self.problems[0].hint

    def at(self, file: str, line: int | None = None) -> ScenarioError:
        """The same error with a place for the problems that have none."""
        return ScenarioError([p if p.place else replace(p, place=Place(file, line)) for p in self.problems])


def bad_value(path: Path, value: Any, allowed: str, hint: str = "") -> Problem:
    """`world.law.consent_share = 1.4: must be between 0 and 1 (share)`."""
    says = f"{dotted(path)} = {show(value)}: must be {allowed}" + (f"; {hint}" if hint else "")
    return Problem(says, path, value, allowed, hint)


def not_one_of(path: Path, value: str, names: Iterable[str], of_what: str) -> Problem:
    """`focal = 'iris': must be one of the firms: …; did you mean 'lens'?`."""
    return bad_value(path, value, f"one of {of_what}: {listed(names)}", did_you_mean(value, names).strip())


def missing_key(path: Path, allowed: str) -> Problem:
    """`firms.alpha.sector is missing: must be a name …`."""
    return Problem(f"{dotted(path)} is missing: must be {allowed}", path, None, allowed)


def unknown_key(path: Path, allowed: Iterable[str], what: str = "key", of: str = FILE) -> Problem:
    """`unknown key 'yeers' in the scenario; did you mean 'years'? allowed: …`; `of`: what the whole file is."""
    names = list(allowed)
    hint = did_you_mean(str(path[-1]), names)
    inside = dotted(path[:-1]) or f"the {of}"
    says = f"unknown {what} {show(str(path[-1]))} in {inside}; {hint}allowed: {listed(names)}"
    return Problem(says, path, str(path[-1]), listed(names), hint.removesuffix("? ") + "?" if hint else "", True)


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The likeliest correct spelling as a question with a blank after it, or nothing."""
    near = get_close_matches(word[:MAX_SHOWN], list(islice(names, MAX_COMPARED)), 1, 0.6)
    return f"did you mean '{_shown_key(near[0])}'? " if near else ""


def listed(names: Iterable[str]) -> str:
    """Names as a comma-separated list; of very many only the first."""
    every = list(names)
    more = f" and {len(every) - MAX_LISTED:,} more" if len(every) > MAX_LISTED else ""
    return (", ".join(map(_shown_key, every[:MAX_LISTED])) or "(none)") + more


def dotted(path: Path) -> str:
    """`("expect", 0, "after")` as `expect[0].after`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_shown_key(part)}"
    return text.removeprefix(".")


def show(value: Any) -> str:
    """A value as a scenario writes it, on one line and not too long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return shorten("{" + ", ".join(f"{_shown_key(k)}: …" for k in list(value)[:5]) + "}")
    if isinstance(value, (list, tuple)):
        return shorten("[" + ", ".join("…" if isinstance(v, (dict, list)) else str(v) for v in value[:20]) + "]")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return "a number of very many digits"
    return shorten(repr(value[:MAX_SHOWN]) if isinstance(value, str) else str(value))


def one_line(text: str) -> str:
    """Text without line breaks or other control characters."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def shorten(text: str, most: int = MAX_SHOWN) -> str:
    """Text cut to a length, by default one that leaves room for the rest of the line."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _shown_key(key: object) -> str:
    return shorten(one_line(str(key)))
