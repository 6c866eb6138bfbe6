"""SEC-DRIVING: recognising road users in small images, with a long tail of rare conditions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, fixed_draws, inverse_choice, zipf_edges

SIDE, N_PIXELS = 8, 64
CLASSES = ("car", "lorry", "pedestrian", "cyclist", "sign", "barrier")
# Side views in five rows of five pixels; as drawn by hand.
SHAPES = (
    (".....", ".###.", "#####", "#####", ".#.#."),
    ("####.", "####.", "#####", "#####", "#...#"),
    ("..#..", ".###.", "..#..", "..#..", ".#.#."),
    ("..#..", ".##..", "..##.", "#.#.#", "#...#"),
    (".###.", ".###.", ".###.", "..#..", "..#.."),
    (".....", "#####", "#.#.#", "#####", "#...#"),
)
N_PLACES, N_VARIANTS, N_ROADS = 12, 6, 32
N_CONDITIONS = 16
# Assumptions, set so that a well-trained network is good in the lab and that the field needs rare scenes in the data:
SCALE = 2.2  # brings inputs to about unit variance, on which learning rates rely
P_VARIED, P_STYLED = 0.05, 0.14  # share of pixels that a model of car and that the minority's vehicles change
LAB_NOISE, FIELD_NOISE = 0.2, 0.2
LAB_CONTRAST = (0.85, 1.15)
ROAD = 0.35
ZIPF = 1  # exponent: the commonest of 16 conditions is seen in 3 of 10 field scenes, the rarest in 1 of 54


def _views() -> Tensor:
    """Every road user at every place: [2 groups · classes · variants · places, 64] of {0, 1}."""
    ink = torch.tensor([[[pixel == "#" for pixel in line] for line in shape] for shape in SHAPES]).float()
    name, n = "driving-perception", len(CLASSES)
    style = (fixed_draws(name, "style", n, 25) < P_STYLED).float().view(n, 5, 5)
    flips = (fixed_draws(name, "variant", n * N_VARIANTS, 25) < P_VARIED).float().view(n, N_VARIANTS, 5, 5)
    both = torch.stack([ink, (ink - style).abs()])
    varied = (both[:, :, None] - flips).abs()
    views = torch.zeros(2, n, N_VARIANTS, N_PLACES, SIDE, SIDE)
    for place in range(N_PLACES):
        row, column = 1 + place // 4, place % 4  # from the horizon down, anywhere across
        views[:, :, :, place, row : row + 5, column : column + 5] = varied
    return views.view(-1, N_PIXELS)


def _roads() -> Tensor:
    """Backgrounds: sky above a road with edges that slope, [32, 64]."""
    u = fixed_draws("driving-perception", "road", N_ROADS, 4)
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    sky = (rows < 1 + 2 * u[:, 0, None, None]).float() * (0.5 + u[:, 1, None, None])
    edge = (columns - u[:, 2, None, None] * SIDE - (u[:, 3, None, None] * 2 - 1) * (rows - 4)).abs() < 0.6
    return (torch.maximum(sky, edge.float()) * ROAD).view(N_ROADS, N_PIXELS)


def _conditions() -> tuple[Tensor, Tensor, Tensor]:
    """What each condition does to an image: gain [16], light added [16, 64], visible pixels [16, 64].

    The rarer a condition, the fainter the scene and the stronger glare and occlusion. The second and every fourth after
    it are nights seen by an infrared camera, which shows dark bodies on a bright ground.
    """
    u = fixed_draws("driving-perception", "condition", N_CONDITIONS, 8)
    rarity = torch.arange(N_CONDITIONS) / (N_CONDITIONS - 1)
    gain = 1.0 - 0.2 * rarity - 0.1 * u[:, 0]
    gain = torch.where(torch.arange(N_CONDITIONS) % 4 == 1, gain * -0.9, gain)
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    far = (rows - u[:, 1, None, None] * 7).abs() + (columns - u[:, 2, None, None] * 7).abs()
    glare = (1 - far / (2 + 3 * u[:, 3, None, None])).clamp_min(0) * (0.3 + 0.4 * rarity[:, None, None])
    haze = (u[:, 4, None, None] - 0.4) * 0.6 * (SIDE - rows) / SIDE
    hidden = (columns - u[:, 5, None, None] * 7).abs() < rarity[:, None, None] * 0.5
    light = (glare + haze).view(N_CONDITIONS, N_PIXELS)
    return gain, light, 1.0 - hidden.expand(-1, SIDE, -1).reshape(N_CONDITIONS, N_PIXELS).float()


class DrivingPerception(TableTask):
    """Recognise which of six road users stands in an 8×8 image of a road.

    Stands for the perception of automated driving (SEC-DRIVING) and its long tail: *lab* rows are clear days on test
    roads; *field* rows come from 16 conditions (dusk, haze, glare, occlusion, infrared …) whose frequency
    falls as Zipf's law, the rarer the harder. A rare condition stands in the training rows only by `coverage`, and even
    then a few times in a hundred: with few rows, field accuracy is poor and differs much from run to run. The minority
    group are road users of unusual looks (wheelchairs, rickshaws, loads). Traditional method: a linear classifier.

    The analogy ends at one road user per still image: no motion, no distance, no planning, and a list of conditions
    that is closed, where the real tail has no end (Koopman, The heavy tail safety ceiling, 2018).
    """

    def __init__(self) -> None:
        super().__init__("driving-perception", (1, SIDE, SIDE), (5, 5), (2, 2), len(CLASSES))

    def make_tables(self) -> Sequence[Tensor]:
        """Views, roads; of the conditions edges, gain, light, visibility."""
        return _views(), _roads(), zipf_edges(N_CONDITIONS, ZIPF), *_conditions()

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Images centred at about zero, flattened row by row."""
        views, roads, edges, gain, light, visible = self.on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 5)
        variant, place = counter.choice(u[:, 0], N_VARIANTS), counter.choice(u[:, 1], N_PLACES)
        view = views[((minority.long() * len(CLASSES) + label) * N_VARIANTS + variant) * N_PLACES + place]
        scene = view.maximum(roads[counter.choice(u[:, 2], N_ROADS)])
        grain = counter.noise(keys, LANE_NOISE, N_PIXELS)
        low, high = LAB_CONTRAST
        clear = scene * (low + (high - low) * u[:, 3:4]) + grain * LAB_NOISE
        condition = inverse_choice(u[:, 4], edges)
        rare = scene * visible[condition] * gain[condition, None] + light[condition] + grain * FIELD_NOISE
        return torch.where(in_field[:, None], rare, clear).sub_(0.3).mul_(SCALE)

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Contrast, brightness and noise: it can imitate dusk and haze, not glare, occlusion or infrared."""
        u = counter.uniforms(keys, 0, 2)
        varied = x * (0.6 + 0.6 * u[..., 0:1]) + (u[..., 1:2] - 0.5)
        return varied + counter.noise(keys, LANE_NOISE, N_PIXELS) * 0.3
