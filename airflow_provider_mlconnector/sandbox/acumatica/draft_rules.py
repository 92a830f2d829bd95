# SPDX-License-Identifier: Apache-2.0
"""What a journal must be like to be saved: each error stands in the answer beside the value that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.acumatica.masters import LEDGERS, subaccounts
from airflow_provider_mlconnector.sandbox.acumatica.schema import JOURNAL
from airflow_provider_mlconnector.sandbox.acumatica.site import ACTUAL_LEDGER, BUDGET_LEDGER, Tenant
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError, Record, Shape, encode, wrapped
from airflow_provider_mlconnector.sandbox.acumatica.words import NO_PROJECT, period_of
from airflow_provider_mlconnector.sandbox.books.company import AccountType

Found = tuple[str, str]
"""A field, and what is wrong with its value."""

UNBALANCED = "The batch is not balanced. Review the debit and credit amounts."
_MISSING = "'{}' cannot be found in the system."
_FAILED = "Inserting  'GL Batch' record raised at least one error. Please review the errors."


def period_named(text: str) -> str:
    """Return a period as records show it: ``052027``, however a client wrote it."""
    return text.replace("-", "")


def check(tenant: Tenant, record: Record) -> None:
    """See that a journal holds together.

    :raises HttpError: 422 with the record, each error beside the value that it is about.
    """
    body = wrapped(JOURNAL, record, Shape(expand=frozenset({"Details"})))
    found = _tell(body, of_header(tenant, record))
    known = _Known(tenant)
    for row, line in zip(body["Details"], record["Details"], strict=True):
        found |= _tell(row, known.of_line(record, line))
    if found:
        body["error"] = _FAILED
        raise HttpError(422, body=encode(body))


def of_header(tenant: Tenant, record: Mapping[str, Any]) -> Iterator[Found]:
    """Yield what is wrong with a journal as a whole."""
    if record["LedgerID"] not in LEDGERS or record["LedgerID"] == BUDGET_LEDGER:
        yield "LedgerID", _MISSING.format("Ledger")
    if record["BranchID"] != tenant.branch:
        yield "BranchID", _MISSING.format("Branch")
    if record["CurrencyID"] != tenant.books.currency:
        yield "CurrencyID", "Currency rate is not defined."
    period, name = period_of(tenant.books, record["PostPeriod"]), record["PostPeriod"]
    if period is None:
        yield "PostPeriod", _MISSING.format("Post Period")
    elif tenant.books.is_closed(period.key):
        yield "PostPeriod", f"The {name[:2]}-{name[2:]} financial period is closed in the {tenant.branch} company."
    if not record["Hold"] and balance(record):
        yield "Hold", UNBALANCED


def balance(record: Mapping[str, Any]) -> Decimal:
    """Return debits less credits; those of statistics and reports need not be equal."""
    if record["LedgerID"] != ACTUAL_LEDGER:
        return Decimal(0)
    return sum((line["DebitAmount"] - line["CreditAmount"] for line in record["Details"]), Decimal(0))


class _Known:
    """What the lines of a tenant's journals may name."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        posting = (account for account in tenant.books.accounts if account.type is AccountType.POSTING)
        self._accounts = {account.number: account for account in posting}
        self._subaccounts = {one["SubaccountCD"].rstrip(): one["Active"] for one in subaccounts(tenant)}

    def of_line(self, record: Mapping[str, Any], line: Mapping[str, Any]) -> Iterator[Found]:
        """Yield what is wrong with a line."""
        account = self._accounts.get(line.get("Account", ""))
        if account is None:
            yield "Account", f"'Account' '{line.get('Account')}' cannot be found in the system."
        elif account.blocked:
            yield "Account", "Account is inactive."
        elif not account.direct_posting and record["LedgerID"] == ACTUAL_LEDGER:
            yield "Account", f"Account {account.number} is a control account, to which nothing can be posted directly."
        active = self._subaccounts.get(line["Subaccount"].rstrip())
        if active is None:
            yield "Subaccount", _MISSING.format("Subaccount")
        elif not active:
            yield "Subaccount", f"Subaccount {line['Subaccount']} is inactive."
        if line["BranchID"] != self._tenant.branch:
            yield "BranchID", _MISSING.format("Branch")
        if line["Project"] != NO_PROJECT:
            yield "ProjectTask", "'Project Task' cannot be empty."


def _tell(body: dict[str, Any], found: Iterator[Found]) -> bool:
    """Put errors beside their values; say whether there are any."""
    said = dict(found)
    for name, sentence in said.items():
        body[name] = {**body[name], "error": sentence}
    return bool(said)
