"""SEC-FINANCE: which portfolio suits the present regime of markets."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, fixed_draws

CLASSES = ("trend, hedged by bonds", "trend, bonds fall too", "reversal, hedged by bonds", "reversal, bonds fall too")
N_ASSETS, PERIODS = 2, 24  # stocks and bonds; weekly returns
N_VALUES = N_ASSETS * PERIODS
N_MARKETS = 16
LANES_SHOCKS, LANES_BONDS = 128, 256
# Assumptions, set so that a well-trained network is right in about nine of ten known regimes:
PERSISTENCE = 0.7  # of a shock into the next week, for it in a trend and against it in a reversal
HEDGE = 0.7  # how far bonds move against stocks, or with them
P_LATE = 0.4  # share of field rows in which bonds follow stocks a week later
DRIFT = 0.2  # of stocks in a trend that bonds hedge, and of bonds in one that they do not
BONDS_NOISE, LAB_NOISE, FIELD_NOISE = 0.4, 0.35, 0.4
CRASH, P_CRASH = 2.5, 0.3


class RoboAdvice(TableTask):
    """Choose among four portfolios by the regime of the last 24 weeks: trend or reversal, bonds hedging or falling too.

    Stands for automated advice (SEC-FINANCE). A regime shows in second moments: whether a shock goes on or is undone in
    the week after, and whether bonds move against stocks (Ang & Timmermann 2012,
    doi:10.1146/annurev-financial-110311-101808). Means differ a little, which is all that the traditional linear method
    sees. In the *field* are other markets with other volatilities, crashes, half-hearted regimes, and bonds that follow
    late. The minority group are savers whose funds trade thinly: shocks go on or are undone a week later.

    The analogy ends at profit: regimes are given here, where the market takes away what everybody knows, and returns of
    this predictability do not exist.
    """

    def __init__(self) -> None:
        super().__init__("robo-advice", (N_ASSETS, 1, PERIODS), (1, 3), (1, 2), len(CLASSES))

    def make_tables(self) -> Sequence[Tensor]:
        """Markets: volatility of stocks and of bonds, persistence, strength of the hedge: [16, 4]."""
        u = fixed_draws(self.name, "market", N_MARKETS, 4)
        return (torch.tensor([0.5, 0.5, 0.5, 0.4]) + u * torch.tensor([1.2, 1.2, 0.5, 0.8]),)

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Returns in units of about one standard deviation, stocks first."""
        (markets,) = self.on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 4)
        market = torch.where(in_field[:, None], markets[counter.choice(u[:, 0], N_MARKETS)], 1.0)
        trend, hedged = (label < 2).float()[:, None], (label % 2 == 0).float()[:, None]
        shocks = counter.noise(keys, LANES_SHOCKS, PERIODS + 2)
        later = torch.where(minority[:, None], shocks[:, :PERIODS], shocks[:, 1:-1])  # thin trading: one week more
        carried = (trend * 2 - 1) * PERSISTENCE * market[:, 2:3]
        swings = (shocks[:, 2:] + later * carried) * 0.8
        stocks = swings + DRIFT * trend * hedged
        late = (in_field & (u[:, 3] < P_LATE))[:, None]
        followed = torch.where(late, torch.cat([shocks[:, 1:2], swings[:, :-1]], dim=1), swings)
        bonds = followed * ((1 - 2 * hedged) * HEDGE * market[:, 3:4])
        bonds = bonds + counter.noise(keys, LANES_BONDS, PERIODS) * BONDS_NOISE + DRIFT * trend * (1 - hedged)
        crash = (in_field & (u[:, 1] < P_CRASH))[:, None] & (
            torch.arange(PERIODS, device=keys.device) == counter.choice(u[:, 2:3], PERIODS)
        )
        stocks = stocks * market[:, 0:1] - crash.float() * CRASH
        returns = torch.cat([stocks, bonds * market[:, 1:2]], dim=1)
        sd = torch.where(in_field, FIELD_NOISE, LAB_NOISE)[:, None]
        return returns + counter.noise(keys, LANE_NOISE, N_VALUES) * sd

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Another volatility of each asset, and noise."""
        u = counter.uniforms(keys, 0, N_ASSETS)
        volatility = (0.6 + 0.8 * u)[..., None].expand(-1, -1, -1, PERIODS).reshape(x.shape)
        return x * volatility + counter.noise(keys, LANE_NOISE, N_VALUES) * 0.2
