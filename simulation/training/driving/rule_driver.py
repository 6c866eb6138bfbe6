"""The traditional method of driving: car following and changes of lane by hand-written rules."""

from __future__ import annotations

import torch
from torch import Tensor

from simulation.training.driving.road import (
    ACCELERATE,
    BRAKE,
    IN_LANE,
    KEEP,
    LEFT,
    MAX_SPEED,
    RIGHT,
    Sensed,
    State,
)
from simulation.training.driving.scenes import VEHICLE

# Treiber, Hennecke & Helbing 2000, doi:10.1103/PhysRevE.62.1805, table I; the wanted speed is the limit.
WANTED_SPEED, TIME_GAP, MIN_GAP, ACCELERATION, COMFORT = MAX_SPEED, 1.6, 2.0, 0.73, 1.67
FREE_AHEAD, FREE_BEHIND = 18.0, -9.0  # room that a change of lane needs, metres; assumption
SLOW, OVERTAKING = 1.0, 40.0  # m/s and metres: someone slower by that, and as near, is worth overtaking; assumption
KEEPS = (-2.0, 0.2)  # m/s²: wanted accelerations for which the speed is kept; assumption
NOBODY = 1e3


def wanted_acceleration(speed: Tensor, gap: Tensor, closing: Tensor) -> Tensor:
    """The intelligent driver model, m/s²: free acceleration less the braking term of the desired gap.

    Args:
        speed: m/s.
        gap: to the bumper ahead, metres.
        closing: speed minus that of the vehicle ahead, m/s.
    """
    braking = speed * closing * (0.5 / (ACCELERATION * COMFORT) ** 0.5)
    desired = MIN_GAP + (speed * TIME_GAP + braking).clamp_min(0.0)
    free = speed * (1.0 / WANTED_SPEED)
    tight = desired / gap.clamp_min(0.5)
    return ACCELERATION * (1.0 - free * free * free * free - tight * tight)


def rule_driver(number: int, state: State, sensed: Sensed) -> Tensor:
    """Actions int64 [M, E]: follow whoever is ahead in the lane; overtake who is slow if the other lane is free."""
    gap = sensed.gap - 2 * VEHICLE[0]
    ahead = (sensed.seen > 0) & (sensed.gap > 0) & (sensed.offset.abs() < IN_LANE)
    wanted = torch.where(ahead, wanted_acceleration(state.v[:, None], gap, sensed.closing), NOBODY).amin(dim=1)
    wanted = torch.minimum(wanted, wanted_acceleration(state.v, torch.full_like(state.v, NOBODY), state.v * 0))
    pedal = torch.where(wanted > KEEPS[1], ACCELERATE, KEEP)
    pedal = torch.where(wanted < KEEPS[0], BRAKE, pedal)
    return _overtaking(state, sensed, ahead, pedal)


def _overtaking(state: State, sensed: Sensed, ahead: Tensor, pedal: Tensor) -> Tensor:
    """The pedal, or a change of lane where someone slow is ahead and the other lane is free."""
    slow = (ahead & (sensed.closing > SLOW) & (sensed.gap < OVERTAKING)).any(dim=1)
    other = 1.0 - state.target
    beside = (sensed.offset + (state.y - other)[:, None]).abs() < IN_LANE
    close = (sensed.gap < FREE_AHEAD) & (sensed.gap > FREE_BEHIND) & (sensed.seen > 0)
    free = ~(beside & close).any(dim=1) & (state.y == state.target)
    return torch.where(slow & free, torch.where(other > state.target, LEFT, RIGHT), pedal)
