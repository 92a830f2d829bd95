# SPDX-License-Identifier: Apache-2.0
"""Account balances of a period: from the database's own period summaries, else summed from all journals up to its end.

Neither service has balances. Summing takes a call for every transaction that was ever posted, which a small company
bears and a large one does not: there a connection to the database is the way. What a closed year brings forward is left
out of a sum, since the journals that it sums up are in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import CapabilityError, DataError
from airflow_provider_mlconnector.finance.datasets import Dataset, EntryKind
from airflow_provider_mlconnector.finance.money import add_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.chart import list_units
from airflow_provider_mlconnector.systems.dynamics_gp.formats import AccountFormat
from airflow_provider_mlconnector.systems.dynamics_gp.journals import (
    BY_KEY,
    GpLine,
    before,
    closing_lines,
    kind_of,
    posted_lines,
)
from airflow_provider_mlconnector.systems.dynamics_gp.tables import FiscalPeriod, GpTables
from airflow_provider_mlconnector.systems.port import Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

SUMMARIES = "GL10110, GL10111"


@dataclass(slots=True)
class Balance:
    """A main account over a period, in company currency; what is added up is kept until it is asked for."""

    openings: list[Decimal] = field(default_factory=list)
    debits: list[Decimal] = field(default_factory=list)
    credits: list[Decimal] = field(default_factory=list)

    @property
    def opening(self) -> Decimal:
        """Return the balance before the period."""
        return add_money(self.openings)

    @property
    def debit(self) -> Decimal:
        """Return what was debited in the period."""
        return add_money(self.debits)

    @property
    def credit(self) -> Decimal:
        """Return what was credited in the period."""
        return add_money(self.credits)

    @property
    def movement(self) -> Decimal:
        """Return debit less credit."""
        return add_money((self.debit, self.credit.copy_negate()))


def read_balances(api: GpApi, scope: Scope, reading: Reading, tables: GpTables | None) -> Iterator[pa.RecordBatch]:
    """Yield the balances of the scope's period.

    :raises CapabilityError: when the scope names no period.
    """
    if scope.period is None:
        raise CapabilityError("Account balances are those of a period, and none is named.")
    reading.resource = SUMMARIES if tables else BY_KEY
    form = api.account_format
    balances = (
        by_summaries(tables, scope.period, form, api.connection.ledger)
        if tables
        else by_journals(api, scope.period, form)
    )
    yield _batch(scope.period, sorted(balances.items()))


def by_summaries(tables: GpTables, period: Period, form: AccountFormat, ledger: str) -> dict[str, Balance]:
    """Return the balances by the database's period summaries."""
    found = fiscal_period(tables, period)
    balances: dict[str, Balance] = {}
    for row in tables.balances(found, ledger):
        balance = balances.setdefault(form.account(row.account), Balance())
        if row.period < found.number:
            balance.openings.append(row.net)
        else:
            balance.debits.append(row.debit)
            balance.credits.append(row.credit)
    return balances


def by_journals(api: GpApi, period: Period, form: AccountFormat) -> dict[str, Balance]:
    """Return the balances by all journals up to the period's end; closing entries are no movement of theirs."""
    balances: dict[str, Balance] = {}
    units = {account.number for account in list_units(api)}
    for line in before(api, period.start):
        if line.number not in units and kind_of(api, line.source) is not EntryKind.OPENING:
            balance = balances.setdefault(form.account(line.number), Balance())
            balance.openings.append(line.debit)
            balance.openings.append(line.credit.copy_negate())
    for line in posted_lines(api, Scope(period)):
        if line.number not in units and kind_of(api, line.source) is EntryKind.NORMAL:
            balance = balances.setdefault(form.account(line.number), Balance())
            balance.debits.append(line.debit)
            balance.credits.append(line.credit)
    return balances


def closing_movements(api: GpApi, period: Period) -> Mapping[str, Decimal]:
    """Return what a year's closing moved in a period, per account."""
    return _net(closing_lines(api, period), api.account_format)


def fiscal_period(tables: GpTables, period: Period) -> FiscalPeriod:
    """Return the ledger's period of the same days.

    :raises DataError: when it has none.
    """
    found = tables.fiscal_period(period)
    if found is None:
        raise DataError(
            f"The fiscal calendar of Dynamics GP has no period from {period.start} to {period.end} ({period.key}).",
            hint="Compare the flow's calendar with Fiscal Periods Setup.",
        )
    return found


def _net(lines: Iterable[GpLine], form: AccountFormat) -> dict[str, Decimal]:
    amounts: dict[str, list[Decimal]] = {}
    for line in lines:
        amounts.setdefault(form.account(line.number), []).extend((line.debit, line.credit.copy_negate()))
    return {account: add_money(parts) for account, parts in amounts.items()}


def _batch(period: Period, balances: list[tuple[str, Balance]]) -> pa.RecordBatch:
    columns = {
        "record_id": [f"{period.key}/{account}" for account, _ in balances],
        "document": [account for account, _ in balances],
        "period": [period.key] * len(balances),
        "account": [account for account, _ in balances],
        "opening": [balance.opening for _, balance in balances],
        "debit": [balance.debit for _, balance in balances],
        "credit": [balance.credit for _, balance in balances],
        "amount": [balance.movement for _, balance in balances],
        "closing": [add_money((balance.opening, balance.movement)) for _, balance in balances],
    }
    return canonical_batch(Dataset.ACCOUNT_BALANCES, columns)
