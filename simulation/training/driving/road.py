"""The driving world: one car per episode on a road with two lanes, all members and episodes stepped at once.

Stands for the planning of automated driving (SEC-DRIVING), as `tasks/driving.py` does for its perception: decide twice
a second whether to brake, go on, speed up or change lanes. The analogy ends at one straight road of 120 m with at most
four other road users, who follow a script and hardly react; at two lanes one way; at positions that come as numbers and
not as images; and at a closed list of conditions, where the real tail has no end (Koopman, The heavy tail safety
ceiling, 2018).

Layout is [members, what, episodes]. Every arithmetic step is exactly rounded (no exp, no sums over a dimension), so
that the world is the same on every device and does not depend on how many members drive in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.driving.scenes import N_SURROUNDINGS, N_USERS, VEHICLE, Scenes

# Assumptions unless sourced.
STEP_S = 0.5  # seconds between decisions
HORIZON = 36  # steps until the time is up
ROUTE_M = 120.0  # length of a route; at 15 m/s half the time is enough
MAX_SPEED = 15.0  # m/s, the speed limit of a town (54 km/h)
START_SPEED = 10.0
BRAKING = 7.0  # m/s² on a dry road: about a friction of 0.7
PULLING = 2.5  # m/s²
LATERAL = 1.0  # lanes per second in a change of lane
REAR_SIGHT = 15.0  # metres that are seen backwards
NOISE = (1.0, 0.5, 0.05, 0.05)  # sd of sensed gaps (m), closing speeds (m/s), offsets (lanes), drifts (lanes/s)
FULL_SIGHT = 60.0
STRIKING = 2.0  # scale of the conditions among the inputs: 0 on every road of the lab
FOLLOWING, BESIDE = 15.0, 2.5  # metres: who is as near behind us keeps our speed, beside us keeps its side
IN_LANE, HEADING_S = 0.45, 1.0  # lanes and seconds: who is in a lane, or will be

BRAKE, KEEP, ACCELERATE, RIGHT, LEFT = range(5)
"""Actions: the pedals in our lane, or a change of lane at the same speed."""
N_ACTIONS = 5
N_OBSERVED = 6 + N_SURROUNDINGS + 4 * N_USERS + 2 * 3

CRASH_REWARD, ARRIVAL_REWARD = -1.0, 1.0
"""And 1 for the whole route, step by step as it is driven."""


@dataclass(slots=True)
class State:
    """Where everything is: float32 [M, E] for our car, [M, N_USERS, E] for the others.

    Attributes:
        x, y: our place along the road (m) and across it (lanes).
        v: our speed, m/s.
        target: lane we are in or moving to.
        place, side, speed: of the others.
        woken: whether another has been triggered, bool.
        driving, crashed: bool [M, E]; who does neither drive nor lies crashed has arrived or run out of time.
    """

    x: Tensor
    y: Tensor
    v: Tensor
    target: Tensor
    place: Tensor
    side: Tensor
    speed: Tensor
    woken: Tensor
    driving: Tensor
    crashed: Tensor


class Sensed(NamedTuple):
    """What the sensors say of the others, with noise: float32 [M, N_USERS, E], zero where nothing is seen.

    Gap (m, between centres, positive ahead), closing speed (m/s), offset (lanes, positive to the left), drift (lanes
    per second), seen (0 or 1).
    """

    gap: Tensor
    closing: Tensor
    offset: Tensor
    drift: Tensor
    seen: Tensor


Driver = Callable[[int, State, Sensed], Tensor]
"""Actions int64 [M, E] at a step."""


def start(scenes: Scenes, n_members: int) -> State:
    """Everything at its start."""

    def of(value: Tensor) -> Tensor:
        return value.expand(n_members, *value.shape[1:]).clone()

    lane = of(scenes.lane)
    nobody = torch.zeros_like(lane, dtype=torch.bool)
    return State(
        x=torch.zeros_like(lane),
        y=lane,
        v=torch.full_like(lane, START_SPEED),
        target=lane.clone(),
        place=of(scenes.place),
        side=of(scenes.side),
        speed=of(scenes.speed),
        woken=torch.zeros_like(of(scenes.place), dtype=torch.bool),
        driving=~nobody,
        crashed=nobody,
    )


def towards(value: Tensor, goal: Tensor, pace: Tensor | float) -> Tensor:
    """`value` moved towards `goal` by no more than `pace`."""
    change = goal - value
    if isinstance(pace, Tensor):
        return value + torch.minimum(torch.maximum(change, -pace), pace)
    return value + change.clamp(-pace, pace)


def meet(offset: Tensor, move: Tensor, reach: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of a step, first and last, in which |offset + share · move| < reach; first > last for never.

    Kay & Kajiya's slabs (1986, doi:10.1145/15922.15916) in one dimension.
    """
    move = torch.where(move.abs() < 1e-6, 1e-6, move)
    one, other = (-reach - offset) / move, (reach - offset) / move
    return torch.minimum(one, other), torch.maximum(one, other)


