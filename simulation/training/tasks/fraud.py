"""SEC-FINANCE: telling fraudulent card transactions from unusual honest ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, fixed_draws

AMOUNT, HOUR, MERCHANT, SPEED = range(4)
N_FEATURES, N_PURCHASES = 4, 8
N_VALUES = N_FEATURES * N_PURCHASES
N_HABITS, N_LENGTHS, N_SEASONS = 16, 3, 16
PAIRS = ((AMOUNT, HOUR), (AMOUNT, MERCHANT), (HOUR, SPEED), (MERCHANT, SPEED))
NEW_PAIRS = ((AMOUNT, SPEED), (HOUR, MERCHANT))  # seen in the field only
N_PATTERNS, N_KNOWN = 2 * len(PAIRS + NEW_PAIRS), 2 * len(PAIRS)
# Assumptions, set so that 95 % is reachable with ample data and a good recipe, and not with little:
P_FRAUD = 0.3  # share of fraud in training rows: honest ones are thinned, as is usual; the real share is 0.2 % (A9)
HABIT, UNUSUAL, LEVEL = 0.5, 1.7, 0.35  # spread of habits, size of what is unusual, and how far fraud spends more
NOISE, FIELD_NOISE = 0.45, 0.5
P_NEW = 0.3  # share of field rows of a new pattern
CAUTION = (0.6, 1.0)  # in the field, fraudsters who know the system stay closer to the card's habit
SEASON = 0.7
THIN = 0.9


def _unusual() -> Tensor:
    """What is unusual about the last purchases: [2 honest or fraud, patterns, features], entries −1, 0, 1.

    Fraud moves two features together: large at night, tiny and rapid. Honest surprises move them against each other.
    So each feature alone says little, and a linear method must miss most of it.
    """
    unusual = torch.zeros(2, N_PATTERNS, N_FEATURES)
    for number, (one, other) in enumerate(PAIRS + NEW_PAIRS):
        for sign in (0, 1):
            unusual[:, 2 * number + sign, one] = 1.0 - 2 * sign
            unusual[1, 2 * number + sign, other] = 1.0 - 2 * sign
            unusual[0, 2 * number + sign, other] = 2.0 * sign - 1.0
    return unusual


def _histories() -> Tensor:
    """Every history: [2 groups · 2 classes · habits · patterns · lengths, 32], feature by feature."""
    habit = (fixed_draws("finance-fraud", "habit", N_HABITS, N_FEATURES) * 4 - 2) * HABIT
    unusual = _unusual() * UNUSUAL
    unusual[1] += LEVEL
    last = torch.zeros(N_LENGTHS, N_PURCHASES)
    for length in range(N_LENGTHS):
        last[length, -2 - length :] = 1.0
    # Thin files: purchases of people new to the country or the bank look rapid and foreign to begin with.
    thin = torch.tensor([0.0, 0.0, THIN, -THIN])
    group = torch.stack([torch.zeros(N_FEATURES), thin])
    turned = torch.stack([unusual, unusual.clone()])
    night = slice(2 * PAIRS.index((HOUR, SPEED)), 2 * PAIRS.index((HOUR, SPEED)) + 2)
    turned[1, :, night, HOUR] *= -1.0
    shape = (2, 2, N_HABITS, N_PATTERNS, N_LENGTHS, N_FEATURES, N_PURCHASES)
    usual = habit[None, None, :, None, None, :, None] + group[:, None, None, None, None, :, None]
    surprise = turned[:, :, None, :, None, :, None] * last[None, None, None, None, :, None, :]
    return (usual + surprise).expand(shape).reshape(-1, N_VALUES).contiguous()


class FinanceFraud(TableTask):
    """Decide whether the last purchases on a card are fraud, from its last eight: amount, hour, merchant, speed.

    Stands for card-fraud detection (SEC-FINANCE). A card has a habit; the last two to four purchases depart from it.
    Fraud shows in how features depart *together* (large and at night, tiny and rapid), so that a linear method misses
    much of it: fact A9, recall of 60 % by logistic regression and of 80 % by boosted trees. Training rows are
    imbalanced (3 frauds in 10), test sets are balanced, so that accuracy there is balanced accuracy. In the *field*
    fraudsters are cautious and know other tricks, and seasons shift everyone's spending. The minority group has thin
    files: other habits, and night work, which turns the meaning of rapid purchases by night. Traditional method: a
    linear model.

    The analogy ends at the share of fraud (2 in 1,000 in reality, so precision is not measured), at the cost of each
    kind of error, at labels that arrive months late, and at names, devices and networks of cards.
    """

    def __init__(self) -> None:
        super().__init__("finance-fraud", (N_FEATURES, 1, N_PURCHASES), (1, 3), (1, 2), 2)

    def make_tables(self) -> Sequence[Tensor]:
        """Histories, and seasons: a shift of each feature, [16, 4]."""
        seasons = (fixed_draws(self.name, "season", N_SEASONS, N_FEATURES) * 2 - 1) * SEASON
        return _histories(), seasons

    def labels(self, u: Tensor, balanced: bool) -> Tensor:
        """1 for fraud."""
        return (u >= (0.5 if balanced else 1 - P_FRAUD)).long()

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Histories in units of about one standard deviation, feature by feature."""
        histories, seasons = self.on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 7)
        habit, known = counter.choice(u[:, 0], N_HABITS), counter.choice(u[:, 1], N_KNOWN)
        new = N_KNOWN + counter.choice(u[:, 6], N_PATTERNS - N_KNOWN)
        pattern = torch.where(in_field & (u[:, 5] < P_NEW), new, known)
        length = counter.choice(u[:, 2], N_LENGTHS)
        number = (((minority.long() * 2 + label) * N_HABITS + habit) * N_PATTERNS + pattern) * N_LENGTHS + length
        history = histories[number]
        grain = counter.noise(keys, LANE_NOISE, N_VALUES)
        seen = history + grain * NOISE
        low, high = CAUTION
        cautious = (history * (low + (high - low) * u[:, 3:4])).view(-1, N_FEATURES, N_PURCHASES)
        season = seasons[counter.choice(u[:, 4], N_SEASONS)]
        wild = (cautious + season[:, :, None]).view(-1, N_VALUES) + grain * FIELD_NOISE
        return torch.where(in_field[:, None], wild, seen)

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Another season and noise."""
        _, seasons = self.on(keys.device)
        u = counter.uniforms(keys, 0, 1)
        season = seasons[counter.choice(u[..., 0], N_SEASONS)][..., None].expand(*x.shape[:2], -1, N_PURCHASES)
        return x + season.reshape(x.shape) * 0.5 + counter.noise(keys, LANE_NOISE, N_VALUES) * 0.2
