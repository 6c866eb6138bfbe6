"""The market: offers as columns, cleared once a month for all segments of all sectors together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from simulation.demand import Choices, Floats, Ints, aware_unserved, choose, inclusive_value, next_trust
from simulation.revenue import (
    CONVERTS,
    GIVEN_AWAY,
    MODELS,
    RECORDS,
    STARTS_FREE,
    TAILORED,
    RevenueModelRecord,
    cash_terms,
    unit_terms,
)
from simulation.settings import BrandSettings, RevenueModel, RevenueSettings, SectorSettings, SegmentSettings
from simulation.tastes import WEIGHED, cells, composition, number_of_types, tastes_of
from simulation.trend import Trend, grown

SHOWN = ("lab", "field", "field_accuracy", "brand_usd", "fit", "edge", "inference_scale", "fairness_gap", "leakage")
_N_SHOWN = len(SHOWN)
_FLOAT_COLUMNS = (*SHOWN, "price_usd", "trust", "capacity", "customers", "free", "won", "lost", "converted", "renewed")
_TERMS = ("upfront_usd", "monthly_usd", "perceived_usd_month", "serving_share")
_COLUMNS = (*_FLOAT_COLUMNS, *_TERMS, "reach")
_HELD = ("customers", "free")  # columns of those whom an offer serves, by kind; they stand side by side
_FIRST_HELD = _COLUMNS.index(_HELD[0])
_COMES = np.stack([~STARTS_FREE, STARTS_FREE])  # whether new customers of an offer are of each kind, by model
_TRUST, _CAPACITY, _SCALE, _REACH = (_COLUMNS.index(name) for name in ("trust", "capacity", "inference_scale", "reach"))
_SEGMENT_FIELDS = (
    "customers", "reference_price_usd", "advantage_weight", "price_weight", "brand_weight", "trust_weight",
    "tailoring_weight", "edge_weight", "adoption_hurdle", "switching_cost", "contract_months", "closure_rate_year",
    "innovation_rate_year", "imitation_rate_year", "field_threshold", "usage_rows_month", "inference_gpu_hours",
    "project_staff_months",
)  # fmt: skip


class Standing(NamedTuple):
    """What one firm has in the market at the end of a month, over all its offers."""

    paying: float  # customers
    free: float  # free users
    trust: float  # weighted by the value served
    freemium_paying: float
    freemium_free: float
    new_paying: float  # customers who began to pay in the month


class Market:
    """All offers. A *slot* is the stable index of one offer; columns are arrays over slots.

    Columns (units): price_usd (per customer-month), brand_usd (goodwill), fit (utils), lab and field (advantage over
    the traditional method, as promised and as lived), field_accuracy, trust (0..1), edge (1: fits the device),
    capacity (new customers the firm can take on in the month), customers (paying), free (free users), won, lost,
    converted, renewed (customers in the last month; who renews a product buys it again), inference_scale (cost of
    serving against a mid-ladder model), fairness_gap and leakage (of the model, as measured), reach (part of the
    segment's customers to whom the offer may be sold).

    Columns count buyers of all types; `mix` has the parts of the types in `customers` (0) and `free` (1), shape
    [kinds, types, n_offers].
    """

    def __init__(
        self,
        sectors: Mapping[str, SectorSettings],
        revenue: RevenueSettings,
        brand: BrandSettings,
        year: float = 2014.0,
    ) -> None:
        self.n_offers, self.year = 0, year
        self._is_split = False  # whether some offer does not reach all customers of its segment
        self.firm: list[str] = []
        self.firm_index: dict[str, int] = {}
        self._trends: dict[tuple[str, str], Trend] = {}  # of the number of customers, by segment
        self._anchors: dict[tuple[str, str], float] = {}  # `customers_year` of each
        # Room for more offers than there are; what is public are views of the part in use.
        self._floats: Floats = np.zeros((len(_COLUMNS), 64))
        self._whole: Ints = np.zeros((3, 64), np.int64)
        self._flags: np.ndarray = np.zeros((2, 64), bool)
        self.n_types = number_of_types([row for sector in sectors.values() for row in sector.segments.values()])
        self._mixes: Floats = np.zeros((len(_HELD), self.n_types, 64))
        self._show_columns()
        self.configure(sectors, revenue, brand)

    def configure(self, sectors: Mapping[str, SectorSettings], revenue: RevenueSettings, brand: BrandSettings) -> None:
        """Take (new) settings: at the start and after an intervention. Sectors and segments must stay the same."""
        self.revenue, self.brand, self._unit_terms = revenue, brand, unit_terms(revenue)
        self.segment_names = [(sector, name) for sector in sectors for name in sectors[sector].segments]
        self.segment_index = {key: i for i, key in enumerate(self.segment_names)}
        self.sector_names = list(sectors)
        self.sector_of = np.array([self.sector_names.index(sector) for sector, _ in self.segment_names])
        edges = np.searchsorted(self.sector_of, range(len(self.sector_names) + 1)).tolist()  # they stand side by side
        self.segments_of = {name: slice(*edges[i : i + 2]) for i, name in enumerate(self.sector_names)}
        rows = [sectors[sector].segments[name] for sector, name in self.segment_names]
        self.s = {field: np.array([float(getattr(row, field)) for row in rows]) for field in _SEGMENT_FIELDS}
        for key, row in zip(self.segment_names, rows, strict=True):
            self._bend(key, row)
        self.tastes = tastes_of(rows)
        self.t = {name: self.s[name] * self.tastes.times[name] for name in WEIGHED}
        self._growth = [(row.customers, self._trends[key]) for key, row in zip(self.segment_names, rows, strict=True)]
        self._resize()
        self._stale = True
        self._forget_places()
        if not hasattr(self, "surplus_usd"):
            self.surplus_usd = np.zeros(len(rows))
        self._scale_to_segment()

    def grow(self, year: float) -> None:
        """Take the numbers of potential customers to `year`."""
        self.year = year
        if any(trend.rate for _, trend in self._growth):
            self._resize()
            self._forget_places()
            self._scale_to_segment()

    def _resize(self) -> None:
        """Potential customers by segment now; at least one."""
        for i, (customers, trend) in enumerate(self._growth):
            if trend.rate or trend.reached != 1.0:
                self.s["customers"][i] = max(customers * trend.at(self.year), 1.0)

    def _bend(self, key: tuple[str, str], segment: SegmentSettings) -> None:
        """Let a segment grow at its rate in force: from now on, or from the year to which a new number refers."""
        rate, year = segment.customers_growth_year, segment.customers_year
        if self._anchors.get(key) != year:
            self._anchors[key], self._trends[key] = year, Trend(grown, rate, year)
        self._trends[key].bend(rate, self.year)

    def _scale_to_segment(self) -> None:
        """Where a type of a segment shrinks below what is served of it, all offers lose alike."""
        there = self.tastes.share * self.s["customers"]
        keep = np.minimum(there / np.maximum(self.served_by_type(), 1e-12), 1.0)[:, self.segment]
        self._hold(self.held() * keep)

    def __getitem__(self, column: str) -> Floats:
        """A column by name, shape [n_offers]; writing into it changes the market."""
        return self.columns[column]

    def _show_columns(self) -> None:
        n = self.n_offers
        self.columns: dict[str, Floats] = {name: row[:n] for name, row in zip(_COLUMNS, self._floats, strict=True)}
        self._held = self._floats[_FIRST_HELD : _FIRST_HELD + len(_HELD), :n]
        self.mix = self._mixes[:, :, :n]
        self.model, self.segment, self._owner = (row[:n] for row in self._whole)
        self.selling, self._withdrawn = (row[:n] for row in self._flags)

    def _make_room(self) -> None:
        """Twice the room when it is used up: the cost of an offer does not grow with their number."""
        if self.n_offers == self._floats.shape[1]:
            self._floats, self._whole, self._flags, self._mixes = (
                np.concatenate([block, np.zeros_like(block)], axis=-1)
                for block in (self._floats, self._whole, self._flags, self._mixes)
            )

    def register(self, firm: str) -> int:
        """The index of a firm, new where it has none; a firm without offers has a standing too."""
        return self.firm_index.setdefault(firm, len(self.firm_index))

    def add_offer(self, firm: str, sector: str, segment: str, model: RevenueModel) -> int:
        """Open an offer; returns its slot. It sells nothing until `selling[slot]` is set."""
        self._make_room()
        slot = self.n_offers
        self.n_offers += 1
        self.firm.append(firm)
        owner = self.register(firm)
        self._whole[:, slot] = MODELS.index(model), self.segment_index[sector, segment], owner
        self._floats[_TRUST, slot] = self.brand.trust_start
        self._floats[_CAPACITY, slot] = np.inf
        self._floats[_SCALE, slot] = self._floats[_REACH, slot] = 1.0
        self._mixes[:, :, slot] = self.tastes.share[:, self.segment_index[sector, segment]]
        self._show_columns()
        self._stale = True
        self._forget_places()
        return slot

    def show(self, slot: int, seen: tuple[float, ...], selling: bool) -> None:
        """Put what customers see and feel of an offer into its columns: values in the order of SHOWN."""
        self._floats[:_N_SHOWN, slot] = seen
        self.selling[slot] = selling

    def set_price(self, slot: int, price_usd: float) -> None:
        """Change the price of an offer."""
        prices = self.columns["price_usd"]
        if prices.item(slot) != price_usd:
            prices[slot] = price_usd
            self._stale = True

    def set_model(self, slot: int, model: RevenueModel) -> None:
        """Change how an offer earns; free users of an offer that stops being free leave, payers stay."""
        self.model[slot] = MODELS.index(model)
        if not self.record_of(slot).starts_free:
            self["free"][slot] = 0.0
        self._stale = True

    def set_reach(self, slot: int, reach: float) -> None:
        """Offer to another part (above 0) of a segment's customers; of those who are no longer reached none stays."""
        column = self.columns["reach"]
        before = column.item(slot)
        if reach == before:
            return
        if reach < before:
            for name in ("customers", "free"):
                self.columns[name][slot] *= reach / before
        column[slot], self._is_split = reach, True

    def record_of(self, slot: int) -> RevenueModelRecord:
        """How an offer earns."""
        return RECORDS[self.model.item(slot)]

    def care_share(self, slot: int) -> float:
        """Care that a customer of an offer needs, against one whose model the vendor runs."""
        return self._unit_terms.care_share.item(self.model.item(slot))

    def withdraw(self, slot: int) -> None:
        """Take an offer off the market; its customers go back to the traditional method."""
        self.selling[slot], self._withdrawn[slot] = False, True
        for name in ("customers", "free", "won", "lost", "converted", "renewed"):
            self[name][slot] = 0.0

    def move_customers(self, source: int, target: int) -> None:
        """Hand the customers of one offer to another (an acquisition); free users leave an offer that is not free."""
        earns, held = self.record_of(target), self.held()[:, :, source]
        self.take_on(target, held[0], free=earns.starts_free and not earns.converts)
        if earns.starts_free:
            self.take_on(target, held[1], free=True)
        self.withdraw(source)

    def take_on(self, slot: int, buyers: Floats, free: bool) -> None:
        """Give an offer paying customers, or `free` users: numbers by type, shape [types]."""
        kind = int(free)
        column, mix = self[_HELD[kind]], self.mix[kind, :, slot]
        mix[:] = composition((column[slot] * mix + buyers)[:, np.newaxis], mix[:, np.newaxis])[:, 0]
        column[slot] += buyers.sum()

    def held(self) -> Floats:
        """Paying customers (0) and free users (1) of each offer by type, shape [kinds, types, n_offers]."""
        return self._held[:, np.newaxis] * self.mix

    def _hold(self, held: Floats) -> None:
        """Set who is served, by kind and type."""
        self._held[:] = held.sum(axis=1)
        self.mix[:] = composition(held, self.tastes.share[:, self.segment])

    def served_by_type(self) -> Floats:
        """Buyers served by type and segment, paying or not, shape [types, segments]."""
        served = np.bincount(self.cells.ravel(), self.held().sum(axis=0).ravel(), self.tastes.share.size)
        return served.reshape(self.tastes.share.shape).astype(float)

    def unserved_by_type(self) -> Floats:
        """Buyers by type and segment who use the traditional method, shape [types, segments]."""
        return np.maximum(self.tastes.share * self.s["customers"] - self.served_by_type(), 0.0)

    @property
    def owner(self) -> Ints:
        """Index of each offer's firm, as in `firm_index`, shape [n_offers]."""
        return self._owner

    @property
    def live(self) -> np.ndarray:
        """Which offers are not withdrawn, shape [n_offers]."""
        return ~self._withdrawn

    def served(self) -> Floats:
        """Customers served per segment, paying or not."""
        return np.bincount(self.segment, self["customers"] + self["free"], len(self.segment_names)).astype(float)

    def unserved(self) -> Floats:
        """Customers per segment who use the traditional method."""
        return np.maximum(self.s["customers"] - self.served(), 0.0)

    def _forget_places(self) -> None:
        """Offers or settings of segments are new: what is kept by offer is out of date."""
        self._by_offer: dict[str, Floats] | None = None
        self._by_type: dict[str, Floats] | None = None
        self._cells: Ints | None = None

    @property
    def by_offer(self) -> dict[str, Floats]:
        """The settings of each offer's segment, by name, shapes [n_offers]."""
        if self._by_offer is None:
            self._by_offer = {name: values[self.segment] for name, values in self.s.items()}
        return self._by_offer

    @property
    def by_type(self) -> dict[str, Floats]:
        """What types of buyers weigh differently, by name, shapes [types, n_offers]."""
        if self._by_type is None:
            self._by_type = {name: values[:, self.segment] for name, values in self.t.items()}
        return self._by_type

    @property
    def cells(self) -> Ints:
        """Index of the (type, segment) of each type's buyers at each offer, shape [types, n_offers]."""
        if self._cells is None:
            self._cells = cells(self.segment, self.n_types, len(self.segment_names))
        return self._cells

    def _refresh_terms(self) -> None:
        terms = cash_terms(self.model, self["price_usd"], self.by_offer["contract_months"], self._unit_terms)
        for name, values in zip(_TERMS, terms, strict=True):
            self[name][:] = values
        self._stale = False

    def utilities(self) -> tuple[Floats, Floats]:
        """(newcomer, own) utilities of all offers to each type of buyers against the outside option, in utils.

        Shapes are [types, n_offers].
        """
        if self._stale:
            self._refresh_terms()
        p, t, c = self.by_offer, self.by_type, self.columns
        base = (
            t["brand_weight"] * np.log1p(c["brand_usd"] / self.brand.brand_unit_usd)
            + t["trust_weight"] * (c["trust"] - self.brand.trust_start)
            + c["fit"]
            + t["tailoring_weight"] * TAILORED[self.model]
            + t["edge_weight"] * c["edge"]
            - t["price_weight"] * c["perceived_usd_month"] / p["reference_price_usd"]
        )
        sells = self.selling & (c["field_accuracy"] >= p["field_threshold"])
        newcomer = np.where(sells, base + t["advantage_weight"] * c["lab"] + self.reach_utils(), -np.inf)
        own = np.where(self.selling, base + t["advantage_weight"] * c["field"], -np.inf)
        return newcomer, own

    def reach_utils(self) -> Floats | float:
        """What is added to the utility of an offer that only a part of the customers can choose: log of that part.

        So an offer's weight in the logit is what it is on average over customers, where offers are spread over
        them independently of each other (implicit availability, Cascetta & Papola 2001).
        """
        return np.log(self["reach"]) if self._is_split else 0.0

    def own_by_kind(self, own: Floats) -> Floats:
        """Utility of staying for payers (row 0) and for free users (row 1), shape [2, types, n_offers].

        A freemium offer is perceived as free by newcomers and free users; its payers weigh the price.
        """
        price = self.by_type["price_weight"] * self["monthly_usd"] / self.by_offer["reference_price_usd"]
        price = price * self.revenue.payer_price_weight
        return np.stack([own - np.where(CONVERTS[self.model], price, 0.0), own])

    def clear(self) -> None:
        """One month of choices in every segment: renewals, defections, new customers, conversions, trust."""
        if self.n_offers == 0:
            return
        newcomer, own = self.utilities()
        stay_open = 1 - self.by_offer["closure_rate_year"] / 12
        self._held *= stay_open
        held = self.held()
        choosing = self.choosing()
        choices = self._choices(newcomer, own, choosing)
        lost, wanted = choices.lost.reshape(held.shape), choices.won.reshape(held.shape[1:])
        # A firm that cannot deliver more projects sends customers away; they look again in a later month.
        self["won"][:] = won = np.minimum(wanted.sum(axis=0), self["capacity"])
        come = won * composition(wanted, 0.0)
        held += come * _COMES[:, np.newaxis, self.model] - lost
        self._convert(held)
        self._hold(held)
        self["lost"][:] = lost.sum(axis=(0, 1))
        self["renewed"][:] = (choosing[0] - lost[0]).sum(axis=0)
        self._update_trust()
        self.surplus_usd = self._surplus_usd(own + self.reach_utils())

    def _surplus_usd(self, own: Floats) -> Floats:
        """Surplus of those served over the traditional method, USD a month by segment (Small & Rosen 1981)."""
        shape = self.tastes.share.shape
        value = inclusive_value(self.cells.ravel(), own.ravel(), self.tastes.share.size).reshape(shape)
        usd: Floats = self.served_by_type() * value * (self.s["reference_price_usd"] / self.t["price_weight"])
        return usd.sum(axis=0)

    def choosing(self) -> Floats:
        """Customers and free users of each offer who choose again this month, shape [kinds, types, n_offers]."""
        held = self.held()
        held[0] /= self.by_offer["contract_months"]
        held[1] *= self.revenue.free_leave_month
        return held

    def aware_by_type(self) -> Floats:
        """Unserved buyers who look at what is offered this month, shape [types, segments]."""
        s = self.s
        served_share = self.served() / s["customers"]
        rates = self.t["innovation_rate_year"], s["imitation_rate_year"]
        return aware_unserved(self.unserved_by_type(), served_share, *rates)

    def _choices(self, newcomer: Floats, own: Floats, choosing: Floats) -> Choices:
        """What those who choose again, and the unserved who look, choose: each type among the offers of its segment."""
        t = self.t
        return choose(
            self.cells.ravel(),
            newcomer.ravel(),
            self.own_by_kind(own).reshape(len(_HELD), -1),
            choosing.reshape(len(_HELD), -1),
            self.aware_by_type().ravel(),
            t["switching_cost"].ravel(),
            t["adoption_hurdle"].ravel(),
        )

    def _convert(self, held: Floats) -> None:
        """Free users in `held` who begin to pay: fewer where a rival gives a better model away (CASE-SPEECH, cause b).

        The share of a segment's usual buyers is `free_conversion_month` at the usual lead; a type weighs the lead and
        the price as it weighs them when it chooses.
        """
        r, times = self.revenue, self.tastes.times
        bundled = self.selling & GIVEN_AWAY[self.model]
        best = np.zeros(len(self.segment_names))
        np.maximum.at(best, self.segment[bundled], self["field"][bundled])
        lead = np.minimum(self["field"] - best[self.segment], 2 * r.free_usual_lead)
        weight = r.free_rival_weight * times["advantage_weight"][:, self.segment]
        dislike = (times["price_weight"][:, self.segment] - 1) * self.by_offer["price_weight"] * r.payer_price_weight
        dislike = dislike * self["monthly_usd"] / self.by_offer["reference_price_usd"]
        share = np.minimum(r.free_conversion_month * np.exp(weight * (lead - r.free_usual_lead) - dislike), 1.0)
        converted = np.where(self.selling & CONVERTS[self.model], share * held[1], 0.0)
        self["converted"][:] = converted.sum(axis=0)
        held[0] += converted
        held[1] -= converted

    def _update_trust(self) -> None:
        """Trust moves by the difference between the promised and the lived advantage, where there are users."""
        used = (self["customers"] + self["free"]) > 0.5
        moved = next_trust(
            self["trust"], self["lab"] - self["field"], self.brand.trust_speed_month, self.brand.trust_tolerance
        )
        self["trust"][:] = np.where(used & self.selling, moved, self["trust"])

    def errors_worth_usd(self) -> Floats:
        """What removing all errors of the traditional method is worth to the users of each offer, USD a month."""
        t = self.by_type
        worth = t["advantage_weight"] / t["price_weight"] * self.by_offer["reference_price_usd"]
        worth_usd: Floats = (self.held().sum(axis=0) * worth).sum(axis=0)
        return worth_usd

    def value_served_usd(self) -> Floats:
        """Customers of each offer, weighted by the reference price of their segment, USD a month, shape [n_offers]."""
        return (self["customers"] + self["free"]) * self.by_offer["reference_price_usd"]

    def sector_of_offer(self) -> Ints:
        """Index of each offer's sector, shape [n_offers]."""
        return self.sector_of[self.segment]

    def standings(self, firms: Iterable[str]) -> list[Standing]:
        """Standings of `firms`, in their order."""
        rows = [self.firm_index[firm] for firm in firms]
        freemium, pays = CONVERTS[self.model], ~STARTS_FREE[self.model]
        weight = np.where(self._withdrawn, 0.0, self.value_served_usd() + 1.0)

        def by_firm(values: Floats) -> Floats:
            return np.bincount(self._owner, values, len(self.firm_index)).astype(float, copy=False)

        customers, free = self["customers"], self["free"]
        columns = (
            by_firm(customers),
            by_firm(free),
            by_firm(weight * self["trust"]) / np.maximum(by_firm(weight), 1.0),
            by_firm(np.where(freemium, customers, 0.0)),
            by_firm(np.where(freemium, free, 0.0)),
            by_firm(np.where(pays, self["won"], 0.0)) + by_firm(self["converted"]),
        )
        return list(map(Standing, *(column[rows].tolist() for column in columns)))
