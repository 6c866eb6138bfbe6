"""Build a world from a scenario: the one place where agents and world meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agents.aging import Aging
from agents.crossovers import CrossoverStocks
from agents.entry import Arrivals, Entry, Prospects, Successors
from agents.fund import Fund
from agents.incidents import IncidentProcess
from agents.initial_adoption import InitialAdoption, has_past, meets_run
from agents.lab.community import Community
from agents.lab.lab import FoundationLab
from agents.service_market import ServiceMarket
from agents.startup.price_competition import PriceCompetition
from agents.state.programmes import Commons
from agents.state.regulator import Regulator
from scenarios.plugins import acting, actor_settings
from scenarios.schema import Scenario
from simulation.model import MarketModel, SettingsChange
from simulation.training.service import TrainingService

if TYPE_CHECKING:
    from agents.firm.owner import World


def build_world(
    scenario: Scenario,
    seed: int,
    service: TrainingService,
    entrants: Mapping[str, Mapping[str, Any]] | None = None,
) -> World:
    """A world ready to step. Two worlds of one scenario and seed take the same path, whoever shares `service`.

    Actors are created in a fixed order, which is the order of each phase: funds, the market of services where a firm
    sells to firms, price competition, stocks of rows for crossovers, named firms, entrants, aging of documents,
    laboratories of large models and the community, incidents, data commons, regulator, actors of plug-ins, the past of
    a world that begins later than its markets. `entrants` changes settings of drawn startups, by their name and dotted
    path; their other draws stay.
    Raises ValueError for a negative seed.
    """
    if seed < 0:
        raise ValueError(f"a seed is a whole number from 0 on, not {seed}")
    changes, plugins = settings_changes(scenario), acting(scenario.plugins)
    model: World = MarketModel(changes, scenario.start, scenario.n_months, seed, service, plugins)
    first_year, end_year = model.year, model.calendar.year_of(scenario.n_months)
    for name, fund in scenario.investors.items():
        if meets_run(fund, first_year, end_year):
            Fund(model, name, fund)
    if any(firm.services for firm in scenario.firms.values()) or any(s.services for s in scenario.entrants.values()):
        ServiceMarket(model)
    PriceCompetition(model)
    if any(one.kind == "crossover" for one in model.settings.technology.breakthroughs.values()):
        CrossoverStocks(model, "crossovers")
    Arrivals(model)
    prospects, successors = Prospects(model), Successors(model)
    for name, stream in scenario.entrants.items():
        Entry(model, name, stream, entrants, prospects, successors)
    Aging(model)
    if scenario.world.foundations is not None:
        for name, lab in scenario.labs.items():
            FoundationLab(model, name, lab)
        Community(model)
    IncidentProcess(model)
    Commons(model)
    if scenario.regulator:
        Regulator(model, "regulator", scenario.regulator)
    for name, said in scenario.actors.items():
        kind, settings = actor_settings(said)
        kind.build(model, name, settings)
    if has_past(model):
        InitialAdoption(model)
    return model


def settings_changes(scenario: Scenario) -> list[SettingsChange]:
    """The settings at the start, and after each dated intervention; what is older than the run holds at its start."""
    said = [change.says for change in sorted(scenario.interventions, key=lambda change: change.at)]
    changes = [SettingsChange(0, scenario.world, dict(scenario.firms))]
    for index, (month, world, firms) in enumerate(scenario.settings_at()):
        if month < 0:
            changes = [SettingsChange(0, world, dict(firms))]
            continue
        changes.append(SettingsChange(month, world, dict(firms), said[index] if index < len(said) else ""))
    return changes
