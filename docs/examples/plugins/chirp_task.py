"""A training task: telling rising from falling tones, as in the calls of machines that are about to fail.

    ventures train --plugin docs/examples/plugins/chirp_task.py --task chirp-direction --kind cnn --rows 512
    ventures run FILE.yaml --plugin docs/examples/plugins/chirp_task.py

where FILE.yaml says, for instance:

    extends: markets/base
    title: Manufacturing as a market for chirps
    world: {sectors: {manufacturing: {task: chirp-direction}}}

Rows are a pure function of (task, seed, index), in exactly rounded arithmetic (no sine), like those of shipped tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.plugins import Plugin
from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, triangle

N_CLASSES, N_SAMPLES, N_PHASES = 4, 64, 32
NOISE, FIELD_NOISE, FIELD_STRETCH, QUIET = 0.8, 1.2, 1.3, 0.6  # assumptions

plugin = Plugin("chirp-direction", "a task: tones that rise or fall, slowly or fast")


@plugin.task("chirp-direction")
class ChirpDirection(TableTask):
    """Four classes: rising or falling, slow or fast. In the field machines run faster and halls are louder."""

    def __init__(self) -> None:
        super().__init__("chirp-direction", (1, 1, N_SAMPLES), (1, 5), (1, 2), N_CLASSES)

    def make_tables(self) -> Sequence[Tensor]:
        """Every tone: [2 conditions · classes · phases, samples]."""
        t = torch.arange(N_SAMPLES) / N_SAMPLES
        tones = []
        for stretch in (1.0, FIELD_STRETCH):
            for label in range(N_CLASSES):
                bend = (2.0 + 2.0 * (label // 2)) * (1 - 2 * (label % 2))
                cycles = (6.0 * t + bend * (t * t - t)) * stretch
                tones += [triangle(cycles + phase / N_PHASES) for phase in range(N_PHASES)]
        return (torch.stack(tones),)

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Tones with noise; those of the minority of machines are quiet."""
        (tones,) = self.on(keys.device)
        phase = counter.choice(counter.uniforms(keys, LANE_OWN, 1)[:, 0], N_PHASES)
        tone = tones[(in_field.long() * N_CLASSES + label) * N_PHASES + phase]
        loudness = torch.where(minority, QUIET, 1.0)[:, None]
        noise = torch.where(in_field, FIELD_NOISE, NOISE)[:, None]
        return tone * loudness + counter.noise(keys, LANE_NOISE, N_SAMPLES) * noise

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """More noise."""
        return x + counter.noise(keys, LANE_NOISE, N_SAMPLES) * 0.3
