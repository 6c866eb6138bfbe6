"""Steps numbered by a counter on the device do as steps counted in Python, and on a card the same whether they are
launched one by one or replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from simulation.training import graphs
from simulation.training.bench.jobs import JOBS, Member, members_of, start_chunk, train_chunk
from simulation.training.classifiers import train as classifiers
from simulation.training.classifiers.train import train_classifiers
from simulation.training.device import single_thread
from simulation.training.measures import Trained
from simulation.training.minibatches import hard_error
from simulation.training.plan import ACTIVATIONS, OPTIMIZERS
from tests.support.one_device import META, OneDevice
from tests.support.training_fakes import crowd

CPU = torch.device("cpu")
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def counted_fit(*arguments: object) -> None:
    """`fit` as a card does it, on any device."""
    network, optimizer, batches, steps, *more = arguments
    error_of = more[0] if more else hard_error

    def one_step(step: Tensor) -> None:
        x, y = batches(step)  # type: ignore[operator]
        logits, kept = network.forward(x, reuse=True)  # type: ignore[attr-defined]
        network.backward(error_of(logits, x, y), kept)  # type: ignore[attr-defined, operator]
        optimizer.step(step)  # type: ignore[attr-defined]

    graphs.run_counted(one_step, steps, network.parameters.device)  # type: ignore[arg-type, attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mlp", "cnn", "rnn"])
@pytest.mark.parametrize(("activation", "optimizer"), list(zip(ACTIVATIONS, OPTIMIZERS, strict=True)))
def test_a_counter_changes_no_bit(kind: str, activation: str, optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = sorted(crowd("speech", kind, activation, optimizer, 4), key=lambda plan: -plan.rows)
    with single_thread(), torch.inference_mode():
        by_number = train_classifiers(plans, CPU)
        monkeypatch.setattr(classifiers, "fit", counted_fit)
        by_counter = train_classifiers(plans, CPU)
    assert measures_of(by_number) == measures_of(by_counter)


def measures_of(trained: Trained) -> list[list[float]]:
    values = trained.measures
    return [values.loss_lab.tolist(), values.accuracy_field.tolist(), values.leakage.tolist()]


def test_counted_steps_stay_on_their_device() -> None:
    job = replace(JOBS["R"], steps=3)
    with OneDevice() as mode, torch.inference_mode():
        network, optimizer, batches = start_chunk(job, members_of(job, 2)[:1], META)
        counted_fit(network, optimizer, batches, job.steps)
    assert mode.operations["aten::index_select"] >= 3 * job.steps


def test_every_step_is_done_once_and_in_order() -> None:
    seen = list[int]()
    graphs.run_counted(lambda step: seen.append(int(step)), 50, CPU)
    assert seen == list(range(50))


@pytest.mark.parametrize("replay_s", [0.1, 10.0])
def test_the_faster_way_goes_on_and_no_step_is_lost(replay_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recording itself needs a card; what is done with it does not."""
    seen, replays, times = list[int](), list[int](), iter([1.0, replay_s])

    def replay_of(work: Callable[[], None], device: torch.device) -> Callable[[], None]:
        def replay() -> None:
            replays.append(1)
            work()

        return replay

    monkeypatch.setattr(graphs, "_recorded", replay_of)
    monkeypatch.setattr(graphs, "_timed", timed_as(times))
    monkeypatch.setattr(graphs, "_may_record", lambda steps, device, can: can)
    graphs.run_counted(lambda step: seen.append(int(step)), 60, CPU)
    assert seen == list(range(60))
    assert len(replays) == (60 - 2 * graphs.TRIAL if replay_s < 1 else graphs.TRIAL)


def timed_as(times: Iterator[float]) -> Callable[..., float]:
    """A trial that takes these times."""

    def timed(work: Callable[[], None], device: torch.device) -> float:
        for _ in range(graphs.TRIAL):
            work()
        return next(times)

    return timed


@pytest.mark.gpu
@CUDA
@pytest.mark.parametrize("job", ["M", "S"])
def test_replayed_steps_give_the_same_bits(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    card = torch.device("cuda")
    chunk = [Member(seed, JOBS[job].widths[0], 2e-3) for seed in range(32)]
    losses = {}
    for way in (True, False):
        monkeypatch.setattr(graphs, "recording", way)
        monkeypatch.setattr(graphs, "_timed", timed_as(iter([1.0, 0.0])))  # replaying wins
        losses[way] = train_chunk(JOBS[job], chunk, card)
    assert losses[True] == losses[False]
