"""What all tests share: one thread a process, Hypothesis with the same examples in every run, runs without pictures."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

for library in ("OMP", "OPENBLAS", "MKL"):  # before any of them is loaded; processes that tests start inherit it
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a job in the background: what tests start would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

pytest.register_assert_rewrite("tests.support")
settings.register_profile(
    "project", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("project")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs, cases, comparisons and base rates leave no pictures: they take longer than small worlds."""
    for plots in ("plot_run", "plot_cases", "plot_study", "plot_comparison"):
        monkeypatch.setattr(f"analysis.plots.{plots}", lambda *_: [])
    monkeypatch.setattr("analysis.plots.base_rates.plot_base_rates", lambda *_: [])


@pytest.fixture
def few_sectors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretrained trunks see three sectors in place of eleven: what holds of them does not hang on their number."""
    from simulation.training.classifiers import pretraining
    from tests.support.training_fakes import FEW_SECTORS

    pretraining.forget_trunks()
    monkeypatch.setattr(pretraining, "other_sectors", lambda task: tuple(one for one in FEW_SECTORS if one != task))
    yield
    pretraining.forget_trunks()
