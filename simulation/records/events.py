"""Every kind of event once: what happened as typed fields, how it is told, how telling it is.

`other` and `amount_usd` are columns of the events table; the other fields of a kind stand in its column `fields`, as a
JSON object. To add a kind, add its class here and record one where it happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, ClassVar, get_type_hints

import orjson

from simulation.records import words
from simulation.records.columns import Is

COLUMNS = ("other", "amount_usd")
"""Fields that are columns of their own."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happens to a firm, or to all.

    Class attributes: `kind`: name in the table; `weight`: how telling it is in a firm's story, 0 to 10; `phrase`: how
    it is told, in parts of which one is left out where its fields are empty; `more`: details, told after it; `judged`:
    whether statements of scenarios may ask for it.
    """

    kind: ClassVar[str]
    weight: ClassVar[int] = 4
    phrase: ClassVar[tuple[str, ...]] = ()
    more: ClassVar[tuple[str, ...]] = ()
    judged: ClassVar[bool] = True

    other: str = ""
    amount_usd: float = 0.0

    def details(self) -> dict[str, Any]:
        """The fields that are no columns."""
        kind: type = type(self)
        return {name: getattr(self, name) for name in _names_of_details(kind)}

    def as_json(self) -> str:
        """The fields that are no columns as JSON text; empty where there are none."""
        details = self.details()
        return orjson.dumps(details, option=_JSON).decode() if details else ""


@cache
def _names_of_details(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if one.name not in COLUMNS)


# orjson takes a fifth of the time of the standard library's encoder, and events are written every month. A number that
# JSON cannot say becomes null.
_JSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, kw_only=True)
class Founded(Event):
    """A startup is founded."""

    kind = "founded"
    weight = 10
    phrase = ("founded with {amount_usd:money} of seed capital",)
    more = ("; sells {offers:list}", "; sells to firms: {services:list}")
    amount_usd: Annotated[float, Is("USD", "seed capital")]
    offers: Annotated[dict[str, str], Is("", "segments and how it earns there, as in force then")]
    services: Annotated[dict[Any, float], Is("", "what it sells to firms, and at what price")]


@dataclass(frozen=True, kw_only=True)
class Founders(Event):
    """A startup's founders come from another firm."""

    kind = "founders"
    weight = 6
    phrase = ("its founders come from {other}: {background}",)
    more = ("; skill {skill_usual:.2f} → {skill:.2f}",)
    other: Annotated[str, Is("", "firm that they worked for, or founded before")]
    background: Annotated[str, Is("", "`spin-out` (they worked there) or `serial` (they founded it, and it ended)")]
    skill_usual: Annotated[float, Is("0..1", "skill that they would have without that past")]
    skill: Annotated[float, Is("0..1", "skill that they have")]


@dataclass(frozen=True, kw_only=True)
class Dividend(Event):
    """A mature startup pays out cash that it earned and does not need."""

    kind = "dividend"
    weight = 3
    phrase = ("pays {amount_usd:money} to its holders",)
    amount_usd: Annotated[float, Is("USD", "cash paid out")]
    target_usd: Annotated[float, Is("USD", "cash that it keeps")]


@dataclass(frozen=True, kw_only=True)
class Release(Event):
    """A model is released."""

    kind = "release"
    weight = 5
    phrase = ("releases a model, measured lab {lab:.3f}, field {field:.3f}, rung {rung} (run {run:key})",)
    other: Annotated[str, Is("", "sector, where it is not the firm's home")] = ""
    run: Annotated[str, Is("", "key of the training run")]
    lab: Annotated[float, Is("share", "lab accuracy")]
    field: Annotated[float, Is("share", "field accuracy")]
    rung: Annotated[int, Is("", "rung of the ladder")]


@dataclass(frozen=True, kw_only=True)
class Round(Event):
    """A financing round closes."""

    kind = "round"
    weight = 8
    phrase = ("raises {amount_usd:money} in a {stage} round from {other}",)
    other: Annotated[str, Is("", "investors")]
    amount_usd: Annotated[float, Is("USD", "money raised")]
    stage: Annotated[str, Is("", "stage of the round")]


