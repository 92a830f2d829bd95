# SPDX-License-Identifier: Apache-2.0
"""SYSPRO as a ledger that can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.http.retry import DEFAULT_POLICY, RetryPolicy
from airflow_provider_mlconnector.systems.port import Health, PeriodStatus, PeriodTotals, Reading, Scope
from airflow_provider_mlconnector.systems.syspro.accounts import read_accounts, read_cost_centres
from airflow_provider_mlconnector.systems.syspro.api import SysproApi
from airflow_provider_mlconnector.systems.syspro.balances import period_balances, read_balances
from airflow_provider_mlconnector.systems.syspro.capabilities import CAPABILITIES
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

if TYPE_CHECKING:
    import pyarrow as pa

Reader = Callable[[SysproApi, Scope, Reading], "Iterator[pa.RecordBatch]"]

_READERS: dict[Dataset, Reader] = {
    Dataset.ACCOUNTS: lambda api, _, reading: read_accounts(api, reading),
    Dataset.COST_CENTRES: read_cost_centres,
    Dataset.JOURNAL_LINES: read_lines,
    Dataset.ACCOUNT_BALANCES: read_balances,
    Dataset.VENDORS: lambda api, _, reading: read_suppliers(api, reading),
    Dataset.CUSTOMERS: lambda api, _, reading: read_customers(api, reading),
    Dataset.AP_INVOICES: lambda api, _, reading: read_ap_invoices(api, reading),
    Dataset.AP_POSTINGS: lambda api, _, reading: read_ap_postings(api, reading),
    Dataset.AR_INVOICES: lambda api, _, reading: read_ar_invoices(api, reading),
    Dataset.INVENTORY: lambda api, _, reading: read_inventory(api, reading),
}


class Syspro:
    """The books of one company of SYSPRO. Not to be shared between threads.

    :param read_timeout: seconds without a byte from the server.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        connection: SysproConnection,
        *,
        clock: Clock = SYSTEM_CLOCK,
        retry: RetryPolicy = DEFAULT_POLICY,
        proxies: Mapping[str, str] | None = None,
        verify: bool | str = True,
        read_timeout: float = 300.0,
    ) -> None:
        self._connection = connection
        self._api = SysproApi(
            connection, clock=clock, retry=retry, proxies=proxies, verify=verify, read_timeout=read_timeout
        )

    @property
    def requests_made(self) -> int:
        """Requests sent so far, logons not counted."""
        return self._api.requests_made

    def ping(self) -> Health:
        """Log in, see what the service offers, and whether the company has GL codes; two requests and the logon.

        Not well is a service that does not show the general ledger, and a company without any GL code.

        :raises AuthenticationError: when the login is refused.
        """
        offered = self._api.offered
        missing = [table.name for table in (JOURNALS, MASTERS, HISTORY) if table.name not in offered]
        how = "by an e.net session" if self._connection.auth is Auth.SESSION else "by Basic"
        greeting = f"Logged in as {self._connection.operator} {how}; {len(offered)} tables are offered"
        time = self._api.server_time
        if missing:
            return Health(False, f"{greeting}, but not {', '.join(missing)}.", time)
        rows = next(iter(self._api.rows(MASTERS, [])), None)
        company = self._connection.company
        if rows is None or not rows.num_rows:
            return Health(False, f"{greeting}, but company {company} has no GL codes there.", time)
        by = "row versions" if offered[JOURNALS.name].filters(TIME_STAMP) else "the numbers of journals"
        return Health(True, f"{greeting}; company {company} found; changes are known by {by}.", time)

    def read(self, dataset: Dataset, scope: Scope) -> Reading:
        """Read a dataset; nothing is asked for until the batches are.

        :raises CapabilityError: for a dataset or a dimension that SYSPRO does not give.
        """
        refusal = CAPABILITIES.refusal(dataset)
        if refusal:
            raise CapabilityError(refusal)
        check_dimensions(self._connection, scope.dimensions)
        reading = Reading(batches=iter(()))
        reading.batches = self._counted(_READERS[dataset](self._api, scope, reading), reading)
        return reading

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

    def close(self) -> None:
        """Log off and release connections."""
        self._api.close()

    def _counted(self, batches: Iterator[pa.RecordBatch], reading: Reading) -> Iterator[pa.RecordBatch]:
        """Keep count of requests; leave out empty batches."""
        before = self._api.requests_made
        for batch in batches:
            reading.requests = self._api.requests_made - before
            if batch.num_rows:
                yield batch
        reading.requests = self._api.requests_made - before
