# SPDX-License-Identifier: Apache-2.0
"""The environment over HTTP: OData with its options, pages and errors, and the customer's own service."""

from __future__ import annotations

import asyncio
import json
import uuid
from urllib.parse import unquote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from airflow_provider_mlconnector.sandbox.dynamics_fo import posting_service
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.journal_writing import (
    Change,
    find,
    held,
    is_record,
    row_of,
    write,
)
from airflow_provider_mlconnector.sandbox.dynamics_fo.metadata import metadata_document
from airflow_provider_mlconnector.sandbox.dynamics_fo.sets import EntitySet, Sets
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import (
    WireError,
    bad_property,
    bad_request,
    encode_rows,
    no_set,
)
from airflow_provider_mlconnector.sandbox.gate import external_url
from airflow_provider_mlconnector.sandbox.odata.filters import (
    Both,
    Either,
    FilterError,
    Membership,
    Negation,
    Node,
    TextTest,
)
from airflow_provider_mlconnector.sandbox.odata.options import OptionError, Options, next_query, parse_options
from airflow_provider_mlconnector.sandbox.odata.paging import Page, count_rows, read_page
from airflow_provider_mlconnector.sandbox.odata.rows import Row, RowFrame, joined

PREFIX = "/dynamics_fo"
JSON_TYPE = "application/json; odata.metadata=minimal"


def router(environment: Environment) -> APIRouter:
    """Return the routes of the environment."""
    routes = APIRouter(prefix=PREFIX)
    sets = Sets(environment)

    @routes.api_route("/data{path:path}", methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
    async def entities(path: str, request: Request) -> Response:
        try:
            if request.method != "GET":
                return await _written(environment, path, request)
            return _answer(environment, sets, path, request)
        except WireError as error:
            return _refusal(error)
        except (OptionError, FilterError) as error:
            return _refusal(bad_request(str(error)))

    @routes.post("/api/services/{path:path}")
    async def services(path: str, request: Request) -> Response:
        try:
            root = external_url(request).partition("/api/services/")[0]
            environment.check_token(request.headers.get("authorization", ""), root)
            return JSONResponse(posting_service.call(environment, path, await request.body()))
        except WireError as error:
            return _refusal(error)

    return routes


async def _written(environment: Environment, path: str, request: Request) -> Response:
    """Carry out a request that changes something: 201 with what it made, else 204, or 200 where that is preferred."""
    root = external_url(request).partition("/data")[0]
    environment.check_token(request.headers.get("authorization", ""), root)
    cross_company = _is_cross_company(parse_options(request.url.query))
    body, if_match = await request.body(), request.headers.get("if-match", "")
    change = Change(request.method, _below(path), body, if_match, cross_company)
    with held(environment, change):
        if environment.switches.write_seconds:
            await asyncio.sleep(environment.switches.write_seconds)
        row = write(environment, change)
    if row is None or (request.method == "PATCH" and "representation" not in request.headers.get("prefer", "")):
        return Response(status_code=204)
    return _record(row, request, 201 if request.method == "POST" else 200)


def _record(row: Row, request: Request, status: int) -> Response:
    root, _, name = external_url(request).partition("/data/")
    context = json.dumps(f"{root}/data/$metadata#{name.partition('(')[0]}/$entity").encode()
    content = b'{"@odata.context":' + context + b"," + encode_rows([row], tuple(row))[1:]
    headers = {"OData-Version": "4.0", "ms-dyn-aid": str(uuid.uuid4())}
    return Response(content, status_code=status, headers=headers, media_type=JSON_TYPE)


def _answer(environment: Environment, sets: Sets, path: str, request: Request) -> Response:
    root = external_url(request).partition("/data")[0]
    environment.check_token(request.headers.get("authorization", ""), root)
    if is_record(_below(path)):
        cross_company = _is_cross_company(parse_options(request.url.query))
        found = find(environment, _below(path), cross_company=cross_company)
        return _record(row_of(environment, found), request, 200)
    name, _, rest = _below(path).partition("/")
    if not name:
        return _service_document(sets, root)
    if name == "$metadata":
        return Response(metadata_document(sets), media_type="application/xml")
    if rest not in ("", "$count"):
        raise no_set(rest)
    options = parse_options(request.url.query)
    _refuse_unknown(options.filter)
    entity_set, frame = sets.frame(name)
    _check_fields(entity_set, frame, options)
    visible = sets.visible(frame, cross_company=_is_cross_company(options))
    if rest:
        return Response(str(count_rows([visible], options)), media_type="text/plain")
    return _page(environment, visible, options, request)


def _below(path: str) -> str:
    """Return what is asked for, out of what follows ``/data`` in an address."""
    return unquote(path).lstrip("/")


def _service_document(sets: Sets, root: str) -> Response:
    listed = [{"name": name, "kind": "EntitySet", "url": name} for name in sets.public()]
    return JSONResponse({"@odata.context": f"{root}/data/$metadata", "value": listed}, media_type=JSON_TYPE)


def _page(environment: Environment, frame: RowFrame, options: Options, request: Request) -> Response:
    switches = environment.switches
    page = read_page([frame], options, page_size=switches.page_size, join=joined)
    names = options.select or (tuple(frame.rows[0]) if frame.rows else ())
    url = external_url(request)
    root, _, name = url.partition("/data/")
    parts = [b'{"@odata.context":', json.dumps(f"{root}/data/$metadata#{name}").encode()]
    if options.count:
        parts.append(b',"@odata.count":%d' % count_rows([frame], options))
    parts += [b',"value":[', encode_rows(page.frame.rows, names), b"]"]
    if page.token is not None:
        link = f"{url}?{_next(options, page, skip_token=switches.skip_token)}"
        parts += [
            b',"@odata.nextLink":',
            json.dumps(link.removeprefix(f"{root}/data/") if switches.relative_links else link).encode(),
        ]
    headers = {"OData-Version": "4.0", "ms-dyn-aid": str(uuid.uuid4())}
    return Response(b"".join([*parts, b"}"]), headers=headers, media_type=JSON_TYPE)


def _next(options: Options, page: Page[RowFrame], *, skip_token: bool) -> str:
    """Return the query of the next page: behind the last row by a token, or behind as many rows as were given."""
    if skip_token and page.token is not None:
        return next_query(options, page.token, top=page.top_left, extra="aid=0")
    kept = [f"{name}={value}" for name, value in options.raw if name.lower() not in ("$skip", "$top")]
    kept.append(f"$skip={options.skip + len(page.frame)}")
    return "&".join(kept if page.top_left is None else [*kept, f"$top={page.top_left}"])


def _is_cross_company(options: Options) -> bool:
    return any(name.lower() == "cross-company" and value.lower() == "true" for name, value in options.raw)


def _check_fields(entity_set: EntitySet, frame: RowFrame, options: Options) -> None:
    known = set(frame.rows[0]) if frame.rows else options.fields
    for name in sorted(options.fields - known):
        raise bad_property(name, entity_set.entity)


def _refuse_unknown(node: Node | None) -> None:
    """Refuse what filters here cannot say: lists of values, and functions."""
    match node:
        case Both(left, right) | Either(left, right):
            _refuse_unknown(left)
            _refuse_unknown(right)
        case Negation(inner):
            _refuse_unknown(inner)
        case Membership() | TextTest():
            raise bad_request("The query specified in the URI is not valid. The operator or function is not supported.")


def _refusal(error: WireError) -> Response:
    headers = {"ms-dyn-aid": str(uuid.uuid4()), **error.headers}
    if not error.message:
        return Response(status_code=error.status, headers=headers)
    return JSONResponse(error.body(), status_code=error.status, headers=headers)