@dataclass(frozen=True, kw_only=True)
class DownRound(Event):
    """The price of the round lies below the last."""

    kind = "down round"
    weight = 7
    phrase = ("the round is a down round: {change:.0%} on the last",)
    amount_usd: Annotated[float, Is("USD", "change against the last post-money valuation")]
    change: Annotated[float, Is("share", "the same, relative")]


@dataclass(frozen=True, kw_only=True)
class BridgeNote(Event):
    """Investors lend on convertible notes after a refusal."""

    kind = "bridge note"
    weight = 7
    phrase = ("{other} of series {stage} lend {amount_usd:money} on convertible notes",)
    other: Annotated[str, Is("", "lenders")]
    amount_usd: Annotated[float, Is("USD", "money lent")]
    stage: Annotated[str, Is("", "stage of the lenders' round")]


@dataclass(frozen=True, kw_only=True)
class Recapitalised(Event):
    """A round wipes out who does not take part."""

    kind = "recapitalised"
    weight = 8
    phrase = ("recapitalised: {other} put in {amount_usd:money} at {pre_money_usd:money} pre-money",)
    more = ("; {converted:percent} of the old preferred stock becomes common",)
    other: Annotated[str, Is("", "investors")]
    amount_usd: Annotated[float, Is("USD", "money raised")]
    pre_money_usd: Annotated[float, Is("USD", "valuation before the money")]
    before_usd: Annotated[float, Is("USD", "last post-money valuation before it")]
    converted: Annotated[float, Is("share", "part of the old preferred stock that became common")]
    preference: Annotated[float, Is("ratio", "claim of the new stock per dollar paid")]
    pool_share: Annotated[float, Is("share", "part of the firm that founders and staff got anew")]


@dataclass(frozen=True, kw_only=True)
class RaiseRefused(Event):
    """A raise finds too little money. `None`: nothing would have been enough."""

    kind = "raise refused"
    weight = 7
    phrase = ("series {stage} refused at {revenue_usd_year:money} revenue a year: {why}",)
    more = ("; the usual price was {amount_usd:money} pre-money",)
    amount_usd: Annotated[float, Is("USD", "usual pre-money valuation")]
    why: Annotated[str, Is("", "`no fund with money saw the value` or `too little money from those who saw it`")]
    stage: Annotated[str, Is("", "stage of the round")]
    revenue_usd_year: Annotated[float, Is("USD/year", "what due diligence found: revenue")]
    growth_year: Annotated[float, Is("1/year", "its growth")]
    advantage_lab: Annotated[float, Is("share", "advantage of the model in the lab")]
    advantage_field: Annotated[float, Is("share", "advantage of the model in the field")]
    free_users: Annotated[float, Is("users", "users who do not pay")]
    climate: Annotated[float, Is("ratio", "funding climate")]
    value_usd: Annotated[float, Is("USD", "fair value, before any fund's belief and error")]
    value_asked_usd: Annotated[float | None, Is("USD", "fair value from which the same funds would have closed")]
    revenue_asked_usd_year: Annotated[float | None, Is("USD/year", "revenue from which they would, all else alike")]


@dataclass(frozen=True, kw_only=True)
class Supplier(Event):
    """Another supplier of compute, rows or staff."""

    kind = "supplier"
    phrase = ("changes its supplier of {service}: {before:itself} → {other:itself}",)
    other: Annotated[str, Is("", "firm it buys from now; empty: does it itself")]
    service: Annotated[str, Is("", "`compute`, `data` or `outsourcing`")]
    before: Annotated[str, Is("", "firm it bought from; empty: did it itself")]


