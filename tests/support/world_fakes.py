"""Small worlds for the tests of `simulation/` and `agents/`: a training service that computes instead of training."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from agents.entrant_names import stream_of
from agents.entry import found_startup
from agents.incumbent.incumbent import Incumbent
from agents.settings import FirmSettings
from agents.startup.startup import Startup
from scenarios.build import build_world
from scenarios.schema import Scenario
from scenarios.strict_yaml.document import Document
from simulation.model import MarketModel
from simulation.parameters import Settings, parameter_records
from simulation.training.plan import TrainingPlan
from tests.support.service import FakeService, result_of

QUIET: dict[str, Any] = {"breach_rate_year": 0, "outage_rate_year": 0}
"""No incidents: what happens to a firm is its own doing."""

MARKET: dict[str, Any] = {
    "title": "a small market",
    "start": "2016-01",
    "years": 3,
    "world": {
        "sectors": {
            "vision": {
                "market_opens": 2016,
                "segments": {
                    "cameras": {"customers": 2000, "reference_price_usd": 2000, "contract_months": 12},
                    "photos": {"customers": 1e6, "reference_price_usd": 3, "contract_months": 6},
                }
            }
        },
        "risk": QUIET,
    },
    "firms": {
        "iris": {"sector": "vision", "offers": {"cameras": "subscription"}},
        "giant": {
            "kind": "incumbent", "sector": "vision", "offers": {"photos": "bundle", "cameras": "licence"},
            "capital_usd": 1e8, "core_income_usd_month": 1e6, "rows": 1e6, "field_share": 0.5, "acquires": True,
        },
    },
    "investors": {"fund": {"vintage": 2014, "size_usd": 2e8, "stages": ["A", "B", "C", "growth"]}},
}  # fmt: skip


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, mapping by mapping; neither is changed."""
    result = copy.deepcopy(dict(base))
    for key, value in changes.items():
        inner = isinstance(value, Mapping) and isinstance(result.get(key), Mapping) and key not in ("offers", "set")
        result[key] = merged(result[key], value) if inner else copy.deepcopy(value)
    return result


def scenario_of(changes: Mapping[str, Any] | None = None, base: Mapping[str, Any] = MARKET) -> Scenario:
    """The small market with changes laid over it."""
    return Scenario.from_document(Document(merged(base, changes or {}), "test"))


def world_of(changes: Mapping[str, Any] | None = None, seed: int = 0, service: Any = None) -> MarketModel:
    """A world of the small market, not stepped yet."""
    return build_world(scenario_of(changes), seed, service or FakeService())


def play(model: MarketModel, months: int | None = None) -> MarketModel:
    """Step the world some months, or to its end."""
    for _ in range(model.n_months - model.month if months is None else months):
        model.step()
    return model


def lone_world(law: Mapping[str, Any] | None = None, service: Any = None, **world: Any) -> MarketModel:
    """A world with one silent incumbent, into which tests put firms of their own; it has played one month."""
    changes = {"firms": {"iris": None}, "world": {"law": dict(law or {}), **world}}
    data = merged(MARKET, changes)
    del data["firms"]["iris"]
    return play(build_world(scenario_of(base=data), 0, service or FakeService()), 1)


def found(model: MarketModel, name: str = "iris", **settings: Any) -> Startup:
    """Found a startup now."""
    defaults: dict[str, Any] = {"sector": "vision", "offers": {"cameras": "subscription"}}
    return found_startup(model, name, FirmSettings(**{**defaults, **settings}))


def released(firm: Any, model: MarketModel, rung: int = 2, **measures: float) -> None:
    """Put a measured model into a firm's hands."""
    plan = TrainingPlan("security-vision", "cnn", rung, 1024, coverage=0.5, seed=len(model.firms))
    firm.laboratory.released, firm.laboratory.released_plan = result_of(plan, **measures), plan


def incumbent(model: MarketModel) -> Incumbent:
    """The incumbent of the small market."""
    giant = model.firms["giant"]
    assert isinstance(giant, Incumbent)
    return giant


def bound(settings: type[Settings], name: str, end: str) -> Any:
    """The lowest (`low`) or highest (`high`) value that the schema allows for a parameter."""
    return next(record[end] for record in parameter_records(settings) if record["name"] == name)


def fields_of(event: Any) -> dict[str, Any]:
    """The further fields of a row of events."""
    fields: dict[str, Any] = json.loads(event.fields or "{}")
    return fields


def kinds_of_events(model: MarketModel, firm: str) -> list[str]:
    """Kinds of a firm's events so far, in order."""
    return [str(row[1]) for row in model.recorder.rows["events"] if row[2] == firm]


def entrants_of(model: MarketModel) -> dict[str, Any]:
    """Who each entrant is, by name: traits, talent, data, seed round, month of founding."""
    born = {row.firm: (row.amount_usd, row.fields) for row in model.recorder.rows["events"] if row.kind == "founded"}
    firms = {name: firm for name, firm in model.firms.items() if stream_of(name)}
    return {
        name: (firm.settings, firm.founded, firm.laboratory.luck, firm.laboratory.seed, born[name])
        for name, firm in firms.items()
    }
