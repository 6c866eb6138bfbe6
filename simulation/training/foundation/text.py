"""The text that foundations read: documents of all domains without labels, and held-out ones to judge by."""

from __future__ import annotations

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.language.text import Writer
from simulation.training.tasks.base import DEFAULT_MINORITY
from simulation.training.tasks.documents import GRAMMAR, USAGE
from simulation.training.values import DOCUMENT_TASKS

GENERAL = "general"
"""A domain of its own beside those of the sectors: texts that belong to none."""
DOMAINS = (GENERAL, *DOCUMENT_TASKS)
FIELD_SHARE = 0.5  # of texts as they are written in the field; assumption
HELD_OUT_SEED = 2**62  # above the seeds of plans
LANE_DOMAIN, LANE_WHICH, LANE_LABEL, LANE_FIELD, LANE_GROUP = range(5)
LANE_NOISE, LANE_OTHER, LANE_TEXT = 8, 128, 256


class Corpus:
    """Texts of one year, as a pure function of (seed, index).

    Args:
        year: of the language.
        sector: a domain that texts come from more often, or "".
        sector_share: share of the texts from that domain; the others come from all domains alike.
        quality: share of tokens that stand as they were written.
        seed: of the texts.
    """

    def __init__(
        self,
        year: int,
        seed: int,
        device: torch.device,
        sector: str = "",
        sector_share: float = 0.0,
        quality: float = 1.0,
    ) -> None:
        self._writer = Writer(GRAMMAR, USAGE, DOMAINS, year, device)
        self._key = counter.stream_keys(torch.tensor([seed], device=device), "foundation", "text")
        self._sector = DOMAINS.index(sector or GENERAL)
        self._sector_share, self._quality = sector_share, quality

    def texts(self, first: int, n: int) -> Tensor:
        """Texts `first` … `first + n − 1`: tokens int64 [n, length]."""
        keys = counter.row_keys(self._key, torch.arange(first, first + n, device=self._key.device))[0]
        u = counter.uniforms(keys, 0, 5)
        domain = counter.choice(u[:, LANE_WHICH], len(DOMAINS))
        domain = torch.where(u[:, LANE_DOMAIN] < self._sector_share, self._sector, domain)
        label = counter.choice(u[:, LANE_LABEL], GRAMMAR.classes)
        condition = 2 * (u[:, LANE_FIELD] < FIELD_SHARE).long() + (u[:, LANE_GROUP] < DEFAULT_MINORITY).long()
        tokens = self._writer.write(keys, LANE_TEXT, domain, label, condition)
        if self._quality == 1.0:
            return tokens
        other = counter.choice(counter.uniforms(keys, LANE_OTHER, GRAMMAR.length), GRAMMAR.symbols)
        return torch.where(counter.uniforms(keys, LANE_NOISE, GRAMMAR.length) < self._quality, tokens, other)


def corpus_of(plan: FoundationPlan, device: torch.device) -> Corpus:
    """What the plan's foundation reads."""
    return Corpus(plan.vintage, plan.seed, device, plan.sector, plan.sector_share, plan.quality)


def held_out(year: int, sector: str, n: int, device: torch.device) -> Tensor:
    """Texts that no foundation reads, of all domains alike, or of one: tokens int64 [n, length]."""
    return Corpus(year, HELD_OUT_SEED, device, sector, 1.0 if sector else 0.0).texts(0, n)
