"""SEC-SECURITY: recognising marks in small images."""

from __future__ import annotations

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN, RenderedTask

SIDE, GLYPH, N_CLASSES, N_VARIANTS = 8, 5, 8, 4
N_PLACES = (SIDE - GLYPH + 1) ** 2
N_PIXELS = SIDE * SIDE
N_STROKES, N_BLOCKS, N_LIGHTS = 64, 49, 16
# Assumptions, set so that the figures of docs and tests are reachable and not automatic:
SCALE = 2.0  # brings inputs to about unit variance, on which learning rates rely
LAB_NOISE, FIELD_NOISE = 0.20, 0.22
LAB_CONTRAST = (0.8, 1.2)
FIELD_CONTRAST = (0.65, 1.1)
CLUTTER, P_OCCLUDED, LIGHT = 0.4, 0.2, 0.4
P_NIGHT = 0.25  # share of field images taken by an infrared camera, which shows dark marks on a bright ground
P_VARIED, P_STYLED = 0.06, 0.12  # share of a mark's pixels that a variant and that the minority's style change
P_EDGE = 0.06  # chance of each of the two outer offsets of a mark, along each axis


def _draws(name: str, n_keys: int, n: int) -> Tensor:
    """Fixed uniforms [n_keys, n] that define the task itself."""
    keys = counter.row_keys(counter.stream_keys(torch.tensor([0]), "security-vision", name), torch.arange(n_keys))[0]
    return counter.uniforms(keys, 0, n)


def _glyphs() -> Tensor:
    """Templates [2 groups, classes, variants, 5, 5] of ink in {0, 1}.

    A class is a base shape; its variants flip a few pixels (makes, models, angles); the minority group is the same
    shape in a second style: shares a part of its pixels and differs in the rest.
    """
    base = (_draws("base", N_CLASSES, GLYPH * GLYPH) < 0.5).float()
    style = (_draws("style", N_CLASSES, GLYPH * GLYPH) < P_STYLED).float()
    flips = (_draws("variant", N_CLASSES * N_VARIANTS, GLYPH * GLYPH) < P_VARIED).float()
    flips = flips.view(1, N_CLASSES, N_VARIANTS, GLYPH * GLYPH)
    both = torch.stack([base, (base - style).abs()])[:, :, None, :]
    return (both - flips).abs().view(2, N_CLASSES, N_VARIANTS, GLYPH, GLYPH)


def _placed_glyphs() -> Tensor:
    """Every template at every place: [2 · classes · variants · places, 64]."""
    glyphs = _glyphs()
    places = torch.zeros(2, N_CLASSES, N_VARIANTS, N_PLACES, SIDE, SIDE)
    for place in range(N_PLACES):
        row, column = divmod(place, SIDE - GLYPH + 1)
        places[:, :, :, place, row : row + GLYPH, column : column + GLYPH] = glyphs
    return places.view(-1, N_PIXELS)


def _strokes() -> Tensor:
    """Clutter: straight strokes across the image, [64, 64]; the first is empty."""
    u = _draws("stroke", N_STROKES, 3)
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    horizontal = (u[:, 0] < 0.5)[:, None, None]
    along = torch.where(horizontal, columns, rows).float()
    across = torch.where(horizontal, rows, columns).float()
    start, slope = u[:, 1, None, None] * SIDE, u[:, 2, None, None] * 2 - 1
    strokes = ((across - start - slope * (along - SIDE / 2)).abs() < 0.6).float()
    strokes[0] = 0.0
    return strokes.view(N_STROKES, N_PIXELS)


def _blocks() -> Tensor:
    """Occlusion: what a 2×2 … 3×2 block leaves visible, [49, 64] of {0, 1}."""
    masks = torch.ones(N_BLOCKS, SIDE, SIDE)
    for block in range(N_BLOCKS):
        row, column = divmod(block, 7)
        masks[block, row : row + 2 + block % 2, column : column + 2] = 0.0
    return masks.view(N_BLOCKS, N_PIXELS)


