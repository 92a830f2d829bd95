# SPDX-License-Identifier: Apache-2.0
"""Where a company's books are, and how to ask for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_mlconnector.systems.http.entra import EntraConnection

CLOUD_URL = "https://api.businesscentral.dynamics.com"
SCOPE = "https://api.businesscentral.dynamics.com/.default"
LARGEST_PAGE = 20_000
"""Rows per page above which the service answers 413 (operational limits, online)."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class FinanceApi(StrEnum):
    """Which API the ledger is read from.

    ``REPORTS_FINANCE`` (microsoft/reportsFinance, beta) tells a line's dimension set, so that dimensions are joined
    here; ``V2`` expands them on the server, which is slower. ``AUTO`` takes the first where it answers.
    """

    AUTO = "auto"
    REPORTS_FINANCE = "reports_finance"
    V2 = "v2"


class BalanceSource(StrEnum):
    """Where account balances come from: the service's trial balance, or all entries up to the period's end."""

    TRIAL_BALANCES = "trial_balances"
    ENTRIES = "entries"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessCentralConnection(EntraConnection):
    """One company.

    :param company: id (GUID), name or display name.
    :param api_url: address of the APIs (``…/api``, or ``…/api/v2.0``) where it is not made from host, tenant and
        environment.
    :param page_size: rows per page, at most 20,000; pages that are too much for the server are halved.
    :param closing_sources: source codes of year-end closing entries (Source Code Setup, "Close Income Statement").
    """

    environment: str
    company: str
    base_url: str = CLOUD_URL
    api_url: str = ""
    source: FinanceApi = FinanceApi.AUTO
    balances: BalanceSource = BalanceSource.TRIAL_BALANCES
    page_size: int = LARGEST_PAGE
    closing_sources: frozenset[str] = frozenset({"CLSINCOME"})

    @property
    def root(self) -> str:
        """Address that all APIs of the environment are below."""
        given = self.api_url.rstrip("/").removesuffix("/v2.0")
        return given or f"{self.base_url.rstrip('/')}/v2.0/{self.tenant}/{self.environment}/api"

    @property
    def company_id(self) -> str | None:
        """The company's id in lower case, where the connection gives it."""
        return self.company.lower() if _GUID.fullmatch(self.company) else None
