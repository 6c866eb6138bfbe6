"""Firm counts over an industry's life, concentration, and change of leaders."""

from __future__ import annotations

import math
from typing import Any

import pytest
from scipy.stats import spearmanr

from analysis.facts.concentration import concentration, leaders
from analysis.facts.industries import peaks, years
from tests.support.fact_tables import firm, months, tables


def sector(name: str, firms: list[int], seed: int = 0, **more: Any) -> list[dict[str, Any]]:
    """A row per month, `firms` by year; one entry in January, one exit in June."""
    return [
        {"sector": name, "seed": seed, "month": f"{2014 + year}-{month:02d}-01", "n_firms": n if month == 12 else 99,
         "entries": int(month == 1), "exits": int(month == 6), **more}
        for year, n in enumerate(firms) for month in range(1, 13)
    ]  # fmt: skip


def test_numbers_are_those_at_the_years_ends_and_sums_of_flows() -> None:
    rows = [*sector("vision", [2, 8, 4]), *sector("vision", [4, 6, 6], seed=1), *sector("speech", [1, 1, 1])]
    startups = [*months("a", "2014-12-01", 3), {**months("b", "2015-12-01", 1)[0], "seed": 1}]
    found = {(row.sector, row.year): row for row in years(tables(3, (0, 1), sectors=rows, firms=startups))}
    assert [found["vision", year].firms.estimate for year in (2014, 2015, 2016)] == [3, 7, 5]
    assert found["vision", 2014].startups.estimate == 0.5 and found["vision", 2015].startups.estimate == 0.5
    assert found["vision", 2015].entries.estimate == 1 == found["vision", 2015].exits.estimate
    assert found["speech", 2014].firms.n == 1, "in one seed there is no such sector"
    assert found["all", 2014].firms.estimate == (3 + 4) / 2


def test_each_seed_has_its_own_peak_and_shake_out() -> None:
    rows = [*sector("vision", [2, 8, 4]), *sector("vision", [4, 6, 6], seed=1)]
    firms, startups = peaks(tables(3, (0, 1), sectors=rows))
    assert (firms.of, firms.peak.estimate, firms.peak_year.estimate) == ("firms", 7, 2015)
    assert firms.shake_out.estimate == pytest.approx(0.25)
    assert startups.peak.estimate == 0 and math.isnan(startups.shake_out.estimate) and startups.shake_out.n == 0


def test_one_year_one_seed_and_no_sectors() -> None:
    own = tables(1, sectors=sector("vision", [3]))
    assert [row.year for row in years(own)] == [2014] and peaks(own)[0].shake_out.estimate == 0.0
    assert not years(own)[0].firms.is_known
    assert years(tables()) == [] == peaks(tables()) and concentration(tables()) == [] == leaders(tables())


def shares(seed: int, **by_firm: list[float]) -> list[dict[str, Any]]:
    """Shares at the ends of years; a firm has no row from the year on for which no share is given."""
    return [
        {"firm": name, "seed": seed, "month": f"{2014 + year}-12-01", "share": one}
        for name, own in by_firm.items()
        for year, one in enumerate(own)
    ]


def test_concentration_counts_sectors_in_which_anybody_is_served() -> None:
    rows = [
        *sector("vision", [4], hhi=0.3),
        *sector("speech", [1], hhi=0.0, adopters=0.0),
        *sector("driving", [1], hhi=1.0),
    ]
    firms = shares(0, a=[0.4], b=[0.3], c=[0.2], d=[0.1])
    firms.append({"firm": "e", "month": "2014-12-01", "share": 1.0, "sector": "driving"})
    found = {row.sector: row for row in concentration(tables(1, sectors=rows, firms=firms))}
    assert set(found) == {"vision", "driving", "all"}
    assert found["vision"].largest_three.estimate == pytest.approx(0.9) and found["vision"].hhi.estimate == 0.3
    assert found["all"].hhi.estimate == pytest.approx(0.65)
    assert found["all"].largest_three.estimate == pytest.approx(0.95)


def test_leaders_that_stay_change_and_are_gone() -> None:
    own = [
        *shares(0, a=[0.5, 0.5, 0.2, 0.2], b=[0.3, 0.3, 0.6, 0.6], c=[0.2, 0.2, 0.2, 0.2]),
        *shares(1, a=[0.6, 0.6], b=[0.4, 0.4, 1.0, 1.0]),
        *shares(2, a=[0.7, 0.7, 0.7], b=[0.2, 0.2, 0.1], c=[0.1, 0.1, 0.2]),
    ]
    (row,) = leaders(tables(4, (0, 1, 2), firms=own))
    assert (row.changed.estimate, row.changed.n) == (pytest.approx(4 / 5), 5)
    assert row.gone.estimate == pytest.approx(2 / 5)
    first = spearmanr([0.5, 0.3, 0.2], [0.2, 0.6, 0.2]).statistic
    third = spearmanr([0.7, 0.2, 0.1], [0.7, 0.1, 0.2]).statistic
    assert row.rank_correlation.estimate == pytest.approx((2 * first + third) / 3) and row.rank_correlation.n == 3


def test_of_equal_leaders_the_first_by_name_leads_and_an_empty_market_has_none() -> None:
    own = tables(3, firms=shares(0, b=[0.5, 0.5, 0.5], a=[0.5, 0.5, 0.5]))
    assert leaders(own)[0].changed.estimate == 0.0
    assert leaders(tables(3, firms=shares(0, a=[0.0, 0.0, 1.0]))) == []
    assert leaders(tables(2, firms=shares(0, a=[1.0, 1.0]))) == [], "the run is too short"


def test_only_the_sectors_that_were_asked_for() -> None:
    endings = [firm("a"), firm("b", sector="speech")]
    own = tables(1, sectors_asked=["speech"], endings=endings, sectors=[*sector("vision", [3]), *sector("speech", [1])],
                 rounds=[{"firm": name, "round": "seed", "time": "2014-01-01"} for name in "ab"])  # fmt: skip
    assert [row.sector for row in years(own)] == ["speech"] and own.rounds["firm"].tolist() == ["b"]
