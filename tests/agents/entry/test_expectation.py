"""What potential founders expect: each term moves it the way it should, and nothing of it moves a draw."""

from __future__ import annotations

from math import exp
from typing import Any

import pytest

from agents.entry.news import News, is_good
from agents.entry.prospects import Outlook, Prospects
from agents.entry.stream import Entry
from agents.startup.outside_option import outside_option_usd
from simulation.capital import usual_round
from simulation.model import MarketModel
from simulation.records.events import Acquired, Bankrupt, Founded, GaveUp, Listed, RaiseRefused, Round
from tests.support.founders import counts, founded, founding_world, stream_of_world, two_years
from tests.support.startups import fund_of
from tests.support.world_fakes import entrants_of, found, incumbent, play, released

HOPEFUL: dict[str, Any] = {"success_prior": 0.5, "certainty_share": 0.5}
"""The small market is too small for founders who think as in a large one."""
REFUSED: dict[str, Any] = dict.fromkeys(
    ["revenue_usd_year", "growth_year", "advantage_lab", "advantage_field", "free_users", "climate", "value_usd"], 0.0
) | {"why": "", "stage": "A", "value_asked_usd": None, "revenue_asked_usd_year": None}


def asked(model: MarketModel, skill: float = 0.55) -> float:
    """What a founder expects now."""
    entry = stream_of_world(model)
    return Prospects(model).expected_usd(entry.name, entry.settings, skill)


def seen(model: MarketModel) -> Outlook:
    entry = stream_of_world(model)
    return Prospects(model).outlook(entry.name, entry.settings)


def world(founding: dict[str, Any] | None = None, stream: dict[str, Any] | None = None, **data: Any) -> MarketModel:
    return play(founding_world(founding, {"at_start": 0, "potential_per_year": 0.001, **(stream or {})}, **data), 1)


# -- terms by hand -----------------------------------------------------------------------------------------------------


def test_the_expectation_is_the_product_of_its_terms() -> None:
    model = world()
    s, o = model.settings, seen(model)
    segments = s.sectors["vision"].segments.values()
    market, hold = model.market, model.incumbents_share("vision")
    assert (o.rivals, o.hold, o.chance) == (0, hold, 0.1)
    utility = [one.advantage_weight * o.possible - one.price_weight for one in segments]
    open_usd = sum(
        12 * one.reference_price_usd * (
            new / (1 + exp(-(u - one.adoption_hurdle))) + (1 - hold) * won / (1 + exp(-(u - one.switching_cost)))
        )
        for one, u, new, won in zip(segments, utility, market.unserved(), market.served(), strict=True)
    )  # fmt: skip
    assert o.open_usd_year == pytest.approx(open_usd)
    value = 6 * model.heat * 0.1 * o.funded_share * open_usd * (1 - 0.5 * hold)
    assert asked(model) == pytest.approx(0.4 * 0.15 * value)
    assert asked(model, 0.66) == pytest.approx(1.2 * asked(model))


def test_the_share_that_is_funded_is_money_over_money_and_need() -> None:
    model = world({"unfunded_share": 0.2})
    money = sum(fund.new_money_usd() for fund in model.funds)  # type: ignore[attr-defined]
    need = usual_round(model.settings.capital, "A", model.year)[1]
    assert money > 0 and seen(model).funded_share == pytest.approx(0.2 + 0.8 * money / (money + need))
    model.funds.clear()
    assert seen(model).funded_share == pytest.approx(0.2)
    fund_of(model, stages=["growth"])
    assert seen(model).funded_share == pytest.approx(0.2), "late money is of no use to who founds now"
    fund_of(model, "thinks-otherwise", stages=["A"], thesis={"vision": 0.0})
    assert seen(model).funded_share == pytest.approx(0.2)


