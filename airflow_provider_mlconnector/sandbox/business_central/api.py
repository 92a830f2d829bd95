# SPDX-License-Identifier: Apache-2.0
"""Business Central's API over HTTP: paths, options, pages and errors."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.business_central.drift import Drift, after_update
from airflow_provider_mlconnector.sandbox.business_central.metadata import metadata_document
from airflow_provider_mlconnector.sandbox.business_central.sources import (
    FINANCE,
    V2,
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
from airflow_provider_mlconnector.sandbox.entra.directory import TENANT_DOMAIN, TENANT_ID
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

_PATH = re.compile(rf"(?:(?P<tenant>[^/]+)/)?(?P<environment>[^/]+)/api/(?P<api>{V2}|{FINANCE})(?:/(?P<resource>.*))?")
_SEGMENT = re.compile(r"(?P<name>[\w$]+)(?:\((?P<key>[^)]*)\))?")
_METADATA = "$metadata"
_PAGE_SIZE = re.compile(r"(?:odata\.)?maxpagesize=(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: ``set(key)/navigation`` of a company, or its count."""

    api: str
    company: str
    set: str
    key: str = ""
    navigation: str = ""
    is_count: bool = False


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
        try:
            return _answer(tenant, path, request)
        except WireError as error:
            return _refusal(error)
        except (OptionError, FilterError) as error:
            return _refusal(WireError(400, "BadRequest_InvalidRequestUrl", str(error)))

    return routes


def _answer(tenant: Tenant, path: str, request: Request) -> Response:
    tenant.check_token(request.headers.get("authorization", ""))
    tenant.check_rate(CLIENT_ID)
    target = _target(tenant, path, request)
    if request.method != "GET":
        raise WireError(405, "BadRequest_MethodNotAllowed", f"Entity does not support {request.method}.")
    switches = tenant.switches
    drift = Drift(switches.dropped_fields, switches.added_fields, switches.text_fields)
    if target.set == _METADATA:
        return Response(metadata_document(target.api, drift), media_type="application/xml")
    options = parse_options(request.url.query)
    _check_filter(options)
    if not target.set:
        source: Source = TableSource("company", COMPANY_FIELDS, company_rows(tenant.listed_companies()))
        return _answer_from(source, target, options, tenant, request)
    _, books = tenant.company(target.company)
    whole = _source(books, target, options, request.headers.get("accept-language", ""))
    return _answer_from(after_update(whole, drift), target, options, tenant, request)


def _source(books: Books, target: Target, options: Options, language: str) -> Source:
    if target.navigation:
        return nested_source(books, target.set, target.key, target.navigation)
    return source_of(books, target.api, target.set, options, language)


def _answer_from(source: Source, target: Target, options: Options, tenant: Tenant, request: Request) -> Response:
    check_options(source, options)
    key = target.key if target.set and not target.navigation else "" if target.set else target.company
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


def _target(tenant: Tenant, path: str, request: Request) -> Target:
    """Read a path.

    :raises WireError: 404 for tenants, environments and APIs that are not there, 400 for what is no path.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise WireError(404, "BadRequest_NotFound", "The requested API was not found.")
    if (match["tenant"] or TENANT_ID).lower() not in (TENANT_ID, TENANT_DOMAIN):
        raise WireError(404, "Internal_TenantUnavailable", f"The tenant '{match['tenant']}' was not found.")
    if match["environment"].lower() != ENVIRONMENT.lower():
        raise WireError(404, "NoEnvironment", f"The environment '{match['environment']}' does not exist.")
    if match["api"] == FINANCE and not tenant.switches.reports_finance:
        raise WireError(404, "BadRequest_NotFound", "The requested API was not found.")
    segments = [_segment(text) for text in unquote(match["resource"] or "").split("/") if text]
    is_count = bool(segments) and segments[-1] == ("$count", "")
    if is_count:
        segments.pop()
    if segments and segments[0][0] == "companies":
        company, segments = segments[0][1], segments[1:]
    else:
        company = request.query_params.get("company", "")
    if segments and not company and segments[0][0] != _METADATA:
        raise WireError(400, "BadRequest_RequiredParamNotProvided", "A company must be specified in the request.")
    (set_name, key), *below = segments or [("", "")]
    return Target(match["api"], company, set_name, key, below[0][0] if below else "", is_count)


def _segment(text: str) -> tuple[str, str]:
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise WireError(400, "BadRequest_InvalidRequestUrl", f"The segment '{text}' is not valid.")
    return match["name"], (match["key"] or "").strip("'")


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
