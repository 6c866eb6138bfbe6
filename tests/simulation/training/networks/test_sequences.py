"""Recurrent networks, transformers and pretraining: against torch's own, and that they learn what sequences say."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from statistics import mean

import pytest
import torch
from torch import Tensor

from simulation.training.classifiers import pretraining as transfer
from simulation.training.classifiers.train import _train_network
from simulation.training.data import make_data
from simulation.training.device import single_thread
from simulation.training.ladder import RUNGS, architecture, flops, inference_flops, training_flops
from simulation.training.measures import accuracy
from simulation.training.networks.sequences import HEADS, Recurrent, RecurrentNetwork, Tokens, Transformer
from simulation.training.networks.transformers import TransformerNetwork, positions, stacked_network
from simulation.training.plan import ACTIVATIONS, SECTOR_TASKS, TASK_NAMES, Recipe, TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.tasks import get_task
from simulation.training.trainer import TRAINERS, bucket_of, train_bucket
from tests.support.training_fakes import FEW_SECTORS

CPU = torch.device("cpu")
KINDS = ("rnn", "transformer")
CLASSIFICATION = [name for name in TASK_NAMES if name in SECTOR_TASKS]
PLAIN = Recipe(weight_decay=0.05)
N_MEMBERS = 3


def network_of(task: str, kind: str, activation: str = "relu", rung: int = 2) -> RecurrentNetwork | TransformerNetwork:
    network = stacked_network(architecture(get_task(task), kind, rung, activation), N_MEMBERS, CPU)
    assert isinstance(network, (RecurrentNetwork, TransformerNetwork))
    network.initialise(torch.arange(N_MEMBERS))
    generator = torch.Generator().manual_seed(3)
    for biases in network.blocks[1::2]:  # at 0, a mistake with a bias would not show
        biases.copy_(torch.randn(biases.shape, generator=generator) * 0.3)
    return network


def inputs_of(task: str, rows: int = 32) -> Tensor:
    return torch.randn(N_MEMBERS, get_task(task).n_inputs, rows, generator=torch.Generator().manual_seed(0))


def windows(x: Tensor, tokens: Tokens) -> Tensor:
    """Tokens [rows, tokens, live] of one member's inputs [n_inputs, rows], by torch's own im2col."""
    images = x.T.reshape(-1, *tokens.shape)
    return torch.nn.functional.unfold(images, tokens.window, stride=tokens.stride).transpose(1, 2)


def plain_recurrent(network: RecurrentNetwork, x: Tensor, blocks: list[Tensor], activation: str) -> Tensor:
    """The textbook loop, member by member."""
    act = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[activation]
    members, h, live = [], network.width, network.tokens.n_live
    for m in range(len(x)):
        cell, biases, readout, offsets = (block[m] for block in blocks)
        state, states = torch.zeros(x.shape[2], h), []
        for token in windows(x[m], network.tokens).unbind(1):
            both = torch.cat([token, torch.zeros(len(token), network.tokens.n_taps - live), state], dim=1)
            gates = both @ cell.T + biases[:, 0]
            update = torch.sigmoid(gates[:, :h])
            state = (1 - update) * state + update * act(gates[:, h:])
            states.append(state)
        seen = torch.cat([torch.stack(states).mean(dim=0), state], dim=1)
        members.append((seen @ readout.T + offsets[:, 0]).T)
    return torch.stack(members)


def plain_transformer(network: TransformerNetwork, x: Tensor, blocks: list[Tensor], activation: str) -> Tensor:
    """The same with torch's multi-head attention and layer normalisation, member by member."""
    act = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[activation]
    members, width = [], network.width
    for m in range(len(x)):
        (embed, embed_b), *inner, (readout, offsets) = [
            (blocks[i][m], blocks[i + 1][m][:, 0]) for i in range(0, len(blocks), 2)
        ]
        seen = windows(x[m], network.tokens)
        h = seen @ embed[:, : network.tokens.n_live].T + embed_b + positions(seen.shape[1], width)
        for i in range(0, len(inner), 4):
            (attend, attend_b), (mix, mix_b), (up, up_b), (down, down_b) = inner[i : i + 4]
            normed = torch.nn.functional.layer_norm(h, (width,)).transpose(0, 1)
            attended, _ = torch.nn.functional.multi_head_attention_forward(
                normed, normed, normed, width, HEADS, attend, attend_b, None, None, False, 0.0, mix, mix_b
            )
            h = h + attended.transpose(0, 1)
            h = h + act(torch.nn.functional.layer_norm(h, (width,)) @ up.T + up_b) @ down.T + down_b
        pooled = torch.nn.functional.layer_norm(h, (width,)).mean(dim=1)
        members.append((pooled @ readout.T + offsets).T)
    return torch.stack(members)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["security-vision", "speech", "city-traffic", "robo-advice"])
