"""Driving policies: actor and critic of all members learn together in the driving world, by proximal policy updates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.classifiers.train import draw_rows
from simulation.training.driving.measures import (
    DISCOUNT,
    log_policy,
    measure_policies,
    measure_rule_driver,
    mixture_of,
    values,
)
from simulation.training.driving.road import HORIZON, N_ACTIONS, N_OBSERVED, observe, sense, start, step
from simulation.training.driving.scenes import Scenes, make_scenes
from simulation.training.ladder import inference_flops, training_flops
from simulation.training.measures import Costs, Trained, latency_us, likeliest
from simulation.training.networks.compression import compress, model_bytes
from simulation.training.networks.dense import Architecture, StackedNetwork
from simulation.training.networks.optimizers import StackedOptimizer, learning_rates
from simulation.training.plan import TrainingPlan


@dataclass(frozen=True, slots=True)
class Size:
    """What a rung buys: units of both hidden layers, and updates, each from `EPISODES` new episodes."""

    width: int
    updates: int


# Assumptions, chosen so that quality rises over the ladder and a step up costs two to three times as much.
SIZES = (Size(16, 5), Size(16, 12), Size(32, 22), Size(32, 44), Size(48, 76), Size(64, 128))
EPISODES = 64
MINIBATCHES, COLUMNS = 18, 128
"""Minibatches of an update, and steps of driving in each: in all about half more than are driven."""
LANE_DRAWN = HORIZON * (N_OBSERVED + 1)  # of an episode's key: after the draws of actions and noise
TRACE = 0.8  # λ of generalised advantages, Schulman et al. 2016, arXiv:1506.02438; measured: better than 0.9
CLIP = 0.2  # Schulman et al. 2017, arXiv:1707.06347
ENTROPY = 0.01  # weight in the loss; the same source
CRITIC = 0.5  # likewise; assumption
FIRST_LOGITS = 0.1  # scale of the last layer's first weights: every action is tried at first; assumption
RATE_SCALE = 0.5  # of a recipe's learning rate: experience is noisier than labels; measured
OBSERVED_SD = 0.7  # of an input, in rule-driven traffic, half of it in the field: the unit of anonymisation
AUGMENTATION = 0.1  # sd of the noise that augmentation adds to observations; assumption


class Batch(NamedTuple):
    """Experience of M members: observations [M, N_OBSERVED, C]; the rest [M, C]: action (int64), log-probability with
    which it was chosen, advantage, return."""

    observed: Tensor
    action: Tensor
    log_p: Tensor
    advantage: Tensor
    returns: Tensor


def policy_network(rung: int, activation: str) -> Architecture:
    """One network with a trunk that actor and critic share: a logit for each action, and the expected return."""
    return Architecture(N_OBSERVED, (SIZES[rung].width,) * 2, N_ACTIONS + 1, activation)


def train_policies(plans: Sequence[TrainingPlan], device: torch.device) -> Trained:
    """Train and measure plans of one bucket, sorted by rows, largest first."""
    seeds = torch.tensor([plan.seed for plan in plans], device=device)
    network = train_network(plans, seeds)
    blocks = compress(network.blocks, [plan.compression for plan in plans])
    measures = measure_policies(network, blocks, plans, seeds)
    return Trained(measures, measure_rule_driver(len(plans), device), _costs(network, blocks, plans))


def train_network(plans: Sequence[TrainingPlan], seeds: Tensor) -> StackedNetwork:
    """Networks that have learned to drive on their plans' scenes."""
    plan, size, device = plans[0], SIZES[plans[0].rung], seeds.device
    network = StackedNetwork(policy_network(plan.rung, plan.recipe.activation), len(plans), device)
    network.initialise(seeds)
    network.blocks[-2].mul_(FIRST_LOGITS)
    optimizer = _optimizer(network, plans)
    rows = torch.tensor([plan.rows for plan in plans], device=device)
    augmented = torch.tensor([AUGMENTATION * plan.recipe.augmentation for plan in plans], device=device)
    noise = torch.tensor([plan.anonymisation for plan in plans], device=device) * OBSERVED_SD + augmented
    drawn, keys = draw_rows(seeds, rows, size.updates, EPISODES)
    mixture = mixture_of(plans, device)
    for update in range(size.updates):
        scenes = make_scenes(seeds, drawn[update], mixture)
        batches = _minibatches(roll_out(network, scenes, keys[update], noise), keys[update])
        for number, batch in enumerate(batches):
            outputs, kept = network.forward(batch.observed, reuse=True)
            network.backward(policy_error(outputs, batch), kept)
            optimizer.step(update * MINIBATCHES + number)
    return network


