"""Can this machine train the large models of an experiment? Asked before anything is played."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.errors import AnalysisError
from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions


def check_trainable(arms: Sequence[Arm], settings: PlayOptions) -> None:
    """Raise `AnalysisError` where an arm may train a foundation that this machine would need more than an hour for."""
    for arm in arms:
        if (name := arm.setup.largest_foundation()) is not None:
            _check(arm.scenario, name, settings)


def _check(scenario: str, name: str, settings: PlayOptions) -> None:
    from simulation.training.device import DeviceError, resolve_device
    from simulation.training.foundation.ladder import foundation_named
    from simulation.training.foundation.library import Library, folder_beside

    library = Library(folder_beside(str(settings.ledger_path)))
    try:
        library.check(foundation_named(name), resolve_device(settings.device))
    except DeviceError as error:
        lower = "choose a lower world.foundations.last_rung, or a device that can"
        raise AnalysisError(f"{scenario}: world.foundations reaches {name}: {error}; {lower}") from error
