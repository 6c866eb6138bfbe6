"""The stages of history as the model has them, from the base world, as Markdown: `python -m scenarios.history`.

HIST-STAGES (§1.1, 1.2): small models up to 2012, deep learning up to 2017, large models since.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from agents.entry.founding import FIRST_MODEL_SHARE
from agents.firm.training_plan import engineering, release_interval
from agents.settings import EntrantSettings, FirmSettings
from scenarios.load import load
from scenarios.schema import Scenario
from simulation.capital import trend, usual_round
from simulation.compute import REFERENCE_YEAR, algorithmic_progress, effective_gpu_hours, list_price_usd, rung_for
from simulation.history import MARKET_OPENS, bass_share, money_left
from simulation.labour import monthly_wages
from simulation.settings import SegmentSettings, WorldSettings

YEARS = range(2012, 2031)
STAGES = (("small models, up to 2012", 2012), ("deep learning, 2012-2017", 2015), ("large models, from 2017", 2022))
WITHOUT_BOUND = 99

HEADER = """# History: what the model has for each year

Generated from the settings and the base world by `python -m scenarios.history > docs/history.md`; do not edit by hand.
"""


@dataclass(frozen=True, slots=True)
class YearRow:
    """What a year is in the base world. `rungs` are, by halving time, those of a seed and a series A round."""

    year: int
    price_usd: float
    gpus: float
    progress: dict[float, float]
    rungs: dict[float, tuple[int, int]]
    last_rung: int
    seed_usd: float
    a_usd: float
    wage_usd: float
    heat: float
    fund_money_usd: float
    consent_share: float
    audits_year: float
    adopted: float


def rung_of_budget(world: WorldSettings, usd: float, halving_months: float, year: float, skill: float) -> int:
    """Rung of the ladder, as if it had no end, that a usual team buys with `usd` at list price."""
    hours = usd / list_price_usd(world.compute, year)
    able = engineering(FirmSettings(sector="any", offers={"any": "subscription"}, skill=skill))
    effective = effective_gpu_hours(world.compute, hours, algorithmic_progress(halving_months, year), able)
    return rung_for(world.compute, effective, WITHOUT_BOUND)


def budgets_usd(world: WorldSettings, year: float) -> tuple[float, float]:
    """What a startup with the usual seed round, and with the usual series A, can spend on one run, USD."""
    firm = FirmSettings(sector="any", offers={"any": "subscription"})
    seed, a_round = (usual_round(world.capital, stage, year)[1] for stage in ("seed", "A"))
    months = release_interval(firm, firm.staff["research"])
    return FIRST_MODEL_SHARE * seed, firm.compute_share * a_round / world.capital.runway_months * months


def year_row(scenario: Scenario, year: int) -> YearRow:
    """The base world in January of a year."""
    world = state_in(scenario, year)
    skill = EntrantSettings(sector="any", offers=[{"any": "subscription"}]).skill.mean
    halvings = sorted({sector.algorithmic_halving_months for sector in world.sectors.values()}, reverse=True)
    seed, a_round = budgets_usd(world, year)
    return YearRow(
        year=year,
        price_usd=list_price_usd(world.compute, year),
        gpus=world.compute.gpus * 2 ** ((year - REFERENCE_YEAR) / world.compute.growth_doubling_years),
        progress={months: algorithmic_progress(months, year) for months in halvings},
        rungs={
            m: (rung_of_budget(world, seed, m, year, skill), rung_of_budget(world, a_round, m, year, skill))
            for m in halvings
        },
        last_rung=world.compute.last_rung,
        seed_usd=usual_round(world.capital, "seed", year)[1],
        a_usd=usual_round(world.capital, "A", year)[1],
        wage_usd=monthly_wages(world.labour, year)["research"],
        heat=trend(world.capital.heat, year),
        fund_money_usd=fund_money_usd(scenario, year),
        consent_share=world.law.consent_share,
        audits_year=world.law.audits_year,
        adopted=adopted_by(year),
    )


def fund_money_usd(scenario: Scenario, year: float) -> float:
    """What funds that have begun by `year` have not invested yet, if each spends evenly over half of its life, USD."""
    begun = [fund for fund in scenario.investors.values() if fund.vintage <= year]
    return sum(fund.size_usd * money_left(year - fund.vintage, fund.life_years) for fund in begun)


def adopted_by(year: float) -> float:
    """Share of a segment with the default rates that is served when a world begins in `year`."""
    s = SegmentSettings()
    months = round(12 * (year - MARKET_OPENS))
    return bass_share(s.innovation_rate_year, s.imitation_rate_year, s.closure_rate_year, months)


def state_in(scenario: Scenario, year: int) -> WorldSettings:
    """The world's settings in force in January of a year."""
    month = 12 * (year - scenario.start.year) - (scenario.start.month - 1)
    in_force = [world for when, world, _ in scenario.settings_at() if when <= month]
    return in_force[-1] if in_force else scenario.world


