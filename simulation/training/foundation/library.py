"""Who needs a foundation asks the library: it is in memory, in the weight store, or trained now, once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from simulation.training.device import DeviceError, single_thread
from simulation.training.foundation.ladder import flops_per_token, label
from simulation.training.foundation.plan import FoundationPlan, FoundationResult
from simulation.training.foundation.pretrain import Foundation, pretrain
from simulation.training.foundation.store import WeightStore

MOST_CPU_FLOPS = 1e14
"""Training operations that a CPU does in about an hour; assumption."""
IN_MEMORY = 8
"""Foundations that a process keeps at hand."""
_at_hand: dict[tuple[str, str, str], Foundation] = {}  # by folder, key and device; the last used stands last


def forget_foundations() -> None:
    """Drop what this process keeps at hand."""
    _at_hand.clear()


def folder_beside(ledger_path: str) -> Path | None:
    """The folder of the weight store of a ledger; None for one in memory."""
    return None if ledger_path == ":memory:" else Path(f"{ledger_path}.weights")


class Library:
    """Foundations by plan.

    Args:
        folder: of the weight store; None keeps foundations for the process only.
        retrain: train what this process has not trained itself, whatever the store holds.
    """

    def __init__(self, folder: Path | None = None, retrain: bool = False) -> None:
        self.store = None if folder is None else WeightStore(folder)
        self._retrain = retrain
        self._place = "" if folder is None else str(folder)

    def check(self, plan: FoundationPlan, device: torch.device) -> None:
        """Raise `DeviceError` where the foundation would have to be trained and this device cannot do so in an hour."""
        flops = plan.tokens * flops_per_token(plan.width)
        if device.type == "cpu" and flops > MOST_CPU_FLOPS and (self.store is None or self.store.get(plan) is None):
            name = label(plan)
            raise DeviceError(
                "cpu", f"a foundation of {flops:.1g} operations ({name}) would take more than an hour here"
            )

    def get(self, plan: FoundationPlan, device: torch.device) -> Foundation:
        """The foundation of that plan, its weights on the device; what does not exist yet is trained now.

        Raises:
            DeviceError: it is too large to be trained on this device, or does not fit into its memory.
        """
        key = (f"{self._place}{'!' * self._retrain}", plan.key(), str(device))
        foundation = _at_hand.pop(key, None)
        if foundation is None:
            self.check(plan, device)
            found = self._found(plan, device)
            foundation = replace(found, body=tuple(block.to(device) for block in found.body))
        _at_hand[key] = foundation
        while len(_at_hand) > IN_MEMORY:
            del _at_hand[next(iter(_at_hand))]
        return foundation

    def measured(self, plan: FoundationPlan, device: torch.device) -> FoundationResult:
        """What was measured on the foundation of that plan; one that never existed is trained now.

        Weights that the store has dropped are not asked for: who needs them trains them again.

        Raises:
            DeviceError: it is too large to be trained on this device, or does not fit into its memory.
        """
        entry = None if self.store is None or self._retrain else self.store.entry(plan)
        return self.get(plan, device).result if entry is None else entry.result

    def _found(self, plan: FoundationPlan, device: torch.device) -> Foundation:
        if self.store is None:
            return self._train(plan, device)
        kept = None if self._retrain else self.store.get(plan)
        if kept is not None:
            return kept
        with self.store.training(plan):
            kept = None if self._retrain else self.store.get(plan)  # another process may have trained it meanwhile
            return self._train(plan, device) if kept is None else kept

    def _train(self, plan: FoundationPlan, device: torch.device) -> Foundation:
        checkpoint = None if self.store is None else self.store.checkpoint(plan)
        try:
            with single_thread():
                foundation = pretrain(plan, device, checkpoint)
        except torch.OutOfMemoryError as error:
            reason = f"the foundation {label(plan)} of width {plan.width} does not fit into its memory"
            raise DeviceError(device.type, reason) from error
        if self.store is not None and checkpoint is not None and self.store.put(foundation):
            checkpoint.clear()
        return foundation
