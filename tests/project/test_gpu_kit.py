"""The kit for a card runs as a whole without one, and loses nothing when a step fails or is cut off."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from analysis.cli.main import run_command
from analysis.play.lockstep import LARGEST_BLOCK, Arm, largest_block, split_into_blocks
from analysis.play.options import PlayOptions
from analysis.runs.seeds import SeedSet
from simulation.training.foundation import pretrain as pretraining
from simulation.training.foundation.ladder import foundation_named
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.foundation.store import WeightStore
from simulation.training.values import DOCUMENT_TASKS
from tests.support.patience import HANGS_S

ROOT = Path(__file__).parents[2]
KIT = ROOT / "benchmarks" / "gpu" / "kit.py"


@pytest.fixture(scope="module")
def kit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_kit", KIT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpu_kit"] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def options_of(kit: ModuleType, out: Path, **more: Any) -> Any:
    return kit.Options(
        **{"device": "cpu", "quick": True, "out": out, "minutes": HANGS_S / 60, "volume_mib": 15.0, **more}
    )


def report_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return found


def python(code: str) -> Any:
    return lambda options: ["-c", code.replace("OUT", str(options.out))]


def test_a_failing_step_is_written_down_and_the_rest_go_on(kit: ModuleType, tmp_path: Path) -> None:
    steps = [
        kit.Step("first", 60, python("open('OUT/first.json', 'w').write('{\"n\": 1}')")),
        kit.Step("broken", 60, python("raise ValueError('no such kernel')")),
        kit.Step("last", 60, python("open('OUT/last.json', 'w').write('{\"n\": 3}')")),
    ]
    assert kit.run_all(steps, options_of(kit, tmp_path)) == 1
    first, broken, last = report_of(tmp_path)["steps"]
    assert (first["status"], first["result"], last["status"], last["result"]) == ("done", {"n": 1}, "done", {"n": 3})
    assert broken["status"] == "failed" and broken["code"] == 1 and "no such kernel" in broken["said"][-1]


@pytest.mark.slow
def test_a_step_that_is_cut_off_keeps_what_it_had_written(
    kit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = (
        "import time; open('OUT/slow.json', 'w').write('{\"rungs\": 2}'); print('so far', flush=True); time.sleep(1e6)"
    )
    hangs = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1e6)"
    monkeypatch.setattr(kit, "GRACE_S", 2.0)
    options = options_of(kit, tmp_path, minutes=kit.MINUTES)
    slow, stuck = kit.Step("slow", 5, python(writes)), kit.Step("stuck", 5, python(hangs))
    kit.run_all([slow, stuck], options)
    first, second = report_of(tmp_path)["steps"]
    assert (second["status"], second["code"]) == ("cut off", None)
    assert (first["status"], first["result"]) in [("partly", {"rungs": 2}), ("cut off", None)]  # the latter: very busy


def test_no_step_begins_without_time(kit: ModuleType, tmp_path: Path) -> None:
    step = kit.Step("late", 60, python("open('OUT/late.json', 'w').write('{}')"))
    assert kit.run_all([step], options_of(kit, tmp_path, minutes=kit.GRACE_S / 120)) == 1
    assert report_of(tmp_path)["steps"][0]["status"] == "no time left" and not (tmp_path / "late.json").exists()


def test_limits_of_the_steps_are_those_that_the_readme_tells(kit: ModuleType) -> None:
    text = (KIT.parent / "README.md").read_text(encoding="utf-8")
    for step in kit.STEPS:
        assert f"| `{step.name}` | {step.limit_s:g} |" in text
    assert f"{kit.MINUTES:g} minutes" in text.replace("eight", "8")
    assert {step.name for step in kit.STEPS if step.command is None} == set(kit.FUNCTIONS)


@pytest.mark.slow
def test_without_a_card_one_line_says_so(kit: ModuleType, tmp_path: Path) -> None:
    if kit.has_card():
        pytest.skip("there is a card")
    done = subprocess.run(
        [sys.executable, str(KIT), "--out", str(tmp_path)], capture_output=True, text=True, timeout=HANGS_S
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "no CUDA device" in done.stderr


def test_every_gpu_test_is_found(kit: ModuleType, tmp_path: Path) -> None:
    found = [argument for argument in kit.gpu_tests(options_of(kit, tmp_path)) if argument.endswith(".py")]
    assert len(found) >= 3 and any(file.endswith("test_one_device.py") for file in found)


def test_weights_are_packed_in_volumes_and_unpack_to_a_store(
    kit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretraining, "N_GENERAL", 32)
    monkeypatch.setattr(pretraining, "DOCUMENT_TASKS", DOCUMENT_TASKS[:1])
    store, plans = WeightStore(tmp_path / "store"), [FoundationPlan(16, 0, seed=seed) for seed in range(3)]
    for plan in plans:
        store.put(pretraining.pretrain(plan, torch.device("cpu")))
    volumes = kit.pack(store.folder, tmp_path, 70_000.0)
    assert sum(volume["foundations"] for volume in volumes) == 3 and len(volumes) > 1
    for volume in volumes:
        assert (tmp_path / volume["file"]).stat().st_size <= 70_000
        with tarfile.open(tmp_path / volume["file"]) as tar:
            tar.extractall(tmp_path / "home", filter="data")
    for plan in plans:
        there, here = WeightStore(tmp_path / "home").get(plan), store.get(plan)
        assert there is not None and here is not None
        assert all(torch.equal(one, other) for one, other in zip(there.body, here.body, strict=True))


@pytest.mark.slow
def test_the_whole_kit_runs_on_a_cpu(kit: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, str(KIT), "--device", "cpu", "--quick", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS_S * 4, cwd=tmp_path)
    report = report_of(out)
    steps = {step["name"]: step for step in report["steps"]}
    assert {name: step["status"] for name, step in steps.items()} == {step.name: "done" for step in kit.STEPS}, steps
    assert done.returncode == 0 and report["machine"]["device"] == "cpu" and "finished" in report
    for job in "MFRAS":
        result = steps[job]["result"]
        gates = result["gate"] if isinstance(result["gate"], list) else [result["gate"]]
        assert result["job"] == job and all(row["passed"] for gate in gates for row in gate["contenders"])
    assert [rung["rung"] for rung in steps["ladder"]["result"]["rungs"]] == ["F0", "F0.5"]
    same = steps["cases"]["result"]
    assert same["endings_alike"] == 1.0 and same["firms"] > 10 and set(same["largest_differences"].values()) == {0.0}
    home = tmp_path / "home.sqlite"
    assert run_command(["ledger", "import", str(out / "ladder.parquet"), "--ledger", str(home)]) == 0
    for volume in steps["export"]["result"]["weights"]:
        with tarfile.open(out / volume["file"]) as tar:
            tar.extractall(f"{home}.weights", filter="data")
    assert WeightStore(f"{home}.weights").get(foundation_named("gpu/F0.5")) is not None
    assert WeightStore(f"{home}.weights").info()["foundations"] == 2


def test_worlds_advance_in_larger_blocks_where_a_card_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    one, seeds = [Arm("s", "base", None)], SeedSet.of(range(256))
    assert len(split_into_blocks(seeds, one, 1, "cuda")) == 1 and largest_block(1, "cuda") >= 256
    assert len(split_into_blocks(seeds, one, 1)) == 256 // LARGEST_BLOCK
    assert len(split_into_blocks(seeds, one, 4, "cuda")) == 4  # every process has as much
    assert largest_block(10**6, "cuda") == 1
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert [PlayOptions(device=name).device_type for name in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert PlayOptions(device="cpu").device_type == PlayOptions(device="cuda").device_type == "cpu"
