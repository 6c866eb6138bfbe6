"""`ventures train`: one plan, its seeds, grids; what it prints, what it refuses, what it leaves in the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from analysis.cli.main import run_command
from analysis.errors import TrainingInterrupted
from analysis.play import workers
from analysis.play.options import PlayOptions
from analysis.training import grids
from analysis.training import study as scaling_study
from analysis.training.law import intervals_of
from analysis.training.plans import FIELDS, make_plan
from simulation.training.ladder import RUNGS
from simulation.training.ledger.ledger import Ledger
from simulation.training.result import MEASURES
from tests.support.analysis_fakes import ENGINE

Call = Callable[..., tuple[int, str, str]]
SMALL = ("--task", "speech", "--rung", "0", "--rows", "64", "--device", "cpu")


@pytest.fixture
def ventures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run `ventures train` in a fresh folder. Returns exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command(("train", *arguments))
        return code, *capfd.readouterr()

    return call


def test_one_plan_prints_every_measure_it_has(ventures: Call) -> None:
    code, out, err = ventures(*SMALL)
    assert code == 0, err
    for name in ("accuracy_lab", "loss_lab", "leakage", "n_parameters", "training_flops", "latency_us"):
        assert name in out
    assert "1 networks trained live" in out and "not measured on this kind: crash_rate_lab" in out
    assert "epsilon" not in out
    assert "0 networks trained live" in ventures(*SMALL)[1]
    assert "1 networks trained live" in ventures(*SMALL, "--retrain")[1]


def test_every_option_reaches_the_plan(ventures: Call) -> None:
    given = {
        "label_noise": 0.1, "coverage": 0.2, "minority_share": 0.3, "anonymisation": 0.4, "compression": "int8",
        "minimisation": 0.5, "optimizer": "sgd", "activation": "tanh", "learning_rate": 0.03, "schedule": "step",
        "weight_decay": 0.01,
    }  # fmt: skip
    options = [text for name, value in given.items() for text in ("--" + name.replace("_", "-"), str(value))]
    code, out, err = ventures(*SMALL, "--kind", "mlp", "--augmentation", *options, "--json")
    assert code == 0, err
    plan = json.loads(out)["plan"]
    assert set(plan) == set(FIELDS) - {"seed"}
    assert {name: plan[name] for name in given} == given and plan["augmentation"] is True


def test_seeds_give_mean_and_range_and_private_training_its_epsilon(ventures: Call) -> None:
    code, out, err = ventures(*SMALL, "--kind", "mlp", "--dp-noise", "1", "--seed", "5", "--seeds", "3", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["seeds"] == [5, 6, 7] and 0 < document["epsilon"] < 100 and document["delta"] == 1e-5
    lab = [run["accuracy_lab"] for run in document["runs"]]
    told = document["measures"]["accuracy_lab"]
    assert told == {"mean": pytest.approx(sum(lab) / 3), "min": min(lab), "max": max(lab)}
    assert set(document["measures"]) | {"device", "torch_version"} == set(MEASURES)
    assert document["measures"]["elbo"] is None and document["training"]["runs"] == 3
    out = ventures(*SMALL, "--kind", "mlp", "--dp-noise", "1", "--seed", "5", "--seeds", "3")[1]
    assert "epsilon" in out and "seeds 5 to 7" in out and "3 from the ledger" in out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("--task spech", "not 'spech'; did you mean 'speech'?"),
        ("spech", "--task must be one of"),
        ("--kind cn", "not 'cn'; did you mean 'cnn'?"),
        ("--task digits --kind vae", "--kind: kind of the task digits must be one of linear"),
        ("--task speech --task digits", "one plan has one task"),
        ("--rung 9", "--rung must be a whole number in [0, 8], not 9"),
        ("--task city-notices --rung 6", "rung of the task city-notices must be a whole number in [0, 5], not 6"),
        ("--rung two", "--rung"),
        ("--rows 63", "--rows must be a whole number in [64, 8192], not 63"),
        ("--seed -1", "--seed must be a whole number in [0,"),
        ("--seeds 0", "--seeds must be at least 1, not 0"),
        ("--seeds 99999999", "--seeds must be at most"),
        ("--label-noise 2", "--label-noise must lie in [0, 1], not 2.0"),
        ("--learning-rate nan", "--learning-rate must lie in [1e-06, 10], not nan"),
        ("--schedule cosin", "did you mean 'cosine'?"),
        ("--optimizer adm", "did you mean 'adam'?"),
        ("--dp-noise 17", "--dp-noise must lie in [0, 16]"),
        ("--dp-noise 1 --kind linear", "--dp-noise needs one of the kinds"),
        ("--pretraining-rows 64", "--pretraining-rows needs a task of a sector"),
        ("--compresion int8", "--compresion"),
        ("--out here", "--out goes with --grid"),
        ("--jobs 0", "jobs must be at least 1, not 0"),
        ("--grid scalng", "did you mean 'scaling'?"),
        ("--grid scaling --rung 3", "--rung does not go with --grid scaling"),
        ("--grid scaling --kind linear", "--kind linear has no scaling grid"),
        ("--grid scaling --task digits", "--task digits has no scaling grid"),
        ("--grid scaling --task spech", "did you mean 'speech'?"),
        ("--grid scaling --out ledger.txt", "--out ledger.txt is a file"),
        ("--grid scaling --out full", "full is not empty and holds no grid"),
        ("--grid default --rows 64", "--rows does not go with --grid default"),
        ("--grid default --kind mlp", "--kind does not go with --grid default"),
        ("--grid nofile.yaml", "nofile.yaml: no such file"),
        ("--grid broken.yaml", "broken.yaml:2: not readable as YAML"),
        ("--grid list.yaml", "list.yaml:1: must be a mapping of keys to values, not a list"),
        ("--grid typo.yaml", "typo.yaml:1: unknown key 'rowz' in the grid; did you mean 'rows'?"),
        ("--grid good.yaml --rows 64", "--rows stands in good.yaml too"),
        ("--grid bad.yaml", "bad.yaml:1: rows[0]: rows must be a whole number in [64, 8192], not 'many'"),
        ("--grid huge.yaml --seeds 999999", "at most 1,000,000 are allowed"),
    ],
)
def test_a_wrong_request_gets_one_clear_line_and_2(ventures: Call, command: str, says: str) -> None:
    Path("ledger.txt").write_text("not a folder")
    Path("full").mkdir()
    Path("full", "thesis.txt").write_text("precious")
    for name, text in {"broken": "rows: [64", "list": "- rows", "typo": "rowz: [64]", "good": "rows: [64, 128]",
                       "bad": "rows: [many]", "huge": "rung: [0, 1, 2]"}.items():  # fmt: skip
        Path(f"{name}.yaml").write_text(text)
    code, out, err = ventures(*command.split())
    assert code == 2 and out == ""
    assert says in err and err.count("\n") == 1 and "Traceback" not in err
    assert not Path("runs").exists() and not Path("ledger.sqlite").exists()


@pytest.fixture
def small_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scaling grid of three rungs and four numbers of rows, with few resamples."""
    monkeypatch.setattr(scaling_study, "intervals_of", partial(intervals_of, n_resamples=10))
    monkeypatch.setattr(grids, "SCALING_ROWS", (64, 128, 256, 512))
    monkeypatch.setattr(grids, "RUNGS", RUNGS[:3])


