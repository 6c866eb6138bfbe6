"""Every column of every table of a world, once: a table's row is a named tuple whose fields say what they mean.

Rows are built by name; data frames, Parquet types, the checks of `expect` and docs/outputs.md come from here. Money is
in US dollars of the year; a missing figure is NaN, a missing date None.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from simulation.records.endings import ENDINGS

DType = Literal["date", "integer", "number", "text"]
_DTYPES: dict[Any, DType] = {date: "date", int: "integer", float: "number", str: "text"}


@dataclass(frozen=True, slots=True)
class Is:
    """Unit and meaning of a column; `judged`: a statement of a chapter may be about it."""

    unit: str
    meaning: str
    judged: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    dtype: DType
    unit: str
    meaning: str
    judged: bool


def measure(unit: str, meaning: str) -> Is:
    """A figure of a firm that chapters may speak of."""
    return Is(unit, meaning, True)


class FirmRow(NamedTuple):
    """One living firm in one month, measured at the month's end."""

    month: Annotated[date, Is("date", "month measured")]
    firm: Annotated[str, Is("", "name")]
    kind: Annotated[str, Is("", "`startup` or `incumbent`")]
    sector: Annotated[str, Is("", "sector")]
    founded: Annotated[date, Is("date", "day on which it entered")]
    cash_usd: Annotated[float, measure("USD", "cash at the month's end")]
    revenue_usd: Annotated[
        float,
        measure("USD", "month's revenue: sales, earned fees, an incumbent's income from its parent, grants, gains"),
    ]
    costs_usd: Annotated[float, measure("USD", "month's costs, taxes included")]
    customers: Annotated[float, measure("customers", "customers served, paying and free")]
    headcount: Annotated[float, measure("people", "staff of all roles")]
    price_usd: Annotated[
        float,
        measure("USD/customer/month", "price of its first offer; NaN for a firm that sells to firms only"),
    ]
    quality_lab: Annotated[
        float, measure("accuracy", "measured lab accuracy of the released model; NaN before the first")
    ]
    quality_field: Annotated[
        float, measure("accuracy", "measured field accuracy of the released model; NaN before the first")
    ]
    trust: Annotated[float, measure("0..1", "trust of its customers, weighted by value served")]
    share: Annotated[
        float,
        measure(
            "share", "its part of the value served in its sector (customers, paying and free, at reference prices)"
        ),
    ]
    ledger_key: Annotated[str, Is("", "key of the training run behind the quality; empty before the first model")]
    status: Annotated[str, Is("", "`active`, or `suspended` when the regulator withdrew its offers")]
    paying_customers: Annotated[float, measure("customers", "customers who pay")]
    rows: Annotated[float, measure("rows", "labelled rows it holds")]
    field_coverage: Annotated[
        float,
        measure(
            "share", "part of those rows that comes from field conditions; a plan uses at most `field_mix` of the firm"
        ),
    ]
    rung: Annotated[int, measure("", "rung of the ladder of the released model, 0 to 8; −1 before the first")]
    brand_usd: Annotated[float, measure("USD", "goodwill")]
    stage: Annotated[str, Is("", "last financing stage of a startup; empty for incumbents")]
    run_months: Annotated[
        float, measure("months", "from order to result of its last training run; NaN before the first")
    ]
    broken_runs: Annotated[int, measure("attempts", "attempts at training that broke down so far")]
    lost_runs: Annotated[float, measure("runs", "work lost in them so far")]
    sales_usd: Annotated[
        float,
        Is("USD", "month's sales and earned fees from customers; the part of `revenue_usd` that customers pay"),
    ]
    serving_usd: Annotated[
        float,
        Is(
            "USD",
            "month's cost of inference, of others' models and of goods sold (hardware of products, rows labelled for "
            "sale), as paid",
        ),
    ]
    operations_usd: Annotated[float, Is("USD", "month's wages of operations staff, without overhead")]
    freemium_paying: Annotated[float, Is("customers", "paying users of its freemium offers")]
    freemium_free: Annotated[float, Is("customers", "free users of its freemium offers")]
    new_paying: Annotated[
        float,
        Is(
            "customers", "customers who began to pay in the month: won by offers that cost from the start, or converted"
        ),
    ]
    service_revenue_usd: Annotated[
        float,
        Is(
            "USD",
            "month's revenue from other firms that buy its services, GPU hours it resells less what the cloud takes; "
            "part of `revenue_usd`, not of `sales_usd`",
        ),
    ]
    licence_solution_share: Annotated[
        float,
        measure(
            "share",
            "part of the month's payments by customers that is for licences and tailored solutions; NaN without any",
        ),
    ]
    inference_flops: Annotated[
        float,
        measure(
            "FLOP",
            "of one decision of the released network: how much it computes before it answers, whatever the machine; "
            "NaN before the first",
        ),
    ]
    fairness_gap: Annotated[
        float,
        measure(
            "share", "measured accuracy on the majority less that on the minority, of the released model; NaN before it"
        ),
    ]
    sourcing: Annotated[
        str,
        Is(
            "",
            "how it got its released model: `scratch`, `api`, `open` or `licence` (weights), `own` (own foundation); "
            "empty before the first",
        ),
    ]
    supplier: Annotated[str, Is("", "firm on whose model it rests; empty for none, and for open weights")]
    model_access_usd: Annotated[
        float, measure("USD", "month's bill for the use of others' models, as paid; part of `serving_usd`")
    ]


