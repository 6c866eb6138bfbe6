"""How a firm gets its next model: choices follow utilities, utilities follow what was measured, plans are real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.firm.orders import Funds
from agents.firm.outlook import Outlook, dependence, strictness, utility
from agents.firm.training_plan import draft_plan
from agents.firm.ways import SCRATCH, Option, kind_of, plan_for, reference_flops, serving_scale_of
from agents.settings import FirmSettings
from simulation.model import MarketModel
from simulation.model_catalogue import ModelCatalogue
from simulation.model_market import ModelMarket, ModelOffer
from simulation.public_figures import Figures
from simulation.settings import LawSettings, SourcingSettings
from simulation.training.foundation.model import encoder_of
from simulation.training.ladder import inference_flops
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import MAX_DOCUMENTS, Recipe, TrainingPlan
from simulation.training.service import TrainingService
from simulation.training.values import USUAL_YEAR
from tests.support.foundation_fakes import TINY
from tests.support.model_offers import SURE, KindService, documents_world, offer, on_offer
from tests.support.service import result_of
from tests.support.world_fakes import fields_of, found, play, world_of

RICH: dict[str, Any] = {"capital_usd": 2e7, "rows": 1e6}
OTHER = replace(TINY, seed=1)


def events_of(model: MarketModel, firm: str, kind: str) -> list[dict[str, Any]]:
    """Fields of a firm's events of one kind, with the other party, in order."""
    rows = model.recorder.rows["events"]
    return [{**fields_of(row), "other": row.other} for row in rows if row.firm == firm and row.kind == kind]


def chosen(world: Mapping[str, Any] | None = None, *offers: ModelOffer, seed: int = 0, **accuracy: float) -> str:
    """The way of the first model of a rich startup where only these offers are there."""
    model = documents_world({"sourcing": SURE, **(world or {})}, KindService(**accuracy), seed, offers)
    found(model, **RICH)
    play(model, 4)
    return str(events_of(model, "iris", "sourcing")[0]["after"])


# -- utilities ---------------------------------------------------------------------------------------------------------

SEEN = Outlook(Option("api", "x:y:api", offer()), 0.3, 0.2, 1.0, 1.0, True)


@pytest.mark.parametrize(
    ("change", "weight"),
    [
        ({"advantage": 0.4}, "quality_weight"),
        ({"cost_share": 0.1}, "cost_weight"),
        ({"data_leaves": 0.0}, "data_weight"),
        ({"dependence": 0.5}, "dependence_weight"),
        ({"is_change": False}, "switching_weight"),
    ],
)
def test_each_thing_that_a_firm_weighs_moves_its_utility_by_its_weight(change: dict[str, Any], weight: str) -> None:
    terms, (name, value) = SourcingSettings(), next(iter(change.items()))
    gain = utility(SEEN._replace(**change), terms, 0.0) - utility(SEEN, terms, 0.0)
    assert gain == pytest.approx(abs(float(value) - float(getattr(SEEN, name))) * getattr(terms, weight)) and gain > 0
    nothing = SourcingSettings(**{weight: 0.0})
    assert utility(SEEN._replace(**change), nothing, 0.0) == utility(SEEN, nothing, 0.0)


def test_interoperability_takes_the_cost_of_leaving_away() -> None:
    terms = SourcingSettings()
    stays = utility(SEEN._replace(is_change=False), terms, 1.0)
    assert utility(SEEN, terms, 1.0) == stays
    assert utility(SEEN, terms, 0.0) < utility(SEEN, terms, 0.5) < stays


@pytest.mark.parametrize("access", ["api", "open", "licence"])
def test_the_way_that_was_measured_best_is_taken(access: str) -> None:
    kinds = {"api": "probe", "open": "finetuned", "licence": "finetuned"}
    assert chosen(None, offer(access=access), **{"cnn": 0.45, kinds[access]: 0.95}) == access
    assert chosen(None, offer(access=access), **{"cnn": 0.95, kinds[access]: 0.45}) == "scratch"


def test_a_price_above_what_customers_pay_is_not_worth_any_quality() -> None:
    dear = offer(usd_per_million_tokens=1e6)
    assert chosen({"sourcing": {**SURE, "cost_weight": 4}}, dear, cnn=0.5, probe=0.99) == "scratch"
    assert chosen({"sourcing": {**SURE, "cost_weight": 4}}, offer(), cnn=0.5, probe=0.99) == "api"