def _optimizer(network: StackedNetwork, plans: Sequence[TrainingPlan]) -> StackedOptimizer:
    """The recipe's optimizer at `RATE_SCALE` of its rate; weight decay per step is that of the whole rate."""
    device = network.parameters.device
    rates = torch.tensor([plan.recipe.learning_rate * RATE_SCALE for plan in plans], device=device)
    decay = torch.tensor([plan.recipe.weight_decay / RATE_SCALE for plan in plans], device=device)
    n_steps = SIZES[plans[0].rung].updates * MINIBATCHES
    schedule = learning_rates(rates, [plan.recipe.schedule for plan in plans], n_steps)
    return StackedOptimizer(plans[0].recipe.optimizer, network, schedule, decay)


def _drawn_action(log_p: Tensor, u: Tensor) -> Tensor:
    """Actions int64 [M, E] drawn by inverse probability from uniforms [M, E]."""
    action, total = torch.zeros_like(u, dtype=torch.int64), torch.zeros_like(u)
    for p in log_p.exp().unbind(1)[:-1]:
        total += p
        action += u >= total
    return action


class Episodes(NamedTuple):
    """What happened, step by step, each [M, E]: observations ([M, N_OBSERVED, E]), actions, their log-probabilities,
    predicted returns, rewards, and 1 where our car still drove."""

    observed: list[Tensor]
    action: list[Tensor]
    log_p: list[Tensor]
    value: list[Tensor]
    reward: list[Tensor]
    driving: list[Tensor]


def roll_out(network: StackedNetwork, scenes: Scenes, keys: Tensor, noise: Tensor) -> Episodes:
    """Drive these scenes [M, E] once, with actions drawn by `keys`, and observations blurred by `noise` (sd, [M])."""
    u = counter.uniforms(keys, 0, HORIZON).permute(2, 0, 1).contiguous()
    noisy = bool((noise > 0).any())
    state = start(scenes, len(keys))
    episodes = Episodes([], [], [], [], [], [])
    for number in range(HORIZON):
        observed = observe(scenes, state, sense(scenes, state, number), number)
        if noisy:
            extra = counter.noise(keys, HORIZON + number * N_OBSERVED, N_OBSERVED).transpose(1, 2)
            observed = observed + extra * noise[:, None, None]
        outputs, _ = network.forward(observed, reuse=True)
        log_p = log_policy(outputs)
        action = _drawn_action(log_p, u[number])
        driving = state.driving.to(torch.float32)
        state, reward = step(scenes, state, action)
        happened = (observed, action, log_p.gather(1, action[:, None])[:, 0], values(outputs), reward, driving)
        for track, value in zip(episodes, happened, strict=True):
            track.append(value)
    return episodes


