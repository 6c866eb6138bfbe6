"""What is publicly known of others' products; duties of interoperability; licences of rows."""

from __future__ import annotations

import numpy as np
import pytest

from simulation.public_figures import KEPT, Figures, PublicFigures
from tests.support.model_offers import documents_world
from tests.support.world_fakes import found, lone_world, play, world_of


def test_the_last_products_of_others_are_known_by_sector_and_way() -> None:
    known = PublicFigures()
    for number in range(KEPT + 3):
        known.publish("vision", "scratch", Figures(f"firm-{number}", number / 100, 0.5))
    assert [one.firm for one in known.of_others("vision", "scratch", "firm-5")] == [
        f"firm-{number}" for number in range(3, KEPT + 3) if number != 5
    ]
    assert known.of_others("vision", "api", "firm-5") == known.of_others("speech", "scratch", "firm-5") == []


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_interoperability_lowers_what_it_costs_customers_to_change(share: float) -> None:
    model = lone_world({"interoperability": share})
    usual = [s.switching_cost for s in model.settings.sectors["vision"].segments.values()]
    assert model.market.s["switching_cost"] == pytest.approx(np.array(usual) * (1 - share))


def test_a_dated_duty_acts_from_its_date_on_and_customers_change_more_often() -> None:
    def left(share: float) -> float:
        said = {"at": "2017-01", "says": "Interoperability", "set": {"world.law.interoperability": share}}
        rival = {"sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 5e7}
        model = world_of({"interventions": [said], "firms": {"rival": rival}})
        lost = []
        while model.month < model.n_months:
            model.step()
            lost.append(float(model.market["lost"].sum()))
        assert sum(lost[:12]) == pytest.approx(left.before) if hasattr(left, "before") else True
        left.before = sum(lost[:12])  # type: ignore[attr-defined]
        return sum(lost[12:])

    assert left(0.0) < left(0.9)


def test_the_holder_of_rights_is_paid_for_rows_of_documents_only() -> None:
    def rows(documents: bool, licence: float) -> float:
        law = {"law": {"row_licence_usd": licence}}
        model = documents_world(law) if documents else lone_world(law["law"])
        firm = found(model, capital_usd=1e7, rows=1000)
        firm.laboratory.gather_data(1e5)
        return firm.laboratory.rows_lab + firm.laboratory.rows_field

    bought = rows(True, 0.0) - 1000
    assert rows(True, 0.08) - 1000 < 0.55 * bought, "a row costs twice as much"
    assert rows(False, 0.08) == rows(False, 0.0)
    play(documents_world({"law": {"row_licence_usd": 1.0}}), 3)