def history_page() -> str:
    """`docs/history.md`."""
    scenario = load("markets/base")
    rows = [year_row(scenario, year) for year in YEARS]
    about = YEARS_ABOUT.format(**_usual(scenario))
    limits = _limits(rows, scenario)
    parts = (HEADER, INTRODUCTION, *_stages(rows), about, *_years(rows), *_laws(scenario), *limits, STARTS)
    return "".join(parts)


def _usual(scenario: Scenario) -> dict[str, object]:
    """What the rungs of the table are worked out with, as the settings have it."""
    firm = FirmSettings(sector="any", offers={"any": "subscription"})
    return {
        "skill": EntrantSettings(sector="any", offers=[{"any": "subscription"}]).skill.mean,
        "first": f"{FIRST_MODEL_SHARE:.0%}",
        "compute": f"{firm.compute_share:.0%}",
        "runway": f"{scenario.world.capital.runway_months:g}",
        "interval": f"{release_interval(firm, firm.staff['research']):g}",
        "opens": f"{MARKET_OPENS:g}",
    }


def _stages(rows: list[YearRow]) -> Iterator[str]:
    by_year = {row.year: row for row in rows}
    yield _line(["", *(f"{name} (figures of {year})" for name, year in STAGES)]) + _line(["---"] * (len(STAGES) + 1))
    for label, cell in (
        ("V100 hour, USD (C1, C10)", lambda r: f"{r.price_usd:.2f}"),
        ("compute of late 2017 for the same quality, images (C6)", lambda r: _times(r.progress[16])),
        ("the same for language (C7)", lambda r: _times(r.progress[8])),
        ("rung of a seed, of a series A startup: images", lambda r: _pair(r.rungs[16], r.last_rung)),
        ("the same for language", lambda r: _pair(r.rungs[8], r.last_rung)),
        ("funding climate (V26)", lambda r: f"{r.heat:.2f}"),
        ("usage data that the law lets a firm keep", lambda r: f"{r.consent_share:.0%}"),
        ("served when a world begins then", lambda r: f"{r.adopted:.0%}"),
    ):
        yield _line([label, *(cell(by_year[year]) for _, year in STAGES)])


def _years(rows: list[YearRow]) -> Iterator[str]:
    titles = (
        "year", "V100 hour, USD", "cloud, GPUs", "progress, images", "language", "rung, images: seed, A",
        "language: seed, A", "seed, M$", "A, M$", "researcher, USD/month", "climate", "fund money left, G$",
        "data kept", "audits a year", "served",
    )  # fmt: skip
    yield _line(titles) + _line(["---"] * len(titles))
    for r in rows:
        yield _line([
            r.year, f"{r.price_usd:.2f}", f"{r.gpus:,.0f}", f"{r.progress[16]:.3g}", f"{r.progress[8]:.3g}",
            _pair(r.rungs[16], r.last_rung), _pair(r.rungs[8], r.last_rung), f"{r.seed_usd / 1e6:.1f}",
            f"{r.a_usd / 1e6:.1f}", f"{r.wage_usd:,.0f}", f"{r.heat:.2f}", f"{r.fund_money_usd / 1e9:.1f}",
            f"{r.consent_share:.0%}", f"{r.audits_year:g}", f"{r.adopted:.0%}",
        ])  # fmt: skip


def _laws(scenario: Scenario) -> Iterator[str]:
    yield "\n## Dated changes of the base world\n\n" + _line(["from", "what"]) + _line(["---", "---"])
    for change in sorted(scenario.interventions, key=lambda change: change.at):
        yield _line([f"{change.at:%Y-%m}", change.says])


def _limits(rows: list[YearRow], scenario: Scenario) -> Iterator[str]:
    top, world = scenario.world.compute.last_rung, scenario.world
    heat = world.capital.heat
    first, last = min(heat), max(heat)
    vintages = sorted({fund.vintage for fund in scenario.investors.values()})
    yield LIMITS.format(
        halving=world.compute.price_halving_years,
        wages=f"{100 * world.labour.wage_growth_year:g}",
        price_2023=f"{list_price_usd(world.compute, 2023.0):.2f}",
        price_2025=f"{list_price_usd(world.compute, 2025.5):.2f}",
        first=first,
        first_heat=heat[first],
        last=last,
        last_heat=heat[last],
        first_vintage=vintages[0],
        last_vintage=vintages[-1],
        top=top,
        language=next((row.year for row in rows if row.rungs[8][0] >= top), "no year"),
        images=next((row.year for row in rows if row.rungs[16][0] >= top), "no year"),
        language_a=next((row.year for row in rows if row.rungs[8][1] >= top), "no year"),
        images_a=next((row.year for row in rows if row.rungs[16][1] >= top), "no year"),
    )


def _pair(rungs: tuple[int, int], top: int) -> str:
    """Two rungs; in brackets what the money would buy if the ladder had no end."""
    return ", ".join(str(rung) if rung <= top else f"{top} ({rung})" for rung in rungs)


