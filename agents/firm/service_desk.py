"""Business between firms (OP-MARKET): AI tools and services that firms buy from firms (OP-DIRECTION).

compute      the seller rents GPU hours and resells them with its tooling: each hour yields more, for a markup on the
             cloud's price; training by order, deployment in advance for last month's customers. Its operations staff
             limits how much
data         rows that the seller labels once and sells to several buyers, below what labelling them alone costs; what
             it spends on data, and most of what it takes for rows, limits how many are new
outsourcing  hands of its operations staff, for the projects of firms whose own are short, for a markup on their wages

What a seller cannot deliver the buyer does itself. Trust in a seller follows, as that of all customers, the difference
between the lab and the field figure of its model; incidents cost some.

A buyer without a supplier does it itself; `agents.service_market` says how it chooses one. Money goes from the buyer's
books to the seller's, in the phase before books close. Who resells GPU hours is an agent for the cloud, so its revenue
is the markup alone (IFRS 15, B34 to B38).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.firm.training_plan import engineering
from simulation.demand import next_trust
from simulation.settings import Service

if TYPE_CHECKING:
    from agents.firm.owner import DeskLike, Owner
    from simulation.books import Account

# Assumptions: a seller labels for at most 60 % of what rows brought last month, and its own data budget; a buyer spends
# at most a tenth of its cash on hands in a month; a seller keeps a fifth more people than were asked for, and half a
# person to begin with.
GOODS_SHARE, HANDS_CASH_SHARE, SPARE_HANDS, FIRST_HANDS = 0.6, 0.1, 1.2, 0.5


def hours_yield(seller: Owner, buyer: Owner, transfer: float) -> float:
    """What an hour with the seller's tooling does for the buyer, against an hour of its own; at least 1."""
    return max(engineering(seller.settings) / engineering(buyer.settings), 1.0) ** transfer


class ServiceDesk:
    """A seller's side: prices, rows labelled and passed on, hours resold, hands lent, trust."""

    def __init__(self, firm: Owner) -> None:
        self.firm, self.model = firm, firm.model
        self.trust = self.model.settings.brand.trust_start
        self.row_price_level = 1.0
        self.catalogue: dict[str, float] = {firm.sector: firm.settings.rows}  # rows labelled, by sector
        self.taken: dict[tuple[str, str], float] = {}  # rows of them that a buyer has, by buyer and sector
        self.tooled: set[str] = set()  # buyers whose training run of the month it has taken on
        self.hands_asked = self.hands_lent = 0.0  # staff months of the month, for projects and for buyers' hours
        self.goods_usd = self.rows_usd = self.label_usd = 0.0  # spent on labelling; sales of rows; left for labelling
        self.last_goods_usd = self.last_hands_asked = 0.0  # of the month before

    def begin_month(self) -> None:
        """Trust, means for labelling, a new count; data age, for the buyers as for the seller."""
        brand, keep = self.model.settings.brand, 1 - self.model.settings.labour.data_decay_year / 12
        if self.rows_usd or self.hands_lent:  # it has served somebody
            lab, field = self.firm.laboratory.advantages()
            gap = np.array(lab - field)
            self.trust = float(next_trust(np.array(self.trust), gap, brand.trust_speed_month, brand.trust_tolerance))
        self.label_usd = GOODS_SHARE * self.rows_usd + self.firm.settings.data_share * self.firm.budget_usd
        self.last_goods_usd, self.last_hands_asked = self.goods_usd, self.hands_asked
        self.catalogue = {sector: rows * keep for sector, rows in self.catalogue.items()}
        self.taken = {key: rows * keep for key, rows in self.taken.items()}
        self.hands_asked = self.hands_lent = self.goods_usd = self.rows_usd = 0.0
        self.tooled.clear()

    def markup(self, service: Service) -> float:
        """Its markup on the cloud's price, or on wages."""
        return self.firm.settings.services[service]

    def row_price(self, own_cost: float) -> float:
        """Price of a row that costs a buyer `own_cost` to label by itself."""
        return self.firm.settings.services["data"] * own_cost

    def operators_needed(self) -> float:
        """Operations staff that buyers keep busy."""
        if not {"compute", "outsourcing"} & set(self.firm.settings.services):
            return 0.0
        return FIRST_HANDS + SPARE_HANDS * self.last_hands_asked / self.firm.settings.collaboration

    def revenue_usd(self) -> float:
        """Revenue of the open month from other firms, USD."""
        return -self.firm.books.balance["services"] / 100

    def deliver_rows(self, buyer: str, sector: str, wanted: float, own_cost: float) -> float:
        """Rows that a buyer does not have yet: what others have bought first, and what must be labelled on top.

        The seller's own model, as measured in the field, labels in advance and saves a part of the cost.
        """
        saved = self.model.settings.services.labelling_automation * max(self.firm.laboratory.advantages()[1], 0.0)
        cost, key = own_cost * (1 - saved), (buyer, sector)
        there, had = self.catalogue.get(sector, 0.0), self.taken.get(key, 0.0)
        missing = max(wanted - (there - had), 0.0)
        paid = self.firm.spend(min(missing * cost, self.label_usd), "goods")
        self.goods_usd += paid
        self.label_usd -= paid
        self.catalogue[sector] = there + paid / cost
        rows = max(min(wanted, self.catalogue[sector] - had), 0.0)
        self.taken[key] = had + rows
        return rows

    def hands_free(self) -> float:
        """Staff months of operations that nobody has asked for yet."""
        return max(self.firm.staff["operations"] * self.firm.settings.collaboration - self.hands_lent, 0.0)

    def lend_hands(self, asked: float) -> float:
        """Staff months that it can lend of those asked for."""
        lent = min(asked, self.hands_free())
        self.hands_asked += asked
        self.hands_lent += lent
        return lent

    def resell(self, buyer: Owner, usd: float, account: Account) -> float:
        """Take a buyer's bill for GPU hours as far as its people can look after them; pay the cloud. USD paid."""
        a_hand = self.model.settings.services.operator_usd_month
        paid = buyer.spend(self.lend_hands(usd / a_hand) * a_hand, account, self.firm.name, "services")
        cloud = paid / (1 + self.markup("compute"))
        if cloud > 0:
            self.model.bank.pay(self.firm.name, "suppliers", cloud, "services", "income")
        return paid


