# SPDX-License-Identifier: Apache-2.0
"""Account balances of a period, as every ledger's are handed on: opening, what came and went, and closing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.money import ZERO, add_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Scope

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Balance:
    """One account over one period, in company currency."""

    opening: Decimal = ZERO
    debit: Decimal = ZERO
    credit: Decimal = ZERO

    @property
    def movement(self) -> Decimal:
        """Debit less credit of the period."""
        return add_money((self.debit, self.credit.copy_negate()))

    @property
    def closing(self) -> Decimal:
        """What the account came to at the period's end."""
        return add_money((self.opening, self.movement))


def summed(parts: Iterable[tuple[str, Balance]]) -> dict[str, Balance]:
    """Return the balances of accounts whose parts come one by one, over the same period."""
    by_account: defaultdict[str, list[Balance]] = defaultdict(list)
    for account, part in parts:
        by_account[account].append(part)
    return {
        account: Balance(
            add_money(part.opening for part in own),
            add_money(part.debit for part in own),
            add_money(part.credit for part in own),
        )
        for account, own in by_account.items()
    }


def balances_period(scope: Scope) -> Period:
    """Return the period that balances are wanted of.

    :raises CapabilityError: when the scope names none.
    """
    if scope.period is None:
        raise CapabilityError("Account balances are those of a period, and none is named.")
    return scope.period


def balances_batch(period: Period, balances: Mapping[str, Balance], *, company: str = "") -> pa.RecordBatch:
    """Return the balances of a period, by account.

    :param company: part of a record's id, for a ledger whose ids tell it everywhere.
    """
    accounts = sorted(balances)
    ordered = [balances[account] for account in accounts]
    within = f"{company}/{period.key}" if company else period.key
    columns = {
        "record_id": [f"{within}/{account}" for account in accounts],
        "document": accounts,
        "period": [period.key] * len(accounts),
        "account": accounts,
        "opening": [balance.opening for balance in ordered],
        "debit": [balance.debit for balance in ordered],
        "credit": [balance.credit for balance in ordered],
        "amount": [balance.movement for balance in ordered],
        "closing": [balance.closing for balance in ordered],
    }
    return canonical_batch(Dataset.ACCOUNT_BALANCES, columns)
