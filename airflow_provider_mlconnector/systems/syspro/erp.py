# SPDX-License-Identifier: Apache-2.0
"""SYSPRO as a ledger that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.books import Books, Reader
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.port import Choice, Health, PeriodStatus, PeriodTotals, Reading, Scope
from airflow_provider_mlconnector.systems.syspro.accounts import read_accounts, read_cost_centres
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.balances import period_balances, read_balances
from airflow_provider_mlconnector.systems.syspro.capabilities import CAPABILITIES
from airflow_provider_mlconnector.systems.syspro.choices import probe
from airflow_provider_mlconnector.systems.syspro.connection import Auth, SysproConnection
from airflow_provider_mlconnector.systems.syspro.ledger import check_dimensions, of_period, read_lines
from airflow_provider_mlconnector.systems.syspro.subledgers import (
    read_ap_invoices,
    read_ap_postings,
    read_ar_invoices,
    read_customers,
    read_inventory,
    read_suppliers,
)
from airflow_provider_mlconnector.systems.syspro.tables import HISTORY, JOURNALS, MASTERS, TIME_STAMP


class Syspro(Books):
    """The books of one company of SYSPRO. Not to be shared between threads."""

    capabilities = CAPABILITIES

    def __init__(self, connection: SysproConnection, transport: Transport = DIRECT) -> None:
        self._connection = connection
        self._transport = transport
        self._api = api = SysproApi(connection, transport)
        readers: dict[Dataset, Reader] = {
            Dataset.ACCOUNTS: lambda _, reading: read_accounts(api, reading),
            Dataset.COST_CENTRES: partial(read_cost_centres, api),
            Dataset.JOURNAL_LINES: partial(read_lines, api),
            Dataset.ACCOUNT_BALANCES: partial(read_balances, api),
            Dataset.VENDORS: lambda _, reading: read_suppliers(api, reading),
            Dataset.CUSTOMERS: lambda _, reading: read_customers(api, reading),
            Dataset.AP_INVOICES: lambda _, reading: read_ap_invoices(api, reading),
            Dataset.AP_POSTINGS: lambda _, reading: read_ap_postings(api, reading),
            Dataset.AR_INVOICES: lambda _, reading: read_ar_invoices(api, reading),
            Dataset.INVENTORY: lambda _, reading: read_inventory(api, reading),
        }
        super().__init__(api, readers)

    def ping(self) -> Health:
        """Log in, see what the service offers, and whether the company has GL codes; two requests and the logon.

        Not well is a service that does not show the general ledger, and a company without any GL code.

        :raises AuthenticationError: when the login is refused.
        """
        offered = self._api.offered
        missing = [table.name for table in (JOURNALS, MASTERS, HISTORY) if table.name not in offered]
        how = "by an e.net session" if self._connection.auth is Auth.SESSION else "by Basic"
        greeting = f"Logged in as {self._connection.operator} {how}; {len(offered)} tables are offered"
        time = self._api.session.server_time
        if missing:
            return Health(False, f"{greeting}, but not {', '.join(missing)}.", time)
        rows = next(iter(self._api.rows(MASTERS, [])), None)
        company = self._connection.company
        if rows is None or not rows.num_rows:
            return Health(False, f"{greeting}, but company {company} has no GL codes there.", time)
        by = "row versions" if offered[JOURNALS.name].filters(TIME_STAMP) else "the numbers of journals"
        return Health(True, f"{greeting}; company {company} found; changes are known by {by}.", time)

    def choices(self) -> Iterator[Choice]:
        """Probe the login, the path of a table, and the structure of GL codes."""
        return probe(self._connection, self._transport)

    def read(self, dataset: Dataset, scope: Scope) -> Reading:
        """Read a dataset; nothing is asked for until the batches are.

        :raises CapabilityError: for a dataset or a dimension that SYSPRO does not give.
        """
        check_dimensions(self._connection, scope.dimensions)
        return super().read(dataset, scope)

    def period_totals(self, period: Period) -> PeriodTotals:
        """Return the movements of a period by the balances that the ledger keeps, and the server's count of entries."""
        balances = period_balances(self._api, period, [])
        return PeriodTotals(
            count=self._api.count(JOURNALS, of_period(period)),
            by_account=None if balances is None else {name: one.movement for name, one in balances.items()},
            source=f"count of {JOURNALS.name}; balances of {HISTORY.name}",
        )

    def period_status(self, period: Period) -> PeriodStatus:
        """Return unknown: no table that is offered tells which periods are open."""
        return PeriodStatus.UNKNOWN
