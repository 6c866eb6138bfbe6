"""The driving world, the policies that learn in it, and what is measured on them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from statistics import mean

import pytest
import torch
from torch import Tensor

from simulation.training.driving.actor_critic import (
    CLIP,
    CRITIC,
    ENTROPY,
    SIZES,
    Batch,
    advantages_of,
    policy_error,
    policy_network,
)
from simulation.training.driving.measures import DISCOUNT, LOGIT_LIMIT, log_policy, return_calibration_error
from simulation.training.driving.road import (
    ACCELERATE,
    BRAKE,
    HORIZON,
    KEEP,
    LATERAL,
    LEFT,
    MAX_SPEED,
    N_ACTIONS,
    N_OBSERVED,
    ROUTE_M,
    STEP_S,
    Driver,
    Sensed,
    State,
    drive,
    observe,
    sense,
    start,
    step,
)
from simulation.training.driving.rule_driver import WANTED_SPEED, rule_driver, wanted_acceleration
from simulation.training.driving.scenes import CONDITIONS, CROSSER, FAR, VEHICLE, Scenes, make_scenes
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.tasks.base import Mix
from tests.support.training_fakes import crowd, train

CPU = torch.device("cpu")
TASK, KIND = "driving-policy", "actor-critic"


def scenes_of(seed: int, n: int, coverage: float = 0.0, minority: float = 0.1, label_noise: float = 0.0) -> Scenes:
    return make_scenes(torch.tensor([seed]), torch.arange(n), Mix.of(CPU, coverage, minority, label_noise))


def empty_road(n: int, friction: float = 1.0) -> Scenes:
    scenes = scenes_of(0, n)
    scenes.place.fill_(FAR)
    scenes.friction.fill_(friction)
    return scenes


def random_driver(seed: int) -> Driver:
    generator = torch.Generator().manual_seed(seed)

    def driver(number: int, state: State, sensed: Sensed) -> Tensor:
        return torch.randint(0, N_ACTIONS, state.x.shape, generator=generator)

    return driver


# The world


def test_a_scene_is_a_function_of_seed_index_and_mix_only() -> None:
    mixture = Mix(torch.tensor([0.5, 0.5]), torch.tensor([0.1, 0.1]), torch.zeros(2))
    both = make_scenes(torch.tensor([3, 7]), torch.arange(96), mixture)
    alone = make_scenes(torch.tensor([7]), torch.arange(32, 96), Mix.of(CPU, 0.5, 0.1))
    assert torch.equal(both.place[1, :, 32:], alone.place[0])
    assert torch.equal(both.surroundings[1, :, 32:], alone.surroundings[0])
    assert not torch.equal(both.place[0], both.place[1])


def test_more_field_scenes_leave_the_lab_scenes_as_they_are() -> None:
    little, much = scenes_of(1, 256, coverage=0.2), scenes_of(1, 256, coverage=0.6)
    same = (little.surroundings == much.surroundings).all(dim=1)
    assert same.float().mean().item() == pytest.approx(0.6, abs=0.12)  # four standard errors
    assert torch.equal(little.place.movedim(1, 2)[same], much.place.movedim(1, 2)[same])
    assert torch.equal(little.friction[same], much.friction[same])


def test_rare_conditions_follow_zipf_s_law() -> None:
    scenes = scenes_of(2, 8192, coverage=1.0)
    ice = min(row[1] for row in CONDITIONS)
    rank = 1 + [row[1] for row in CONDITIONS].index(ice)
    expected = (1 / rank) / sum(1 / (k + 1) for k in range(len(CONDITIONS)))
    assert (scenes.friction == ice).float().mean().item() == pytest.approx(expected, abs=0.012)  # four standard errors


def test_nothing_teleports_and_nobody_moves_after_the_end() -> None:
    scenes = scenes_of(4, 256, coverage=1.0, minority=0.5)
    driver = random_driver(0)
    state = start(scenes, 2)
    for number in range(HORIZON):
        after, reward = step(scenes, state, driver(number, state, sense(scenes, state, number)))
        moved = after.x - state.x
        assert (moved >= 0).all() and (moved <= MAX_SPEED * STEP_S + 1e-4).all()
        assert ((after.y - state.y).abs() <= LATERAL * STEP_S + 1e-6).all()
        assert ((after.place - state.place).abs() <= MAX_SPEED * STEP_S + 1e-4).all()
        assert ((after.side - state.side).abs() <= scenes.drift * STEP_S + 1e-5).all()
        ended = ~state.driving
        assert (moved[ended] == 0).all() and (reward[ended] == 0).all()
        assert not (after.driving & ended).any() and not (state.crashed & ~after.crashed).any()
        state = after


def test_a_crash_is_recorded_if_and_only_if_rectangles_overlap_on_the_way() -> None:
    scenes = scenes_of(5, 512, coverage=1.0)
    state = start(scenes, 1)
    n_crashes = 0
    for _ in range(HORIZON):
        after, _ = step(scenes, state, torch.full(state.x.shape, KEEP))
        depth = torch.full(state.x.shape, -torch.inf)
        for share in torch.linspace(0, 1, 201).tolist():
            gap, offset = (
                (1 - share) * (a - b[:, None]) + share * (c - d[:, None])
                for a, b, c, d in (
                    (state.place, state.x, after.place, after.x),
                    (state.side, state.y, after.side, after.y),
                )
            )
            inside = torch.minimum(
                scenes.half_length + VEHICLE[0] - gap.abs(), (scenes.half_width + VEHICLE[1] - offset.abs()) * 3.5
            )
            depth = torch.maximum(depth, inside.amax(dim=1))
        new = after.crashed & ~state.crashed
        clear = depth.abs() > 0.1  # metres: between the 201 moments a touch may be missed
        assert torch.equal(new[state.driving & clear], depth[state.driving & clear] > 0)
        n_crashes += int(new.sum())
        state = after
    assert n_crashes > 100


@pytest.mark.parametrize(("dry", "wet"), [(1.0, 0.5), (0.5, 0.2)])
def test_braking_takes_longer_on_a_slippery_road(dry: float, wet: float) -> None:
    distances = []
    for friction in (dry, wet):
        scenes = empty_road(32, friction)
        state = start(scenes, 1)
        for _ in range(HORIZON):
            state, _ = step(scenes, state, torch.full(state.x.shape, BRAKE))
        assert (state.v == 0).all()
        distances.append(float(state.x.mean()))
    assert distances[1] > 1.5 * distances[0]
    assert distances[0] == pytest.approx(10.0**2 / (2 * 7.0 * dry), rel=0.25)  # v² / 2a, but for whole steps


def test_an_empty_road_is_driven_to_its_end_and_changes_of_lane_take_time() -> None:
    driven = drive(empty_road(32), 1, lambda *_: torch.full((1, 32), ACCELERATE), DISCOUNT)
    assert driven.arrived.all() and not driven.crashed.any()
    assert torch.equal(driven.completion, torch.ones(1, 32))
    waiting = drive(empty_road(32), 1, lambda *_: torch.full((1, 32), BRAKE), DISCOUNT)
    assert not waiting.arrived.any() and not waiting.crashed.any() and (waiting.completion < 0.1).all()
    scenes = empty_road(32)
    scenes.lane.zero_()
    halfway, _ = step(scenes, start(scenes, 1), torch.full((1, 32), LEFT))
    assert (halfway.y == 0.5).all() and (halfway.target == 1.0).all()


def test_unrecorded_crashes_cost_nothing_and_are_crashes_all_the_same() -> None:
    honest, blind = scenes_of(6, 256), scenes_of(6, 256, label_noise=1.0)
    full, none = (drive(scenes, 1, lambda *_: torch.full((1, 256), KEEP), 1.0) for scenes in (honest, blind))
    assert torch.equal(full.crashed, none.crashed) and full.crashed.any()
    assert torch.allclose(none.returns - full.returns, full.crashed.float())


def test_the_minority_is_smaller_seen_later_and_moves_differently() -> None:
    most, few = scenes_of(7, 512, minority=0.0), scenes_of(7, 512, minority=1.0)
    assert (few.seen_from[:, CROSSER] < 0.5 * most.seen_from[:, CROSSER]).all()
    paces = (few.drift / most.drift)[:, CROSSER]
    assert paces.min() < 0.6 and paces.max() > 1.9
    assert torch.equal(few.place, most.place) and torch.equal(few.drift[:, 0], most.drift[:, 0])


def test_what_is_out_of_sight_leaves_no_trace_in_the_observation() -> None:
    scenes = scenes_of(8, 64)
    hidden = scenes.place.clone()
    scenes.sight.zero_()
    scenes.place.fill_(300.0)
    state = start(scenes, 1)
    first = observe(scenes, state, sense(scenes, state, 0), 0)
    assert first.shape == (1, N_OBSERVED, 64)
    state.place.copy_(hidden + 400.0)
    assert torch.equal(observe(scenes, state, sense(scenes, state, 0), 0), first)


def test_car_following_of_the_intelligent_driver_model() -> None:
    def wanted(speed: float, gap: float, closing: float) -> float:
        return wanted_acceleration(*(torch.tensor(value) for value in (speed, gap, closing))).item()

    assert wanted(WANTED_SPEED, 1e6, 0.0) == pytest.approx(0.0, abs=1e-4)  # its fixed point on a free road
    assert wanted(10.0, 2.0 + 16.0, 0.0) == pytest.approx(-0.73 * (10 / 15) ** 4, abs=1e-4)  # and at the desired gap
    assert wanted(10.0, 20.0, 5.0) < wanted(10.0, 20.0, 0.0) < wanted(10.0, 40.0, 0.0)


def test_the_rule_driver_is_far_better_than_chance_and_worse_in_the_field() -> None:
    lab, wild = scenes_of(9, 512), scenes_of(9, 512, coverage=1.0)
    rule = [drive(scenes, 1, rule_driver, DISCOUNT).arrived.float().mean().item() for scenes in (lab, wild)]
    chance = drive(lab, 1, random_driver(1), DISCOUNT).arrived.float().mean().item()
    assert chance < 0.2 and rule[0] > 0.8 and rule[1] < rule[0] - 0.1


# Learning


def batch_of(generator: torch.Generator) -> tuple[Tensor, Batch]:
    outputs = torch.randn(3, N_ACTIONS + 1, 64, generator=generator)
    action = torch.randint(0, N_ACTIONS, (3, 64), generator=generator)
    log_p = log_policy(outputs).gather(1, action[:, None])[:, 0]
    before = log_p + 0.3 * torch.randn(3, 64, generator=generator)
    advantage, returns = torch.randn(2, 3, 64, generator=generator).unbind(0)
    return outputs, Batch(torch.empty(0), action, before, advantage, returns)


def test_the_error_of_actor_and_critic_equals_autograd() -> None:
    outputs, batch = batch_of(torch.Generator().manual_seed(0))
    leaf = outputs.clone().requires_grad_()
    log_p = leaf[:, :N_ACTIONS].log_softmax(dim=1)
    ratio = (log_p.gather(1, batch.action[:, None])[:, 0] - batch.log_p).exp()
    surrogate = torch.minimum(ratio * batch.advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * batch.advantage)
    entropy = -(log_p.exp() * log_p).sum(dim=1)
    squared = 0.5 * (leaf[:, N_ACTIONS] - batch.returns) ** 2
    ((-surrogate - ENTROPY * entropy + CRITIC * squared).mean(dim=1)).sum().backward()
    assert leaf.grad is not None
    assert torch.allclose(policy_error(outputs, batch), leaf.grad, atol=1e-6)


def test_advantages_equal_their_definition() -> None:
    generator = torch.Generator().manual_seed(1)
    rewards, values = ([torch.randn(2, 32, generator=generator) for _ in range(6)] for _ in range(2))
    length = torch.randint(1, 7, (2, 32), generator=generator)
    driving = [(length > number).float() for number in range(6)]
    rewards = [reward * drives for reward, drives in zip(rewards, driving, strict=True)]
    ours = advantages_of(rewards, values, driving)
    n = int(length[1, 5])
    surprises = [
        float(rewards[t][1, 5] + (DISCOUNT * values[t + 1][1, 5] if t + 1 < n else 0) - values[t][1, 5])
        for t in range(n)
    ]
    for t in range(6):
        expected = sum((DISCOUNT * 0.8) ** (k - t) * surprises[k] for k in range(t, n))
        assert ours[t][1, 5].item() == pytest.approx(expected, abs=1e-5)


def test_a_diverged_network_still_has_a_finite_policy() -> None:
    outputs = torch.tensor([torch.nan, torch.inf, -torch.inf, 1e30, 0.0, torch.inf]).view(1, -1, 1)
    log_p = log_policy(outputs)
    assert log_p.isfinite().all() and log_p.exp().sum().item() == pytest.approx(1.0)
    assert log_p.min() >= -2 * LOGIT_LIMIT - 2


def test_calibration_of_returns() -> None:
    actual = torch.linspace(-1, 2, 320).view(1, -1)
    assert return_calibration_error(actual, actual).item() == pytest.approx(0.0, abs=1e-6)
    assert return_calibration_error(actual.clamp(-0.5, 1.5) + 0.3, actual.clamp(-0.5, 1.5)).item() == pytest.approx(0.1)
    assert return_calibration_error(actual * 0 + actual.mean(), actual).item() == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("rung", range(6))
def test_weights_of_every_rung_begin_at_cache_lines(rung: int) -> None:
    assert all(out * into % 16 == 0 for out, into in policy_network(rung, "relu").layers)


@cache
def ample() -> list[TrainingResult]:
    return train([TrainingPlan(TASK, KIND, 3, 8192, coverage=0.4, seed=seed) for seed in range(4)])


@pytest.mark.slow
def test_learning_beats_chance_and_rises_with_the_rung() -> None:
    rungs = [train([TrainingPlan(TASK, KIND, 0, 8192, coverage=0.4, seed=seed) for seed in range(4)]), ample()]
    small, large = (mean(result.accuracy_lab for result in results) for results in rungs)
    assert large > 0.6 and large > small + 0.2
    assert mean(r.crash_rate_lab or 1.0 for r in ample()) < 0.25
    assert all(a.training_flops < b.training_flops for a, b in pairwise([rungs[0][0], rungs[1][0]]))


@pytest.mark.slow
def test_field_scenes_make_the_field_safer() -> None:
    plain = train([TrainingPlan(TASK, KIND, 3, 96, seed=seed) for seed in range(4)])
    assert mean(r.accuracy_field for r in ample()) > mean(r.accuracy_field for r in plain) + 0.05
    assert mean(r.crash_rate_field or 0.0 for r in ample()) < mean(r.crash_rate_field or 0.0 for r in plain) - 0.05


@pytest.mark.slow
def test_unrecorded_crashes_make_reckless_policies() -> None:
    blind = train([TrainingPlan(TASK, KIND, 3, 8192, coverage=0.4, label_noise=1.0, seed=seed) for seed in range(2)])
    assert mean(r.crash_rate_lab or 0.0 for r in blind) > mean(r.crash_rate_lab or 0.0 for r in ample()) + 0.1


@pytest.mark.slow
def test_a_large_run_beats_the_rule_driver_where_it_matters() -> None:
    results = train([TrainingPlan(TASK, KIND, 5, 8192, coverage=0.4, seed=seed) for seed in range(4)])
    assert mean(r.accuracy_lab for r in results) > 0.9
    assert mean(r.accuracy_field for r in results) > results[0].traditional_field + 0.05


# Company, measures, ledger


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "activation"), [("adam", "relu"), ("momentum", "tanh"), ("sgd", "sigmoid")])
@pytest.mark.parametrize("n", [7, pytest.param(19, marks=pytest.mark.slow)])
def test_alone_among_three_and_among_many(optimizer: str, activation: str, n: int) -> None:
    plans = crowd(TASK, KIND, activation, optimizer, n)
    among_many = train(plans, chunk_size=n)
    assert train(plans[-1:]) == among_many[-1:]
    assert train(plans[3:6]) == among_many[3:6]


def test_company_changes_nothing_on_another_rung() -> None:
    plans = crowd(TASK, KIND, "relu", "adam", 3, 1)
    among_three = train(plans)
    assert train(plans[2:3]) == among_three[2:3]


@pytest.mark.slow
@pytest.mark.parametrize("rung", [2, 3, 4, 5])
def test_company_changes_nothing_on_the_largest_rungs(rung: int) -> None:
    plans = crowd(TASK, KIND, "relu", "adam", 4, rung)
    among_four = train(plans)
    assert train(plans[2:3]) == among_four[2:3]


def test_measures_of_a_policy_and_their_way_through_the_ledger() -> None:
    plan = TrainingPlan(TASK, KIND, 0, 64, compression="pruned")
    (result,) = train([plan])
    for stage in ("lab", "field"):
        arrived, crashed = getattr(result, f"accuracy_{stage}"), getattr(result, f"crash_rate_{stage}")
        completion = getattr(result, f"route_completion_{stage}")
        assert 0 <= crashed <= 1 and 0 <= arrived and arrived + crashed <= 1 and arrived <= completion <= 1
    assert result.elbo is None and result.sliced_wasserstein is None
    assert 0 <= result.calibration_error <= 1 and -1 <= result.leakage <= 1
    shape = policy_network(0, "relu")
    assert result.n_parameters == shape.n_parameters
    assert result.inference_flops < 2.0 * sum(shape.products()) * 0.55
    assert result.traditional_field < result.traditional_lab
    ledger = Ledger()
    ledger.add_many([(plan, result)])
    assert ledger.get(plan.key()) == result
    ledger.close()


def test_each_rung_costs_more_than_the_one_below() -> None:
    costs = [size.updates * sum(policy_network(rung, "relu").products()) for rung, size in enumerate(SIZES)]
    assert all(1.5 < after / before < 6 for before, after in pairwise(costs))


def test_route_and_horizon_leave_time_to_be_careful() -> None:
    assert 1.5 < HORIZON * STEP_S / (ROUTE_M / MAX_SPEED) < 3