@dataclass(frozen=True, kw_only=True)
class Sourcing(Event):
    """A firm gets its next model in another way, or from another supplier."""

    kind = "sourcing"
    weight = 6
    phrase = ("will get its next model by way of {after}", ", from {other}", "; until now by way of {before}")
    more = ("; engineers' work for the move: {amount_usd:money}",)
    other: Annotated[str, Is("", "supplier on whom it will rest; empty: none, and for open weights")] = ""
    amount_usd: Annotated[float, Is("USD", "engineers' work of the move")] = 0.0
    sector: Annotated[str, Is("", "sector, where it is not the firm's home")]
    before: Annotated[str, Is("", "way of the model in use; empty before the first")]
    after: Annotated[str, Is("", "way from now on: `scratch`, `api`, `open`, `licence` or `own`")]
    expected: Annotated[
        dict[str, float], Is("share", "advantage over the traditional method that it expected of each way open to it")
    ]


@dataclass(frozen=True, kw_only=True)
class SupplierLost(Event):
    """The supplier of the model that a firm builds on ends, or takes it off the market."""

    kind = "supplier lost"
    weight = 6
    phrase = ("{other} will no longer supply its model; {months} months are left",)
    other: Annotated[str, Is("", "supplier")]
    months: Annotated[int, Is("months", "time for which the model may still be used")]


@dataclass(frozen=True, kw_only=True)
class Pivot(Event):
    """Another way of earning, for sales stayed under a fifth of costs."""

    kind = "pivot"
    weight = 8
    phrase = ("changes how it earns in {other}: {before} → {after} (sales under a fifth of costs)",)
    other: Annotated[str, Is("", "segment")]
    before: Annotated[str, Is("", "revenue model until then")]
    after: Annotated[str, Is("", "revenue model from then on")]


@dataclass(frozen=True, kw_only=True)
class MarketResearch(Event):
    """A startup learns from a study what a segment of its sector would bring."""

    kind = "market research"
    weight = 3
    phrase = ("learns for {amount_usd:money} that {other} would bring {seen_usd_month:money} a month",)
    more = (" (truly {true_usd_month:money})",)
    other: Annotated[str, Is("", "segment that seems to bring most")]
    amount_usd: Annotated[float, Is("USD", "cost of the study")]
    seen_usd_month: Annotated[float, Is("USD/month", "what it would bring by the study, a year after entry")]
    true_usd_month: Annotated[float, Is("USD/month", "what it would bring as market and rivals stand")]


@dataclass(frozen=True, kw_only=True)
class SegmentEntered(Event):
    """A startup begins to sell in another segment of its sector."""

    kind = "segment entered"
    weight = 8
    phrase = ("enters the segment {other} for {amount_usd:money}, earning by {earns}",)
    other: Annotated[str, Is("", "segment")]
    amount_usd: Annotated[float, Is("USD", "what entry costs")]
    earns: Annotated[str, Is("", "revenue model there")]


@dataclass(frozen=True, kw_only=True)
class SegmentLeft(Event):
    """A startup stops selling in a segment of its sector."""

    kind = "segment left"
    weight = 8
    phrase = ("leaves the segment {other}, which brings {brings_usd_month:money} a month",)
    other: Annotated[str, Is("", "segment")]
    brings_usd_month: Annotated[float, Is("USD/month", "takings there less cost of serving")]


@dataclass(frozen=True, kw_only=True)
class Profitable(Event):
    """The first twelve months in profit."""

    kind = "profitable"
    weight = 7
    phrase = ("first twelve months in profit: {amount_usd:money}",)
    amount_usd: Annotated[float, Is("USD", "profit of twelve months")]


@dataclass(frozen=True, kw_only=True)
class Answer(Event):
    """An incumbent's answer to a rival. What it believes of it, and what is true."""

    kind = ""
    quality_seen: Annotated[float | None, Is("share", "field accuracy believed; null: not noticed")]
    quality: Annotated[float, Is("share", "field accuracy of the rival")]
    share_seen: Annotated[float | None, Is("share", "share of the sector believed; null: not noticed")]
    share: Annotated[float, Is("share", "share of the sector that the rival holds")]


