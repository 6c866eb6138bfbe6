"""Cases with what can be asked of them beyond the match: shares of the causes (Shapley) and placebo tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from analysis.cases import assess
from analysis.cases import document as cases_document
from analysis.cases import placebo as placebo_tests
from analysis.cases import shapley as attribution
from analysis.cases.placebo_document import as_document as placebo_as_document
from analysis.cases.placebo_results import Placebo
from analysis.cases.results import CasesResult
from analysis.cases.setups import arms_of_case, load_cases
from analysis.cases.shapley import Attribution
from analysis.play.options import PlayArguments, PlayOptions


@dataclass(frozen=True)
class CaseStudy:
    """Played cases; attributions are empty and the placebo is None where they were not asked for."""

    cases: CasesResult
    attributions: tuple[Attribution, ...] = ()
    placebo: Placebo | None = None


def study(
    names: Sequence[str] = (), *, shapley: bool = False, placebo: bool = False, **options: Unpack[PlayArguments]
) -> CaseStudy:
    """Play cases as `analysis.cases` does; with `shapley` every subset of their causes, with `placebo` nothing more.

    Raises as `analysis.cases`, and `AnalysisError` for Shapley values of a case with too many causes.
    """
    settings = PlayOptions.of(options)
    setups = load_cases(names, settings.plugins)  # once: a file may be edited while its worlds are played
    arms_of = attribution.arms_of_subsets if shapley else arms_of_case
    arms = [arm for setup in setups for arm in arms_of(setup)]
    played = assess.play_cases(setups, arms, settings)
    shares = tuple(attribution.attribute(played.run, setup) for setup in setups) if shapley else ()
    return CaseStudy(played, shares, placebo_tests.placebo(played.run, setups) if placebo else None)


def as_document(result: CaseStudy) -> dict[str, Any]:
    """The result as JSON says it: `shapley` and `placebo` stand there where they were asked for."""
    document = cases_document.as_document(result.cases)
    if result.attributions:
        document["shapley"] = [attribution.as_document(one) for one in result.attributions]
    if result.placebo:
        document["placebo"] = placebo_as_document(result.placebo)
    return document
