# SPDX-License-Identifier: Apache-2.0
"""Account balances of a period: opening, movement and closing of every posting account.

The trial balance of API v2.0 is made for reading: its amounts are text, written as the language of the request asks for
(en-US: ``72,893.84``; "" is zero). It tells the movement of the filtered dates and the balance at their end; opening is
the one less the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError, DataError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.connection import BalanceSource
from airflow_provider_mlconnector.systems.business_central.names import closed_by, decode_name, posted_within
from airflow_provider_mlconnector.systems.business_central.resources import LINES, TRIAL_BALANCES
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Finding, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

_AMERICAN = re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Balance:
    """One account over one period, in company currency."""

    account: str
    opening: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def movement(self) -> Decimal:
        """Debit less credit of the period."""
        return self.debit - self.credit


def read_balances(api: BusinessCentralApi, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the balances of the scope's period, from the source that the connection names.

    :raises CapabilityError: when the scope names no period.
    """
    if scope.period is None:
        raise CapabilityError("Account balances are those of a period, and none is named.")
    if api.connection.balances is BalanceSource.ENTRIES:
        reading.resource = LINES.title
        balances: Iterable[Balance] = balances_by_entries(api, scope.period, reading.findings)
    else:
        reading.resource = TRIAL_BALANCES.title
        balances = trial_balance(api, scope.period, reading.findings)
    yield _batch(scope.period, sorted(balances, key=lambda balance: balance.account))


def trial_balance(
    api: BusinessCentralApi, period: Period, findings: list[Finding], *, closing: bool = False
) -> Iterator[Balance]:
    """Yield the balances of the posting accounts by the service's trial balance.

    :param closing: those of the closing entries of the year that ends with the period, which are left out otherwise.
    """
    days = closed_by(period) if closing else posted_within(period)
    where = days.replace("postingDate", "dateFilter")
    for rows in api.rows(TRIAL_BALANCES, findings, where=where):
        for row in rows.to_pylist():
            if decode_name(row["accountType"]) == "Posting":
                yield _of_row(row)


def balances_by_entries(api: BusinessCentralApi, period: Period, findings: list[Finding]) -> list[Balance]:
    """Return the balances by all entries up to the period's end; what is kept is one sum per account."""
    sums: dict[str, list[Decimal]] = {}
    for movements in api.many_rows(
        LINES, findings, lambda rows, _: _by_account(rows, period), where=f"postingDate le {period.end}"
    ):
        for movement in movements:
            so_far = sums.setdefault(movement["accountNumber"], [ZERO, ZERO, ZERO])
            debit, credit = movement["debitAmount_sum"], movement["creditAmount_sum"]
            if movement["within"]:
                so_far[1] += debit
                so_far[2] += credit
            else:
                so_far[0] += debit - credit
    return [Balance(account, *amounts) for account, amounts in sums.items()]


def american_amount(text: str) -> Decimal:
    """Read an amount as en-US writes it; "" is zero.

    :raises ValueError: for any other way of writing.
    """
    if text and not _AMERICAN.fullmatch(text):
        raise ValueError(text)
    return Decimal(text.replace(",", "") or 0)


def _of_row(row: Mapping[str, Any]) -> Balance:
    try:
        debit, credit = american_amount(row["totalDebit"]), american_amount(row["totalCredit"])
        closing = american_amount(row["balanceAtDateDebit"]) - american_amount(row["balanceAtDateCredit"])
    except ValueError as exc:
        raise DataError(
            f"The trial balance writes an amount of account {row['number']} as '{exc}', which is not en-US.",
            hint="Read balances from entries instead: set the connection's balances to entries.",
        ) from None
    return Balance(row["number"], opening=closing - (debit - credit), debit=debit, credit=credit)


def _by_account(rows: pa.RecordBatch, period: Period) -> Iterable[dict[str, Any]]:
    """Sum a page per account, the period's entries apart from those before it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    within = pc.greater_equal(rows["postingDate"], pa.scalar(period.start, pa.date32()))
    columns = {name: rows[name] for name in ("accountNumber", "debitAmount", "creditAmount")}
    grouped = pa.table({**columns, "within": within}).group_by(["accountNumber", "within"])
    return grouped.aggregate([("debitAmount", "sum"), ("creditAmount", "sum")]).to_pylist()


def _batch(period: Period, balances: list[Balance]) -> pa.RecordBatch:
    columns = {
        "record_id": [f"{period.key}/{balance.account}" for balance in balances],
        "document": [balance.account for balance in balances],
        "period": [period.key] * len(balances),
        "account": [balance.account for balance in balances],
        "opening": [balance.opening for balance in balances],
        "debit": [balance.debit for balance in balances],
        "credit": [balance.credit for balance in balances],
        "amount": [balance.movement for balance in balances],
        "closing": [balance.opening + balance.movement for balance in balances],
    }
    return canonical_batch(Dataset.ACCOUNT_BALANCES, columns)
