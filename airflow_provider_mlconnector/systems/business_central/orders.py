# SPDX-License-Identifier: Apache-2.0
"""Purchase orders, as they stand today: what is invoiced to the end is no order any more, and nobody tells of it.

There is no webhook for them, and that a changed line changes its order's stamp is not promised. So the few that are
open are read whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.money import add_money, part_of_money
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.names import BLANK_DATE, decode_names, head
from airflow_provider_mlconnector.systems.business_central.resources import ORDER_LINES, PURCHASE_ORDERS
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Reading

if TYPE_CHECKING:
    import pyarrow as pa


def read_purchase_orders(api: BusinessCentralApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the orders; amounts are without tax, in the order's currency, and open is what was not yet invoiced."""
    reading.resource = PURCHASE_ORDERS.title
    for rows in api.rows(PURCHASE_ORDERS, reading.findings):
        orders = rows.to_pylist()
        columns = {
            **head(orders, document="number"),
            "number": rows["number"],
            "vendor": rows["vendorNumber"],
            "order_date": _days(orders, "orderDate"),
            "promised_date": _days(orders, "requestedReceiptDate"),
            "status": decode_names(rows["status"]),
            "currency": rows["currencyCode"],
            "amount": rows["totalAmountExcludingTax"],
            "open_amount": [_open_amount(order["number"], order[ORDER_LINES.name]) for order in orders],
        }
        yield canonical_batch(Dataset.PURCHASE_ORDERS, columns)


def _days(orders: Sequence[Mapping[str, Any]], name: str) -> list[date | None]:
    return [None if order[name] == BLANK_DATE else order[name] for order in orders]


def _open_amount(number: str, lines: Sequence[Mapping[str, Decimal | None]]) -> Decimal:
    """Return what was not yet invoiced of an order: of each line as much as of its quantity."""
    return add_money(_not_invoiced(number, line) for line in lines)


def _not_invoiced(number: str, line: Mapping[str, Decimal | None]) -> Decimal:
    amount, quantity, invoiced = line["netAmount"], line["quantity"], line["invoicedQuantity"]
    if amount is None or quantity is None or invoiced is None:
        raise SchemaDriftError(f"Purchase order {number} has a line without quantities or amount.")
    if not quantity:
        return amount  # a comment; there is nothing of which a part could be invoiced
    return part_of_money(amount, quantity - invoiced, quantity)
