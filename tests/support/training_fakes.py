"""Plans for the tests of training in batches, and what trains them."""

from __future__ import annotations

import itertools

import torch

from simulation.training.plan import COMPRESSIONS, Recipe, TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.trainer import train_bucket

FEW_SECTORS = ("medical-imaging", "commerce-recommendation", "robo-advice")


def crowd(
    task: str, kind: str, activation: str, optimizer: str, n: int, rung: int = 0, pretraining_rows: int = 0
) -> list[TrainingPlan]:
    """Members that differ in everything that a bucket leaves free."""
    compressions = itertools.cycle(name for name in COMPRESSIONS if name != "distilled")
    return [
        TrainingPlan(
            task,
            kind,
            rung,
            rows=64 + (977 * i) % 1500,
            label_noise=0.1 * (i % 2),
            coverage=(0.0, 0.3, 1.0)[i % 3],
            minority_share=0.1 + 0.1 * (i % 4),
            anonymisation=0.5 * (i % 3 == 1),
            compression=next(compressions),
            recipe=Recipe(
                optimizer,
                activation,
                learning_rate=0.01 * (1 + i % 5),
                schedule="cosine" if i % 2 else "constant",
                augmentation=i % 4 == 3,
                weight_decay=0.1 * (i % 3 == 2),
            ),
            pretraining_rows=pretraining_rows,
            seed=i,
        )
        for i in range(n)
    ]


CPU = torch.device("cpu")


def train(plans: list[TrainingPlan], chunk_size: int | None = None) -> list[TrainingResult]:
    """Results of the plans of one bucket, in their order."""
    results = {r.key: r for chunk in train_bucket(plans, CPU, chunk_size) for r in chunk}
    return [results[plan.key()] for plan in plans]
