"""Scenes of the driving world: what stands and moves on a stretch of road, as a pure function of (seed, index, mix)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_FIELD, LANE_GROUP, LANE_NOISY, LANE_OWN, N_COMMON, Mix
from simulation.training.tasks.tables import fixed_draws, zipf_edges

# All constants of this file are assumptions, set so that the lab can be mastered and that the field needs rare scenes.
LEADER, NEIGHBOUR, CROSSER, CYCLIST = range(4)
N_USERS = 4
"""Places for other road users: a vehicle ahead, one in the other lane, someone who crosses, a cyclist."""
N_SURROUNDINGS = 4
"""Numbers that describe how a place looks and say nothing about who moves there: what a policy can memorise."""
STRANGE = 1.2  # how far the look of each condition of the field lies from that of the lab, standard deviations
FAR = -1000.0  # where road users stand who are not there, metres
VEHICLE, PERSON, BICYCLE = (2.25, 0.26), (0.3, 0.08), (0.9, 0.1)  # half length (m), half width (lanes of 3.5 m)
PRESENT = (0.9, 0.8, 0.5, 0.3)
"""Share of scenes with each road user."""
CALM, CUT_IN, JAYWALKER, HARD_BRAKING, BREAKDOWN, SWERVE, WRONG_WAY = range(7)
"""What may happen in a scene."""
CONDITIONS = (
    # name, friction, sight (m), share of readings lost, noise factor, event: the commonest first
    ("jaywalker", 1.0, 60.0, 0.0, 1.0, JAYWALKER),
    ("cut-in", 1.0, 60.0, 0.0, 1.0, CUT_IN),
    ("rain", 0.5, 60.0, 0.0, 1.5, CALM),
    ("black ice", 0.2, 60.0, 0.0, 1.0, CALM),
    ("wrong-way driver", 1.0, 60.0, 0.0, 1.0, WRONG_WAY),
    ("emergency braking", 1.0, 60.0, 0.0, 1.0, HARD_BRAKING),
    ("fog", 0.8, 18.0, 0.0, 1.5, CALM),
    ("swerving cyclist", 1.0, 60.0, 0.0, 1.0, SWERVE),
    ("breakdown", 1.0, 60.0, 0.0, 1.0, BREAKDOWN),
    ("sensor dropout", 1.0, 60.0, 0.4, 2.0, CALM),
    ("jaywalker on a wet night", 0.5, 30.0, 0.1, 2.0, JAYWALKER),
    ("breakdown in fog", 0.5, 18.0, 0.0, 1.5, BREAKDOWN),
)
ZIPF = 1  # exponent of the conditions' frequencies, as in tasks/driving.py
MINORITY_SIGHT = 0.45  # children and wheelchair users are seen from that share of the distance


@dataclass(frozen=True, slots=True)
class Scenes:
    """Scenes of M members (or one for all) × E episodes. Lengths in metres along the road, in lanes across it.

    Attributes:
        place, side: where road users start, float32 [M, N_USERS, E]; lanes are 0 and 1, kerbs −1 and 2.
        speed, later: speeds along the road before and after the trigger, m/s, likewise.
        pull: how fast the one becomes the other, m/s².
        trigger: distance of our car at which a road user changes what it does, metres.
        goal, drift: where it then moves across the road, and how fast, lanes per second.
        half_length, half_width: of a road user, metres and lanes.
        seen_from: distance from which it can be seen in good sight, metres.
        friction: share of the braking of a dry road, float32 [M, E].
        sight, lost, grain: sight in metres, share of readings lost, factor of the sensors' noise, likewise.
        lane: where our car starts, 0.0 or 1.0.
        surroundings: float32 [M, N_SURROUNDINGS, E].
        unrecorded: whether a crash would not be recorded as such, bool [M, E].
        keys: int64 [M, E], for the sensors' noise.
    """

    place: Tensor
    side: Tensor
    speed: Tensor
    later: Tensor
    pull: Tensor
    trigger: Tensor
    goal: Tensor
    drift: Tensor
    half_length: Tensor
    half_width: Tensor
    seen_from: Tensor
    friction: Tensor
    sight: Tensor
    lost: Tensor
    grain: Tensor
    lane: Tensor
    surroundings: Tensor
    unrecorded: Tensor
    keys: Tensor

    def episodes(self, part: slice) -> Self:
        """Only these episodes."""
        return type(self)(*(getattr(self, item.name)[..., part] for item in fields(self)))

    def joined(self, other: Self) -> Self:
        """These episodes, then the others."""
        pairs = ((getattr(self, item.name), getattr(other, item.name)) for item in fields(self))
        return type(self)(*(torch.cat(pair, dim=-1) for pair in pairs))


class _Draws:
    """Uniforms [M, E] of one scene's key, taken one after the other."""

    def __init__(self, keys: Tensor, first: int, n: int) -> None:
        self._left = iter(counter.uniforms(keys, first, n).permute(2, 0, 1).contiguous().unbind(0))

    def within(self, low: float, high: float) -> Tensor:
        """The next uniforms, in [low, high)."""
        return next(self._left) * (high - low) + low

    def chance(self, p: float) -> Tensor:
        """True with probability p, from the next uniforms."""
        return next(self._left) < p


