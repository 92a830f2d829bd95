# SPDX-License-Identifier: Apache-2.0
"""Account balances of a period, by the account summary (form GL401000), in base currency.

The form signs balances by the account's type: what a liability owes is positive. Totals of debit and credit are not
signed, so the movement follows from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import CapabilityError, DataError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.money import add_money, exact_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.company import Company, PostPeriod
from airflow_provider_mlconnector.systems.acumatica.entities import SUMMARY, SummaryRow
from airflow_provider_mlconnector.systems.acumatica.wrapped import wrap
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

SIGNS: Mapping[str, int] = {"Asset": 1, "Expense": 1, "Liability": -1, "Income": -1}
"""By account type, what turns a balance of the form into debit less credit."""

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Balance:
    """One account over one period."""

    opening: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def movement(self) -> Decimal:
        """Debit less credit of the period."""
        return add_money([self.debit, self.credit.copy_negate()])

    def then(self, later: Balance) -> Balance:
        """Return the balance over this period and the one after it."""
        return replace(self, debit=add_money([self.debit, later.debit]), credit=add_money([self.credit, later.credit]))


def read_balances(api: AcumaticaApi, company: Company, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the balances of the scope's period.

    :raises CapabilityError: when the scope names no period.
    """
    if scope.period is None:
        raise CapabilityError("Account balances are those of a period, and none is named.")
    reading.resource = SUMMARY.name
    yield _batch(scope.period, balances_of(api, company, scope.period))


def balances_of(api: AcumaticaApi, company: Company, period: Period) -> dict[str, Balance]:
    """Return the balances of a period and of what counts as part of it, by account."""
    found: dict[str, Balance] = {}
    for post in company.posted_to(period):
        for account, balance in _summary(api, company.ledger_id, post).items():
            found[account] = found[account].then(balance) if account in found else balance
    return dict(sorted(found.items()))


def _summary(api: AcumaticaApi, ledger: str, post: PostPeriod) -> dict[str, Balance]:
    """Return what the form says of one period; rows of several branches or subaccounts of an account are added up."""
    parameters = wrap(Ledger=ledger, Period=post.code, Branch=api.connection.branch)
    found: dict[str, Balance] = {}
    for row in api.inquire(SUMMARY, parameters).Results:
        account, balance = row.Account.value or "", _of_row(row)
        if account in found:
            balance = replace(
                found[account].then(balance), opening=add_money([found[account].opening, balance.opening])
            )
        found[account] = balance
    return found


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


def _batch(period: Period, balances: Mapping[str, Balance]) -> pa.RecordBatch:
    accounts: Sequence[str] = list(balances)
    columns = {
        "record_id": [f"{period.key}/{account}" for account in accounts],
        "document": accounts,
        "period": [period.key] * len(accounts),
        "account": accounts,
        "opening": [balance.opening for balance in balances.values()],
        "debit": [balance.debit for balance in balances.values()],
        "credit": [balance.credit for balance in balances.values()],
        "amount": [balance.movement for balance in balances.values()],
        "closing": [add_money([balance.opening, balance.movement]) for balance in balances.values()],
    }
    return canonical_batch(Dataset.ACCOUNT_BALANCES, columns)