@dataclass(frozen=True, kw_only=True)
class PriceCut(Answer):
    """An incumbent cuts its price against a large rival."""

    kind = "price cut"
    phrase = ("{firm} cuts its price",)
    more = (" ({rival} seems to hold {share_seen:.0%}, truly {share:.0%}; level {level:.2f})",)
    rival: Annotated[str, Is("", "the rival that it answers")]
    level: Annotated[float, Is("ratio", "new price, in reference prices")]


@dataclass(frozen=True, kw_only=True)
class Imitation(Answer):
    """An incumbent trains out of turn against a better rival."""

    kind = "imitation"
    phrase = ("{firm} imitates {rival} (which seems to reach {quality_seen:.3f} in the field, truly {quality:.3f})",)
    rival: Annotated[str, Is("", "the rival that it answers")]


@dataclass(frozen=True, kw_only=True)
class ThreatOverlooked(Answer):
    """A rival that deserves an answer is not noticed, or not believed in; at most once a calendar year."""

    kind = "threat overlooked"
    phrase = ("{firm} overlooks {other} (truly {quality:.3f} in the field and {share:.0%} of the sector)",)
    other: Annotated[str, Is("", "the rival")]


@dataclass(frozen=True, kw_only=True)
class RunBrokeDown(Event):
    """Attempts at a training run break down."""

    kind = "run broke down"
    weight = 2
    phrase = ("training run {run:key} breaks down: {attempts} attempts, {lost_runs:.1f} runs of work lost",)
    other: Annotated[str, Is("", "sector, where it is not the firm's home")] = ""
    run: Annotated[str, Is("", "key of the training run")]
    attempts: Annotated[int, Is("", "attempts that broke down")]
    lost_runs: Annotated[float, Is("runs", "work lost")]


@dataclass(frozen=True, kw_only=True)
class Breach(Event):
    """A data breach."""

    kind = "breach"
    weight = 6
    phrase = ("data breach, {amount_usd:money} paid ({rows:,.0f} rows)",)
    amount_usd: Annotated[float, Is("USD", "what was paid")] = 0.0
    rows: Annotated[float, Is("rows", "rows held")]


@dataclass(frozen=True, kw_only=True)
class Outage(Event):
    """A serious outage."""

    kind = "outage"
    weight = 3
    phrase = ("serious outage ({operators:.0f} operators)",)
    amount_usd: Annotated[float, Is("USD", "what was paid: nothing, customers lose trust")] = 0.0
    operators: Annotated[float, Is("people", "operations staff then")]


@dataclass(frozen=True, kw_only=True)
class Accident(Event):
    """An error of a model does harm."""

    kind = "accident"
    weight = 7
    phrase = ("accident, {amount_usd:money} paid (field accuracy {field:.3f})",)
    amount_usd: Annotated[float, Is("USD", "what was paid")] = 0.0
    field: Annotated[float, Is("share", "field accuracy of the model")]


@dataclass(frozen=True, kw_only=True)
class Grant(Event):
    """A founding grant."""

    kind = "grant"
    weight = 3
    phrase = ("gets a founding grant of {amount_usd:money}",)
    other: Annotated[str, Is("", "`government`")] = "government"
    amount_usd: Annotated[float, Is("USD", "the grant")]


@dataclass(frozen=True, kw_only=True)
class BudgetUsedUp(Event):
    """The budget of a programme is spent for this year; it concerns no single firm."""

    kind = "budget used up"
    phrase = ("the budget of {year} for {programme} is spent",)
    other: Annotated[str, Is("", "`government`, or the jurisdiction whose budget it is")] = "government"
    amount_usd: Annotated[float, Is("USD/year", "the budget")]
    programme: Annotated[str, Is("", "programme")]
    year: Annotated[int, Is("year", "calendar year")]