def _lights() -> Tensor:
    """Lighting gradients in 16 directions, [16, 64]; entries within ±1."""
    u = _draws("light", N_LIGHTS, 3) * 2 - 1
    ramp = torch.linspace(-1, 1, SIDE)
    light = u[:, 0, None, None] * ramp[:, None] + u[:, 1, None, None] * ramp + 0.5 * u[:, 2, None, None]
    return (light * LIGHT).view(N_LIGHTS, N_PIXELS)


def _offset(u: Tensor) -> Tensor:
    """0 … 3, the middle two likelier: cameras are pointed at what matters."""
    return (u >= P_EDGE).long() + (u >= 0.5).long() + (u >= 1 - P_EDGE).long()


class SecurityVision(RenderedTask):
    """Recognise which of eight marks stands in an 8×8 image.

    Stands for video surveillance and access control (SEC-SECURITY): a mark (a face, a plate, a uniform) looks different
    from one sighting to the next (variants), stands anywhere (16 places), and in the *field* is seen at night, under
    uneven light, behind clutter and partly hidden. The minority group shows the same marks in another style, scarcer in
    the data. Traditional method: a linear classifier on pixels.

    The analogy ends where real vision begins: one object per image, no scale, pose or colour, no open set of unknown
    classes, and a linear baseline where industry had hand-made features.
    """

    def __init__(self) -> None:
        super().__init__("security-vision", (1, SIDE, SIDE), (5, 5), (2, 2), N_CLASSES, input_sd=1.0)
        self._tables: dict[str, tuple[Tensor, Tensor, Tensor, Tensor]] = {}

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if str(device) not in self._tables:
            glyphs, strokes, blocks, lights = _placed_glyphs(), _strokes(), _blocks(), _lights()
            tables = (glyphs.to(device), strokes.to(device), blocks.to(device), lights.to(device))
            self._tables[str(device)] = tables
        return self._tables[str(device)]

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Images centred at about zero, flattened row by row."""
        glyphs, *_ = self._on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 4)
        variant, place = counter.choice(u[:, 0], N_VARIANTS), _offset(u[:, 1]) * 4 + _offset(u[:, 3])
        template = ((minority.long() * N_CLASSES + label) * N_VARIANTS + variant) * N_PLACES + place
        ink = glyphs[template]
        grain = counter.noise(keys, LANE_NOISE, N_PIXELS)
        low, high = LAB_CONTRAST
        image = ink * (low + (high - low) * u[:, 2:3]) + grain * LAB_NOISE
        hard = in_field.nonzero()[:, 0]
        if len(hard):
            image[hard] = self._scene(keys[hard], ink[hard], grain[hard])
        return image.sub_(0.2).mul_(SCALE)

    def _scene(self, keys: Tensor, ink: Tensor, grain: Tensor) -> Tensor:
        """The same marks in field conditions: [n, 64]."""
        _, strokes, blocks, lights = self._on(keys.device)
        u = counter.uniforms(keys, LANE_OWN + 4, 6)
        low, high = FIELD_CONTRAST
        clutter = strokes[counter.choice(u[:, 0], N_STROKES)] * CLUTTER
        visible = blocks[counter.choice(u[:, 1], N_BLOCKS)].maximum((u[:, 2:3] >= P_OCCLUDED).float())
        scene = ink.maximum(clutter) * visible * (low + (high - low) * u[:, 3:4])
        scene = torch.where(u[:, 5:6] < P_NIGHT, 0.4 - scene, scene)
        return scene + lights[counter.choice(u[:, 4], N_LIGHTS)] + grain * FIELD_NOISE

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Brightness, contrast, noise and a random erased row or column of pixels."""
        _, _, blocks, lights = self._on(keys.device)
        u = counter.uniforms(keys, 0, 4)
        gain = 0.6 + 0.6 * u[..., 0:1]
        visible = blocks[counter.choice(u[..., 1], N_BLOCKS)].maximum((u[..., 2:3] >= 0.25).float())
        light = lights[counter.choice(u[..., 3], N_LIGHTS)]
        return x * gain * visible + light + counter.noise(keys, LANE_NOISE, N_PIXELS) * 0.3
