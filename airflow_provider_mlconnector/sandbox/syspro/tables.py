# SPDX-License-Identifier: Apache-2.0
"""The tables that the OData service shows, but for the journals: each with its key, its columns and its rows.

Names, keys and columns are those of SYSPRO's databases as far as they are known publicly. ``ParentGroup`` of GenGroups
is an assumption: nothing public says how a site keeps the levels above an account's group; so is ``AccOnHldFlag`` of
GenMaster, the hold on a GL code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.codes import milliseconds
from airflow_provider_mlconnector.sandbox.books.company import AccountType
from airflow_provider_mlconnector.sandbox.books.masterdata import SET_UP_AT
from airflow_provider_mlconnector.sandbox.syspro.balances import MOST_PERIODS, history_rows
from airflow_provider_mlconnector.sandbox.syspro.columns import Column, Row, columns_of, version_of
from airflow_provider_mlconnector.sandbox.syspro.gl_codes import (
    PSEUDO_CODES,
    account_type,
    gl_code,
    posting_accounts,
)
from airflow_provider_mlconnector.sandbox.syspro.site import Site
from airflow_provider_mlconnector.sandbox.syspro.subledgers import (
    ap_distributions,
    ap_invoice_rows,
    ap_summaries,
    ar_invoice_rows,
    customer_rows,
    supplier_rows,
)

RowsOf = Callable[[str, Books, Site], Iterable[Row]]
ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    :param rows: returns a company's rows, in order of the key.
    :param of_ledger: it lies in the ledger's database, which companies share, and its key begins with the company.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: RowsOf
    of_ledger: bool = False


def _groups(company: str, books: Books, site: Site) -> Iterator[Row]:
    for account in books.accounts:
        if account.type is AccountType.BEGIN_TOTAL:
            yield {
                "Company": company,
                "GlGroup": account.number,
                "Description": account.name,
                "ParentGroup": account.parent,
                "TimeStamp": version_of(milliseconds(books.changed_at(account.number))),
            }


def _masters(company: str, books: Books, site: Site) -> Iterator[Row]:
    nothing = dict.fromkeys(("CurrentBalance", "PtdDrValue", "PtdCrValue"), ZERO)
    for _, account in posting_accounts(books):
        for department in sorted(books.departments.all):
            yield {
                "Company": company,
                "GlCode": gl_code(account.number, department),
                "Description": account.name,
                "AccountType": account_type(account),
                "GlGroup": account.parent,
                "AccOnHldFlag": "Y" if account.blocked else "N",
                **nothing,
                "TimeStamp": version_of(milliseconds(books.changed_at(account.number))),
            }
    for code in PSEUDO_CODES:
        text = {"Company": company, "GlCode": code, "Description": code.title(), "AccountType": "C", "GlGroup": ""}
        yield {**text, "AccOnHldFlag": "N", **nothing, "TimeStamp": version_of(1)}


def _items(company: str, books: Books, site: Site) -> Iterator[Row]:
    for item in sorted(books.stock.items, key=lambda item: item.code):
        yield {
            "StockCode": item.code,
            "Description": item.name[:50],
            "LongDesc": item.name,
            "StockUom": "EA",
            "ProductClass": "BEES",
            "StockOnHold": "",
            "TimeStamp": version_of(milliseconds(SET_UP_AT)),
        }


def _warehouses(company: str, books: Books, site: Site) -> Iterator[Row]:
    for holding in books.stock.holdings:
        yield {
            "StockCode": holding.item.code,
            "Warehouse": holding.warehouse,
            "QtyOnHand": holding.quantity,
            "QtyAllocated": holding.allocated,
            "QtyOnOrder": ZERO,
            "UnitCost": holding.item.unit_cost,
            "TimeStamp": version_of(milliseconds(SET_UP_AT)),
        }


def _closings() -> str:
    return " ".join(f"ClosingBalPer{number}:m" for number in range(1, MOST_PERIODS + 1))


GEN_JOURNAL_DETAIL = Table(
    "GenJournalDetail",
    ("Company", "GlYear", "GlPeriod", "Journal", "EntryNumber"),
    columns_of(
        "Company:c4 GlYear:m GlPeriod:m Journal:m EntryNumber:m GlCode:c35 EntryValue:m EntryDate:d Source:c2 "
        "Reference:v30 AnalysisEntry:m"
    ),
    lambda *_: (),
    of_ledger=True,
)

TABLES = {
    table.name: table
    for table in (
        GEN_JOURNAL_DETAIL,
        Table(
            "GenGroups",
            ("Company", "GlGroup"),
            columns_of("Company:c4 GlGroup:c10 Description:v50 ParentGroup:c10"),
            _groups,
            of_ledger=True,
        ),
        Table(
            "GenMaster",
            ("Company", "GlCode"),
            columns_of(
                "Company:c4 GlCode:c35 Description:v50 AccountType:c1 GlGroup:c10 AccOnHldFlag:c1 CurrentBalance:m "
                "PtdDrValue:m PtdCrValue:m"
            ),
            _masters,
            of_ledger=True,
        ),
        Table(
            "GenHistory",
            ("Company", "GlCode", "GlYear"),
            columns_of(f"Company:c4 GlCode:c35 GlYear:m BeginYearBalance:m {_closings()}"),
            history_rows,
            of_ledger=True,
        ),
        Table(
            "ApSupplier",
            ("Supplier",),
            columns_of(
                "Supplier:c15 SupplierName:v50 SupShortName:v20 SupplierClass:v10 Branch:v10 Telephone:v20 Email:v255 "
                "Currency:c3 CurrentBalance:m TermsCode:c2 OnHold:c1"
            ),
            supplier_rows,
        ),
        Table(
            "ApInvoice",
            ("Supplier", "Invoice"),
            columns_of(
                "Supplier:c15 Invoice:c20 NextPaymEntry:m JournalDate:d Journal:m Branch:v10 InvoiceDate:d DueDate:d "
                "Reference:v30 OrigInvValue:m MthInvBal1:m MthInvBal2:m MthInvBal3:m InvoiceStatus:c1 Currency:c3 "
                "InvoiceYear:m InvoiceMonth:m ExchangeRate:m CurrencyValue:m PostCurrency:c3 EntryNumber:m"
            ),
            ap_invoice_rows,
        ),
        Table(
            "ApJnlSummary",
            ("TrnYear", "TrnMonth", "Journal", "EntryNumber"),
            columns_of(
                "TrnYear:m TrnMonth:m Journal:m EntryNumber:m Supplier:c15 Invoice:c20 TransactionCode:c1 "
                "InvoiceValue:m"
            ),
            ap_summaries,
        ),
        Table(
            "ApJnlDistrib",
            ("TrnYear", "TrnMonth", "Journal", "EntryNumber", "SubEntry"),
            columns_of(
                "TrnYear:m TrnMonth:m Journal:m EntryNumber:m SubEntry:m ExpenseGlCode:c35 SupplierGlCode:c35 "
                "ExpenseType:c3 DistrValue:m Reference:v30 TrnDate:d"
            ),
            ap_distributions,
        ),
        Table(
            "ArCustomer",
            ("Customer",),
            columns_of(
                "Customer:c15 Name:v50 ShortName:v20 CreditLimit:m CustomerOnHold:c1 CreditStatus:c1 Currency:c3 "
                "TermsCode:c2 Branch:v10 Salesperson:v20"
            ),
            customer_rows,
        ),
        Table(
            "ArInvoice",
            ("Customer", "Invoice", "DocumentType"),
            columns_of(
                "Customer:c15 Invoice:c20 DocumentType:c1 InvoiceDate:d SalesOrder:v20 CustomerPoNumber:v30 Branch:v10 "
                "TermsCode:c2 InvoiceBal1:m InvoiceYear:m InvoiceMonth:m CurrencyValue:m PostCurrency:c3 ConvRate:m"
            ),
            ar_invoice_rows,
        ),
        Table(
            "InvMaster",
            ("StockCode",),
            columns_of("StockCode:c30 Description:v50 LongDesc:v100 StockUom:c10 ProductClass:c20 StockOnHold:c1"),
            _items,
        ),
        Table(
            "InvWarehouse",
            ("StockCode", "Warehouse"),
            columns_of("StockCode:c30 Warehouse:c10 QtyOnHand:m QtyAllocated:m QtyOnOrder:m UnitCost:m"),
            _warehouses,
        ),
    )
}
