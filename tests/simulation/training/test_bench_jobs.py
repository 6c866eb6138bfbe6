"""Jobs R, F and A of `ventures bench training`, and the gate that every contender passes first."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from analysis.cli.main import run_command
from simulation.training.bench import adaptations, foundation, run
from simulation.training.bench.contenders import first_weights, train_plain, train_vmap
from simulation.training.bench.gate import ABSOLUTE, TOLERANCE, Gate, document
from simulation.training.bench.jobs import (
    JOBS,
    N_WIDTHS,
    NARROWEST,
    WIDEST,
    chunks_of,
    members_of,
    random_widths,
    start_chunk,
    train_fused,
)
from simulation.training.bench.run import Contender, threads
from simulation.training.bench.ways import Way, compare
from simulation.training.foundation import pretrain as pretraining
from simulation.training.foundation.ladder import foundation_named
from simulation.training.minibatches import hard_error

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine several threads would wait for one another at every operation."""
    monkeypatch.setattr(run, "n_cores", lambda: 1)
    monkeypatch.setattr(foundation, "n_cores", lambda: 1)


def test_widths_of_job_r_are_drawn_once_and_for_all_and_spread_from_the_first_on() -> None:
    widths = random_widths()
    assert widths == JOBS["R"].widths == random_widths() and len(widths) == N_WIDTHS
    assert min(widths) >= NARROWEST and max(widths) <= WIDEST and len(set(widths)) > N_WIDTHS // 2
    for n in (8, 16, 32, 64, 128):  # one width of each n-th part of the range, so that a sample costs what all do
        parts = sorted((width - NARROWEST) * n // (WIDEST - NARROWEST + 1) for width in widths[:n])
        assert all(abs(part - place) <= 1 for place, part in enumerate(parts))


def test_networks_of_other_widths_share_a_chunk_and_their_dead_units_stay_dead() -> None:
    job = replace(JOBS["R"], steps=30)
    members = members_of(job, 16)
    chunks = chunks_of(job, members, CPU)
    assert sorted(member.seed for chunk in chunks for member in chunk) == list(range(16))
    mixed = next(chunk for chunk in chunks if len({member.width for member in chunk}) > 1)
    network, optimizer, batches = start_chunk(job, mixed, CPU)
    with torch.inference_mode():
        for step in range(job.steps):
            x, y = batches(step)
            logits, kept = network.forward(x, reuse=True)
            network.backward(hard_error(logits, x, y), kept)
            optimizer.step(step)
    for place, member in enumerate(mixed):
        for block in network.blocks[:4]:
            assert block[place, member.width :].abs().sum() == 0 and block[place, : member.width].abs().sum() > 0


def test_contenders_of_job_r_train_the_same_networks_to_the_same_loss() -> None:
    job = replace(JOBS["R"], steps=40)
    members = members_of(job, 4)
    losses = train_fused(job, members, CPU)
    with threads(1):
        assert train_plain(job, members, CPU) == pytest.approx(losses, rel=1e-4)
        assert train_vmap(job, members, CPU) == pytest.approx(losses, rel=1e-4)
    assert first_weights(job, [members[2]], CPU)[0].shape[1] == job.trained_width(members[2].width)


def test_the_gate_counts_allowed_differences() -> None:
    gate = Gate("plain", {"plain": [1.0, 0.01], "near": [1.0 + TOLERANCE / 2, 0.01], "far": [1.0, 0.01 + 2 * ABSOLUTE]})
    assert [gate.passes(name) for name in gate.losses] == [True, True, False]
    assert gate.difference("near") == pytest.approx(0.5) and gate.difference("far") == pytest.approx(2.0)
    assert not Gate("plain", {"plain": [1.0], "lost": [float("nan")]}).passes("lost")
    rows = {row["name"]: row for row in document(gate)["contenders"]}
    assert rows["far"]["passed"] is False and rows["plain"]["losses"] == [1.0, 0.01]


def test_who_trains_something_else_is_not_timed() -> None:
    job = replace(JOBS["S"], steps=5)
    members = members_of(job, 3)

    def other(job: object, members: object, device: object) -> dict[int, float]:
        return {0: 9.0, 1: 9.0, 2: 9.0}

    contenders = [Contender("plain", "", train_plain, members), Contender("core", "", other, members)]
    gate, skipped = run.let_pass(contenders, job, CPU, lambda text: None)
    assert [one.name for one in contenders] == ["plain"] and not gate.passes("core")
    assert skipped[0]["name"] == "core" and "losses" in skipped[0]["why"]


def test_a_way_that_fails_the_gate_is_named_and_has_no_figures() -> None:
    def way(name: str, loss: float) -> Way:
        return Way(name, name, lambda: None, 1.0, None, "plain", lambda: [loss])

    found = compare([way("plain", 1.0), way("core", 1.0), way("core-wrong", 1.1)], CPU, 1, "runs_per_s", lambda _: None)
    assert [row["name"] for row in found["contenders"]] == ["plain", "core"]
    assert [one["name"] for one in found["skipped"]] == ["core-wrong"]


def test_the_plain_foundation_is_the_same_network_on_the_same_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = foundation_named("F0")
    with threads(1):
        ways = {way.name: way for way in foundation.ways_of(plan, CPU, quick=True)}
        assert ways["core"].losses() == pytest.approx(ways["plain"].losses(), rel=1e-5)
        other = {way.name: way for way in foundation.ways_of(replace(plan, seed=1), CPU, quick=True)}
        assert Gate("plain", {"plain": ways["plain"].losses(), "core": other["core"].losses()}).difference("core") > 1


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything small: what a document says does not depend on it."""
    monkeypatch.setattr("simulation.training.foundation.ladder.FIRST_FLOPS", 1e9)
    monkeypatch.setattr(pretraining, "N_GENERAL", 64)
    monkeypatch.setattr(pretraining, "N_SECTOR", 32)
    monkeypatch.setattr(run, "MATMUL", 128)
    monkeypatch.setattr(adaptations, "QUICK", {"probe": 2, "adapter": 1})


def measured(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    command = ["bench", "training", "--quick", "--repeats", "1", "--jobs", "1", "--device", "cpu", "--json", *arguments]
    assert run_command(command) == 0
    out, talk = capfd.readouterr()
    assert "equal-loss gate" in talk
    document: dict[str, object] = json.loads(out)
    return document


@pytest.mark.usefixtures("short")
def test_job_f_says_tokens_per_second_and_its_share(capfd: pytest.CaptureFixture[str]) -> None:
    told = measured(capfd, "--job", "F")
    assert told["foundation"] | {"rung": "laptop/F0"} == told["foundation"]
    rows = {row["name"]: row for row in told["contenders"]}
    assert {"plain", "core"} <= set(rows)
    for row in rows.values():
        assert row["tokens_per_s"]["min"] > 0 and row["share_of_matmul"]["min"] > 0
        assert row["load_before"] == told["machine"]["load_before"]
    assert {row["name"] for gate in told["gate"] for row in gate["contenders"]} == set(rows)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_job_a_says_probes_and_adapters_per_second(capfd: pytest.CaptureFixture[str]) -> None:
    told = measured(capfd, "--job", "A")
    assert [row["name"] for row in told["contenders"]] == ["loop-probe", "core-probe", "loop-adapter", "core-adapter"]
    assert all(row["runs_per_s"]["min"] > 0 and row["ratio_to_plain"]["min"] > 0 for row in told["contenders"])
    assert [gate["reference"] for gate in told["gate"]] == ["loop-probe", "loop-adapter"]


@pytest.mark.slow
def test_job_r_is_gated_and_measured(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MATMUL", 128)
    told = measured(capfd, "--job", "R", "--members", "3")
    assert [row["name"] for row in told["contenders"]] == [
        "plain",
        "plain-fused-adam",
        "vmap",
        "core",
        "core-processes",
    ]
    assert all(row["passed"] for row in told["gate"]["contenders"])


@pytest.mark.parametrize("wrong", [["--job", "F", "--members", "3"], ["--job", "f"]])
def test_a_wrong_option_is_told_in_one_line(wrong: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["bench", "training", *wrong]) == 2
    assert capfd.readouterr().err.count("\n") == 1