def _minibatches(episodes: Episodes, keys: Tensor) -> list[Batch]:
    """Minibatches of steps drawn, with replacement and stratified by time, from those in which a member's car drove."""
    advantages = advantages_of(episodes.reward, episodes.value, episodes.driving)
    returns = [advantage + value for advantage, value in zip(advantages, episodes.value, strict=True)]
    driving = torch.stack(episodes.driving, dim=1).flatten(1)
    advantage = _standardised(torch.stack(advantages, dim=1).flatten(1), driving)
    action, log_p, gain = (torch.stack(part, dim=1).flatten(1) for part in (episodes.action, episodes.log_p, returns))
    observed = torch.stack(episodes.observed, dim=2).flatten(2)
    u = counter.uniforms(keys, LANE_DRAWN, MINIBATCHES * COLUMNS // EPISODES).flatten(1)
    # Stratified: each minibatch has early and late steps in equal parts. Rounding may reach the end, hence the minimum.
    strata = torch.arange(COLUMNS, device=u.device).repeat(MINIBATCHES)
    n = driving.sum(dim=1, keepdim=True)
    number = torch.minimum(((u + strata) * (1.0 / COLUMNS) * n).floor_().add_(1.0), n)
    drawn = torch.searchsorted(driving.cumsum(dim=1), number)
    return [
        Batch(
            observed.gather(2, place[:, None].expand(-1, N_OBSERVED, -1)),
            *(column.gather(1, place) for column in (action, log_p, advantage, gain)),
        )
        for place in drawn.split(COLUMNS, dim=1)
    ]


def advantages_of(rewards: list[Tensor], values: list[Tensor], driving: list[Tensor]) -> list[Tensor]:
    """Generalised advantage estimates of every step, from [M, E] each; the end of an episode is worth 0."""
    result: list[Tensor] = []
    following, value_after, goes_on = torch.zeros_like(rewards[0]), torch.zeros_like(rewards[0]), 0 * driving[0]
    for reward, value, drives in zip(reversed(rewards), reversed(values), reversed(driving), strict=True):
        surprise = reward + value_after * goes_on * DISCOUNT - value
        following = (surprise + following * goes_on * (DISCOUNT * TRACE)) * drives
        result.append(following)
        value_after, goes_on = value, drives
    return result[::-1]


def _standardised(advantages: Tensor, driving: Tensor) -> Tensor:
    """Advantages [M, C] less each member's mean, by its standard deviation, over the steps in which it drove."""
    n = driving.sum(dim=1, keepdim=True)
    centred = advantages - (advantages * driving).sum(dim=1, keepdim=True) / n
    return centred / (((centred * centred * driving).sum(dim=1, keepdim=True) / n).sqrt() + 1e-4)


def policy_error(outputs: Tensor, batch: Batch) -> Tensor:
    """Gradient of the loss by the outputs, [M, N_ACTIONS + 1, C].

    The loss is the clipped surrogate of Schulman et al. 2017, less ENTROPY times the policy's entropy, plus CRITIC
    times half the squared error of the predicted return; each a mean over the columns.
    """
    log_p = log_policy(outputs)
    p = log_p.exp()
    ratio = (log_p.gather(1, batch.action[:, None])[:, 0] - batch.log_p).exp()
    clipped = torch.where(batch.advantage > 0, ratio > 1 + CLIP, ratio < 1 - CLIP)
    pull = torch.where(clipped, 0.0, ratio * batch.advantage)[:, None]
    entropy = -(p * log_p).sum(dim=1, keepdim=True)
    error = torch.empty_like(outputs)
    actor = p * (pull + (log_p + entropy) * ENTROPY)
    actor.scatter_add_(1, batch.action[:, None], -pull)
    error[:, :N_ACTIONS] = actor
    error[:, N_ACTIONS] = (values(outputs) - batch.returns) * CRITIC
    return error.mul_(1.0 / outputs.shape[2])


def _costs(network: StackedNetwork, blocks: list[Tensor], plans: Sequence[TrainingPlan]) -> Costs:
    """Costs; of the training only the networks' passes are counted, not the arithmetic of the world."""
    shape, methods = network.architecture, [plan.compression for plan in plans]
    whole = inference_flops(shape)
    left = sum(weights.count_nonzero(dim=(1, 2)) for weights in blocks[::2])
    assert isinstance(left, Tensor)
    kept = [2.0 * n if method == "pruned" else whole for n, method in zip(left.tolist(), methods, strict=True)]
    updates = SIZES[plans[0].rung].updates
    learning = training_flops(shape, updates * MINIBATCHES, COLUMNS) + updates * EPISODES * HORIZON * whole
    return Costs(
        n_parameters=[shape.n_parameters] * len(plans),
        model_bytes=model_bytes(blocks, methods),
        training_flops=[learning] * len(plans),
        inference_flops=kept,
        latency_us=latency_us(_decider(network, blocks), torch.zeros(N_OBSERVED, device=blocks[0].device)),
    )


def _decider(network: StackedNetwork, blocks: list[Tensor]) -> Callable[[Tensor], object]:
    """One decision by the first network, from observations [1, N_OBSERVED, 1]."""
    one, own = StackedNetwork(network.architecture, 1, blocks[0].device), [block[:1] for block in blocks]
    return lambda observed: likeliest(log_policy(one.forward(observed, own)[0]))
