"""`ventures facts` on played runs: screen, document, plots, arms, wrong requests, old and unfinished runs."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import analysis
from analysis.cli.main import run_command
from analysis.facts.collect import ALL, FACTS, facts
from analysis.facts.figures import flat
from analysis.facts.returns import investments
from analysis.facts.tables import STARTUP, read_tables
from analysis.play.experiment import play
from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions
from analysis.runs.manifest import MANIFEST, read_manifest, write_note
from analysis.runs.run import Run
from analysis.runs.seeds import SeedSet
from analysis.statistics.intervals import Interval
from tests.support import analysis_fakes
from tests.support.explain_fakes import ENGINE, ENTRANTS
from tests.support.world_fakes import scenario_of

Call = Callable[..., tuple[int, str, str]]
PAGE = Path(__file__).parents[3] / "docs" / "outputs.md"
OPEN = {"capital": {"ipo_revenue_usd_year": 100_000, "ipo_growth_year": -1, "option_usd": 3e8}}
"""Money for whoever has a model, and an exchange that lists everybody."""


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals as they come out of few draws, which is quick."""
    monkeypatch.setattr("analysis.statistics.resampling.N_BOOTSTRAP", 40)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of two arms in two seeds: three years, some entrants, grants in one arm."""
    drawn = {"entrants": {"new": {**ENTRANTS["new"], "per_year": 4, "at_start": 4}}, "world": OPEN}
    granted = {**drawn, "world": {**OPEN, "law": {"support": {"grant_usd": 500_000}}}}
    arms = [Arm("small", "base", scenario_of(drawn)), Arm("small", "policies/grants", scenario_of(granted))]
    out = tmp_path_factory.mktemp("runs") / "compared"
    settings = PlayOptions(replications=2, jobs=1, out=out, ledger=":memory:")
    play(arms, settings, kind="compare", name="small", engine=ENGINE)
    return out


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of fake worlds, whose tables lack many columns, as those of old runs do."""
    setup = analysis_fakes.FakeScenario(years=2)
    arms = [Arm(setup.name, "base", setup), Arm(setup.name, "without:team", setup.without("team"))]
    out = tmp_path_factory.mktemp("runs") / "case"
    settings = PlayOptions(replications=3, jobs=1, out=out, ledger=":memory:")
    play(arms, settings, kind="cases", name="fake", engine=analysis_fakes.ENGINE)
    return out


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run the command; returns exit code, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "250")

    def run(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command(["facts", *map(str, arguments)])
        return code, *capfd.readouterr()

    return run


def files_in(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_the_screen_has_every_fact_and_judges_none(compared: Path, call: Call) -> None:
    code, out, _ = call(compared)
    assert code == 0 and all(fact.says in out for fact in ALL)
    assert "too few to tell" in out and not re.search(r"\b(inside|below|above|target|verdict)\b(?! one)", out)
    assert (compared / "plots" / "facts.png").stat().st_size > 10_000 and (
        compared / "plots" / "facts-effects.png"
    ).exists()


@pytest.mark.slow
def test_the_document_has_figures_with_n_and_bounds_and_every_key_is_documented(compared: Path, call: Call) -> None:
    code, out, _ = call(compared, "--json")
    document = json.loads(out)
    assert code == 0 and [one["name"] for one in document["facts"]] == [fact.name for fact in ALL]
    first = document["facts"][0]["rows"][0]
    assert set(first) == {column.name for column in ALL[0].columns}
    assert set(first["alive"]) == {"value", "low", "high", "n", "too_few"}
    text = PAGE.read_text(encoding="utf-8").split("`ventures facts --json`")[1].split("`ventures train --json`")[0]
    names = set(keys(document))
    assert len(names) > 60 and not names - set(re.findall(r"\w+", text))


def keys(node: Any) -> Iterator[str]:
    """All names in a document."""
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from keys(one)
    yield from node if isinstance(node, dict) else ()


@pytest.mark.slow
def test_with_out_the_run_folder_stays_as_it_was(compared: Path, call: Call, tmp_path: Path) -> None:
    before = files_in(compared)
    assert call(compared, "--arm", "policies/grants", "--out", tmp_path / "new" / "facts")[0] == 0
    assert files_in(compared) == before
    written = {path.name for path in (tmp_path / "new" / "facts").iterdir()}
    assert written == {"facts.json", "facts-policies-grants.png", "facts-policies-grants-effects.png"}
    assert json.loads((tmp_path / "new" / "facts" / "facts.json").read_text())["arm"] == "policies/grants"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        (("--arm", "policies/grant"), "did you mean policies/grants?"),
        (("--sector", "visoin"), "did you mean vision?"),
        (("--sector", "vision", "--sector", ""), "no sector ''"),
        (("--scenario", "smal"), "did you mean small?"),
    ],
)
def test_what_there_is_not_is_told_in_one_line_with_what_comes_close(
    compared: Path, call: Call, asked: tuple[str, ...], hint: str
) -> None:
    code, out, error = call(compared, *asked)
    assert (code, out) == (2, "") and hint in error and len(error.splitlines()) == 1