@pytest.mark.slow
def test_a_scaling_grid_leaves_tables_fits_and_plots(ventures: Call, small_ladder: None) -> None:
    common = ("--grid", "scaling", "speech", "--seeds", "2", "--device", "cpu", "--jobs", "1", "--out", "here")
    code, out, err = ventures(*common)
    assert code == 0, err
    assert "C14" in out and "0.3478" in out and "no better than guessing" in out and "steps grows with the rung" in out
    assert "24 networks trained live" in out
    runs, fits = pd.read_parquet("here/runs.parquet"), pd.read_csv("here/fits.csv")
    assert len(runs) == 24 and set(runs["key"]) == set(Ledger.open("ledger.sqlite").keys())
    assert (runs["weight_decay"] == 0.05).all() and set(runs["schedule"]) == {"cosine"}
    assert fits["cells"].tolist() == ["learned", "all"] and (fits["alpha_low"][0] <= fits["alpha_high"][0])
    assert len(pd.read_csv("here/cells.csv")) == 12 and Path("here/rises.parquet").exists()
    assert sorted(path.name for path in Path("here/plots").iterdir()) == ["speech-cnn.png", "summary.png"]
    first = json.loads(Path("here/grid.json").read_text())

    code, out, err = ventures(*common, "--json")
    assert code == 0, err
    again = json.loads(out)
    assert again["training"]["runs"] == 0 and again["training"]["from_ledger"] == 24
    assert again["studies"] == first["studies"]

    code, _, err = ventures(*common[:-4], "--seed", "7", "--out", "here")
    assert code == 2 and "here holds another grid" in err


