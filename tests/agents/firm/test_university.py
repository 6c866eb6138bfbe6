"""Links between startups and universities: people, rows and know-how, for staff time and public money."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from agents import treasury
from agents.startup.startup import Startup
from agents.state.programmes import Commons
from simulation.model import MarketModel
from simulation.settings.universities import UniversitySettings
from tests.support.world_fakes import bound, found, kinds_of_events, lone_world, merged, play, released, world_of

LINKS: dict[str, Any] = {"participation_share": 1.0, "project_usd_year": 90_000, "state_share": 2 / 3}


def linked(support: dict[str, Any] | None = None, **rules: Any) -> MarketModel:
    """A world with one silent incumbent and such links."""
    return lone_world(law={"university": {**LINKS, **rules}, "support": support or {}})


def working(firm: Startup) -> Startup:
    """The firm after a month of its joint project."""
    Commons(firm.model).work_together()
    return firm


# -- cost --------------------------------------------------------------------------------------------------------------


def test_state_and_firm_share_the_cost_of_the_project() -> None:
    model = linked()
    firm = found(model)
    state, cash = model.bank.books["government"].cash_usd, firm.books.cash_usd
    working(firm)
    assert state - model.bank.books["government"].cash_usd == pytest.approx(5_000, abs=0.01)
    assert cash - firm.books.cash_usd == pytest.approx(2_500, abs=0.01)
    assert treasury.spent_usd(model, "universities", 2016) == pytest.approx(5_000, abs=0.01)
    assert kinds_of_events(model, "iris")[-1] == "university link" and model.bank.total_cash_usd() == 0


def test_who_cannot_pay_a_year_of_its_share_takes_no_part() -> None:
    model = linked(project_usd_year=4e6)
    firm = working(found(model))
    assert not firm.university.joined and firm.university.know_how == 0


def test_the_project_takes_time_of_researchers_and_brings_associates() -> None:
    firm = found(linked(staff_time_share=0.25, associates=1.5), staff={"research": 4})
    assert firm.university.researchers() == 4
    working(firm)
    assert firm.university.researchers() == pytest.approx(3 + 1.5)
    firm.model.month += 2
    assert firm.university.researchers() == 4  # the project was not paid any more


def test_more_hands_release_sooner_and_lost_time_later() -> None:
    def releases(**rules: Any) -> int:
        iris = {"capital_usd": 1e7, "compute_share": 0.4, "data_share": 0.2}
        changes = {"years": 5, "world": {"law": {"university": {**LINKS, **rules}}}, "firms": {"iris": iris}}
        return play(world_of(changes)).firms["iris"].laboratory.n_jobs

    quiet = {"skill_speed_year": 0, "graduates_year": 0}
    assert releases(staff_time_share=0.9, associates=0, **quiet) < releases(staff_time_share=0, associates=20, **quiet)


# -- people, rows, know-how --------------------------------------------------------------------------------------------


def test_graduates_join_faster_as_far_as_they_are_wanted_and_the_state_trains_them() -> None:
    model = linked(graduates_year=6, graduate_usd=10_000)
    firm = working(found(model))
    before = treasury.spent_usd(model, "universities", 2016)
    staff = {**firm.staff, "research": 2.0}
    assert firm.university.with_graduates(staff, {"research": 5.0})["research"] == pytest.approx(2.5)
    assert treasury.spent_usd(model, "universities", 2016) - before == pytest.approx(5_000)
    assert firm.university.with_graduates(staff, {"research": 2.1})["research"] == pytest.approx(2.1)
    assert firm.university.with_graduates(staff, {"research": 1.0})["research"] == 2.0
    firm.model.month += 2
    assert firm.university.with_graduates(staff, {"research": 5.0}) is staff


def test_a_shared_data_set_arrives_once_and_the_state_pays_its_rows() -> None:
    model = linked(shared_rows=10_000, shared_field_share=0.2)
    firm = found(model)
    lab = firm.laboratory
    clean, field = lab.rows_lab, lab.rows_field
    working(firm)
    assert (lab.rows_lab - clean, lab.rows_field - field) == pytest.approx((8_000, 2_000))
    spent = 10_000 * model.settings.labour.label_cost_usd + 5_000
    assert treasury.spent_usd(model, "universities", 2016) == pytest.approx(spent, abs=0.02)
    working(firm)
    assert lab.rows_lab - clean == pytest.approx(8_000)


def test_know_how_rises_toward_the_bound_and_stays() -> None:
    model = linked(skill_bound=0.6, skill_speed_year=1.2)
    weak, strong = found(model, skill=0.2), found(model, "lynx", skill=0.7)
    gaps = []
    for _ in range(60):
        Commons(model).work_together()
        gaps.append(0.6 - 0.2 - weak.university.know_how)
    assert gaps[:2] == pytest.approx([0.9 * 0.4, 0.81 * 0.4]) and 0 < gaps[-1] < 0.01
    assert strong.university.know_how == 0
    assert strong.university.taught(strong.settings) is strong.settings
    assert weak.university.taught(weak.settings).skill == pytest.approx(0.6, abs=0.011)
    assert weak.settings.skill == 0.2


def test_know_how_really_changes_the_recipe_that_is_trained() -> None:
    model = linked(skill_bound=0.7, skill_speed_year=6)
    firm = found(model, skill=0.2, capital_usd=1e8)
    novice, _ = firm.laboratory.draw_plan(1e4)
    for _ in range(24):
        working(firm)
    expert, _ = firm.laboratory.draw_plan(1e4)
    assert (novice.recipe.optimizer, expert.recipe.optimizer) == ("sgd", "adam")
    released(firm, model)
    firm.laboratory.released_plan = novice
    assert firm.laboratory.worth_training(expert)  # the better recipe alone is worth a run


def test_weak_teams_get_better_models_and_the_recipe_stands_in_the_plan() -> None:
    def final(share: float) -> Any:
        iris = {"skill": 0.2, "capital_usd": 1e7}
        rules = {**LINKS, "participation_share": share, "skill_speed_year": 1.0}
        model = play(world_of({"world": {"law": {"university": rules}}, "firms": {"iris": iris}}))
        return model.firms["iris"].laboratory

    alone, helped = final(0.0), final(1.0)
    assert alone.released_plan.recipe.optimizer == "sgd" and helped.released_plan.recipe.optimizer != "sgd"
    assert helped.quality_field > alone.quality_field


# -- who takes part ----------------------------------------------------------------------------------------------------


def test_a_share_of_startups_takes_part_and_a_larger_share_adds_to_it() -> None:
    def partners(share: float) -> set[str]:
        model = linked(participation_share=share)
        firms = [found(model, f"firm-{i}") for i in range(60)]
        Commons(model).work_together()
        return {firm.name for firm in firms if firm.university.joined}

    some, more = partners(0.3), partners(0.6)
    assert some < more and 8 <= len(some) <= 29 and partners(0.0) == set()


def test_sectors_that_are_not_covered_have_no_links() -> None:
    model = linked()
    support = model.settings.law.support.model_copy(update={"sectors": ("health",)})
    law = model.settings.law.model_copy(update={"support": support})
    firm = found(model)
    model.settings = model.settings.model_copy(update={"law": law})
    assert not working(firm).university.joined


def test_the_budget_ends_the_projects_of_the_year() -> None:
    model = linked(support={"budget_usd_year": {"universities": 12_000}})
    firms = [found(model, name) for name in ("iris", "lynx")]
    active = []
    for _ in range(3):
        Commons(model).work_together()
        active.append([firm.university.last_month == model.month for firm in firms])
        model.month += 1
    assert active == [[True, True], [True, False], [False, False]]
    assert treasury.spent_usd(model, "universities", 2016) == 12_000
    assert "budget used up" in {row[1] for row in model.recorder.rows["events"]}


def test_off_by_default_and_the_same_by_seed() -> None:
    plain, off = play(world_of()), play(world_of({"world": {"law": {"university": {"skill_bound": 0.9}}}}))
    rules = {"world": {"law": {"university": LINKS}}, "firms": {"iris": {"skill": 0.2}}}
    on, again = play(world_of(rules)), play(world_of(rules))
    pd.testing.assert_frame_equal(plain.tables()["firms"], off.tables()["firms"])
    pd.testing.assert_frame_equal(on.tables()["firms"], again.tables()["firms"])
    assert "university link" in kinds_of_events(on, "iris")
    assert "university link" not in kinds_of_events(plain, "iris")


@pytest.mark.parametrize("end", ["low", "high"])
def test_rules_at_both_ends_keep_the_money(end: str) -> None:
    names = UniversitySettings.model_fields
    rules = {name: bound(UniversitySettings, name, end) for name in names}
    model = play(world_of(merged({"world": {"law": {"university": {**rules, "participation_share": 1.0}}}}, {})))
    assert model.bank.total_cash_usd() == 0
    assert all(books.may_owe or books.cash_usd >= 0 for books in model.bank.books.values())
