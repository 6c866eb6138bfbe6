"""Business between firms (OP-MARKET): who buys what from whom, what it changes, and where the money goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from agents.firm.firm import Firm
from agents.firm.service_desk import (
    ServiceDesk,
    buy_compute,
    buy_rows,
    compute_terms,
    hire_hands,
    training_terms,
    use_services,
)
from agents.settings import EntrantSettings, FirmSettings
from scenarios.build import build_world
from scenarios.strict_yaml.errors import ScenarioError
from simulation.model import MarketModel
from tests.support.service import FakeService
from tests.support.world_fakes import (
    MARKET,
    fields_of,
    incumbent,
    kinds_of_events,
    merged,
    play,
    released,
    scenario_of,
    world_of,
)

TOOLS: dict[str, Any] = {
    "sector": "vision", "direction": "tools", "skill": 0.9, "capital_usd": 3e6, "rows": 1e6,
    "services": {"compute": 0.15, "data": 0.6, "outsourcing": 0.5},
    "staff": {"product": 1, "research": 2, "marketing": 1, "operations": 6, "finance": 0},
}  # fmt: skip
EVERYBODY_LOOKS = {"contract_months": 1, "price_weight": 20, "hurdle": -5}


def world_with_tools(months: int = 1, services: dict[str, float] | None = None, **changes: Any) -> MarketModel:
    """The small market with one firm that sells to firms."""
    tools = {**TOOLS, "services": services or TOOLS["services"]}
    return play(world_of(merged({"firms": {"tools": tools}, "world": {"services": EVERYBODY_LOOKS}}, changes)), months)


def firm_of(model: MarketModel, name: str) -> Firm:
    firm = model.firms[name]
    assert isinstance(firm, Firm)
    return firm


def desk_of(model: MarketModel, name: str = "tools") -> ServiceDesk:
    desk = firm_of(model, name).desk
    assert desk is not None
    return desk


def pair(**changes: Any) -> tuple[Firm, Firm, ServiceDesk]:
    """(Buyer, seller, its desk) after a month, with nothing sold in the new month yet and the buyer a customer."""
    model = world_with_tools(**changes)
    buyer, seller, desk = firm_of(model, "iris"), firm_of(model, "tools"), desk_of(model)
    desk.begin_month()
    buyer.suppliers.update(compute=seller, data=seller, outsourcing=seller)
    return buyer, seller, desk


def check_money(model: MarketModel) -> None:
    assert model.bank.total_cash_usd() == 0
    for name, books in model.bank.books.items():
        assert books.imbalance_usd() == 0 and (books.may_owe or books.cash_usd >= 0), name
    for firm in model.firms.values():
        assert all(firm.books.balance[account] == 0 for account in firm.books.open_accounts())  # type: ignore[attr-defined]


# -- choice ------------------------------------------------------------------------------------------------------------


def test_firms_buy_from_who_is_better_and_do_it_themselves_otherwise() -> None:
    """A seller of much skill makes hours cheaper; one without makes them dearer, and nobody comes."""
    sharp = {"services": {"price_weight": 50, "hurdle": 0}}
    good, bad = (
        world_with_tools(12, {"compute": 0.15}, firms={"tools": {"skill": s}}, world=sharp) for s in (0.9, 0.2)
    )
    assert firm_of(good, "iris").suppliers["compute"].name == "tools"
    assert "compute" not in firm_of(bad, "iris").suppliers
    assert "supplier" in kinds_of_events(good, "iris")


def test_a_supplier_that_is_gone_is_replaced_or_done_without() -> None:
    model = world_with_tools(6, {"compute": 0.15})
    assert "compute" in firm_of(model, "iris").suppliers
    firm_of(model, "tools").end("bankrupt")
    play(model, 1)
    assert "compute" not in firm_of(model, "iris").suppliers
    last = [row for row in model.recorder.rows["events"] if row[1] == "supplier" and row[2] == "iris"][-1]
    assert last[3] == "" and fields_of(last)["service"] == "compute"


# -- services ----------------------------------------------------------------------------------------------------------


def test_hours_with_tooling_yield_more_and_the_seller_keeps_the_markup() -> None:
    buyer, seller, _ = pair()
    factor, gain = compute_terms(seller, buyer)
    assert gain > 1 and factor == pytest.approx(1.15 / gain)
    assert training_terms(buyer, 10_000) == (factor, gain)
    had = {name: buyer.model.bank.books[name].cash_usd for name in ("iris", "tools", "suppliers")}
    assert buy_compute(buyer, 11_500) == pytest.approx(11_500)
    moved = {name: buyer.model.bank.books[name].cash_usd - cash for name, cash in had.items()}
    assert moved == pytest.approx({"iris": -11_500, "tools": 1_500, "suppliers": 10_000})
    assert seller.desk is not None and seller.desk.revenue_usd() == pytest.approx(1_500)


def test_a_run_too_large_for_the_sellers_people_goes_to_the_cloud() -> None:
    buyer, seller, desk = pair()
    most = desk.hands_free() * buyer.model.settings.services.operator_usd_month
    assert training_terms(buyer, 1.1 * most) == (1.0, 1.0)
    before = seller.books.cash_usd
    buy_compute(buyer, 1000)
    assert seller.books.cash_usd == before
    desk.begin_month()
    assert desk.operators_needed() > seller.staff["operations"]  # it learns that more is asked for


def test_deployment_is_paid_in_advance_and_not_twice() -> None:
    buyer, _, _ = pair()
    released(buyer, buyer.model)
    market, slot = buyer.model.market, buyer.sales.slots["cameras"]
    market["customers"][slot], market["serving_share"][slot] = 50.0, 1.0
    usual = buyer.sales.serving_usd()
    before = buyer.books.cash_usd
    use_services(buyer)
    assert usual > 0 and before - buyer.books.cash_usd < usual  # tooling makes it cheaper
    assert buyer.costs_due()["inference"] == pytest.approx(0, abs=0.02)


def test_a_row_is_labelled_once_and_sold_to_several() -> None:
    buyer, seller, desk = pair()
    other, own_cost = incumbent(buyer.model), 0.08
    other.suppliers["data"] = seller
    desk.catalogue, desk.taken, desk.label_usd = {}, {}, 1e5
    rows, paid = buy_rows(buyer, "vision", 4_800, own_cost)
    labelled = desk.goods_usd
    assert rows == pytest.approx(1e5) and paid == pytest.approx(4_800) and labelled > 0
    assert buy_rows(other, "vision", 4_800, own_cost)[0] == pytest.approx(1e5)
    assert desk.goods_usd == labelled  # the same rows again
    buy_rows(buyer, "vision", 4_800, own_cost)
    assert desk.goods_usd == pytest.approx(2 * labelled)  # who has them needs new ones


def test_rows_are_labelled_only_as_far_as_the_seller_can_pay() -> None:
    buyer, _, desk = pair()
    desk.catalogue, desk.taken, desk.label_usd = {}, {}, 800.0
    rows, paid = buy_rows(buyer, "vision", 1e5, 0.08)
    assert desk.goods_usd == pytest.approx(800) and 1e4 <= rows < 3e4 and paid == pytest.approx(rows * 0.048)


def test_the_sellers_own_model_saves_labelling() -> None:
    buyer, seller, desk = pair()
    costs = []
    for accuracy in (0.5, 0.9):
        released(seller, buyer.model, accuracy_field=accuracy)
        desk.catalogue, desk.taken, desk.label_usd, desk.goods_usd = {}, {}, 1e5, 0.0
        buy_rows(buyer, "vision", 4_800, 0.08)
        costs.append(desk.goods_usd)
    assert costs[1] < costs[0]


def test_bought_rows_reach_the_training_set_for_less() -> None:
    buyer, _, desk = pair()
    lab = buyer.laboratory
    desk.catalogue["vision"] = 1e9
    gained = []
    for supplier in (True, False):
        if not supplier:
            del buyer.suppliers["data"]
        before = lab.rows_lab + lab.rows_field
        keep = 1 - buyer.model.settings.labour.data_decay_year / 12
        lab.gather_data(8_000)
        gained.append(lab.rows_lab + lab.rows_field - before * keep)
    assert gained == pytest.approx([8_000 / 0.048, 8_000 / 0.08], rel=1e-6)


def short_of_hands(buyer: Firm) -> int:
    """Give a buyer more projects than its people can do; returns the slot."""
    market, slot = buyer.model.market, buyer.sales.slots["cameras"]
    market.set_model(slot, "solution")
    market.selling[slot] = True
    market.utilities()
    market["capacity"][slot], market["won"][slot] = 1.0, 2.0
    return slot


def test_hands_are_lent_where_a_projects_fee_pays_for_them() -> None:
    buyer, seller, _ = pair()
    market, slot = buyer.model.market, short_of_hands(buyer)
    before = buyer.books.cash_usd
    hire_hands(buyer)
    assert market.record_of(slot).tailored and market["capacity"][slot] == pytest.approx(3.0)
    assert buyer.books.balance["outsourcing"] == -seller.books.balance["services"] > 0
    assert before - buyer.books.cash_usd == pytest.approx(buyer.books.balance["outsourcing"] / 100)


def test_hands_that_cost_more_than_the_fee_are_not_hired() -> None:
    buyer, _, _ = pair(services={"compute": 0.15, "data": 0.6, "outsourcing": 9.0})
    slot = short_of_hands(buyer)
    hire_hands(buyer)
    assert buyer.model.market["capacity"][slot] == 1.0


def test_trust_follows_what_the_sellers_model_promises_and_keeps() -> None:
    after = []
    for field in (0.85, 0.3):
        buyer, seller, desk = pair()
        released(seller, buyer.model, accuracy_lab=0.9, accuracy_field=field)
        for _ in range(6):
            desk.lend_hands(1.0)
            desk.begin_month()
        after.append(desk.trust)
    assert after[0] > 0.5 > after[1]


# -- the whole ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def three_years() -> Iterator[MarketModel]:
    stream = {
        "sector": "vision", "direction": "tools", "per_year": 1, "at_start": 2,
        "services": [{"compute": 0.15}, {"data": 0.6}, {"outsourcing": 0.5}],
    }  # fmt: skip
    model = world_of({"firms": {"tools": TOOLS}, "entrants": {"more": stream}, "world": {"services": EVERYBODY_LOOKS}})
    for _ in range(36):
        model.step()
        check_money(model)
    yield model


def test_money_is_conserved_and_a_seller_lives_on_other_firms(three_years: MarketModel) -> None:
    frame = three_years.tables()["firms"]
    tools = frame[frame["firm"] == "tools"]
    assert tools["service_revenue_usd"].sum() > 1e5
    assert (tools["service_revenue_usd"] <= tools["revenue_usd"] + 0.01).all()
    assert tools["price_usd"].isna().all() and (tools["customers"] == 0).all()
    assert (frame.loc[frame["firm"].isin(["iris", "giant"]), "service_revenue_usd"] == 0).all()


def test_entrants_of_kind_tools_have_services_and_no_offers(three_years: MarketModel) -> None:
    entrants = [firm for name, firm in three_years.firms.items() if name.startswith("more-")]
    assert len(entrants) >= 2
    assert all(firm.desk and not firm.sales.slots for firm in entrants)  # type: ignore[attr-defined]


def test_the_same_seed_gives_the_same_world() -> None:
    first, second = (world_with_tools(18).tables() for _ in range(2))
    assert all(first[name].equals(second[name]) for name in first)


def test_without_a_seller_settings_of_services_change_nothing() -> None:
    plain, other = scenario_of(), scenario_of({"world": {"services": EVERYBODY_LOOKS}})
    first, second = (play(build_world(s, 0, FakeService())).tables() for s in (plain, other))
    assert all(first[name].equals(second[name]) for name in first)
    assert (first["firms"]["service_revenue_usd"] == 0).all()


def test_a_seller_of_nothing_useful_changes_nobody_else() -> None:
    """Draws are keyed: a seller whom nobody takes leaves all others as they are."""
    changes = {"world": {"labour": {"wage_response": 0}, "compute": {"congestion": 0}}}
    idle = {"tools": {**TOOLS, "services": {"compute": 10.0}, "compute_share": 0.0}}
    first = play(world_of(changes), 24).tables()["firms"]
    second = play(world_of({**changes, "firms": idle}), 24).tables()["firms"]
    second = second[second["firm"] != "tools"].reset_index(drop=True)
    assert first.drop(columns="share").equals(second.drop(columns="share"))


# -- what may be said --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"direction": "tools"}, "direction = tools needs services"),
        ({"services": {"compute": 0.1}, "offers": {"cameras": "licence"}}, "services need direction = tools"),
    ],
)
def test_a_firm_sells_to_customers_or_to_firms(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        FirmSettings(sector="vision", **settings)
    listed = {key: [value] if isinstance(value, dict) else value for key, value in settings.items()}
    with pytest.raises(ValidationError, match=says):
        EntrantSettings(sector="vision", **listed)


@pytest.mark.parametrize(
    ("services", "says"),
    [
        ({"compute": -0.1}, r"firms\.tools\.services\.compute = -0\.1: must be a number between 0 and 10"),
        ({"data": 1.4}, r"firms\.tools\.services\.data = 1\.4: must be a number between 0\.05 and 1"),
        ({"compte": 0.1}, "did you mean 'compute'"),
    ],
)
def test_a_wrong_service_is_one_clear_error(services: dict[str, float], says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        scenario_of(base=merged(MARKET, {"firms": {"tools": {**TOOLS, "services": services}}}))


def test_only_who_sells_to_firms_may_be_without_offers() -> None:
    scenario_of({"firms": {"tools": TOOLS}})
    with pytest.raises(ScenarioError, match=r"firms\.iris\.offers = .*: must be a mapping with at least one entry"):
        scenario_of({"firms": {"iris": {"offers": {}}}})
    with pytest.raises(ScenarioError, match=r"entrants\.new\.offers = .*: must be a list with at least one entry"):
        scenario_of({"entrants": {"new": {"sector": "vision", "offers": []}}})
