"""Pretraining: what a foundation's plan decides, that it learns the language, and that it goes on where it stopped."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from simulation.training.device import single_thread
from simulation.training.foundation import pretrain as module
from simulation.training.foundation.ladder import (
    FIRST_FLOPS,
    GROWTH,
    LADDERS,
    Ladder,
    best_width,
    flops_per_token,
    foundation_named,
    label,
    name_of,
)
from simulation.training.foundation.model import TextModel, encoder_of, reconstruction_of
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.foundation.pretrain import Foundation, Progress, pretrain, steps_of
from simulation.training.foundation.text import corpus_of, held_out
from simulation.training.ladder import training_flops
from simulation.training.networks.encoders import affine, states
from simulation.training.tasks.documents import GRAMMAR
from simulation.training.values import DOCUMENT_TASKS
from tests.support.foundation_fakes import TINY, UNREAD

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def few_held_out_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judging takes longer than forty steps."""
    monkeypatch.setattr(module, "N_GENERAL", 512)
    monkeypatch.setattr(module, "N_SECTOR", 128)


def trained(plan: FoundationPlan) -> Foundation:
    with single_thread():
        return pretrain(plan, CPU)


def same(one: Foundation, other: Foundation) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.body, other.body, strict=True))


def test_the_plan_alone_decides_the_weights() -> None:
    plan = replace(TINY, tokens=16 * 32 * 10)
    first, again = trained(plan), trained(plan)
    assert same(first, again) and again.result == first.result
    for change in ({"seed": 1}, {"vintage": 2024}, {"quality": 0.5}, {"sector": "city-notices", "sector_share": 0.5}):
        assert not same(first, trained(replace(plan, **change))), change


def test_reading_lowers_the_loss_of_every_domain_and_wrong_words_lower_it_less() -> None:
    plan = replace(TINY, tokens=16 * 32 * 200, learning_rate=8e-3)
    before, after = trained(UNREAD).result, trained(plan).result
    poor = trained(replace(plan, quality=0.5)).result
    assert before.loss_general > 0.9 * math.log(GRAMMAR.symbols)
    assert after.loss_general < before.loss_general - 0.5 and after.loss_general < poor.loss_general
    assert all(now < then for now, then in zip(after.loss_sectors, before.loss_sectors, strict=True))
    assert after.tokens == plan.tokens and after.encoding_flops == before.encoding_flops and before.training_flops == 0


def test_a_token_is_told_from_all_others_and_never_from_itself() -> None:
    model = TextModel(reconstruction_of(16), CPU)
    model.initialise(torch.tensor([3]))
    tokens = held_out(2020, "", 4, CPU)
    shown = torch.nn.functional.one_hot(tokens, GRAMMAR.symbols).float().view(1, -1, GRAMMAR.symbols)
    shown.requires_grad_()
    outer = model._outside(states(shown, model.body), model.blocks[len(model.body) :])
    logits = affine(outer, model.blocks[-2], model.blocks[-1])[0].view(4, GRAMMAR.length, -1)
    (seen,) = torch.autograd.grad(logits[0, 5].sum(), shown)
    by_token = seen.view(4, GRAMMAR.length, -1).abs().sum(dim=2)
    assert by_token[0, 5] == 0 and (by_token[0, [n for n in range(GRAMMAR.length) if n != 5]] > 0).all()
    assert by_token[1:].sum() == 0


def test_gradients_are_those_of_the_loss() -> None:
    model = TextModel(reconstruction_of(16), CPU)
    model.initialise(torch.tensor([3]))
    tokens = held_out(2020, "", 64, CPU)
    model.set_gradients(tokens)
    steepest = model.gradients.clone()
    step = 1e-2 / float(steepest.norm())
    model.parameters.add_(steepest, alpha=step)
    above = float(model.loss(tokens))
    model.parameters.sub_(steepest, alpha=2 * step)
    slope = (above - float(model.loss(tokens))) / (2 * step)
    assert slope == pytest.approx(float(steepest.square().sum()), rel=0.02)
    for block, gradient in zip(model.blocks, model._gradient_blocks, strict=True):
        assert gradient.abs().sum() > 0 and gradient.shape == block.shape


class Kept:
    """A checkpoint in memory that ends the run when it has been saved so often."""

    def __init__(self, end_after: int) -> None:
        self.progress: Progress | None = None
        self._left = end_after

    def load(self) -> Progress | None:
        return self.progress

    def save(self, progress: Progress) -> None:
        self.progress, self._left = progress, self._left - 1
        if self._left == 0:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_to_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(TINY)
    monkeypatch.setattr(module, "CHECKPOINT_S", 0.0)
    monkeypatch.setattr(module, "AT_ONCE", 160)  # texts are written in blocks that end elsewhere
    kept = Kept(end_after=17)
    with single_thread(), pytest.raises(KeyboardInterrupt):
        pretrain(TINY, CPU, kept)
    assert kept.progress is not None and kept.progress.steps == 17
    monkeypatch.setattr(module, "CHECKPOINT_S", 1e9)
    with single_thread():
        rest = pretrain(TINY, CPU, kept)
    assert same(rest, whole)
    kept.progress = Progress(17, kept.progress.numbers[:-1], 0.0)  # of a network of another shape
    with single_thread():
        assert same(pretrain(TINY, CPU, kept), whole)