def test_answers_and_gradients_equal_a_plain_reference(task: str, kind: str, activation: str) -> None:
    network, x = network_of(task, kind, activation), inputs_of(task)
    y = torch.randint(0, get_task(task).n_classes, (N_MEMBERS, 32), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits, kept = network.forward(x, reuse=True)
        one_hot = torch.nn.functional.one_hot(y, logits.shape[1]).transpose(1, 2)
        network.backward((logits.softmax(dim=1) - one_hot) / 32, kept)
    blocks = [block.clone().requires_grad_() for block in network.blocks]
    plain = plain_recurrent if kind == "rnn" else plain_transformer
    reference = plain(network, x, blocks, activation)  # type: ignore[arg-type]
    assert torch.allclose(reference, logits, atol=1e-5)
    assert torch.allclose(reference, network.forward(x)[0], atol=1e-5)
    torch.nn.functional.cross_entropy(reference, y, reduction="sum").div(32).backward()
    for block, gradient in zip(blocks, network.views(network.gradients), strict=True):
        assert block.grad is not None
        assert torch.allclose(block.grad, gradient, atol=1e-5)


def test_the_recurrent_cell_is_torch_s_gru_with_its_reset_gate_open() -> None:
    network, x = network_of("speech", "rnn", "tanh"), inputs_of("speech")
    h, taps = network.width, network.tokens.n_taps
    reference = torch.nn.GRU(taps, h, batch_first=True)
    cell, biases, readout, offsets = (block[0] for block in network.blocks)
    update, candidate = cell.split(h)
    with torch.no_grad():
        for name, part in (("ih", slice(0, taps)), ("hh", slice(taps, None))):
            shut = torch.zeros(h, taps if name == "ih" else h)
            # torch keeps the old state by its gate, ours takes the new one: the signs differ.
            getattr(reference, f"weight_{name}_l0").copy_(torch.cat([shut, -update[:, part], candidate[:, part]]))
        reference.bias_ih_l0.copy_(torch.cat([torch.full((h,), 40.0), -biases[:h, 0], biases[h:, 0]]))
        reference.bias_hh_l0.zero_()
        states, last = reference(windows(x[0], network.tokens))
        expected = torch.cat([states.mean(dim=1), last[0]], dim=1) @ readout.T + offsets[:, 0]
    assert torch.allclose(network.forward(x)[0][0], expected.T, atol=1e-5)


@cache
def results(
    task: str, kind: str, rung: int, rows: int, n_seeds: int = 2, **levers: float | str
) -> list[TrainingResult]:
    plans = [TrainingPlan(task, kind, rung, rows, recipe=PLAIN, seed=seed, **levers) for seed in range(n_seeds)]  # type: ignore[arg-type]
    return [result for chunk in train_bucket(plans, CPU) for result in chunk]


def lab(*what: str | int, **levers: float | str) -> float:
    return mean(result.accuracy_lab for result in results(*what, **levers))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", ["speech", pytest.param("commerce-recommendation", marks=pytest.mark.slow)])
def test_learns_clearly_more_than_the_traditional_method_and_more_with_rows_and_rung(task: str, kind: str) -> None:
    """Differences are 13 points and more; the standard error of a mean of two seeds is about 1."""
    good = results(task, kind, 3, 2048)
    assert mean(result.accuracy_lab - result.traditional_lab for result in good) > 0.1
    much = lab(task, kind, 3, 2048)
    assert lab(task, kind, 0, 2048) < much - 0.1
    # Six looked-at items are alike to a transformer: it needs few rows to learn commerce.
    assert lab(task, kind, 3, 128) < much - (0.1 if task == "speech" else 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_time_matters(kind: str) -> None:
    """A network that has learned words does not know them backwards."""
    task, plans = get_task("speech"), [TrainingPlan("speech", kind, 2, 1024, recipe=PLAIN)]
    tests = task.test_sets(CPU)
    with single_thread(), torch.no_grad():
        network = _train_network(task, plans, make_data(task, plans, CPU))
        backwards = tests.lab_x.view(-1, *task.shape).flip(3).reshape(tests.lab_x.shape)
        forth, back = (accuracy(network.forward(x.T[None])[0], tests.lab_y).item() for x in (tests.lab_x, backwards))
    assert back < forth - 0.2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_every_member_s_weights_begin_at_a_cache_line(name: str, kind: str) -> None:
    for rung in range(len(RUNGS)):
        shape = architecture(get_task(name), kind, rung)
        assert all(out * into % 16 == 0 for out, into in shape.layers)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_costs_rise_with_the_rung_and_are_of_the_order_of_the_cnn_s(name: str, kind: str) -> None:
    costs = [flops(kind, rung, name) for rung in range(len(RUNGS))]
    assert all(1.3 < above / below < 6 for below, above in pairwise(costs)), costs
    # The smallest transformer cannot be narrower than eight numbers a token.
    assert all(0.5 < own / flops("cnn", rung, name) < (7 if rung else 13) for rung, own in enumerate(costs))


def test_parameters_and_operations_counted_by_hand() -> None:
    frames = Tokens((8, 1, 16), (1, 1))
    recurrent = Recurrent(128, (12,), 10, "relu", tokens=frames)
    assert recurrent.n_parameters == 24 * (8 + 12 + 1) + 10 * (24 + 1)
    assert inference_flops(recurrent) == 2 * (16 * 24 * 20 + 10 * 24)
    assert training_flops(recurrent, 1, 1) == 3 * inference_flops(recurrent) - 2 * 16 * 24 * 8
    words = Transformer(128, (8,), 10, "relu", tokens=Tokens((8, 1, 16), (1, 5), 2), inner=16, n_blocks=2)
    assert words.tokens.n_tokens == 6
    block = 24 * 8 + 8 * 8 + 16 * 8 + 8 * 16
    assert words.n_parameters == 8 * 41 + 2 * (block + 24 + 8 + 16 + 8) + 10 * 9
    assert sum(words.products()) == 6 * (8 * 40 + 2 * block) + 10 * 8 + 2 * (2 * 6 * 6 * 8)
    network = stacked_network(words, 1, CPU)
    assert sum(block.numel() for block in network.blocks) == words.n_parameters


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_compression_and_minimisation_work_as_for_other_networks(kind: str) -> None:
    whole, rounded, pruned, distilled, frugal = (
        results("city-traffic", kind, 2, 512, 1, **levers)[0]  # type: ignore[arg-type]
        for levers in (
            {},
            {"compression": "int8"},
            {"compression": "pruned"},
            {"compression": "distilled"},
            {"minimisation": 0.5},
        )
    )
    assert rounded.accuracy_lab > whole.accuracy_lab - 0.02
    assert rounded.model_bytes < pruned.model_bytes < whole.model_bytes
    assert whole.inference_flops / 2 <= pruned.inference_flops < whole.inference_flops * 0.75
    assert distilled.n_parameters < whole.n_parameters
    assert distilled.training_flops > whole.training_flops
    assert frugal != whole
    assert min(distilled.accuracy_lab, frugal.accuracy_lab) > 0.5


def pretrained(**changes: int | str) -> TrainingPlan:
    levers: dict[str, object] = {"task": "speech", "rung": 0, "rows": 256, "pretraining_rows": 128, "seed": 1}
    return TrainingPlan(kind="transformer", **{**levers, **changes})  # type: ignore[arg-type]


def train(*plans: TrainingPlan) -> list[TrainingResult]:
    return [result for chunk in train_bucket(plans, CPU) for result in chunk]


@pytest.mark.slow
def test_pretraining_changes_the_result_and_its_operations_are_counted(few_sectors: None) -> None:
    assert "transformer" in TRAINERS
    assert bucket_of(pretrained()) != bucket_of(pretrained(pretraining_rows=0))
    (plain,), (own,), (more,) = (train(pretrained(pretraining_rows=n)) for n in (0, 128, 256))
    assert len({plain.loss_lab, own.loss_lab, more.loss_lab}) == 3
    others = sum(flops("transformer", 0, name) for name in FEW_SECTORS)
    assert own.training_flops == pytest.approx(plain.training_flops + others)
    assert own.inference_flops == plain.inference_flops


@pytest.mark.slow
def test_a_kept_trunk_is_the_same_as_a_fresh_one_alone_and_in_company(few_sectors: None) -> None:
    plans = [pretrained(seed=seed, rows=64 + 100 * seed) for seed in range(3)]
    transfer.forget_trunks()
    together = {result.key: result for result in train(*plans)}
    assert len(transfer._trunks) == len(plans)
    assert train(plans[2]) == [together[plans[2].key()]]  # kept
    transfer.forget_trunks()
    assert train(plans[2]) == [together[plans[2].key()]]  # fresh
    assert train(pretrained(seed=2, rows=64)) != train(plans[2])
    assert len(transfer._trunks) == 1  # rows are the plan's own affair


def test_no_row_of_the_plan_s_own_sector_is_in_its_pretraining() -> None:
    assert "speech" not in transfer.other_sectors("speech")
    assert len(transfer.other_sectors("speech")) == len(SECTOR_TASKS) - 1


def test_a_trunk_has_the_shape_of_every_sector_s_blocks_and_has_learned(few_sectors: None) -> None:
    plan = pretrained()
    with single_thread(), torch.no_grad():
        trunk = transfer.pretrain([plan], CPU)
    for name in ("speech", "medical-imaging"):
        fresh = stacked_network(architecture(get_task(name), "transformer", 0), 1, CPU)
        assert [block.shape for block in trunk] == [block.shape for block in fresh.blocks[2:-2]]
    assert all(block.isfinite().all() and block.abs().sum() > 0 for block in trunk)  # biases start at 0
