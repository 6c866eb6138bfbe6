"""The shelf of shipped scenarios, and how a name or a path is found."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path as FilePath

from scenarios.strict_yaml.errors import Place, Problem, ScenarioError, did_you_mean, listed, show
from scenarios.strict_yaml.reading import read_file

GROUPS = ("markets", "cases", "policies")
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Entry:
    """One shipped scenario or what-if: `name` is `group/stem`."""

    name: str
    id: str | None
    title: str
    group: str
    about: str = ""


@dataclass(frozen=True)
class Source:
    """A file to read: its path, its name as a scenario, and what errors call it."""

    path: FilePath
    name: str
    label: str

    @property
    def key(self) -> str:
        """Equal for two sources exactly when they are the same file."""
        return os.path.realpath(self.path)

    @property
    def is_shipped(self) -> bool:
        """Whether it stands on the shelf."""
        return self.label == f"{self.name}.yaml" and "/" in self.name


def library() -> FilePath:
    """The folder of the shipped scenarios."""
    return FilePath(str(resources.files("scenarios").joinpath("library")))


def shipped_names() -> list[str]:
    """Names of all shipped files, group by group."""
    found = [(group, path.stem) for group in GROUPS for path in sorted((library() / group).glob("*.yaml"))]
    return [f"{group}/{stem}" for group, stem in found]


def catalogue() -> list[Entry]:
    """All shipped scenarios and what-ifs. Titles come from the files as they stand, without validating them."""
    return [_entry(name) for name in shipped_names()]


def _entry(name: str) -> Entry:
    data = read_file(_shipped(name).path, f"{name}.yaml").data
    group = name.split("/")[0]
    text = {key: " ".join(str(data[key]).split()) for key in ("id", "title", "about") if data.get(key)}
    return Entry(name, text.get("id"), text.get("title", name), group, text.get("about", ""))


def _shipped(name: str) -> Source:
    return Source(library() / f"{name}.yaml", name, f"{name}.yaml")


def find_source(name_or_path: str | os.PathLike[str], relative_to: FilePath | None = None) -> Source:
    """The file meant by a shipped name, a case's id or a path. Raises `ScenarioError` with the likeliest name.

    What ends in `.yaml` or `.yml`, or is a path object, is a path; anything else is first looked up on the shelf, by
    its name, its id or its name without the group where that is clear. `~` is the home folder.
    """
    text = os.fspath(name_or_path)
    if not isinstance(text, str) or not text or "\0" in text:
        raise ScenarioError(Problem(f"{show(text)} is no name of a scenario"))
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ScenarioError(Problem(f"{show(text)}: a name with bytes that are no UTF-8 text; rename the file"))
    home = os.path.expanduser(text)
    path = FilePath(home) if relative_to is None else relative_to / home
    if isinstance(name_or_path, os.PathLike) or text.lower().endswith(SUFFIXES):
        return _checked_file(path)
    if text in shipped_names():
        return _shipped(text)
    if os.path.isfile(path):
        return _checked_file(path)
    if (name := shipped_name(text)) is not None:
        return _shipped(name)
    if os.path.exists(path):
        return _checked_file(path)
    names = shipped_names()
    hint = did_you_mean(text, names) or did_you_mean(text, [n.split("/")[1] for n in names])
    says = f"no scenario {show(text)}; {hint}shipped: {_by_group(names)}; or give a path that ends in .yaml"
    raise ScenarioError(Problem(says, value=text, allowed=listed(names), hint=hint.strip()))


def _by_group(names: list[str]) -> str:
    """`markets: base, …; cases: …; policies: …`: shorter than the full names."""
    parts = {group: [name.split("/")[1] for name in names if name.startswith(f"{group}/")] for group in GROUPS}
    return "; ".join(f"{group}: {listed(stems)}" for group, stems in parts.items())


def full_name(name_or_path: str) -> str:
    """The shipped name, where one is meant however it is spelled; a path stays as it is. Raises as `find_source`."""
    source = find_source(name_or_path)
    return source.name if source.is_shipped else name_or_path


def shipped_name(text: str) -> str | None:
    """The shipped name that a name, a case's id or a short name (`base`) means; None where there is none.

    Raises `ScenarioError` for a short name that several scenarios have.
    """
    names, wanted = shipped_names(), text.lower()
    if wanted in names:
        return wanted
    found = [name for name in names if name.split("/")[1] == wanted]
    if len(found) > 1:
        says = f"{show(text)} may mean {' or '.join(found)}; write which"
        raise ScenarioError(Problem(says, value=text, allowed=listed(found)))
    by_id = (entry.name for entry in catalogue() if entry.id is not None and entry.id.lower() == wanted)
    return found[0] if found else next(by_id, None)


def _checked_file(path: FilePath) -> Source:
    label = os.path.normpath(path)
    if not os.path.exists(path):
        name = path.with_suffix("").as_posix()
        if name in shipped_names():
            hint = f"the shipped scenario is called {name}, without the ending"
            raise ScenarioError(Problem(f"no such file; {hint}", value=label, hint=hint, place=Place(label)))
        read_file(path, label)  # says that it is missing, and which name is near
    return Source(path, path.stem, label)
