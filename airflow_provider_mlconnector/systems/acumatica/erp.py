# SPDX-License-Identifier: Apache-2.0
"""Acumatica as a ledger that can be read."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_mlconnector.errors import UnknownNameError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.acumatica.api import AcumaticaApi
from airflow_provider_mlconnector.systems.acumatica.balances import balances_of, read_balances
from airflow_provider_mlconnector.systems.acumatica.capabilities import CAPABILITIES
from airflow_provider_mlconnector.systems.acumatica.choices import probe
from airflow_provider_mlconnector.systems.acumatica.company import Company
from airflow_provider_mlconnector.systems.acumatica.connection import AcumaticaConnection
from airflow_provider_mlconnector.systems.acumatica.entities import SUMMARY
from airflow_provider_mlconnector.systems.acumatica.journals import read_lines
from airflow_provider_mlconnector.systems.acumatica.masters import (
    read_accounts,
    read_bills,
    read_cost_centres,
    read_employees,
    read_purchase_orders,
    read_vendors,
)
from airflow_provider_mlconnector.systems.acumatica.periods import period_status, read_periods
from airflow_provider_mlconnector.systems.books import Books, Reader
from airflow_provider_mlconnector.systems.http.tokens import TokenStore
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.port import Choice, Health, PeriodStatus, PeriodTotals


class Acumatica(Books):
    """The books of one company of an Acumatica tenant. Not to be shared between threads; close it, always.

    :param tokens: keeps the refresh token where a user agreed in a browser.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        connection: AcumaticaConnection,
        transport: Transport = DIRECT,
        *,
        tokens: TokenStore | None = None,
    ) -> None:
        self._connection = connection
        self._api = api = AcumaticaApi(connection, transport, tokens=tokens)
        self._company = company = Company(api)
        readers: dict[Dataset, Reader] = {
            Dataset.ACCOUNTS: lambda _, reading: read_accounts(api, reading),
            Dataset.COST_CENTRES: lambda scope, reading: read_cost_centres(api, scope, reading),
            Dataset.JOURNAL_LINES: lambda scope, reading: read_lines(api, company, scope, reading),
            Dataset.ACCOUNT_BALANCES: lambda scope, reading: read_balances(api, company, scope, reading),
            Dataset.VENDORS: lambda _, reading: read_vendors(api, reading),
            Dataset.EMPLOYEES: lambda _, reading: read_employees(api, reading),
            Dataset.AP_INVOICES: lambda scope, reading: read_bills(api, company, scope, reading),
            Dataset.PERIODS: lambda _, reading: read_periods(company, reading),
            Dataset.PURCHASE_ORDERS: lambda _, reading: read_purchase_orders(api, reading),
        }
        super().__init__(api, readers)

    def ping(self) -> Health:
        """Sign in, see that the endpoint is served, and find ledger and branch.

        :raises AuthenticationError: when the login is refused.
        :raises UnknownNameError: when the site has no such endpoint, version, ledger or branch.
        """
        ledger, connection = self._company.ledger, self._connection
        branches = [branch.BranchID.value or "" for branch in ledger.Branches]
        if connection.branch and connection.branch not in branches:
            raise UnknownNameError(
                f"No branch '{connection.branch}' posts to the ledger {self._company.ledger_id}.", candidates=branches
            )
        sentence = (
            f"Logged in to tenant {connection.tenant or '(the default one)'}; {connection.endpoint}/"
            f"{connection.version} is served; ledger {self._company.ledger_id} in {ledger.Currency.value}, "
            f"branch {connection.branch or 'any'} found."
        )
        return Health(ok=True, sentence=sentence, server_time=self._api.session.server_time)

    def choices(self) -> Iterator[Choice]:
        """Probe endpoint, ledger, branch, and the segments of subaccounts."""
        return probe(self._api, self._company)

    def period_totals(self, period: Period) -> PeriodTotals:
        """Ask for the movement of each account by the account summary; the server does not count lines."""
        balances = balances_of(self._api, self._company, period)
        return PeriodTotals(
            count=None,
            by_account={account: balance.movement for account, balance in balances.items()},
            source=f"movements of {SUMMARY.name}",
        )

    def period_status(self, period: Period) -> PeriodStatus:
        """Say whether the period may be posted to, by the master calendar."""
        return period_status(self._company, period)
