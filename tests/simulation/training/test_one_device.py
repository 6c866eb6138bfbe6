"""The CUDA path without a card: every kind of training runs on the meta device, and nothing mixes devices there.

Kinds and tasks come from the registry, so that a new one is held to account as soon as it exists.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from simulation.training import ladder
from simulation.training.driving import actor_critic
from simulation.training.driving import measures as driving_measures
from simulation.training.foundation import pretrain as pretraining
from simulation.training.foundation.library import Library, forget_foundations
from simulation.training.foundation.pretrain import Progress, pretrain
from simulation.training.networks.optimizers import StackedOptimizer
from simulation.training.plan import (
    ACTIVATIONS,
    COMPRESSIONS,
    DOCUMENT_TASKS,
    FOUNDATION_KINDS,
    KINDS,
    OPTIMIZERS,
    PRETRAINED_KINDS,
    PRIVATE_KINDS,
    TASK_NAMES,
    Recipe,
    TrainingPlan,
    kinds_of,
)
from simulation.training.result import POLICY_KINDS
from simulation.training.trainer import train_bucket
from tests.support.foundation_fakes import TINY, UNREAD
from tests.support.one_device import META, MixedDevicesError, OneDevice

CPU = torch.device("cpu")
STEPS = 2
SHORT = replace(TINY, tokens=STEPS * TINY.batch * 16)
CLOSED_FORM = ("linear", "probe")
"""Kinds without optimizer steps."""
LEARNING = [kind for kind in KINDS if kind not in (*CLOSED_FORM, *FOUNDATION_KINDS, *POLICY_KINDS)]
"""Kinds that differ in how they use an optimizer; the others do as these."""
CONVOLVED = "security-vision"
RECIPE = Recipe(augmentation=True, weight_decay=0.1, schedule="warmup")


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps show what two thousand would: on this device nothing is learned."""
    shortened = {
        name: (rungs, tuple(replace(rung, steps=STEPS) for rung in rungs))
        for name, rungs in (("RUNGS", ladder.RUNGS), ("DOCUMENT_RUNGS", ladder.DOCUMENT_RUNGS))
    }
    for name, module in list(sys.modules.items()):
        for rungs, (whole, short) in shortened.items():
            if name.startswith("simulation.training.") and getattr(module, rungs, None) is whole:
                monkeypatch.setattr(module, rungs, short)
        if name.startswith("simulation.training.driving.") and hasattr(module, "HORIZON"):
            monkeypatch.setattr(module, "HORIZON", 4)
    monkeypatch.setattr(actor_critic, "SIZES", tuple(replace(size, updates=1) for size in actor_critic.SIZES))
    monkeypatch.setattr(actor_critic, "MINIBATCHES", STEPS)
    monkeypatch.setattr(driving_measures, "SLAB", driving_measures.N_TEST)
    monkeypatch.setattr(pretraining, "N_GENERAL", 128)
    monkeypatch.setattr(pretraining, "N_SECTOR", 32)
    monkeypatch.setattr(pretraining, "DOCUMENT_TASKS", DOCUMENT_TASKS[:1])  # texts of the others are made likewise


def plan_of(task: str, kind: str, **more: object) -> TrainingPlan:
    """A plan in which everything that a plan can ask of the rows is asked for."""
    values: dict[str, object] = {"anonymisation": 0.5, "coverage": 0.3, "label_noise": 0.1, "recipe": RECIPE, **more}
    if kind in FOUNDATION_KINDS:
        values["foundation"] = UNREAD if kind == "scratch" else SHORT
    return TrainingPlan(task, kind, 0, 300, **values)  # type: ignore[arg-type]


def trained(*plans: TrainingPlan, read: int = 1) -> OneDevice:
    """The operations of training and measuring these plans of one bucket."""
    with OneDevice(read) as mode:
        results = [result for chunk in train_bucket(plans, META) for result in chunk]
    assert len(results) == len(plans)
    assert mode.operations["aten::bmm"] + mode.operations["aten::baddbmm"] > 0
    if plans[0].kind not in CLOSED_FORM:  # a last operation of every step of the optimizer, in place, on every block
        assert mode.operations["aten::addcmul_"] >= STEPS
    return mode


