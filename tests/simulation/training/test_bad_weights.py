"""What goes wrong around foundations, as the command tells it: one clear line, nothing lost, nothing trained twice."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import torch as packing

from analysis.cli.main import run_command
from analysis.training import grids
from simulation.training.foundation import ladder
from simulation.training.foundation import library as library_module
from simulation.training.foundation import pretrain as pretraining
from simulation.training.foundation import store as store_module
from simulation.training.foundation.ladder import foundation_named
from simulation.training.foundation.library import Library, folder_beside, forget_foundations
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.foundation.pretrain import Foundation, pretrain
from simulation.training.foundation.store import StoreWarning, WeightStore
from tests.support.foundation_fakes import TASK
from tests.support.patience import HANGS_S

CPU = torch.device("cpu")
FLOPS = 1e9  # of the rung F0 in these tests: a moment
PROBE = ["train", "--task", TASK, "--kind", "probe", "--rows", "128", "--foundation", "F0", "--jobs", "1"]
COMMAND = f"""
import resource, sys
from analysis.cli.main import main
from analysis.training import grids
from simulation.training.foundation import ladder, pretrain
grids.refuse_replaced_rules = lambda: None
ladder.FIRST_FLOPS, pretrain.N_GENERAL, pretrain.N_SECTOR = {FLOPS}, 64, 32
most = int(sys.argv[1])
if most:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
sys.argv[1:] = sys.argv[2:]
main()
"""
"""A `ventures` of its own process with a short F0; the first argument limits the size of files, as a full disk does."""


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_foundations()
    store_module._SAID.clear()
    monkeypatch.setattr(grids, "refuse_replaced_rules", lambda: None)  # the rung below is one
    monkeypatch.setattr(ladder, "FIRST_FLOPS", FLOPS)
    monkeypatch.setattr(pretraining, "N_GENERAL", 64)
    monkeypatch.setattr(pretraining, "N_SECTOR", 32)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the foundations that are trained here."""
    real, keys = library_module.pretrain, list[str]()

    def counted(plan: FoundationPlan, *rest: object) -> Foundation:
        keys.append(plan.key())
        return real(plan, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(library_module, "pretrain", counted)
    return keys


def ventures(*arguments: str, largest_file: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMAND, str(largest_file), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("rung", ["F6.5", "F13", "laptop/F7", "gpu/F12.5", "F0.25", "F-1", "f2", "cloud/F1"])
def test_a_rung_beyond_the_ladder_is_told_with_its_range(
    rung: str, tmp_path: Path, trained: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    grid = tmp_path / "grid.yaml"
    grid.write_text(f"task: [{TASK}]\nkind: [probe]\nfoundation: [F0, {rung}]\n", encoding="utf-8")
    asked = {
        "--foundation": ["train", "--task", TASK, "--kind", "probe", "--foundation", rung],
        f"{grid}:3: foundation[1]": ["train", "--grid", str(grid)],
        "--foundation ": ["train", "--grid", "transfer", "--foundation", rung, "--out", str(tmp_path / "out")],
    }
    for place, command in asked.items():
        assert run_command([*command, "--ledger", str(ledger)]) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert line.startswith(f"ventures: {place.strip()}") and rung in line
        assert "laptop/F0 to laptop/F6" in line or "the ladder 'laptop' only" in line
    assert not trained and not ledger.exists() and not (tmp_path / "out").exists()


def test_a_rung_that_this_machine_cannot_train_is_refused_before_anything_runs(
    tmp_path: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(library_module, "MOST_CPU_FLOPS", 2 * FLOPS)
    grid = tmp_path / "grid.yaml"
    grid.write_text(f"task: [{TASK}]\nkind: [probe]\nrows: [128]\nfoundation: [F0, F1]\n", encoding="utf-8")
    arguments = ["--device", "cpu", "--ledger", str(tmp_path / "l.sqlite"), "--out", str(tmp_path / "out")]
    assert run_command(["train", "--grid", str(grid), *arguments]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "device 'cpu'" in line and "(laptop/F1) would take more than an hour here" in line and not trained


def test_a_foundation_larger_than_the_memory_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def too_large(*arguments: object) -> Foundation:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 TiB.\nmore")

    monkeypatch.setattr(library_module, "pretrain", too_large)
    assert run_command([*PROBE, "--ledger", str(tmp_path / "l.sqlite")]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "the foundation laptop/F0 of width" in line and "does not fit into its memory" in line


def kept(ledger: Path) -> tuple[Path, Path]:
    """The files of the one foundation that is kept: what was measured, weights."""
    folder = folder_beside(str(ledger))
    assert folder is not None
    (entry,), (weights,) = (list((folder / name).iterdir()) for name in ("foundations", "weights"))
    return entry, weights


def believed(entry: Path, weights: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Put other weights in the place of those kept, with all checksums right."""
    content = packing.save(tensors)
    digest = hashlib.sha256(content).hexdigest()
    weights.unlink()
    (weights.parent / f"{digest}.safetensors").write_bytes(content)
    record = json.loads(entry.read_text()) | {"weights": digest}
    del record["checksum"]
    entry.write_text(json.dumps(record | {"checksum": store_module._checksum(record)}))


OTHER: dict[str, Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]] = {
    "wider": lambda old: {name: torch.cat([block, block], dim=1) for name, block in old.items()},
    "deeper": lambda old: old | {"encoder.9.weight": torch.ones(1, 16, 16), "encoder.9.bias": torch.ones(1, 16, 1)},
    "in half precision": lambda old: {name: block.half() for name, block in old.items()},
    "under other names": lambda old: {f"model.{name}": block for name, block in old.items()},
}


@pytest.mark.slow
@pytest.mark.parametrize("change", OTHER)
def test_weights_of_another_version_are_never_used(
    change: str, tmp_path: Path, trained: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    assert run_command([*PROBE, "--ledger", str(ledger), "--json"]) == 0
    first = json.loads(capfd.readouterr().out)
    entry, weights = kept(ledger)
    whole = weights.read_bytes()
    believed(entry, weights, OTHER[change](packing.load(whole)))
    forget_foundations()
    says = r"is of another version, with other layers, and not used\. Its foundation is trained again\.$"
    with pytest.warns(StoreWarning, match=says) as told:
        assert run_command([*PROBE, "--ledger", str(ledger), "--retrain", "--json"]) == 0
    assert len(told) == 1 and "\n" not in str(told[0].message)
    out = capfd.readouterr().out
    assert [one["accuracy_lab"] for one in json.loads(out)["runs"]] == [one["accuracy_lab"] for one in first["runs"]]
    assert len(trained) == 2 and (weights.parent / f"{hashlib.sha256(whole).hexdigest()}.safetensors").exists()


@pytest.mark.slow
def test_a_full_disk_costs_the_weights_and_nothing_else(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    linear = ["train", "--task", TASK, "--kind", "linear", "--rows", "128", "--ledger", str(ledger)]
    assert run_command(linear) == 0
    child = ventures(*PROBE, "--ledger", str(ledger), "--json", largest_file=16_000)
    out, told = child.communicate(timeout=HANGS_S)
    assert child.returncode == 0 and json.loads(out)["runs"], told
    lines = [line for line in told.splitlines() if line.startswith("ventures:")]
    assert "Traceback" not in told and sum("weight store" in line for line in lines) == 1
    assert any("cannot be written" in line and "trained again by the next run" in line for line in lines)
    folder = folder_beside(str(ledger))
    assert folder is not None and not [one for one in folder.rglob("*") if one.is_file() and one.suffix != ".lock"]
    again = ventures(*PROBE, "--ledger", str(ledger), "--json")  # the disk has room again
    second, told = again.communicate(timeout=HANGS_S)
    assert again.returncode == 0, told
    assert json.loads(second)["runs"][0]["accuracy_lab"] == json.loads(out)["runs"][0]["accuracy_lab"]
    assert WeightStore(folder).get(foundation_named("F0")) is not None
    assert run_command(linear) == 0


@pytest.mark.slow
def test_the_second_process_says_that_it_waits_and_takes_the_weights_of_the_first(tmp_path: Path) -> None:
    ledger, plan = tmp_path / "ledger.sqlite", foundation_named("F0")
    folder = folder_beside(str(ledger))
    assert folder is not None
    store = WeightStore(folder)
    with store.training(plan):
        second = ventures(*PROBE, "--ledger", str(ledger), "--json")
        assert second.stderr is not None
        line = second.stderr.readline()
        assert line.startswith("ventures: weight store: foundation laptop/F0 is being trained by another process")
        assert second.poll() is None
        store.put(pretrain(plan, CPU))
        made = os.stat(folder / "foundations" / f"{plan.key()}.json")
    out, told = second.communicate(timeout=HANGS_S)
    assert second.returncode == 0 and json.loads(out)["runs"] and "ventures:" not in told
    assert os.stat(folder / "foundations" / f"{plan.key()}.json").st_ino == made.st_ino  # not written anew


@pytest.mark.slow
def test_the_death_of_the_first_lets_the_second_go_on(tmp_path: Path, trained: list[str]) -> None:
    ledger, plan = tmp_path / "ledger.sqlite", foundation_named("F0")
    folder = folder_beside(str(ledger))
    hold = f"""
import sys, time
from simulation.training.foundation import ladder, store
ladder.FIRST_FLOPS = {FLOPS}
with store.WeightStore({str(folder)!r}).training(ladder.foundation_named("F0")):
    print("held", flush=True)
    time.sleep({HANGS_S})
"""
    first = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None and first.stdout.readline() == "held\n"
    second = ventures(*PROBE, "--ledger", str(ledger), "--json")
    assert second.stderr is not None and "is being trained by another process" in second.stderr.readline()
    first.kill()
    first.wait()
    out, told = second.communicate(timeout=HANGS_S)
    assert second.returncode == 0 and json.loads(out)["runs"], told
    assert Library(folder).get(plan, CPU).result.key == plan.key() and not trained
