"""Incumbents that misjudge their rivals: late answers, needless ones, acquisitions that cost too much."""

from __future__ import annotations

import json
from math import exp
from statistics import fmean
from typing import Any

import pandas as pd
import pytest

from agents.incumbent.acquisition import approach, asked_usd, true_worth_usd, worth_usd
from agents.incumbent.incumbent import Incumbent
from agents.incumbent.perception import View, answered, believed_quality, believed_share, truth, view_of
from agents.settings import FirmSettings
from agents.startup.startup import Startup
from simulation.records.reasons import Reason
from tests.support.startups import threatened
from tests.support.world_fakes import (
    bound,
    fields_of,
    found,
    incumbent,
    kinds_of_events,
    lone_world,
    merged,
    play,
    released,
    world_of,
)

SEEDS = range(40)


def pair(seed: int = 0, quality: float = 0.6, own: float = 0.5, **judgement: float) -> tuple[Incumbent, Startup]:
    """An incumbent with such a judgement, and a rival of this quality."""
    model = lone_world()
    model.streams = type(model.streams)(seed)
    giant, rival = incumbent(model), found(model)
    giant.settings = giant.settings.model_copy(update=judgement)
    released(giant, model, accuracy_field=own)
    released(rival, model, accuracy_field=quality)
    giant.last_answer_month = -100
    return giant, rival


def events_of(giant: Incumbent) -> list[tuple[Any, ...]]:
    """Its answers and oversights so far."""
    kinds = ("price cut", "imitation", "threat overlooked")
    return [row for row in giant.model.recorder.rows["events"] if row[2] == giant.name and row[1] in kinds]


# -- beliefs -----------------------------------------------------------------------------------------------------------


def test_errors_are_multiples_of_share_and_of_the_error_rate_within_their_ranges() -> None:
    assert believed_share(0.2, 0.0) == 0.2 and believed_share(0.2, 0.5) == pytest.approx(0.2 * exp(0.5))
    assert believed_share(0.9, 3.0) == 1.0
    assert believed_quality(0.8, 0.5) == pytest.approx(1 - 0.2 * exp(-0.5))
    assert believed_quality(0.2, -3.0) == 0.0 and believed_quality(0.2, 30.0) <= 1.0


def test_without_noise_rivals_are_seen_as_they_are() -> None:
    giant, rival = pair()
    assert view_of(giant, rival, 0.3) == truth(rival, 0.3) == View(0.6, 0.3)
    known = answered(truth(rival, 0.3), truth(rival, 0.3))
    assert (known["quality_seen"], known["share_seen"]) == (known["quality"], known["share"]) == (0.6, 0.3)


def test_a_belief_lasts_a_year_and_differs_by_rival_and_incumbent() -> None:
    giant, rival = pair(judgement_noise=0.5)
    first = view_of(giant, rival, 0.3)
    giant.model.env.run(until=giant.model.env.now + 9)  # October of the same year
    assert view_of(giant, rival, 0.3) == first != truth(rival, 0.3)
    other = found(giant.model, "lynx")
    released(other, giant.model, accuracy_field=0.6)
    assert view_of(giant, other, 0.3).share != first.share
    giant.model.env.run(until=14)
    assert view_of(giant, rival, 0.3).share != first.share


def test_beliefs_spread_by_the_noise_around_the_truth() -> None:
    errors = []
    giant, rival = pair(judgement_noise=0.5)
    for seed in range(400):
        giant.model.streams = type(giant.model.streams)(seed)
        errors.append(view_of(giant, rival, 0.01).share / 0.01)
    errors.sort()
    # Standard error of a median of logarithms: 1.25 · 0.5 / 20 = 0.03.
    assert errors[200] == pytest.approx(1.0, abs=0.13)
    assert errors[336] == pytest.approx(exp(0.5), rel=0.25)  # 84th percentile: one standard deviation


# -- answers -----------------------------------------------------------------------------------------------------------


def test_who_sees_clearly_imitates_a_better_rival_and_only_that() -> None:
    giant, _ = pair(quality=0.6)
    giant.respond_to_market()
    assert [row[1] for row in events_of(giant)] == ["imitation"] and giant.laboratory.hurried
    calm, _ = pair(quality=0.4)
    calm.respond_to_market()
    assert events_of(calm) == [] and not calm.laboratory.hurried


def test_some_misjudge_a_better_rival_and_some_imitate_a_worse_one() -> None:
    late, needless = [], []
    for seed in SEEDS:
        giant, _ = pair(seed, quality=0.6, judgement_noise=0.5)
        giant.respond_to_market()
        late += [row for row in events_of(giant) if row[1] == "threat overlooked"]
        calm, _ = pair(seed, quality=0.45, judgement_noise=0.5)
        calm.respond_to_market()
        needless += [row for row in events_of(calm) if row[1] == "imitation"]
    assert 3 <= len(late) <= 20 and 3 <= len(needless) <= 30
    assert all(fields_of(row)["quality_seen"] < 0.6 == fields_of(row)["quality"] for row in late)
    assert all(fields_of(row)["quality_seen"] > 0.45 == fields_of(row)["quality"] for row in needless)


def test_who_underestimates_waits_for_the_next_look() -> None:
    for seed in SEEDS:
        giant, _ = pair(seed, quality=0.6, judgement_noise=0.5)
        giant.respond_to_market()
        if events_of(giant)[-1][1] == "threat overlooked":
            break
    assert giant.last_answer_month == giant.model.month and not giant.laboratory.hurried
    giant.settings = giant.settings.model_copy(update={"judgement_noise": 0.0})
    giant.respond_to_market()
    assert not giant.laboratory.hurried  # `follow_months` have not passed


