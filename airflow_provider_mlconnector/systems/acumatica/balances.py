# SPDX-License-Identifier: Apache-2.0
"""Account balances of a period, by the account summary (form GL401000), in base currency.

The form signs balances by the account's type: what a liability owes is positive. Totals of debit and credit are not
signed, so the movement follows from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.money import ZERO, exact_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.company import Company
from airflow_provider_mlconnector.systems.acumatica.entities import SUMMARY, SummaryRow
from airflow_provider_mlconnector.systems.acumatica.wrapped import wrap
from airflow_provider_mlconnector.systems.balances import Balance, balances_batch, balances_period, summed
from airflow_provider_mlconnector.systems.port import Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

SIGNS: Mapping[str, int] = {"Asset": 1, "Expense": 1, "Liability": -1, "Income": -1}
"""By account type, what turns a balance of the form into debit less credit."""


def read_balances(api: AcumaticaApi, company: Company, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the balances of the scope's period.

    :raises CapabilityError: when the scope names no period.
    """
    period = balances_period(scope)
    reading.resource = SUMMARY.name
    yield balances_batch(period, balances_of(api, company, period))


def balances_of(api: AcumaticaApi, company: Company, period: Period) -> dict[str, Balance]:
    """Return the balances of a period and of what counts as part of it, by account."""
    return summed(_parts(api, company, period))


def _parts(api: AcumaticaApi, company: Company, period: Period) -> Iterator[tuple[str, Balance]]:
    """Yield what the form says; rows of several branches or subaccounts are parts of an account, and so are periods.

    A later period goes on from the one before it, so that its opening counts for accounts only that this one lacks.
    """
    begun: set[str] = set()
    for post in company.posted_to(period):
        parameters = wrap(Ledger=company.ledger_id, Period=post.code, Branch=api.connection.branch)
        rows = [(row.Account.value or "", _of_row(row)) for row in api.inquire(SUMMARY, parameters).Results]
        for account, balance in rows:
            yield account, replace(balance, opening=ZERO) if account in begun else balance
        begun |= {account for account, _ in rows}


def _of_row(row: SummaryRow) -> Balance:
    sign = SIGNS.get(row.Type.value or "")
    if sign is None:
        raise DataError(f"Account {row.Account.value} is of the type '{row.Type.value}', which has no known sign.")
    opening = row.BeginningBalance.value or ZERO
    return Balance(
        exact_money(opening if sign > 0 else opening.copy_negate()),
        exact_money(row.DebitTotal.value or ZERO),
        exact_money(row.CreditTotal.value or ZERO),
    )
