"""What a buyer takes over of a firm: customers where it has an offer in the same segment, and the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.firm.owner import Owner


def take_over(buyer: Owner, target: Owner) -> None:
    """Move customers and rows of the target; customers of segments that the buyer does not serve look again."""
    market = buyer.model.market
    for segment, slot in target.sales.slots.items():
        if segment in buyer.sales.slots:
            market.move_customers(slot, buyer.sales.slots[segment])
    for sector in buyer.laboratories.keys() & target.laboratories.keys():
        buyer.laboratories[sector].rows_lab += target.laboratories[sector].rows_lab
        buyer.laboratories[sector].rows_field += target.laboratories[sector].rows_field
