"""Ways to get a model of documents: what plan each is, what it takes to make, what an answer costs. Pure rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from simulation.compute import gpu_hours_for_rung
from simulation.training.foundation.model import encoder_of
from simulation.training.ladder import architecture, inference_flops, rungs_of, training_flops
from simulation.training.plan import NETWORK_KINDS, Recipe, TrainingPlan
from simulation.training.tasks import get_task

if TYPE_CHECKING:
    from agents.settings import FirmSettings
    from simulation.model_market import ModelOffer
    from simulation.settings import ComputeSettings, Way
    from simulation.training.foundation.plan import FoundationPlan

# What a team's learning rate is multiplied by where it goes on from a foundation's weights: the best rates measured
# (docs/foundation-models.md) are 1e-3 and 3e-3, where the same recipe trains a network from scratch with 1e-2.
_RATE_SHARE = {"finetuned": 0.1, "adapter": 0.3}
TUNED_KINDS = tuple(_RATE_SHARE)
_ADAPTER_PASSES = 2 / 3  # frozen weights need no gradients
_PROBE_RECIPE = Recipe()  # a closed form has no recipe: equal plans are one run


@dataclass(frozen=True, slots=True)
class Option:
    """One way in which a firm can get its next model.

    Attributes:
        way: which of the five.
        name: of the offer, or of the way: the same from generation to generation.
        offer: of the supplier, if there is one.
        own: foundation that the firm pretrains, or has pretrained, itself.
        own_rung: its rung.
        pretraining_usd: what that foundation costs now; 0 where the firm has it.
    """

    way: Way
    name: str
    offer: ModelOffer | None = None
    own: FoundationPlan | None = None
    own_rung: float = 0.0
    pretraining_usd: float = 0.0

    @property
    def foundation(self) -> FoundationPlan | None:
        """What the model starts from; None from scratch."""
        return self.offer.plan if self.offer is not None else self.own

    @property
    def supplier(self) -> str:
        """On whom the product rests: nobody once the weights are the firm's, or everybody's."""
        return self.offer.supplier if self.offer is not None and self.way in ("api", "licence") else ""

    @property
    def builds_on(self) -> tuple[str, str]:
        """What is left when the firm goes another way, or to another supplier."""
        return self.way, self.offer.supplier if self.offer is not None else ""


SCRATCH = Option("scratch", "scratch")


def kind_of(option: Option, firm: FirmSettings, tuned_as: str) -> str:
    """Kind of the model: a small student where it must run on the device."""
    if option.way == "scratch":
        return firm.model_kind
    if option.way == "api":
        return "probe"
    if firm.compression == "distilled":
        return "distilled"
    return "finetuned" if firm.compression != "none" else tuned_as


def runs_in_house(kind: str) -> bool:
    """Whether the whole model can be compressed for a device: a read-out beside somebody's encoder cannot."""
    return kind not in ("probe", "adapter")


def plan_for(option: Option, kind: str, plan: TrainingPlan, rung: int, year: int) -> TrainingPlan:
    """The plan that a network from scratch would have, `plan`, as one of this way, kind and rung, in that year."""
    if option.way == "scratch":
        return replace(plan, rung=rung, year=year)
    able = replace(plan, dp_noise=0.0, minimisation=0.0, pretraining_rows=0, compression="none")
    compression = plan.compression if kind == "finetuned" and plan.compression != "distilled" else "none"
    return replace(
        able,
        kind=kind,
        foundation=option.foundation,
        rung=0 if kind == "probe" else rung,
        compression=compression,
        recipe=recipe_of(kind, plan.recipe),
        year=year,
    )


def recipe_of(kind: str, recipe: Recipe) -> Recipe:
    """A team's recipe for going on from a foundation: smaller steps; none for a closed form."""
    if kind == "probe":
        return _PROBE_RECIPE
    share = _RATE_SHARE.get(kind, 1.0)
    return replace(recipe, learning_rate=float(f"{recipe.learning_rate * share:.1e}"))


@lru_cache(maxsize=4096)
def foundation_key(plan: FoundationPlan) -> str:
    """The key of a foundation: a hash of its text, which is asked for at every choice."""
    return plan.key()


# -- what it takes -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def relative_operations(kind: str, task: str, rung: int, width: int) -> float:
    """Training operations of that kind against those of a CNN on the same rung, which the bridge from money means."""
    if kind == "probe":
        return 0.0
    if kind not in TUNED_KINDS:
        return 1.0
    size, made = rungs_of(task)[rung], get_task(task)
    encoder = training_flops(encoder_of(width, made.n_classes), size.steps, size.batch)
    ratio = encoder / training_flops(architecture(made, "cnn", rung), size.steps, size.batch)
    return ratio * (_ADAPTER_PASSES if kind == "adapter" else 1.0)


def hours_for(
    kind: str, task: str, width: int, rung: int, compute: ComputeSettings, progress: float, able: float, parallel: float
) -> float:
    """GPU hours that a run of that kind and rung takes a team of engineering `able`."""
    relative = relative_operations(kind, task, rung, width)
    return relative * gpu_hours_for_rung(compute, rung, progress, able, parallel)


# -- what an answer costs ----------------------------------------------------------------------------------------------


@cache
def reference_flops(task: str) -> float:
    """Inference FLOPs of a mid-ladder network of the task: what `inference_gpu_hours` of a segment is meant for."""
    return inference_flops(architecture(get_task(task), "cnn", 2))


@lru_cache(maxsize=4096)
def serving_scale_of(kind: str, task: str, rung: int, width: int) -> float:
    """Operations of an answer against those of a mid-ladder network, as known before anything is trained.

    Of a probe nothing is left to its owner: whose encoder it is runs it.
    """
    if kind == "probe":
        return 0.0
    made = get_task(task)
    if kind in TUNED_KINDS:
        return inference_flops(encoder_of(width, made.n_classes)) / reference_flops(task)
    network = kind if kind in NETWORK_KINDS else "cnn"
    return inference_flops(architecture(made, network, rung)) / reference_flops(task)
