# SPDX-License-Identifier: Apache-2.0
"""Reading entity sets of one company: addresses, login, pages, and what the server offers at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

import msgspec

from airflow_provider_mlconnector.errors import ProtocolError, RemoteError, UnknownNameError
from airflow_provider_mlconnector.systems.business_central.answers import (
    classify,
    is_lost_dimension_value,
    is_not_answered,
)
from airflow_provider_mlconnector.systems.business_central.connection import (
    LARGEST_PAGE,
    SCOPE,
    BusinessCentralConnection,
    FinanceApi,
)
from airflow_provider_mlconnector.systems.business_central.resources import Api, Resource
from airflow_provider_mlconnector.systems.http.entra import EntraSession
from airflow_provider_mlconnector.systems.http.json_rows import RowDecoder
from airflow_provider_mlconnector.systems.http.odata import ODataReader, Page, Reduction, address, overlapped
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.port import Finding

if TYPE_CHECKING:
    import pyarrow as pa

PLAIN = {"Accept-Language": "en-US", "Accept": "application/json"}
"""Of every request: amounts that come as text are to be written the American way."""

READING = {"Data-Access-Intent": "ReadOnly", **PLAIN}
"""Of every read for which a replica will do, which may be a little behind."""

EXPAND = "dimensionSetLines"

Result = TypeVar("Result")


class Company(msgspec.Struct, rename={"display_name": "displayName"}):
    """A company of the environment."""

    id: str
    name: str
    display_name: str = ""


class Companies(msgspec.Struct):
    """The companies of the environment."""

    value: list[Company]


class BusinessCentralApi:
    """One company's APIs. One request is on its way at a time, so that readers can be counted.

    :param replica: whether a replica will do for reads; not for who reads back what it wrote.
    """

    def __init__(
        self, connection: BusinessCentralConnection, transport: Transport = DIRECT, *, replica: bool = True
    ) -> None:
        self.connection = connection
        self._headers = READING if replica else PLAIN
        self.session = EntraSession(connection.root, connection, SCOPE, transport, classify=classify)
        size = min(connection.page_size, LARGEST_PAGE)
        self._reader = ODataReader(self.session, page_size=size, headers=self._headers)
        self._companies: Companies | None = None
        self._offered: dict[str, bool] = {}

    def company_id(self) -> str:
        """Return the company's id; looked up by name or display name unless the connection has it."""
        return self.connection.company_id or self.find_company().id

    def companies(self) -> Companies:
        """Return the companies of the environment, asked for once; the service allows 300, which is one page."""
        if self._companies is None:
            response = self.session.request("GET", f"{Api.V2}/companies", headers=self._headers)
            try:
                self._companies = msgspec.json.decode(response.content, type=Companies)
            except msgspec.DecodeError as exc:
                raise ProtocolError(f"The list of companies is broken: {exc}.", path=f"{Api.V2}/companies") from None
        return self._companies

    def find_company(self) -> Company:
        """Return the connection's company as the environment lists it.

        :raises UnknownNameError: when it does not, or lists several of that name.
        """
        wanted = self.connection.company_id or self.connection.company
        known = self.companies().value
        found = [one for one in known if wanted in (one.id.lower(), one.name, one.display_name)]
        if len(found) == 1:
            return found[0]
        how_many = "More than one company" if found else "No company"
        raise UnknownNameError(
            f"{how_many} of environment {self.connection.environment} is called '{self.connection.company}'.",
            candidates=[one.name for one in known],
            hint="Enter its name or id in the connection; one that is missing is deleted or closed to the application.",
        )

    def offers(self, resource: Resource) -> bool:
        """Say whether the finance API is to be read for a resource: by the connection's choice, or where it answers."""
        if self.connection.source is FinanceApi.AUTO:
            return self.answers_for(resource)
        return self.connection.source is FinanceApi.REPORTS_FINANCE

    def answers_for(self, resource: Resource) -> bool:
        """Say whether the server offers a resource, as one row shows; asked once."""
        if resource.title not in self._offered:
            self._offered[resource.title] = self.answers(self.path(resource), {"$top": "1"})
        return self._offered[resource.title]

    def answers(self, path: str, params: Mapping[str, str]) -> bool:
        """Say whether the server offers a path."""
        try:
            self.session.request("GET", address(path, params), headers=self._headers)
        except RemoteError as exc:
            if is_not_answered(exc):
                return False
            raise
        return True

    def count(self, resource: Resource, where: str) -> int | None:
        """Ask the server how many rows it has; None where it does not say."""
        try:
            return self._reader.count(self.path(resource), {"$filter": where} if where else {})
        except RemoteError as exc:
            if is_not_answered(exc):
                return None
            raise

    def path(self, resource: Resource) -> str:
        """Return the path of a resource below ``/api``."""
        return f"{resource.api}/companies({self.company_id()})/{resource.name}"

    def rows(
        self,
        resource: Resource,
        findings: list[Finding],
        *,
        where: str = "",
        path: str = "",
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a resource page by page, as they came; for sets of a few pages."""
        decoder = RowDecoder(resource.title, resource.fields, key=resource.key)
        for page in decoder.checked(self._pages(resource, where, path), findings):
            yield decoder.decode(page)

    def many_rows(
        self,
        resource: Resource,
        findings: list[Finding],
        work: Callable[[pa.RecordBatch, Page], Result],
        *,
        where: str = "",
    ) -> Iterator[Result]:
        """Yield what ``work`` makes of each page; decoding and work run while the next pages are downloaded."""
        decoder = RowDecoder(resource.title, resource.fields, key=resource.key)
        pages = decoder.checked(self._pages(resource, where), findings)
        return overlapped(pages, lambda page: work(decoder.decode(page), page))

    def _pages(self, resource: Resource, where: str, path: str = "") -> Iterator[Page]:
        options = {
            "$filter": where,
            "$orderby": resource.order,
            "$select": resource.selected,
            "$expand": resource.expanded,
            "$top": str(resource.top or ""),
        }
        params = {name: value for name, value in options.items() if value}
        path = path or self.path(resource)
        if resource.query:
            return self._reader.windows(path, params)
        return self._reader.pages(path, params, reduction=WITHOUT_DIMENSIONS if resource.expanded == EXPAND else None)


def _without_expand(link: str) -> str:
    path, _, query = link.partition("?")
    kept = [option for option in query.split("&") if not option.startswith(("$expand=", "%24expand="))]
    return f"{path}?{'&'.join(kept)}"


WITHOUT_DIMENSIONS = Reduction(
    applies=is_lost_dimension_value,
    reduce=_without_expand,
    restore=lambda link: f"{link}&$expand={EXPAND}",
)
"""A page with a line whose dimension value was deleted fails as a whole; that line alone is read without dimensions."""