def step(scenes: Scenes, state: State, action: Tensor) -> tuple[State, Tensor]:
    """One step of everything: the state afterwards and the reward, float32 [M, E] (0 for who no longer drives).

    Args:
        action: int64 [M, E], 0 … N_ACTIONS − 1.
    """
    target = torch.where(action == RIGHT, 0.0, torch.where(action == LEFT, 1.0, state.target))
    change = torch.where(action == BRAKE, scenes.friction * (-BRAKING * STEP_S), 0.0)
    change = torch.where(action == ACCELERATE, PULLING * STEP_S, change)
    v = (state.v + change).clamp(0.0, MAX_SPEED)
    x = state.x + (state.v + v) * (0.5 * STEP_S)
    y = towards(state.y, target, LATERAL * STEP_S)
    woken, place, side, speed = _others_move(scenes, state)
    hit = _touched(scenes, state, (x, y), (place, side)) & state.driving
    arrived = (x >= ROUTE_M) & state.driving & ~hit
    progress = (x.clamp_max(ROUTE_M) - state.x) * (1.0 / ROUTE_M)
    penalty = torch.where(scenes.unrecorded, 0.0, CRASH_REWARD)
    reward = progress + torch.where(arrived, ARRIVAL_REWARD, 0.0) + torch.where(hit, penalty, 0.0)
    driving = state.driving
    stopped = ~driving
    after = State(
        x=torch.where(stopped, state.x, x),
        y=torch.where(stopped, state.y, y),
        v=torch.where(stopped, state.v, v),
        target=torch.where(stopped, state.target, target),
        place=place,
        side=side,
        speed=speed,
        woken=woken,
        driving=driving & ~hit & ~arrived,
        crashed=state.crashed | hit,
    )
    return after, torch.where(driving, reward, 0.0)


def _others_move(scenes: Scenes, state: State) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Who is awake, and places, sides and speeds of the others after a step.

    They follow their scene, but nobody drives into our back or walks into our side with open eyes: who is behind us in
    our lane slows to our speed, and who is beside us does not move across.
    """
    gap, offset = state.place - state.x[:, None], state.side - state.y[:, None]
    woken = state.woken | (gap.abs() < scenes.trigger)
    speed = towards(state.speed, torch.where(woken, scenes.later, state.speed), scenes.pull * STEP_S)
    follows = (gap < 0) & (gap > -FOLLOWING) & (offset.abs() < IN_LANE)
    speed = torch.where(follows, torch.minimum(speed, state.v[:, None]), speed)
    place = state.place + torch.where(follows, speed, (state.speed + speed) * 0.5) * STEP_S
    moves = woken & (gap.abs() > scenes.half_length + BESIDE)
    side = torch.where(moves, towards(state.side, scenes.goal, scenes.drift * STEP_S), state.side)
    return woken, place, side, speed


def _touched(scenes: Scenes, before: State, car: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> Tensor:
    """Whether our rectangle met another's at any moment of the step, bool [M, E]."""
    gap, offset = before.place - before.x[:, None], before.side - before.y[:, None]
    gap_moves = others[0] - car[0][:, None] - gap
    offset_moves = others[1] - car[1][:, None] - offset
    first, last = meet(gap, gap_moves, scenes.half_length + VEHICLE[0])
    side_first, side_last = meet(offset, offset_moves, scenes.half_width + VEHICLE[1])
    together = torch.maximum(first, side_first).clamp_min(0.0) < torch.minimum(last, side_last).clamp_max(1.0)
    return together.any(dim=1)


