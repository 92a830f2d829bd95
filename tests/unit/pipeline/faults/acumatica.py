# SPDX-License-Identifier: Apache-2.0
"""What may go wrong while Acumatica is read. What a number means is in the text: a wrong password is 500, too."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    SchemaDriftError,
    ServerError,
    UnknownNameError,
)
from airflow_provider_mlconnector.sandbox.acumatica.control import PRESETS
from airflow_provider_mlconnector.sandbox.acumatica.seats import seats_of
from airflow_provider_mlconnector.sandbox.acumatica.site import site_of
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from tests.unit.pipeline.faults.table import HTML, JSON, FaultTable, Staying
from tests.unit.systems.acumatica.opening import cookie_login

JOURNALS, SUMMARY = "JournalTransaction", "AccountSummaryInquiry"
CUT = '[{"id": "b0000000-0000-0000-0000-000000000000", "rowNumber": 1, "Modu'
CONTRACT_5 = {"value": {"ID": "GL", "Description": "General Ledger"}}


def answered(name: str, of: str = "", times: int | None = 1) -> Fault:
    """Return a fault by the name of its answer, of the journals unless others are named."""
    return replace(PRESETS[name], path=of, times=times, skip=0 if of else 1)


def answer(body: object, times: int | None = 1) -> Fault:
    return Fault(FaultKind.STATUS, status=200, body=body, headers=JSON, times=times)


PASSING = {
    "302 to the page where people sign in": Fault(
        FaultKind.STATUS, status=302, headers={"Location": "/acumatica/Frames/Login.aspx"}, times=2
    ),
    "401 once": answered("unauthorized"),
    "401 of the summary": answered("unauthorized", SUMMARY),
    "409, a long operation": answered("busy", times=3),
    "429 in JSON": answered("throttled_json", times=3),
    "429 in text": answered("throttled_text", times=3),
    "429 in HTML": answered("throttled_html", times=3),
    "429 with Retry-After": Fault(FaultKind.STATUS, status=429, headers={"Retry-After": "7"}, times=2),
    "429 of the summary": answered("throttled_text", SUMMARY),
    "500, a deadlock": answered("deadlock", times=2),
    "503 while the site is recycled": answered("recycled", times=4),
    "503 of the summary": answered("recycled", SUMMARY),
    "500, no list with a field": {"unoptimized": [f"{JOURNALS}.Details/Project"]},
    "500, no list at all": {"unoptimized": [f"{JOURNALS}.Details"]},
    "half an answer, and the connection is gone": Fault(FaultKind.TRUNCATE, times=2),
    "half an answer as a whole one": answer(CUT, times=2),
    "a page of HTML": Fault(FaultKind.STATUS, status=200, body="<html>Sign in</html>", headers=HTML),
    "a connection that is reset": Fault(FaultKind.RESET, times=2),
    "no answer": Fault(FaultKind.LOST_ANSWER, times=2),
    "smaller pages": {"most_rows": 3},
    "another order with each page": {"order": "any", "most_rows": 3},
}
STAYING = {
    "400": Staying(answered("bad_request"), BadRequestError, "request is invalid"),
    "401": Staying(answered("unauthorized", times=None), AuthenticationError, "Check the login"),
    "403": Staying(answered("forbidden"), PermissionDeniedError, "insufficient rights"),
    "404": Staying(answered("not_found"), NotFoundError, "No HTTP resource"),
    "a release that dropped the version": Staying({"versions": ["24.200.001"]}, UnknownNameError, "Default/24.200.001"),
    "409": Staying(answered("busy", times=None), ServerError, "long operation"),
    "412": Staying(answered("precondition"), ConflictError, "precondition"),
    "422": Staying(answered("invalid"), BadRequestError, "raised at least one error"),
    "429": Staying(answered("throttled_html", times=None), RateLimitedError, "429"),
    "500": Staying(answered("failed"), BadRequestError, "Object reference not set"),
    "503": Staying(answered("recycled", times=None), ServerError, "503"),
    "half an answer": Staying(answer(CUT, times=None), ProtocolError, "is broken"),
    "drop-downs of contract 5": Staying(
        answer([{"id": "1", "Module": CONTRACT_5}]), SchemaDriftError, "without its keys"
    ),
}
COMPARING = {
    "403 of the summary": Staying(answered("forbidden", SUMMARY), PermissionDeniedError, "insufficient rights"),
    "500 of the summary": Staying(answered("failed", SUMMARY), BadRequestError, "Object reference not set"),
}
TABLE = FaultTable(
    system="acumatica",
    key="FY2027-P02",
    path=JOURNALS,
    passing=PASSING,
    staying=STAYING,
    comparing=COMPARING,
    wrong_login=lambda control: {"login": cookie_login(control, "hunter2-is-wrong")},
    refusal="Invalid credentials",
    lose_login=lambda sandbox: seats_of(site_of(sandbox.world)).close_all(),
    refuse_login=lambda sandbox, patch: patch.setattr(site_of(sandbox.world), "password", "another"),
    refused="Invalid credentials",
    shrink=lambda sandbox: setattr(site_of(sandbox.world).switches, "most_rows", 2),
    options={"page_size": 8},
)