@dataclass(frozen=True, kw_only=True)
class MarketLeft(Event):
    """A firm stops selling to a jurisdiction whose law costs more than it earns there."""

    kind = "market left"
    weight = 5
    phrase = (
        "sells no more in {other}: its law costs {amount_usd:money} a month, sales there bring {earned_usd:money}",
    )
    other: Annotated[str, Is("", "the jurisdiction")]
    amount_usd: Annotated[float, Is("USD/month", "what its law costs the firm")]
    earned_usd: Annotated[float, Is("USD/month", "what sales there bring")]


@dataclass(frozen=True, kw_only=True)
class MarketEntered(Event):
    """A firm sells again to a jurisdiction that it had left."""

    kind = "market entered"
    phrase = ("sells again in {other}: sales there would bring {earned_usd:money} a month, its law {amount_usd:money}",)
    other: Annotated[str, Is("", "the jurisdiction")]
    amount_usd: Annotated[float, Is("USD/month", "what its law costs the firm")]
    earned_usd: Annotated[float, Is("USD/month", "what sales there would bring")]


@dataclass(frozen=True, kw_only=True)
class UniversityLink(Event):
    """Joint work with universities begins."""

    kind = "university link"
    phrase = ("works with universities: {rows:,.0f} shared rows",)
    other: Annotated[str, Is("", "`universities`")] = "universities"
    rows: Annotated[float, Is("rows", "rows shared")]


@dataclass(frozen=True, kw_only=True)
class Management(Event):
    """Managers move a lever, for an indicator falls short."""

    kind = "management"
    phrase = (
        "its managers change {step}: {lever} {before:.2f} → {after:.2f}, for {indicator} is at {reached:.0%} of the "
        "target, {aspired:.0%} aspired to",
    )
    amount_usd: Annotated[float, Is("USD", "cost of the step")]
    indicator: Annotated[str, Is("", "indicator that falls short")]
    reached: Annotated[float, Is("share of the target", "what was reached")]
    aspired: Annotated[float, Is("share of the target", "what was aspired to")]
    step: Annotated[str, Is("", "name of the step")]
    lever: Annotated[str, Is("", "setting that is moved")]
    before: Annotated[float, Is("", "its value before")]
    after: Annotated[float, Is("", "its value after")]


@dataclass(frozen=True, kw_only=True)
class RiskResponse(Event):
    """Money is spent or put aside against risks."""

    kind = "risk response"
    weight = 3
    phrase = ("spends on its risks (USD): {done_usd:amounts}",)
    more = ("; the largest is {risk}: {rate_year:.2f} a year, {loss_usd:,.0f} USD each",)
    amount_usd: Annotated[float, Is("USD", "spent and put aside")]
    done_usd: Annotated[dict[str, float], Is("USD", "by what was done")]
    risk: Annotated[str, Is("", "the largest risk")]
    rate_year: Annotated[float, Is("1/year", "its rate")]
    loss_usd: Annotated[float, Is("USD", "its loss, each time")]


@dataclass(frozen=True, kw_only=True)
class KeyPersonLeft(Event):
    """A key person leaves."""

    kind = "key person left"
    weight = 6
    phrase = ("a key person leaves: skill {before:.2f} → {after:.2f}, for {months:.0f} months or more",)
    before: Annotated[float, Is("0..1", "skill of the team before")]
    after: Annotated[float, Is("0..1", "and after")]
    months: Annotated[float, Is("months", "least time until a successor is found")]


@dataclass(frozen=True, kw_only=True)
class KeyPersonReplaced(Event):
    """The successor is hired."""

    kind = "key person replaced"
    phrase = ("the key person is replaced for {amount_usd:money}",)
    amount_usd: Annotated[float, Is("USD", "cost")]


@dataclass(frozen=True, kw_only=True)
class Examined(Event):
    """An examination before sale."""

    kind = ""
    other: Annotated[str, Is("", "segment")]
    run: Annotated[str, Is("", "key of the training run")]
    field: Annotated[float, Is("share", "field accuracy")]
    fairness_gap: Annotated[float, Is("share", "fairness gap")]


