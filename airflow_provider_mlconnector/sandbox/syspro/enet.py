# SPDX-License-Identifier: Apache-2.0
"""The e.net service: GET with everything in the query, and 200 with octets for whatever it has to say."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.syspro.gl_journals import (
    BUSINESS_OBJECT,
    DocumentError,
    answer,
    find_wrong,
    post,
    read_document,
    validates_only,
)
from airflow_provider_mlconnector.sandbox.syspro.setup_objects import OBJECTS, set_up
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
                return _octets(_called(site, request, _post))
            case "Setup/Add" | "Setup/Update":
                return _octets(_called(site, request, partial(_set_up, how=path.rpartition("/")[2])))
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


Act = Callable[[Site, Books, str, str, bool], str]
"""What a business object does: for a site and a company's books, its name, its document, and whether it only checks."""


def _called(site: Site, request: Request, act: Act) -> str:
    """Read a call within a session and carry it out."""
    told = parse_qs(request.url.query, keep_blank_values=True, encoding="cp1252")
    asked = {name: values[0] for name, values in told.items()}
    session = asked.get("UserId", "")
    if not site.uses(session):
        return LOST
    books = site.books(site.entered[session])
    try:
        only = validates_only(asked.get("XmlParameters", ""))
        return act(site, books, asked.get("BusinessObject", ""), asked.get("XmlIn", ""), only)
    except DocumentError as error:
        return f"ERROR: {error}"


def _set_up(site: Site, books: Books, name: str, document: str, only: bool, how: str) -> str:
    """Check records, or add and change them."""
    if name not in OBJECTS:
        raise DocumentError(f"Business object '{name}' cannot be loaded")
    only = only and site.switches.setup_heeds
    site.setup_checks, site.setup_changes = site.setup_checks + only, site.setup_changes + (not only)
    return set_up(OBJECTS[name], books, how, document, only=only)


def _post(site: Site, books: Books, name: str, document: str, only: bool) -> str:
    """Check a journal, or post it: all of it or nothing."""
    if name != BUSINESS_OBJECT:
        raise DocumentError(f"Business object '{name}' cannot be loaded")
    root, journals = read_document(document)
    if len(journals) != 1:
        raise DocumentError(f"{len(journals)} items were sent, and one is posted at a time")
    site.validations, site.post_calls = site.validations + only, site.post_calls + (not only)
    wrong = list(find_wrong(books, journals[0]))
    number = None if only or wrong else post(books, journals[0])
    return answer(root, journals[0], wrong, number)


def _octets(text: str) -> Response:
    return Response(text.encode("cp1252"), media_type="application/octet-stream")
