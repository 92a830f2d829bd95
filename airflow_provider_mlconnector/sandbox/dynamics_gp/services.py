# SPDX-License-Identifier: Apache-2.0
"""The two services over HTTP, behind integrated Windows authentication: SOAP web services, and SBA's resources.

The web services want POST to ``…/DynamicsGPService.asmx``; SBA answers below ``/GPService/Tenants(…)/Companies(…)``.
Paths are matched whatever their case.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from airflow_provider_mlconnector.sandbox.dynamics_gp.operations import perform
from airflow_provider_mlconnector.sandbox.dynamics_gp.resources import ROWS
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import TENANT, GpCompany, Site
from airflow_provider_mlconnector.sandbox.dynamics_gp.wire import Call, Fault, answer, read_call
from airflow_provider_mlconnector.sandbox.dynamics_gp.wsdl import wsdl
from airflow_provider_mlconnector.sandbox.gate import CONNECTION
from airflow_provider_mlconnector.sandbox.windows import Challenge

PREFIX = "/dynamics_gp"
SOAP_PATH = f"{PREFIX}/DynamicsGPWebServices/DynamicsGPService.asmx"
SBA_PATH = f"{PREFIX}/GPService"
_SEGMENT = re.compile(r"(?P<name>[^()/]+)(?:\((?P<key>.*)\))?")
_XML = "text/xml; charset=utf-8"
_INSTALLED_AT = "http://gpserver:48620/DynamicsGPWebServices/DynamicsGPService.asmx"
"""The address that the description holds: that of the host at the time of the installation."""


def router(site: Site) -> APIRouter:
    """Return the routes of both services."""
    routes = APIRouter()

    @routes.get(SOAP_PATH, response_model=None)
    async def describe(request: Request) -> Response:
        return _enter(site, request) or Response(wsdl(_INSTALLED_AT), media_type=_XML)

    @routes.post(SOAP_PATH, response_model=None)
    async def call(request: Request) -> Response:
        body = await request.body()
        return _enter(site, request) or _soap(site, body)

    @routes.get(SBA_PATH + "/{path:path}", response_model=None)
    async def resource(path: str, request: Request) -> Response:
        return _enter(site, request) or _sba(site, unquote(path))

    @routes.post(SBA_PATH + "/{path:path}", response_model=None)
    async def act(path: str, request: Request) -> Response:
        """Refuse what only a custom service does; one that posts is counted."""
        refusal = _enter(site, request)
        if refusal is None and request.headers.get("GP-Custom-Action", "").upper() == "POST":
            site.post_calls += 1
        return refusal or _refused(404, f"The service '{path}' was not found.")

    return routes


def _enter(site: Site, request: Request) -> Response | None:
    """Return the next leg of a handshake; None when somebody is logged in on the connection."""
    entered = site.domain.enter(request.scope[CONNECTION], request.headers.get("authorization", ""))
    if not isinstance(entered, Challenge):
        return None
    refusal = Response("<html><body>401 - Unauthorized</body></html>", 401, media_type="text/html")
    for header in entered.headers:
        refusal.headers.append("WWW-Authenticate", header)
    return refusal


def _soap(site: Site, body: bytes) -> Response:
    try:
        asked: Call = read_call(body)
        return Response(answer(asked.operation, perform(site, asked)), media_type=_XML)
    except Fault as fault:
        if fault.errors:
            site.logged[fault.log_id] = fault
        return Response(fault.body(), 500, media_type=_XML)


def _sba(site: Site, path: str) -> Response:
    segments = [_SEGMENT.fullmatch(part) for part in path.split("/") if part]
    if not site.switches.sba or not segments or not all(segments):
        return Response("<html><body>404 - File or directory not found.</body></html>", 404, media_type="text/html")
    names = [(match["name"], match["key"]) for match in segments if match]
    if (names[0][0].lower(), names[0][1]) != ("tenants", TENANT):
        return _refused(404, f"The tenant '{names[0][1]}' is unknown.")
    if len(names) == 2 and names[1] == ("Companies", None):
        return _listed(site, "Companies", [{"CompanyName": _segment_of(site, one)} for one in site.companies])
    company = next((one for one in site.companies if _segment_of(site, one) == (names[1:2] or [("", "")])[0][1]), None)
    if company is None:
        return _refused(404, "The company is unknown.")
    resource = "/".join(name for name, _ in names[2:])
    known = {name.lower(): name for name in site.switches.sba_resources}
    if resource.lower() not in known:
        return _refused(404, f"The service '{resource}' was not found.")
    return _listed(site, resource.rpartition("/")[2], ROWS[known[resource.lower()]](company))


def _segment_of(site: Site, company: GpCompany) -> str:
    return company.database if site.switches.database_names else company.books.name


def _listed(site: Site, name: str, rows: list[dict[str, Any]]) -> Response:
    match site.switches.envelope:
        case "bare":
            body: Any = rows
        case "resource":
            body = {name: rows}
        case "status":
            body = {"Status": {"Code": 200}, "Payload": {name: rows}}
        case _:
            body = {"Payload": rows}
    return Response(json.dumps(body, default=str), media_type="application/json")


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"Message": message}, status_code=status)
