"""SEC-MANUFACTURING: faults of machines in sensor series."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, fixed_draws, triangle

CLASSES = ("healthy", "impacts", "imbalance", "slipping", "drift", "stuck")
N_SENSORS, STEPS = 2, 32  # vibration and load
N_VALUES = N_SENSORS * STEPS
N_PHASES, N_SPEEDS, N_MACHINES = 16, 4, 24
N_ONSETS = 8
# Assumptions, set so that a well-trained network finds nearly all faults of known machines:
SCALE = 1.65  # brings inputs to about unit variance, on which learning rates rely
LAB_NOISE, FIELD_NOISE = 0.22, 0.3
SEVERITY = (0.7, 1.3)
PERIODS = (5.0, 6.0, 7.0, 8.0)  # of the healthy machines in the lab, in steps
RETROFIT = 1.45  # how much slower the minority's machines turn
WEAR = 0.6


def _healthy(periods: Tensor) -> Tensor:
    """Vibration and load at all phases: [periods, phases, 2, 32]."""
    turns = torch.arange(STEPS) / periods[:, None, None] + torch.arange(N_PHASES)[:, None] / N_PHASES
    return torch.stack([triangle(turns), 0.5 * triangle(turns * 0.5)], dim=2)


def _faults(periods: Tensor) -> Tensor:
    """What a fault of severity 1 adds: [periods, phases, onsets, classes, 2, 32]."""
    steps, phases = torch.arange(STEPS), torch.arange(N_PHASES)[:, None] / N_PHASES
    turns = steps / periods[:, None, None] + phases
    since = (steps - 2.0 * torch.arange(N_ONSETS)[:, None]).clamp_min(0)  # [onsets, steps]
    after = (since > 0).float()
    vibration, load = triangle(turns), 0.5 * triangle(turns * 0.5)
    slow = triangle(turns[:, :, None] - since * 0.09)
    whole = torch.zeros(len(periods), N_PHASES, N_ONSETS, len(CLASSES), N_SENSORS, STEPS)
    impact = ((steps + 2 * torch.arange(N_ONSETS)[:, None]) % 11 == 0).float() * 1.8
    whole[:, :, :, 1, 0] = impact
    whole[:, :, :, 2, 0] = vibration[:, :, None] * after * 0.9
    whole[:, :, :, 2, 1] = vibration[:, :, None] * after * 0.4
    whole[:, :, :, 3, 0] = slow - vibration[:, :, None]
    whole[:, :, :, 4, 1] = since * 0.05
    whole[:, :, :, 5, 0] = -vibration[:, :, None] * after
    whole[:, :, :, 5, 1] = -0.3 * load[:, :, None] * after
    return whole


class ManufacturingFaults(TableTask):
    """Tell six states of a machine from 32 readings of its vibration and its load.

    Stands for predictive maintenance and quality control (SEC-MANUFACTURING): impacts of a damaged bearing, imbalance
    that grows the vibration, a slipping belt that slows it, a drift of the load, a stuck sensor. The fault begins at
    any time and at any phase of the turn. *Lab* rows are machines of the pilot plant; the *field* are other machines
    with other speeds, levels and gains, worn ones whose load trends without a fault, and more noise. The minority group
    are old machines that turn more slowly. Traditional method: a linear classifier on readings, to which a wave of
    unknown phase averages out; industry's own baseline (bands of a spectrum with alarm limits) is stronger.

    The analogy ends at the frequency of faults (equal here, rare in reality), at months of run-to-failure data and at
    the cost of stopping a line.
    """

    def __init__(self) -> None:
        super().__init__("manufacturing-faults", (N_SENSORS, 1, STEPS), (1, 5), (1, 4), len(CLASSES))

    def make_tables(self) -> Sequence[Tensor]:
        """Series of every speed (lab, minority, field), phase, onset and fault; machines' gains and levels."""
        lab = torch.tensor(PERIODS)
        periods = torch.cat([lab, lab * RETROFIT, lab * 0.8])
        healthy, faults = _healthy(periods), _faults(periods)
        u = fixed_draws(self.name, "machine", N_MACHINES, 5)
        gains = 0.6 + 0.7 * u[:, :N_SENSORS]
        levels = u[:, 2:4] * 1.2 - 0.6
        wear = u[:, 4] * WEAR
        return healthy.view(-1, N_VALUES), faults.view(-1, N_VALUES), gains, levels, wear

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Series of about unit variance, sensor by sensor."""
        healthy, faults, gains, levels, wear = self.on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 7)
        kind = torch.where(in_field & (u[:, 5] < 0.5), 2, minority.long())
        speed = kind * N_SPEEDS + counter.choice(u[:, 0], N_SPEEDS)
        turning = speed * N_PHASES + counter.choice(u[:, 1], N_PHASES)
        low, high = SEVERITY
        fault = faults[(turning * N_ONSETS + counter.choice(u[:, 2], N_ONSETS)) * len(CLASSES) + label]
        series = healthy[turning] + fault * (low + (high - low) * u[:, 3:4])
        grain = counter.noise(keys, LANE_NOISE, N_VALUES)
        machine = counter.choice(u[:, 4], N_MACHINES)
        trend = torch.arange(STEPS, device=keys.device) * (wear[machine, None] / STEPS)
        other = series.view(-1, N_SENSORS, STEPS) * gains[machine, :, None] + levels[machine, :, None]
        worn = (other + trend[:, None]).view(-1, N_VALUES) + grain * FIELD_NOISE
        return torch.where(in_field[:, None], worn, series + grain * LAB_NOISE).mul_(SCALE)

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Another machine's gains, and noise."""
        _, _, gains, levels, _ = self.on(keys.device)
        u = counter.uniforms(keys, 0, 1)
        machine = counter.choice(u[..., 0], N_MACHINES)
        series = x.view(*x.shape[:2], N_SENSORS, STEPS) * gains[machine][..., None] + levels[machine][..., None]
        return series.view(x.shape) + counter.noise(keys, LANE_NOISE, N_VALUES) * 0.2
