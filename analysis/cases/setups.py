"""The cases that can be played: by id, name or file, and the arms of each."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.cases.evidence import TWIN
from analysis.errors import AnalysisError
from analysis.play import checks
from analysis.play.experiment import BASE
from analysis.play.lockstep import Arm
from analysis.play.plugins import acting_in

if TYPE_CHECKING:
    from scenarios import Scenario

WITHOUT = "without:"


def arms_of_case(setup: Scenario) -> list[Arm]:
    """The case itself, its twin where it has one, and one arm without each cause."""
    taken = [Arm(setup.name, f"{WITHOUT}{cause}", setup.without(cause)) for cause in setup.causes]
    return [Arm(setup.name, BASE, setup), *twin_arms(setup), *taken]


def twin_arms(setup: Scenario) -> list[Arm]:
    """The arm in which the focal firm has none of its endowments; none for a case that says no endowments."""
    return [Arm(setup.name, TWIN, setup.twin())] if setup.endowments else []


def load_cases(names: Sequence[str] = (), plugins: Sequence[Any] = ()) -> list[Scenario]:
    """The named cases; none named: all shipped ones. These loaded plug-ins act in them."""
    return [acting_in(load_case(name), plugins) for name in (checks.names("names", names) or shipped_cases())]


def shipped_cases() -> list[str]:
    """Names of all shipped cases."""
    from scenarios import catalogue

    return [entry.name for entry in catalogue() if entry.group == "cases"]


def load_case(name: str) -> Scenario:
    """The case of that id, name, short name or file; raises `AnalysisError` with the likely typo."""
    from scenarios import catalogue, load

    spellings: dict[str, str] = {}
    for entry in catalogue():
        if entry.group == "cases":
            for spelling in (entry.name, entry.name.rpartition("/")[2], entry.id or entry.name):
                spellings[spelling.lower()] = entry.name
    if name.lower() in spellings:
        setup = load(spellings[name.lower()])
    elif Path(name).suffix in (".yaml", ".yml"):
        setup = load(name)
    else:
        likely = difflib.get_close_matches(name.lower(), spellings, n=1)
        hint = f" (did you mean {likely[0]}?)" if likely else ""
        raise AnalysisError(f"unknown case {name!r}{hint}; there are {', '.join(shipped_cases())}")
    if setup.focal is None or not setup.expect:
        raise AnalysisError(f"{name} is no case: it names no focal firm or expects nothing of it")
    return setup
