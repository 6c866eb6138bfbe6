"""What is measured on driving policies: arrivals, crashes, the critic's errors, groups, leakage of training scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from simulation.training.data import FRESH
from simulation.training.driving.road import N_ACTIONS, Drive, Sensed, State, drive, observe
from simulation.training.driving.rule_driver import rule_driver
from simulation.training.driving.scenes import Scenes, make_scenes
from simulation.training.measures import N_BINS, Measures, likeliest, membership_advantage
from simulation.training.networks.dense import StackedNetwork
from simulation.training.plan import TrainingPlan
from simulation.training.tasks.base import DEFAULT_MINORITY, TEST_SEED, Mix

DISCOUNT = 0.95  # of returns per step of half a second; measured: better than 0.97 and 0.9
LOGIT_LIMIT = 50.0
VALUE_LIMIT = 100.0  # what stands for infinity in a diverged critic
RETURNS = (-1.0, 2.0)
"""Least and largest return: a crash at once; the whole route and arrival, were nothing discounted."""
N_TEST, N_GROUP, N_AUDITED = 512, 256, 256
"""Scenes of the lab and of the field test, of each group, and of the training scenes that the attack tries to tell."""
SLAB = 256
"""Episodes driven at once in a test."""

_test_cache: dict[str, tuple[Scenes, Scenes, Scenes]] = {}
_rule_cache: dict[str, tuple[Tensor, ...]] = {}


def mixture_of(plans: Sequence[TrainingPlan], device: torch.device) -> Mix:
    """Composition of the plans' training scenes."""
    names = ("coverage", "minority_share", "label_noise")
    shares = ([getattr(plan, name) for plan in plans] for name in names)
    return Mix(*(torch.tensor(share, device=device, dtype=torch.float32) for share in shares))


def log_policy(outputs: Tensor) -> Tensor:
    """Log-probability of each action, [M, N_ACTIONS, columns]; those of a diverged network are finite too."""
    limited = outputs[:, :N_ACTIONS].nan_to_num(0.0, LOGIT_LIMIT, -LOGIT_LIMIT).clamp_(-LOGIT_LIMIT, LOGIT_LIMIT)
    return limited.log_softmax(dim=1)


def values(outputs: Tensor) -> Tensor:
    """Predicted returns, [M, columns]; those of a diverged network are finite too."""
    return outputs[:, N_ACTIONS].nan_to_num(0.0, VALUE_LIMIT, -VALUE_LIMIT).clamp_(-VALUE_LIMIT, VALUE_LIMIT)


class Tested(NamedTuple):
    """How a test went, and the return that the critic predicted at its start, [M, E]."""

    drive: Drive
    predicted: Tensor


def _tested(network: StackedNetwork, blocks: list[Tensor], scenes: Scenes) -> Tested:
    """All members drive all scenes, each taking its likeliest action."""
    parts, predicted = [], []
    for first in range(0, scenes.lane.shape[1], SLAB):
        part = scenes.episodes(slice(first, first + SLAB))

        def driver(number: int, state: State, sensed: Sensed, part: Scenes = part) -> Tensor:
            outputs, _ = network.forward(observe(part, state, sensed, number), blocks)
            if number == 0:
                predicted.append(values(outputs))
            return likeliest(log_policy(outputs))[1]

        parts.append(drive(part, network.n_members, driver, DISCOUNT))
    return Tested(
        Drive(*(torch.cat(column, dim=1) for column in zip(*parts, strict=True))), torch.cat(predicted, dim=1)
    )


def _test_scenes(device: torch.device) -> tuple[Scenes, Scenes, Scenes]:
    """Lab, field, and the same lab scenes first of the majority, then of the minority; made once per process."""

    def draw(part: int, n: int, coverage: float, minority: float) -> Scenes:
        seeds = torch.tensor([TEST_SEED + part], device=device)
        return make_scenes(seeds, torch.arange(n, device=device), Mix.of(device, coverage, minority))

    name = str(device)
    if name not in _test_cache:
        groups = draw(2, N_GROUP, 0.0, 0.0).joined(draw(2, N_GROUP, 0.0, 1.0))
        lab, wild = draw(0, N_TEST, 0.0, DEFAULT_MINORITY), draw(1, N_TEST, 1.0, DEFAULT_MINORITY)
        _test_cache[name] = (lab, wild, groups)
    return _test_cache[name]


def _share(values: Tensor) -> Tensor:
    return values.to(torch.float32).mean(dim=1)


def return_calibration_error(predicted: Tensor, actual: Tensor) -> Tensor:
    """Expected calibration error of predicted returns [M, E], 15 bins: [M].

    Both are scaled to [0, 1] by the least and largest return. Within each bin of predictions the mean prediction is
    compared with the mean return; the absolute differences are averaged by the bins' episodes.
    """
    low, high = RETURNS
    expected, got = (((x - low) * (1.0 / (high - low))).clamp(0.0, 1.0) for x in (predicted, actual))
    bins = (expected * N_BINS).ceil().clamp(1, N_BINS) - 1
    total = torch.zeros_like(expected[:, 0])
    for number in range(N_BINS):
        total += ((got - expected) * (bins == number)).sum(dim=1).abs()
    return total / expected.shape[1]


def _leakage(network: StackedNetwork, blocks: list[Tensor], plans: Sequence[TrainingPlan], seeds: Tensor) -> Tensor:
    """Advantage of an attack by the return: scenes that end better than others are taken for training scenes."""
    losses = []
    for first in (0, FRESH):
        index = torch.arange(first, first + N_AUDITED, device=seeds.device)
        scenes = make_scenes(seeds, index, mixture_of(plans, seeds.device))
        losses.append(-_tested(network, blocks, scenes).drive.returns)
    rows = torch.tensor([plan.rows for plan in plans], device=seeds.device)
    return membership_advantage(losses[0], losses[1], rows.clamp_max(N_AUDITED))


def measure_policies(
    network: StackedNetwork, blocks: list[Tensor], plans: Sequence[TrainingPlan], seeds: Tensor
) -> Measures:
    """All measures of driving policies on the fixed test scenes and on their own training scenes."""
    lab, wild, groups = (_tested(network, blocks, scenes) for scenes in _test_scenes(seeds.device))
    surprise = lab.predicted - lab.drive.returns
    arrived = groups.drive.arrived
    return Measures(
        accuracy_lab=_share(lab.drive.arrived),
        accuracy_field=_share(wild.drive.arrived),
        loss_lab=(surprise * surprise).mean(dim=1),
        calibration_error=return_calibration_error(lab.predicted, lab.drive.returns),
        fairness_gap=_share(arrived[:, :N_GROUP]) - _share(arrived[:, N_GROUP:]),
        leakage=_leakage(network, blocks, plans, seeds),
        crash_rate_lab=_share(lab.drive.crashed),
        crash_rate_field=_share(wild.drive.crashed),
        route_completion_lab=lab.drive.completion.mean(dim=1),
        route_completion_field=wild.drive.completion.mean(dim=1),
    )


def measure_rule_driver(n_members: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Share of lab and field routes that the rule driver drives to their end: [M] each, for all members the same."""
    lab, wild, _ = _test_scenes(device)
    name = str(device)
    if name not in _rule_cache:
        _rule_cache[name] = tuple(_share(drive(scenes, 1, rule_driver, DISCOUNT).arrived) for scenes in (lab, wild))
    return _rule_cache[name][0].expand(n_members), _rule_cache[name][1].expand(n_members)