def task_of(kind: str) -> str:
    return next(task for task in TASK_NAMES if kind in kinds_of(task))


@pytest.mark.parametrize("read", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_stays_on_its_device(kind: str, read: int) -> None:
    task = task_of(kind)
    trained(plan_of(task, kind), plan_of(task, kind, seed=1), read=read)


@pytest.mark.parametrize("task", [task for task in TASK_NAMES if task not in DOCUMENT_TASKS[1:]])
def test_rows_of_every_task_stay_on_their_device(task: str) -> None:
    """Documents of all sectors are made by one class. Augmented, so that minibatches are varied too."""
    kinds = [kind for kind in kinds_of(task) if kind not in CLOSED_FORM]
    trained(plan_of(task, kinds[0]))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if set(kinds_of("speech")) & {kind} and kind != "linear"])
def test_sequences_stay_on_their_device(kind: str) -> None:
    trained(plan_of("speech", kind))


def can(**values: object) -> bool:
    """Whether a plan can have these values."""
    try:
        plan_of(**values)  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in CLOSED_FORM])
def test_compressed_networks_stay_on_their_device(kind: str) -> None:
    task = task_of(kind)
    able = [name for name in COMPRESSIONS if can(task=task, kind=kind, compression=name)]
    assert able
    if "distilled" in able:  # a bucket of its own
        trained(plan_of(task, kind, compression="distilled"))
    trained(*(plan_of(task, kind, compression=name) for name in able if name != "distilled"))


@pytest.mark.parametrize(("optimizer", "activation"), list(zip(OPTIMIZERS, ACTIVATIONS, strict=True)))
@pytest.mark.parametrize("kind", LEARNING)
def test_every_optimizer_and_activation_stays_on_its_device(kind: str, optimizer: str, activation: str) -> None:
    trained(plan_of(task_of(kind), kind, recipe=replace(RECIPE, optimizer=optimizer, activation=activation)))


@pytest.mark.parametrize("kind", PRIVATE_KINDS)
def test_private_and_frugal_training_stays_on_its_device(kind: str) -> None:
    trained(plan_of(CONVOLVED, kind, dp_noise=1.0))
    trained(plan_of(CONVOLVED, kind, minimisation=0.5))


@pytest.mark.parametrize("kind", PRETRAINED_KINDS)
def test_trunks_of_other_sectors_stay_on_their_device(kind: str) -> None:
    trained(plan_of("speech", kind, pretraining_rows=100))


class Halfway:
    """A checkpoint after the first step, its numbers on the CPU as a file gives them."""

    def __init__(self, n: int) -> None:
        self._progress = Progress(1, torch.zeros(n), 1.0)
        self.saved = 0

    def load(self) -> Progress:
        return self._progress

    def save(self, progress: Progress) -> None:
        self.saved += 1


@pytest.mark.parametrize("quality", [1.0, 0.8])
def test_pretraining_stays_on_its_device_from_a_checkpoint_too(quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretraining, "CHECKPOINT_S", 0.0)
    plan = replace(SHORT, quality=quality, sector=DOCUMENT_TASKS[3], sector_share=0.5)
    with OneDevice() as mode:
        assert {block.device for block in pretrain(plan, META).body} == {META}
    assert mode.operations["aten::addcmul_"] >= STEPS
    with OneDevice():
        halfway = Halfway(pretraining.PretrainingRun(plan, META)._numbers().numel())
        pretrain(plan, META, halfway)
    assert halfway.saved == STEPS - 1


def test_a_foundation_from_the_store_is_moved_whole(tmp_path: Path) -> None:
    Library(tmp_path).get(SHORT, CPU)
    forget_foundations()
    with OneDevice():
        assert {block.device for block in Library(tmp_path).get(SHORT, META).body} == {META}
    forget_foundations()  # what is kept by that folder's name


