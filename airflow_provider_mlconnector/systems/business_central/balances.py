# SPDX-License-Identifier: Apache-2.0
"""Account balances of a period: opening, movement and closing of every posting account.

The trial balance of API v2.0 is made for reading: its amounts are text, written as the language of the request asks for
(en-US: ``72,893.84``; "" is zero). It tells the movement of the filtered dates and the balance at their end; opening is
the one less the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.balances import Balance, balances_batch, balances_period, summed
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.connection import BalanceSource
from airflow_provider_mlconnector.systems.business_central.names import closed_by, decode_name, posted_within
from airflow_provider_mlconnector.systems.business_central.resources import LINES, TRIAL_BALANCES
from airflow_provider_mlconnector.systems.port import Finding, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

_AMERICAN = re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")


def read_balances(api: BusinessCentralApi, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the balances of the scope's period, from the source that the connection names.

    :raises CapabilityError: when the scope names no period.
    """
    period = balances_period(scope)
    if api.connection.balances is BalanceSource.ENTRIES:
        reading.resource = LINES.title
        balances = balances_by_entries(api, period, reading.findings)
    else:
        reading.resource = TRIAL_BALANCES.title
        balances = dict(trial_balance(api, period, reading.findings))
    yield balances_batch(period, balances)


def trial_balance(
    api: BusinessCentralApi, period: Period, findings: list[Finding], *, closing: bool = False
) -> Iterator[tuple[str, Balance]]:
    """Yield the posting accounts with their balances by the service's trial balance.

    :param closing: those of the closing entries of the year that ends with the period, which are left out otherwise.
    """
    days = closed_by(period) if closing else posted_within(period)
    where = days.replace("postingDate", "dateFilter")
    for rows in api.rows(TRIAL_BALANCES, findings, where=where):
        for row in rows.to_pylist():
            if decode_name(row["accountType"]) == "Posting":
                yield row["number"], _of_row(row)


def balances_by_entries(api: BusinessCentralApi, period: Period, findings: list[Finding]) -> dict[str, Balance]:
    """Return the balances by all entries up to the period's end; what is kept of a page is two sums per account."""
    pages = api.many_rows(
        LINES, findings, lambda rows, _: list(_by_account(rows, period)), where=f"postingDate le {period.end}"
    )
    return summed(chain.from_iterable(pages))


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
    return Balance(opening=closing - (debit - credit), debit=debit, credit=credit)


def _by_account(rows: pa.RecordBatch, period: Period) -> Iterator[tuple[str, Balance]]:
    """Sum a page per account, the period's entries as its movement and those before it as the opening."""
    import pyarrow as pa
    import pyarrow.compute as pc

    within = pc.greater_equal(rows["postingDate"], pa.scalar(period.start, pa.date32()))
    columns = {name: rows[name] for name in ("accountNumber", "debitAmount", "creditAmount")}
    grouped = pa.table({**columns, "within": within}).group_by(["accountNumber", "within"])
    for row in grouped.aggregate([("debitAmount", "sum"), ("creditAmount", "sum")]).to_pylist():
        moved = Balance(debit=row["debitAmount_sum"], credit=row["creditAmount_sum"])
        yield row["accountNumber"], moved if row["within"] else Balance(opening=moved.movement)
