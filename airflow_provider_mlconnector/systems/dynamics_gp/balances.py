# SPDX-License-Identifier: Apache-2.0
"""Account balances of a period: from the database's own period summaries, else summed from all journals up to its end.

Neither service has balances. The first sum takes a call for every transaction that was ever posted, which a large
company wants to make at night, or to spare itself by a connection to the database. What a closed year brings forward is
left out of a sum, since the journals that it sums up are in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.finance.money import add_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.balances import Balance, balances_batch, balances_period, summed
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.chart import list_units
from airflow_provider_mlconnector.systems.dynamics_gp.formats import AccountFormat
from airflow_provider_mlconnector.systems.dynamics_gp.history import History
from airflow_provider_mlconnector.systems.dynamics_gp.journals import LISTED_BY_KEY, closing_lines
from airflow_provider_mlconnector.systems.dynamics_gp.tables import FiscalPeriod, GpTables
from airflow_provider_mlconnector.systems.dynamics_gp.transactions import GpLine
from airflow_provider_mlconnector.systems.port import Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa

SUMMARIES = "GL10110, GL10111"


def read_balances(
    api: GpApi, scope: Scope, reading: Reading, tables: GpTables | None, history: History
) -> Iterator[pa.RecordBatch]:
    """Yield the balances of the scope's period.

    :raises CapabilityError: when the scope names no period.
    """
    period = balances_period(scope)
    reading.resource = SUMMARIES if tables else LISTED_BY_KEY
    form = api.account_format
    balances = (
        by_summaries(tables, period, form, api.connection.ledger) if tables else by_journals(api, history, period)
    )
    yield balances_batch(period, balances)


def by_summaries(tables: GpTables, period: Period, form: AccountFormat, ledger: str) -> dict[str, Balance]:
    """Return the balances by the database's period summaries."""
    found = fiscal_period(tables, period)
    return summed(
        (
            form.account(row.account),
            Balance(opening=row.net) if row.period < found.number else Balance(debit=row.debit, credit=row.credit),
        )
        for row in tables.balances(found, ledger)
    )


def by_journals(api: GpApi, history: History, period: Period) -> dict[str, Balance]:
    """Return the balances by all journals up to the period's end; closing entries are no movement of theirs."""
    return summed(_moves(api, history, period))


def _moves(api: GpApi, history: History, period: Period) -> Iterator[tuple[str, Balance]]:
    form = api.account_format
    units = {account.number for account in list_units(api)}
    for moved in history.before(period.start):
        if moved.number not in units and moved.kind is not EntryKind.OPENING:
            opening = add_money((moved.debit, moved.credit.copy_negate()))
            yield form.account(moved.number), Balance(opening=opening)
    for moved in history.of(period):
        if moved.number not in units and moved.kind is EntryKind.NORMAL:
            yield form.account(moved.number), Balance(debit=moved.debit, credit=moved.credit)


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
