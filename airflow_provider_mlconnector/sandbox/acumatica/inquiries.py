# SPDX-License-Identifier: Apache-2.0
"""Inquiries: forms that are asked by PUT, with their parameters as fields, and answer with rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.acumatica.journals import detail_lines
from airflow_provider_mlconnector.sandbox.acumatica.masters import account_class
from airflow_provider_mlconnector.sandbox.acumatica.schema import ACCOUNT_SUMMARY
from airflow_provider_mlconnector.sandbox.acumatica.site import ACTUAL_LEDGER, Tenant, record_id
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError, Record
from airflow_provider_mlconnector.sandbox.acumatica.words import (
    ACCOUNT_TYPES,
    CREDIT_TYPES,
    NO_PROJECT,
    period_of,
    period_text,
    subaccount,
)
from airflow_provider_mlconnector.sandbox.books.lines import Line
from airflow_provider_mlconnector.sandbox.books.selection import Selection

SHOWN = Selection(
    frozenset({EntryKind.NORMAL, EntryKind.OPENING, EntryKind.ADJUSTING}), actual_only=True, statistical=False
)
"""What the actual ledger's history counts as a period's movement; a year's end has no journal here."""

_ZERO = Decimal("0.00")


def answer(tenant: Tenant, inquiry: str, asked: Mapping[str, Any]) -> Record:
    """Return an inquiry with its parameters and its rows, as the form fills them.

    :raises HttpError: 500 for a period or ledger that is not there.
    """
    rows = summary_rows if inquiry == ACCOUNT_SUMMARY.name else detail_rows
    return {**asked, "id": record_id(tenant.name, inquiry), "Results": list(rows(tenant, asked))}


def summary_rows(tenant: Tenant, asked: Mapping[str, Any]) -> Iterator[Record]:
    """Yield opening, movement and closing of each account that has any, signed as its type has it."""
    period = _period(tenant, asked.get("Period"))
    if asked.get("Ledger") != ACTUAL_LEDGER:
        return
    books = tenant.books
    for number, balance in books.balances(period.key, SHOWN).items():
        account = books.account(number)
        kind = ACCOUNT_TYPES[account.category]
        sign = -1 if kind in CREDIT_TYPES else 1
        moved = balance.debit - balance.credit
        begin, end = sign * balance.opening, sign * (balance.opening + moved)
        yield {
            "id": record_id(tenant.name, "summary", number),
            "Account": number,
            "AccountClass": account_class(tenant, account),
            "Branch": tenant.branch,
            "Description": account.name,
            "Type": kind,
            "LedgerID": 1,
            "LastActivity": period_text(period.key),
            "BeginningBalance": begin,
            "DebitTotal": balance.debit,
            "CreditTotal": balance.credit,
            "PtdTotal": sign * moved,
            "EndingBalance": end,
            "CurrencyBeginningBalance": begin,
            "CurrencyDebitTotal": balance.debit,
            "CurrencyCreditTotal": balance.credit,
            "CurrencyPtdTotal": sign * moved,
            "CurrencyEndingBalance": end,
            "CurrencyID": books.currency,
        }


def detail_rows(tenant: Tenant, asked: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the posted lines of the periods between two, with their amounts in both currencies."""
    first, last = _period(tenant, asked.get("FromPeriod")), _period(tenant, asked.get("ToPeriod"))
    for period in _between(tenant, first, last):
        for line, ledger, module, batch in detail_lines(tenant, period):
            if ledger == asked.get("Ledger"):
                yield _detail(tenant, line, ledger, module, batch)


def _detail(tenant: Tenant, line: Line, ledger: str, module: str, batch: str) -> Record:
    in_debit = line.debit != 0
    return {
        "id": record_id("inquiry", line.system_id),
        "Account": line.account,
        "BatchNumber": batch,
        "Branch": tenant.branch,
        "Module": module,
        "Ledger": ledger,
        "PeriodID": period_text(line.period),
        "Currency": line.currency,
        "DebitAmount": line.currency_amount if in_debit else _ZERO,
        "CreditAmount": _ZERO if in_debit else -line.currency_amount,
        "DebitAmountInBaseCurrency": line.debit,
        "CreditAmountInBaseCurrency": line.credit,
        "LastModifiedDateTime": line.modified_at,
        "Project": line.project or NO_PROJECT,
        "RefNumber": line.document[-15:],
        "Subaccount": subaccount(line.department),
        "TransactionDate": line.posting_date,
        "TransactionDescription": line.description,
        "Posted": True,
        "Released": True,
    }


def _period(tenant: Tenant, text: object) -> Period:
    period = period_of(tenant.books, str(text or ""))
    if period is None:
        raise HttpError(500, f"'{text}' cannot be found in the system.", "PX.Data.PXSetPropertyException")
    return period


def _between(tenant: Tenant, first: Period, last: Period) -> Iterator[Period]:
    within = [period for period in tenant.books.periods if first <= period <= last]
    yield from within
    yield from {period.key: period for period in (first, last) if period not in within}.values()
