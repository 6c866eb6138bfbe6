"""What is wrong with a scenario, in one clear line: where, which key, which value, what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

Path = tuple[str | int, ...]
MAX_SHOWN = 60


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


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
        return one_line(f"{where}{self.by}{self.says}")


class ScenarioError(Exception):
    """A scenario that cannot be used. `str()` is one line; `all` lists every problem, one line each.

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


def missing_key(path: Path, allowed: str) -> Problem:
    """`firms.alpha.sector is missing: must be a name …`."""
    return Problem(f"{dotted(path)} is missing: must be {allowed}", path, None, allowed)


def unknown_key(path: Path, allowed: Iterable[str], what: str = "key") -> Problem:
    """`unknown key 'yeers' in the scenario; did you mean 'years'? allowed: …`."""
    names = list(allowed)
    hint = did_you_mean(str(path[-1]), names)
    inside = dotted(path[:-1]) or "the scenario"
    says = f"unknown {what} {show(str(path[-1]))} in {inside}; {hint}allowed: {listed(names)}"
    return Problem(says, path, str(path[-1]), listed(names), hint.removesuffix("? ") + "?" if hint else "", True)


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The likeliest correct spelling as a question with a blank after it, or nothing."""
    near = get_close_matches(word[:MAX_SHOWN], list(names), 1, 0.6)
    return f"did you mean '{near[0]}'? " if near else ""


def listed(names: Iterable[str]) -> str:
    """Names as a comma-separated list."""
    return ", ".join(names) or "(none)"


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
    return shorten(repr(value) if isinstance(value, str) else str(value))


def one_line(text: str) -> str:
    """Text without line breaks or other control characters."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def shorten(text: str) -> str:
    """Text cut to a length that leaves room for the rest of the line."""
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _shown_key(key: object) -> str:
    return shorten(one_line(str(key)))
