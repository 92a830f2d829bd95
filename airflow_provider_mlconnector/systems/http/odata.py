# SPDX-License-Identifier: Apache-2.0
"""Reading an OData collection page by page, for every system that speaks OData.

What this module guarantees: a page is handed on only if it is whole JSON with its rows; the server's links are followed
as they are and only within its origin; one request of a read is on its way at a time, while the pages before it are
decoded; what is in memory is bounded by a few pages.
"""

from __future__ import annotations

import io
import math
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

import msgspec

from airflow_provider_mlconnector.errors import ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.http.session import HttpSession

TOO_MUCH = frozenset({408, 413, 504})
"""Answers that say that a page is too much work; the rest of the collection is read by smaller ones."""

SMALLEST_PAGE = 250
"""A page of so few rows is not too much work: the server has another trouble."""

PAGE_TRIES = 3
"""How often a page is asked for that comes back broken."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    :param body: the whole answer.
    :param rows: the JSON text of each row, as slices of the body.
    :param next_link: absolute address of the next page, "" on the last one.
    :param reduced: asked for in the reduced form, since the server failed on the full one.
    :param count: how many rows the whole collection has, where that was asked for and told.
    """

    body: memoryview
    rows: tuple[msgspec.Raw, ...]
    next_link: str = ""
    reduced: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Reduction:
    """What to do about a row that the server fails on when asked for all of it.

    The page is halved until the row is alone, then asked for in a reduced form.

    :param applies: whether an error is of this kind.
    :param reduce: turns the link of the full form into that of the reduced one; ``restore`` goes back.
    """

    applies: Callable[[RemoteError], bool]
    reduce: Callable[[str], str]
    restore: Callable[[str], str]


class _Envelope(msgspec.Struct):
    value: tuple[msgspec.Raw, ...]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    count: int | None = msgspec.field(name="@odata.count", default=None)


_ENVELOPES = msgspec.json.Decoder(_Envelope)


class ODataReader:
    """Reads collections of one service.

    :param page_size: rows to ask for per page; the server may give fewer.
    """

    def __init__(
        self,
        session: HttpSession,
        *,
        page_size: int,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._session = session
        self.page_size = page_size
        self._headers = dict(headers or {})

    def pages(
        self, path: str, params: Mapping[str, str] | None = None, *, reduction: Reduction | None = None
    ) -> Iterator[Page]:
        """Yield the pages of an entity set, by the server's links.

        :raises ProtocolError: a page that stays broken, or a link that leads elsewhere or in a circle.
        :raises RemoteError: what the server answered, when smaller pages do not help either.
        """
        link, seen = address(path, params or {}), set[str]()
        size = most = self.page_size
        while link:
            try:
                page = self.page(link, size)
            except RemoteError as exc:
                if size > _smallest(exc, reduction):
                    size //= 2
                    most = size if exc.status in TOO_MUCH else most
                    continue
                if reduction is None or not reduction.applies(exc):
                    raise
                page = self._reduced(link, reduction)
            yield page
            seen.add(link)
            link, size = page.next_link, min(size * 2, most)
            if link in seen:
                raise ProtocolError(f"The pages of {path} lead in a circle.", path=path)

    def windows(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Page]:
        """Yield the pages of a query object, for which links are not assured: by ``$top`` and ``$skip``, and links too.

        The query must be in an order to which new rows only add at the end.
        """
        skip = 0
        while True:
            window = {**(params or {}), "$top": str(self.page_size), "$skip": str(skip)}
            got = 0
            for page in self.pages(path, window):
                got += len(page.rows)
                yield page
            if got < self.page_size:
                return
            skip += got

    def count(self, path: str, params: Mapping[str, str] | None = None) -> int | None:
        """Ask the server how many rows a collection has; None where it answers without a number."""
        link = address(f"{path}/$count", params or {})
        answer = self._session.request("GET", link, headers={**self._headers, "Accept": "*/*"})
        told = answer.content.decode("utf-8-sig", "replace").strip()
        return int(told) if told.isdecimal() else None

    def page(self, link: str, size: int) -> Page:
        """Return one page of at most so many rows.

        :raises ProtocolError: when it stays broken.
        """
        headers = {**self._headers, "Prefer": f"odata.maxpagesize={size}"}
        for attempt in range(1, PAGE_TRIES + 1):
            sink = io.BytesIO()
            self._session.download(link, sink, headers=headers)
            body = sink.getbuffer()
            try:
                envelope = _ENVELOPES.decode(body[3:] if bytes(body[:3]) == BOM_UTF8 else body)
            except (msgspec.DecodeError, UnicodeDecodeError) as exc:
                reason = str(exc)
                if attempt < PAGE_TRIES:
                    self._session.transport.clock.sleep(float(attempt))
            else:
                following = urljoin(self._session.absolute(link), envelope.next_link) if envelope.next_link else ""
                return Page(body, envelope.value, following, count=envelope.count)
        path = urlsplit(link).path
        raise ProtocolError(f"A page of {path} came broken {PAGE_TRIES} times: {reason}.", path=path)

    def _reduced(self, link: str, reduction: Reduction) -> Page:
        """Read the one row on which the server fails, in the reduced form, and come back to the full form after it."""
        page = self.page(reduction.reduce(link), 1)
        next_link = reduction.restore(page.next_link) if page.next_link else ""
        return replace(page, next_link=next_link, reduced=True)


def address(path: str, params: Mapping[str, str]) -> str:
    """Return a path with its query, readable: ``$`` and the signs of a filter stay as they are."""
    query = urlencode(params, quote_via=quote, safe="$,()':=")
    return f"{path}?{query}" if query else path


def overlapped(
    pages: Iterator[Item], work: Callable[[Item], Result], *, ahead: int = 3, workers: int = 2
) -> Iterator[Result]:
    """Yield what ``work`` makes of each page, in order, while further pages are downloaded and worked on.

    :param ahead: pages that may be on their way or waiting at a time; bounds the memory.
    """
    with ThreadPoolExecutor(1) as loader, ThreadPoolExecutor(workers) as pool:

        def load() -> Future[Result] | None:
            page = next(pages, None)
            return None if page is None else pool.submit(work, page)

        upcoming = deque(loader.submit(load) for _ in range(ahead))
        try:
            while (done := upcoming.popleft().result()) is not None:
                upcoming.append(loader.submit(load))
                yield done.result()
        finally:
            loader.shutdown(cancel_futures=True)


def _smallest(exc: RemoteError, reduction: Reduction | None) -> float:
    """Return the page size down to which halving may help against an error; infinite where it cannot help."""
    if reduction is not None and reduction.applies(exc):
        return 1
    return SMALLEST_PAGE if exc.status in TOO_MUCH else math.inf
