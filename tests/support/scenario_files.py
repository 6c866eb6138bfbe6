"""Scenario texts and writers shared by the tests of `scenarios/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import ScenarioError, load

SMALL_MARKET = """\
title: A small market
start: 2016-01
years: 2
focal: iris
world:
  sectors:
    vision:
      market_opens: 2016
      segments:
        cameras: {customers: 2000, reference_price_usd: 2000, contract_months: 12}
firms:
  iris: {sector: vision, offers: {cameras: subscription}, capital_usd: 3e5, staff: {research: 4, marketing: 2}}
  giant: {kind: incumbent, sector: vision, offers: {cameras: subscription}, capital_usd: 1e7, staff: {research: 8}}
"""
"""One sector, a startup that runs out of money and an incumbent; more keys may follow."""
VALID = """\
id: CASE-TEST
title: A test market
start: 2014-01
years: 8
focal: alpha
world:
  sectors:
    speech:
      task: speech
      segments:
        dictation: {customers: 5000, reference_price_usd: 80}
        calls: {customers: 300, reference_price_usd: 4_000}
  law:
    tax_rate: 0.2
firms:
  alpha:
    sector: speech
    founded: 2015-01
    offers: {dictation: freemium}
    skill: 0.8
    staff: {research: 8}
  rival:
    kind: incumbent
    sector: speech
    offers: {dictation: bundle, calls: bundle}
    capital_usd: 5e7
entrants:
  newcomers:
    sector: speech
    offers: [{dictation: subscription}]
    rows: {sd: 1}
investors:
  fund-one: {stages: [A, B]}
regulator: {}
interventions:
  - at: 2018-05
    says: Data protection begins.
    set: {world.law.consent_share: 0.6, world.law.audits_year: 0.5}
  - at: 2016-01
    says: A price war.
    set: {firms.rival.price_level: 0.5}
expect:
  - id: ending
    section: "5.2"
    says: The company fails.
    ending: [bankrupt, acquired]
  - id: trust-falls
    section: "5.2"
    says: Trust falls.
    after: 2016-01
    before: 2020-01
    metric: trust
    statistic: min
    at_most: 0.4
  - id: cash-gap
    section: "5.2"
    says: The cash chain breaks.
    event: bankrupt
causes:
  giants:
    section: "5.2"
    says: Giants dominate the market.
    set: {firms.rival.skill: 0.1}
  free:
    section: "5.2"
    says: The product is free.
    set: {firms.alpha.offers: {dictation: subscription}}
"""


def write(folder: Path, text: str, name: str = "my.yaml") -> Path:
    """A scenario file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def edited(old: str, new: str) -> str:
    """The valid scenario with one passage replaced."""
    assert old in VALID, f"{old!r} is not in the valid scenario"
    return VALID.replace(old, new, 1)


def error_of(path: Path) -> ScenarioError:
    """The error that loading the file raises; its text is one line."""
    with pytest.raises(ScenarioError) as caught:
        load(path)
    message = str(caught.value)
    assert message and "\n" not in message and message.isprintable()
    return caught.value
