# SPDX-License-Identifier: Apache-2.0
"""Reading an OData collection in order of its key, each page from where the one before it ended.

For servers that promise no links, or sort and skip anew for every page: rows that come or go while a table is read move
no other row over the edge of a page. A read ends with a page without rows, so that a server which gives fewer rows than
it was asked for cuts nothing off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_mlconnector.errors import ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.http.odata import SMALLEST_PAGE, TOO_MUCH, ODataReader, Page, address

_ROWS = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def keyset_pages(
    reader: ODataReader, path: str, params: Mapping[str, str], key: Sequence[str], *, size: int
) -> Iterator[Page]:
    """Yield the pages of an entity set whose key can be filtered; the rows must hold the key.

    :param size: rows to ask for per page; halved where that is too much for the server.
    :raises ProtocolError: when the server gives rows that lie before those it was asked for.
    """
    last: tuple[Any, ...] | None = None
    while True:
        after = behind(key, last) if last is not None else ""
        filters = [one for one in (params.get("$filter", ""), after) if one]
        window = {**params, "$orderby": ",".join(key), "$top": str(size)}
        window |= {"$filter": " and ".join(filters)} if filters else {}
        try:
            page = reader.page(address(path, window))
        except RemoteError as exc:
            if exc.status not in TOO_MUCH or size <= SMALLEST_PAGE:
                raise
            size = max(SMALLEST_PAGE, size // 2)
            continue
        if not page.rows:
            return
        yield page
        before, last = last, _key_of(page.rows[-1], key)
        if last == before:
            raise ProtocolError(f"The pages of {path} do not come to an end: a row came twice.", path=path)


def skipped_pages(
    reader: ODataReader, path: str, params: Mapping[str, str], key: Sequence[str], *, size: int
) -> Iterator[Page]:
    """Yield the pages of an entity set whose key cannot be filtered, by ``$skip``.

    A row may come twice where rows are added meanwhile; one may be missed where rows go.
    """
    skip = 0
    while True:
        window = {**params, "$orderby": ",".join(key), "$top": str(size), "$skip": str(skip)}
        page = reader.page(address(path, window))
        if not page.rows:
            return
        yield page
        skip += len(page.rows)


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