def test_strict_privacy_law_and_critical_segments_keep_data_in_the_house() -> None:
    lax, strict = {"data_weight": 4}, {"law": {"consent_share": 0.1}}
    ways = {"cnn": 0.7, "probe": 0.8}
    assert chosen({"sourcing": {**SURE, **lax}}, offer(), **ways) == "api"
    assert chosen({"sourcing": {**SURE, **lax}, **strict}, offer(), **ways) == "scratch"
    critical = {"sectors": {"vision": {"segments": {"cameras": {"accidents_year": 0.01}}}}}
    assert chosen({"sourcing": {**SURE, **lax}, **critical}, offer(), **ways) == "scratch"
    assert chosen({"sourcing": {**SURE, "data_weight": 0}, **strict, **critical}, offer(), **ways) == "api"


def test_strictness_of_privacy_law() -> None:
    assert strictness(LawSettings()) == 0
    assert strictness(LawSettings(consent_share=0.4)) == pytest.approx(0.6)
    assert strictness(LawSettings(consent_share=0.4, minimisation_share=0.5)) == pytest.approx(0.8)


def test_dependence_is_the_share_of_the_product_that_rests_on_the_supplier() -> None:
    model = documents_world()
    firm = on_offer(model, offer("labco"))
    lab = firm.laboratory
    assert dependence(Option("api", "a", offer("labco")), lab, firm.laboratories) == 1.0
    assert dependence(Option("open", "b", offer("opens", "open")), lab, firm.laboratories) == 0.0
    assert dependence(SCRATCH, lab, firm.laboratories) == 0.0


def test_choices_are_drawn_and_not_only_the_best_is_taken() -> None:
    """Both ways have the same utility: over seeds, each is taken about as often."""
    quality = result_of(TrainingPlan("security-reports", "linear", 0, 64))
    same = 1 - (1 - quality.accuracy_field) * 0.8
    taken = [chosen(None, offer(), seed=seed, cnn=same, probe=same) for seed in range(40)]
    assert 10 <= taken.count("api") <= 30, "40 draws of one half: standard deviation 3.2"


# -- what a firm knows -------------------------------------------------------------------------------------------------


def test_a_generation_begins_with_trials_that_are_real_runs_on_the_firms_own_rows() -> None:
    service = KindService(cnn=0.8, probe=0.5, finetuned=0.5)
    model = documents_world({"sourcing": SURE}, service, offers=(offer(), offer("opens", "open", OTHER)))
    firm = found(model, **RICH)
    before = firm.books.cash_usd
    firm.plan()
    firm.acquire()
    assert firm.laboratory.job is None and firm.laboratory.sourcing.trials.pending
    ordered = {one.plan.kind: one.plan for one in model.ordered.values() if one.plan.seed == firm.laboratory.seed}
    assert set(ordered) == {"cnn", "probe", "finetuned"}
    assert ordered["probe"].foundation == TINY and ordered["finetuned"].foundation == OTHER
    assert ordered["finetuned"].rung == 0 and firm.books.cash_usd < before
    assert all(key not in service.results for key in model.ordered if model.ordered[key].plan in ordered.values())
    play(model, 2)
    job = firm.laboratory.job
    assert job is not None and job.plan.kind == "cnn" and job.plan.rung == ordered["cnn"].rung + 1
    told = events_of(model, "iris", "sourcing")[0]["expected"]
    old = model.traditional["vision"]
    probe = 1 - (1 - 0.5) / (1 - old.accuracy_field), 1 - (1 - 0.5) / (1 - old.accuracy_lab)
    assert min(probe) - 1e-4 <= told[offer().name] <= max(probe) + 1e-4


def test_who_tries_nothing_goes_by_others_figures_and_else_by_the_prior() -> None:
    def expected(*figures: Figures, **prior: float) -> float:
        terms = {**SURE, "trial_chance": 0, "prior": prior}
        model = documents_world({"sourcing": terms}, offers=(offer(),))
        for one in figures:
            model.public_figures.publish("vision", f"probe:{TINY.key()}", one)
        found(model, **RICH)
        play(model, 2)
        return float(events_of(model, "iris", "sourcing")[0]["expected"][offer().name])

    assert expected(api=0.33) == 0.33
    traditional = documents_world().traditional["vision"]
    half = 1 - (1 - traditional.accuracy_field) / 2, 1 - (1 - traditional.accuracy_lab) / 2
    assert expected(Figures("rival", half[1], half[0]), api=0.33) == pytest.approx(0.5, abs=1e-3)
    assert expected(Figures("iris", half[1], half[0]), api=0.33) == 0.33, "its own figures are no news"