def test_a_file_of_lists_gives_their_product(ventures: Call) -> None:
    Path("my.yaml").write_text("task: [speech, digits]\nkind: [linear, mlp]\nlabel_noise: [0, 0.4]\n")
    code, out, err = ventures("--grid", "my.yaml", "--rung", "0", "--rows", "64", "--seeds", "2", "--jobs", "1")
    assert code == 0, err
    assert "16 networks trained live" in out and "label_noise" in out
    folder = next(Path("runs").iterdir())
    assert folder.name.startswith("my-") and len(pd.read_csv(folder / "runs.csv")) == 16


@pytest.mark.slow
def test_the_default_grid_plays_the_cases_and_says_how_to_carry_it(
    ventures: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.play.experiment.real_engine", lambda: ENGINE)
    monkeypatch.setattr("analysis.cases.setups.shipped_cases", lambda: ["cases/vision", "cases/fraud"])
    code, out, err = ventures("--grid", "default", "--seeds", "1", "--jobs", "1")
    assert code == 0, err
    assert "ventures ledger export" in out and "ventures ledger import" in out and not Path("runs").exists()
    document = json.loads(ventures("--grid", "default", "--seeds", "1", "--jobs", "1", "--json")[1])
    assert document["seeds"] == [0] and document["ledger"].endswith("ledger.sqlite")


@pytest.mark.slow
def test_processes_give_the_same_results_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = [make_plan({"rung": rung, "rows": 64, "seed": seed}) for rung in (0, 1) for seed in (0, 1)]
    alone = grids.train_plans(plans, PlayOptions(jobs=1, ledger=":memory:", device="cpu"))
    ledger = tmp_path / "shared.sqlite"
    together = grids.train_plans(plans, PlayOptions(jobs=2, ledger=ledger, device="cpu"))
    assert alone.results == together.results and together.n_trained == 4
    assert len(Ledger.open(ledger)) == 4


def test_an_interrupt_keeps_what_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = [make_plan({"rung": rung, "rows": 64}) for rung in (0, 1, 2)]
    settings = PlayOptions(jobs=1, ledger=tmp_path / "ledger.sqlite", device="cpu")
    calls = []

    def interrupted(*arguments: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **options)  # type: ignore[arg-type]

    real = grids.train_chunk
    monkeypatch.setattr(grids, "train_chunk", interrupted)
    with pytest.raises(TrainingInterrupted, match="2 of 3 networks are trained and in the ledger"):
        grids.train_plans(plans, settings)
    monkeypatch.setattr(grids, "train_chunk", real)
    assert grids.train_plans(plans, settings).n_trained == 1


@pytest.mark.slow
def test_errors_of_workers_travel_back() -> None:
    with pytest.raises(ZeroDivisionError):
        list(workers.parallel_map(reciprocal, [1, 0, 2], 2, "never mind"))


def reciprocal(number: int) -> float:
    """1 / number."""
    return 1 / number