def test_a_small_rival_is_not_noticed_until_it_has_a_share() -> None:
    giant, rival = pair(quality=0.9, attention_share=0.05)
    for _ in range(2):
        giant.respond_to_market()
    (event,) = events_of(giant)  # once a year
    assert event[1] == "threat overlooked" and event[3] == "iris"
    assert fields_of(event)["quality_seen"] is None and fields_of(event)["quality"] == 0.9
    market, slot = giant.model.market, rival.sales.slots["cameras"]
    market["customers"][slot] = 500
    giant.respond_to_market()
    assert events_of(giant)[-1][1] == "imitation" and giant.laboratory.hurried


def test_a_needless_price_cut_says_what_was_believed() -> None:
    cuts = []
    for seed in SEEDS:
        giant, rival = pair(seed, quality=0.1, judgement_noise=0.8)
        market, served = giant.model.market, giant.sales.slots["cameras"]
        market["customers"][served], market["customers"][rival.sales.slots["cameras"]] = 900, 100
        giant.respond_to_market()
        cuts += [row for row in events_of(giant) if row[1] == "price cut"]
    assert 1 <= len(cuts) < len(SEEDS)  # a tenth of the sector is no threat: half again as much must be believed
    for row in cuts:
        known = fields_of(row)
        assert known["share_seen"] > 0.15 > known["share"] and known["quality"] == pytest.approx(0.1)


# -- acquisitions ------------------------------------------------------------------------------------------------------


def noisy(noise: float, seed: int, premium: float = 0.3) -> tuple[Startup, Incumbent]:
    """The threatened incumbent of the acquisition tests, with such a judgement."""
    firm, giant = threatened(acquisition_premium=premium)
    giant.settings = giant.settings.model_copy(update={"judgement_noise": noise, "core_income_usd_month": 1e7})
    firm.model.streams = type(firm.model.streams)(seed)
    firm.revenues = firm.costs = firm.recurring = [5e5] * 3
    return firm, giant


def test_buyers_pay_for_what_they_believe_and_those_who_win_pay_too_much() -> None:
    """Holders ask a little more than the firm is worth to a buyer that sees it as it is."""
    firm, giant = noisy(0.0, 0)
    worth = true_worth_usd(giant, firm, 0.0)
    premium = 1.3 * 1.05 * worth / asked_usd(firm) - 1
    firm, giant = noisy(0.0, 0, premium)
    approach(giant)
    assert firm.alive
    prices = []
    for seed in SEEDS:
        firm, giant = noisy(0.5, seed, premium)
        asked, seen = asked_usd(firm), worth_usd(giant, firm, 0.0)
        approach(giant)
        if firm.ending == "acquired":
            prices.append(firm.exit_value_usd)
            assert prices[-1] == pytest.approx((asked * seen) ** 0.5) and prices[-1] > worth  # the winner's curse
            assert firm.reasons[-1] == Reason("misjudged", {"seen_usd": seen, "true_usd": worth})
        assert firm.model.bank.total_cash_usd() == 0
    assert 5 <= len(prices) <= 30 and fmean(prices) > 1.15 * worth


def test_a_clear_eyed_buyer_says_nothing_of_beliefs() -> None:
    firm, giant = noisy(0.0, 0)
    approach(giant)
    assert firm.ending == "acquired" and len(firm.reasons) == 1


def test_what_is_not_noticed_is_not_bought() -> None:
    firm, giant = noisy(0.0, 0)
    giant.settings = giant.settings.model_copy(update={"attention_share": 0.05})
    approach(giant)
    assert firm.alive


def test_a_failing_startup_is_worth_what_the_buyer_believes() -> None:
    firm, giant = noisy(0.0, 0)
    clear = giant.value_of(firm)
    giant.settings = giant.settings.model_copy(update={"judgement_noise": 0.8})
    values = set()
    for seed in SEEDS:
        firm.model.streams = type(firm.model.streams)(seed)
        values.add(giant.value_of(firm))
    assert len(values) > 20 and min(values) < clear < max(values)


# -- whole worlds ------------------------------------------------------------------------------------------------------


def misjudging_world(noise: float, seed: int = 0) -> Any:
    """A played world whose incumbent misjudges and buys."""
    changes = {
        "years": 5,
        "world": {"capital": {"acquisition_rate_year": 6, "option_usd": 1e5}},
        "firms": {"giant": {"judgement_noise": noise, "core_income_usd_month": 5e6, "label_noise": 0.4}},
        "entrants": {"new": {"sector": "vision", "per_year": 6, "offers": [{"cameras": "licence"}]}},
    }  # fmt: skip
    return play(world_of(changes, seed))


def test_misjudgement_changes_what_happens_and_repeats_by_seed() -> None:
    tables = [misjudging_world(noise, seed=2).tables()["events"] for noise in (0.6, 0.6, 0.0)]
    assert tables[0].equals(tables[1]) and not tables[0].equals(tables[2])
    assert misjudged(tables[0]) and not misjudged(tables[2])


def misjudged(events: pd.DataFrame) -> list[dict[str, Any]]:
    """Answers to rivals that the incumbent takes for something else than they are."""
    known = [json.loads(one or "{}") for one in events["fields"]]
    return [one for one in known if "quality_seen" in one and one["quality_seen"] not in (None, one["quality"])]


def test_both_ends_of_judgement_keep_the_money() -> None:
    for name in ("judgement_noise", "attention_share"):
        for end in ("low", "high"):
            data = merged({"years": 4}, {"firms": {"giant": {name: bound(FirmSettings, name, end)}}})
            model = play(world_of(data))
            assert model.bank.total_cash_usd() == 0 and "release" in kinds_of_events(model, "giant")
