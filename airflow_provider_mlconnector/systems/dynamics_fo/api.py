# SPDX-License-Identifier: Apache-2.0
"""Reading entity sets of one environment: login, pages, counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_mlconnector.errors import ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.dynamics_fo.answers import classify, judged_change
from airflow_provider_mlconnector.systems.dynamics_fo.connection import LARGEST_PAGE, FinanceOperationsConnection
from airflow_provider_mlconnector.systems.dynamics_fo.resources import Resource
from airflow_provider_mlconnector.systems.http.entra import EntraSession
from airflow_provider_mlconnector.systems.http.json_rows import RowDecoder
from airflow_provider_mlconnector.systems.http.keyset import keyset_pages
from airflow_provider_mlconnector.systems.http.odata import ODataReader, Page, address
from airflow_provider_mlconnector.systems.http.transport import DIRECT, Transport
from airflow_provider_mlconnector.systems.port import Finding

if TYPE_CHECKING:
    import pyarrow as pa

PASSES = 3
"""How often a small set is read from its beginning when it changes meanwhile."""

_BODIES = msgspec.json.Encoder(decimal_format="number")

READING = {"Accept": "application/json"}
CROSS_COMPANY = {"cross-company": "true"}
"""Of every read: without it only the default company of the application's user is seen, and no error says so."""


class _PublicSet(msgspec.Struct):
    name: str


class _PublicSets(msgspec.Struct):
    value: list[_PublicSet]


class FinanceOperationsApi:
    """The read side of one environment. One request is on its way at a time, so that readers can be counted."""

    def __init__(self, connection: FinanceOperationsConnection, transport: Transport = DIRECT) -> None:
        self.connection = connection
        self.session = EntraSession(connection.root, connection, connection.scope, transport, classify=classify)
        size = min(connection.page_size, LARGEST_PAGE)
        self._reader = ODataReader(self.session, page_size=size, headers=READING)

    def rows(self, resource: Resource, findings: list[Finding], *, where: str = "") -> list[dict[str, Any]]:
        """Return the rows of a small set under their stock names, each once.

        Links by ``$skip`` give a row twice when another was added before it meanwhile, and swallow one when another
        was removed: so the server's count has to agree, and the set is read again when it does not.
        """
        decoder = _decoder(resource)
        params = {**CROSS_COMPANY, "$filter": where, "$orderby": resource.order, "$count": "true"}
        params["$select"] = ",".join(field.name for field in resource.wire_fields if not field.name.startswith("@"))
        asked = {name: text for name, text in params.items() if text}
        for _ in range(PASSES):
            pages = list(self._reader.pages(resource.name, asked))
            batches = [decoder.decode(page) for page in decoder.checked(pages, findings)]
            rows = {tuple(row[name] for name in resource.key): row for batch in batches for row in batch.to_pylist()}
            if pages[0].count in (None, len(rows)):
                return list(rows.values())
        raise ProtocolError(
            f"{resource.name} changed while it was read, {PASSES} times: {len(rows)} of {pages[0].count} rows came.",
            hint="Run the task again when nobody is at work on it.",
        )

    def keyed_pages(self, resource: Resource, findings: list[Finding], where: str) -> Iterator[Page]:
        """Yield the pages of a large set in order of its number."""
        params = {**CROSS_COMPANY, "$filter": where}
        params["$select"] = ",".join(field.name for field in resource.wire_fields)
        pages = keyset_pages(self._reader, resource.name, params, [resource.field(resource.order)], counted=True)
        return _decoder(resource).checked(pages, findings)

    def decode(self, resource: Resource, page: Page) -> pa.RecordBatch:
        """Return the rows of a page under their stock names."""
        batch = _decoder(resource).decode(page)
        return batch.rename_columns([field.name for field in resource.fields])

    def change(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, match: str = "") -> None:
        """Send a request that changes something, once.

        :param match: the etag of what is to be changed.
        :raises LostAnswerError: when it may have taken effect all the same.
        :raises ConflictError: when things are otherwise than they were when they were looked at.
        """
        try:
            self._send_once(method, address(path, CROSS_COMPANY), body, {"If-Match": match} if match else {})
        except RemoteError as exc:
            raise judged_change(exc) from exc

    def call_service(self, path: str, body: Mapping[str, Any]) -> None:
        """Call a custom service of the customer's, once.

        :param path: below the environment's address.
        :raises LostAnswerError: when it may have taken effect all the same.
        """
        self._send_once("POST", f"{self.connection.environment_url.rstrip('/')}/{path}", body, {})

    def _send_once(self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> None:
        data = None if body is None else _BODIES.encode(body)
        plain = {**READING, "Content-Type": "application/json"}
        self.session.request(method, path, data=data, headers=plain | dict(headers), idempotent=False)

    def count(self, resource: Resource, where: str) -> int:
        """Ask the server how many rows it has."""
        return self._reader.count(resource.name, {**CROSS_COMPANY, "$filter": where}) or 0

    def first_row(self, resource: Resource, name: str, where: str = "") -> Any:
        """Return one field of the first row of a set; None when there is no row."""
        params = {**CROSS_COMPANY, "$filter": where, "$top": "1", "$select": resource.field(name)}
        asked = {option: text for option, text in params.items() if text}
        page = next(self._reader.pages(resource.name, asked))
        first = msgspec.json.decode(page.rows[0], type=dict[str, Any]) if page.rows else {}
        return first.get(resource.field(name))

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of a set as its first row shows them; none where it has no row.

        :raises NotFoundError: when there is no such set.
        """
        page = next(self._reader.pages(name, {**CROSS_COMPANY, "$top": "1"}))
        first = msgspec.json.decode(page.rows[0], type=dict[str, Any]) if page.rows else {}
        return tuple(column for column in first if not column.startswith("@"))

    def public_sets(self) -> tuple[str, ...]:
        """Return the names of all sets that the environment publishes."""
        body = self.session.request("GET", "", headers=READING).content
        try:
            return tuple(one.name for one in msgspec.json.decode(body, type=_PublicSets).value)
        except msgspec.DecodeError as exc:
            raise ProtocolError(f"The list of public sets is broken: {exc}.", path="/data") from None


def _decoder(resource: Resource) -> RowDecoder:
    return RowDecoder(resource.name, resource.wire_fields, key=resource.field(resource.order.partition(",")[0]))
