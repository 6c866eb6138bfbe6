"""`ventures bench training`: it runs, says everything, and its contenders really train the same members."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from analysis.cli.main import run_command
from simulation.training.bench.contenders import train_plain, train_vmap
from simulation.training.bench.jobs import JOBS, chunks_of, job_flops, members_of, train_fused
from simulation.training.bench.run import Contender, rows_of, threads, verdicts, warm_up
from simulation.training.plan import NETWORK_KINDS

CPU = torch.device("cpu")
SPREAD = {"median", "min", "max"}


@pytest.mark.parametrize("job", ["M", "S"])
def test_contenders_train_the_same_members_to_the_same_loss(job: str) -> None:
    """They begin with the same weights and see the same rows, so that only rounding separates them."""
    shape = replace(JOBS[job], steps=40)
    members = members_of(shape, 3)
    losses = train_fused(shape, members, CPU)
    assert sorted(losses) == [0, 1, 2]
    with threads(1):  # on a busy machine several would wait for one another
        assert train_plain(shape, members, CPU) == pytest.approx(losses, rel=1e-3)
        assert train_plain(shape, members, CPU, fused=True) == pytest.approx(losses, rel=1e-3)
        assert train_vmap(shape, members, CPU) == pytest.approx(losses, rel=1e-3)


def test_a_longer_run_learns() -> None:
    """Guessing has a loss of log 10 = 2.3."""
    shape = JOBS["S"]
    assert max(train_fused(shape, members_of(shape, 4), CPU).values()) < 1.6


def test_chunks_hold_every_member_once_and_serve_every_worker() -> None:
    job = JOBS["M"]
    members = members_of(job, 128)
    for n_parts in (1, 2, 5):
        chunks = chunks_of(job, members, CPU, n_parts)
        assert sorted(member.seed for chunk in chunks for member in chunk) == list(range(128))
        assert all(len({member.width for member in chunk}) == 1 for chunk in chunks)
        assert len(chunks) % n_parts == 0


def test_flops_follow_the_formula() -> None:
    products = [64 * 64, 64 * 64, 64 * 10]
    expected = 300 * 64 * (6 * sum(products) - 2 * products[0])
    assert job_flops(JOBS["M"], members_of(JOBS["M"], 1)) == expected


def test_ratios_are_paired_by_repetition() -> None:
    job, members = JOBS["S"], members_of(JOBS["S"], 2)
    plain = Contender("plain", "", lambda *_: {}, members[:1], seconds=[1.0, 10.0, 1.0])
    core = Contender("core", "", lambda *_: {}, members, seconds=[0.1, 1.0, 0.2])
    rows = rows_of(job, [plain, core], [1e9, 1e9, 1e9])
    assert rows[1]["ratio_to_plain"] == pytest.approx({"median": 20, "min": 10, "max": 20})
    reached, startup = verdicts(job, rows, 1.5)
    assert reached["reached"] == pytest.approx(20) and not reached["met"] and not startup["met"]


def test_a_machine_without_a_compiler_says_so() -> None:
    def broken(*_: object) -> dict[int, float]:
        raise RuntimeError("no C++ compiler found\nmore")

    contenders = [Contender("plain-compiled", "", broken, members_of(JOBS["S"], 1))]
    assert warm_up(contenders, JOBS["S"], CPU, lambda text: None) == [
        {"name": "plain-compiled", "why": "torch.compile does not work here: no C++ compiler found"}
    ]
    assert not contenders


@pytest.mark.slow
def test_the_command_gives_every_figure_as_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "bench.json"
    arguments = ["--job", "S", "--quick", "--repeats", "1", "--members", "4", "--jobs", "1", "--device", "cpu"]
    assert run_command(["bench", "training", *arguments, "--note", "test", "--json", "--out", str(file)]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document == json.loads(file.read_text(encoding="utf-8"))
    assert (document["job"], document["note"], document["repeats"]) == ("S", "test", 1)
    assert set(document["machine"]) == {"device", "cores", "torch", "load_before", "busy"}
    assert set(document["matmul_flops_per_s"]) == SPREAD
    rows = {row["name"]: row for row in document["contenders"]}
    assert list(rows) == ["plain", "plain-fused-adam", "vmap", "core", "core-processes"]
    load = document["machine"]["load_before"]
    assert {row["load_before"] for row in (*rows.values(), *document["growth"])} == {load}
    for row in rows.values():
        for name in ("runs_per_s", "ratio_to_plain", "flops_per_s", "share_of_matmul"):
            assert set(row[name]) == SPREAD and row[name]["min"] > 0
        assert row["mean_loss"] == pytest.approx(rows["plain"]["mean_loss"], rel=1e-3)
        assert row["peak_bytes"] is None and row["threads"] >= 1
    assert [row["members"] for row in document["growth"]] == [1, 4]
    assert set(document["startup"]) == {"members", "first_s", "later_s", "extra_s"}
    assert document["skipped"] == [{"name": "plain-compiled", "why": "not with --quick"}]
    assert document["targets"] == []


def test_the_ladder_is_measured_cell_by_cell(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["--job", "ladder", "--quick", "--repeats", "1", "--members", "2", "--device", "cpu", "--json"]
    assert run_command(["bench", "training", *arguments]) == 0
    document = json.loads(capfd.readouterr().out)
    assert {(row["kind"], row["rung"]) for row in document["ladder"]} == {
        (kind, 0) for kind in ("linear", *NETWORK_KINDS)
    }
    assert all(row["runs_per_s"]["min"] > 0 for row in document["ladder"])
    assert {row["load_before"] for row in document["ladder"]} == {document["machine"]["load_before"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "busy", "warned"), [(0.0, False, False), (0.5, False, False), (0.51, True, True), (None, None, False)]
)
def test_a_busy_machine_is_warned_of_and_written_down(
    load: float | None,
    busy: bool | None,
    warned: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("simulation.training.bench.run.load_average", lambda: load)
    arguments = ["--job", "ladder", "--quick", "--repeats", "1", "--members", "2", "--device", "cpu", "--json"]
    assert run_command(["bench", "training", *arguments]) == 0
    out, talk = capfd.readouterr()
    document = json.loads(out)
    assert (document["machine"]["load_before"], document["machine"]["busy"]) == (load, busy)
    assert {row["load_before"] for row in document["ladder"]} == {load}
    assert ("warning" in talk) == warned and ("the machine was busy" in talk) == warned


@pytest.mark.parametrize("wrong", [["--job", "L"], ["--repeats", "0"], ["--members", "-1"], ["--device", "abacus"]])
def test_a_wrong_option_is_told_in_one_line(wrong: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["bench", "training", *wrong]) == 2
    assert capfd.readouterr().err.count("\n") == 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_peak_memory_is_measured(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["bench", "training", "--job", "S", "--quick", "--device", "cuda", "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)["contenders"]
    assert all(row["peak_bytes"] > 0 for row in rows)
