"""What a foundation model is trained on (`FoundationPlan`) and what was measured on it (`FoundationResult`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulation.training.values import DOCUMENT_TASKS, FIRST_YEAR, LAST_YEAR, USUAL_YEAR, Check, choice, number, whole

FOUNDATION_VERSION = "1"
"""Part of every key: raise it whenever a change of code changes any weight or measure of a foundation."""
MIN_WIDTH, MAX_WIDTH, WIDTH_STEP = 16, 4096, 16
"""Widths are multiples of 16: every matrix then begins at a cache line."""
MIN_BATCH, MAX_BATCH, BATCH_STEP = 32, 65536, 32
MAX_TOKENS = 2**50
_CHECKS: dict[str, Check] = {
    "width": whole(MIN_WIDTH, MAX_WIDTH, WIDTH_STEP),
    "tokens": whole(0, MAX_TOKENS),
    "sector": choice(("", *DOCUMENT_TASKS)),
    "sector_share": number(0.0, 1.0),
    "quality": number(0.0, 1.0),
    "vintage": whole(FIRST_YEAR, LAST_YEAR),
    "learning_rate": number(1e-6, 1.0),
    "batch": whole(MIN_BATCH, MAX_BATCH, BATCH_STEP),
    "seed": whole(0, 2**63 - 1),
}


@dataclass(frozen=True, slots=True)
class FoundationPlan:
    """One pretraining run on texts without labels. Two equal plans give the same weights on one device.

    Attributes:
        width: numbers of a state of the encoder, a multiple of 16; parameters grow with its square.
        tokens: length of the text in tokens; rounded up to whole batches. 0: first weights only, nothing is learned.
        sector: the document task whose sector part of the text comes from, or "".
        sector_share: share of the texts from that sector; the others come from all domains alike.
        quality: share of tokens that stand as they were written; the others are random ones.
        vintage: year of the text.
        learning_rate: step size of Adam after its warm-up; it falls like a cosine.
        batch: texts per step, a multiple of 32.
        seed: of the first weights and of the text, 0 … 2⁶³ − 1.

    Raises:
        ValueError: a value is out of range; the message names it and the range.
    """

    width: int
    tokens: int
    sector: str = ""
    sector_share: float = 0.0
    quality: float = 1.0
    vintage: int = USUAL_YEAR
    learning_rate: float = 3e-3
    batch: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name, check in _CHECKS.items():
            check(name, getattr(self, name))
        if (self.sector == "") != (self.sector_share == 0):
            raise ValueError("sector and sector_share go together: a sector has a share above 0, no sector has 0")

    def record(self) -> dict[str, Any]:
        """Fields by name and the version of pretraining, JSON-serialisable; 0 and 0.0 are written alike."""
        values = {name: getattr(self, name) for name in _CHECKS} | {"version": FOUNDATION_VERSION}
        return values | {name: float(values[name]) + 0.0 for name in ("sector_share", "quality", "learning_rate")}

    def key(self) -> str:
        """32 hexadecimal digits: SHA-256 of the record as canonical JSON."""
        text = json.dumps(self.record(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"foundation:{text}".encode()).hexdigest()[:32]

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> FoundationPlan:
        """The plan that `record` wrote; raises `TypeError` or `ValueError` where it is none."""
        return cls(**{name: value for name, value in record.items() if name != "version"})


@dataclass(frozen=True, slots=True)
class FoundationResult:
    """What was measured on one foundation.

    Attributes:
        key: of the plan.
        loss_general: cross-entropy of a token given all others of its text, nats; of held-out text of all domains in
            the plan's vintage.
        loss_sectors: the same of each sector's text, in the order of `DOCUMENT_TASKS`.
        n_parameters: weights and biases, those of the part that predicts tokens included.
        tokens: read in training.
        training_flops: of all forward and backward passes.
        encoding_flops: of one text's forward pass through the encoder: what an answer costs before its read-out.
        seconds: wall time of training; not compared.
        device: name of the device.
        torch_version: of the torch that trained it.
    """

    key: str
    loss_general: float
    loss_sectors: tuple[float, ...]
    n_parameters: int
    tokens: int
    training_flops: float
    encoding_flops: float
    seconds: float = field(compare=False)
    device: str
    torch_version: str
