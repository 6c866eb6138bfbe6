"""Task families: two per sector of the dossier, signals and documents, and two real data sets.

To add one: subclass `Task` in a new file and register it here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from simulation.training.tasks.advice import RoboAdvice
from simulation.training.tasks.base import Mix, Task, TestSets
from simulation.training.tasks.commerce import CommerceRecommendation
from simulation.training.tasks.documents import Documents
from simulation.training.tasks.driving import DrivingPerception
from simulation.training.tasks.education import EducationTracing
from simulation.training.tasks.fraud import FinanceFraud
from simulation.training.tasks.image import SecurityVision
from simulation.training.tasks.language import ServiceLanguage
from simulation.training.tasks.manufacturing import ManufacturingFaults
from simulation.training.tasks.medical import MedicalImaging
from simulation.training.tasks.real import BreastCancer, Digits
from simulation.training.tasks.speech import Speech
from simulation.training.tasks.traffic import CityTraffic
from simulation.training.values import DOCUMENT_TASKS, USUAL_YEAR

__all__ = ["TASKS", "Mix", "Task", "TestSets", "get_task"]

TASKS: dict[str, Callable[[], Task]] = {
    "security-vision": SecurityVision,
    "speech": Speech,
    "finance-fraud": FinanceFraud,
    "driving-perception": DrivingPerception,
    "medical-imaging": MedicalImaging,
    "manufacturing-faults": ManufacturingFaults,
    "service-language": ServiceLanguage,
    "city-traffic": CityTraffic,
    "commerce-recommendation": CommerceRecommendation,
    "education-tracing": EducationTracing,
    "robo-advice": RoboAdvice,
    **{name: partial(Documents, name) for name in DOCUMENT_TASKS},
    "digits": Digits,
    "breast-cancer": BreastCancer,
}
"""Task families by name; `plan.CLASSIFICATION_TASKS` lists the same names without importing torch."""


@cache
def get_task(name: str, year: int = USUAL_YEAR) -> Task:
    """The one instance of a task family, so that its tables and test sets are made once per process.

    Args:
        name: one of `TASKS`.
        year: of the language of documents; other tasks have none.

    Raises:
        ValueError: there is no such task; the message lists them.
    """
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}; known are {', '.join(TASKS)}")
    return Documents(name, year) if name in DOCUMENT_TASKS else TASKS[name]()
