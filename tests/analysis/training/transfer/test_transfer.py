"""The transfer grid: multipliers, their law, who is ahead, and what `ventures train --grid transfer` prints."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.cli.main import run_command
from analysis.errors import AnalysisError
from analysis.pages import transfer as page
from analysis.screens.transfer import transfer_screen
from analysis.training.grids import Trained
from analysis.training.transfer.grid import (
    ADAPTED,
    LATER_YEARS,
    ROWS,
    SCRATCH,
    Cell,
    Size,
    cells_of,
    rungs_of,
    size_of,
    texts_of,
)
from analysis.training.transfer.law import FEW, fit_power, median, multiplier
from analysis.training.transfer.study import Transfer, ahead_from, as_document, study
from simulation.training.foundation.ladder import label
from simulation.training.foundation.plan import FoundationResult
from simulation.training.result import TrainingResult
from simulation.training.values import DOCUMENT_TASKS

SMALL = Size(DOCUMENT_TASKS[:3], ROWS, (0.0, 0.5, 1.0), 1.0, n_seeds=2)
SMALL_RUNGS = list(rungs_of(SMALL).values())


def test_a_multiplier_is_read_between_the_rows_that_were_measured_and_never_beyond() -> None:
    curve = [0.2, 0.3, 0.4, 0.5, 0.6]
    assert multiplier(ROWS, curve, 0.4) == pytest.approx(4.0)
    assert multiplier(ROWS, curve, 0.35) == pytest.approx(2.0)  # halfway between 256 and 1,024 in logarithms
    assert multiplier(ROWS, curve, 0.1) == 0.25 and multiplier(ROWS, curve, 0.61) is None
    assert multiplier(ROWS, [0.2, 0.5, 0.4, 0.4, 0.6], 0.45) == multiplier(ROWS, [0.2, 0.5, 0.5, 0.5, 0.6], 0.45)
    assert median([1.0, None, 3.0]) == 3.0 and median([1.0, None, None]) is None


def test_the_law_of_multipliers_is_found_again_and_says_how_sure_it_is() -> None:
    flops = [10.0 ** (11 + n / 2) for n in range(5)]
    exact: list[list[float | None]] = [[3.0 * (c / 1e12) ** 0.4 * s for s in (0.8, 1.0, 1.25)] for c in flops]
    law = fit_power(flops, exact)
    assert law is not None and law.scale == pytest.approx(3.0) and law.exponent == pytest.approx(0.4)
    assert law.r_squared == pytest.approx(1.0) and law.low == pytest.approx(0.4) == law.high and law.n_rungs == 5
    exact[4] = [None, None, 1.0]
    assert (found := fit_power(flops, exact)) is not None and found.n_rungs == 4
    assert found.exponent == pytest.approx(0.4)
    assert fit_power(flops[:2], exact[:2]) is None


def test_who_is_ahead_from_where_on() -> None:
    assert ahead_from(ROWS, [1, 2, 3, 4, 5], [2, 2, 2, 2, 2]) == 1024
    assert ahead_from(ROWS, [1, 3, 1, 4, 5], [2, 2, 2, 2, 2]) == 4096
    assert ahead_from(ROWS, [3, 3, 3, 3, 2], [2, 2, 2, 2, 2]) is None
    assert ahead_from(ROWS, [3, 3, 3, 3, 3], [2, 2, 2, 2, 2]) == 64


def result_of(key: str, lab: float) -> TrainingResult:
    share = {"traditional_lab": 0.3, "traditional_field": 0.2, "calibration_error": 0.1, "fairness_gap": 0.0}
    counts = {"n_parameters": 1, "model_bytes": 4, "training_flops": 1.0, "inference_flops": 1.0}
    return TrainingResult(
        key=key, accuracy_lab=lab, accuracy_field=lab / 2, loss_lab=1.0, leakage=0.0, latency_us=1.0, seconds=1.0,
        device="cpu", torch_version="2", **share, **counts,
    )  # fmt: skip


def accuracy(cell: Cell) -> float:
    """From scratch 6 points a doubling from 5 % at 32 rows; a probe is worth four times the rows on F0, eight times on
    F1, and stops at 60 %; finetuned it is a little worse with few rows and does not stop."""
    alone = 0.05 + 0.06 * math.log2(cell.plan.rows / 32) + 0.004 * (cell.plan.seed - 0.5)
    if cell.plan.foundation is None:
        return alone - 0.02 * (cell.way == SCRATCH[1].name)
    rung = label(cell.plan.foundation).rpartition("F")[2] if cell.plan.foundation in SMALL_RUNGS else "0"
    worth = alone + 0.06 * (2 + float(rung))
    return min(worth, 0.6) if cell.way == "probe" else worth - 0.01


def foundation_result(name: str, number: int) -> FoundationResult:
    losses = tuple(2.0 - 0.1 * number for _ in DOCUMENT_TASKS)
    return FoundationResult(
        name, 2.0 - 0.1 * number, losses, 1000, 10**6, 10.0 ** (11 + number / 2), 1.0, 1.0, "cpu", "2"
    )


def studied(size: Size = SMALL, of: Callable[[Cell], float] = accuracy) -> tuple[Transfer, list[Cell]]:
    cells = cells_of(size)
    results = {cell.plan.key(): result_of(cell.plan.key(), of(cell)) for cell in cells}
    foundations = {name: foundation_result(name, number) for number, name in enumerate(rungs_of(size))}
    return study(size, cells, results, foundations), cells


def test_the_study_takes_means_over_seeds_and_the_best_way_of_each_side() -> None:
    found, _ = studied()
    sector = found.sectors[0]
    assert sector.scratch["lab"] == pytest.approx([0.05 + 0.06 * math.log2(n / 32) for n in ROWS])
    assert sector.chosen == ["probe", "probe", "probe", "finetuned", "finetuned"]
    assert sector.adapted["lab"][1] == pytest.approx(0.23 + 0.18) and sector.multiplier("lab") == pytest.approx(8.0)
    assert sector.multiplier("field") == pytest.approx(8.0) and found.wins == 3
    assert sector.specialist_from(sector.adapted) is None and sector.specialist_from(sector.probe) is None
    assert [rung["multiplier_lab"] for rung in found.ladder] == pytest.approx([4.0, 2.0**2.5, 8.0])


def test_no_win_where_the_field_or_the_lab_falls_short_and_falls_of_the_ladder_are_told() -> None:
    def weaker(cell: Cell) -> float:
        misses = cell.plan.task == SMALL.tasks[1] and cell.plan.foundation is not None
        return accuracy(cell) - 0.1 * misses - 0.2 * (cell.plan.foundation == SMALL_RUNGS[1])

    found, _ = studied(of=weaker)
    assert found.wins == 2 and [one.wins for one in found.sectors] == [True, False, True]
    assert found.falls == {"lab": ["laptop/F0.5"], "field": ["laptop/F0.5"]}


def test_the_document_has_what_is_promised_and_all_is_shown() -> None:
    found, cells = studied()
    document = json.loads(json.dumps(as_document(found), allow_nan=False))
    assert document["rows"] == [64, 256, 1024, 4096, 16384] and document["wins"] == 3
    for sector in document["sectors"]:
        for side in ("adapted", "scratch", "probe"):
            assert {place: len(curve) for place, curve in sector[side].items()} == {"lab": 5, "field": 5}
        assert sector["multiplier_256"] == pytest.approx(8.0)
    trained = Trained(tuple(cell.plan for cell in cells), (), 1, 0, 1.0, "cpu")
    assert transfer_screen(found, trained) is not None
    for part in (page.sectors, page.gain, page.ladder, page.kinds, page.breadth, page.vintage):
        text = part(document, "file")
        assert text.count("|") > 12 and "nan " not in text


def test_the_grid_holds_every_sector_way_and_number_of_rows() -> None:
    size = size_of((), {}, 2, quick=False)
    cells = cells_of(size)
    main = {(c.way, c.plan.task, c.plan.rows, c.plan.seed) for c in cells if c.part == "main"}
    assert len(main) == len(ADAPTED + SCRATCH) * len(DOCUMENT_TASKS) * len(ROWS) * 2
    assert size.ladder == tuple(n / 2 for n in range(7)) and size.foundation == 3.0
    texts = texts_of(cells)
    assert all(text.tokens for text in texts) and set(rungs_of(size).values()) <= set(texts)
    assert {text.vintage for text in texts} == {2015, 2020} and {text.sector for text in texts} == {
        "",
        *DOCUMENT_TASKS[:2],
    }
    assert {c.plan.year for c in cells if c.part == "vintage"} == set(LATER_YEARS)
    kinds = {c.plan.kind for c in cells if c.part == "kinds"}
    assert kinds >= {
        "mlp",
        "cnn",
        "rnn",
        "transformer",
        "scratch",
        "probe",
        "adapter",
        "finetuned",
        "distilled",
        "linear",
    }
    quick = cells_of(size_of((), {"foundation": "F3"}, 2, quick=True))
    assert len({c.plan.key() for c in quick}) < 60 and all(text.tokens <= 2**16 for text in texts_of(quick))
    other = size_of([DOCUMENT_TASKS[4]], {"seed": 7, "foundation": "laptop/F1"}, 1, quick=False)
    assert other.tasks == (DOCUMENT_TASKS[4],) and other.first_seed == 7 and other.ladder == (0.0, 0.5, 1.0)
    assert replace(other, n_seeds=3) != other


@pytest.mark.parametrize(
    ("tasks", "values", "n_seeds", "says"),
    [
        (["speech"], {}, 1, "--task speech has no transfer grid; "),
        (["city-notice"], {}, 1, "did you mean 'city-notices'?"),
        ([], {"foundation": "F9"}, 1, "--foundation must be a rung as F2 or F2.5"),
        ([], {"foundation": "gpu/F2"}, 1, "has the ladder 'laptop' only"),
        ([], {"seed": -1}, 1, "--seed must be a whole number"),
        ([], {}, 0, "--seeds must be at least 1, not 0"),
    ],
)
def test_a_wrong_grid_is_refused_in_one_line(tasks: list[str], values: dict[str, Any], n_seeds: int, says: str) -> None:
    with pytest.raises(AnalysisError) as refused:
        size_of(tasks, values, n_seeds, quick=False)
    assert says in str(refused.value) and "\n" not in str(refused.value)


@pytest.fixture
def ventures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run `ventures train` in a fresh folder. Returns exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command(("train", *arguments))
        return code, *capfd.readouterr()

    return call


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("--grid transfer --rows 64", "--rows does not go with --grid transfer"),
        ("--grid transfer --kind probe", "--kind does not go with --grid transfer"),
        ("--grid transfer --task speech", "--task speech has no transfer grid"),
        ("--quick", "--quick goes with --grid transfer"),
        ("--task city-notices --kind probe --foundation F7", "--foundation must be a rung as F2 or F2.5"),
        ("--task city-notices --kind probe --foundation gpu/F12 --device cpu", "would take more than an hour here"),
        ("--task city-notices --year 2050", "--year must be a whole number in [2015, 2035]"),
        ("--task speech --year 2021", "--year needs a task of documents"),
        ("--task speech --foundation F2", "--foundation needs one of the kinds probe"),
        ("--task speech --kind probe", "kind of the task speech must be one of"),
        ("--task city-notices --kind probe --compression int8", "--compression needs weights of one's own"),
    ],
)
def test_a_wrong_request_gets_one_clear_line_and_2(ventures: Callable[..., Any], command: str, says: str) -> None:
    code, out, err = ventures(*command.split())
    assert code == 2 and out == "" and says in err and err.count("\n") == 1


@pytest.mark.slow
def test_the_quick_grid_runs_and_a_second_time_trains_nothing(ventures: Callable[..., Any], tmp_path: Path) -> None:
    command = ("--grid", "transfer", "--quick", "--jobs", "1", "--device", "cpu", "--out", "here", "--json")
    code, out, err = ventures(*command)
    assert code == 0, err
    document = json.loads(out)
    assert document["rows"] == [64, FEW, 4 * FEW] and document["quick"] is True and len(document["sectors"]) == 2
    assert document["training"]["runs"] > 30
    assert {path.name for path in (tmp_path / "here").iterdir()} >= {"grid.json", "means.csv", "runs.parquet", "plots"}
    assert (tmp_path / "ledger.sqlite.weights" / "weights").is_dir()
    again = json.loads(ventures(*command)[1])
    assert again["training"]["runs"] == 0 and again["sectors"] == document["sectors"]