@dataclass(frozen=True, kw_only=True)
class Certified(Examined):
    """A model passes its examination."""

    kind = "certified"
    weight = 3
    phrase = (
        "run {run:key} passes its examination for {other}: field accuracy {field:.3f}, fairness gap {fairness_gap:.3f}",
    )


@dataclass(frozen=True, kw_only=True)
class CertificateRefused(Examined):
    """A model fails its examination."""

    kind = "certificate refused"
    weight = 7
    phrase = (
        "run {run:key} fails its examination for {other}: field accuracy {field:.3f}, fairness gap {fairness_gap:.3f}",
    )


@dataclass(frozen=True, kw_only=True)
class Audited(Event):
    """What an audit finds."""

    kind = ""
    other: Annotated[str, Is("", "regulator")]
    run: Annotated[str, Is("", "key of the training run")]
    sector: Annotated[str, Is("", "sector, where it is not the firm's home")]
    leakage: Annotated[float, Is("advantage", "leakage")]
    fairness_gap: Annotated[float, Is("share", "fairness gap")]
    field: Annotated[float, Is("share", "field accuracy")]
    minimisation: Annotated[float, Is("share", "inputs not collected")]
    epsilon: Annotated[float | None, Is("", "ε that private training guarantees; null: none")]
    incident: Annotated[str, Is("", "incident that brought the audit; empty: none")]


_FOUND = (
    ": leakage {leakage:.3f}, fairness gap {fairness_gap:.3f}, field accuracy {field:.3f}, "
    "{minimisation:.0%} of inputs not collected"
)
_AUDIT_MORE = (", ε {epsilon:.1f}", "; after the {incident}")


@dataclass(frozen=True, kw_only=True)
class AuditPassed(Audited):
    """An audit finds nothing wrong."""

    kind = "audit passed"
    weight = 2
    phrase = ("passes an audit of run {run:key}" + _FOUND, *_AUDIT_MORE)


@dataclass(frozen=True, kw_only=True)
class AuditFailed(Audited):
    """An audit ends with a fine and an order."""

    kind = "audit failed"
    weight = 7
    phrase = ("fails an audit of run {run:key}" + _FOUND, *_AUDIT_MORE)
    more = ("; fine {amount_usd:money}",)
    amount_usd: Annotated[float, Is("USD", "fine paid")]
    findings: Annotated[list[str], Is("", "what was wrong: `leaks`, `unfair`, `inaccurate`, `excessive`")]


@dataclass(frozen=True, kw_only=True)
class Withdrawn(Event):
    """Offers are withdrawn from the market, for an order was not followed in time."""

    kind = "withdrawn"
    weight = 9
    phrase = ("its offers are withdrawn from the market: an order to fix was not followed in time",)
    other: Annotated[str, Is("", "regulator")]
    sector: Annotated[str, Is("", "sector, where it is not the firm's home")]


@dataclass(frozen=True, kw_only=True)
class Left(Event):
    """An ending."""

    kind = ""
    weight = 9
    causes: Annotated[list[dict[str, Any]], Is("", "why, the most telling first; each a `kind` and its figures")]


@dataclass(frozen=True, kw_only=True)
class Acquired(Left):
    """A startup is bought."""

    kind = "acquired"
    phrase = ("is bought by {other} for {amount_usd:money}",)
    other: Annotated[str, Is("", "buyer")]
    amount_usd: Annotated[float, Is("USD", "price")]


@dataclass(frozen=True, kw_only=True)
class Bankrupt(Left):
    """A startup cannot pay and finds no buyer."""

    kind = "bankrupt"
    phrase = ("goes bankrupt",)


@dataclass(frozen=True, kw_only=True)
class GaveUp(Left):
    """Founders or investors end a startup that can still pay, and nobody buys it."""

    kind = "gave up"
    phrase = ("gives up",)
    more = ("; {amount_usd:money} are left for its holders",)
    amount_usd: Annotated[float, Is("USD", "what holders got")]


