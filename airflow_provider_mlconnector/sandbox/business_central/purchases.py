# SPDX-License-Identifier: Apache-2.0
"""``purchaseOrders`` and their lines. An order that was invoiced to the end is a posted invoice and no order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.stock import PurchaseOrder
from airflow_provider_mlconnector.sandbox.business_central.table import Table, fields_of
from airflow_provider_mlconnector.sandbox.business_central.tenant import record_id
from airflow_provider_mlconnector.sandbox.business_central.wire import BLANK_GUID, NO_DATE, enum_name

_ZERO = Decimal(0)
_STATUSES = {"Open": "Open", "Hold": "Draft"}
"""An order is a draft until it is released."""


def _orders(books: Books) -> Iterator[PurchaseOrder]:
    return (order for order in books.stock.purchase_orders if order.open_amount)


def _order_rows(books: Books) -> Iterable[Sequence[Any]]:
    vendors = {vendor.number: vendor for vendor in books.vendors}
    for order in _orders(books):
        vendor = vendors[order.vendor]
        address = ("1 Market Street", "", vendor.city, "GB", "", "")
        vendor_id = record_id("vendor", vendor.number)
        yield (
            record_id("order", order.number),
            order.number,
            order.day,
            order.day,
            *(vendor_id, vendor.number, vendor.name),
            *(vendor.name, vendor_id, vendor.number),
            *(books.name, ""),
            *address,
            *address,
            *("3 Hive Works", "", "", "GB", "", ""),
            *("", ""),
            *(BLANK_GUID, books.currency),
            False,
            *(BLANK_GUID, BLANK_GUID, ""),
            NO_DATE,
            *(_ZERO, False),
            *(order.amount, _ZERO, order.amount),
            False,
            enum_name(_STATUSES[order.status]),
            order.modified_at,
        )


def _line_rows(books: Books) -> Iterable[Sequence[Any]]:
    """Yield the only line of each order: so many pounds of something that costs one."""
    for order in _orders(books):
        invoiced = order.amount - order.open_amount
        yield (
            record_id("order line", order.number),
            record_id("order", order.number),
            10_000,
            BLANK_GUID,
            record_id("account", "20400"),
            enum_name("Account"),
            *("20400", "Drawn by value", ""),
            *(BLANK_GUID, ""),
            *(order.amount, Decimal(1), _ZERO, _ZERO, False),
            *(order.amount, "", _ZERO, _ZERO, order.amount, _ZERO),
            *(order.amount, _ZERO, order.amount),
            NO_DATE,
            *(invoiced, invoiced, order.open_amount, order.open_amount),
            *(BLANK_GUID, BLANK_GUID),
        )


PURCHASE_ORDERS = Table(
    "purchaseOrder",
    fields_of(
        "id number orderDate postingDate vendorId vendorNumber vendorName payToName payToVendorId payToVendorNumber "
        "shipToName shipToContact buyFromAddressLine1 buyFromAddressLine2 buyFromCity buyFromCountry buyFromState "
        "buyFromPostCode payToAddressLine1 payToAddressLine2 payToCity payToCountry payToState payToPostCode "
        "shipToAddressLine1 shipToAddressLine2 shipToCity shipToCountry shipToState shipToPostCode "
        "shortcutDimension1Code shortcutDimension2Code currencyId currencyCode pricesIncludeTax paymentTermsId "
        "shipmentMethodId purchaser requestedReceiptDate discountAmount discountAppliedBeforeTax "
        "totalAmountExcludingTax totalTaxAmount totalAmountIncludingTax fullyReceived status lastModifiedDateTime"
    ),
    _order_rows,
    below={"purchaseOrderLines": "documentId"},
)
PURCHASE_ORDER_LINES = Table(
    "purchaseOrderLine",
    fields_of(
        "id documentId sequence itemId accountId lineType lineObjectNumber description description2 unitOfMeasureId "
        "unitOfMeasureCode quantity directUnitCost discountAmount discountPercent discountAppliedBeforeTax "
        "amountExcludingTax taxCode taxPercent totalTaxAmount amountIncludingTax invoiceDiscountAllocation netAmount "
        "netTaxAmount netAmountIncludingTax expectedReceiptDate receivedQuantity invoicedQuantity invoiceQuantity "
        "receiveQuantity itemVariantId locationId"
    ),
    _line_rows,
)
