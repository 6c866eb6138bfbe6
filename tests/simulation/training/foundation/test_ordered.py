"""Foundations that worlds order: measured once for all, from the weight store where it has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from simulation.training.foundation.library import forget_foundations
from simulation.training.ledger.ledger import Ledger
from simulation.training.service import TrainingService
from tests.support.foundation_fakes import TINY, adapted


@pytest.fixture(autouse=True)
def _fresh() -> None:
    forget_foundations()


def test_a_due_foundation_is_trained_and_one_that_is_not_due_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[str] = []
    from simulation.training.foundation import library

    real = library.pretrain
    monkeypatch.setattr(library, "pretrain", lambda plan, *rest: trained.append(plan.key()) or real(plan, *rest))
    service = TrainingService(Ledger.open(":memory:"), "cpu")
    first, later = service.submit_foundation(TINY), service.submit_foundation(replace(TINY, seed=1))
    assert service.submit_foundation(TINY) == first and not trained
    assert service.train([first]) == 0 and trained == [first]
    assert service.train([first, first]) == 0 and trained == [first], "once"
    assert service.foundation_result(first).loss_general > 0
    assert service.foundation_result(later).key == later and trained == [first, later], "asked for: trained now"
    with pytest.raises(KeyError):
        service.foundation_result("never")
    with pytest.raises(KeyError, match="was submitted"):
        service.train(["never"])


def test_networks_and_foundations_are_due_together(tmp_path: Path) -> None:
    service = TrainingService(Ledger.open(tmp_path / "ledger.sqlite"), "cpu")
    probe = service.submit(adapted("probe"))
    foundation = service.submit_foundation(TINY)
    assert service.train([probe, foundation]) == 1
    assert service.result(probe).key == probe and service.foundation_result(foundation).key == foundation
    assert [row["key"] for row in service.rows()] == [probe], "foundations are no rows of the ledger"


def test_what_was_measured_is_found_even_where_the_weights_are_gone(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    results = []
    for _ in range(2):
        forget_foundations()
        service = TrainingService(Ledger.open(ledger), "cpu")
        results.append(service.foundation_result(service.submit_foundation(TINY)))
        for path in (tmp_path / "ledger.sqlite.weights" / "weights").glob("*"):
            path.unlink()
    assert results[0] == results[1] and results[0].seconds == results[1].seconds, "not trained again"
