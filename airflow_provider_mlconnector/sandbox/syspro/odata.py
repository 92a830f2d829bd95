# SPDX-License-Identifier: Apache-2.0
"""The stand-alone OData service: version 4.0, read only, Basic over operators that it learned of when it started."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.gate import external_url
from airflow_provider_mlconnector.sandbox.odata.filters import (
    Both,
    Comparison,
    Either,
    FilterError,
    Membership,
    Negation,
    Node,
    Value,
    fields_of,
)
from airflow_provider_mlconnector.sandbox.odata.options import OptionError, Options, next_query, parse_options
from airflow_provider_mlconnector.sandbox.odata.paging import Page, count_rows, read_page
from airflow_provider_mlconnector.sandbox.odata.rows import RowFrame
from airflow_provider_mlconnector.sandbox.syspro.columns import TIME_STAMP, Column, encode_rows
from airflow_provider_mlconnector.sandbox.syspro.journals import JournalFrame, join_frames, journal_frames
from airflow_provider_mlconnector.sandbox.syspro.metadata import metadata_document
from airflow_provider_mlconnector.sandbox.syspro.site import OdataError, Site, TimeStamps
from airflow_provider_mlconnector.sandbox.syspro.tables import GEN_JOURNAL_DETAIL, TABLES, Table

PREFIX = "/SYSPRO8Odata/SYSPROOData"
OPERATORS_COMPANY = "L"
"""The company of a path that names none: the one that is set at the operator."""

_DATABASE = "SysproCompany"
_JSON_TYPE = "application/json; odata.metadata=minimal"


def router(site: Site) -> APIRouter:
    """Return the routes of the service."""
    routes = APIRouter(prefix=PREFIX)

    @routes.api_route("/{path:path}", methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
    async def entities(path: str, request: Request) -> Response:
        try:
            return _answer(site, unquote(path), request)
        except OdataError as error:
            headers = {"WWW-Authenticate": 'Basic realm="SYSPRO"'} if error.status == 401 else {}
            return JSONResponse(error.body(), status_code=error.status, headers=headers)
        except (OptionError, FilterError) as error:
            return JSONResponse(OdataError(400, str(error)).body(), status_code=400)

    return routes


def _answer(site: Site, path: str, request: Request) -> Response:
    _check_login(site, request)
    if request.method != "GET":
        raise OdataError(405, f"The requested resource does not support http method '{request.method}'.")
    company, rest = _company(path)
    site.books(company)
    tables = {name: _shown(site, table) for name, table in TABLES.items()}
    if rest == "$metadata":
        return Response(metadata_document(tables.values(), site.switches), media_type="application/xml")
    name, _, counted = rest.partition("/")
    if name not in tables:
        raise OdataError(404, f"Resource not found for the segment '{name}'.")
    options = _understood(site, tables[name], parse_options(request.url.query))
    if counted == "$count" or options.count:
        if not site.switches.counts:
            raise OdataError(501, "$count is not supported.")
        if counted:
            return Response(str(_count(site, company, tables[name], options)), media_type="text/plain")
    return _page(site, company, tables[name], options, request)


def _check_login(site: Site, request: Request) -> None:
    """Check a Basic header, or an e.net session where the site takes them.

    :raises OdataError: 401.
    """
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    try:
        operator, _, password = base64.b64decode(text).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        operator, password = "", ""
    session = unquote(request.headers.get("userid", ""))
    if site.switches.sessions and session and site.uses(session):
        return
    if scheme.lower() != "basic" or not site.lets_in(operator, password):
        raise OdataError(401, "Authorization has been denied for this request.")


def _company(path: str) -> tuple[str, str]:
    first, _, rest = path.partition("/")
    return (first.removeprefix(_DATABASE), rest) if first.startswith(_DATABASE) else (OPERATORS_COMPANY, path)


def _shown(site: Site, table: Table) -> Table:
    """Return a table with the columns that the service shows today."""
    hidden = set(site.switches.dropped_fields)
    if site.switches.time_stamps is TimeStamps.HIDDEN:
        hidden.add(TIME_STAMP)
    return replace(table, columns=tuple(column for column in table.columns if column.name not in hidden))


def _understood(site: Site, table: Table, options: Options) -> Options:
    """Return the options in the terms of the rows: SQL takes no notice of blanks at the end of a text.

    :raises OdataError: 400 for properties that there are not, or that cannot be filtered.
    """
    names = {column.name for column in table.columns}
    for name in sorted(options.fields - names):
        raise OdataError(400, f"Could not find a property named '{name}' on type 'SYSPRO.{table.name}'.")
    refused = set(site.switches.unfilterable)
    if site.switches.time_stamps is TimeStamps.SHOWN:
        refused.add(TIME_STAMP)
    for name in sorted((fields_of(options.filter) if options.filter else set()) & refused):
        raise OdataError(400, f"The property '{name}' cannot be used in the $filter query option.")
    return replace(options, filter=_plain(options.filter) if options.filter else None)


def _plain(node: Node) -> Node:
    match node:
        case Both(left, right):
            return Both(_plain(left), _plain(right))
        case Either(left, right):
            return Either(_plain(left), _plain(right))
        case Negation(inner):
            return Negation(_plain(inner))
        case Comparison(field, operation, value):
            return Comparison(field, operation, _plain_value(field, value))
        case Membership(field, values):
            return Membership(field, tuple(_plain_value(field, value) for value in values))
        case _:
            return node


def _plain_value(field: str, value: Value) -> Any:
    if not isinstance(value, str):
        return value
    return int.from_bytes(base64.b64decode(value), "big") if field == TIME_STAMP else value.rstrip(" ")


def _count(site: Site, company: str, table: Table, options: Options) -> int:
    if table.name == GEN_JOURNAL_DETAIL.name:
        frames = journal_frames(site.ledgers(company), options.filter, site.switches.in_flight)
        return count_rows(frames, options)
    return count_rows([RowFrame.of(_rows(site, company, table))], options)


def _rows(site: Site, company: str, table: Table) -> list[Any]:
    ledgers: Sequence[tuple[str, Books]] = [(company, site.books(company))]
    if table.of_ledger:
        ledgers = site.ledgers(company)
    return [row for one, books in ledgers for row in table.rows(one, books, site)]


@dataclass(frozen=True, slots=True)
class _Written:
    """A page as JSON."""

    rows: bytes
    page: Page[Any]


def _read(site: Site, company: str, table: Table, options: Options) -> _Written:
    chosen: list[Column] = [one for one in table.columns if not options.select or one.name in options.select]
    size, padded = site.switches.page_size, site.switches.padded
    if table.name == GEN_JOURNAL_DETAIL.name:
        ledgers = site.ledgers(company)
        frames = journal_frames(ledgers, options.filter, site.switches.in_flight)
        journals: Page[JournalFrame] = read_page(frames, options, page_size=size, join=join_frames(ledgers))
        return _Written(encode_rows(journals.frame.as_rows(), chosen, padded=padded), journals)
    whole = RowFrame.of(_rows(site, company, table))
    page: Page[RowFrame] = read_page([whole], options, page_size=size, join=_first_of)
    return _Written(encode_rows(page.frame.rows, chosen, padded=padded), page)


def _first_of(frames: list[RowFrame]) -> RowFrame:
    return frames[0] if frames else RowFrame.of(())


def _page(site: Site, company: str, table: Table, options: Options, request: Request) -> Response:
    written = _read(site, company, table, options)
    context = json.dumps(f"{external_url(request).rpartition('/')[0]}/$metadata#{table.name}").encode()
    parts = [b'{"@odata.context":', context]
    if options.count:
        parts.append(b',"@odata.count":%d' % _count(site, company, table, options))
    parts += [b',"value":[', written.rows, b"]"]
    if written.page.token is not None and site.switches.next_links:
        query = next_query(options, written.page.token, top=written.page.top_left, extra="page=next")
        parts += [b',"@odata.nextLink":', json.dumps(f"{external_url(request)}?{query}").encode()]
    parts.append(b"}")
    return Response(b"".join(parts), headers={"OData-Version": "4.0"}, media_type=_JSON_TYPE)