N_DRAWS = 40
OF_USERS = tuple(item.name for item in fields(Scenes))[:11]
"""Fields of `Scenes` that each road user has, from `place` to `seen_from`."""
Users = list[dict[str, Tensor]]
"""Values of each road user, [M, E] each, by name of the field."""


def make_scenes(seeds: Tensor, index: Tensor, mixture: Mix) -> Scenes:
    """Scenes `index` (int64 [E] or [M, E]) of the worlds with these seeds (int64 [M]) and compositions ([M])."""
    keys = counter.row_keys(counter.stream_keys(seeds, "driving-policy", "scenes"), index)
    common = counter.uniforms(keys, 0, N_COMMON)
    in_field = common[..., LANE_FIELD] < mixture.coverage[:, None]
    minority = common[..., LANE_GROUP] < mixture.minority[:, None]
    draws = _Draws(keys, LANE_OWN, N_DRAWS)
    edges = zipf_edges(len(CONDITIONS), ZIPF).to(keys.device)
    condition = (draws.within(0, 1)[..., None] >= edges).sum(dim=-1)
    table = torch.tensor([row[1:] for row in CONDITIONS], device=keys.device)
    friction, sight, lost, grain, event = table[condition].unbind(-1)
    event = torch.where(in_field, event, float(CALM))
    lane = draws.chance(0.5).to(torch.float32)
    users = _calm_traffic(draws, lane)
    _disturb(users, event, draws, lane)
    _mark_minority(users[CROSSER], minority, draws)
    return Scenes(
        **{name: torch.stack([user[name] for user in users], dim=1) for name in OF_USERS},
        friction=torch.where(in_field, friction, 1.0),
        sight=torch.where(in_field, sight, 60.0),
        lost=torch.where(in_field, lost, 0.0),
        grain=torch.where(in_field, grain, 1.0),
        lane=lane,
        surroundings=_surroundings(draws, condition, in_field),
        unrecorded=common[..., LANE_NOISY] < mixture.label_noise[:, None],
        keys=keys,
    )


def _surroundings(draws: _Draws, condition: Tensor, in_field: Tensor) -> Tensor:
    """How places look, [M, N_SURROUNDINGS, E]: sd 1 in the lab; each condition of the field has a look of its own."""
    looks = (fixed_draws("driving-policy", "looks", len(CONDITIONS), N_SURROUNDINGS) < 0.5).to(torch.float32)
    shift = (looks * (2 * STRANGE) - STRANGE).to(condition.device)[condition].movedim(-1, 1)
    own = torch.stack([draws.within(-1.7, 1.7) for _ in range(N_SURROUNDINGS)], dim=1)
    return own + torch.where(in_field[:, None], shift, 0.0)


