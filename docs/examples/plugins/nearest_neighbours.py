"""A kind of model: the k nearest neighbours, which train for nothing and compare every input with every row in use.

    ventures train --plugin docs/examples/plugins/nearest_neighbours.py --task speech --kind nearest-neighbours
    ventures run FILE.yaml --plugin docs/examples/plugins/nearest_neighbours.py

where FILE.yaml says, for instance:

    extends: cases/fraud
    title: A startup that trains nothing
    endowments: {model_kind: assumption}
    firms: {ledger-guard: {model_kind: nearest-neighbours}}

Cover & Hart (1967), Nearest neighbor pattern classification. Firms with a larger training budget look
at more neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor

from simulation.plugins import Plugin
from simulation.training.extra_kinds import FittedModel, ModelKind
from simulation.training.plan import TrainingPlan
from simulation.training.tasks import Task

SMOOTHING = 0.5  # of the votes of each class (Jeffreys' prior)

plugin = Plugin("nearest-neighbours", "a kind of model: the majority of the nearest training rows")


@plugin.model_kind("nearest-neighbours")
class NearestNeighbours(ModelKind):
    """Votes of the 4 (rung 0) to 24 (rung 5) nearest rows, by Euclidean distance."""

    def fit(self, plan: TrainingPlan, task: Task, x: Tensor, y: Tensor) -> FittedModel:
        """Keep the rows."""
        k = 4 * (plan.rung + 1)
        rows, labels = x.clone(), torch.nn.functional.one_hot(y, task.n_classes).to(x.dtype)

        def log_probabilities(inputs: Tensor) -> Tensor:
            nearest = torch.cdist(inputs, rows, compute_mode="donot_use_mm_for_euclid_dist").topk(k, largest=False)
            votes = labels[nearest.indices].sum(dim=1) + SMOOTHING
            return (votes / votes.sum(dim=1, keepdim=True)).log()

        return FittedModel(
            log_probabilities,
            n_parameters=rows.numel() + y.numel(),
            training_flops=0.0,
            inference_flops=3.0 * rows.numel(),
        )
