# SPDX-License-Identifier: Apache-2.0
"""Business Central as a ledger that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.errors import ConfigurationError, RemoteError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.books import Books, Reader
from airflow_provider_mlconnector.systems.business_central.accounts import read_accounts
from airflow_provider_mlconnector.systems.business_central.answers import is_not_answered
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.balances import read_balances, trial_balance
from airflow_provider_mlconnector.systems.business_central.capabilities import CAPABILITIES
from airflow_provider_mlconnector.systems.business_central.choices import probe
from airflow_provider_mlconnector.systems.business_central.connection import BusinessCentralConnection, FinanceApi
from airflow_provider_mlconnector.systems.business_central.cost_centres import read_cost_centres
from airflow_provider_mlconnector.systems.business_central.lines import days_of, read_lines
from airflow_provider_mlconnector.systems.business_central.orders import read_purchase_orders
from airflow_provider_mlconnector.systems.business_central.people import read_employees, read_vendors
from airflow_provider_mlconnector.systems.business_central.periods import period_status, read_periods
from airflow_provider_mlconnector.systems.business_central.resources import FINANCE_LINES, LINES
from airflow_provider_mlconnector.systems.canonical import PeriodOf, calendar_lookup, key_lookup
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.port import Choice, Health, PeriodStatus, PeriodTotals, added

if TYPE_CHECKING:
    from decimal import Decimal


class BusinessCentral(Books):
    """The books of one company of Business Central online. Not to be shared between threads.

    Modified stamps lag: entries of a long transaction and of the read replica appear with an earlier stamp, so that
    ``Scope.since`` should lie some minutes before the last cursor.

    :param calendar: which period a posting date belongs to: ``period_of`` of a close calendar. Without one, lines
        are known by the period that is read, and accounting periods cannot be told.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        connection: BusinessCentralConnection,
        calendar: PeriodOf | None = None,
        transport: Transport = DIRECT,
    ) -> None:
        self._connection = connection
        self._api = api = BusinessCentralApi(connection, transport)
        self._calendar = calendar
        readers: dict[Dataset, Reader] = {
            Dataset.ACCOUNTS: lambda _, reading: read_accounts(api, reading),
            Dataset.COST_CENTRES: lambda scope, reading: read_cost_centres(api, scope, reading),
            Dataset.JOURNAL_LINES: lambda scope, reading: read_lines(
                api, scope, reading, key_lookup(calendar, scope.period), ends_year=self._ends_year(scope.period)
            ),
            Dataset.ACCOUNT_BALANCES: lambda scope, reading: read_balances(api, scope, reading),
            Dataset.VENDORS: lambda _, reading: read_vendors(api, reading),
            Dataset.EMPLOYEES: lambda _, reading: read_employees(api, reading),
            Dataset.PERIODS: lambda _, reading: read_periods(api, reading, calendar_lookup(calendar)),
            Dataset.PURCHASE_ORDERS: lambda _, reading: read_purchase_orders(api, reading),
        }
        super().__init__(api.session, readers)

    def ping(self) -> Health:
        """Log in, find the company and see whether the finance API answers; two requests and the login.

        Not well is a connection that asks for the finance API where there is none.

        :raises AuthenticationError: when the login is refused.
        :raises UnknownNameError: when the environment has no such company.
        """
        company = self._api.find_company()
        ok, finance = self._finance_api()
        sentence = (
            f"Logged in to environment {self._connection.environment} of tenant {self._connection.tenant}; "
            f"company {company.display_name or company.name} found; {finance}."
        )
        return Health(ok=ok, sentence=sentence, server_time=self._api.session.server_time)

    def choices(self) -> Iterator[Choice]:
        """Probe environment, company, and the API that the ledger is read from."""
        return probe(self._api)

    def period_totals(self, period: Period) -> PeriodTotals:
        """Ask for the number of entries of a period, and for its trial balance; None for what is not answered.

        The last period of a year is asked for its closing entries, too.
        """
        ends_year = self._ends_year(period)
        counts = [self._api.count(LINES, days.where) for days in days_of(period, ends_year=ends_year)]
        known = [count for count in counts if count is not None]
        movements = self._movements(period)
        closing = self._movements(period, closing=True) if ends_year and movements is not None else {}
        return PeriodTotals(
            count=sum(known) if len(known) == len(counts) else None,
            by_account=None if movements is None or closing is None else added(movements, closing),
            source="count of generalLedgerEntries; movements of trialBalances",
            closing=closing or {},
        )

    def period_status(self, period: Period) -> PeriodStatus:
        """Say whether the period may be posted into, by accountingPeriods and generalLedgerSetup."""
        return period_status(self._api, period)

    def _finance_api(self) -> tuple[bool, str]:
        """Return whether the connection's choice of API works, and what to tell about it."""
        source = self._connection.source
        if source is FinanceApi.V2:
            return True, "lines come from API v2.0"
        if self._api.answers_for(FINANCE_LINES):
            return True, "the finance API answers"
        return source is FinanceApi.AUTO, "the finance API does not answer, API v2.0 does"

    def _ends_year(self, period: Period | None) -> bool:
        """Say whether a fiscal year ends with a period; without a calendar, or at its end, it may."""
        if period is None or self._calendar is None:
            return period is not None
        try:
            return self._calendar(period.end + timedelta(days=1)).year != period.year
        except ConfigurationError:
            return True

    def _movements(self, period: Period, *, closing: bool = False) -> dict[str, Decimal] | None:
        try:
            balances = trial_balance(self._api, period, [], closing=closing)
            return {account: balance.movement for account, balance in balances}
        except RemoteError as exc:
            if is_not_answered(exc):
                return None
            raise