class SectorRow(NamedTuple):
    """One sector in one month."""

    month: Annotated[date, Is("date", "month measured")]
    sector: Annotated[str, Is("", "sector")]
    n_firms: Annotated[int, Is("firms", "living firms, incumbents included")]
    entries: Annotated[int, Is("firms", "firms whose first month it is")]
    exits: Annotated[int, Is("firms", "firms that were wound up, closed or bought in the month")]
    hhi: Annotated[
        float,
        Is(
            "0..1",
            "Herfindahl–Hirschman index, Σ share²; 0 where nobody is served (`adopters` is 0): such a market is in no "
            "mean",
        ),
    ]
    adopters: Annotated[float, Is("customers", "customers served by any firm, paying or free")]
    best_quality_field: Annotated[
        float, Is("accuracy", "highest field accuracy among living firms; NaN where there is no model")
    ]
    consumer_surplus_usd: Annotated[float, Is("USD/month", "surplus of those served over the traditional method")]
    traditional_lab: Annotated[float, Is("accuracy", "lab accuracy of the sector's traditional method")]
    traditional_field: Annotated[float, Is("accuracy", "its field accuracy")]
    gpu_price_usd_hour: Annotated[float, Is("USD/GPU h", "price of a 2017 V100 hour in the cloud, queue included")]
    productivity_usd: Annotated[
        float, Is("USD/month", "value of the errors that models remove, at what customers would pay for it")
    ]
    jobs_displaced: Annotated[float, Is("people", "work that this saves")]
    jobs_created: Annotated[float, Is("people", "people in the sector's AI firms")]
    minority_burden: Annotated[
        float, Is("customers", "minority customers, times the fairness gap of the model they use")
    ]
    exposed_users: Annotated[float, Is("users", "users, times the membership advantage of the model they use")]


class FoundingRow(NamedTuple):
    """Potential founders of one stream in one month, and what they expected; only streams that have them."""

    month: Annotated[date, Is("date", "month in which they decided")]
    stream: Annotated[str, Is("", "stream of entrants")]
    sector: Annotated[str, Is("", "sector")]
    potential: Annotated[int, Is("people", "potential founders, those who come from firms included")]
    founded: Annotated[int, Is("firms", "startups founded by them")]
    expected_usd: Annotated[float, Is("USD", "what one of usual skill expected, for sure")]
    outside_usd: Annotated[float, Is("USD", "median of what they could have elsewhere")]
    chance: Annotated[float, Is("probability", "chance of success, as news of the sector have it")]
    open_usd_year: Annotated[float, Is("USD/year", "what customers would pay who are open to one more")]
    rivals: Annotated[int, Is("firms", "living startups that it would stand beside")]
    possible: Annotated[float, Is("share", "field advantage that current models make possible")]
    funded_share: Annotated[float, Is("share", "part of its value that venture capital lets it reach")]


