"""What a firm asks for (`TrainingPlan`) and what was measured on the network it got (`TrainingResult`)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import Any

from simulation.training.foundation.plan import FoundationPlan
from simulation.training.values import (
    DOCUMENT_TASKS,
    FIRST_YEAR,
    LAST_YEAR,
    USUAL_YEAR,
    require,
    require_choice,
    require_integer,
    require_range,
)

TRAINER_VERSION = "3"
"""Part of every key: raise it whenever a change of code changes any measure."""

OPTIMIZERS = ("sgd", "momentum", "adam")
ACTIVATIONS = ("sigmoid", "tanh", "relu")
SCHEDULES = ("constant", "cosine", "step", "warmup")
NETWORK_KINDS = ("mlp", "cnn", "rnn", "transformer")
"""Classifiers that learn by gradient steps."""
GENERATOR_KINDS = ("vae", "gan")
ADAPTED_KINDS = ("probe", "adapter", "finetuned", "distilled")
"""Classifiers made from a pretrained foundation."""
FOUNDATION_KINDS = (*ADAPTED_KINDS, "scratch")
"""The same, and a foundation's encoder that has seen no text: what pretraining is to be compared with."""
KINDS = ("linear", *NETWORK_KINDS, "actor-critic", *GENERATOR_KINDS, *FOUNDATION_KINDS)
COMPRESSIONS = ("none", "int8", "pruned", "distilled")
PRIVATE_KINDS = ("mlp", "cnn")
"""Kinds that can be trained by DP-SGD: their per-row gradient norms come out of one backward pass."""
PRETRAINED_KINDS = ("transformer",)
"""Kinds whose trunk can be trained on other sectors first."""
SECTOR_TASKS = (
    "security-vision",
    "speech",
    "finance-fraud",
    "driving-perception",
    "medical-imaging",
    "manufacturing-faults",
    "service-language",
    "city-traffic",
    "commerce-recommendation",
    "education-tracing",
    "robo-advice",
)
"""Procedural classification tasks, one family per sector of the dossier (finance has two)."""
REAL_TASKS = ("digits", "breast-cancer")
"""Real data sets that ship inside scikit-learn: they keep the trainer honest."""
CLASSIFICATION_TASKS = (*SECTOR_TASKS, *DOCUMENT_TASKS, *REAL_TASKS)
DRIVING_TASK, GENERATION_TASK = "driving-policy", "data-generation"
TASK_NAMES = (*CLASSIFICATION_TASKS, DRIVING_TASK, GENERATION_TASK)
MAX_RUNG = 5
MIN_ROWS, MAX_ROWS = 64, 8192
MAX_DOCUMENTS = 65536
"""Most training rows of a document task, which takes more of them to learn."""


def kinds_of(task: str) -> tuple[str, ...]:
    """Kinds that a task can be given to."""
    if task == DRIVING_TASK:
        return ("actor-critic",)
    if task in DOCUMENT_TASKS:
        return ("linear", *NETWORK_KINDS, *FOUNDATION_KINDS)
    return GENERATOR_KINDS if task == GENERATION_TASK else ("linear", *NETWORK_KINDS)