# -- signs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"law": {"compliance_usd_month": 20_000}}, {"law": {"compliance_usd_month": 0}}),
        ({}, {"law": {"support": {"grant_usd": 1e6}}}),
        ({"law": {"support": {"grant_usd": 1e6, "sectors": []}}}, {"capital": {"heat": {2016: 3.0}}}),
        ({"sectors": {"vision": {"segments": {"cameras": {"customers": 20}}}}}, {}),
        ({"sectors": {"vision": {"segments": {"cameras": {"adoption_hurdle": 6}}}}}, {}),
        ({"founding": {"certainty_share": 0.1}}, {"founding": {"certainty_share": 0.2}}),
        ({"founding": {"usual_advantage": 0.1}}, {"founding": {"usual_advantage": 0.9}}),
    ],
)
def test_more_to_gain_makes_founders_expect_more(less: dict[str, Any], more: dict[str, Any]) -> None:
    assert asked(world(world=less)) < asked(world(world=more))


def test_rivals_count_once_they_have_a_model_and_crowd_by_the_exponent() -> None:
    for exponent in (0.0, 0.5, 1.0):
        model = world({"crowding_exponent": exponent, "usual_advantage": 1.0})
        before = Prospects(model).sales_usd_year(seen(model))
        released(model.firms["iris"], model)
        for name in ("one", "two"):
            released(found(model, name), model)
        found(model, "without-a-model")
        assert seen(model).rivals == 3
        assert Prospects(model).sales_usd_year(seen(model)) == pytest.approx(before / 4**exponent)


def test_incumbents_that_hold_the_market_deter() -> None:
    model = world()
    before, giant = asked(model), incumbent(model)
    model.market["customers"][giant.sales.slots["cameras"]] = 1500
    model._asked_in = -1
    assert seen(model).hold > 0 and asked(model) < before
    held = asked(model)
    model.settings = model.settings.model_copy(
        update={"founding": model.settings.founding.model_copy(update={"hold_weight": 0.0})}
    )
    assert held < asked(model) < before, "whom it serves is out of reach even so"


def test_a_better_model_on_sale_shows_what_is_possible() -> None:
    model = world({"usual_advantage": 0.2})
    assert seen(model).possible == 0.2
    giant = incumbent(model)
    released(giant, model, accuracy_field=0.99)
    giant.sales.show_offers()
    field = giant.laboratory.advantages()[1]
    assert field > 0.2 and seen(model).possible == pytest.approx(field)


# -- news --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "good"),
    [
        (Round(stage="A", other="fund", amount_usd=5e6), True),
        (Round(stage="seed", other="savers", amount_usd=1e6), None),
        (Listed(amount_usd=1e7, value_usd=1e8, causes=[]), True),
        (Acquired(other="giant", amount_usd=3e6, causes=[]), True),
        (Acquired(other="giant", amount_usd=1e6, causes=[]), False),
        (Bankrupt(causes=[]), False),
        (GaveUp(amount_usd=1e5, causes=[]), False),
        (RaiseRefused(amount_usd=5e6, **REFUSED), False),
        (Founded(amount_usd=1e6, offers={}, services={}), None),
    ],
)
def test_what_is_good_news(event: Any, good: bool | None) -> None:
    assert is_good(event, raised_usd=2e6) is good


def test_news_of_a_sector_fade_and_move_the_chance() -> None:
    model = world({"memory_months": 6.0, "prior_events": 4.0})
    news = Prospects(model)
    assert news.chance("vision") == pytest.approx(0.1)
    for _ in range(3):
        news.news.hear("iris", Round(stage="A", other="fund", amount_usd=5e6))
    news.news.hear("iris", Bankrupt(causes=[]))
    news.news.hear("giant", Bankrupt(causes=[]))  # what happens to incumbents is another story
    assert news.chance("vision") == pytest.approx((0.1 * 4 + 3) / (4 + 3 + 1))
    model.month += 6
    left = pytest.approx(3 / 2.718281828), pytest.approx(1 / 2.718281828)
    assert news.news.of("vision") == left
    model.month += 600
    assert news.chance("vision") == pytest.approx(0.1)


def test_events_of_a_world_are_heard_when_they_happen() -> None:
    model = world()
    news = News(model)
    model.listeners.append(news.hear)
    model.record_event("iris", Bankrupt(causes=[]))
    assert news.of("vision") == (0.0, 1.0)


# -- the outside option ------------------------------------------------------------------------------------------------


