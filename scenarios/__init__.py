"""Setups of the laboratory: the schema of a scenario, the shipped library, and how a scenario is read and checked."""

from scenarios.expectation import Expectation
from scenarios.load import load, load_whatif
from scenarios.schema import Scenario
from scenarios.shelf import Entry, catalogue
from scenarios.statements import Cause, Intervention
from scenarios.strict_yaml.errors import ScenarioError

__all__ = [
    "Cause",
    "Entry",
    "Expectation",
    "Intervention",
    "Scenario",
    "ScenarioError",
    "catalogue",
    "load",
    "load_whatif",
]
