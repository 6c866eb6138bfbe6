"""What a buyer takes over of a firm: customers where it has an offer in the same segment, and the data; its books."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.firm.owner import Owner
    from simulation.books import Books


def take_over(buyer: Owner, target: Owner) -> None:
    """Move customers and rows of the target; customers of segments that the buyer does not serve look again."""
    market = buyer.model.market
    for segment, slot in target.sales.slots.items():
        if segment in buyer.sales.slots:
            market.move_customers(slot, buyer.sales.slots[segment])
    for sector in buyer.laboratories.keys() & target.laboratories.keys():
        buyer.laboratories[sector].rows_lab += target.laboratories[sector].rows_lab
        buyer.laboratories[sector].rows_field += target.laboratories[sector].rows_field


def settle_books(books: Books) -> None:
    """Close the books of a firm that ends: nothing is owed to customers any more, what it had bought is written off."""
    deferred, bought = -books.balance["deferred_revenue"], books.balance["investments"]
    if deferred:
        books.post("deferred_revenue", "gains", deferred)
    if bought:
        books.post("write_offs", "investments", bought)
    books.close_month()