@dataclass(frozen=True, kw_only=True)
class Closed(Left):
    """The parent of an incumbent closes a line that loses, and nobody buys it."""

    kind = "closed"
    phrase = ("{firm} closes its line",)


@dataclass(frozen=True, kw_only=True)
class BudgetMoved(Event):
    """The parent of an incumbent moves what it pays, for results were good or bad."""

    kind = "budget moved"
    weight = 3
    phrase = ("its parent now pays {factor:.0%} of what it first did",)
    amount_usd: Annotated[float, Is("USD/month", "what it pays from now on")]
    growth_year: Annotated[float, Is("1/year", "growth of the line's sales")]
    factor: Annotated[float, Is("ratio", "against what it first paid")]


@dataclass(frozen=True, kw_only=True)
class Listed(Left):
    """A startup goes public."""

    kind = "listed"
    phrase = ("goes public: raises {amount_usd:money}, valued at {value_usd:money}",)
    amount_usd: Annotated[float, Is("USD", "money raised by the firm")]
    value_usd: Annotated[float, Is("USD", "valuation")]


@dataclass(frozen=True, kw_only=True)
class PretrainingBegun(Event):
    """A laboratory begins to train a large model."""

    kind = "pretraining begun"
    weight = 5
    phrase = ("begins to train a foundation of rung {rung:g} for about {amount_usd:money}",)
    amount_usd: Annotated[float, Is("USD", "what it expects to pay until the end")]
    rung: Annotated[float, Is("", "rung of the ladder of foundations")]
    vintage: Annotated[int, Is("year", "year of the text")]
    training_flop: Annotated[float, Is("FLOP", "real training operations that it stands for")]


@dataclass(frozen=True, kw_only=True)
class FoundationReleased(Event):
    """A laboratory releases a large model."""

    kind = "foundation released"
    weight = 8
    phrase = ("releases a foundation of rung {rung:g}, measured loss {loss:.3f} (run {run:key}), by {access}",)
    more = ("; it cost {amount_usd:money}",)
    amount_usd: Annotated[float, Is("USD", "what training it cost")]
    run: Annotated[str, Is("", "key of the foundation in the weight store")]
    rung: Annotated[float, Is("", "rung of the ladder of foundations")]
    loss: Annotated[float, Is("nats", "measured loss of a token of held-out text")]
    access: Annotated[str, Is("", "`api`, `licence` or `open`")]
    training_flop: Annotated[float, Is("FLOP", "real training operations that it stands for")]


@dataclass(frozen=True, kw_only=True)
class FoundationOpened(Event):
    """A laboratory opens the weights of a large model that it sold before."""

    kind = "opened"
    weight = 7
    phrase = ("opens the weights of its foundation of rung {rung:g}: {why}",)
    run: Annotated[str, Is("", "key of the foundation in the weight store")]
    rung: Annotated[float, Is("", "rung of the ladder of foundations")]
    why: Annotated[str, Is("", "`behind` the frontier, or to `commoditise` what rivals sell")]


@dataclass(frozen=True, kw_only=True)
class FoundationRepriced(Event):
    """The price of a large model has moved by three tenths since the last such event, or since its release."""

    kind = "repriced"
    weight = 4
    phrase = ("asks {amount_usd:money} for what cost {before_usd:money} (foundation of rung {rung:g})",)
    other: Annotated[str, Is("", "rival whose price it answers, where one is cheaper for what it is worth")] = ""
    amount_usd: Annotated[float, Is("USD", "new price: of a million tokens, or of a month's licence")]
    before_usd: Annotated[float, Is("USD", "price then")]
    run: Annotated[str, Is("", "key of the foundation in the weight store")]
    rung: Annotated[float, Is("", "rung of the ladder of foundations")]


@dataclass(frozen=True, kw_only=True)
class LabFunded(Event):
    """Investors put money into a laboratory."""

    kind = "lab funded"
    weight = 8
    phrase = ("raises {amount_usd:money}, valued at {value_usd:money}",)
    amount_usd: Annotated[float, Is("USD", "money raised")]
    value_usd: Annotated[float, Is("USD", "valuation before the money")]


