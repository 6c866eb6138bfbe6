"""Technology that moves: breakthroughs are known at their date, taken up in time, and late by who has most to lose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agents.firm.generations import can_use
from agents.firm.training_plan import Draft, Means, draft_plan
from agents.settings import FirmSettings
from scenarios.strict_yaml.errors import ScenarioError
from simulation.calendar import Calendar
from simulation.model import MarketModel
from simulation.randomness import Streams
from simulation.settings import ComputeSettings
from simulation.settings.technology import TechnologySettings
from simulation.technology import Technology
from simulation.training.plan import TrainingPlan
from tests.support.service import FakeService, result_of
from tests.support.world_fakes import fields_of, found, incumbent, lone_world, play, released, scenario_of, world_of

JUMP: dict[str, Any] = {"at": "2017-01", "kind": "efficiency", "factor": 1e6}
NEW_KIND: dict[str, Any] = {"at": "2016-06", "kind": "architecture", "model_kind": "transformer"}
SHOPS: dict[str, Any] = {
    "task": "commerce-recommendation", "market_opens": 2016,
    "segments": {
        "chains": {"customers": 2000, "reference_price_usd": 2000, "innovation_rate_year": 0.5},
        "closed": {"field_threshold": 1.0},
    },
}  # fmt: skip
NOW = {"take_up_months": 0}


class Kinds(FakeService):
    """Models of one kind are better, or worse, than those of all others by so much in the lab and in the field."""

    def __init__(self, kind: str, better: float) -> None:
        super().__init__()
        self.kind, self.better = kind, better

    def train(self, due: Any) -> int:
        new = super().train(due)
        for key, plan in self.plans.items():
            if plan.kind == self.kind and key in self.results:
                usual = result_of(plan)
                lab, field = usual.accuracy_lab + self.better, usual.accuracy_field + self.better
                self.results[key] = replace(usual, accuracy_lab=lab, accuracy_field=field)
        return new


def technology(*breakthroughs: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"breakthroughs": {f"b{i}": one for i, one in enumerate(breakthroughs)}, **settings}


def world(*breakthroughs: dict[str, Any], service: Any = None, years: int = 3, **settings: Any) -> MarketModel:
    changes = {"years": years, "world": {"technology": technology(*breakthroughs, **settings)}}
    return world_of(changes, service=service)


def events(model: MarketModel, kind: str) -> list[Any]:
    return [row for row in model.recorder.rows["events"] if row.kind == kind]


# -- what is known ----------------------------------------------------------------------------------------------------


def test_an_efficiency_jump_helps_from_its_month_on_and_nobody_before() -> None:
    plain, jumped = world(), world(JUMP, **NOW)
    for model in (plain, jumped):
        play(model, 12)
    assert plain.tables()["firms"].equals(jumped.tables()["firms"])
    for model in (plain, jumped):
        play(model, 12)
    [told] = events(jumped, "breakthrough")
    assert str(told.month) == "2017-01-01" and fields_of(told)["factor"] == 1e6 and not events(plain, "breakthrough")
    rungs = [max(ordered.plan.rung for ordered in model.ordered.values()) for model in (plain, jumped)]
    assert rungs[0] < rungs[1] == 5


def test_a_jump_reaches_the_sectors_that_it_names() -> None:
    sectors = {"shops": SHOPS}
    changes = {"world": {"sectors": sectors, "technology": technology({**JUMP, "sectors": ["shops"]}, **NOW)}}
    model = play(world_of(changes), 14)
    assert model.technology.known["vision"] == () and len(model.technology.known["shops"]) == 1
    assert model.firms["iris"].laboratory.generations.efficiency == 1


def test_what_is_older_than_the_run_is_in_use_from_the_start() -> None:
    model = world({**JUMP, "at": "2010-01", "factor": 8})
    assert all(firm.laboratory.generations.efficiency == 8 for firm in model.firms.values())
    play(model, 3)
    assert not events(model, "breakthrough") and not events(model, "breakthrough taken up")


def known_randomly(rate: float, months: int = 240) -> dict[str, float]:
    settings = TechnologySettings(breakthrough_rate_year=rate)
    calendar = scenario_of()
    state = Technology(settings, ["vision", "speech"], Calendar(calendar.start), Streams(3))
    return {one.name: one.factor for month in range(months) for one, _ in state.advance(month, settings)}


def test_random_jumps_come_at_their_rate_and_a_higher_rate_only_adds() -> None:
    few, many = known_randomly(0.2), known_randomly(0.8)
    assert known_randomly(0.0) == {} and {name: many[name] for name in few} == few
    assert 2 <= len(few) <= 16 and 20 <= len(many) <= 46
    assert min(many.values()) >= 1 and 2.5 < sorted(many.values())[len(many) // 2] < 6


# -- taking it up -----------------------------------------------------------------------------------------------------


def test_taking_up_takes_so_many_months_on_average_and_none_without_a_model() -> None:
    model = play(world(JUMP), 6)
    lab = model.firms["iris"].laboratory
    ready = sum(lab.generations.takes_up(f"thing {i}", 4.0) for i in range(2000))
    assert ready == pytest.approx(2000 / 5, rel=0.12)
    assert all(lab.generations.takes_up(f"thing {i}") for i in range(20))
    lab.released = None
    assert all(lab.generations.takes_up(f"thing {i}", 100.0) for i in range(20))


def test_who_is_large_old_or_lives_on_what_it_has_waits_longer() -> None:
    model = lone_world(technology={"inertia": 1.0})
    firm = found(model)
    alone = firm.inertia_months()
    firm.staff["research"] += 100
    large = firm.inertia_months()
    firm.recurring, firm.costs = [1e5] * 3, [1e5] * 3
    sells = firm.inertia_months()
    firm.founded_month -= 120
    old = firm.inertia_months()
    assert (
        0 < alone < large and sells == pytest.approx(large + 12) and old == pytest.approx(sells + 12 * 0.693, rel=0.01)
    )
    division, twin = incumbent(model), found(model, "twin")
    division.staff, division.recurring, division.costs = twin.staff, twin.recurring, twin.costs
    assert division.inertia_months() > 3 * twin.inertia_months(), "a parent weighs"
    model.settings = model.settings.model_copy(update={"technology": TechnologySettings()})
    assert firm.inertia_months() == 0


def test_without_inertia_everybody_takes_a_breakthrough_up_at_the_same_rate() -> None:
    model = lone_world(technology=technology({**JUMP, "at": "2016-04"}, take_up_months=5))
    firms = [found(model, f"firm-{i}", staff={"research": 5 * i}, capital_usd=1e8) for i in range(60)]
    for firm in firms:
        released(firm, model)
    play(model, 30)
    waited = {row.firm: fields_of(row)["waited_months"] for row in events(model, "breakthrough taken up")}
    small, large = (sum(waited[firm.name] for firm in half) / 30 for half in (firms[:30], firms[30:]))
    assert small == pytest.approx(5, abs=2.5) and large == pytest.approx(5, abs=2.5)


def test_inertia_holds_back_a_higher_rung_until_its_time_has_come() -> None:
    draft = Draft("security-vision", 4, 1024, 0.5, 0.1, 0.0, 0.0, 0.0, 0)
    old = TrainingPlan("security-vision", "cnn", 2, 1024)
    free, slow = (lone_world(technology={"inertia": value}) for value in (0.0, 20.0))
    for model, rung in ((free, 4), (slow, 2)):
        firm = incumbent(model)
        released(firm, model)
        firm.staff["research"] += 1e5
        assert firm.laboratory.generations.open_to(draft, old).rung == rung
        assert firm.laboratory.generations.open_to(draft, None).rung == 4, "a first model replaces nothing"
        assert firm.laboratory.generations.open_to(draft._replace(rung=1), old).rung == 1
    generations = incumbent(slow).laboratory.generations
    for slow.month in range(20_000):
        if generations.open_to(draft, old).rung == 4:
            break
    assert 100 < slow.month < 19_999
    slow.month += 1
    assert generations.open_to(draft, old).rung == 4, "who is ready stays ready"


def test_a_world_in_which_incumbents_are_slow_has_them_on_lower_rungs_and_startups_as_before() -> None:
    cheap = {"world": {"compute": {"rung_gpu_hours": 40, "price_halving_years": 0.4}}}
    best: dict[float, dict[str, int]] = {}
    for inertia in (0.0, 5.0):
        changes = {**cheap, "years": 4, "world": {**cheap["world"], "technology": {"inertia": inertia}}}
        model = play(world_of(changes))
        best[inertia] = {name: int(rows["rung"].max()) for name, rows in model.tables()["firms"].groupby("firm")}
    assert best[5.0]["giant"] < best[0.0]["giant"]


# -- kinds of model ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("better", [0.1, -0.1])
def test_a_new_kind_is_tried_and_kept_where_it_measures_better(better: float) -> None:
    service = Kinds("transformer", better)
    model = play(world(NEW_KIND, service=service, years=3, **NOW))
    tried = {ordered.plan.kind for ordered in model.ordered.values()}
    assert "transformer" in tried
    for firm in model.living.values():
        kind = firm.laboratory.released_plan.kind
        assert kind == ("transformer" if better > 0 else "cnn"), firm.name
        assert firm.laboratory.team().model_kind == kind


def test_a_newborn_begins_with_its_own_kind_and_tries_the_new_one_next() -> None:
    model = lone_world(technology=technology({**NEW_KIND, "at": "2010-01"}, **NOW), service=Kinds("transformer", 0.2))
    firm = found(model, capital_usd=5e6, release_months=2)
    kinds: list[str] = []
    for _ in range(24):
        model.step()
        if firm.laboratory.released_plan and firm.laboratory.released_plan.kind not in kinds:
            kinds.append(firm.laboratory.released_plan.kind)
    assert kinds == ["cnn", "transformer"]


@pytest.mark.parametrize(
    ("settings", "kind", "can"),
    [
        ({}, "transformer", True),
        ({}, "cnn", False),
        ({"dp_noise": 1.0}, "transformer", False),
        ({"dp_noise": 1.0}, "mlp", True),
        ({"remedy": "dp"}, "rnn", False),
        (
            {"model_kind": "transformer", "direction": "general", "adapts_to": {"shops": {"chains": "licence"}}},
            "rnn",
            False,
        ),
    ],
)
def test_not_every_firm_can_use_every_kind(settings: dict[str, Any], kind: str, can: bool) -> None:
    firm = FirmSettings(sector="vision", offers={"cameras": "licence"}, **settings)
    assert can_use(firm, kind) is can


# -- other sectors' rows ----------------------------------------------------------------------------------------------

CROSSING: dict[str, Any] = {
    "at": "2016-06",
    "kind": "crossover",
    "sectors": ["vision"],
    "source": "shops",
    "share": 0.5,
}
STORES: dict[str, Any] = {
    "store": {
        "kind": "incumbent", "sector": "shops", "offers": {"chains": "subscription"}, "rows": 4e6,
        "capital_usd": 1e8, "core_income_usd_month": 1e6,
    },
    "still": {"sector": "shops", "offers": {"closed": "subscription"}, "rows": 1e9},
}  # fmt: skip


def crossed(*firms: str, **changes: Any) -> MarketModel:
    data = {
        "world": {
            "sectors": {"shops": SHOPS},
            "technology": technology(CROSSING, **NOW),
            "labour": {"wage_response": 0},  # wages and queues answer every firm; nothing else may
            "compute": {"congestion": 0},
        },
        "firms": {name: STORES[name] for name in firms},
    }
    return world_of({**data, **changes})


def test_rows_of_another_sector_count_by_their_share_and_stay_where_they_are() -> None:
    model = play(crossed("store"), 24)
    lab, store = model.firms["iris"].laboratory, model.firms["store"].laboratory
    before = store.rows_lab + store.rows_field
    assert lab.generations.transferred_rows() == pytest.approx(0.5 * before, rel=0.1)
    means = lab.means(1.0)
    assert means.rows_lab == pytest.approx(lab.rows_lab + lab.generations.transferred_rows())
    assert store.generations.transferred_rows() == 0, "it came from there"
    early = play(crossed("store"), 5)
    assert early.firms["iris"].laboratory.generations.transferred_rows() == 0


def test_a_firm_that_serves_nobody_lends_no_rows() -> None:
    one, two = (play(crossed(*firms), 18) for firms in (("store",), ("store", "still")))
    assert one.technology.stock_rows["shops"] > 0
    assert one.technology.stock_rows == two.technology.stock_rows
    mine, theirs = (model.tables()["firms"].query("firm == 'iris'").reset_index(drop=True) for model in (one, two))
    assert mine["rows"].equals(theirs["rows"]) and mine["rung"].equals(theirs["rung"])


# -- errors, and sectors left out -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "says"),
    [
        ({**JUMP, "sectors": ["visoin"]}, "visoin"),
        ({**CROSSING, "source": "shop"}, "source = 'shop'"),
        ({**NEW_KIND, "model_kind": "transformr"}, "did you mean 'transformer'"),
        ({"at": "2017-01", "kind": "efficiency"}, "kind = efficiency needs factor"),
        ({**JUMP, "share": 0.5}, "share says nothing of a breakthrough of kind efficiency"),
        ({**JUMP, "factor": 0.5}, "factor = 0.5"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(one: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError) as error:
        scenario_of({"world": {"sectors": {"shops": SHOPS}, "technology": technology(one)}})
    assert says in str(error.value) and "\n" not in str(error.value)


def test_breakthroughs_of_sectors_left_out_are_left_out() -> None:
    both = {**JUMP, "sectors": ["shops", "vision"]}
    other = {**JUMP, "sectors": ["shops"]}
    data = {
        "sectors": ["vision"],
        "world": {"sectors": {"shops": SHOPS}, "technology": technology(JUMP, both, other, CROSSING)},
    }
    kept = scenario_of(data).world.technology.breakthroughs
    assert {name: one.sectors for name, one in kept.items()} == {"b0": (), "b1": ("vision",)}


# -- the end of the ladder --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("task", "last", "rung"), [
    ("speech", 5, 5), ("speech", 8, 8), ("speech", 2, 2), ("city-notices", 8, 5),
])  # fmt: skip
def test_compute_buys_rungs_up_to_the_last(task: str, last: int, rung: int) -> None:
    firm = FirmSettings(sector="vision", offers={"cameras": "licence"})
    means = Means(1e12, 1.0, 1e6, 1e5, 0.1, 0.0)
    assert draft_plan(firm, task, ComputeSettings(last_rung=last), means).rung == rung
