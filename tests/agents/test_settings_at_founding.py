"""A firm that is founded after a dated change of its settings begins with what is in force then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

import pandas as pd
import pytest
from pydantic import BaseModel

from agents.entry import with_changes
from agents.settings import EngineeringSettings, FirmSettings, ManagementSettings
from scenarios.build import build_world
from simulation.model import MarketModel
from simulation.parameters import parameter_records
from tests.support.service import FakeService
from tests.support.world_fakes import play, scenario_of

LATE: dict[str, Any] = {"sector": "vision", "founded": "2016-04", "offers": {"cameras": "subscription"}}
BASE = FirmSettings(**{**LATE, "founded": date(2016, 4, 1)})
OTHERS: dict[str, Any] = {  # values that no rule of thumb finds
    "offers": {"cameras": "freemium", "photos": "licence"},
    "dp_noise": 1.0,
    "compression": "int8",
}
TOGETHER = {"dp_noise": {"model_kind": "mlp"}, "remedy": {"model_kind": "mlp"}}  # what a value needs beside it
NOT_FOR_A_STARTUP = {"services"}  # a firm without services cannot have them later: they need another direction


def free_settings() -> Iterator[tuple[str, Any]]:
    """Every setting of a firm that a dated change may set, by path, with another value than its default."""
    for owner, prefix in (
        (FirmSettings, ""),
        (EngineeringSettings, "engineering."),
        (ManagementSettings, "management."),
    ):
        for record in parameter_records(owner):
            name, default = record["name"], record["default"]
            if (
                record["fixed"]
                or record["only_for"] == "incumbent"
                or name in NOT_FOR_A_STARTUP
                or isinstance(default, BaseModel)
            ):
                continue
            yield prefix + name, another(owner, record)


def another(owner: type[BaseModel], record: dict[str, Any]) -> Any:
    """A value that is not the default."""
    name, default = record["name"], record["default"]
    if name in OTHERS:
        return OTHERS[name]
    if isinstance(default, bool):
        return not default
    if isinstance(default, str):
        return next(value for value in get_args(owner.model_fields[name].annotation) if value != default)
    low, high = float(record["low"]), float(record["high"])
    return default + 0.1 * (high - default) if default < high else low


def world(at: str, changes: dict[str, Any], **late: Any) -> MarketModel:
    """The small market with a firm founded in April, and these changes of it dated `at`."""
    settings = {f"firms.late.{path}": value for path, value in changes.items()}
    said: dict[str, Any] = {"firms": {"late": {**LATE, **late}}, "interventions": [{"at": at, "set": settings}]}
    return build_world(scenario_of(said), 0, FakeService())


@pytest.mark.parametrize("at", ["2016-02", "2016-04"])
@pytest.mark.parametrize(("path", "value"), [pytest.param(p, v, id=p) for p, v in free_settings()])
def test_every_setting_that_may_be_changed_is_in_force_at_the_founding(path: str, value: Any, at: str) -> None:
    needed = TOGETHER.get(path, {})
    model = play(world(at, {**needed, path: value}), 3)
    begun = with_changes(BASE, {**needed, path: value})
    assert begun != with_changes(BASE, needed), "the change changes something"
    assert model.firms["late"].given == begun  # type: ignore[attr-defined]


def test_an_earlier_change_is_the_same_as_writing_it_into_the_firm() -> None:
    changes = {"offers": {"photos": "freemium"}, "field_share": 0.6, "reserved_gpus": 50, "price_level": 0.7}
    dated = play(world("2016-02", changes)).tables()
    written = play(world("2016-02", {"skill": 0.5}, **changes)).tables()  # a change to what it is anyway
    for name, table in dated.items():
        pd.testing.assert_frame_equal(table, written[name])
    (founded,) = dated["events"].query("kind == 'founded' and firm == 'late'").to_dict("records")
    assert json.loads(founded["fields"])["offers"] == {"photos": "freemium"}


def test_a_change_in_the_first_month_of_the_run_is_in_force_for_who_begins_with_it() -> None:
    said = {"interventions": [{"at": "2016-01", "set": {"firms.iris.reserved_gpus": 50, "firms.iris.skill": 0.9}}]}
    model = build_world(scenario_of(said), 0, FakeService())
    assert (model.firms["iris"].given.reserved_gpus, model.firms["iris"].given.skill) == (50, 0.9)  # type: ignore[attr-defined]


def test_a_change_after_the_founding_still_comes_after_it() -> None:
    model = play(world("2016-06", {"skill": 0.9}), 4)
    assert model.firms["late"].given.skill == 0.5  # type: ignore[attr-defined]
    assert play(model, 2).firms["late"].given.skill == 0.9  # type: ignore[attr-defined]
