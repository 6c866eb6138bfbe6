"""Adaptations: the same alone as in company, closed form where it says so, and better for having read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sklearn.linear_model import Ridge

from simulation.training.foundation import pretrain as pretraining
from simulation.training.foundation.frozen import FrozenEncoder
from simulation.training.foundation.library import Library, forget_foundations
from simulation.training.foundation.model import encoder_of
from simulation.training.foundation.read_out import PENALTIES, fit_read_out
from simulation.training.ladder import inference_flops
from simulation.training.ledger.ledger import Ledger
from simulation.training.networks.adapters import Adapter, AdapterNetwork
from simulation.training.networks.encoders import EncoderNetwork
from simulation.training.plan import ADAPTED_KINDS, FOUNDATION_KINDS, Recipe, TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.service import TrainingService
from simulation.training.tasks import get_task
from simulation.training.trainer import bucket_of, train_bucket
from tests.support.foundation_fakes import TASK, TINY, UNREAD, adapted

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def few_held_out_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judging a foundation takes longer than forty steps."""
    monkeypatch.setattr(pretraining, "N_GENERAL", 256)
    monkeypatch.setattr(pretraining, "N_SECTOR", 32)


def train(plans: list[TrainingPlan], library: Library | None = None) -> list[TrainingResult]:
    results = {r.key: r for chunk in train_bucket(plans, CPU, library=library) for r in chunk}
    return [results[plan.key()] for plan in plans]


def crowd(kind: str) -> list[TrainingPlan]:
    """Members that differ in everything that a bucket leaves free."""
    free = kind not in ("probe", "adapter")
    return [
        adapted(
            kind,
            rows=64 + 300 * n,
            seed=n,
            label_noise=0.1 * (n % 2),
            coverage=0.3 * n,
            minority_share=0.1 + 0.1 * n,
            anonymisation=0.5 * (n == 1),
            compression=("none", "int8", "pruned", "none")[n] if free else "none",
            recipe=Recipe(learning_rate=2e-3 * (1 + n), augmentation=n == 3, weight_decay=0.1 * (n == 2)),
        )
        for n in range(4)
    ]


@pytest.mark.parametrize("kind", FOUNDATION_KINDS)
def test_alone_and_among_four(kind: str) -> None:
    plans = crowd(kind)
    assert len({bucket_of(plan) for plan in plans}) == 1
    together = train(plans)
    for n in (0, 3):
        assert train([plans[n]]) == [together[n]]
    forget_foundations()
    assert train(plans[1:3]) == together[1:3]


def test_other_foundations_and_years_are_other_buckets() -> None:
    plans = [adapted("probe"), adapted("probe", foundation=replace(TINY, seed=1)), adapted("probe", year=2024)]
    assert len({bucket_of(plan) for plan in plans}) == len({plan.key() for plan in plans}) == 3
    assert TrainingPlan.from_json(plans[1].as_json()) == plans[1]
    assert bucket_of(replace(plans[0], rung=4, recipe=Recipe("sgd"))) == bucket_of(plans[0])  # a probe has neither


@pytest.mark.parametrize("rows", [60, 400])
def test_the_read_out_is_ridge_regression_with_the_penalty_of_cross_validation(rows: int) -> None:
    draws = torch.Generator().manual_seed(rows)
    x = torch.randn(rows, 100, generator=draws) * torch.linspace(0.1, 3.0, 100) + 5.0
    y = (x[:, 50] * 2 + torch.randn(rows, generator=draws) > 10).long() + 2 * (x[:, 99] > 5).long()
    found = fit_read_out(x, y, 4)
    scaled = ((x - x.mean(dim=0)) / x.std(dim=0)).double().numpy()
    wanted = torch.nn.functional.one_hot(y, 4).double().numpy()
    scores = []
    for penalty in PENALTIES:
        ridge = Ridge(alpha=penalty).fit(scaled, wanted)
        left = wanted - ridge.predict(scaled)
        hat = (
            scaled
            @ torch.linalg.solve(
                torch.tensor(scaled.T @ scaled + penalty * torch.eye(100).numpy()), torch.tensor(scaled.T)
            ).numpy()
        )
        scores.append((left**2).sum() / (1 - (hat.trace() + 1) / rows) ** 2)
    best = Ridge(alpha=PENALTIES[scores.index(min(scores))]).fit(scaled, wanted)
    told = x @ found.weights.T + found.biases
    torch.testing.assert_close(told.double(), torch.tensor(best.predict(scaled)), atol=1e-3, rtol=1e-3)


def test_an_encoder_at_hand_says_what_the_network_says() -> None:
    library = Library()
    frozen = FrozenEncoder(library.get(TINY, CPU), 8)
    x = get_task(TASK).test_sets(CPU).lab_x[:70]
    read_out = torch.randn(8, frozen.shape.n_features, generator=torch.Generator().manual_seed(0))
    network = EncoderNetwork(frozen.shape, 2, CPU)
    for block, first in zip(network.blocks, frozen.blocks, strict=False):
        block.copy_(first.expand_as(block))
    network.blocks[-2].copy_(read_out.expand_as(network.blocks[-2]))
    logits, _ = network.forward(x.T.expand(2, -1, -1))
    torch.testing.assert_close(logits[1].T, frozen.encode(x) @ read_out.T, atol=1e-4, rtol=1e-4)
    assert torch.equal(frozen.encode(x)[:30], frozen.encode(x[:30]))


