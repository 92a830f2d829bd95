# SPDX-License-Identifier: Apache-2.0
"""Vendors and their invoices, from SBA where it has them, else from the web services; employees from those alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.canonical import KeyOf, canonical_batch
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.chart import FIRST_YEAR, stamp
from airflow_provider_mlconnector.systems.dynamics_gp.sba import Row, field
from airflow_provider_mlconnector.systems.port import Reading

if TYPE_CHECKING:
    import pyarrow as pa

VENDORS = "Purchasing/Vendors"
INVOICES = "Purchasing/PayablesTransactions"
ALL = "Return All"
_INVOICE = "invoice"


def read_vendors(api: GpApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the vendors; ``blocked`` is "", Hold or Inactive."""
    rows = api.sba_rows(VENDORS, reading)
    if rows is not None:
        yield _vendors([_sba_vendor(row) for row in rows])
        return
    reading.resource = "GetVendorList"
    found = api.listed("GetVendorList", api.soap.make("VendorCriteria", Scope=ALL))
    yield _vendors(
        [
            {
                "number": str(row.Key.Id).strip(),
                "name": (row.Name or "").strip(),
                "modified_at": stamp(row.ModifiedDate),
                "blocked": _blocked(inactive=row.IsActive is False, hold=bool(row.IsOnHold)),
            }
            for row in found
        ]
    )


def read_employees(api: GpApi, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the employees, whole at every read: they carry no stamp. Nothing personal but name and position is kept."""
    reading.resource = "GetEmployeeList"
    rows = api.listed("GetEmployeeList", api.soap.make("EmployeeCriteria", Scope=ALL))
    numbers = [str(row.EmployeeKey.Id).strip() for row in rows]
    columns = {
        "record_id": numbers,
        "document": numbers,
        "number": numbers,
        "name": [_full_name(row.Name) or number for row, number in zip(rows, numbers, strict=True)],
        "job_title": [getattr(row.PositionKey, "Id", None) for row in rows],
        "status": ["Inactive" if row.IsActive is False else "Active" for row in rows],
    }
    yield canonical_batch(Dataset.EMPLOYEES, columns)


def read_invoices(api: GpApi, reading: Reading, key_of: KeyOf) -> Iterator[pa.RecordBatch]:
    """Yield the vendors' invoices that are posted.

    The web services tell whether an invoice was paid in full (history), not how much of an open one is left.
    """
    rows = api.sba_rows(INVOICES, reading)
    if rows is None:
        reading.resource = "GetPayablesInvoiceList, GetPayablesInvoiceByKey"
        found = [_soap_invoice(api, summary, key_of) for summary in _posted_invoices(api)]
    else:
        kinds = [(row, str(field(row, "DocumentType") or _INVOICE).lower()) for row in rows]
        found = [_sba_invoice(row, key_of) for row, kind in kinds if kind in (_INVOICE, "1")]
    columns = {name: [invoice[name] for invoice in found] for name in (*found[0],)} if found else {"record_id": []}
    yield canonical_batch(Dataset.AP_INVOICES, columns)


def _posted_invoices(api: GpApi) -> list[Any]:
    states = api.soap.among("PayablesTransactionState", ("Open", "History"))
    return api.listed("GetPayablesInvoiceList", api.soap.make("PayablesInvoiceCriteria", TransactionState=states))


def _soap_invoice(api: GpApi, summary: Any, key_of: KeyOf) -> dict[str, Any]:
    whole = api.soap.call("GetPayablesInvoiceByKey", api.context, key=summary.Key)
    day = _day(whole.Date)
    state = str(whole.TransactionState or summary.TransactionState)
    amount = Decimal(whole.DocumentAmount.Value)
    return {
        **_head(str(whole.Key.Id), stamp(whole.ModifiedDate)),
        "number": str(whole.Key.Id),
        "vendor": str(whole.VendorKey.Id),
        "invoice_date": day,
        "due_date": None,
        "period": key_of(day) if day else None,
        "status": "Paid" if state == "History" else "Open",
        "currency": getattr(whole.CurrencyKey, "ISOCode", None),
        "amount": amount,
        "open_amount": Decimal(0) if state == "History" else None,
        "external_document": whole.VendorDocumentNumber,
    }


def _sba_invoice(row: Row, key_of: KeyOf) -> dict[str, Any]:
    number, vendor = _needed(row, "VoucherNumber", INVOICES), _needed(row, "VendorId", INVOICES)
    day = _day(field(row, "DocumentDate"))
    left = field(row, "CurrentTransactionAmount")
    return {
        **_head(number, None),
        "number": number,
        "vendor": vendor,
        "invoice_date": day,
        "due_date": _day(field(row, "DueDate")),
        "period": key_of(day) if day else None,
        "status": None if left is None else "Open" if Decimal(str(left)) else "Paid",
        "currency": field(row, "CurrencyId"),
        "amount": Decimal(_needed(row, "DocumentAmount", INVOICES)),
        "open_amount": None if left is None else Decimal(str(left)),
        "external_document": field(row, "DocumentNumber"),
    }


def _sba_vendor(row: Row) -> dict[str, Any]:
    status = str(field(row, "VendorStatus", "Status") or "")
    return {
        "number": _needed(row, "VendorId", VENDORS),
        "name": str(field(row, "VendorName", "Name") or "").strip(),
        "modified_at": None,
        "blocked": _blocked(inactive=status.lower() == "inactive", hold=bool(field(row, "Hold", "OnHold"))),
    }


def _vendors(rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    numbers = [row["number"] for row in rows]
    columns = {
        "record_id": numbers,
        "document": numbers,
        "modified_at": [row["modified_at"] for row in rows],
        "number": numbers,
        "name": [row["name"] or row["number"] for row in rows],
        "blocked": [row["blocked"] for row in rows],
    }
    return canonical_batch(Dataset.VENDORS, columns)


def _head(number: str, modified_at: datetime | None) -> dict[str, Any]:
    return {"record_id": number, "document": number, "modified_at": modified_at}


def _needed(row: Row, name: str, resource: str) -> str:
    value = field(row, name)
    if value is None:
        raise SchemaDriftError(f"A row of SBA's {resource} has no {name}; it has {', '.join(row)}.", column=name)
    return str(value).strip()


def _blocked(*, inactive: bool, hold: bool) -> str:
    return "Inactive" if inactive else "Hold" if hold else ""


def _full_name(name: Any) -> str:
    parts = (getattr(name, part, None) for part in ("GivenName", "MiddleName", "FamilyName"))
    return " ".join(str(part).strip() for part in parts if part)


def _day(value: Any) -> date | None:
    """Return a day; None for the dates that stand for none."""
    if value is None:
        return None
    found = value.date() if isinstance(value, datetime) else datetime.fromisoformat(str(value)).date()
    return found if found.year >= FIRST_YEAR else None
