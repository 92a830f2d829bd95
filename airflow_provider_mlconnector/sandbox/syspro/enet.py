# SPDX-License-Identifier: Apache-2.0
"""The e.net service: GET with everything in the query, and 200 with octets for whatever it has to say."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from airflow_provider_mlconnector.sandbox.syspro.gl_journals import (
    BUSINESS_OBJECT,
    DocumentError,
    answer,
    find_wrong,
    post,
    read_document,
    validates_only,
)
from airflow_provider_mlconnector.sandbox.syspro.site import COMPANIES, Site

PREFIX = "/SYSPROWCFService/Rest"
VERSION = "8.0.0.13"
LONGEST_LINE = 16 * 1024
LOST = "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"
"""What the service says of a session that it does not know, whatever that means."""


def router(site: Site) -> APIRouter:
    """Return the routes; those of sessions answer below ``Utilities``, too."""
    routes = APIRouter(prefix=PREFIX)

    @routes.api_route("/{path:path}", methods=["GET", "POST"], response_model=None)
    async def call(path: str, request: Request) -> Response:
        if request.method != "GET":
            return PlainTextResponse("Method not allowed.", 405)
        if len(request.url.path) + len(request.url.query) > LONGEST_LINE:
            return Response(status_code=400)
        asked = dict(request.query_params)
        match path.removeprefix("Utilities/"):
            case "Logon":
                return _octets(_log_on(site, asked))
            case "Logoff":
                return _octets(_log_off(site, asked.get("UserId", "")))
            case "GetVersion":
                return _octets(VERSION)
            case "GetLogonProfile":
                return _octets(_profile(site, asked.get("UserId", "")))
            case "Transaction/Post":
                return _octets(_post(site, request))
            case _:
                return PlainTextResponse("Endpoint not found.", 404)

    return routes


def _log_on(site: Site, asked: dict[str, str]) -> str:
    operator, password = asked.get("Operator", ""), asked.get("OperatorPassword", "")
    known = site.operators.get(operator)
    if known is None:
        return f"ERROR: Operator '{operator}' not found"
    if not secrets.compare_digest(known.encode(), password.encode()):
        return "ERROR: Invalid operator password"
    if asked.get("CompanyId", "") not in COMPANIES:
        return "ERROR: Company not found"
    if asked.get("CompanyPassword", "") != site.company_password:
        return "ERROR: Invalid company password"
    session = site.log_on(asked["CompanyId"])
    if session is None:
        return "ERROR: Maximum number of concurrent e.net users reached"
    site.world.stats.login("syspro")
    return session


def _log_off(site: Site, session: str) -> str:
    if site.sessions.pop(session, None) is None:
        return LOST
    return "0"


def _profile(site: Site, session: str) -> str:
    if not site.uses(session):
        return LOST
    return (
        '<?xml version="1.0" encoding="Windows-1252"?><UserProfile><OperatorCode>MLCONN</OperatorCode>'
        f"<EnetVersion>{VERSION}</EnetVersion></UserProfile>"
    )


def _post(site: Site, request: Request) -> str:
    """Check a journal, or post it: all of it or nothing."""
    told = parse_qs(request.url.query, keep_blank_values=True, encoding="cp1252")
    asked = {name: values[0] for name, values in told.items()}
    session = asked.get("UserId", "")
    if not site.uses(session):
        return LOST
    if asked.get("BusinessObject") != BUSINESS_OBJECT:
        return f"ERROR: Business object '{asked.get('BusinessObject', '')}' cannot be loaded"
    books = site.books(site.entered[session])
    try:
        only = validates_only(asked.get("XmlParameters", ""))
        root, journals = read_document(asked.get("XmlIn", ""))
    except DocumentError as error:
        return f"ERROR: {error}"
    if len(journals) != 1:
        return f"ERROR: {len(journals)} items were sent, and one is posted at a time"
    site.validations, site.post_calls = site.validations + only, site.post_calls + (not only)
    wrong = list(find_wrong(books, journals[0]))
    number = None if only or wrong else post(books, journals[0])
    return answer(root, journals[0], wrong, number)


def _octets(text: str) -> Response:
    return Response(text.encode("cp1252"), media_type="application/octet-stream")
