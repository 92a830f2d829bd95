# SPDX-License-Identifier: Apache-2.0
"""What was posted in base currency for batches in another one, by the account details for a period (form GL404001).

Its rows do not name the line that they are of. Rows of a batch that look alike are of the same account and subaccount,
so whichever of them is taken for a line, every account and subaccount comes to the same sum.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from airflow_provider_mlconnector.errors import ConflictError
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.entities import DETAILS, DetailRow, Journal, JournalLine
from airflow_provider_mlconnector.systems.acumatica.wrapped import wrap

Amounts = tuple[Decimal, Decimal]
"""Debit and credit."""

ZERO = Decimal(0)
_Batch = tuple[str | None, str | None]
_Look = tuple[str | None, str | None, Decimal, Decimal]


class BaseAmounts:
    """Debit and credit in base currency; the details of a period are asked for when a batch first needs them."""

    def __init__(self, api: AcumaticaApi, ledger: str) -> None:
        self._api = api
        self._ledger = ledger
        self._rows: dict[str, dict[_Batch, list[DetailRow]]] = {}

    def of(self, journal: Journal) -> list[Amounts]:
        """Return the amounts of each line of a batch.

        :raises ConflictError: when batch and details do not agree: somebody changes it just now.
        """
        period = journal.PostPeriod.value or ""
        for fresh in (False, True):
            if fresh or period not in self._rows:
                self._rows[period] = self._ask(period)
            amounts = _assigned(journal, self._rows[period])
            if amounts is not None:
                return amounts
        raise ConflictError(
            f"The account details of {period} do not show batch {journal.Module.value} {journal.BatchNbr.value} "
            "as it is now.",
            hint="Run the task again.",
        )

    def _ask(self, period: str) -> dict[_Batch, list[DetailRow]]:
        by_batch: dict[_Batch, list[DetailRow]] = defaultdict(list)
        parameters = wrap(FromPeriod=period, ToPeriod=period, Ledger=self._ledger)
        for row in self._api.inquire(DETAILS, parameters).Results:
            by_batch[row.Module.value, row.BatchNumber.value].append(row)
        return dict(by_batch)


def _assigned(journal: Journal, by_batch: dict[_Batch, list[DetailRow]]) -> list[Amounts] | None:
    """Give each line one of the rows that look like it; None when one is left over."""
    alike: dict[_Look, list[Amounts]] = defaultdict(list)
    for row in by_batch.get((journal.Module.value, journal.BatchNbr.value), ()):
        debit, credit = row.DebitAmountInBaseCurrency.value, row.CreditAmountInBaseCurrency.value
        alike[_look(row)].append((debit or ZERO, credit or ZERO))
    try:
        return [alike[_look(line)].pop(0) for line in journal.Details]
    except IndexError:
        return None


def _look(row: DetailRow | JournalLine) -> _Look:
    return row.Account.value, row.Subaccount.value, row.DebitAmount.value or ZERO, row.CreditAmount.value or ZERO
