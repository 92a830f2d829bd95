# SPDX-License-Identifier: Apache-2.0
"""Dynamics GP as a ledger that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import CapabilityError, RemoteError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.books import Books, Reader
from airflow_provider_mlconnector.systems.canonical import PeriodOf, calendar_lookup, key_lookup
from airflow_provider_mlconnector.systems.dynamics_gp.api import GpApi
from airflow_provider_mlconnector.systems.dynamics_gp.balances import (
    SUMMARIES,
    by_summaries,
    closing_movements,
    read_balances,
)
from airflow_provider_mlconnector.systems.dynamics_gp.capabilities import CAPABILITIES
from airflow_provider_mlconnector.systems.dynamics_gp.chart import read_accounts, read_cost_centres
from airflow_provider_mlconnector.systems.dynamics_gp.choices import probe
from airflow_provider_mlconnector.systems.dynamics_gp.connection import GpConnection, Query
from airflow_provider_mlconnector.systems.dynamics_gp.custom_journals import read_custom_lines
from airflow_provider_mlconnector.systems.dynamics_gp.history import NO_MEMORY, History, Memory
from airflow_provider_mlconnector.systems.dynamics_gp.journals import read_lines
from airflow_provider_mlconnector.systems.dynamics_gp.people import read_employees, read_invoices, read_vendors
from airflow_provider_mlconnector.systems.dynamics_gp.periods import period_status, read_periods
from airflow_provider_mlconnector.systems.dynamics_gp.tables import GpTables
from airflow_provider_mlconnector.systems.http.transport import Transport
from airflow_provider_mlconnector.systems.port import Choice, Health, PeriodStatus, PeriodTotals, Reading, Scope, added

if TYPE_CHECKING:
    import pyarrow as pa

READ_TIMEOUT = 900.0
"""Seconds of silence that are borne: each call may start a process of the application first."""

PATIENT = Transport(read_timeout=READ_TIMEOUT)


class DynamicsGp(Books):
    """The books of one company of Dynamics GP. Not to be shared between threads: a connection is what is logged in.

    Modified stamps are those of rows at their insertion: a long posting appears with earlier ones, so that
    ``Scope.since`` should lie some minutes before the last cursor.

    :param calendar: which period a posting date belongs to: ``period_of`` of a close calendar. Without one, lines are
        known by the period that is read, and fiscal periods cannot be told.
    :param memory: where the balances of months are remembered, if they are summed.
    :param query: runs a statement on the company's database; without it there are no totals to compare with, and
        balances are summed from journals.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        connection: GpConnection,
        calendar: PeriodOf | None = None,
        transport: Transport = PATIENT,
        *,
        query: Query | None = None,
        memory: Memory = NO_MEMORY,
    ) -> None:
        self._transport = transport
        self._api = api = GpApi(connection, transport)
        self._tables = tables = GpTables(query) if query else None
        self._calendar = calendar
        history = History(api, memory)
        readers: dict[Dataset, Reader] = {
            Dataset.ACCOUNTS: lambda _, reading: read_accounts(api, reading, tables),
            Dataset.COST_CENTRES: lambda scope, reading: read_cost_centres(api, scope, reading, tables),
            Dataset.JOURNAL_LINES: self._read_lines,
            Dataset.ACCOUNT_BALANCES: lambda scope, reading: read_balances(api, scope, reading, tables, history),
            Dataset.VENDORS: lambda _, reading: read_vendors(api, reading),
            Dataset.AP_INVOICES: lambda _, reading: read_invoices(api, reading, key_lookup(calendar, None)),
            Dataset.EMPLOYEES: lambda _, reading: read_employees(api, reading),
            Dataset.PERIODS: self._read_periods,
        }
        super().__init__(api, readers)

    def ping(self) -> Health:
        """Log in, find the company, and see whether SBA answers and how it spells the company.

        Not well is a connection that names SBA where it does not know the company.

        :raises AuthenticationError: when the account is refused.
        :raises UnknownNameError: when there is no such company.
        """
        company = self._api.company
        ok, sba = self._sba_health()
        source = "period totals come from the database" if self._tables else "no database is named for period totals"
        return Health(ok, f"Logged in; company {company.name} is number {company.id}; {sba}; {source}.")

    def choices(self) -> Iterator[Choice]:
        """Probe the ways to log in, the company, and SBA with what it has."""
        return probe(self._api, self._transport)

    def period_totals(self, period: Period) -> PeriodTotals:
        """Return the movements of a period by the database's period summaries; None without a database.

        They do not hold the entries that close a year, so those are asked for and added.
        """
        if self._tables is None:
            return PeriodTotals(None, None, "neither service has totals; no database connection is named")
        form = self._api.account_format
        balances = by_summaries(self._tables, period, form, self._api.connection.ledger)
        movements = {account: balance.movement for account, balance in balances.items()}
        closing = closing_movements(self._api, period)
        return PeriodTotals(None, added(movements, closing), SUMMARIES, closing=closing)

    def period_status(self, period: Period) -> PeriodStatus:
        """Say whether the period is open for the financial series; unknown without a database."""
        return period_status(self._tables, period)

    def _read_lines(self, scope: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
        """Yield the lines from the customer's own SBA resource where the connection names one that answers."""
        key_of = key_lookup(self._calendar, scope.period)
        resource = self._api.connection.gl_resource
        rows = self._api.sba_rows(resource, reading) if resource else None
        if rows is None:
            return read_lines(self._api, scope, reading, key_of)
        return read_custom_lines(self._api, scope, reading, key_of, rows)

    def _read_periods(self, _: Scope, reading: Reading) -> Iterator[pa.RecordBatch]:
        if self._tables is None:
            raise CapabilityError(
                "Neither service of Dynamics GP knows fiscal periods.",
                hint="Name an Airflow connection to the company's database.",
            )
        return read_periods(self._tables, reading, calendar_lookup(self._calendar))

    def _sba_health(self) -> tuple[bool, str]:
        if self._api.sba is None:
            return True, "SBA is not named, everything comes from the web services"
        try:
            known = self._api.sba.companies()
        except RemoteError as error:
            return True, f"SBA does not answer ({error.message.rstrip('.')}), the web services do"
        spelled = self._api.connection.sba_company or self._api.connection.company
        if spelled in known:
            return True, f"SBA knows it as '{spelled}'"
        return False, f"SBA does not know '{spelled}', only {', '.join(known)}"
