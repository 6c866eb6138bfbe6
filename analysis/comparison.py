"""What-ifs against a base, in the same seeds: paired differences of what a policy is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd

from analysis.errors import AnalysisError
from analysis.play.checks import names
from analysis.play.experiment import BASE, loaded, play
from analysis.play.lockstep import Arm
from analysis.play.options import Options, Settings
from analysis.runs.run import Run
from analysis.statistics.intervals import Interval, paired_mean_difference

if TYPE_CHECKING:
    from scenarios import Scenario

STARTUP = "startup"
SURVIVED = ("alive", "profitable", "public")
LAST_MONTHS = 12  # the horizon's year: one month alone is noisy


@dataclass(frozen=True)
class Measure:
    """Something compared between arms, one number per seed."""

    name: str
    says: str
    unit: str
    of_seeds: Callable[[Run, str, str], pd.Series]  # (run, scenario, arm) → numbers indexed by seed


@dataclass(frozen=True)
class Difference:
    """One measure under one what-if: means of both arms, and the paired difference with its 95 % interval."""

    whatif: str
    measure: Measure
    base: float
    changed: float
    effect: Interval


@dataclass(frozen=True)
class Comparison:
    """All differences of one experiment, with the run behind them."""

    run: Run
    base: str
    differences: tuple[Difference, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per what-if and measure: whatif, measure, unit, base, changed, effect, low, high, n."""
        return pd.DataFrame([_row(one) for one in self.differences])


def compare(base: Scenario | str | Path, whatifs: Sequence[str], **options: Unpack[Options]) -> Comparison:
    """Play a base and each what-if on it in the same seeds.

    base: as for `run`; whatifs: shipped names such as "policies/compute-vouchers", or files; options: as for `run`.
    Raises as `run`.
    """
    from scenarios import load_whatif
    from scenarios.shelf import full_name

    whatifs = [full_name(whatif) for whatif in names("whatifs", whatifs)]
    if not whatifs:
        raise AnalysisError("nothing to compare with: name at least one what-if (--with)")
    if len(set(whatifs)) < len(whatifs):
        raise AnalysisError("a what-if is named twice")
    settings = Settings.of(options)
    setup = loaded(base)
    changed = [Arm(setup.name, whatif, load_whatif(whatif, setup)) for whatif in whatifs]
    run = play([Arm(setup.name, BASE, setup), *changed], settings, kind="compare", name=setup.name)
    return Comparison(run, setup.name, tuple(differences(run, setup.name, whatifs)))


def differences(run: Run, scenario: str, whatifs: Sequence[str]) -> list[Difference]:
    """Every measure under every what-if, from the tables of a run."""
    found = []
    for measure in MEASURES:
        before = measure.of_seeds(run, scenario, BASE).reindex(run.seeds)
        for whatif in whatifs:
            after = measure.of_seeds(run, scenario, whatif).reindex(run.seeds)
            effect = paired_mean_difference(after.to_numpy(float), before.to_numpy(float))
            found.append(Difference(whatif, measure, float(before.mean()), float(after.mean()), effect))
    return sorted(found, key=lambda one: whatifs.index(one.whatif))


def survival(run: Run, scenario: str, arm: str) -> pd.Series:
    """Share of all startups ever founded that are alive, profitable or public at the horizon, by seed."""
    endings = startup_endings(run, scenario, arm)
    return endings["ending"].isin(SURVIVED).groupby(endings["seed"]).mean()


def startup_endings(run: Run, scenario: str, arm: str) -> pd.DataFrame:
    """Endings (seed, firm, ending) of startups, incumbents left out."""
    return run.select("endings", scenario, arm, ["seed", "firm", "ending"], [("kind", "==", STARTUP)])


def concentration(run: Run, scenario: str, arm: str) -> pd.Series:
    """Herfindahl–Hirschman index, mean over sectors and the last year, by seed."""
    return _last_year(run, "sectors", scenario, arm, "hhi").groupby("seed")["hhi"].mean()


def best_field_quality(run: Run, scenario: str, arm: str) -> pd.Series:
    """Best field quality on offer, mean over sectors and the last year, by seed."""
    last = _last_year(run, "sectors", scenario, arm, "best_quality_field")
    return last.groupby("seed")["best_quality_field"].mean()


def customers_served(run: Run, scenario: str, arm: str) -> pd.Series:
    """Customers of all firms together, mean over the months of the last year, by seed."""
    last = _last_year(run, "firms", scenario, arm, "customers")
    return last.groupby(["seed", "month"])["customers"].sum().groupby("seed").mean()


def funding_raised(run: Run, scenario: str, arm: str) -> pd.Series:
    """Money raised in all rounds together, by seed."""
    rounds = run.select("rounds", scenario, arm, ["seed", "amount_usd"])
    return rounds.groupby("seed")["amount_usd"].sum().reindex(run.seeds, fill_value=0.0)


def _last_year(run: Run, table: str, scenario: str, arm: str, column: str) -> pd.DataFrame:
    rows = run.select(table, scenario, arm, ["seed", "month", column])
    months = sorted(rows["month"].unique())
    return rows[rows["month"].isin(months[-LAST_MONTHS:])]


MEASURES = (
    Measure("survival", "startups alive at the horizon", "share", survival),
    Measure("hhi", "market concentration (HHI)", "index", concentration),
    Measure("best_quality_field", "best field quality", "accuracy", best_field_quality),
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
            {"name": whatif, "differences": [_json_row(one) for one in result.differences if one.whatif == whatif]}
            for whatif in whatifs
        ],
        "training": result.run.training_cost,
        "seconds": result.run.manifest["seconds"],
        "out": str(result.run.folder),
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
    }


def _json_row(one: Difference) -> dict[str, Any]:
    row = {name: None if value != value else value for name, value in _row(one).items()}
    del row["whatif"]
    return {**row, "says": one.measure.says}
