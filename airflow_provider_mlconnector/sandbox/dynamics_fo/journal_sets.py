# SPDX-License-Identifier: Apache-2.0
"""``GeneralJournalEntryBiEntities`` and ``GeneralJournalAccountEntryBiEntities``: rows of the posted journals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.lines import ACTUAL, Line
from airflow_provider_mlconnector.sandbox.dynamics_fo.display import DELIMITERS, MAIN_ACCOUNT, written
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import LAYERS, journals_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.journal import Entry, Header, seconds
from airflow_provider_mlconnector.sandbox.dynamics_fo.numbers import area
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import NO_DATE, NO_TIME, noon, yes_no
from airflow_provider_mlconnector.sandbox.odata.rows import Row

_LAYERS = {ACTUAL: "Current", "TAX": "Tax", "OPERATIONS": "Operations"}
_CATEGORIES = {
    "SALES": "Sales",
    "PURCHASES": "Purch",
    "CASHRECJNL": "Payment",
    "PAYMENTJNL": "Payment",
    "INVTPCOST": "InventTrans",
    "FAGLJNL": "FixedAssets",
    "CLSINCOME": "ClosingSheet",
}


def layer_of(ledger: str) -> str:
    """Return the posting layer that a ledger of the books is."""
    return ledger if ledger in LAYERS else _LAYERS.get(ledger, "CustomLayer1")


def header_rows(environment: Environment) -> Iterator[Row]:
    """Yield a row per general journal entry."""
    for header in environment.posted().headers:
        yield _header_row(environment, header)


def entry_rows(environment: Environment) -> Iterator[Row]:
    """Yield a row per account entry."""
    for header in environment.posted().headers:
        numbers = {account.number: place for place, account in enumerate(header.books.accounts)}
        for entry in header.entries:
            yield _entry_row(environment, header, entry, numbers[entry.line.account])


def _header_row(environment: Environment, header: Header) -> Row:
    books, line, numbers = header.books, header.first, environment.numbers
    journal = journals_of(environment.world, books).posted_vouchers.get(line.document, "")
    return {
        "JournalNumber": f"{books.code[:4]}-{header.key % 10**11:011d}",
        "FiscalCalendarYear": numbers.year(books, header.fiscal.year),
        "Ledger": numbers.ledger(books),
        "SourceKey": header.key,
        "FiscalCalendarPeriod": numbers.period(books, header.fiscal.year, header.fiscal.slot),
        "AccountingDate": noon(header.day),
        "DocumentDate": NO_DATE,
        "AcknowledgementDate": noon(header.day),
        "CreatedOn": seconds(header.created) or NO_TIME,
        "PostingLayer": layer_of(line.ledger),
        "SubledgerVoucher": line.document,
        "SubledgerVoucherDataAreaId": area(books),
        "JournalCategory": _CATEGORIES.get(line.source, "LedgerJournal"),
        "DocumentNumber": line.external_document,
        "LedgerEntryJournal": 0,
        "LedgerPostingJournal": journal,
        "LedgerPostingJournalDataAreaId": area(books) if journal else "",
        "SubledgerJournalEntry": 0,
        "TransferId": 0,
        "BudgetSourceLedgerEntryPosted": 0,
        "SysCreatedBy": "Admin",
        "SysCreatedTransactionId": header.key,
        "SysRecVersion": 1,
    }


def _entry_row(environment: Environment, header: Header, entry: Entry, account: int) -> Row:
    line, books = entry.line, header.books
    credit = (line.amount > 0) is line.storno and line.amount != 0
    return {
        "SourceKey": entry.key,
        "GeneralJournalEntry": header.key,
        "MainAccount": environment.numbers.account(books, account),
        "LedgerAccount": _display_value(environment, books, line),
        **_json_value(environment, books, line),
        "AccountingCurrencyAmount": line.amount,
        "TransactionCurrencyAmount": line.currency_amount,
        "ReportingCurrencyAmount": line.amount,
        "TransactionCurrencyCode": line.currency,
        "IsCredit": yes_no(credit),
        "IsCorrection": yes_no(entry.is_correction),
        "PostingType": entry.posting_type,
        "Text": line.description,
        "Quantity": Decimal(0),
        "AllocationLevel": 0,
        "PaymentReference": "",
        "FinTag": 0,
        "ReasonRef": 0,
        "OriginalAccountEntry": 0,
        "HistoricalExchangeRateDate": NO_DATE,
        "CreatedByTransactionId": header.key,
        "ProjTableDataAreaId": "",
        "ProjId_SA": "",
        "AssetLeaseTransactionType": "None",
        "AssetLeasePostingTypes": "None",
        "SysRecVersion": 1,
    }


def _segments(books: Books, line: Line) -> dict[str, str]:
    codes = {MAIN_ACCOUNT: line.account}
    return codes | {name: line.dimensions.get(code, "") for code, name in books.dimensions.items()}


def _display_value(environment: Environment, books: Books, line: Line) -> str:
    """Return the segments of the active format, or all where none is active."""
    switches, segments = environment.switches, _segments(books, line)
    return written(segments, switches.dimension_format or tuple(segments), DELIMITERS[switches.delimiter])


def _json_value(environment: Environment, books: Books, line: Line) -> dict[str, Any]:
    switches = environment.switches
    if not switches.json_dimensions:
        return {"LedgerDimensionValuesJson": ""}
    values = {name.upper(): code for name, code in _segments(books, line).items() if code}
    text = json.dumps([values], ensure_ascii=False, separators=(",", ":"))
    return {"LedgerDimensionValuesJson": text if switches.json_quotes == '"' else repr([values])}
