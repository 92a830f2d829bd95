# SPDX-License-Identifier: Apache-2.0
"""Reading the tables of one company: addresses, login, pages, and what the service offers at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_mlconnector.errors import CapabilityError, NotFoundError, RemoteError, SchemaDriftError
from airflow_provider_mlconnector.systems.http.entra import require_tls
from airflow_provider_mlconnector.systems.http.json_rows import Field, Need, RowDecoder
from airflow_provider_mlconnector.systems.http.keyset import keyset_pages, literal, skipped_pages
from airflow_provider_mlconnector.systems.http.odata import ODataReader, Page, overlapped
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.port import Finding, FindingKind
from airflow_provider_mlconnector.systems.syspro.answers import classify
from airflow_provider_mlconnector.systems.syspro.connection import LARGEST_PAGE, Auth, SysproConnection
from airflow_provider_mlconnector.systems.syspro.enet import BasicLogin, EnetSession
from airflow_provider_mlconnector.systems.syspro.metadata import EntitySet, entity_sets
from airflow_provider_mlconnector.systems.syspro.tables import COMPANY, Table

if TYPE_CHECKING:
    import pyarrow as pa

_NOT_COUNTED = frozenset({400, 403, 404, 405, 501})
_JSON = {"Accept": "application/json"}

Result = TypeVar("Result")


class SysproApi:
    """The OData service of one company. One request is on its way at a time: it runs on the ERP's own database."""

    def __init__(self, connection: SysproConnection, transport: Transport = DIRECT) -> None:
        self.connection = connection
        self._login: BasicLogin | EnetSession = BasicLogin(connection)
        lost = None
        if connection.auth is Auth.SESSION:
            self._login = EnetSession(connection, HttpSession(require_tls(connection.enet_url), transport))
            lost = self._login.reject
        self.session = HttpSession(
            require_tls(connection.odata_url),
            transport,
            authorize=self._login.headers,
            on_unauthorized=lost,
            classify=classify,
            one_at_a_time=True,
        )
        size = min(connection.page_size, LARGEST_PAGE)
        self._reader = ODataReader(self.session, page_size=size, headers=_JSON)
        self._counts = True

    @property
    def requests_made(self) -> int:
        """Requests sent to the OData service so far."""
        return self.session.requests_made

    def close(self) -> None:
        """Log off and release connections."""
        self._login.close()
        self.session.close()

    def log_in(self) -> None:
        """See that the service takes the login; a path that is not there says nothing against it.

        :raises MlconnectorError: when it does not, or there is nowhere to log on.
        """
        self._login.headers()
        with suppress(NotFoundError):
            self.offered  # noqa: B018 - asked for that

    @cached_property
    def offered(self) -> dict[str, EntitySet]:
        """The tables that the service offers to this operator, read once."""
        path = self.connection.path("$metadata")
        response = self.session.request("GET", path, headers={"Accept": "application/xml"})
        return entity_sets(response.content)

    def offers(self, table: Table) -> bool:
        """Say whether there is a table."""
        return table.name in self.offered

    def entity_set(self, table: Table) -> EntitySet:
        """Return a table as it is offered.

        :raises CapabilityError: when it is not.
        """
        if table.name not in self.offered:
            raise CapabilityError(
                f"SYSPRO's OData service does not offer {table.name}.",
                hint="Have it added to the service for this operator.",
            )
        return self.offered[table.name]

    def count(self, table: Table, conditions: Mapping[str, str]) -> int | None:
        """Ask the service how many rows a table has; None where it does not count."""
        if not self._counts:
            return None
        where = self._where(table, conditions)
        try:
            count = self._reader.count(self.connection.path(table.name), {"$filter": where} if where else {})
        except RemoteError as exc:
            if exc.status not in _NOT_COUNTED:
                raise
            count = None
        self._counts = count is not None
        return count

    def rows(
        self, table: Table, findings: list[Finding], conditions: Mapping[str, str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table page by page, texts without the blanks that fill them up.

        :param conditions: by column, a filter of it.
        """
        return self.many_rows(table, findings, lambda batch: batch, conditions)

    def many_rows(
        self,
        table: Table,
        findings: list[Finding],
        work: Callable[[pa.RecordBatch], Result],
        conditions: Mapping[str, str] | None = None,
    ) -> Iterator[Result]:
        """Yield what ``work`` makes of each page; decoding and work run while the next pages are downloaded."""
        fields = self._fields(table, findings)
        decoder = RowDecoder(table.name, table.fields, key=table.key[-1])
        pages = _checked(self._pages(table, fields, conditions or {}), decoder, len(fields) == len(table.fields))
        return overlapped(pages, lambda page: work(_trimmed(decoder.decode(page))))

    def _pages(self, table: Table, fields: Sequence[Field], conditions: Mapping[str, str]) -> Iterator[Page]:
        entity_set = self.entity_set(table)
        key = [name for name in table.key if name in entity_set.columns]
        names = dict.fromkeys((*key, *(field.name for field in fields)))
        where = self._where(table, conditions)
        params = {"$select": ",".join(names)} | ({"$filter": where} if where else {})
        read = keyset_pages if entity_set.filters(*key) else skipped_pages
        return read(self._reader, self.connection.path(table.name), params, key)

    def _where(self, table: Table, conditions: Mapping[str, str]) -> str:
        """Return the filter of a company's rows.

        :raises CapabilityError: when a column cannot be filtered.
        """
        entity_set = self.entity_set(table)
        own = {COMPANY: f"{COMPANY} eq {literal(self.connection.company)}"} if COMPANY in entity_set.columns else {}
        wanted = own | dict(conditions)
        refused = [name for name in wanted if not entity_set.filters(name)]
        if refused:
            raise CapabilityError(f"SYSPRO's OData service does not filter {table.name} by {', '.join(refused)}.")
        return " and ".join(wanted.values())

    def _fields(self, table: Table, findings: list[Finding]) -> list[Field]:
        """Return the fields that there are; report those that are missed.

        :raises SchemaDriftError: when a needed one is missing.
        """
        columns = self.entity_set(table).columns
        for field in table.fields:
            if field.name in columns or field.name == COMPANY:
                continue
            if field.need is Need.NEEDED:
                raise SchemaDriftError(
                    f"{table.name} has no column {field.name}; it has {', '.join(sorted(columns))}.", column=field.name
                )
            findings.append(Finding(FindingKind.COLUMN_MISSING, field.name, f"{table.name} lacks {field.name}"))
        return [field for field in table.fields if field.name in columns]


def _checked(pages: Iterator[Page], decoder: RowDecoder, whole: bool) -> Iterator[Page]:
    """Compare the first rows with the types that are expected, where all columns are there."""
    for number, page in enumerate(pages):
        if whole and not number:
            decoder.drift(page)
        yield page


def _trimmed(batch: pa.RecordBatch) -> pa.RecordBatch:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [pc.utf8_rtrim(one, " ") if pa.types.is_string(one.type) else one for one in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
