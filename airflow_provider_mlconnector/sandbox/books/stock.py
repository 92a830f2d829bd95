# SPDX-License-Identifier: Apache-2.0
"""What is in the warehouses, and what is on order: small tables that people change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.clock import VirtualClock


@dataclass(frozen=True, slots=True)
class StockItem:
    """What can be held in stock."""

    code: str
    name: str
    unit_cost: Decimal


@dataclass(frozen=True, slots=True)
class Holding:
    """An item in a warehouse; ``allocated`` is promised to orders."""

    item: StockItem
    warehouse: str
    quantity: Decimal
    allocated: Decimal

    @property
    def value(self) -> Decimal:
        """Return what it cost, to the penny."""
        return (self.quantity * self.item.unit_cost).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """An order to a vendor; ``open_amount`` is what was not yet invoiced."""

    number: str
    vendor: str
    day: date
    status: str
    amount: Decimal
    open_amount: Decimal
    modified_at: datetime


_ITEMS = """
HIVE-NAT  | National hive, flat packed      | 84.25
HIVE-LANG | Langstroth hive, assembled      | 131.5
FRAME-14  | Frame, 14 × 12, box of 10       | 21.995
00071     | Smoker                          | 18.4
SUIT-XL   | Beekeeper's suit, "extra" large | 56.0
WAX-1KG   | Beeswax, 1 kg, cappings         | 9.13333
"""
_WAREHOUSES = ("01", "E1")

_ORDERS = """
PO000101 | V00010 | 2026-09-02 | Closed | 4200.00 | 0.00
PO000102 | V00060 | 2026-09-17 | Open   | 318.40  | 318.40
PO000103 | V00090 | 2026-10-05 | Open   | 12999.99| 6500.00
PO000104 | V00030 | 2026-11-02 | Hold   | 870.00  | 870.00
PO000105 | V00010 | 2026-11-16 | Open   | 0.01    | 0.01
"""
_SET_UP_AT = datetime(2026, 11, 16, 16, 45, 12, 87000, UTC)


class Stock:
    """Holdings by item and warehouse, and purchase orders by number."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.items = tuple(_item(line) for line in _ITEMS.strip().splitlines())
        self._holdings = {
            (item.code, warehouse): Holding(
                item, warehouse, Decimal(7 * place + 3 * side), Decimal(place + side).quantize(Decimal("0.000001"))
            )
            for place, item in enumerate(self.items, start=1)
            for side, warehouse in enumerate(_WAREHOUSES)
        }
        self._orders = {order.number: order for order in map(_order, _ORDERS.strip().splitlines())}

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """Return what is held, in order of item and warehouse."""
        return tuple(holding for _, holding in sorted(self._holdings.items()))

    @property
    def purchase_orders(self) -> tuple[PurchaseOrder, ...]:
        """Return all orders, in order of their numbers."""
        return tuple(order for _, order in sorted(self._orders.items()))

    def count(self, item: str, warehouse: str, quantity: Decimal, allocated: Decimal) -> Holding:
        """Put other quantities in the books, as after a stock count; unknown warehouses are added.

        :raises KeyError: for an unknown item.
        """
        known = {one.code: one for one in self.items}
        holding = Holding(known[item], warehouse, quantity, allocated)
        self._holdings[item, warehouse] = holding
        return holding

    def remove(self, item: str, warehouse: str) -> None:
        """Take an item out of a warehouse without a trace.

        :raises KeyError: when it is not held there.
        """
        del self._holdings[item, warehouse]

    def invoice_order(self, number: str, open_amount: Decimal) -> PurchaseOrder:
        """Set what of an order is still to be invoiced; nothing left closes it.

        :raises KeyError: for an unknown order.
        """
        status = "Open" if open_amount else "Closed"
        order = replace(self._orders[number], open_amount=open_amount, status=status, modified_at=self._clock.now())
        self._orders[number] = order
        return order

    def delete_order(self, number: str) -> None:
        """Delete an order without a trace.

        :raises KeyError: for an unknown order.
        """
        del self._orders[number]


def _item(line: str) -> StockItem:
    code, name, cost = (part.strip() for part in line.split("|"))
    return StockItem(code, name, Decimal(cost))


def _order(line: str) -> PurchaseOrder:
    number, vendor, day, status, amount, left = (part.strip() for part in line.split("|"))
    return PurchaseOrder(number, vendor, date.fromisoformat(day), status, Decimal(amount), Decimal(left), _SET_UP_AT)