def test_a_trial_that_costs_too_much_is_not_made() -> None:
    model = documents_world({"sourcing": {**SURE, "trial_cost_share": 0}}, offers=(offer(),))
    firm = found(model, **RICH)
    firm.acquire()
    assert offer().name not in firm.laboratory.sourcing.trials.pending


def test_the_way_in_use_is_known_by_its_measured_model() -> None:
    model = documents_world({"sourcing": SURE}, KindService(cnn=0.8, probe=0.3), offers=(offer(),))
    found(model, **RICH)
    play(model, 16)
    later = model.firms["iris"].laboratory
    assert later.released is not None and later.sourcing.way == "scratch" and later.n_jobs >= 2
    assert "scratch" not in later.sourcing.trials.knowledge.trials or later.released.accuracy_field == 0.8


# -- plans -------------------------------------------------------------------------------------------------------------

BASE = TrainingPlan("security-reports", "cnn", 3, 1024, minimisation=0.2, compression="int8")
FIRM = FirmSettings(sector="vision")


def made(way: Any, kind: str, base: TrainingPlan = BASE) -> TrainingPlan:
    one = offer(access=way) if way in ("api", "open", "licence") else None
    option = Option(way, "x", one, TINY if way == "own" else None)
    return plan_for(option, kind, base, 2, 2023)


def test_plans_are_of_the_kind_of_their_way_in_the_language_of_the_year() -> None:
    probe, tuned, scratch = made("api", "probe"), made("open", "finetuned"), made("scratch", "cnn")
    assert (probe.kind, probe.foundation, probe.rung, probe.year) == ("probe", TINY, 0, 2023)
    assert (tuned.kind, tuned.foundation, tuned.rung, tuned.compression) == ("finetuned", TINY, 2, "int8")
    assert (scratch.kind, scratch.foundation, scratch.rung, scratch.minimisation) == ("cnn", None, 2, 0.2)
    assert probe.compression == "none" and probe.minimisation == tuned.minimisation == 0
    assert made("own", "finetuned").foundation == TINY


def test_a_closed_form_has_no_recipe_and_tuning_takes_smaller_steps() -> None:
    novice = replace(BASE, recipe=Recipe("sgd", "sigmoid", 1.0, "constant"))
    assert made("api", "probe", novice) == made("api", "probe"), "equal plans of two teams are one run"
    assert made("open", "finetuned", novice).recipe.learning_rate == 0.1
    assert made("open", "adapter", novice).recipe.learning_rate == 0.3


@pytest.mark.parametrize(
    ("compression", "kind"),
    [("none", "adapter"), ("int8", "finetuned"), ("pruned", "finetuned"), ("distilled", "distilled")],
)
def test_what_must_run_on_a_device_is_a_model_of_ones_own(compression: Any, kind: str) -> None:
    firm = FIRM.model_copy(update={"compression": compression})
    assert kind_of(Option("open", "x", offer(access="open")), firm, "adapter") == kind
    assert chosen_kinds(compression) == ({"scratch", "open"} if compression != "none" else {"scratch", "open", "api"})


def chosen_kinds(compression: str) -> set[str]:
    model = documents_world(offers=(offer(), offer("opens", "open")))
    firm = found(model, compression=compression)
    return {one.way for one in firm.laboratory.sourcing.options(firm.settings)}


def test_private_training_needs_a_network_of_ones_own() -> None:
    model = documents_world(offers=(offer(), offer("opens", "open")))
    firm = found(model, dp_noise=1.0)
    assert firm.laboratory.sourcing.options(firm.settings) == [SCRATCH]
    other = found(model, "other")
    other.laboratory.leak_remedy.order("minimise")
    assert other.laboratory.sourcing.options(other.settings) == [SCRATCH]


