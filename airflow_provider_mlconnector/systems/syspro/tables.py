# SPDX-License-Identifier: Apache-2.0
"""The tables that are read, their keys, and the columns that are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from airflow_provider_mlconnector.systems.http.json_rows import Field, fields_of

COMPANY = "Company"
TIME_STAMP = "TimeStamp"
MOST_PERIODS = 15


@dataclass(frozen=True, slots=True)
class Table:
    """A table; a key that begins with the company does so only where the table has that column."""

    name: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]


def _table(name: str, key: str, fields: str) -> Table:
    return Table(name, tuple(key.split()), fields_of(fields))


JOURNALS = _table(
    "GenJournalDetail",
    "Company GlYear GlPeriod Journal EntryNumber",
    "Company:t GlYear:i! GlPeriod:i! Journal:i! EntryNumber:i! GlCode:t! EntryValue:m! EntryDate:t! Source:t "
    "Reference:t",
)
VERSIONED_JOURNALS = replace(JOURNALS, fields=(*JOURNALS.fields, *fields_of(f"{TIME_STAMP}:t!")))
AMOUNTS = _table(
    JOURNALS.name,
    "Company GlYear GlPeriod Journal EntryNumber",
    "Company:t GlYear:i! GlPeriod:i! Journal:i! EntryNumber:i! GlCode:t! EntryValue:m!",
)
GROUPS = _table("GenGroups", "Company GlGroup", "Company:t GlGroup:t! Description:t! ParentGroup:t")
MASTERS = _table("GenMaster", "Company GlCode", "Company:t GlCode:t! Description:t! AccountType:t! GlGroup:t")
HISTORY = _table(
    "GenHistory",
    "Company GlCode GlYear",
    "Company:t GlCode:t! GlYear:i! BeginYearBalance:m! "
    + " ".join(f"ClosingBalPer{number}:m" for number in range(1, MOST_PERIODS + 1)),
)
SUPPLIERS = _table("ApSupplier", "Supplier", "Supplier:t! SupplierName:t! Currency:t CurrentBalance:m OnHold:t")
CUSTOMERS = _table("ArCustomer", "Customer", "Customer:t! Name:t! Currency:t CustomerOnHold:t")
AP_INVOICES = _table(
    "ApInvoice",
    "Supplier Invoice",
    "Supplier:t! Invoice:t! InvoiceDate:t DueDate:t Reference:t OrigInvValue:m! MthInvBal1:m InvoiceStatus:t "
    "Currency:t InvoiceYear:i InvoiceMonth:i",
)
AP_SUMMARY = _table(
    "ApJnlSummary",
    "TrnYear TrnMonth Journal EntryNumber",
    "TrnYear:i! TrnMonth:i! Journal:i! EntryNumber:i! Supplier:t! Invoice:t!",
)
AP_DISTRIBUTION = _table(
    "ApJnlDistrib",
    "TrnYear TrnMonth Journal EntryNumber SubEntry",
    "TrnYear:i! TrnMonth:i! Journal:i! EntryNumber:i! SubEntry:i! ExpenseGlCode:t! DistrValue:m! Reference:t TrnDate:t",
)
AR_INVOICES = _table(
    "ArInvoice",
    "Customer Invoice DocumentType",
    "Customer:t! Invoice:t! DocumentType:t! InvoiceDate:t CustomerPoNumber:t InvoiceBal1:m InvoiceYear:i "
    "InvoiceMonth:i CurrencyValue:m! PostCurrency:t",
)
ITEMS = _table("InvMaster", "StockCode", "StockCode:t! Description:t!")
WAREHOUSES = _table(
    "InvWarehouse", "StockCode Warehouse", "StockCode:t! Warehouse:t! QtyOnHand:m! QtyAllocated:m UnitCost:m"
)