def test_a_diverged_run_is_a_bad_model_and_no_error() -> None:
    result = trained(replace(TINY, learning_rate=1.0, width=32))
    assert math.isfinite(result.result.loss_general)
    assert all(bool(block.isfinite().all()) for block in result.body)


def test_text_is_a_function_of_its_place_and_follows_the_mixture() -> None:
    texts = corpus_of(TINY, CPU)
    assert torch.equal(texts.texts(0, 500)[100:200], texts.texts(100, 100))
    own = corpus_of(replace(TINY, sector="city-notices", sector_share=1.0), CPU).texts(0, 500)
    assert not torch.equal(own, texts.texts(0, 500))
    poor = corpus_of(replace(TINY, quality=0.75), CPU).texts(0, 500)
    kept = float((poor == texts.texts(0, 500)).float().mean())
    assert kept == pytest.approx(0.75 + 0.25 / GRAMMAR.symbols, abs=0.02)
    assert not torch.equal(held_out(2020, "", 500, CPU), texts.texts(0, 500))


@pytest.mark.parametrize("ladder", LADDERS.values(), ids=LADDERS)
def test_a_rung_costs_what_the_formula_says_and_ladders_end(ladder: Ladder) -> None:
    for rung in ladder.rungs:
        plan = ladder.plan(rung)
        cost = training_flops(reconstruction_of(plan.width), steps_of(plan), plan.batch)
        assert cost == pytest.approx(FIRST_FLOPS * GROWTH**rung, rel=0.02)
        shape = reconstruction_of(plan.width)
        assert flops_per_token(plan.width) * GRAMMAR.length == pytest.approx(training_flops(shape, 1, 1), rel=1e-9)
        assert plan.width == best_width(FIRST_FLOPS * GROWTH**rung)
    years = [ladder.frontier(year) for year in range(2016, 2032)]
    assert years == sorted(years) and all(rung in ladder.rungs for rung in years)
    assert len(set(years[2:15])) == 13  # another one every year from 2018 to 2030
    with pytest.raises(ValueError, match=f"beyond the ladder '{ladder.name}': it has F0 to {name_of(ladder.last)}"):
        ladder.plan(ladder.last + 0.5)


def test_names_of_rungs() -> None:
    assert foundation_named("F2.5") == foundation_named("laptop/F2.5") == LADDERS["laptop"].plan(2.5)
    assert label(foundation_named("gpu/F7")) == "gpu/F7" and label(TINY) == TINY.key()
    for wrong in ("F7", "F2.3", "f2", "F", "cloud/F1", "gpu/F13", "gpu/", 2, None):
        with pytest.raises(ValueError, match=r"foundation must be a rung as F2 or F2\.5"):
            foundation_named(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"width": 20}, "width must be a multiple of 16 in"),
        ({"width": 8192}, "width must be a multiple of 16 in"),
        ({"tokens": -1}, "tokens must be a whole number in"),
        ({"tokens": 1.5}, "tokens must be a whole number in"),
        ({"sector": "speech"}, "sector must be one of"),
        ({"sector": DOCUMENT_TASKS[0]}, "go together"),
        ({"sector_share": 0.5}, "go together"),
        ({"quality": math.nan}, r"quality must lie in \[0, 1\]"),
        ({"vintage": 2050}, r"vintage must be a whole number in \[2015, 2035\]"),
        ({"batch": 48}, "batch must be a multiple of 32"),
        ({"learning_rate": 0}, "learning_rate must lie in"),
        ({"seed": True}, "seed must be a whole number"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(TINY, **values)


def test_a_plan_survives_its_record_and_its_key_counts_every_field() -> None:
    assert FoundationPlan.from_record(TINY.record()) == TINY
    others = {"width": 32, "tokens": 1, "quality": 0.5, "vintage": 2021, "learning_rate": 1e-3, "batch": 64, "seed": 1}
    keys = {replace(TINY, **{name: value}).key() for name, value in others.items()} | {TINY.key()}
    keys.add(replace(TINY, sector=DOCUMENT_TASKS[0], sector_share=0.5).key())
    assert len(keys) == len(others) + 2
    assert encoder_of(16, 8).n_features == 14 * 16
