"""Playing over what is not known of a world: every seed has one of the sets of values that fit alike."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions
from analysis.runs.manifest import OverNote

if TYPE_CHECKING:
    from scenarios import Scenario
    from scenarios.uncertainty import Uncertainty


@dataclass(frozen=True)
class Over:
    """Sets of values, and what the request called them."""

    name: str
    sets: Uncertainty

    @property
    def note(self) -> OverNote:
        """What a manifest says of them."""
        values = tuple({**one} for one in self.sets.sets)
        text = json.dumps(values, sort_keys=True)
        return OverNote(
            name=self.name, title=self.sets.title, sha256=hashlib.sha256(text.encode()).hexdigest(), sets=values
        )


def over_of(settings: PlayOptions, setup: Scenario) -> Over | None:
    """The sets that the settings ask for; None where they ask for none. Raises `ScenarioError`."""
    if settings.over is None:
        return None
    from scenarios.uncertainty import load_uncertainty

    return Over(os.fspath(settings.over), load_uncertainty(settings.over, setup))


def arm_over(setup: Scenario, arm: str, over: Over | None, whatif: str | None = None) -> Arm:
    """One arm: the scenario, or a what-if on it, with each of the sets. Raises `ScenarioError` for one that misfits."""
    from scenarios import load_whatif

    whole = setup if whatif is None else load_whatif(whatif, setup)
    if over is None:
        return Arm(setup.name, arm, whole)
    from scenarios.uncertainty import variants

    return Arm(setup.name, arm, whole, variants(setup, over.sets, whatif))