class EventRow(NamedTuple):
    """What happened, to whom, when and why; what each kind carries stands in docs/outputs.md."""

    time: Annotated[date, Is("date", "day on which it happened")]
    kind: Annotated[str, Is("", "what happened")]
    firm: Annotated[str, Is("", "to whom; empty where it concerns no single firm")]
    other: Annotated[str, Is("", "the other party")]
    amount_usd: Annotated[float, Is("USD", "the money that moved, or was at stake; 0 where none was")]
    month: Annotated[date, Is("date", "month being played; the order of the rows says what came first in it")]
    fields: Annotated[str, Is("", "the kind's further fields as a JSON object; empty where it has none")]


class RoundRow(NamedTuple):
    """A financing round or a note."""

    time: Annotated[date, Is("date", "closing")]
    firm: Annotated[str, Is("", "startup")]
    round: Annotated[
        str,
        Is("", "`seed`, `A`, `B`, `C` or `growth`; `bridge` for a convertible note, `recap` for a recapitalisation"),
    ]
    amount_usd: Annotated[float, Is("USD", "new money")]
    pre_money_usd: Annotated[float, Is("USD", "valuation before the money; NaN for a note, which has no price")]
    investors: Annotated[str, Is("", "names, separated by commas; `savers` are founders, angels and seed funds")]


class EndingRow(NamedTuple):
    """How a firm ended, or how it stands at the end of the run."""

    firm: Annotated[str, Is("", "name")]
    founded: Annotated[date, Is("date", "day on which it entered")]
    ended: Annotated[
        date | None, Is("date", "day of bankruptcy, closing, sale or listing; NaT for `alive` and `profitable`")
    ]
    ending: Annotated[str, Is("", "; ".join(f"`{name}`: {one.meaning}" for name, one in ENDINGS.items()))]
    causes: Annotated[str, Is("", "why, the most telling first: a JSON list as in `events`; empty for none")]
    raised_usd: Annotated[float, Is("USD", "money raised in all rounds, seed and notes included")]
    exit_value_usd: Annotated[
        float, Is("USD", "price of the sale, valuation at the listing, what was left for holders; else 0")
    ]
    kind: Annotated[str, Is("", "`startup` or `incumbent`")]
    sector: Annotated[str, Is("", "sector")]


class FundRow(NamedTuple):
    """One venture fund, as its partners would see it at the end of the run."""

    fund: Annotated[str, Is("", "name")]
    vintage: Annotated[int, Is("year", "first year in which it invests")]
    committed_usd: Annotated[float, Is("USD", "commitments: money for investments and for the fees of its whole life")]
    paid_in_usd: Annotated[float, Is("USD", "called so far, fees included")]
    fees_usd: Annotated[float, Is("USD", "management fees")]
    distributed_usd: Annotated[float, Is("USD", "paid to partners")]
    residual_usd: Annotated[float, Is("USD", "marks of what it still holds")]
    dpi: Annotated[float, Is("ratio", "distributed per dollar paid in; NaN before the first call")]
    tvpi: Annotated[float, Is("ratio", "distributed + residual per dollar paid in; NaN before the first call")]
    irr_year: Annotated[
        float, Is("1/year", "internal rate of return; −1 where nothing came back, NaN where there is none")
    ]
    n_companies: Annotated[int, Is("companies", "companies it invested in")]


