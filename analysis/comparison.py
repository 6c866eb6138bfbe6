"""What-ifs against a base, in the same seeds: paired differences of what a policy is about."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd

from analysis.errors import AnalysisError
from analysis.play.checks import names
from analysis.play.experiment import BASE, loaded, play
from analysis.play.options import PlayArguments, PlayOptions
from analysis.play.over import arm_over, over_of
from analysis.play.plugins import outcomes_of
from analysis.runs.months import months_of
from analysis.runs.run import Run
from analysis.statistics.intervals import Interval, number_or_null, paired_means
from analysis.statistics.verdicts import EffectVerdict, effect_verdict
from simulation.records.endings import SURVIVED

if TYPE_CHECKING:
    from scenarios import Scenario

STARTUP = "startup"
CELL = ["seed", "month", "sector"]


@dataclass(frozen=True)
class Measure:
    """Something compared between arms, one number per seed.

    of_seeds: numbers indexed by seed; a seed of the run that has no figure is missing or NaN.
    of_cells: of a mean over the sectors and months of the last year, what it is the mean of, indexed by CELL; NaN in
    an empty market, which has no figure. None for other measures.
    """

    name: str
    says: str
    unit: str
    of_seeds: Callable[[Run, str, str], pd.Series]  # (run, scenario, arm)
    of_cells: Callable[[Run, str, str], pd.Series] | None = None


@dataclass(frozen=True)
class EmptyMonths:
    """Months of sectors of the last year that have no figure and are left out of a mean, in each arm, of how many."""

    base: int
    base_of: int
    changed: int
    changed_of: int


@dataclass(frozen=True)
class Difference:
    """One measure under one what-if: means of both arms over the same seeds, and the paired difference.

    `changed - base` is `effect.estimate` exactly, and `effect.n` counts their seeds. left_out: seeds of the run without
    a figure in one of the arms or both. empty: of measures that are means over sectors and months, else None.
    """

    whatif: str
    measure: Measure
    base: float
    changed: float
    effect: Interval
    left_out: int = 0
    empty: EmptyMonths | None = None

    @property
    def verdict(self) -> EffectVerdict:
        """What can be said of the effect."""
        return effect_verdict(self.effect)


@dataclass(frozen=True)
class Comparison:
    """All differences of one experiment, with the run behind them."""

    run: Run
    base: str
    differences: tuple[Difference, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per what-if and measure: whatif, measure, unit, base, changed, effect, low, high, n, verdict,
        left_out, and empty_base, empty_base_of, empty_changed, empty_changed_of (NaN for what is no mean over sectors).
        """
        return pd.DataFrame([_row(one) for one in self.differences])


def compare(base: Scenario | str | Path, whatifs: Sequence[str], **options: Unpack[PlayArguments]) -> Comparison:
    """Play a base and each what-if on it in the same seeds.

    base: as for `run`; whatifs: shipped names such as "policies/compute-vouchers", or files; options: as for `run`.
    Raises as `run`.
    """
    from scenarios.shelf import full_name

    settings = PlayOptions.of(options)
    whatifs = [full_name(whatif) for whatif in names("whatifs", whatifs)]
    if not whatifs:
        raise AnalysisError("nothing to compare with: name at least one what-if (--with)")
    if len(set(whatifs)) < len(whatifs):
        raise AnalysisError("a what-if is named twice")
    setup = loaded(base, settings)
    over = over_of(settings, setup)
    arms = [arm_over(setup, BASE, over), *(arm_over(setup, whatif, over, whatif) for whatif in whatifs)]
    run = play(arms, settings, kind="compare", name=setup.name, over=over)
    return Comparison(run, setup.name, tuple(differences(run, setup.name, whatifs)))


def differences(run: Run, scenario: str, whatifs: Sequence[str]) -> list[Difference]:
    """Every measure under every what-if, from the tables of a run."""
    return [difference(run, scenario, whatif, measure) for whatif in whatifs for measure in measures_of(run)]


def measures_of(run: Run) -> list[Measure]:
    """What comparisons of a run show: our measures, and the outcomes of the plug-ins that acted in it."""
    return [*MEASURES, *outcomes_of(arm.resolved for arm in run.manifest.arms)]


def difference(run: Run, scenario: str, whatif: str, measure: Measure) -> Difference:
    """One measure under one what-if."""
    before, after = (measure.of_seeds(run, scenario, arm).reindex(run.seeds) for arm in (BASE, whatif))
    found = paired_means(after.to_numpy(float), before.to_numpy(float), is_share=measure.unit == "share")
    left_out, empty = len(run.seeds) - found.effect.n, empty_months(run, scenario, whatif, measure)
    return Difference(whatif, measure, found.control, found.treated, found.effect, left_out, empty)


def empty_months(run: Run, scenario: str, whatif: str, measure: Measure) -> EmptyMonths | None:
    """How much a mean over sectors and months leaves out; None for a measure that is no such mean."""
    if measure.of_cells is None:
        return None
    cells = [measure.of_cells(run, scenario, arm) for arm in (BASE, whatif)]
    return EmptyMonths(*(count for one in cells for count in (int(one.isna().sum()), len(one))))


