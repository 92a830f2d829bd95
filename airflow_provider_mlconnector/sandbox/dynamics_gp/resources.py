# SPDX-License-Identifier: Apache-2.0
"""What SBA's resources hold: two of its own, and journal lines by a service that the customer had written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_mlconnector.sandbox.books.subledgers import ap_invoices
from airflow_provider_mlconnector.sandbox.dynamics_gp.chart import account_id
from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import DraftEntry
from airflow_provider_mlconnector.sandbox.dynamics_gp.journals import Journal
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
    """Return a row for each posted line, in the words of the table GL20000, and for each line of a voided entry."""
    periods = company.books.periods
    posted = [
        {
            **_entry_columns(journal, journal.year, voided=False),
            "SEQNUMBR": sequence_number(journal, line),
            "ACTNUMST": account_id(company.books, line.account, line.department),
            "DEBITAMT": line.debit,
            "CRDTAMNT": line.credit,
            "DSCRIPTN": line.description,
        }
        for journal in company.journals.between(periods[0].start, periods[-1].end)
        if journal.ledger == "Base"
        for line in (company.journals.find(journal.number, journal.day) or (journal, []))[1]
    ]
    voided = [
        {
            **_entry_columns(entry, company.books.company.fiscal.period_of(entry.day).year, voided=True),
            "SEQNUMBR": line.sequence,
            "ACTNUMST": line.account,
            "DEBITAMT": line.debit,
            "CRDTAMNT": line.credit,
            "DSCRIPTN": line.description,
        }
        for entry in company.drafts.entries.values()
        if entry.voided
        for line in entry.lines
    ]
    return posted + voided


def _entry_columns(entry: Journal | DraftEntry, year: int, *, voided: bool) -> dict[str, Any]:
    return {
        "JRNENTRY": entry.number,
        "RCTRXSEQ": 0,
        "OPENYEAR": year,
        "TRXDATE": f"{entry.day}T00:00:00",
        "SOURCDOC": entry.source,
        "REFRENCE": entry.reference,
        "DEX_ROW_TS": entry.modified_at and f"{entry.modified_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "VOIDED": int(voided),
    }


ROWS: dict[str, Callable[[GpCompany], list[dict[str, Any]]]] = {
    "Purchasing/Vendors": _vendors,
    "Purchasing/PayablesTransactions": _payables,
    JOURNAL_LINES: _journal_lines,
}
"""By the resource's path: its rows. A server has those that its switches name."""