def test_no_run_folder_is_told_in_one_line(compared: Path, call: Call) -> None:
    code, _, error = call(compared.with_name("comparde"))
    assert code == 2 and "did you mean" in error and len(error.splitlines()) == 1


def test_a_sector_of_one_gives_the_same_figures_without_funds(compared: Path) -> None:
    run = Run(compared)
    whole, one = facts(run), facts(run, sectors=["vision"])
    assert one["survival"].rows == whole["survival"].rows and one["effects"].rows == whole["effects"].rows
    assert whole["funds"].rows and not one["funds"].rows and any("funds" in note for note in one.notes)


def test_effects_are_of_the_arm_or_of_all(compared: Path) -> None:
    effects = {row.measure: row for row in facts(compared)["effects"].rows}
    assert {row.whatif for row in effects.values()} == {"policies/grants"}
    assert effects["treated_firms"].changed > 0
    assert facts(compared, arm="policies/grants")["effects"].rows == facts(compared)["effects"].rows


def test_multiples_are_what_funds_got(compared: Path) -> None:
    """All that funds distribute comes from exits of startups: the cap tables played again give it to the cent."""
    found = 0.0
    for arm in ("base", "policies/grants"):
        own = read_tables(Run(compared), "small", arm)
        made = investments(replace(own, entrants=own.endings[own.endings["kind"] == STARTUP]))
        of_funds = made[made["round"] != "seed"]
        assert own.per_seed(of_funds, of_funds["back_usd"]) == pytest.approx(
            own.per_seed(own.funds, own.funds["distributed_usd"]), abs=1.0
        )
        found += of_funds["back_usd"].sum()
    assert found > 1e6, "some were sold or listed"


@pytest.mark.slow
def test_arms_of_cases_and_tables_that_lack_columns(case: Path, call: Call) -> None:
    result = facts(case, arm="without:team")
    assert [one.fact for one in result.found] == [fact for fact, _ in FACTS]
    assert "effects are told of comparisons alone" in result.notes
    assert result["concentration"].rows and result["years"].rows and result["survival"].rows
    assert call(case, "--arm", "without:team")[0] == 0


def test_an_unfinished_run_tells_how_many_seeds_there_are(case: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(case, tmp_path / "run"))
    manifest = read_manifest(folder)
    write_note(folder / MANIFEST, manifest.model_copy(update={"status": "interrupted", "seeds": SeedSet.of(range(8))}))
    assert "the run is interrupted: 3 of 8 seeds are finished" in facts(folder).notes


def test_a_run_without_a_finished_seed_is_told_in_one_line(case: Path, tmp_path: Path, call: Call) -> None:
    folder = Path(shutil.copytree(case, tmp_path / "run"))
    for table in folder.glob("*.parquet"):
        table.unlink()
    manifest = read_manifest(folder)
    write_note(folder / MANIFEST, manifest.model_copy(update={"finished_seeds": SeedSet(), "status": "interrupted"}))
    code, _, error = call(folder)
    assert code == 2 and "holds no finished seed" in error and len(error.splitlines()) == 1


@pytest.mark.slow
def test_one_seed_has_figures_without_intervals(tmp_path: Path, call: Call) -> None:
    setup = scenario_of({"years": 1, "entrants": ENTRANTS})
    settings = PlayOptions(replications=1, jobs=1, out=tmp_path / "one", ledger=":memory:")
    play([Arm("small", "base", setup)], settings, kind="run", name="small", engine=ENGINE)
    document = json.loads(call(tmp_path / "one", "--json")[1])
    figures = [
        value for fact in document["facts"] for row in fact["rows"] for value in row.values() if isinstance(value, dict)
    ]
    assert figures and all(one["low"] is None and one["too_few"] for one in figures)
    assert any(one["value"] is not None for one in figures)


def test_the_package_is_the_function_before_and_after_its_modules_are_loaded(case: Path) -> None:
    importlib.import_module("analysis.facts.survival")
    assert analysis.facts(case)["survival"].table.columns.tolist()[:4] == [
        "age_years", "at_risk", "alive", "alive_low",
    ]  # fmt: skip
    assert analysis.facts(Run(case), None, "base").arm == "base"
    with pytest.raises(KeyError, match="no fact 'survivol'"):
        facts(case)["survivol"]


def test_every_fact_says_what_each_field_of_its_rows_is(compared: Path) -> None:
    for found in facts(compared).found:
        columns = {column.name: column for column in found.fact.columns}
        assert len(columns) == len(found.fact.row._fields) and all(one.meaning for one in columns.values())
        for row in found.rows:
            for name, value in row._asdict().items():
                assert isinstance(value, Interval) == (columns[name].least > 0), (found.fact.name, name)
            assert flat(found.fact, row)