def test_an_adapter_starts_from_the_encoder_and_leaves_it_alone() -> None:
    frozen = FrozenEncoder(Library().get(TINY, CPU), 8)
    before = [block.clone() for block in frozen.blocks]
    shape = frozen.shape
    thin = Adapter(shape.n_inputs, shape.hidden, 8, "relu", symbols=shape.symbols, levels=shape.levels)
    network = AdapterNetwork(thin, 2, CPU, frozen.blocks)
    network.initialise(torch.tensor([1, 2]))
    for merged, block in zip(network.merged(network.blocks), frozen.blocks, strict=True):
        assert torch.equal(merged, block.expand_as(merged))
    assert thin.n_parameters < encoder_of(64, 8).n_parameters and thin.products() == shape.products()
    train([adapted("adapter")])
    assert all(torch.equal(a, b) for a, b in zip(before, frozen.blocks, strict=True))


def test_costs_of_each_kind() -> None:
    probe, adapter, finetuned, distilled, scratch = (train([adapted(kind)])[0] for kind in FOUNDATION_KINDS)
    encoder = encoder_of(TINY.width, 8)
    assert probe.inference_flops == finetuned.inference_flops == inference_flops(encoder)
    assert probe.n_parameters == encoder.n_parameters == scratch.n_parameters
    # A customer of an API keeps the read-out alone; who finetunes keeps all weights.
    assert probe.model_bytes == 4 * 8 * (encoder.n_features + 1) < adapter.model_bytes < finetuned.model_bytes
    assert distilled.inference_flops < probe.inference_flops / 2 and distilled.model_bytes < finetuned.model_bytes
    assert probe.training_flops < adapter.training_flops < finetuned.training_flops
    assert scratch.training_flops < finetuned.training_flops  # which encodes its rows first
    pruned = train([adapted("finetuned", compression="pruned")])[0]
    assert pruned.inference_flops < finetuned.inference_flops


def test_all_measures_hold_for_every_kind() -> None:
    for kind in FOUNDATION_KINDS:
        result = train([adapted(kind, rows=512)])[0]
        assert 0.1 < result.accuracy_lab < 1.0 and 0.0 <= result.calibration_error < 1.0 and result.latency_us > 0
        assert result.traditional_lab > 0.2 and -1.0 <= result.leakage <= 1.0 and result.crash_rate_lab is None
        assert kind != "finetuned" or result.leakage > 0.05  # half a thousand rows are remembered


def test_results_stand_in_the_ledger_and_the_weights_beside_it(tmp_path: Path) -> None:
    forget_foundations()
    path = tmp_path / "ledger.sqlite"
    service = TrainingService(Ledger(path), "cpu")
    keys = [service.submit(adapted("probe", seed=seed)) for seed in range(3)]
    assert service.train(keys) == 3 and (tmp_path / "ledger.sqlite.weights" / "weights").is_dir()
    again = TrainingService(Ledger(path), "cpu")
    again.submit(adapted("probe", seed=1))
    assert again.result(keys[1]) == service.result(keys[1]) and again.n_from_ledger == 1


@pytest.mark.parametrize(
    ("kind", "more", "says"),
    [
        ("probe", {"foundation": None}, "foundation must be a FoundationPlan for the kind 'probe'"),
        ("probe", {"foundation": UNREAD}, "foundation with 0 tokens does not go with the kind 'probe'"),
        ("scratch", {"foundation": TINY}, "does not go with the kind 'scratch'"),
        ("probe", {"compression": "int8"}, "compression needs weights of one's own"),
        ("finetuned", {"compression": "distilled"}, "compression 'distilled' needs one of the kinds"),
        ("finetuned", {"dp_noise": 1.0}, "dp_noise needs one of the kinds"),
        ("finetuned", {"minimisation": 0.5}, "minimisation needs one of the kinds"),
        ("finetuned", {"year": 2040}, r"year must be a whole number in \[2015, 2035\]"),
        ("finetuned", {"rows": 65537}, "rows must be a whole number in"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line(kind: str, more: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        adapted(kind, **more)  # type: ignore[arg-type]


def test_signals_have_no_foundation_and_no_year() -> None:
    for kind in ADAPTED_KINDS:
        with pytest.raises(ValueError, match="kind of the task speech must be one of linear"):
            TrainingPlan("speech", kind, 0, 64, foundation=TINY)
    with pytest.raises(ValueError, match="year needs a task of documents"):
        TrainingPlan("speech", "mlp", 0, 64, year=2021)
    with pytest.raises(ValueError, match=r"rows must be a whole number in \[64, 8192\]"):
        TrainingPlan("speech", "mlp", 0, 8193)
    with pytest.raises(ValueError, match="foundation needs one of the kinds"):
        TrainingPlan(TASK, "mlp", 0, 64, foundation=TINY)


@pytest.mark.slow
def test_reading_more_makes_a_probe_better_than_a_network_from_scratch() -> None:
    """A fifth of F1.5: 64 rows on it tell more than 64 alone, and more the more it has read."""
    texts = [replace(TINY, width=32, batch=64, learning_rate=5e-3, tokens=16 * 64 * steps) for steps in (100, 700)]
    lab = []
    for text in texts:
        probes = train([adapted("probe", 256, seed, foundation=text) for seed in range(3)])
        lab.append(sum(result.accuracy_lab for result in probes) / 3)
    network = TrainingPlan(TASK, "cnn", 3, 256, recipe=Recipe(learning_rate=5e-3, weight_decay=0.05))
    assert lab[1] > lab[0] + 0.03 and lab[1] > train([network])[0].accuracy_lab
