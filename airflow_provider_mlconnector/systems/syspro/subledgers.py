# SPDX-License-Identifier: Apache-2.0
"""Suppliers, customers, their invoices and the stock, as they stand today.

None of these tables tells when a row was changed, and a date of business is no such stamp: late entries are back-dated.
So they are read whole, and what differs from what the model holds is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Reading
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.tables import (
    AP_DISTRIBUTION,
    AP_INVOICES,
    AP_SUMMARY,
    AR_INVOICES,
    CUSTOMERS,
    ITEMS,
    SUPPLIERS,
    WAREHOUSES,
    Table,
)
from airflow_provider_mlconnector.systems.syspro.values import day, on_hold, period_key, record_id

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
PENNY = Decimal("0.01")
STATUSES = {"0": "Open", "1": "Part paid", "9": "Paid", "D": "Disputed"}
"""Statuses of a supplier's invoice."""


def read_suppliers(api: SysproApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the suppliers; ``balance`` is what we owe them, in company currency."""
    return _read(
        api,
        reading,
        SUPPLIERS,
        Dataset.VENDORS,
        lambda row: {
            "document": row["Supplier"],
            "number": row["Supplier"],
            "name": row["SupplierName"],
            "blocked": on_hold(row["OnHold"]),
            "currency": row["Currency"],
            "balance": row["CurrentBalance"],
        },
    )


def read_customers(api: SysproApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the customers; their balances lie in a table of their own and are not read."""
    return _read(
        api,
        reading,
        CUSTOMERS,
        Dataset.CUSTOMERS,
        lambda row: {
            "document": row["Customer"],
            "number": row["Customer"],
            "name": row["Name"],
            "blocked": on_hold(row["CustomerOnHold"]),
            "currency": row["Currency"],
        },
    )


def read_ap_invoices(api: SysproApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the invoices of suppliers; ``open_amount`` is the balance of the current month."""
    return _read(
        api,
        reading,
        AP_INVOICES,
        Dataset.AP_INVOICES,
        lambda row: {
            "document": row["Invoice"],
            "number": row["Invoice"],
            "vendor": row["Supplier"],
            "invoice_date": day(row["InvoiceDate"]),
            "due_date": day(row["DueDate"]),
            "period": period_key(row["InvoiceYear"], row["InvoiceMonth"]),
            "status": STATUSES.get(row["InvoiceStatus"], row["InvoiceStatus"]),
            "currency": row["Currency"],
            "amount": row["OrigInvValue"],
            "open_amount": row["MthInvBal1"],
            "external_document": row["Reference"],
        },
    )


def read_ar_invoices(api: SysproApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the invoices to customers; the only amount that is kept of the whole is that in the invoice's currency."""
    return _read(
        api,
        reading,
        AR_INVOICES,
        Dataset.AR_INVOICES,
        lambda row: {
            "document": row["Invoice"],
            "number": row["Invoice"],
            "customer": row["Customer"],
            "invoice_date": day(row["InvoiceDate"]),
            "period": period_key(row["InvoiceYear"], row["InvoiceMonth"]),
            "status": "Open" if row["InvoiceBal1"] else "Paid",
            "currency": row["PostCurrency"],
            "amount": row["CurrencyValue"],
            "open_amount": row["InvoiceBal1"],
            "external_document": row["CustomerPoNumber"],
        },
    )


def read_ap_postings(api: SysproApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield what suppliers' invoices were distributed to; a distribution is joined to the invoice of its entry."""
    entry = AP_SUMMARY.key
    summaries = {tuple(row[name] for name in entry): row for row in _rows(api, reading, AP_SUMMARY)}

    def build(row: Row) -> dict[str, Any] | None:
        summary = summaries.get(tuple(row[name] for name in entry))
        if summary is None:  # of a journal that was posted meanwhile, or of no invoice at all
            return None
        account, *_ = api.connection.gl_code.split(row["ExpenseGlCode"])
        return {
            "document": summary["Invoice"],
            "invoice": summary["Invoice"],
            "vendor": summary["Supplier"],
            "posting_date": day(row["TrnDate"]),
            "period": period_key(row["TrnYear"], row["TrnMonth"]),
            "account": account,
            "description": row["Reference"],
            "amount": row["DistrValue"],
        }

    return _read(api, reading, AP_DISTRIBUTION, Dataset.AP_POSTINGS, build)


def read_inventory(api: SysproApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield what each warehouse holds of each item; ``amount`` is its cost to the penny."""
    names = {row["StockCode"]: row["Description"] for row in _rows(api, reading, ITEMS)}

    def build(row: Row) -> dict[str, Any]:
        cost = row["UnitCost"]
        return {
            "document": row["StockCode"],
            "item": row["StockCode"],
            "name": names.get(row["StockCode"], row["StockCode"]),
            "warehouse": row["Warehouse"],
            "quantity": row["QtyOnHand"],
            "allocated": row["QtyAllocated"],
            "unit_cost": cost,
            "amount": None if cost is None else (row["QtyOnHand"] * cost).quantize(PENNY),
        }

    return _read(api, reading, WAREHOUSES, Dataset.INVENTORY, build)


def _read(
    api: SysproApi, reading: Reading, table: Table, dataset: Dataset, build: Callable[[Row], dict[str, Any] | None]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table as a dataset's; ``build`` leaves out a row by None."""
    reading.resource = table.name
    for batch in api.rows(table, reading.findings):
        made = ((row, build(row)) for row in batch.to_pylist())
        kept = [
            {"record_id": record_id(row, table.key, company=api.connection.company), **built}
            for row, built in made
            if built is not None
        ]
        yield canonical_batch(dataset, _by_column(kept))


def _rows(api: SysproApi, reading: Reading, table: Table) -> Iterable[Row]:
    return (row for batch in api.rows(table, reading.findings) for row in batch.to_pylist())


def _by_column(rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {"record_id": []}
