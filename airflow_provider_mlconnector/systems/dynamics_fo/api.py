# SPDX-License-Identifier: Apache-2.0
"""Reading entity sets of one environment: login, pages, counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.dynamics_fo.answers import classify, judged_change
from airflow_provider_mlconnector.systems.dynamics_fo.connection import LARGEST_PAGE, FinanceOperationsConnection
from airflow_provider_mlconnector.systems.dynamics_fo.resources import Resource
from airflow_provider_mlconnector.systems.http.entra import EntraTokens, require_tls
from airflow_provider_mlconnector.systems.http.json_rows import RowDecoder
from airflow_provider_mlconnector.systems.http.odata import ODataReader, Page, address
from airflow_provider_mlconnector.systems.http.retry import DEFAULT_POLICY, RetryPolicy
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.port import Finding

if TYPE_CHECKING:
    import pyarrow as pa

PASSES = 3
"""How often a small set is read from its beginning when it changes meanwhile."""

_BODIES = msgspec.json.Encoder(decimal_format="number")

READING = {"Accept": "application/json"}
CROSS_COMPANY = {"cross-company": "true"}
"""Of every read: without it only the default company of the application's user is seen, and no error says so."""


class FinanceOperationsApi:
    """The read side of one environment. One request is on its way at a time, so that readers can be counted.

    ``server_time`` is the server's clock at its last plain answer.
    """

    def __init__(
        self,
        connection: FinanceOperationsConnection,
        *,
        clock: Clock = SYSTEM_CLOCK,
        retry: RetryPolicy = DEFAULT_POLICY,
        proxies: Mapping[str, str] | None = None,
        verify: bool | str = True,
        read_timeout: float = 300.0,
    ) -> None:
        self.connection = connection
        self.clock = clock
        self.server_time: datetime | None = None
        self._tokens = None
        if connection.credential is not None:
            self._tokens = EntraTokens(
                connection.authority_url,
                connection.tenant,
                connection.credential,
                connection.scope,
                clock=clock,
                retry=retry,
                proxies=proxies,
                verify=verify,
            )
        self._session = HttpSession(
            require_tls(connection.root),
            authorize=self._tokens.headers if self._tokens else None,
            on_unauthorized=self._tokens.reject if self._tokens else None,
            classify=classify,
            retry=retry,
            clock=clock,
            timeout=(10.0, read_timeout),
            proxies=proxies,
            verify=verify,
            one_at_a_time=True,
        )
        size = min(connection.page_size, LARGEST_PAGE)
        self._reader = ODataReader(self._session, page_size=size, headers=READING, clock=clock)

    @property
    def timeout(self) -> tuple[float, float]:
        """Seconds to connect, and of silence, after which a request is given up."""
        return self._session.timeout

    @property
    def requests_made(self) -> int:
        """Requests sent so far, logins not counted."""
        return self._session.requests_made

    def close(self) -> None:
        """Release connections."""
        self._session.close()
        if self._tokens:
            self._tokens.close()

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
        pages = self._reader.by_key(resource.name, params, resource.field(resource.order))
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
        self._session.request(method, path, data=data, headers=plain | dict(headers), idempotent=False)

    def count(self, resource: Resource, where: str) -> int:
        """Ask the server how many rows it has."""
        path = address(f"{resource.name}/$count", {**CROSS_COMPANY, "$filter": where})
        response = self._session.request("GET", path, headers=READING)
        date = response.headers.get("Date")
        self.server_time = parsedate_to_datetime(date) if date else None
        text = response.content.decode("utf-8-sig", "replace").strip()
        return int(text) if text.isdecimal() else 0

    def first_row(self, resource: Resource, name: str, where: str = "") -> Any:
        """Return one field of the first row of a set; None when there is no row."""
        params = {**CROSS_COMPANY, "$filter": where, "$top": "1", "$select": resource.field(name)}
        asked = {option: text for option, text in params.items() if text}
        page = next(self._reader.pages(resource.name, asked))
        first = msgspec.json.decode(page.rows[0], type=dict[str, Any]) if page.rows else {}
        return first.get(resource.field(name))


def _decoder(resource: Resource) -> RowDecoder:
    return RowDecoder(resource.name, resource.wire_fields, key=resource.field(resource.order.partition(",")[0]))