def _times(progress: float) -> str:
    return f"{1 / progress:.3g} ×"


def _line(cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"  # type: ignore[attr-defined]


INTRODUCTION = """
The book tells of three stages (HIST-STAGES, §1.1 and 1.2): small models up to 2012, deep learning from 2012 to 2017,
large models since; compute, algorithms and data grow together. In the model no stage is a switch. What money buys
follows from dated trends, and the stage of a world is what comes out: in 2012 a seed round pays for the lowest rungs
of the ladder, in 2022 a language startup trains near its top. A scenario can start in any month; what the month
brings along stands below.

"""
YEARS_ABOUT = """
## By year

In January of each year, from the base world. *Progress*: what a GPU hour achieves, 1 in late 2017. *Rung*: what a team
of the usual skill ({skill:g}) buys at list price with {first} of the usual seed round, as entrants do, and with what
series A lets it spend on compute between two models ({compute} of spending, {runway} months of runway, a model every
{interval} months). In brackets: the rung that the money would buy if the ladder had no end. *Fund money left*: of the
funds that invest in that year, each spending evenly over the first half of its life. *Served*: share of a segment with
the default rates that incumbents serve when a world begins in that year (`market_opens` is {opens}).

"""
LIMITS = """
## What to know

- **The ladder ends.** Rung {top} is the highest; more money buys no better model. The usual seed round reaches it in
  language in {language} and in images in {images}, series A in {language_a} and {images_a}. From then on compute is
  no longer scarce for entrants in the model, and firms differ by data, skill and money for people. The frontier
  models of that time, which cost far more than a startup's round, have no place on the ladder, and no firm gets a
  rung beyond it.
- **Trends, not records.** Prices of compute (C1: doubling in {halving:g} years), algorithms (C6, C7) and wages
  ({wages} % a year) are exponentials through a point in 2017. Check on C10: an H100 does about eight times the work
  of a V100 (tensor operations of the data sheets), so 8 to 12 $ (2023) and 1.7 to 2.5 $ (mid 2025) an hour are 1.0 to
  1.5 and 0.2 to 0.3 $ for a V100's work; the trend gives {price_2023} and {price_2025}.
- **The climate** (`world.capital.heat`) is a series by year, linear between its years and flat outside: before
  {first} it is held at {first_heat:g}, after {last} at {last_heat:g}. **Round sizes** are those of 2014 before 2014
  and those of 2022 after 2022.
- **Funds** have vintages from {first_vintage} to {last_vintage}, and the base world has none of 2021 to 2023, so that
  its run from 2014 keeps its money; `markets/large-models-2022` adds those of 2022. A run does not see a fund whose
  life ended before it or whose vintage comes after it.
- **Market sizes** stand still unless a segment says `customers_growth_year` and `customers_year`. Facts: US banks
  −4.3 % a year (M20, 2013 to 2017), merchants on one shop platform +60 % a year (M25, 2015 to 2020).
"""
STARTS = """
## Starting in another year

- **Law.** Dated changes that a scenario inherits and that are older than its start are in force from the start, the
  broker's free offer too; those after its end do not come.
- **Customers.** A world that begins after `market_opens` of a sector (2014) is no virgin market. Each segment is served
  to the share that the model's own Bass diffusion with closures reaches since then,
  F′ = (1 − F)(p + qF) − closure · F, or to `adopted_share` where the segment says it. Incumbents hold these customers,
  by the logit shares of what they offer in the first month; who may not sell there (no model, below the threshold,
  without a certificate) holds none, and a segment without an incumbent seller is not served at all.
  Check: the base world played from 2014 (seed 1, seven of its sectors) serves 35 % of help desks, 62 % of small shops
  and 68 % of photo apps at the end of 2019, and the curve gives 37, 64 and 70 %. Where staff limit sales (predictive
  maintenance: 8 % played, 37 % by the curve) or the incumbent is weak (security cameras: 20 %) it gives too many: say
  `adopted_share` there.
- **Incumbents** of such a sector enter with a model in use: what their data, skill and half a year of compute make in
  that year. Trust in them is that of newcomers, their goodwill what the scenario says.
- **Funds** of earlier vintages have spent evenly over the first half of their lives; what is left, and the fees of the
  years left, can still be called. What they hold from before the run is outside the model, and so are its returns.
- **Startups** of the past are not there: nobody is drawn for the years before the run. `at_start` of a stream founds
  newborn ones. A named firm whose `founded` lies before the start enters with the world, newborn, with what its
  settings say.
- **The traditional method** is fitted as always; it does not depend on the year.

Shipped: `markets/small-models-2012` (2012-2017), `markets/large-models-2022` (2022-2030), `markets/funding-boom` and
`markets/funding-winter`. To move any scenario: `load("markets/base", {"start": "2020-01", "years": 5})`, or a file that
extends it and says another `start`.
"""

if __name__ == "__main__":
    sys.stdout.write(history_page())