def test_documents_take_as_many_rows_as_there_are() -> None:
    many = {"capital_usd": 2e7, "rows": 1e11}
    model = documents_world({"sourcing": SURE}, offers=(offer(),))
    assert found(model, **many).laboratory.means(1.0).most_rows == MAX_DOCUMENTS
    play(model, 3)
    assert model.firms["iris"].laboratory.job.plan.rows > 8192  # type: ignore[union-attr]


def test_serving_costs_what_the_foundations_encoder_computes() -> None:
    encoder = inference_flops(encoder_of(TINY.width, 8))
    scale = encoder / reference_flops("security-reports")
    assert serving_scale_of("finetuned", "security-reports", 3, TINY.width) == pytest.approx(scale)
    assert serving_scale_of("probe", "security-reports", 3, TINY.width) == 0, "whose encoder it is runs it"
    model = documents_world()
    firm = on_offer(model, offer())
    assert firm.laboratory.serving_scale() == 0.02
    lab = firm.laboratory
    assert lab.released_plan is not None and lab.released is not None
    lab.released_plan = replace(lab.released_plan, kind="finetuned")
    lab.sourcing.option = Option("open", "x", offer(access="open"))
    lab.released = replace(lab.released, inference_flops=encoder)
    assert lab.serving_scale() == pytest.approx(max(scale, 0.02))


# -- offers ------------------------------------------------------------------------------------------------------------


def test_a_supplier_surpasses_its_own_offers_only() -> None:
    def considered(*offers: ModelOffer) -> list[ModelOffer]:
        market = ModelMarket()
        for one in offers:
            market.release(one)
        catalogue = ModelCatalogue(market)
        assert list(catalogue.current().values()) == list(catalogue.current().values())
        return list(catalogue.current().values())

    old, new = offer(), replace(offer(plan=OTHER), rung=1.0)
    rival = replace(offer("rival", plan=OTHER), rung=1.0)
    assert considered(old, new) == [new]
    assert considered(old, rival) == [old, rival]
    dearer = replace(new, usd_per_million_tokens=20.0)
    assert considered(old, dearer) == [old, dearer]


def test_the_catalogue_follows_the_market() -> None:
    market = ModelMarket()
    catalogue = ModelCatalogue(market)
    assert not catalogue.current()
    market.release(offer())
    market.release(replace(offer(plan=OTHER), rung=1.0, usd_per_million_tokens=20.0))
    assert len(catalogue.current()) == 2
    market.reprice(offer(plan=OTHER).name, 5.0)
    assert [one.plan for one in catalogue.current().values()] == [OTHER]
    market.withdraw(offer(plan=OTHER).name)
    assert [one.plan for one in catalogue.current().values()] == [TINY]


@given(seed=st.integers(0, 2**40), price=st.floats(1e7, 1e9), first=st.booleans())
@settings(max_examples=6, deadline=None)
def test_an_offer_that_nobody_wants_changes_nothing(seed: int, price: float, first: bool) -> None:
    def path(*offers: ModelOffer) -> str:
        model = documents_world({"sourcing": {"trial_chance": 0.7}}, seed=seed, offers=offers)
        found(model, **RICH)
        play(model, 14)
        tables = model.tables()
        told = tables["events"][tables["events"]["kind"] != "sourcing"]
        return str(tables["firms"].to_csv() + told.to_csv())

    wanted, inert = (offer(), offer("opens", "open", OTHER)), offer("dear", usd_per_million_tokens=price)
    with_it = (inert, *wanted) if first else (*wanted, inert)
    assert path(*wanted) == path(*with_it)


def test_a_world_of_documents_without_offers_is_as_before() -> None:
    """Choices need offers: without them the same plans are made, in the usual year, and nothing is drawn or paid."""
    model = documents_world()
    firm = found(model, **RICH)
    play(model, 30)
    plans = [one.plan for one in model.ordered.values()]
    assert {plan.kind for plan in plans} == {"linear", "cnn"} and {plan.year for plan in plans} == {USUAL_YEAR}
    assert max(plan.rows for plan in plans) <= 8192
    assert events_of(model, "iris", "sourcing") == [] and firm.laboratory.sourcing.supply is None
    assert firm.model_access_usd == 0 and firm.laboratory.sourcing.way == "scratch"


