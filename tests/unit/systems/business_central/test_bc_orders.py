# SPDX-License-Identifier: Apache-2.0
"""Purchase orders: what is open of them by their lines, and what is not there."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import Dataset
from tests.unit.systems.business_central.fake_company import company, rows_of


def line(net: float, quantity: float, invoiced: float) -> dict[str, Any]:
    return {"quantity": quantity, "invoicedQuantity": invoiced, "netAmount": net}


def order(number: str, *lines: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {
        "id": f"id-{number}",
        "number": number,
        "orderDate": "2026-10-05",
        "vendorNumber": "V00090",
        "currencyCode": "EUR",
        "requestedReceiptDate": "0001-01-01",
        "totalAmountExcludingTax": sum(one["netAmount"] or 0 for one in lines),
        "status": "In_x0020_Review",
        "lastModifiedDateTime": "2026-11-19T08:12:33.497Z",
        "purchaseOrderLines": list(lines),
    } | other


def read(*orders: dict[str, Any]) -> list[dict[str, Any]]:
    with company() as (fake, client):
        fake.sets["purchaseOrders"] = list(orders)
        return rows_of(client, Dataset.PURCHASE_ORDERS)[0]


def test_an_order_is_read_with_its_lines_in_one_request():
    with company() as (fake, client):
        fake.sets["purchaseOrders"] = [order("PO1", line(100.5, 3, 0))]
        (row,), reading = rows_of(client, Dataset.PURCHASE_ORDERS)
        (sent,) = fake.sent("purchaseOrders")
    assert sent.query["$expand"] == ["purchaseOrderLines($select=quantity,invoicedQuantity,netAmount)"]
    assert (reading.resource, reading.findings) == ("v2.0/purchaseOrders", [])
    assert (row["record_id"], row["document"], row["number"], row["vendor"]) == ("id-PO1", "PO1", "PO1", "V00090")
    assert (row["order_date"], row["promised_date"]) == (date(2026, 10, 5), None)
    assert (row["status"], row["currency"]) == ("In Review", "EUR")
    assert (row["amount"], row["open_amount"]) == (Decimal("100.5"), Decimal("100.5"))


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ([line(100, 3, 1)], "66.67"),
        ([line(100, 3, 3)], "0"),
        ([line(-30, 2, 1), line(10.25, 1, 0)], "-4.75"),
        ([line(0, 0, 0), line(5, 1, 0)], "5"),
        ([line(12999.99, 12999.99, 6499.99)], "6500"),
        ([line(9999999999.25, 7, 0)], "9999999999.25"),
        ([], "0"),
    ],
    ids=["part", "all", "a credit", "a comment", "by value", "large", "no line"],
)
def test_open_is_what_was_not_invoiced_of_each_line_to_the_penny(lines, left):
    (row,) = read(order("PO1", *lines))
    assert row["open_amount"] == Decimal(left)


def test_a_line_without_its_quantity_is_no_open_amount_of_nothing():
    with pytest.raises(SchemaDriftError, match="PO7 has a line without quantities or amount"):
        read(order("PO7", line(100, 3, 1) | {"invoicedQuantity": None}))
    with pytest.raises(SchemaDriftError, match="purchaseOrderLines"):
        read(order("PO7", line(100, 3, 1), purchaseOrderLines=None))
