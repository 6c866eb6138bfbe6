"""The weight store: what is served is what was trained, whatever happens to its files, and nothing is trained twice."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from simulation.training.device import DeviceError
from simulation.training.foundation import library as library_module
from simulation.training.foundation import pretrain as pretraining
from simulation.training.foundation import store as store_module
from simulation.training.foundation.ladder import foundation_named
from simulation.training.foundation.library import Library, folder_beside, forget_foundations
from simulation.training.foundation.pretrain import Foundation, Progress
from simulation.training.foundation.store import StoreWarning, WeightStore
from tests.support.foundation_fakes import TINY
from tests.support.patience import HANGS_S

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is at hand, nothing has been said; judging takes moments."""
    forget_foundations()
    store_module._SAID.clear()
    monkeypatch.setattr(pretraining, "N_GENERAL", 256)
    monkeypatch.setattr(pretraining, "N_SECTOR", 32)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of foundations as they are trained."""
    real, keys = library_module.pretrain, list[str]()

    def counted(plan: object, *rest: object) -> Foundation:
        keys.append(plan.key())  # type: ignore[attr-defined]
        return real(plan, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(library_module, "pretrain", counted)
    return keys


def same(one: Foundation, other: Foundation) -> bool:
    return one.result == other.result and all(torch.equal(a, b) for a, b in zip(one.body, other.body, strict=True))


def get(folder: Path) -> Foundation:
    forget_foundations()
    return Library(folder).get(TINY, CPU)


def weights_of(folder: Path) -> Path:
    (path,) = (folder / "weights").iterdir()
    return path


def test_a_foundation_is_trained_once_and_served_from_memory_then_from_the_store(
    tmp_path: Path, trainings: list[str]
) -> None:
    library = Library(tmp_path)
    first = library.get(TINY, CPU)
    assert library.get(TINY, CPU) is first
    assert same(get(tmp_path), first) and trainings == [TINY.key()]
    assert not list((tmp_path / "partial").glob("*")) and not list(tmp_path.rglob("*.draft"))
    info = WeightStore(tmp_path).info()
    assert info["foundations"] == info["weights"] == 1 and info["bytes"] == weights_of(tmp_path).stat().st_size
    assert Library(tmp_path, retrain=True).get(TINY, CPU).result == first.result and len(trainings) == 2


def test_without_a_folder_it_lives_as_long_as_the_process(trainings: list[str]) -> None:
    assert folder_beside(":memory:") is None
    library = Library()
    assert library.get(TINY, CPU) is Library().get(TINY, CPU) and len(trainings) == 1


def truncated(folder: Path) -> None:
    path = weights_of(folder)
    path.write_bytes(path.read_bytes()[:-100])


def flipped(folder: Path) -> None:
    path = weights_of(folder)
    content = bytearray(path.read_bytes())
    content[-7] ^= 1
    path.write_bytes(bytes(content))


def foreign(folder: Path) -> None:
    weights_of(folder).write_text("weights of another version")


def gone(folder: Path) -> None:
    weights_of(folder).unlink()


def entry_edited(folder: Path) -> None:
    (path,) = (folder / "foundations").iterdir()
    path.write_text(path.read_text().replace('"loss_general": ', '"loss_general": 1'))


def entry_garbled(folder: Path) -> None:
    (path,) = (folder / "foundations").iterdir()
    path.write_bytes(path.read_bytes()[:50])


def entry_of_another(folder: Path) -> None:
    """A whole and believable entry under the wrong name."""
    (path,) = (folder / "foundations").iterdir()
    record = json.loads(path.read_text())
    del record["checksum"]
    record["result"]["key"] = "0" * 32
    path.write_text(json.dumps(record | {"checksum": store_module._checksum(record)}))


@pytest.mark.slow
@pytest.mark.parametrize("damage", [truncated, flipped, foreign, gone, entry_edited, entry_garbled, entry_of_another])
def test_what_is_damaged_is_trained_again_and_never_served(
    damage: Callable[[Path], None], tmp_path: Path, trainings: list[str], recwarn: pytest.WarningsRecorder
) -> None:
    first = get(tmp_path)
    damage(tmp_path)
    assert same(get(tmp_path), first) and len(trainings) == 2
    told = [str(one.message) for one in recwarn if issubclass(one.category, StoreWarning)]
    assert len(told) == (0 if damage is gone else 1) and all(
        "trained again" in text and "\n" not in text for text in told
    )
    assert same(get(tmp_path), first) and len(trainings) == 2  # mended


def test_the_weights_that_were_not_used_for_longest_go_first_and_measures_stay(tmp_path: Path) -> None:
    foundations = [Library(tmp_path).get(replace(TINY, seed=seed), CPU) for seed in range(3)]
    store = WeightStore(tmp_path)
    size = store.info()["bytes"] // 3
    for seed, age in ((0, 30), (1, 20), (2, 10)):
        entry = store.entry(foundations[seed].plan)
        assert entry is not None
        path = tmp_path / "weights" / f"{entry.weights}.safetensors"
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))
    assert store.get(foundations[0].plan) is not None  # used now
    fourth = Library().get(replace(TINY, seed=3), CPU)
    assert WeightStore(tmp_path, cap_bytes=3 * size).put(fourth)
    assert [store.get(one.plan) is not None for one in foundations] == [True, False, True]
    assert store.get(fourth.plan) is not None
    assert store.entry(foundations[1].plan) is not None
    assert WeightStore(tmp_path, cap_bytes=1).put(fourth) and store.get(fourth.plan) is not None


def test_a_full_disk_loses_nothing_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainings: list[str]
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", full)
    with pytest.warns(StoreWarning, match="No space left on device") as told:
        first = Library(tmp_path).get(TINY, CPU)
        Library(tmp_path).get(replace(TINY, seed=1), CPU)
    assert len(told) == 1 and "\n" not in str(told[0].message)
    assert Library(tmp_path).get(TINY, CPU) is first and len(trainings) == 2
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".draft", ".safetensors")]


def test_a_checkpoint_is_kept_while_training_and_a_damaged_one_is_not_used(tmp_path: Path) -> None:
    checkpoint = WeightStore(tmp_path).checkpoint(TINY)
    for steps in (5, 9):
        checkpoint.save(Progress(steps, torch.arange(10.0), 1.5))
    (path,) = (tmp_path / "partial").iterdir()
    found = checkpoint.load()
    assert found is not None and found.steps == 9 and found.seconds == 1.5 and found.numbers[3] == 3.0
    assert WeightStore(tmp_path).checkpoint(replace(TINY, seed=1)).load() is None
    path.write_bytes(path.read_bytes().replace(b"\x00\x00\x40\x40", b"\x00\x00\x80\x40"))
    assert checkpoint.load() is None
    checkpoint.clear()
    assert not list((tmp_path / "partial").iterdir())


def test_what_this_machine_cannot_train_is_an_error_at_once_unless_it_is_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainings: list[str]
) -> None:
    with pytest.raises(DeviceError, match=r"'cpu': a foundation of 3e\+16 operations \(gpu/F12\) would take more than"):
        Library(tmp_path).get(foundation_named("gpu/F12"), CPU)
    assert not trainings
    Library(tmp_path).check(foundation_named("laptop/F6"), CPU)
    get(tmp_path)
    monkeypatch.setattr(library_module, "MOST_CPU_FLOPS", 1.0)
    Library(tmp_path).check(TINY, CPU)  # another machine has trained it
    with pytest.raises(DeviceError):
        Library(tmp_path).check(replace(TINY, seed=1), CPU)


def train_there(folder: str, results: multiprocessing.Queue[tuple[bool, float]]) -> None:
    trained: list[str] = []
    real = library_module.pretrain
    library_module.pretrain = lambda *arguments: trained.append("") or real(*arguments)  # type: ignore[assignment, func-returns-value]
    result = Library(Path(folder)).get(TINY, CPU).result
    results.put((bool(trained), result.loss_general))


@pytest.mark.slow
def test_two_processes_train_the_same_foundation_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[bool, float]] = context.Queue()
    workers = [context.Process(target=train_there, args=(str(tmp_path), results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=HANGS_S) for _ in workers]
    for worker in workers:
        worker.join(HANGS_S)
    assert sorted(trained for trained, _ in found) == [False, True]
    assert found[0][1] == found[1][1]