def test_weights_of_the_choice_do_nothing_where_there_is_nothing_to_choose() -> None:
    def path(**sourcing: Any) -> str:
        model = play(world_of({"world": {"sourcing": sourcing}, "years": 2}))
        return "".join(table.to_csv() for table in model.tables().values())

    assert path() == path(quality_weight=100, trial_chance=1, tokens_per_usd=1e6, switching_staff_months=50)


# -- the choice is carried out -----------------------------------------------------------------------------------------


def test_a_move_costs_engineers_work_and_interoperability_lowers_it() -> None:
    def cost(interoperability: float) -> float:
        model = documents_world({"law": {"interoperability": interoperability}})
        firm = on_offer(model, offer(), **RICH)
        lab = firm.laboratory
        before = firm.books.cash_usd
        seen = {"scratch": Outlook(SCRATCH, 0.5, 0.1, 0.0, 0.0, True)}
        lab.sourcing.change_to(SCRATCH, seen)
        told = next(row for row in model.recorder.rows["events"] if row.kind == "sourcing" and row.firm == "iris")
        assert told.amount_usd == pytest.approx(before - firm.books.cash_usd)
        return before - firm.books.cash_usd

    wage = documents_world().talent.wages["research"]
    assert cost(0.0) == pytest.approx(3 * wage, abs=0.01)
    assert cost(0.5) == pytest.approx(1.5 * wage, abs=0.01) and cost(1.0) == 0


def test_the_released_model_is_the_one_that_was_trained_and_the_tables_say_how_it_was_got() -> None:
    model = documents_world({"sourcing": SURE}, KindService(cnn=0.5, probe=0.9), offers=(offer(),))
    firm = found(model, **RICH)
    play(model, 8)
    lab = firm.laboratory
    assert lab.released_plan is not None and lab.released is not None
    assert lab.released_plan.kind == "probe" and lab.released.accuracy_field == 0.9
    assert lab.released.key == lab.released_plan.key()
    rows = model.tables()["firms"]
    last = rows[rows["firm"] == "iris"].iloc[-1]
    assert (last["sourcing"], last["supplier"], last["quality_field"]) == ("api", "labco", 0.9)
    assert "iris" in model.model_market.users[offer().name]
    assert rows[(rows["firm"] == "iris")].iloc[0]["sourcing"] == ""


def test_a_firm_that_ends_leaves_its_supplier() -> None:
    model = documents_world()
    firm = on_offer(model, offer())
    assert "iris" in model.model_market.users[offer().name]
    firm.end("bankrupt")
    assert "iris" not in model.model_market.users[offer().name]


def test_nothing_new_asks_for_no_new_choice() -> None:
    model = documents_world({"sourcing": SURE}, KindService(cnn=0.9, probe=0.2), offers=(offer(),))
    firm = found(model, **RICH)
    play(model, 6)
    lab = firm.laboratory
    team, funds = lab.team(), Funds(1e4, 1.0, 0.0, 1.0)
    draft = draft_plan(team, "security-reports", model.settings.compute, lab.means(funds.hours))
    draft = draft._replace(rung=lab.released_plan.rung, rows=64)  # type: ignore[union-attr]
    while lab.sourcing.trials.pending:
        play(model, 1)
    assert lab.sourcing.order(draft, team, lab.means(1.0), funds) is None
    state = (draft, team, lab.sourcing.year())
    assert lab.sourcing.is_settled(state)
    model.model_market.release(offer("newcomer"))
    assert not lab.sourcing.is_settled(state), "somebody offers something new"


def test_with_a_real_foundation_a_firm_gets_a_really_trained_probe(tmp_path: Any) -> None:
    """Everything as it is: the foundation is pretrained, the trial and the product are trained, by the real service."""
    service = TrainingService(Ledger(str(tmp_path / "ledger.sqlite")), device="cpu")
    data = {"sourcing": {**SURE, "quality_weight": 100}, "compute": {"rung_gpu_hours": 1e6}}
    model = documents_world(data, service, offers=(offer(),))
    firm = found(model, rows=3e4, capital_usd=1e6)
    play(model, 5)
    trial = firm.laboratory.sourcing.trials.knowledge.trials[offer().name].result
    assert 0 < trial.accuracy_field < 1 and trial.key in service.used_keys
    assert service.n_runs == len({*service.used_keys})
    lab = firm.laboratory
    assert lab.released is not None and lab.released.key in service.used_keys