@dataclass(frozen=True, kw_only=True)
class PlatformEntry(Event):
    """A laboratory enters a sector of its customers: with a product of its own, or with its owner's."""

    kind = "platform entry"
    weight = 9
    phrase = ("enters the sector {sector} of its customers with {other}",)
    more = ("; they earned {customers_usd_year:money} a year",)
    other: Annotated[str, Is("", "firm that sells the product: one of its own, or its owner")]
    amount_usd: Annotated[float, Is("USD", "capital of the product")]
    sector: Annotated[str, Is("", "sector entered")]
    customers_usd_year: Annotated[float, Is("USD/year", "what its customers there earned")]


@dataclass(frozen=True, kw_only=True)
class LabEnded(Event):
    """A laboratory ends: what it sold is withdrawn; open weights stay."""

    kind = "lab ended"
    weight = 9
    phrase = ("ends: {why}",)
    why: Annotated[str, Is("", "`cash` is out, or its `owner` has ended")]


@dataclass(frozen=True, kw_only=True)
class Law(Event):
    """A dated intervention takes effect; it concerns no single firm, and is dated to the first day of its month."""

    kind = "law"
    phrase = ("law changes: {says}",)
    judged = False
    says: Annotated[str, Is("", "what the intervention says")]


@dataclass(frozen=True, kw_only=True)
class Breakthrough(Event):
    """Something becomes possible that was not; it concerns no single firm."""

    kind = "breakthrough"
    weight = 6
    phrase = ("a breakthrough, {other}: {what} in {sectors:list}",)
    more = ("; a GPU hour achieves {factor:.1f} times as much", "; model kind {model_kind}", "; rows of {source}")
    other: Annotated[str, Is("", "its name")]
    what: Annotated[str, Is("", "`efficiency`, `architecture` or `crossover`")]
    sectors: Annotated[list[str], Is("", "sectors that it reaches")]
    factor: Annotated[float | None, Is("ratio", "what a GPU hour achieves, against before; null: unchanged")]
    model_kind: Annotated[str, Is("", "kind of model that becomes known; empty: none")]
    source: Annotated[str, Is("", "sector whose rows become usable; empty: none")]


@dataclass(frozen=True, kw_only=True)
class TakenUp(Event):
    """A firm begins to use a breakthrough."""

    kind = "breakthrough taken up"
    weight = 5
    phrase = ("takes up the breakthrough {other} ({what}) after {waited_months:.0f} months",)
    other: Annotated[str, Is("", "name of the breakthrough")]
    what: Annotated[str, Is("", "`efficiency`, `architecture` or `crossover`")]
    sector: Annotated[str, Is("", "sector, where it is not the firm's home")]
    waited_months: Annotated[float, Is("months", "time since it was known, or since the firm was founded")]


def _all_kinds(base: type[Event]) -> list[type[Event]]:
    found = [base] if "kind" in vars(base) and base.kind else []
    return [*found, *(kind for sub in base.__subclasses__() for kind in _all_kinds(sub))]


KINDS: dict[str, type[Event]] = {kind.kind: kind for kind in _all_kinds(Event)}
"""The kinds of events by name."""
JUDGED = tuple(name for name, kind in KINDS.items() if kind.judged)
"""Kinds that a statement may ask for."""


def phrase_of(kind: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """(what happened, details) in words, from an event's columns and fields; of an unknown kind, its name."""
    known = KINDS.get(kind)
    if known is None:
        return kind, ""
    return words.told(known.phrase, values), words.told(known.more, values)


def declared_fields(kind: type[Event]) -> dict[str, Is]:
    """Fields that a kind declares, with unit and meaning; columns that it makes no use of are left out."""
    hints = get_type_hints(kind, include_extras=True)
    notes = {one.name: getattr(hints[one.name], "__metadata__", ()) for one in fields(kind)}
    return {name: note for name, found in notes.items() for note in found if isinstance(note, Is)}
