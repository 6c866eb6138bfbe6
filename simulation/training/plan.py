"""What a firm asks for: the plan of one training run, and the values that its fields can have."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import Any

from simulation.training.foundation.ladder import check_name
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.values import (
    DOCUMENT_TASKS,
    FIRST_YEAR,
    LAST_YEAR,
    USUAL_YEAR,
    Check,
    choice,
    number,
    whole,
    yes_or_no,
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
SOURCE_DIGITS = 16
"""Hexadecimal digits of the hash of a user's module that its keys carry."""
EXTRA_TASKS: dict[str, str] = {}
"""Classification tasks of users' own modules (`extra_tasks.py`), with the hash of the source that declares them."""
EXTRA_KINDS: dict[str, str] = {}
"""Kinds of classifiers of users' own modules (`extra_kinds.py`), with the hash of the source that declares them."""
MAX_RUNG = 5
"""Highest rung that every task has."""
FRONTIER_RUNG = 8
"""Highest rung of the tasks of sectors, documents apart."""
MIN_ROWS, MAX_ROWS = 64, 8192
MAX_DOCUMENTS = 65536
"""Most training rows of a document task, which takes more of them to learn."""

_ROWS_OF = {False: whole(MIN_ROWS, MAX_ROWS), True: whole(MIN_ROWS, MAX_DOCUMENTS)}
"""By whether the task is one of documents."""


def _rows(name: str, value: Any) -> None:
    """What some task can have; a message gives the range of most tasks."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    _ROWS_OF[is_whole and MAX_ROWS < value <= MAX_DOCUMENTS](name, value)


def _task(name: str, value: Any) -> None:
    if value not in EXTRA_TASKS:
        choice((*TASK_NAMES, *EXTRA_TASKS))(name, value)


def _kind(name: str, value: Any) -> None:
    if value not in EXTRA_KINDS:
        choice((*KINDS, *EXTRA_KINDS))(name, value)


_CHECKS: dict[str, Check] = {
    "task": _task,
    "kind": _kind,
    "rung": whole(0, FRONTIER_RUNG),
    "rows": _rows,
    "label_noise": number(0.0, 1.0),
    "coverage": number(0.0, 1.0),
    "minority_share": number(0.0, 1.0),
    "anonymisation": number(0.0, 10.0),
    "compression": choice(COMPRESSIONS),
    "minimisation": number(0.0, 0.9),
    "dp_noise": number(0.0, 16.0),
    "pretraining_rows": whole(0, MAX_ROWS),
    "seed": whole(0, 2**63 - 1),
    "year": whole(FIRST_YEAR, LAST_YEAR),
    "foundation": check_name,
    "optimizer": choice(OPTIMIZERS),
    "activation": choice(ACTIVATIONS),
    "learning_rate": number(1e-6, 10.0),
    "schedule": choice(SCHEDULES),
    "augmentation": yes_or_no,
    "weight_decay": number(0.0, 1.0),
}


def check_value(name: str, value: Any) -> None:
    """Raise `ValueError` where no plan can have the value in a field of `TrainingPlan` or `Recipe`.

    The message names the field, the value and what is allowed.
    """
    _CHECKS[name](name, value)


def classification_tasks() -> tuple[str, ...]:
    """Tasks that a sector can have: the shipped ones, and those of users' own modules."""
    return (*CLASSIFICATION_TASKS, *EXTRA_TASKS)


_WITH_FRONTIER = frozenset({*SECTOR_TASKS, *REAL_TASKS})


def highest_rung(task: str) -> int:
    """Highest rung of a task's ladder."""
    return FRONTIER_RUNG if task in _WITH_FRONTIER or task in EXTRA_TASKS else MAX_RUNG


