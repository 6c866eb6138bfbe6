"""SEC-COMMERCE: what a shopper will buy, from the last items looked at."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, fixed_draws

N_CATEGORIES, N_TASTE = 4, 6
N_ITEMS, N_CHANNELS = 6, N_TASTE + 2  # a taste vector, then price and dwell time
PRICE, DWELL = N_TASTE, N_TASTE + 1
N_VALUES = N_ITEMS * N_CHANNELS
N_BRANDS, N_SEASONS = 6, 12
LANES_ITEMS = LANE_OWN + 16
# Assumptions, set so that a well-trained network finds most wishes and a linear one few:
SCALE = 1.05  # brings inputs to about unit variance, on which learning rates rely
SKIPPED = 0.5  # how much of an item is seen by who skips it
BRAND = 0.45  # spread of brands around their category
CUE = 1.4  # how far a price is low or a look is long
LAB_NOISE, FIELD_NOISE = 0.25, 0.35
P_HURRY = 0.25  # share of field sessions on a phone, where dwell times are half as telling
DEAR = 2.0  # how much more the items cost that the minority looks at
SALE = 1.0  # how far seasons move prices
FASHION = 1.1  # how far new collections move brands
OTHER_BRANDS = 1.0  # how far the brands that the minority looks at lie from the common ones


def _items() -> Tensor:
    """Taste vectors of brands: [2 groups, 2 lab or field, categories, brands, 6]."""
    name, shape = "commerce-recommendation", (N_CATEGORIES, N_BRANDS, N_TASTE)
    centre = (fixed_draws(name, "category", N_CATEGORIES, N_TASTE) * 2 - 1) * 1.4
    brands = fixed_draws(name, "brand", N_CATEGORIES * N_BRANDS, N_TASTE).view(shape) * 2 - 1
    fashion = fixed_draws(name, "fashion", N_CATEGORIES * N_BRANDS, N_TASTE).view(shape) * 2 - 1
    known = centre[:, None] + brands * BRAND
    other = fixed_draws(name, "other", N_CATEGORIES * N_BRANDS, N_TASTE).view(shape) * 2 - 1
    both = torch.stack([known, known + other * OTHER_BRANDS])
    return torch.stack([both, both + fashion * FASHION], dim=1)


class CommerceRecommendation(TableTask):
    """Predict which of four categories a shopper buys from: six items looked at, with price and dwell time.

    Stands for recommendation in e-commerce (SEC-COMMERCE). Of all items looked at, the one that will be bought is both
    cheap for its kind and looked at for long. Others are only cheap (and skipped) or only looked at (and too dear), so
    that neither price nor dwell time alone tells, nor the commonest category. In the *field* seasons move prices, new
    collections move what brands look like, and on phones dwell times say less. The minority group looks
    at other and dearer brands, so that cheap means another price. Traditional method: a linear model on all items, in
    the manner of popularity by attribute.

    The analogy ends at catalogues of millions, at feedback (what is shown is what is bought), at position bias, and at
    new shoppers of whom nothing is known. Sizes are assumptions.
    """

    def __init__(self) -> None:
        super().__init__("commerce-recommendation", (N_CHANNELS, 1, N_ITEMS), (1, 1), (1, 2), N_CATEGORIES)

    def make_tables(self) -> Sequence[Tensor]:
        """Taste vectors of brands, and seasons: a shift of prices, [12]."""
        seasons = (fixed_draws(self.name, "season", N_SEASONS, 1)[:, 0] * 2 - 1) * SALE
        return _items().view(-1, N_TASTE), seasons

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Sessions, channel by channel."""
        items, seasons = self.on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 4)
        each = counter.uniforms(keys, LANES_ITEMS, 3 * N_ITEMS)
        brand, category, cue = each[:, :N_ITEMS], each[:, N_ITEMS : 2 * N_ITEMS], each[:, 2 * N_ITEMS :]
        bought = torch.arange(N_ITEMS, device=keys.device) == counter.choice(u[:, :1], N_ITEMS)
        kind = torch.where(bought, label[:, None], counter.choice(category, N_CATEGORIES))
        # Three things that an item which is not bought may be: cheap and skipped, dear and looked at, dear and skipped.
        cheap = bought | (cue < 0.4)
        looked = bought | ((cue >= 0.4) & (cue < 0.8))
        price = torch.where(cheap, -CUE, CUE) + torch.where(minority, DEAR, 0.0)[:, None]
        dwell = torch.where(looked, CUE, -CUE)
        hurry = in_field & (u[:, 1] < P_HURRY)
        dwell = dwell * torch.where(hurry, 0.5, 1.0)[:, None]
        price = price + torch.where(in_field, seasons[counter.choice(u[:, 2], N_SEASONS)], 0.0)[:, None]
        shelf = minority.long() * 2 + in_field.long()
        number = (shelf[:, None] * N_CATEGORIES + kind) * N_BRANDS + counter.choice(brand, N_BRANDS)
        taste = items[number] * torch.where(looked, 1.0, SKIPPED)[:, :, None]
        session = torch.cat([taste, price[:, :, None], dwell[:, :, None]], dim=2)
        sd = torch.where(in_field, FIELD_NOISE, LAB_NOISE)[:, None]
        seen = session.transpose(1, 2).reshape(-1, N_VALUES) + counter.noise(keys, LANE_NOISE, N_VALUES) * sd
        return seen * SCALE

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Items left out, and noise."""
        u = counter.uniforms(keys, 0, N_ITEMS)
        kept = (u >= 0.05).float()[:, :, None, :].expand(-1, -1, N_CHANNELS, -1).reshape(x.shape)
        return x * kept + counter.noise(keys, LANE_NOISE, N_VALUES) * 0.3