def sense(scenes: Scenes, state: State, number: int) -> Sensed:
    """What the sensors say at step `number`; readings are lost and noisy as the scene's conditions have it."""
    keys = counter.row_keys(scenes.keys, torch.tensor([number + 1], device=state.x.device))[..., 0]
    gap = state.place - state.x[:, None]
    reach = torch.minimum(scenes.seen_from, scenes.sight[:, None])
    lost = counter.uniforms(keys, 0, N_USERS).transpose(1, 2) < scenes.lost[:, None]
    seen = ((gap < reach) & (gap > -REAR_SIGHT) & ~lost).to(torch.float32)
    noise = counter.noise(keys, N_USERS, 4 * N_USERS).transpose(1, 2).contiguous() * scenes.grain[:, None]
    noise = noise.view(len(noise), 4, N_USERS, -1)
    woken = state.woken.to(torch.float32)
    drift = woken * scenes.drift * torch.sign(scenes.goal - state.side)
    truth = (gap, state.v[:, None] - state.speed, state.side - state.y[:, None], drift)
    gap, closing, offset, drift = ((value + noise[:, i] * NOISE[i]) * seen for i, value in enumerate(truth))
    return Sensed(gap, closing, offset, drift, seen)


def observe(scenes: Scenes, state: State, sensed: Sensed, number: int) -> Tensor:
    """Inputs of a policy, float32 [M, N_OBSERVED, E], of order one: our car, the conditions, the others."""
    left = torch.full_like(state.x, 1.0 - 2.0 * number / HORIZON)
    sight, friction = (value.expand_as(state.x) for value in (scenes.sight, scenes.friction))
    own = [
        state.v * (2.0 / MAX_SPEED) - 1.0,
        state.y * 2.0 - 1.0,
        1.0 - state.x * (2.0 / ROUTE_M),
        left,
        (1.0 - friction) * STRIKING,
        (1.0 - sight * (1.0 / FULL_SIGHT)) * STRIKING,
    ]
    near = (1.0 - sensed.gap.abs() * (1.0 / FULL_SIGHT)).clamp_min(0.0) * sensed.seen
    others = [torch.where(sensed.gap > 0, near, -near), sensed.closing * 0.1, sensed.offset, sensed.drift * 2.0]
    surroundings = scenes.surroundings.expand(len(state.x), -1, -1)
    lanes = [*_lane(state, sensed, near, state.target), *_lane(state, sensed, near, 1.0 - state.target)]
    return torch.cat([torch.stack([*own, *lanes], dim=1), surroundings, *others], dim=1)


def _lane(state: State, sensed: Sensed, near: Tensor, lane: Tensor) -> list[Tensor]:
    """Of a lane: how near the next one ahead is, how fast the gap to any ahead closes, how near one behind is."""
    across = sensed.offset + (state.y - lane)[:, None]
    within = (across.abs() < IN_LANE) | ((across + sensed.drift * HEADING_S).abs() < IN_LANE)
    ahead, behind = within & (sensed.gap > -4.0), within & (sensed.gap <= 4.0)
    urgency = sensed.closing * near
    return [
        torch.where(ahead, near, 0.0).amax(dim=1) * 2.0 - 1.0,
        torch.where(ahead, urgency, 0.0).amax(dim=1) * 0.2,
        torch.where(behind, near, 0.0).amax(dim=1),
    ]


class Drive(NamedTuple):
    """How episodes ended, [M, E]: arrived and crashed (bool), share of the route (float32), discounted return."""

    arrived: Tensor
    crashed: Tensor
    completion: Tensor
    returns: Tensor


def drive(scenes: Scenes, n_members: int, driver: Driver, discount: float) -> Drive:
    """Let a driver drive all episodes to their end; returns are discounted per step."""
    state = start(scenes, n_members)
    returns, weight = torch.zeros_like(state.x), 1.0
    for number in range(HORIZON):
        state, reward = step(scenes, state, driver(number, state, sense(scenes, state, number)))
        returns += reward * weight
        weight *= discount
    completion = (state.x * (1.0 / ROUTE_M)).clamp_max(1.0)
    return Drive((state.x >= ROUTE_M) & ~state.crashed, state.crashed, completion, returns)
