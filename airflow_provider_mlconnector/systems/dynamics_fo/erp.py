# SPDX-License-Identifier: Apache-2.0
"""Finance & Operations as a ledger that can be read."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.books import Books, Reader
from airflow_provider_mlconnector.systems.canonical import PeriodOf, calendar_lookup, key_lookup
from airflow_provider_mlconnector.systems.dynamics_fo.api import FinanceOperationsApi
from airflow_provider_mlconnector.systems.dynamics_fo.balances import read_balances
from airflow_provider_mlconnector.systems.dynamics_fo.capabilities import CAPABILITIES
from airflow_provider_mlconnector.systems.dynamics_fo.choices import probe
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
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.port import Choice, Health, PeriodStatus, PeriodTotals, Reading, Scope


class FinanceOperations(Books):
    """The books of one legal entity of an environment. Not to be shared between threads.

    :param calendar: which period a day belongs to: ``period_of`` of a close calendar. Without one, lines are known by
        the period that is read, and fiscal periods cannot be told.
    :param transport: its patience has to last for more than 60 s, as the first call after a restart takes that long.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        connection: FinanceOperationsConnection,
        calendar: PeriodOf | None = None,
        transport: Transport = DIRECT,
    ) -> None:
        self._connection = connection
        self._api = api = FinanceOperationsApi(connection, transport)
        self._company = Company(self._api)
        readers: dict[Dataset, Reader] = {
            Dataset.ACCOUNTS: lambda _, reading: read_accounts(api, self._company, reading),
            Dataset.COST_CENTRES: lambda scope, reading: read_cost_centres(api, self._company, scope, reading),
            Dataset.JOURNAL_LINES: lambda scope, reading: read_lines(
                api, self._company, scope, reading, key_lookup(calendar, scope.period)
            ),
            Dataset.ACCOUNT_BALANCES: lambda scope, reading: read_balances(
                api, self._company, scope, reading, key_lookup(calendar, scope.period)
            ),
            Dataset.VENDORS: lambda _, reading: read_vendors(api, self._company, reading),
            Dataset.PERIODS: lambda _, reading: read_periods(api, self._company, reading, calendar_lookup(calendar)),
        }
        super().__init__(api.session, readers)

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
        return Health(ok=True, sentence=sentence, server_time=self._api.session.server_time)

    def choices(self) -> Iterator[Choice]:
        """Probe the sets of journals with their columns, and where dimensions are."""
        return probe(self._api)

    def read(self, dataset: Dataset, scope: Scope) -> Reading:
        """Read a dataset; what was asked of the environment before is asked for again."""
        self._company = Company(self._api)
        return super().read(dataset, scope)

    def period_totals(self, period: Period) -> PeriodTotals:
        """Say that the environment has no figures of a period but its lines: they are not checked against others.

        Nothing that is posted ever changes there; corrections are posted besides it.
        """
        return PeriodTotals(count=None, by_account=None, source="")

    def period_status(self, period: Period) -> PeriodStatus:
        """Say whether the period may be posted into, by LedgerFiscalPeriods."""
        return period_status(self._api, self._company, period)