def test_a_mixture_in_an_optimizer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of these tests: rates left on the CPU, which plain meta tensors would let pass."""
    real = StackedOptimizer.__init__

    def on_cpu(self: StackedOptimizer, name: str, network: object, rates: Tensor, decay: Tensor) -> None:
        real(self, name, network, torch.ones(rates.shape), torch.zeros(decay.shape))  # type: ignore[arg-type]

    monkeypatch.setattr(StackedOptimizer, "__init__", on_cpu)
    with pytest.raises(MixedDevicesError, match="addcmul_"):
        trained(plan_of(CONVOLVED, "mlp"))


def numbers(device: torch.device, *shape: int) -> Tensor:
    return torch.ones(shape, device=device)


Case = Callable[[torch.device], object]
ALLOWED: dict[str, Case] = {
    "elementwise with a scalar": lambda d: numbers(d, 3) * numbers(CPU),
    "a scalar first": lambda d: numbers(CPU) - numbers(d, 3),
    "in place with a scalar": lambda d: numbers(d, 3).add_(numbers(CPU)),
    "where with a scalar": lambda d: torch.where(numbers(d, 3) > 0, numbers(CPU), numbers(d, 3)),
    "copied into": lambda d: numbers(d, 3).copy_(numbers(CPU, 3)),
    "copied from": lambda d: numbers(CPU, 3).copy_(numbers(d, 3)),
    "moved there": lambda d: numbers(CPU, 3).to(d),
    "moved back": lambda d: numbers(d, 3).cpu(),
    "CPU indices": lambda d: numbers(d, 3)[torch.tensor([0, 1])],
}
REFUSED: dict[str, Case] = {
    "elementwise": lambda d: numbers(d, 3) * numbers(CPU, 3),
    "elementwise with one number": lambda d: numbers(d, 3) * numbers(CPU, 1),
    "in place into a scalar": lambda d: numbers(CPU).add_(numbers(d)),
    "in place": lambda d: numbers(d, 3).add_(numbers(CPU, 3)),
    "a product": lambda d: numbers(d, 1, 3, 3) @ numbers(CPU, 1, 3, 3),
    "a gather": lambda d: numbers(d, 3).gather(0, torch.tensor([0])),
    "a selection": lambda d: numbers(d, 3).index_select(0, torch.tensor([0])),
    "indices of the card alone": lambda d: numbers(CPU, 3)[torch.zeros(1, dtype=torch.int64, device=d)],
    "a scatter": lambda d: numbers(d, 3).scatter_add_(0, torch.zeros(1, dtype=torch.int64, device=d), numbers(CPU, 1)),
    "parts together": lambda d: torch.cat([numbers(d, 3), numbers(CPU, 3)]),
    "layers together": lambda d: torch.stack([numbers(d), numbers(CPU)]),
    "a condition": lambda d: torch.where(numbers(CPU, 3) > 0, numbers(d, 3), numbers(d, 3)),
    "an output": lambda d: torch.mul(numbers(d, 3), numbers(d, 3), out=numbers(CPU, 3)),
}  # fmt: skip
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("case", ALLOWED)
def test_what_a_card_can_do_passes(case: str) -> None:
    with OneDevice():
        ALLOWED[case](META)
    with OneDevice(), torch.inference_mode():
        ALLOWED[case](META)


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_card_refuses_is_refused(case: str) -> None:
    for block in (torch.no_grad(), torch.inference_mode()):
        with pytest.raises(MixedDevicesError), OneDevice(), block:
            REFUSED[case](META)


@pytest.mark.gpu
@CUDA
def test_the_rules_are_those_of_a_card() -> None:
    card = torch.device("cuda")
    for case in ALLOWED.values():
        case(card)
    for case in REFUSED.values():
        with pytest.raises(RuntimeError):
            case(card)
