# SPDX-License-Identifier: Apache-2.0
"""Business Central's API over HTTP: paths, options, pages and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.business_central.changesets import read_batch
from airflow_provider_mlconnector.sandbox.business_central.drift import Drift, after_update
from airflow_provider_mlconnector.sandbox.business_central.journal_sets import Change, journal_source, write
from airflow_provider_mlconnector.sandbox.business_central.journals import journals_of
from airflow_provider_mlconnector.sandbox.business_central.metadata import metadata_document
from airflow_provider_mlconnector.sandbox.business_central.paths import BATCH, METADATA, V2, Target, read_path
from airflow_provider_mlconnector.sandbox.business_central.sources import (
    Source,
    TableSource,
    check_options,
    nested_source,
    no_record,
    source_of,
)
from airflow_provider_mlconnector.sandbox.business_central.tables import COMPANY_FIELDS, company_rows
from airflow_provider_mlconnector.sandbox.business_central.tenant import (
    CLIENT_ID,
    ENVIRONMENT,
    Tenant,
)
from airflow_provider_mlconnector.sandbox.business_central.wire import WireError
from airflow_provider_mlconnector.sandbox.entra.directory import TENANT_ID
from airflow_provider_mlconnector.sandbox.gate import external_url
from airflow_provider_mlconnector.sandbox.odata.filters import (
    Both,
    Either,
    FilterError,
    Membership,
    Negation,
    Node,
    fields_of,
)
from airflow_provider_mlconnector.sandbox.odata.options import OptionError, Options, next_query, parse_options

PREFIX = "/business_central"
JSON_TYPE = "application/json; odata.metadata=minimal; odata.streaming=true"

_PAGE_SIZE = re.compile(r"(?:odata\.)?maxpagesize=(\d+)", re.IGNORECASE)


def router(tenant: Tenant) -> APIRouter:
    """Return the routes of the API."""
    routes = APIRouter(prefix=PREFIX)

    @routes.get("/environments/v1.2", response_model=None)
    async def environments(request: Request) -> Response:
        try:
            tenant.check_token(request.headers.get("authorization", ""))
        except WireError as error:
            return _refusal(error)
        return JSONResponse({"value": [_environment(request)]})

    @routes.api_route("/v2.0/{path:path}", methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
    async def entities(path: str, request: Request) -> Response:
        body = await request.body()
        return _or_refusal(lambda: _answer(tenant, path, request, body))

    return routes


def _or_refusal(answer: Callable[[], Response]) -> Response:
    """Return an answer, or the error that it came to as one."""
    try:
        return answer()
    except WireError as error:
        return _refusal(error)
    except (OptionError, FilterError) as error:
        return _refusal(WireError(400, "BadRequest_InvalidRequestUrl", str(error)))


def _answer(tenant: Tenant, path: str, request: Request, body: bytes) -> Response:
    """Answer a request of the application, which may hold others."""
    tenant.check_token(request.headers.get("authorization", ""))
    tenant.check_rate(CLIENT_ID)
    if request.method != "POST" or _target(tenant, path, request).set != BATCH:
        return _carry_out(tenant, path, request, body)
    batch = read_batch(path.removesuffix(BATCH), request, body, can_isolate=tenant.switches.isolation)
    tables = [journals_of(tenant.world, books) for books in tenant.companies.values()]
    return batch.carry_out(lambda *one: _or_refusal(lambda: _carry_out(tenant, *one)), tables)


def _target(tenant: Tenant, path: str, request: Request) -> Target:
    """Read a path; the company may stand in the query or in a header, too."""
    named = (request.query_params.get("company"), request.headers.get("companyid"), request.headers.get("company"))
    company = next(filter(None, named), "")
    return read_path(path, company, finance=tenant.switches.reports_finance)


def _carry_out(tenant: Tenant, path: str, request: Request, body: bytes) -> Response:
    target = _target(tenant, path, request)
    if target.set == BATCH:
        raise WireError(400, "BadRequest_InvalidRequestUrl", "A batch is sent by POST, and not within another one.")
    if request.method != "GET":
        return _write(tenant, target, request, body)
    switches = tenant.switches
    drift = Drift(switches.dropped_fields, switches.added_fields, switches.text_fields)
    if target.set == METADATA:
        return Response(metadata_document(target.api, drift), media_type="application/xml")
    options = parse_options(request.url.query)
    _check_filter(options)
    if not target.set:
        source: Source = TableSource("company", COMPANY_FIELDS, company_rows(tenant.listed_companies()))
        return _answer_from(source, target, options, tenant, request)
    _, books = tenant.company(target.company)
    whole = _source(tenant, books, target, options, request)
    return _answer_from(after_update(whole, drift), target, options, tenant, request)


def _source(tenant: Tenant, books: Books, target: Target, options: Options, request: Request) -> Source:
    journals = journals_of(tenant.world, books)
    lag = tenant.switches.replica_lag if request.headers.get("data-access-intent", "").lower() == "readonly" else 0.0
    found = journal_source(journals, target, options, lag) if target.api == V2 else None
    if found is not None:
        return found
    if target.navigation:
        return nested_source(books, target.set, target.key, target.navigation)
    return source_of(books, target.api, target.set, options, request.headers.get("accept-language", ""))


def _write(tenant: Tenant, target: Target, request: Request, body: bytes) -> Response:
    """Carry out a request that changes something; 201 or 200 with the record, or 204."""
    _, books = tenant.company(target.company)
    journals = journals_of(tenant.world, books)
    shown = write(journals, target, Change(request.method, body, request.headers.get("if-match", "")))
    if shown is None:
        return Response(status_code=204)
    source = journal_source(journals, shown, Options())
    if source is None:
        raise no_record(shown.record)
    answer = _answer_from(source, shown, Options(), tenant, request)
    answer.status_code = 201 if request.method == "POST" else 200
    return answer


def _answer_from(source: Source, target: Target, options: Options, tenant: Tenant, request: Request) -> Response:
    check_options(source, options)
    key = target.record if target.set else target.company
    if target.is_count:
        return Response(str(source.count(options)), media_type="text/plain")
    if key:
        frame = source.find(key)
        if not len(frame):
            raise no_record(key)
        context = _context(target, options, request, "/$entity")
        return _json(b"".join((b'{"@odata.context":', context, b",", source.encode(frame, options)[1:])))
    return _page(source, target, options, tenant, request)


def _page(source: Source, target: Target, options: Options, tenant: Tenant, request: Request) -> Response:
    size, headers = _page_size(tenant, request.headers.get("prefer", ""))
    page = source.page(options, size)
    parts: list[bytes | memoryview] = [b'{"@odata.context":', _context(target, options, request, "")]
    if options.count:
        parts.append(b',"@odata.count":%d' % source.count(options))
    parts += [b',"value":[', source.encode(page.frame, options), b"]"]
    if page.token is not None and (tenant.switches.query_links or not source.is_query):
        query = next_query(options, page.token, top=page.top_left, extra="aid=FIN")
        parts += [b',"@odata.nextLink":', json.dumps(f"{external_url(request)}?{query}").encode()]
    parts.append(b"}")
    return _json(b"".join(parts), headers)


def _page_size(tenant: Tenant, prefer: str) -> tuple[int, dict[str, str]]:
    """Return how many rows the client wants at most, and what to tell it about that.

    :raises WireError: 413 when it wants too many.
    """
    match = _PAGE_SIZE.search(prefer)
    if match is None or int(match[1]) == 0:
        return tenant.switches.page_size, {}
    if int(match[1]) > tenant.switches.most_page_size:
        message = f"The page size {match[1]} is larger than {tenant.switches.most_page_size}."
        raise WireError(413, "BadRequest_RequestEntityTooLarge", message)
    return int(match[1]), {"Preference-Applied": match[0]}


def _check_filter(options: Options) -> None:
    """Refuse what Business Central's filters cannot do.

    :raises WireError: 400 for ``or`` over different fields, and for ``in`` without schema version 2.1.
    """
    for node in _nodes(options.filter):
        if isinstance(node, Either) and len(fields_of(node)) > 1:
            message = "The 'OR' operator is not supported on distinct fields."
            raise WireError(400, "Application_FilterErrorException", message)
        if isinstance(node, Membership) and options.schema_version != "2.1":
            message = "The 'in' operator is not supported by this schema version."
            raise WireError(400, "BadRequest_MethodNotImplemented", message)


def _nodes(node: Node | None) -> list[Node]:
    match node:
        case None:
            return []
        case Both(left, right) | Either(left, right):
            return [node, *_nodes(left), *_nodes(right)]
        case Negation(inner):
            return [node, *_nodes(inner)]
        case _:
            return [node]


def _context(target: Target, options: Options, request: Request, suffix: str) -> bytes:
    root = external_url(request).partition(f"/api/{target.api}")[0] + f"/api/{target.api}"
    company = f"companies({target.company})/" if target.set else "companies"
    path = "/".join(part for part in (target.set, target.navigation) if part)
    select = f"({','.join(options.select)})" if options.select else ""
    return json.dumps(f"{root}/$metadata#{company}{path}{select}{suffix}").encode()


def _environment(request: Request) -> dict[str, Any]:
    return {
        "aadTenantId": TENANT_ID,
        "applicationFamily": "BusinessCentral",
        "type": "Production",
        "name": ENVIRONMENT,
        "countryCode": "GB",
        "webServiceUrl": external_url(request).partition("/environments")[0],
    }


def _json(body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, headers={"OData-Version": "4.0", **(headers or {})}, media_type=JSON_TYPE)


def _refusal(error: WireError) -> Response:
    return JSONResponse(error.body(), status_code=error.status, headers=dict(error.headers))