def most_rows(task: str) -> int:
    """Most training rows that a plan of that task can have."""
    return MAX_DOCUMENTS if task in DOCUMENT_TASKS else MAX_ROWS


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a team trains: the settings of MOD-OPT and MOD-PRACTICE.

    Attributes:
        optimizer: one of `OPTIMIZERS`.
        activation: one of `ACTIVATIONS`.
        learning_rate: step size before the schedule, in (0, 10].
        schedule: one of `SCHEDULES`; cosine falls to zero over the run, step divides the rate by ten after two thirds
            of it, warmup rises over the first tenth and falls like cosine afterwards.
        augmentation: whether each minibatch is shifted, rescaled and made noisy on its way to the network.
        weight_decay: decoupled weight decay per unit of learning rate, in [0, 1].

    Raises:
        ValueError: a value is out of range; the message names it and the range.
    """

    optimizer: str = "adam"
    activation: str = "relu"
    learning_rate: float = 1e-2
    schedule: str = "cosine"
    augmentation: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        require_choice("optimizer", self.optimizer, OPTIMIZERS)
        require_choice("activation", self.activation, ACTIVATIONS)
        require_choice("schedule", self.schedule, SCHEDULES)
        require_range("learning_rate", self.learning_rate, 1e-6, 10.0)
        require_range("weight_decay", self.weight_decay, 0.0, 1.0)
        require(isinstance(self.augmentation, bool), f"augmentation must be true or false, not {self.augmentation!r}")


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One training run as a firm orders it. Two equal plans give the same network on one device.

    Attributes:
        task: one of `TASK_NAMES`.
        kind: one of `kinds_of(task)`. "linear" is the traditional method.
        rung: 0 … 5 on the proxy ladder (`ladder.RUNGS`): width, depth, steps.
        rows: training rows, 64 … 8192 (of document tasks … 65536). Nested: a plan with more rows and the same seed sees the same first rows.
        label_noise: share of labels replaced by a random class.
        coverage: share of training rows that come from field conditions.
        minority_share: share of training rows that come from the minority group.
        anonymisation: standard deviation of the noise added to training inputs, in standard deviations of an input.
        compression: "none", "int8" (weights rounded to 8 bits), "pruned" (the smaller half of the weights removed) or
            "distilled" (a network two rungs smaller learns what this one answers).
        minimisation: share of the inputs that are not collected, those that tell least about the label by themselves,
            0 … 0.9; the network does without them in training and in use.
        dp_noise: noise multiplier of DP-SGD, 0 … 16; 0 trains without it. `simulation.dp_accountant` computes the ε.
        pretraining_rows: rows per sector of the mixture of all other sectors on which the trunk is trained first;
            0 for none, else 64 … 8192.
        recipe: how the team trains.
        seed: of data, initial weights and minibatch order, 0 … 2⁶³ − 1.
        year: of the language in which the documents of `DOCUMENT_TASKS` are written, for training and in tests.
        foundation: what `FOUNDATION_KINDS` start from; of "scratch" one that has read no tokens.

    Raises:
        ValueError: a value is out of range; the message names it and the range.
    """

    task: str
    kind: str
    rung: int
    rows: int
    label_noise: float = 0.0
    coverage: float = 0.0
    minority_share: float = 0.1
    anonymisation: float = 0.0
    compression: str = "none"
    minimisation: float = 0.0
    dp_noise: float = 0.0
    pretraining_rows: int = 0
    recipe: Recipe = field(default_factory=Recipe)
    seed: int = 0
    year: int = USUAL_YEAR
    foundation: FoundationPlan | None = None

    def __post_init__(self) -> None:
        require_choice("task", self.task, TASK_NAMES)
        require_choice("kind", self.kind, KINDS)
        require_choice(f"kind of the task {self.task}", self.kind, kinds_of(self.task))
        require_choice("compression", self.compression, COMPRESSIONS)
        require_integer("rung", self.rung, 0, MAX_RUNG)
        require_integer("rows", self.rows, MIN_ROWS, most_rows(self.task))
        require_integer("seed", self.seed, 0, 2**63 - 1)
        for name in ("label_noise", "coverage", "minority_share"):
            require_range(name, getattr(self, name), 0.0, 1.0)
        require_range("anonymisation", self.anonymisation, 0.0, 10.0)
        require_range("minimisation", self.minimisation, 0.0, 0.9)
        require_range("dp_noise", self.dp_noise, 0.0, 16.0)
        require_integer("pretraining_rows", self.pretraining_rows, 0, MAX_ROWS)
        require_integer("year", self.year, FIRST_YEAR, LAST_YEAR)
        self._check_combination()
        self._check_foundation()
        require(isinstance(self.recipe, Recipe), f"recipe must be a Recipe, not {type(self.recipe).__name__}")

    def _check_combination(self) -> None:
        """Levers that only some kinds have."""
        classifier, kind = self.kind in NETWORK_KINDS, self.kind
        if self.dp_noise != 0 and kind not in PRIVATE_KINDS:
            raise ValueError(f"dp_noise needs one of the kinds {', '.join(PRIVATE_KINDS)}, not {kind!r}")
        if self.pretraining_rows != 0:
            if kind not in PRETRAINED_KINDS or self.task not in SECTOR_TASKS:
                where = f"a task of a sector and the kind {PRETRAINED_KINDS[0]}"
                raise ValueError(f"pretraining_rows needs {where}, not {kind!r}")
            if self.pretraining_rows < MIN_ROWS:
                allowed = f"0 or in [{MIN_ROWS}, {MAX_ROWS}]"
                raise ValueError(f"pretraining_rows must be {allowed}, not {self.pretraining_rows}")
        if self.compression == "distilled" and not (classifier and self.dp_noise == 0):
            kinds = ", ".join(NETWORK_KINDS)
            raise ValueError(f"compression 'distilled' needs one of the kinds {kinds} and no dp_noise")
        if self.minimisation != 0 and not classifier:
            raise ValueError(f"minimisation needs one of the kinds {', '.join(NETWORK_KINDS)}, not {kind!r}")

    def _check_foundation(self) -> None:
        """What only document tasks and kinds that start from a foundation have."""
        if self.year != USUAL_YEAR and self.task not in DOCUMENT_TASKS:
            raise ValueError(f"year needs a task of documents, not {self.task!r}")
        if self.kind not in FOUNDATION_KINDS:
            if self.foundation is not None:
                raise ValueError(f"foundation needs one of the kinds {', '.join(FOUNDATION_KINDS)}, not {self.kind!r}")
            return
        if not isinstance(self.foundation, FoundationPlan):
            raise ValueError(f"foundation must be a FoundationPlan for the kind {self.kind!r}, not {self.foundation!r}")
        if (self.kind == "scratch") != (self.foundation.tokens == 0):
            raise ValueError(f"foundation with {self.foundation.tokens} tokens does not go with the kind {self.kind!r}")

    def as_json(self) -> str:
        """The plan as canonical JSON: sorted keys, no spaces, every real number written as a float.

        Fields that came later are written only where they are used: older plans keep their keys.
        """
        record = _record(self, _PLAN_FIELDS) | {"recipe": _record(self.recipe, _RECIPE_FIELDS)}
        if self.year != USUAL_YEAR:
            record["year"] = self.year
        if self.foundation is not None:
            record["foundation"] = self.foundation.record()
        return _ENCODER.encode(record)

    def key(self) -> str:
        """32 hexadecimal digits: SHA-256 of the canonical JSON and the trainer's version."""
        return hashlib.sha256(f"{TRAINER_VERSION}:{self.as_json()}".encode()).hexdigest()[:32]

    @classmethod
    def from_json(cls, text: str) -> TrainingPlan:
        """The plan that `as_json` wrote.

        Raises:
            ValueError: the text is no plan.
        """
        try:
            record: dict[str, Any] = json.loads(text)
            record["recipe"] = Recipe(**record["recipe"])
            if "foundation" in record:
                record["foundation"] = FoundationPlan.from_record(record["foundation"])
            return cls(**record)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"not a training plan: {error}") from error


