"""SEC-HEALTH: finding and grading small lesions in textured tissue."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, fixed_draws

SIDE, N_PIXELS = 10, 100
CLASSES = ("healthy", "nodule", "ring", "spiculated")
# A lesion in 4×4 pixels: none, a blob, a rim with a dark centre, rays.
LESIONS = (
    ("....", "....", "....", "...."),
    ("....", ".##.", ".##.", "...."),
    (".##.", "#..#", "#..#", ".##."),
    ("#..#", ".##.", ".##.", "#..#"),
)
LESION = 4
N_PLACES = (SIDE - LESION + 1) ** 2
N_TISSUES, N_SCANNERS = 64, 12
# Assumptions, set so that the drop from lab to field is of the size of fact A7 for a model trained at one clinic:
SCALE = 2.8  # brings inputs to about unit variance, on which learning rates rely
LAB_NOISE, FIELD_NOISE = 0.15, 0.17
BRIGHT = (0.95, 1.45)
TEXTURE, VESSEL = 0.5, 0.45
DENSE, FAINT = 0.7, 0.7  # the minority's tissue is denser by this factor of texture, and its lesions fainter
N_VESSELS = 16


def _lesions() -> Tensor:
    """Every lesion at every place: [classes · places, 100]."""
    ink = torch.tensor([[[pixel == "#" for pixel in line] for line in lesion] for lesion in LESIONS]).float()
    table = torch.zeros(len(CLASSES), N_PLACES, SIDE, SIDE)
    for place in range(N_PLACES):
        row, column = divmod(place, SIDE - LESION + 1)
        table[:, place, row : row + LESION, column : column + LESION] = ink
    return table.view(-1, N_PIXELS)


def _tissues() -> Tensor:
    """Smooth texture: a coarse grid of random brightness, interpolated; [64, 100], within ±0.5."""
    grid = fixed_draws("medical-imaging", "tissue", N_TISSUES, 16).view(N_TISSUES, 4, 4) - 0.5
    at = torch.arange(SIDE) * (3.0 / SIDE)
    left = at.long()
    weight = at - left
    rows = grid[:, left] * (1 - weight[:, None]) + grid[:, left + 1] * weight[:, None]
    return (rows[:, :, left] * (1 - weight) + rows[:, :, left + 1] * weight).reshape(N_TISSUES, N_PIXELS)


def _vessels() -> Tensor:
    """Straight vessels across the image, [16, 100]; the first is empty."""
    u = fixed_draws("medical-imaging", "vessel", N_VESSELS, 3)
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    across = (u[:, 0] < 0.5)[:, None, None]
    along, depth = torch.where(across, columns, rows).float(), torch.where(across, rows, columns).float()
    off = depth - u[:, 1, None, None] * SIDE - (u[:, 2, None, None] * 2 - 1) * (along - SIDE / 2)
    vessels = (off.abs() < 0.6).float()
    vessels[0] = 0.0
    return vessels.view(N_VESSELS, N_PIXELS)


def _scanners() -> tuple[Tensor, Tensor]:
    """Other clinics' scanners: (contrast, blur, sharpness of lesions) [12, 3], and a field of brightness [12, 100]."""
    u = fixed_draws("medical-imaging", "scanner", N_SCANNERS, 6)
    settings = torch.stack([0.65 + 0.6 * u[:, 0], 0.4 * u[:, 1], 0.7 + 0.4 * u[:, 2]], dim=1)
    settings[::6, 0] *= -1.0  # shown inverted: dark on bright
    ramp = torch.arange(SIDE) * (2.0 / (SIDE - 1)) - 1
    shade = (u[:, 3, None, None] * 2 - 1) * ramp[:, None] + (u[:, 4, None, None] * 2 - 1) * ramp
    return settings, ((shade + u[:, 5, None, None] - 0.5) * 0.3).view(N_SCANNERS, N_PIXELS)


class MedicalImaging(TableTask):
    """Grade a 10×10 patch of tissue: healthy, or with a nodule, a ring or a spiculated lesion of a few pixels.

    Stands for image diagnosis (SEC-HEALTH). The lesion is small and lies anywhere in textured tissue with vessels; the
    *field* are other clinics: scanners of other contrast and sharpness, uneven brightness, inverted display. Fact A7: a
    retinopathy grader fell from an AUROC of 98.5 to 89.4 % elsewhere. The minority group has denser tissue, in which
    lesions are fainter. Traditional method: a linear classifier on pixels, to which a lesion that may lie anywhere is
    all but invisible.

    The analogy ends at prevalence (classes are equally frequent here), at volumes and series of images, at disagreement
    between readers, and at what follows from a finding.
    """

    def __init__(self) -> None:
        super().__init__("medical-imaging", (1, SIDE, SIDE), (5, 5), (2, 2), len(CLASSES))

    def make_tables(self) -> Sequence[Tensor]:
        """Lesions, tissues, vessels, settings and brightness of scanners."""
        return _lesions(), _tissues(), _vessels(), *_scanners()

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Images centred at about zero, flattened row by row."""
        lesions, tissues, vessels, settings, shades = self.on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 6)
        place = counter.choice(u[:, 0], N_PLACES)
        low, high = BRIGHT
        dense = minority.float()[:, None]
        lesion = lesions[label * N_PLACES + place] * (low + (high - low) * u[:, 1:2]) * (1 - (1 - FAINT) * dense)
        tissue = tissues[counter.choice(u[:, 2], N_TISSUES)] * (TEXTURE + DENSE * dense)
        vessel = vessels[counter.choice(u[:, 3], N_VESSELS)] * VESSEL
        patch = (tissue + vessel).add_(lesion)
        grain = counter.noise(keys, LANE_NOISE, N_PIXELS)
        scanner = counter.choice(u[:, 4], N_SCANNERS)
        contrast, blur = settings[scanner, 0:1], settings[scanner, 1:2]
        elsewhere = (_blurred(patch, blur) * contrast + shades[scanner]).add_(grain * FIELD_NOISE)
        return torch.where(in_field[:, None], elsewhere, patch + grain * LAB_NOISE).sub_(0.1).mul_(SCALE)

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Contrast, brightness of another scanner, noise."""
        *_, shades = self.on(keys.device)
        u = counter.uniforms(keys, 0, 2)
        shade = shades[counter.choice(u[..., 1], N_SCANNERS)]
        return x * (0.6 + 0.6 * u[..., 0:1]) + shade + counter.noise(keys, LANE_NOISE, N_PIXELS) * 0.3


def _blurred(image: Tensor, share: Tensor) -> Tensor:
    """Each pixel mixed with the next one in its row, by share [n, 1] of images [n, 100]."""
    square = image.view(-1, SIDE, SIDE)
    moved = torch.cat([square[:, :, 1:], square[:, :, -1:]], dim=2).reshape(image.shape)
    return image + (moved - image) * share