def survival(run: Run, scenario: str, arm: str) -> pd.Series:
    """Share of all startups ever founded that are alive, profitable or public at the horizon, by seed."""
    endings = startup_endings(run, scenario, arm)
    return endings["ending"].isin(SURVIVED).groupby(endings["seed"]).mean()


def startup_endings(run: Run, scenario: str, arm: str) -> pd.DataFrame:
    """Endings (seed, firm, ending) of startups, incumbents left out."""
    return run.select("endings", scenario, arm, ["seed", "firm", "ending"], [("kind", "==", STARTUP)])


def concentration(run: Run, scenario: str, arm: str) -> pd.Series:
    """Herfindahl–Hirschman index, mean over sectors and the last year, by seed."""
    return served_hhi(run, scenario, arm).groupby(level="seed").mean()


def served_hhi(run: Run, scenario: str, arm: str) -> pd.Series:
    """Herfindahl–Hirschman index by CELL; NaN where nobody is served."""
    return hhi_where_served(_last_year_of_sectors(run, scenario, arm, ["hhi", "adopters"]))


def hhi_where_served(rows: pd.DataFrame) -> pd.Series:
    """The index of rows of the sectors table; NaN in empty markets, where the table's 0 stands for no market shares."""
    return rows["hhi"].where(rows["adopters"] > 0)


def best_field_quality(run: Run, scenario: str, arm: str) -> pd.Series:
    """Best field quality on offer, mean over sectors and the last year, by seed."""
    return offered_quality(run, scenario, arm).groupby(level="seed").mean()


def offered_quality(run: Run, scenario: str, arm: str) -> pd.Series:
    """Best field quality on offer by CELL; NaN where no living firm has a model."""
    return _last_year_of_sectors(run, scenario, arm, ["best_quality_field"])["best_quality_field"]


def customers_served(run: Run, scenario: str, arm: str) -> pd.Series:
    """Customers of all firms together, mean over the months of the last year, by seed; 0 where no firm lives."""
    last = months_of(run, scenario, arm).last_year
    rows = run.select("firms", scenario, arm, ["seed", "customers"], [("month", ">=", last[0])])
    return rows.groupby("seed")["customers"].sum().reindex(run.seeds, fill_value=0.0) / len(last)


def funding_raised(run: Run, scenario: str, arm: str) -> pd.Series:
    """Money raised in all rounds together, by seed."""
    rounds = run.select("rounds", scenario, arm, ["seed", "amount_usd"])
    return rounds.groupby("seed")["amount_usd"].sum().reindex(run.seeds, fill_value=0.0)


def _last_year_of_sectors(run: Run, scenario: str, arm: str, columns: list[str]) -> pd.DataFrame:
    """Columns of the sectors table in the last twelve months of the run, by CELL."""
    last = months_of(run, scenario, arm).last_year
    return run.select("sectors", scenario, arm, [*CELL, *columns], [("month", ">=", last[0])]).set_index(CELL)


MEASURES = (
    Measure("survival", "startups alive at the horizon", "share", survival),
    Measure("hhi", "market concentration (HHI)", "index", concentration, served_hhi),
    Measure("best_quality_field", "best field quality", "accuracy", best_field_quality, offered_quality),
    Measure("customers", "customers served", "customers", customers_served),
    Measure("raised_usd", "funding raised", "USD", funding_raised),
)


def as_document(result: Comparison) -> dict[str, Any]:
    """The result as JSON says it."""
    whatifs = list(dict.fromkeys(one.whatif for one in result.differences))
    return {
        "base": result.base,
        "seeds": result.run.seeds,
        "whatifs": [
            {"name": whatif, "differences": [_document(one) for one in result.differences if one.whatif == whatif]}
            for whatif in whatifs
        ],
        "training": result.run.training_cost,
        "seconds": result.run.manifest["seconds"],
        "out": str(result.run.folder),
    }


def _document(one: Difference) -> dict[str, Any]:
    return {
        "measure": one.measure.name,
        "unit": one.measure.unit,
        "base": number_or_null(one.base),
        "changed": number_or_null(one.changed),
        **one.effect.as_dict("effect"),
        "verdict": one.verdict,
        "left_out": one.left_out,
        "empty_months": None if one.empty is None else asdict(one.empty),
        "says": one.measure.says,
    }


def _row(one: Difference) -> dict[str, Any]:
    return {
        "whatif": one.whatif,
        "measure": one.measure.name,
        "unit": one.measure.unit,
        "base": one.base,
        "changed": one.changed,
        "effect": one.effect.estimate,
        "low": one.effect.low,
        "high": one.effect.high,
        "n": one.effect.n,
        "verdict": one.verdict,
        "left_out": one.left_out,
        **{f"empty_{one_of.name}": getattr(one.empty, one_of.name, math.nan) for one_of in fields(EmptyMonths)},
    }