_FLOAT_NAMES = frozenset(
    {
        "label_noise",
        "coverage",
        "minority_share",
        "anonymisation",
        "minimisation",
        "dp_noise",
        "learning_rate",
        "weight_decay",
    }
)


_PLAN_FIELDS = tuple(item.name for item in fields(TrainingPlan) if item.name not in ("year", "foundation"))
_RECIPE_FIELDS = tuple(item.name for item in fields(Recipe))
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _record(record: TrainingPlan | Recipe, names: tuple[str, ...]) -> dict[str, Any]:
    """Fields by name. 0 and 0.0 are written alike, so that equal plans have equal keys."""
    values = ((name, getattr(record, name)) for name in names)
    return {name: float(value) + 0.0 if name in _FLOAT_NAMES else value for name, value in values}


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What was measured on one trained network. Accuracies are shares in [0, 1], means over the classes' own accuracies
    where a test set is not balanced.

    What "accuracy" is for kinds that do not classify: of a driving policy, the share of routes driven to their end
    without a crash; of a generator, the accuracy of a fixed classifier (Parzen's) that is given generated rows
    instead of real ones (Ravuri & Vinyals 2019, arXiv:1905.10887), the traditional method being a normal distribution
    per class that is judged alike.

    Attributes:
        key: of the plan.
        accuracy_lab: on the lab test set (1,024 rows of a procedural task).
        accuracy_field: on the field test set, as large.
        loss_lab: mean cross-entropy on the lab test set, nats (of a policy: squared error of the predicted return).
        traditional_lab: of the traditional method, fitted on the same rows, on the lab test set.
        traditional_field: the same on the field test set.
        calibration_error: expected calibration error on the lab test set, 15 bins.
        fairness_gap: accuracy on the majority group minus accuracy on the minority group.
        leakage: membership-inference advantage, 2·AUC − 1 of an attack by loss threshold; about 0 where nothing leaks.
        n_parameters: weights and biases, zero or not.
        model_bytes: stored size: 4 a parameter, 1 an 8-bit weight, 6 (value and index) a weight left by pruning.
        training_flops: of all forward and backward passes.
        inference_flops: for one row; weights removed by pruning are not counted.
        latency_us: measured time of one row's forward pass, microseconds; varies between runs, so not compared.
        seconds: this member's share of the wall time of its batch; not compared.
        device: name of the device.
        torch_version: of the torch that trained it.
        crash_rate_lab, crash_rate_field: share of routes that end in a crash; None unless a driving policy.
        route_completion_lab, route_completion_field: mean share of the route driven before the end; None likewise.
        elbo: evidence lower bound of held-out rows in nats a row, None unless a VAE.
        sliced_wasserstein: distance between generated and held-out rows, in standard deviations of an input; None
            unless a generator.
    """

    key: str
    accuracy_lab: float
    accuracy_field: float
    loss_lab: float
    traditional_lab: float
    traditional_field: float
    calibration_error: float
    fairness_gap: float
    leakage: float
    n_parameters: int
    model_bytes: int
    training_flops: float
    inference_flops: float
    latency_us: float = field(compare=False)
    seconds: float = field(compare=False)
    device: str
    torch_version: str
    crash_rate_lab: float | None = None
    crash_rate_field: float | None = None
    route_completion_lab: float | None = None
    route_completion_field: float | None = None
    elbo: float | None = None
    sliced_wasserstein: float | None = None


MEASURES = tuple(item.name for item in fields(TrainingResult) if item.name != "key")
"""Names of all measures, in the order of `TrainingResult`."""
OPTIONAL_MEASURES = tuple(item.name for item in fields(TrainingResult) if item.default is None)
"""Measures that only some kinds have."""
