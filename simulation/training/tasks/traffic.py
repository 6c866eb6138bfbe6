"""SEC-CITY: what slows traffic, from speeds at three places of a road."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, fixed_draws, triangle

CLASSES = ("free", "surge", "accident", "signal failure")
N_PLACES, STEPS = 3, 20  # upstream, here, downstream; readings of three minutes
N_VALUES = N_PLACES * STEPS
N_ONSETS, N_LENGTHS, N_CYCLES, N_WEATHERS, N_JUNCTIONS = 10, 3, 24, 12, 24
# When each place slows, in steps after the onset. Demand travels with the cars, a queue travels against them.
DELAYS = {"surge": (0.0, 2.0, 4.0), "accident": (4.0, 2.0, 0.0), "signal failure": (2.0, 2.0, 2.0)}
DENSE_DELAYS = {"surge": (1.0, 2.0, 3.0), "accident": (3.0, 2.0, 1.0), "signal failure": (2.0, 1.0, 2.0)}
# Assumptions, set so that a well-trained network tells nearly all states on known roads:
SCALE = 2.0  # brings inputs to about unit variance, on which learning rates rely
LAB_NOISE, FIELD_NOISE = 0.25, 0.3
DEPTH = (0.8, 1.4)
CYCLE, LEVEL = 0.3, 0.5  # amplitude of the signals' waves; how much demand differs between days
P_DEAD = 0.25  # share of field rows in which one sensor is dead
RAIN = 0.8


def _slowdowns() -> Tensor:
    """What a state of depth 1 takes off each speed: [2 groups · classes · onsets · lengths, 60]."""
    table = torch.zeros(2, len(CLASSES), N_ONSETS, N_LENGTHS, N_PLACES, STEPS)
    onset = torch.arange(N_ONSETS)[:, None, None, None] + 1.0
    length = torch.arange(N_LENGTHS)[:, None, None] + 3.0
    for group, delays in enumerate((DELAYS, DENSE_DELAYS)):
        for number, state in enumerate(CLASSES[1:], start=1):
            since = torch.arange(STEPS) - onset - torch.tensor(delays[state])[:, None]
            table[group, number] = -torch.minimum(since / 2, (length + 2 - since) / 2).clamp(0, 1)
    return table.view(-1, N_VALUES)


def _cycles() -> Tensor:
    """Waves of the signals in the three speeds: six periods at four phases, [24, 60]."""
    number = torch.arange(N_CYCLES)[:, None]
    period, phase = 4.0 + number // 4, (number % 4) / 4
    waves = [triangle(torch.arange(STEPS) / (period + place) + phase) for place in range(N_PLACES)]
    return (torch.stack(waves, dim=1) * CYCLE).view(N_CYCLES, N_VALUES)


class CityTraffic(TableTask):
    """Tell what slows a road: nothing, a surge of demand, an accident downstream, a failure of signals; in an hour.

    Stands for traffic management (SEC-CITY). Speeds at three places dip and recover; what tells the causes apart is the
    order: a surge travels with the cars, the queue behind an accident against them (Lighthill & Whitham 1955,
    doi:10.1098/rspa.1955.0089), a failure of signals slows all at once. The *field* are other roads (other levels and
    gains), rain, which slows everybody, and dead sensors. The minority group are dense districts, where places lie
    close together and side streets take part, so that delays differ. Traditional method: a linear classifier on
    readings, which sees that something slowed, not what came first.

    The analogy ends at a network of streets, at drivers who react to what the system says, and at labels that somebody
    must give. No figure of the project's fact sheet fits this sector; sizes are assumptions.
    """

    def __init__(self) -> None:
        super().__init__("city-traffic", (N_PLACES, 1, STEPS), (1, 5), (1, 2), len(CLASSES))

    def make_tables(self) -> Sequence[Tensor]:
        """Slowdowns, cycles, rain [12, 3]; gains and levels of other roads [24, 3]."""
        u = fixed_draws(self.name, "junction", N_JUNCTIONS, 2 * N_PLACES)
        rain = -RAIN * fixed_draws(self.name, "weather", N_WEATHERS, N_PLACES)
        gains, levels = 0.5 + 0.8 * u[:, :N_PLACES], u[:, N_PLACES:] * 1.2 - 0.4
        return _slowdowns(), _cycles(), rain, gains, levels

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Speeds of about unit variance, one place after the other."""
        slowdowns, cycles, rain, gains, levels = self.on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 9)
        when = counter.choice(u[:, 0], N_ONSETS) * N_LENGTHS + counter.choice(u[:, 7], N_LENGTHS)
        low, high = DEPTH
        number = (minority.long() * len(CLASSES) + label) * N_ONSETS * N_LENGTHS + when
        slowed = slowdowns[number] * (low + (high - low) * u[:, 1:2])
        speeds = slowed + cycles[counter.choice(u[:, 2], N_CYCLES)] + (u[:, 8:9] - 0.5) * LEVEL
        grain = counter.noise(keys, LANE_NOISE, N_VALUES)
        road = counter.choice(u[:, 3], N_JUNCTIONS)
        level = levels[road] + rain[counter.choice(u[:, 4], N_WEATHERS)]
        other = speeds.view(-1, N_PLACES, STEPS) * gains[road, :, None] + level[:, :, None]
        sensors = torch.arange(N_PLACES, device=keys.device)
        dead = (u[:, 5:6] < P_DEAD) & (sensors == counter.choice(u[:, 6:7], N_PLACES))
        wild = other.masked_fill(dead[:, :, None], 0.0).view(-1, N_VALUES) + grain * FIELD_NOISE
        return torch.where(in_field[:, None], wild, speeds + grain * LAB_NOISE).add_(0.2).mul_(SCALE)

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Gains of another road, a level and noise."""
        _, _, _, gains, _ = self.on(keys.device)
        u = counter.uniforms(keys, 0, 2)
        speeds = x.view(*x.shape[:2], N_PLACES, STEPS) * gains[counter.choice(u[..., 0], N_JUNCTIONS)][..., None]
        return speeds.view(x.shape) + (u[..., 1:2] - 0.5) + counter.noise(keys, LANE_NOISE, N_VALUES) * 0.3