class FoundationRow(NamedTuple):
    """One large model on offer in one month. Empty in worlds without `world.foundations`."""

    month: Annotated[date, Is("date", "month measured")]
    lab: Annotated[str, Is("", "who trained it")]
    supplier: Annotated[str, Is("", "who offers it: its lab, or `community` for open weights")]
    rung: Annotated[float, Is("", "rung of the ladder of foundations")]
    key: Annotated[str, Is("", "key of the foundation in the weight store")]
    vintage: Annotated[int, Is("year", "year of the text that it read")]
    released: Annotated[date, Is("date", "month in which it was released")]
    loss_general: Annotated[float, Is("nats", "measured loss of a token of held-out text of all domains")]
    access: Annotated[str, Is("", "`api`, `licence` or `open`")]
    price_usd_million_tokens: Annotated[float, Is("USD", "price of a million tokens; 0 for weights")]
    fee_usd_month: Annotated[float, Is("USD/month", "fee of a licence; 0 otherwise")]
    serving_usd_million_tokens: Annotated[float, Is("USD", "what answers of that quality cost who runs the model")]
    cost_usd: Annotated[float, Is("USD", "what training it cost")]
    training_flop: Annotated[float, Is("FLOP", "real training operations that it stands for")]
    users: Annotated[int, Is("firms", "living firms that build on it")]
    million_tokens: Annotated[float, Is("million tokens", "answers that customers had in the month")]
    revenue_usd: Annotated[float, Is("USD", "what they paid for it in the month")]


NOTE, RECAPITALISATION = "bridge", "recap"
"""Rounds that are no stage: a note has no price; a recapitalisation has one, and leaves the firm's stage as it is."""


class PublicAccountRow(NamedTuple):
    """What one programme, tax, fee or fine moved in a calendar year, by jurisdiction, sector and kind of firm."""

    year: Annotated[int, Is("year", "calendar year")]
    programme: Annotated[
        str,
        Is(
            "",
            "`grants`, `wages`, `credits`, `holidays`, `vouchers`, `commons`, `universities`, `public-compute`, "
            "`open-weights`, `talent`, `audits`; `taxes`, `fines`, `fees`",
        ),
    ]
    flow: Annotated[str, Is("", "`paid`, `forgone` (tax that was not taken) or `received`")]
    jurisdiction: Annotated[
        str,
        Is(
            "",
            "whose money: the home of the firm, of fines and audits who audited; empty where the world has none",
        ),
    ]
    sector: Annotated[str, Is("", "sector of the firms; empty where it concerns all")]
    kind: Annotated[str, Is("", "`startup` or `incumbent`; empty where it concerns no firm")]
    usd: Annotated[float, Is("USD", "public cost: what was paid or forgone; what was received is negative")]
    social_usd: Annotated[
        float, Is("USD", "the same at the marginal cost of public funds in force (`marginal_cost_of_public_funds`)")
    ]
    n_firms: Annotated[int, Is("firms", "firms that got or paid it")]


ROWS: dict[str, type[tuple[Any, ...]]] = {
    "firms": FirmRow,
    "sectors": SectorRow,
    "founding": FoundingRow,
    "events": EventRow,
    "rounds": RoundRow,
    "endings": EndingRow,
    "funds": FundRow,
    "foundations": FoundationRow,
    "public_accounts": PublicAccountRow,
}
"""The tables that a world measures, in the order in which they are written, with the type of their rows."""


@cache
def columns_of(table: str) -> tuple[Column, ...]:
    """The columns of a table of a world, in order. Raises KeyError for another name."""
    return columns_of_rows(ROWS[table])


def columns_of_rows(row: type[tuple[Any, ...]]) -> tuple[Column, ...]:
    """The columns of a table with rows of that type, in order."""
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(name, hint) for name, hint in hints.items())


def _column(name: str, hint: Any) -> Column:
    assert get_origin(hint) is Annotated, f"{name} has no meaning"
    typed, told = get_args(hint)[:2]
    kind = next(_DTYPES[part] for part in (typed, *get_args(typed)) if part in _DTYPES)
    return Column(name, kind, told.unit, told.meaning, told.judged)
