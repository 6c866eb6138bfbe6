"""Serving several sectors with one pre-trained model (OP-DIRECTION): what a general firm offers where.

A general firm has a home sector like any other, and adapts its model to the sectors of `adapts_to`. It has one
laboratory per sector served. They share its means evenly: rows at the start, money for data and compute, researchers,
GPUs of its own. An offer at home goes by the name of its segment, one elsewhere by `sector.segment`.
"""

from __future__ import annotations

from collections.abc import Mapping

from agents.settings import FirmSettings
from simulation.settings import RevenueModel, SectorSettings, SegmentSettings
from simulation.training.plan import SECTOR_TASKS


def offers_of(settings: FirmSettings) -> dict[str, RevenueModel]:
    """How a firm earns, by the name of the offer; those at home come first."""
    elsewhere = settings.adapts_to.items()
    return settings.offers | {
        f"{sector}.{name}": model for sector, offers in elsewhere for name, model in offers.items()
    }


def place_of(home: str, offer: str) -> tuple[str, str]:
    """Sector and segment of an offer; no name of either has a dot in it."""
    sector, dot, segment = offer.partition(".")
    return (sector, segment) if dot else (home, offer)


def segments_of(settings: FirmSettings, sectors: Mapping[str, SectorSettings]) -> dict[str, SegmentSettings]:
    """Settings of the segments of all sectors that a firm serves, by the name that an offer there has."""
    elsewhere = {f"{sector}.{n}": s for sector in settings.adapts_to for n, s in sectors[sector].segments.items()}
    return sectors[settings.sector].segments | elsewhere


def public_share(n_adapted: int) -> float:
    """Part of a trunk's pretraining data that is public: of the sector tasks in which the firm has no rows."""
    others = len(SECTOR_TASKS) - 1
    return max(1 - n_adapted / others, 0.0)


def pretraining_runs(n_adapted: int) -> float:
    """What pretraining adds to a run in an adapted sector, in runs of the same size.

    A trunk takes one run for each other sector task (`simulation.training.classifiers.pretraining`). It is trained once
    in a generation of models, and the adapted sectors, `n_adapted` of them, bear it evenly (assumption).
    """
    return (len(SECTOR_TASKS) - 1) / n_adapted
