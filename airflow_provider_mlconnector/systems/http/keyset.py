# SPDX-License-Identifier: Apache-2.0
"""Reading an OData collection in order of its key, each page from where the one before it ended.

For servers that promise no links, or sort and skip anew for every page: rows that come or go while a table is read move
no other row over the edge of a page. A read ends with a page without rows, or with the last row that the server
counted, so that a server which gives fewer rows than it was asked for cuts nothing off.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_mlconnector.errors import ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.http.odata import SMALLEST_PAGE, TOO_MUCH, ODataReader, Page, address

PASSES = 5
"""How often a set is read from its beginning whose rows do not keep their places meanwhile."""

_ROWS = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def keyset_pages(
    reader: ODataReader, path: str, params: Mapping[str, str], key: Sequence[str], *, counted: bool = False
) -> Iterator[Page]:
    """Yield the pages of an entity set whose key can be filtered; the rows must hold the key.

    :param counted: have the server count the rows first. Then a read ends with the last of them, without a page that
        has none, and fewer are an error.
    :raises ProtocolError: when the server gives rows that lie before those it was asked for, or fewer than it counted.
    """
    size, came, promised = reader.page_size, 0, None
    last: tuple[Any, ...] | None = None
    while True:
        try:
            page = reader.page(_window(path, params, key, last, size, counted=counted), size)
        except RemoteError as exc:
            if exc.status not in TOO_MUCH or size <= SMALLEST_PAGE:
                raise
            size = max(SMALLEST_PAGE, size // 2)
            continue
        promised = page.count if last is None else promised
        came += len(page.rows)
        if page.rows:
            yield page
            before, last = last, _key_of(page.rows[-1], key)
            if last == before:
                raise ProtocolError(f"The pages of {path} do not come to an end: a row came twice.", path=path)
        full = page.next_link or len(page.rows) == size
        if not page.rows or (promised is not None and came >= promised and not full):
            break
    if promised is not None and came < promised:
        raise ProtocolError(f"Of {promised} rows of {path} that the server counted, {came} came.", path=path)


def skipped_pages(reader: ODataReader, path: str, params: Mapping[str, str], key: Sequence[str]) -> Iterator[Page]:
    """Yield the pages of an entity set whose key cannot be filtered, by ``$skip``: each row once.

    A page begins with the last row of the page before it. Where it does not, rows came or went in front of it, and the
    set is read from its beginning again, for what was passed by.

    :raises ProtocolError: when the set stands still in none of a few passes.
    """
    seen: set[tuple[Any, ...]] = set()
    for _ in range(PASSES):
        stood_still = yield from _pass_by_places(reader, path, params, key, seen)
        if stood_still:
            return
    raise ProtocolError(
        f"{path} changed while it was read, {PASSES} times.", path=path, hint="Run the task when less is posted."
    )


def _pass_by_places(
    reader: ODataReader, path: str, params: Mapping[str, str], key: Sequence[str], seen: set[tuple[Any, ...]]
) -> Generator[Page, None, bool]:
    """Yield the rows that were not seen yet, by their places; return whether every row kept its place."""
    size, came, last = reader.page_size, 0, list[tuple[Any, ...]]()

    def page_at(place: int) -> Page:
        window = {**params, "$orderby": ",".join(key), "$top": str(size), "$skip": str(place)}
        return reader.page(address(path, window), size)

    while True:
        page = page_at(came - len(last))
        keys = [_key_of(row, key) for row in page.rows]
        if keys[: len(last)] != last:
            return False
        if len(keys) == len(last):
            return not page_at(came).rows
        came += len(keys) - len(last)
        fresh = tuple(row for row, one in zip(page.rows, keys, strict=True) if one not in seen)
        seen.update(keys)
        last = keys[-1:]
        if fresh:
            yield page if len(fresh) == len(keys) else _page_of(fresh)


def _page_of(rows: tuple[msgspec.Raw, ...]) -> Page:
    """Return a page of these rows alone."""
    return Page(memoryview(b'{"value":[' + b",".join(map(bytes, rows)) + b"]}"), rows)


def _window(
    path: str, params: Mapping[str, str], key: Sequence[str], last: Sequence[Any] | None, size: int, *, counted: bool
) -> str:
    """Return the address of a page's rows: those behind the last one that came."""
    window = {**params, "$orderby": ",".join(key), "$top": str(size)}
    if last is not None:
        wanted = params.get("$filter")
        window["$filter"] = f"({wanted}) and {behind(key, last)}" if wanted else behind(key, last)
    elif counted:
        window["$count"] = "true"
    return address(path, window)


def behind(key: Sequence[str], last: Sequence[Any]) -> str:
    """Return the filter of the rows behind one: ``A gt 1 or (A eq 1 and B gt 2)``, in brackets."""
    name, value = key[0], literal(last[0])
    if len(key) == 1:
        return f"({name} gt {value})"
    return f"({name} gt {value} or ({name} eq {value} and {behind(key[1:], last[1:])}))"


def literal(value: Any) -> str:
    """Return a value as a literal of a filter: text in quotes, numbers as they are."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _key_of(raw: msgspec.Raw, key: Sequence[str]) -> tuple[Any, ...]:
    row = _ROWS.decode(raw)
    return tuple(row.get(name, "") for name in key)
