# SPDX-License-Identifier: Apache-2.0
"""Finance & Operations as a ledger that can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import CapabilityError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import PeriodOf, key_lookup, watched
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.balances import read_balances
from airflow_provider_mlconnector.systems.dynamics_fo.capabilities import CAPABILITIES
from airflow_provider_mlconnector.systems.dynamics_fo.company import Company
from airflow_provider_mlconnector.systems.dynamics_fo.connection import FinanceOperationsConnection
from airflow_provider_mlconnector.systems.dynamics_fo.journal import read_lines
from airflow_provider_mlconnector.systems.dynamics_fo.masters import (
    period_status,
    read_accounts,
    read_cost_centres,
    read_periods,
    read_vendors,
)
from airflow_provider_mlconnector.systems.http.retry import DEFAULT_POLICY, RetryPolicy
from airflow_provider_mlconnector.systems.port import Health, PeriodStatus, PeriodTotals, Reading, Scope

if TYPE_CHECKING:
    import pyarrow as pa


class FinanceOperations:
    """The books of one legal entity of an environment. Not to be shared between threads.

    :param calendar: which period a day belongs to: ``period_of`` of a close calendar. Without one, lines are known by
        the period that is read, and fiscal periods cannot be told.
    :param read_timeout: seconds without a byte from the server; its first call after a restart takes more than 60.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        connection: FinanceOperationsConnection,
        calendar: PeriodOf | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        retry: RetryPolicy = DEFAULT_POLICY,
        proxies: Mapping[str, str] | None = None,
        verify: bool | str = True,
        read_timeout: float = 300.0,
    ) -> None:
        self._connection = connection
        self._api = FinanceOperationsApi(
            connection, clock=clock, retry=retry, proxies=proxies, verify=verify, read_timeout=read_timeout
        )
        self._company = Company(self._api)
        self._calendar = calendar
        api = self._api
        self._readers: dict[Dataset, Callable[[Company, Scope, Reading], Iterator[pa.RecordBatch]]] = {
            Dataset.ACCOUNTS: lambda company, _, reading: read_accounts(api, company, reading),
            Dataset.COST_CENTRES: lambda company, scope, reading: read_cost_centres(api, company, scope, reading),
            Dataset.JOURNAL_LINES: lambda company, scope, reading: read_lines(
                api, company, scope, reading, key_lookup(calendar, scope.period)
            ),
            Dataset.ACCOUNT_BALANCES: lambda company, scope, reading: read_balances(
                api, company, scope, reading, key_lookup(calendar, scope.period)
            ),
            Dataset.VENDORS: lambda company, _, reading: read_vendors(api, company, reading),
            Dataset.PERIODS: lambda company, _, reading: read_periods(
                api, company, reading, key_lookup(calendar, None)
            ),
        }

    @property
    def requests_made(self) -> int:
        """Requests sent so far, logins not counted."""
        return self._api.requests_made

    def ping(self) -> Health:
        """Log in, find the company and count its posted journals, so that the right to read them is shown, too.

        :raises AuthenticationError: when the login is refused, or the application is not listed in the environment.
        :raises PermissionDeniedError: when its user may not read posted journals.
        :raises UnknownNameError: when the environment has no such company.
        """
        ledger = self._company.ledger
        count = self._api.count(self._company.headers, self._company.posted)
        sentence = (
            f"Logged in to {self._connection.environment_url} by tenant {self._connection.tenant}; "
            f"legal entity {ledger.company} ({ledger.company_name}) found, with {count} posted journals."
        )
        return Health(ok=True, sentence=sentence, server_time=self._api.server_time)

    def read(self, dataset: Dataset, scope: Scope) -> Reading:
        """Read a dataset; nothing is asked for until the batches are. What was asked before is asked for again.

        :raises CapabilityError: for a dataset that Finance & Operations does not give, and for periods without a
            calendar.
        """
        if dataset not in self._readers:
            raise CapabilityError(
                f"Finance & Operations does not give {dataset}.", hint=f"It gives {', '.join(sorted(self._readers))}."
            )
        if dataset is Dataset.PERIODS and self._calendar is None:
            raise CapabilityError("Only a calendar tells which fiscal period an accounting period is; none is given.")
        self._company = Company(self._api)
        reading = Reading(batches=iter(()))
        batches = self._readers[dataset](self._company, scope, reading)
        reading.batches = watched(batches, reading, lambda: self._api.requests_made)
        return reading

    def period_totals(self, period: Period) -> PeriodTotals:
        """Say that the environment has no figures of a period but its lines: they are not checked against others.

        Nothing that is posted ever changes there; corrections are posted besides it.
        """
        return PeriodTotals(count=None, by_account=None, source="")

    def period_status(self, period: Period) -> PeriodStatus:
        """Say whether the period may be posted into, by LedgerFiscalPeriods."""
        return period_status(self._api, self._company, period)

    def close(self) -> None:
        """Release connections; there is no session to log off from."""
        self._api.close()
