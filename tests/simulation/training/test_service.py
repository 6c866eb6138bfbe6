"""The desk between firms and the trainer: lazy, thrifty and traceable."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from simulation.training import service as service_module
from simulation.training import trainer
from simulation.training.device import DeviceError, device_name, resolve_device
from simulation.training.foundation.library import Library
from simulation.training.ledger.ledger import Ledger
from simulation.training.ledger.rows import is_believable, result_of
from simulation.training.ledger.verify import Verification, verify_row
from simulation.training.plan import TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.service import TrainingService


def plan_of(seed: int, rung: int = 0) -> TrainingPlan:
    return TrainingPlan("security-vision", "mlp", rung, 200, seed=seed)


def verified(ledger: Ledger, n: int, seed: int = 0, device: str = "cpu") -> list[Verification]:
    return [verify_row(row, resolve_device(device)) for row in ledger.sample(n, seed)]


def test_pending_plans_of_a_bucket_are_trained_with_the_first_that_is_due() -> None:
    service = TrainingService(Ledger(), "cpu")
    keys = [service.submit(plan_of(seed)) for seed in range(5)]
    other = service.submit(plan_of(0, rung=1))
    assert service.n_pending == 6
    assert service.train([keys[2]]) == 5
    assert service.n_pending == 1
    assert service.train(keys) == 0
    assert service.result(other).key == other  # asked for: trained now
    assert (service.n_runs, service.n_from_ledger) == (6, 0)
    assert service.seconds > 0


def test_used_keys_are_those_whose_results_were_asked_for() -> None:
    service = TrainingService(Ledger(), "cpu")
    keys = [service.submit(plan_of(seed)) for seed in range(3)]
    service.train(keys)
    service.result(keys[1])
    assert service.used_keys == {keys[1]}


def test_what_stands_in_the_ledger_is_not_trained_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = TrainingService(Ledger(path), "cpu")
    keys = [first.submit(plan_of(seed)) for seed in range(3)]
    first.train(keys)

    second = TrainingService(Ledger(path), "cpu")
    again = [second.submit(plan_of(seed)) for seed in range(4)]
    assert second.train(again[:1]) == 0
    assert second.train(again) == 1
    assert (second.n_runs, second.n_from_ledger) == (1, 3)
    assert [second.result(key) for key in keys] == [first.result(key) for key in keys]

    third = TrainingService(Ledger(path), "cpu", retrain=True)
    third.submit(plan_of(0))
    assert third.train(keys[:1]) == 1


def test_a_damaged_row_is_trained_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = TrainingService(Ledger(path), "cpu")
    key = first.submit(plan_of(0))
    good = first.result(key)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET accuracy_lab = 1.0")
    second = TrainingService(Ledger(path), "cpu")
    second.submit(plan_of(0))
    assert second.result(key) == good
    assert second.n_runs == 1
    assert Ledger(path).get(key) == good


def test_the_rows_of_a_service_say_what_was_used_whatever_the_ledger_says(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    plans = [plan_of(seed) for seed in range(3)]
    first = TrainingService(Ledger(path), "cpu")
    keys = [first.submit(plan) for plan in plans]
    true = {key: first.result(key) for key in keys}
    assert [row["key"] for row in first.rows()] == sorted(keys) and first.rows() == Ledger(path).rows()

    lying = Ledger(tmp_path / "lying.sqlite")  # no check tells that accuracies are not those of training
    lying.add_many([(plans[0], replace(true[keys[0]], accuracy_lab=0.123))])
    second = TrainingService(lying, "cpu", retrain=True)
    assert {key: second.result(second.submit(plan)) for key, plan in zip(keys, plans, strict=True)} == true
    assert lying.get(keys[0]) != true[keys[0]]  # a row that stands stays
    assert {row["key"]: result_of(row) for row in second.rows()} == true

    with sqlite3.connect(path) as connection:  # as where keys are out of order and cannot be found
        connection.execute("DELETE FROM runs WHERE key = ?", [keys[1]])
    assert {row["key"]: result_of(row) for row in first.rows()} == true
    assert all(is_believable(tuple(row.values())) for row in first.rows())


def test_an_unknown_key_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="abc"):
        TrainingService(Ledger(), "cpu").train(["abc"])


def test_an_interrupt_keeps_finished_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = trainer.train_bucket

    def interrupted(
        plans: Sequence[TrainingPlan], device: torch.device, library: Library
    ) -> Iterator[list[TrainingResult]]:
        yield next(iter(real(plans, device, 2)))
        raise KeyboardInterrupt

    monkeypatch.setattr(service_module, "train_bucket", interrupted)
    service = TrainingService(Ledger(tmp_path / "ledger.sqlite"), "cpu")
    keys = [service.submit(plan_of(seed)) for seed in range(5)]
    with pytest.raises(KeyboardInterrupt):
        service.train(keys)
    assert len(Ledger(tmp_path / "ledger.sqlite")) == 2
    monkeypatch.undo()
    assert service.train(keys) == 3


def test_waiting_for_the_ledger_is_not_counted_as_training(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, real = [0.0], trainer.train_bucket

    def training(plans: Sequence[TrainingPlan], device: torch.device, **_: object) -> Iterator[list[TrainingResult]]:
        for results in real(plans, device, 2):
            now_s[0] += 1.0
            yield results

    def waiting(runs: object) -> bool:
        now_s[0] += 60.0
        return False

    monkeypatch.setattr(service_module, "train_bucket", training)
    monkeypatch.setattr("simulation.training.service.time.perf_counter", lambda: now_s[0])
    service = TrainingService(Ledger(), "cpu")
    monkeypatch.setattr(service.ledger, "add_many", waiting)
    service.train([service.submit(plan_of(seed)) for seed in range(6)])
    assert service.seconds == 3.0


def test_out_of_memory_halves_the_chunk_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    real, sizes = trainer._train_chunk, []

    def limited(
        plans: Sequence[TrainingPlan], device: torch.device, size: int, library: Library
    ) -> list[TrainingResult]:
        sizes.append(len(plans))
        if len(plans) > 3:
            raise torch.OutOfMemoryError("too much")
        return real(plans, device, size, library)

    monkeypatch.setattr(trainer, "_train_chunk", limited)
    results = [
        r for chunk in trainer.train_bucket([plan_of(s) for s in range(7)], torch.device("cpu"), 8) for r in chunk
    ]
    assert sizes == [7, 4, 2, 2, 2, 1]
    assert len(results) == 7


def test_verification_finds_what_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path)
    service = TrainingService(ledger, "cpu")
    service.train([service.submit(plan_of(seed)) for seed in range(4)])
    checks = verified(ledger, 3, seed=1)
    assert len(checks) == 3
    assert all(check.passed and check.tolerance == 0.0 for check in checks)

    plan, result = plan_of(9), service.result(service.submit(plan_of(1)))
    forged = Ledger()
    values = {name: getattr(result, name) for name in TrainingResult.__annotations__}
    forged.add_many([(plan, TrainingResult(**{**values, "key": plan.key(), "accuracy_lab": 0.9}))])
    (check,) = verified(forged, 1)
    assert not check.passed
    assert check.differences["accuracy_lab"] < -0.1


def test_devices() -> None:
    assert resolve_device("auto").type in ("cpu", "cuda", "mps")
    assert device_name(resolve_device("cpu")).startswith("cpu")
    with pytest.raises(DeviceError, match=r"tpu.*--device auto"):
        resolve_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="not available"):
            TrainingService(Ledger(), "cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu_within_the_tolerance() -> None:
    ledger = Ledger()
    service = TrainingService(ledger, "cpu")
    service.train([service.submit(plan_of(seed)) for seed in range(4)])
    checks = verified(ledger, 4, device="cuda")
    assert all(check.passed for check in checks)
