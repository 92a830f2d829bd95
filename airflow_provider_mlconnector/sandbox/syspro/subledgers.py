# SPDX-License-Identifier: Apache-2.0
"""Suppliers, customers and their invoices. Amounts of an invoice are positive where money is owed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from airflow_provider_mlconnector.finance.periods import parse_key
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.codes import milliseconds
from airflow_provider_mlconnector.sandbox.books.masterdata import SET_UP_AT
from airflow_provider_mlconnector.sandbox.books.subledgers import Invoice, ap_invoices, ar_invoices
from airflow_provider_mlconnector.sandbox.syspro.columns import Row, midnight, version_of
from airflow_provider_mlconnector.sandbox.syspro.gl_codes import gl_code
from airflow_provider_mlconnector.sandbox.syspro.site import Site

ENTRIES = 25
_ZERO = Decimal("0.00")
_MASTERS = version_of(milliseconds(SET_UP_AT))


def supplier_rows(company: str, books: Books, site: Site) -> Iterator[Row]:
    """Yield ApSupplier."""
    owed: dict[str, Decimal] = {}
    for invoice in ap_invoices(books):
        owed[invoice.party] = owed.get(invoice.party, _ZERO) + invoice.open_amount
    for vendor in books.vendors:
        yield {
            "Supplier": vendor.number,
            "SupplierName": vendor.name,
            "SupShortName": vendor.name[:20],
            "SupplierClass": "",
            "Branch": "01",
            "Telephone": "",
            "Email": f"accounts@{vendor.number.lower()}.example",
            "Currency": books.currency,
            "CurrentBalance": owed.get(vendor.number, _ZERO),
            "TermsCode": "30",
            "OnHold": "Y" if vendor.blocked else "",
            "TimeStamp": _MASTERS,
        }


def customer_rows(company: str, books: Books, site: Site) -> Iterator[Row]:
    """Yield ArCustomer."""
    for customer in books.customers:
        yield {
            "Customer": customer.number,
            "Name": customer.name,
            "ShortName": customer.name[:20],
            "CreditLimit": Decimal(10000),
            "CustomerOnHold": "Y" if customer.blocked else "",
            "CreditStatus": "0",
            "Currency": books.currency,
            "TermsCode": "30",
            "Branch": "01",
            "Salesperson": "",
            "TimeStamp": _MASTERS,
        }


def ap_invoice_rows(company: str, books: Books, site: Site) -> Iterator[Row]:
    """Yield ApInvoice."""
    for invoice in _in_order(ap_invoices(books)):
        year, month = parse_key(invoice.postings[0].period)
        journal, entry = _place(invoice)
        yield {
            "Supplier": invoice.party,
            "Invoice": invoice.number,
            "NextPaymEntry": Decimal(1),
            "JournalDate": midnight(invoice.day),
            "Journal": Decimal(journal),
            "Branch": "01",
            "InvoiceDate": midnight(invoice.day),
            "DueDate": midnight(invoice.due),
            "Reference": invoice.reference,
            "OrigInvValue": invoice.amount,
            "MthInvBal1": invoice.open_amount,
            "MthInvBal2": _ZERO,
            "MthInvBal3": _ZERO,
            "InvoiceStatus": "0" if invoice.open_amount else "9",
            "Currency": books.currency,
            "InvoiceYear": Decimal(year),
            "InvoiceMonth": Decimal(month),
            "ExchangeRate": Decimal("1.000000"),
            "CurrencyValue": invoice.amount,
            "PostCurrency": books.currency,
            "EntryNumber": Decimal(entry),
            "TimeStamp": _version(invoice.modified_at),
        }


def ap_summaries(company: str, books: Books, site: Site) -> Iterator[Row]:
    """Yield ApJnlSummary: an entry for each invoice."""
    for invoice in ap_invoices(books):
        yield {
            **_entry(invoice),
            "Supplier": invoice.party,
            "Invoice": invoice.number,
            "TransactionCode": "I",
            "InvoiceValue": invoice.amount,
            "TimeStamp": _version(invoice.modified_at),
        }


def ap_distributions(company: str, books: Books, site: Site) -> Iterator[Row]:
    """Yield ApJnlDistrib: what each invoice was distributed to, without the supplier's own account."""
    for invoice in ap_invoices(books):
        control = next((line for line in invoice.postings if line.amount < 0), invoice.postings[0])
        others = [line for line in invoice.postings if line is not control]
        for number, line in enumerate(others, start=1):
            yield {
                **_entry(invoice),
                "SubEntry": Decimal(number),
                "ExpenseGlCode": gl_code(line.account, line.department),
                "SupplierGlCode": gl_code(control.account, control.department),
                "ExpenseType": "MER",
                "DistrValue": line.amount,
                "Reference": line.description[:30],
                "TrnDate": midnight(line.posting_date),
                "TimeStamp": _version(line.modified_at),
            }


def ar_invoice_rows(company: str, books: Books, site: Site) -> Iterator[Row]:
    """Yield ArInvoice; there is no column for what the invoice came to but that in its currency."""
    for invoice in _in_order(ar_invoices(books)):
        year, month = parse_key(invoice.postings[0].period)
        yield {
            "Customer": invoice.party,
            "Invoice": invoice.number,
            "DocumentType": "I",
            "InvoiceDate": midnight(invoice.day),
            "SalesOrder": f"SO{invoice.number[-6:]}",
            "CustomerPoNumber": invoice.reference,
            "Branch": "01",
            "TermsCode": "30",
            "InvoiceBal1": invoice.open_amount,
            "InvoiceYear": Decimal(year),
            "InvoiceMonth": Decimal(month),
            "CurrencyValue": invoice.amount,
            "PostCurrency": books.currency,
            "ConvRate": Decimal("1.000000"),
            "TimeStamp": _version(invoice.modified_at),
        }


def _in_order(invoices: Iterator[Invoice]) -> list[Invoice]:
    return sorted(invoices, key=lambda invoice: (invoice.party, invoice.number))


def _place(invoice: Invoice) -> tuple[int, int]:
    """Return the journal of the sub-ledger and the entry in it."""
    journal, entry = divmod(invoice.postings[0].entry_number, ENTRIES)
    return journal + 1, entry + 1


def _entry(invoice: Invoice) -> Row:
    year, month = parse_key(invoice.postings[0].period)
    journal, entry = _place(invoice)
    names = ("TrnYear", "TrnMonth", "Journal", "EntryNumber")
    return dict(zip(names, map(Decimal, (year, month, journal, entry)), strict=True))


def _version(modified_at: datetime | None) -> int:
    return version_of(milliseconds(modified_at) if modified_at else 1)