def _user(draws: _Draws, size: tuple[float, float], present: float, **values: Tensor) -> dict[str, Tensor]:
    """A road user who stays as it is unless `values` say otherwise, absent from some scenes."""
    here = draws.chance(present)
    base, speed = values["side"], values["speed"]
    standard = {"later": speed, "goal": base, "drift": base * 0, "trigger": base * 0, "pull": base * 0 + 2.0}
    sizes = {"half_length": base * 0 + size[0], "half_width": base * 0 + size[1], "seen_from": base * 0 + 60.0}
    user = {**standard, **sizes, **values}
    user["place"] = torch.where(here, user["place"], FAR)
    return user


def _calm_traffic(draws: _Draws, lane: Tensor) -> Users:
    """What stands on every road: a slower vehicle ahead, one beside, someone who crosses in good time, a cyclist."""
    speed = draws.within(5, 10)
    leader = _user(
        draws,
        VEHICLE,
        PRESENT[LEADER],
        place=draws.within(20, 45),
        side=lane,
        speed=speed,
        later=speed * draws.within(0.4, 1),
        trigger=draws.within(12, 25),
    )
    place, speed = draws.within(-12, 40), draws.within(7, 12)
    neighbour = _user(draws, VEHICLE, PRESENT[NEIGHBOUR], place=place, side=1 - lane, speed=speed)
    from_left = draws.chance(0.5).to(torch.float32)
    crosser = _user(
        draws,
        PERSON,
        PRESENT[CROSSER],
        place=draws.within(50, 100),
        side=from_left * 3 - 1,
        speed=lane * 0,
        trigger=draws.within(36, 54),
        goal=2 - from_left * 3,
        drift=draws.within(0.3, 0.5),
    )
    place, speed = draws.within(40, 95), draws.within(3, 5)
    cyclist = _user(draws, BICYCLE, PRESENT[CYCLIST], place=place, side=lane * 0 - 0.3, speed=speed)
    return [leader, neighbour, crosser, cyclist]


def _replace(user: dict[str, Tensor], where: Tensor, **values: Tensor | float) -> None:
    for name, value in values.items():
        user[name] = torch.where(where, value, user[name])


def _disturb(users: Users, event: Tensor, draws: _Draws, lane: Tensor) -> None:
    """Write into the traffic what happens in scenes of the field."""
    near, quick = draws.within(7, 13), draws.within(0, 1)
    _replace(
        users[NEIGHBOUR],
        event == CUT_IN,
        place=near,
        speed=11.0,
        later=2 + 4 * quick,
        pull=5.0,
        trigger=near,
        goal=lane,
        drift=0.7,
    )
    before = draws.chance(0.5).to(torch.float32)
    _replace(
        users[CROSSER],
        event == JAYWALKER,
        place=draws.within(35, 95),
        side=before * 2.4 - 0.7,
        goal=2 - before * 3,
        trigger=draws.within(14, 22),
        drift=0.6 + 0.4 * quick,
        seen_from=36.0,
    )
    _replace(users[LEADER], event == HARD_BRAKING, place=15 + near, later=0.0, pull=7.0, trigger=near + 6)
    _replace(users[LEADER], event == BREAKDOWN, place=35 + 4 * near, speed=0.0, later=0.0, seen_from=35.0)
    _replace(
        users[CYCLIST],
        event == SWERVE,
        place=30 + 4 * near,
        side=lane * 1.6 - 0.3,
        trigger=12 + 6 * quick,
        goal=lane * 0.4 + 0.3,
        drift=0.5,
    )
    _replace(users[LEADER], event == WRONG_WAY, place=80 + 5 * near, speed=-9.0, later=-9.0)


def _mark_minority(crosser: dict[str, Tensor], minority: Tensor, draws: _Draws) -> None:
    """Children who run and wheelchair users who are slow: smaller, seen later, other speeds."""
    child = draws.chance(0.5)
    pace = torch.where(child, 2.0, 0.5)
    _replace(
        crosser,
        minority,
        drift=crosser["drift"] * pace,
        trigger=crosser["trigger"] * torch.where(child, 0.6, 1.0),
        half_width=torch.where(child, 0.06, 0.12),
        seen_from=crosser["seen_from"] * MINORITY_SIGHT,
    )