def kinds_of(task: str) -> tuple[str, ...]:
    """Kinds that a task can be given to."""
    if task == DRIVING_TASK:
        return ("actor-critic",)
    if task in DOCUMENT_TASKS:
        return ("linear", *NETWORK_KINDS, *FOUNDATION_KINDS, *EXTRA_KINDS)
    return GENERATOR_KINDS if task == GENERATION_TASK else ("linear", *NETWORK_KINDS, *EXTRA_KINDS)


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
        for name in _RECIPE_FIELDS:
            _CHECKS[name](name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One training run as a firm orders it. Two equal plans give the same network on one device.

    Attributes:
        task: one of `TASK_NAMES`.
        kind: one of `kinds_of(task)`. "linear" is the traditional method.
        rung: 0 … 5 on the proxy ladder (`ladder.RUNGS`), of sectors' tasks … 8: width, depth, steps.
        rows: training rows, 64 … 8192, of document tasks … 65536. Nested: a plan with more rows and the same seed sees
            the same first rows.
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
        test_year: of the language of the test sets, where it is another one; None: `year`. What was trained is the same
            network.

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
    test_year: int | None = None

    def __post_init__(self) -> None:
        for name in _OWN_FIELDS:
            _CHECKS[name](name, getattr(self, name))
        self._settle_test_year()
        _ROWS_OF[self.task in DOCUMENT_TASKS]("rows", self.rows)
        if not isinstance(self.recipe, Recipe):
            raise ValueError(f"recipe must be a Recipe, not {type(self.recipe).__name__}")
        self._check_combination()
        self._check_foundation()

    def _settle_test_year(self) -> None:
        """A test in the language of the training is no field of its own: equal plans are written alike."""
        if self.test_year is None:
            return
        _CHECKS["year"]("test_year", self.test_year)
        if self.task not in DOCUMENT_TASKS:
            raise ValueError(f"test_year needs a task of documents, not {self.task!r}")
        if self.test_year == self.year:
            object.__setattr__(self, "test_year", None)

    def _check_combination(self) -> None:
        """Kinds that only some tasks have, levers that only some kinds have."""
        choice(kinds_of(self.task))(f"kind of the task {self.task}", self.kind)
        if self.rung > (highest := highest_rung(self.task)):
            whole(0, highest)(f"rung of the task {self.task}", self.rung)
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
        if self.compression != "none" and kind in EXTRA_KINDS:
            raise ValueError(f"compression needs a shipped kind of network, not {kind!r}")
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
        if self.compression != "none" and self.kind in ("probe", "adapter"):
            raise ValueError(f"compression needs weights of one's own, which the kind {self.kind!r} has not")
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
        if self.test_year is not None:
            record["test_year"] = self.test_year
        return _ENCODER.encode(record)

    @property
    def tested_in(self) -> int:
        """Year of the language of the test sets."""
        return self.year if self.test_year is None else self.test_year

    def key(self) -> str:
        """32 hexadecimal digits: SHA-256 of the canonical JSON and the trainer's version."""
        return hashlib.sha256(f"{self.trainer_version}:{self.as_json()}".encode()).hexdigest()[:32]

    @property
    def trainer_version(self) -> str:
        """Version of what trains this plan: ours, and the hashes of users' modules that take part."""
        extra = (EXTRA_TASKS.get(self.task), EXTRA_KINDS.get(self.kind))
        return "+".join([TRAINER_VERSION, *(source for source in extra if source)])

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


_LATER_FIELDS = ("year", "foundation", "test_year")
_PLAN_FIELDS = tuple(item.name for item in fields(TrainingPlan) if item.name not in _LATER_FIELDS)
_OWN_FIELDS = tuple(name for name in (*_PLAN_FIELDS, "year") if name not in ("recipe", "rows"))
_RECIPE_FIELDS = tuple(item.name for item in fields(Recipe))
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _record(record: TrainingPlan | Recipe, names: tuple[str, ...]) -> dict[str, Any]:
    """Fields by name. 0 and 0.0 are written alike, so that equal plans have equal keys."""
    values = ((name, getattr(record, name)) for name in names)
    return {name: float(value) + 0.0 if name in _FLOAT_NAMES else value for name, value in values}
