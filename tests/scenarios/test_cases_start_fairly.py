"""No case starves its firm to get its ending, nor pampers it: focal firms begin as startups of their year did.

Seed rounds (V20): below 1 M$ in 2014, 2.5 M$ in 2022. Between the two years the usual round is interpolated linearly,
1.0 + (2.5 − 1.0) · (year − 2014) / (2022 − 2014) M$, so 1.1875 M$ in 2015 and 1.375 M$ in 2016; before 2014 and after
2022 it is that of 2014 and 2022. The ± 30 % that V16 states for valuations is allowed around it: 0.83 to 1.54 M$ in
2015. At the usual seed valuation of V16, 5.9 M$ ± 30 % before the money, such a round must not buy more than half.

A case may depart from this only where its own line says why: `capital_usd: 4.0e+5 # §5.2: it began with little`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import scenarios
from agents.settings import FirmSettings
from scenarios import Scenario, catalogue, load
from tests.support.shipped import shipped

LIBRARY = Path(scenarios.__file__).parent / "library"
CASES = [entry.name for entry in catalogue() if entry.group == "cases"]
SEED_2014_USD, SEED_2022_USD = 1.0e6, 2.5e6  # V20
PRE_MONEY_USD = 5.9e6  # V16, seed
TOLERANCE = 0.30  # V16
PRICE_LEVELS = (0.5, 2.0)
SECTION = r"§\s?\d+(\.\d+)*"


def usual_seed_usd(year: int) -> float:
    """Usual seed round of a year."""
    done = (min(max(year, 2014), 2022) - 2014) / (2022 - 2014)
    return SEED_2014_USD + (SEED_2022_USD - SEED_2014_USD) * done


def excused(text: str, focal: str, key: str) -> bool:
    """Whether the focal firm's line for this key carries a comment that names a section of the book."""
    block = re.search(rf"^  {re.escape(focal)}:\n((?:(?:    .*)?\n)+)", text, re.M)
    line = re.search(rf"^    {key}:[^#\n]*#(.*)$", block.group(1), re.M) if block else None
    return bool(line and re.search(SECTION, line.group(1)))


def unfair(setup: Scenario, text: str) -> dict[str, float]:
    """What of the focal firm's start lies outside the usual without an excuse, with its value."""
    focal = str(setup.focal)
    firm = setup.firms[focal]
    usual = usual_seed_usd((firm.founded or setup.start).year)
    staff, least = sum(firm.staff.values()), sum(FirmSettings.model_fields["staff"].default.values())
    found = {}
    if not usual * (1 - TOLERANCE) <= firm.capital_usd <= usual * (1 + TOLERANCE):
        found["capital_usd"] = firm.capital_usd
    if staff < least:
        found["staff"] = staff
    if not PRICE_LEVELS[0] <= firm.price_level <= PRICE_LEVELS[1]:
        found["price_level"] = firm.price_level
    return {key: value for key, value in found.items() if not excused(text, focal, key)}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Scenario, str]:
    return shipped(request.param), (LIBRARY / f"{request.param}.yaml").read_text(encoding="utf-8")


def test_there_are_cases_to_check() -> None:
    assert {"cases/vision", "cases/speech"} <= set(CASES)


def test_focal_firms_start_as_startups_of_their_year_did(case: tuple[Scenario, str]) -> None:
    assert unfair(*case) == {}


def test_focal_firms_are_startups_without_a_parent(case: tuple[Scenario, str]) -> None:
    firm = case[0].firms[str(case[0].focal)]
    assert (
        firm.kind == "startup" and firm.core_income_usd_month == 0 and firm.reserved_gpus == 0 and firm.brand_usd == 0
    )


def test_a_usual_round_buys_a_usual_part_of_the_firm(case: tuple[Scenario, str]) -> None:
    """At the lowest valuation of V16, 0.7 × 5.9 M$: capital / (pre-money + capital) stays at most a half."""
    capital = case[0].firms[str(case[0].focal)].capital_usd
    assert capital / ((1 - TOLERANCE) * PRE_MONEY_USD + capital) <= 0.5


@pytest.mark.parametrize(
    ("year", "usual"), [(2010, 1.0e6), (2014, 1.0e6), (2015, 1.1875e6), (2018, 1.75e6), (2023, 2.5e6)]
)
def test_the_usual_round_grows_in_a_straight_line(year: int, usual: float) -> None:
    assert usual_seed_usd(year) == pytest.approx(usual)


@pytest.mark.parametrize(
    ("key", "value", "comment", "found"),
    [
        ("capital_usd", "1.1e+6", "", {}),
        ("capital_usd", "3.0e+5", "", {"capital_usd": 3.0e5}),
        ("capital_usd", "3.0e+5", " # V20: small", {"capital_usd": 3.0e5}),
        ("capital_usd", "3.0e+5", " # §5.2: it began with little", {}),
        ("capital_usd", "9.0e+6", "", {"capital_usd": 9.0e6}),
        ("staff", "{research: 0, product: 0}", "", {"staff": 2.0}),
        ("price_level", "2.5", "", {"price_level": 2.5}),
        ("price_level", "0.4", " # §5.2: cheap", {}),
    ],
)
def test_the_check_can_fire(tmp_path: Path, key: str, value: str, comment: str, found: dict[str, float]) -> None:
    firm = f"    {key}: {value}{comment}\n"
    text = (
        "extends: markets/base\ntitle: A start\nsectors: [speech]\nfocal: newborn\n"
        f"firms:\n  newborn:\n    sector: speech\n    founded: 2015-03\n    offers: {{dictation: subscription}}\n{firm}"
    )
    file = tmp_path / "start.yaml"
    file.write_text(text, encoding="utf-8")
    assert unfair(load(file), text) == found
