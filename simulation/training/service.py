"""The desk between firms and the trainer: collects plans, trains a bucket when one of its plans is due."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from simulation.training.device import device_name, resolve_device
from simulation.training.foundation.library import Library, folder_beside
from simulation.training.foundation.plan import FoundationPlan, FoundationResult
from simulation.training.foundation.pretrain import Foundation
from simulation.training.ledger.ledger import Ledger
from simulation.training.ledger.rows import COLUMNS, result_of, row_of
from simulation.training.plan import TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.trainer import Bucket, bucket_of, train_bucket


class TrainingService:
    """Serves results of plans: from the ledger where they stand, else by training.

    Args:
        ledger: where finished runs are read and written.
        device: "auto", "cpu", "cuda" or "mps".
        retrain: train every plan here, whatever the ledger holds; foundations come from the weight store all the same.

    Attributes:
        n_runs: networks trained here.
        n_from_ledger: results taken from the ledger.
        seconds: wall time spent in training.
        used_keys: keys whose results were asked for.
        device: display name of the device.

    Raises:
        DeviceError: this machine has no such device.
    """

    def __init__(self, ledger: Ledger, device: str = "auto", retrain: bool = False) -> None:
        self.ledger = ledger
        self.retrain = retrain
        self.n_runs = 0
        self.n_from_ledger = 0
        self.seconds = 0.0
        self.used_keys: set[str] = set()
        self._device = resolve_device(device)
        self.device = device_name(self._device)
        self._plans: dict[str, TrainingPlan] = {}
        self._library = Library(folder_beside(ledger.path))
        self._foundations: dict[str, FoundationPlan] = {}
        self._measured: dict[str, FoundationResult] = {}
        self._pending: dict[str, TrainingPlan] = {}
        self._results: dict[str, TrainingResult] = {}

    @property
    def n_pending(self) -> int:
        """Plans submitted whose results are not known yet."""
        return len(self._pending)

    def submit(self, plan: TrainingPlan) -> str:
        """Order a run; nothing is trained yet. Returns the plan's key."""
        key = plan.key()
        self._plans.setdefault(key, plan)
        if key not in self._results:
            self._pending.setdefault(key, plan)
        return key

    def submit_foundation(self, plan: FoundationPlan) -> str:
        """Order a pretraining run; nothing is trained yet. Returns the plan's key."""
        key = plan.key()
        self._foundations.setdefault(key, plan)
        return key

    def train(self, due: Iterable[str]) -> int:
        """Make the results of all due keys available; returns how many networks were trained, foundations apart.

        Foundations come first, each once for all who ordered it. Every pending plan that shares a bucket with a due one
        is trained in the same batch: lazy batching makes batches full. Finished chunks are written to the ledger as
        they come, so that an interrupt loses only one.

        Raises:
            KeyError: a key was never submitted.
            DeviceError: a foundation is too large for this device.
            LedgerError: the ledger cannot be read (one that cannot be written warns, and training goes on).
        """
        keys = dict.fromkeys(due)
        self._pretrain(key for key in keys if key in self._foundations)
        missing = [key for key in keys if key not in self._results and key not in self._foundations]
        for key in missing:
            if key not in self._pending:
                raise KeyError(f"no training plan with key {key} was submitted")
        if missing:
            self._take_from_ledger(missing)
        buckets = {bucket_of(self._pending[key]) for key in missing if key in self._pending}
        if not buckets:
            return 0
        batch = [key for key, plan in self._pending.items() if bucket_of(plan) in buckets]
        self._take_from_ledger(batch)
        by_bucket: dict[Bucket, list[TrainingPlan]] = {}
        for key in batch:
            if key in self._pending:
                by_bucket.setdefault(bucket_of(self._pending[key]), []).append(self._pending[key])
        return sum(self._train_bucket(plans) for plans in by_bucket.values())

    def _pretrain(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key not in self._measured:
                started = time.perf_counter()
                self._measured[key] = self._library.measured(self._foundations[key], self._device)
                self.seconds += time.perf_counter() - started

    def _take_from_ledger(self, keys: list[str]) -> None:
        if self.retrain:
            return
        for key, result in self.ledger.get_many(keys).items():
            if self._pending.pop(key, None) is not None:
                self._results[key] = result
                self.n_from_ledger += 1

    def _train_bucket(self, plans: list[TrainingPlan]) -> int:
        started = time.perf_counter()
        for results in train_bucket(plans, self._device, library=self._library):
            self.seconds += time.perf_counter() - started
            self.ledger.add_many([(self._pending[result.key], result) for result in results])
            for result in results:
                self._results[result.key] = result
                del self._pending[result.key]
            self.n_runs += len(results)
            started = time.perf_counter()  # what the ledger took, or had to wait for, is not training
        return len(plans)

    def result(self, key: str) -> TrainingResult:
        """What was measured; a pending plan is trained now.

        Raises:
            KeyError: the key was never submitted.
        """
        if key not in self._results:
            self.train([key])
        self.used_keys.add(key)
        return self._results[key]

    def foundation_result(self, key: str) -> FoundationResult:
        """What was measured on an ordered foundation; one that is not there yet is trained now.

        Raises:
            KeyError: the key was never submitted.
        """
        if key not in self._measured:
            self._pretrain([key])
        return self._measured[key]

    def foundation(self, plan: FoundationPlan) -> Foundation:
        """The foundation of that plan: from the weight store where it stands, else trained now."""
        return self._library.get(plan, self._device)

    def rows(self) -> list[dict[str, Any]]:
        """Ledger rows of all results that were asked for, sorted by key.

        Where the ledger has another one (`retrain`), or does not find it any more, the row says what was used here.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        held = {row["key"]: row for row in self.ledger.rows(self.used_keys)}
        return [self._row_of(key, held.get(key)) for key in sorted(self.used_keys)]

    def _row_of(self, key: str, held: dict[str, Any] | None) -> dict[str, Any]:
        result = self._results[key]
        if held is not None and result_of(held) == result:
            return held
        return dict(zip(COLUMNS, row_of(self._plans[key], result, time.time()), strict=True))