# -- the buyer's side --------------------------------------------------------------------------------------------------


def desk_for(buyer: Owner, service: Service) -> DeskLike | None:
    """The desk of whom the buyer buys a service from; None where nobody, or where the supplier has given it up."""
    seller = buyer.suppliers.get(service)
    return seller.desk if seller is not None and service in seller.settings.services else None


def compute_terms(seller: Owner, buyer: Owner) -> tuple[float, float]:
    """(Price of what an hour of its own does, against the cloud's price; yield of an hour) at a seller."""
    gain = hours_yield(seller, buyer, buyer.model.settings.services.tooling_transfer)
    return (1 + (seller.desk.markup("compute") if seller.desk else 0.0)) / gain, gain


def training_terms(buyer: Owner, most_usd: float) -> tuple[float, float]:
    """Terms, as above, for a training run of up to `most_usd`: the supplier's where it has the people, else (1, 1)."""
    desk = desk_for(buyer, "compute")
    if desk is None:
        return 1.0, 1.0
    if desk.hands_free() * buyer.model.settings.services.operator_usd_month < most_usd:
        desk.hands_asked += most_usd / buyer.model.settings.services.operator_usd_month
        return 1.0, 1.0
    desk.tooled.add(buyer.name)
    return compute_terms(desk.firm, buyer)


def buy_compute(buyer: Owner, usd: float) -> float:
    """Pay for a training run: the supplier that has taken it on, who pays the cloud; else the cloud. USD paid."""
    desk = desk_for(buyer, "compute")
    if desk is None or buyer.name not in desk.tooled:
        return buyer.spend(usd, "compute")
    return desk.resell(buyer, usd, "compute")


def prepay_serving(buyer: Owner) -> None:
    """Deploy with the supplier: pay in advance for last month's customers; more of them are served from the cloud."""
    desk = desk_for(buyer, "compute")
    if desk is not None:
        factor, _ = compute_terms(desk.firm, buyer)
        paid = desk.resell(buyer, buyer.sales.serving_usd() * factor, "inference")
        buyer.prepaid_serving_usd = paid / factor


def buy_rows(buyer: Owner, sector: str, usd: float, own_cost: float) -> tuple[float, float]:
    """(Rows bought from the supplier of data, USD paid for them) with up to `usd`, where labelling costs `own_cost`."""
    desk = desk_for(buyer, "data")
    usd = min(usd, buyer.books.cash_usd)
    if desk is None or usd <= 0:
        return 0.0, 0.0
    price = desk.row_price(own_cost)
    rows = desk.deliver_rows(buyer.name, sector, usd / price, own_cost)
    paid = buyer.spend(rows * price, "data", desk.firm.name, "services")
    desk.rows_usd += paid
    return rows, paid


def staff_shortfall(buyer: Owner) -> dict[str, float]:
    """Staff months that its projects lack, by offer: half as many projects again as last month's are planned for."""
    market, short = buyer.model.market, {}
    for offer, slot in buyer.sales.slots.items():
        if market.record_of(slot).tailored and market.selling[slot]:
            missing = 1.5 * market["won"].item(slot) - market["capacity"].item(slot)
            if missing > 0:
                short[offer] = missing * buyer.segments[offer].project_staff_months
    return short


def fee_per_staff_month(buyer: Owner, offer: str) -> float:
    """What a staff month in projects brings the buyer, USD."""
    fee = buyer.model.market["upfront_usd"].item(buyer.sales.slots[offer])
    return fee / buyer.segments[offer].project_staff_months


def hand_price(seller: Owner) -> float:
    """Price of a staff month, USD."""
    labour, wage = seller.model.settings.labour, seller.model.talent.wages["operations"]
    desk = seller.desk
    return wage * (1 + labour.overhead_share) * (1 + (desk.markup("outsourcing") if desk else 0.0))


def hire_hands(buyer: Owner) -> None:
    """Have projects done by the supplier's people, where the fee pays for them."""
    desk = desk_for(buyer, "outsourcing")
    if desk is None:
        return
    price, market = hand_price(desk.firm), buyer.model.market
    purse = HANDS_CASH_SHARE * buyer.books.cash_usd
    for offer, missing in staff_shortfall(buyer).items():
        asked = min(missing, purse / price)
        if asked < 0.01 or fee_per_staff_month(buyer, offer) <= price:
            continue
        lent, slot = desk.lend_hands(asked), buyer.sales.slots[offer]
        purse -= buyer.spend(lent * price, "outsourcing", desk.firm.name, "services")
        more = lent / buyer.segments[offer].project_staff_months
        room = buyer.sales.room(offer)
        market["capacity"][slot] = min(market["capacity"].item(slot) + more, room)


def use_services(buyer: Owner) -> None:
    """The month's deployment and projects at suppliers; rows and training runs are bought where they are ordered."""
    buyer.prepaid_serving_usd = 0.0
    prepay_serving(buyer)
    hire_hands(buyer)
