# SPDX-License-Identifier: Apache-2.0
"""One company over both services: sessions, the company's number, and which of them a dataset comes from."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import AuthenticationError, RemoteError, UnknownNameError
from airflow_provider_mlconnector.systems.dynamics_gp.connection import GpConnection
from airflow_provider_mlconnector.systems.dynamics_gp.faults import fault_of
from airflow_provider_mlconnector.systems.dynamics_gp.formats import AccountFormat
from airflow_provider_mlconnector.systems.dynamics_gp.sba import Row, SbaService, is_not_installed
from airflow_provider_mlconnector.systems.dynamics_gp.soap import SoapService
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.http.windows_auth import WindowsAuth, offered_schemes
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading

if TYPE_CHECKING:
    import requests

SMALLEST, LARGEST = -32768, 32767
"""Bounds of a company's number; a list of companies wants a criterion."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company as the web services list it; ``separator`` joins the segments of its account numbers."""

    id: int
    name: str
    separator: str


class GpApi:
    """Both services for one company and one thread: what is logged in is a connection."""

    def __init__(self, connection: GpConnection, transport: Transport = DIRECT) -> None:
        self.connection = connection
        auth = WindowsAuth(connection.account) if connection.account else None
        self._soap_http = HttpSession(connection.soap_url, transport, classify=fault_of, auth=auth)
        self._sba_http = HttpSession(connection.sba_url, transport, auth=auth) if connection.sba_url else None

    @property
    def requests_made(self) -> int:
        """Requests sent so far, the legs of handshakes not counted."""
        return self._soap_http.requests_made + (self._sba_http.requests_made if self._sba_http else 0)

    @property
    def timeout(self) -> tuple[float, float]:
        """Seconds to connect to the web services, and of silence that are borne."""
        return self._soap_http.transport.timeout

    def offered_schemes(self) -> frozenset[str]:
        """Return how the web services let an account prove itself; they are asked without one: no logon can fail."""
        offered: list[str] = []

        def note(response: requests.Response) -> None:
            offered.extend(offered_schemes(response))

        stranger = HttpSession(self.connection.soap_url, self._soap_http.transport, classify=note)
        with closing(stranger), suppress(AuthenticationError):
            stranger.request("GET", self.connection.soap_url)
        return frozenset(offered)

    @cached_property
    def soap(self) -> SoapService:
        """The web services."""
        return SoapService(self._soap_http)

    @cached_property
    def sba(self) -> SbaService | None:
        """SBA; None where the connection has no address of it."""
        return SbaService(self._sba_http, self.connection) if self._sba_http else None

    @cached_property
    def company(self) -> Company:
        """The company, found by its name or number.

        :raises UnknownNameError: with those that there are.
        """
        wanted = self.connection.company
        criteria = self.soap.make("CompanyCriteria", Id=self.soap.between("Int32", From=SMALLEST, To=LARGEST))
        rows = self.soap.listed("GetCompanyList", self.soap.context(None), criteria)
        for row in rows:
            if wanted in (str(row.Key.Id), row.Name) or wanted.casefold() == str(row.Name).casefold():
                return Company(int(row.Key.Id), str(row.Name), str(row.AccountSegmentSeparator or "-"))
        raise UnknownNameError(
            f"Dynamics GP lists no company '{wanted}'.", candidates=[f"{row.Name} ({row.Key.Id})" for row in rows]
        )

    @cached_property
    def account_format(self) -> AccountFormat:
        """How the company's account numbers are made."""
        rows = self.listed("GetGLAccountFormatList", self.soap.make("GLAccountFormatCriteria"))
        rows = sorted(rows, key=lambda row: int(row.Key.SegmentNumber))
        main = next((place for place, row in enumerate(rows) if row.IsMainSegment), 0)
        names = tuple(str(row.SegmentName).strip() for row in rows)
        return AccountFormat(names, main, self.company.separator, tuple(int(row.SegmentLength or 0) for row in rows))

    @cached_property
    def context(self) -> Any:
        """The context of calls about the company."""
        return self.soap.context(self.company.id)

    def listed(self, operation: str, criteria: Any) -> list[Any]:
        """Return the rows of a list operation for the company."""
        return self.soap.listed(operation, self.context, criteria)

    def sba_rows(self, resource: str, reading: Reading) -> list[Row] | None:
        """Return the rows of an SBA resource; None where the web services have to be asked, which is reported."""
        if self.sba is None:
            return None
        try:
            rows = self.sba.rows(resource)
        except RemoteError as error:
            if not is_not_installed(error):
                raise
            detail = f"SBA does not give it ({error.message.rstrip('.')}); it comes from the SOAP web services"
            reading.findings.append(Finding(FindingKind.FALLBACK, resource, detail))
            return None
        reading.resource = f"SBA {resource}"
        return rows

    def close(self) -> None:
        """Release connections; that ends what is logged in on them."""
        self._soap_http.close()
        if self._sba_http:
            self._sba_http.close()
