"""The rules of a case: where its firm's traits come from, how a cause is taken away, what its statements are about.

They hold for scenarios that say `endowments`. There each trait of the focal firm is the usual one (`usual.py`) unless
the chapter says otherwise, a cause is taken away by making traits usual, and no typed number does it for the chapter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scenarios.content import Content
from scenarios.statements import Cause
from scenarios.strict_yaml.errors import (
    Path,
    Problem,
    ScenarioError,
    dotted,
    missing_key,
    show,
    unknown_key,
)
from scenarios.usual import CITED, IDENTITY, are_alike, trait_names, traits_of, usual_traits


def case_problems(s: Content) -> Iterator[Problem]:
    """What a scenario says of its chapter that cannot be, before its worlds are known."""
    if s.expect and not any(one.counts for one in s.expect):
        yield Problem("expect: every statement is background, so that nothing would be asked of the firm", ("expect",))
    if not s.endowments:
        yield from _problems_without_a_twin(s)
        return
    yield from _endowment_problems(s)
    yield from _problems_of_interventions(s)
    if s.causes and not any(one.role == "outcome" and one.is_about_the_outcome for one in s.expect):
        says = "expect: there are causes, so a statement on how the firm ends or what it earns needs role: outcome"
        yield Problem(says, ("expect",), allowed="ending, revenue, profit, paying customers")
    for name, cause in s.causes.items():
        yield from _problems_of_cause(s, name, cause)


def _problems_without_a_twin(s: Content) -> Iterator[Problem]:
    """Only the firm of a case has a twin."""
    looks: list[tuple[Path, str]] = [(("expect", i, "of"), one.of) for i, one in enumerate(s.expect)]
    looks += [(("causes", n, "manipulation", "of"), c.manipulation.of) for n, c in s.causes.items() if c.manipulation]
    for path, of in looks:
        if of == "over_twin":
            yield Problem(f"{dotted(path)} = over_twin: needs endowments, which say what its twin lacks", path, of)


def _endowment_problems(s: Content) -> Iterator[Problem]:
    at: Path = ("endowments",)
    if s.focal is None or s.focal not in s.firms:
        yield Problem("endowments: are those of the focal firm; name one in focal", at)
        return
    if s.firms[s.focal].kind != "startup":
        yield Problem(f"endowments: {s.focal} is an incumbent; only of startups is anything usual", at, s.focal)
    names = [*CITED, *trait_names()]
    for name, section in s.endowments.items():
        if name not in names:
            yield unknown_key((*at, name), names, "trait of a firm")
        elif not section.strip():
            yield Problem(f"{dotted((*at, name))}: needs a section of the book", (*at, name), section)
    for part in CITED:
        if part not in s.endowments:
            yield missing_key((*at, part), "the section that it comes from, or assumption")


def _problems_of_interventions(s: Content) -> Iterator[Problem]:
    """A dated change of a trait is a trait that the chapter must give, too."""
    for i, change in enumerate(s.interventions):
        for key in change.set:
            trait = _trait_of(s, key)
            if trait is not None and not any(_covers(trait, name) for name in s.endowments):
                path: Path = ("interventions", i, "set", key)
                says = f"{show(key)}: changes a trait of the focal firm that endowments does not name; add its section"
                yield Problem(says, path, change.set[key])


def _problems_of_cause(s: Content, name: str, cause: Cause) -> Iterator[Problem]:
    """Numbers come from the chapter or from the entrants; other traits of the focal firm become usual, too."""
    if cause.from_chapter:
        return
    for key, value in cause.set.items():
        path: Path = ("causes", name, "set", key)
        where = f"cause {show(name)} sets {show(key)}"
        trait = _trait_of(s, key)
        if trait is not None and trait.split(".")[0] not in IDENTITY:
            instead = f"usual: [{trait}]" if trait else "usual, with the traits that this cause gives"
            yield Problem(f"{where}: a trait of the focal firm; say {instead}{_OR_CHAPTER}", path, value)
        elif _has_number(value):
            says = f"{where} to a number: a removal may not type one; say usual, or set what is no number{_OR_CHAPTER}"
            yield Problem(says, path, value)


_OR_CHAPTER = ", or from_chapter: true where the chapter itself gives the value"


def check_usual(s: Content, name: str) -> None:
    """What a cause makes usual are traits of the focal firm. Raises `ScenarioError`."""
    at: Path = ("causes", name, "usual")
    if s.causes[name].usual and s.focal is None:
        raise ScenarioError(Problem(f"cause {show(name)}: usual is said of a focal firm; name one in focal", at))
    for i, trait in enumerate(s.causes[name].usual):
        _check_trait(trait, (*at, i))


def idle_causes(s: Content) -> Iterator[Problem]:
    """Traits that a cause would make usual and that are so already: taking them away would change nothing."""
    for name, cause in s.causes.items():
        if not cause.usual:
            continue
        own, usual = traits_of(s.firms[str(s.focal)]), usual_traits(s, str(s.focal))
        for i, trait in enumerate(cause.usual):
            if are_alike(own[trait], usual[trait]):
                says = f"cause {show(name)}: {trait} of {s.focal} is usual already ({show(usual[trait])}); leave it out"
                yield Problem(says, ("causes", name, "usual", i), trait)


def _check_trait(trait: str, path: Path) -> None:
    if trait.split(".")[0] in IDENTITY:
        says = f"{dotted(path)} = {show(trait)}: entrants choose among several, so that none is usual; say it by set"
        raise ScenarioError(Problem(says, path, trait))
    if trait not in trait_names():
        raise ScenarioError(unknown_key((*path[:-1], trait), trait_names(), "trait of a firm"))


def _trait_of(s: Content, key: str) -> str | None:
    """The trait of the focal firm that a dotted path leads to, empty for all of them; None for what is none of it."""
    whole = f"firms.{s.focal}"
    return key[len(whole) + 1 :] if f"{key}.".startswith(f"{whole}.") else None


def _covers(trait: str, named: str) -> bool:
    return f"{trait}.".startswith(f"{named}.")


def _has_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_number(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return any(_has_number(one) for one in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)