def test_the_outside_option_follows_wages_and_is_the_founders_own() -> None:
    model = world({"outside_sigma": 1.0})
    wage = model.talent.wages["research"]
    options = [outside_option_usd(model, f"new-2016-02-{n}", 60) for n in range(1, 400)]
    median = sorted(options)[len(options) // 2]
    assert median == pytest.approx(0.5 * wage * 60, rel=0.15) and max(options) > 5 * median
    assert outside_option_usd(model, "new-2018-01-r-2016-02-1", 60) == options[0], "the same founder, later"
    assert outside_option_usd(model, "new-2018-01-x-2016-02-1", 60) != options[0], "somebody who worked there"
    model.talent.wages["research"] = 2 * wage
    assert outside_option_usd(model, "new-2016-02-1", 60) == pytest.approx(2 * options[0])


# -- a policy moves what is expected and shifts no draw ----------------------------------------------------------------


def test_both_arms_have_the_same_potential_founders() -> None:
    light, heavy = (two_years(founding=HOPEFUL, world={"law": {"compliance_usd_month": usd}}) for usd in (0, 10_000))
    assert counts(light)[0] == counts(heavy)[0] > 80
    assert len(founded(heavy)) < len(founded(light))
    one, other = entrants_of(light), entrants_of(heavy)
    both = one.keys() & other.keys()
    assert len(both) > 5 and all(one[name] == other[name] for name in both)


def test_who_does_not_found_changes_no_path() -> None:
    """With careers that nobody would leave, the world is that without any potential founders."""
    unwilling = two_years(founding={"outside_share": 2.0, "certainty_share": 0.0})
    nobody = two_years(stream={"potential_per_year": 0, "per_year": 0})
    assert counts(unwilling)[0] > 80 and counts(unwilling)[1] == 0
    for table in ("firms", "sectors", "events", "rounds"):
        assert unwilling.recorder.rows[table] == nobody.recorder.rows[table] or repr(
            unwilling.recorder.rows[table]
        ) == repr(nobody.recorder.rows[table])


def test_settings_of_founders_do_nothing_where_there_are_none() -> None:
    plain, other = (
        two_years(founding=rules, stream={"potential_per_year": 0, "per_year": 4})
        for rules in ({}, {"success_prior": 0.9, "patience_months": 6, "outside_sigma": 3.0, "firms_scale": 50})
    )
    assert repr(plain.recorder.rows) == repr(other.recorder.rows) and len(founded(plain)) > 2


def test_one_simulated_startup_stands_for_so_many_real_ones() -> None:
    one, ten = (
        two_years(founding={"firms_scale": scale, "outside_share": 0.0}, stream={"potential_per_year": 240})
        for scale in (2.0, 20.0)
    )
    assert counts(one)[0] == pytest.approx(240, abs=50) and counts(ten)[0] == pytest.approx(24, abs=15)
    assert {name for name in founded(ten)} <= {name for name in founded(one)}


def test_more_venture_money_founds_more_firms_than_it_funds() -> None:
    """Samila & Sorenson 2011 (L10): the sign, over five seeds."""
    more_founded = more_funded = 0
    for seed in range(5):
        few, many = (
            two_years(seed=seed, founding=HOPEFUL, investors={"fund": {"size_usd": usd, "ticket_share": 10e6 / usd}})
            for usd in (2e7, 1e9)
        )
        more_founded += len(founded(many)) - len(founded(few))
        more_funded += funded(many) - funded(few)
    assert more_founded > more_funded > 0


def funded(model: MarketModel) -> int:
    """Drawn startups with a round after their seed."""
    rounds = model.recorder.rows["rounds"]
    return len({row.firm for row in rounds if row.round not in ("seed", "bridge")} & founded(model))  # type: ignore[attr-defined]


def test_the_founding_table_says_what_founders_saw() -> None:
    model = two_years()
    rows: Any = model.recorder.rows["founding"]
    assert len(rows) == 24 and {row.stream for row in rows} == {"new"}
    assert all(0 <= row.founded <= row.potential and row.expected_usd > 0 for row in rows)
    assert counts(model)[1] == len(founded(model)) and {row.rivals for row in rows} > {rows[0].rivals}


def test_a_stream_built_alone_has_beliefs_of_its_own() -> None:
    model = founding_world()
    entry = Entry(model, "other", stream_of_world(model).settings)
    assert entry.prospects is not stream_of_world(model).prospects
