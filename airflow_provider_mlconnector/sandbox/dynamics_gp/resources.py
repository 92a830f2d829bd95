# SPDX-License-Identifier: Apache-2.0
"""What SBA's resources hold: two of its own, and journal lines by a service that the customer had written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_mlconnector.sandbox.books.subledgers import ap_invoices
from airflow_provider_mlconnector.sandbox.dynamics_gp.chart import account_id
from airflow_provider_mlconnector.sandbox.dynamics_gp.operations import sequence_number
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import GpCompany

JOURNAL_LINES = "Larkfield/Financial/JournalLines"


def _vendors(company: GpCompany) -> list[dict[str, Any]]:
    status = {"": "Active", "Payment": "Active", "All": "Inactive"}
    return [
        {
            "VendorId": vendor.number,
            "VendorName": vendor.name,
            "VendorStatus": status[vendor.blocked],
            "Hold": vendor.blocked == "Payment",
            "CurrencyId": company.books.currency,
        }
        for vendor in company.books.vendors
    ]


def _payables(company: GpCompany) -> list[dict[str, Any]]:
    return [
        {
            "VoucherNumber": invoice.number,
            "VendorId": invoice.party,
            "DocumentNumber": invoice.reference,
            "DocumentType": "Invoice",
            "DocumentDate": f"{invoice.day}T00:00:00",
            "DueDate": f"{invoice.due}T00:00:00",
            "DocumentAmount": invoice.amount,
            "CurrentTransactionAmount": invoice.open_amount,
            "CurrencyId": company.books.currency,
        }
        for invoice in ap_invoices(company.books)
    ]


def _journal_lines(company: GpCompany) -> list[dict[str, Any]]:
    """Return a row for each posted line, in the words of the table GL20000."""
    periods = company.books.periods
    return [
        {
            "JRNENTRY": journal.number,
            "RCTRXSEQ": 0,
            "OPENYEAR": journal.year,
            "SEQNUMBR": sequence_number(journal, line),
            "TRXDATE": f"{line.posting_date}T00:00:00",
            "ACTNUMST": account_id(company.books, line.account, line.department),
            "DEBITAMT": line.debit,
            "CRDTAMNT": line.credit,
            "SOURCDOC": journal.source,
            "REFRENCE": journal.reference,
            "DSCRIPTN": line.description,
            "DEX_ROW_TS": journal.modified_at and f"{journal.modified_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        }
        for journal in company.journals.between(periods[0].start, periods[-1].end)
        if journal.ledger == "Base"
        for line in (company.journals.find(journal.number, journal.day) or (journal, []))[1]
    ]


ROWS: dict[str, Callable[[GpCompany], list[dict[str, Any]]]] = {
    "Purchasing/Vendors": _vendors,
    "Purchasing/PayablesTransactions": _payables,
    JOURNAL_LINES: _journal_lines,
}
"""By the resource's path: its rows. A server has those that its switches name."""
