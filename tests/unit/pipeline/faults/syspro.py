# SPDX-License-Identifier: Apache-2.0
"""What may go wrong while SYSPRO is read: by its OData service, and by a session of the e.net service."""

from __future__ import annotations

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
)
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.syspro import site_of
from airflow_provider_mlconnector.sandbox.syspro.site import OPERATOR
from airflow_provider_mlconnector.systems.syspro.connection import Auth
from tests.unit.pipeline.faults.table import HTML, JSON, FaultTable, Staying

BODY = {"error": {"code": "", "message": "An error has occurred."}}
CUT = '{"@odata.context": "x", "value": [{"Company": "L", "GlYe'
HISTORY = "GenHistory"


def status(number: int, times: int | None = 1, path: str = "", **headers: str) -> Fault:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Fault(FaultKind.STATUS, status=number, body=BODY, headers=named, times=times, path=path)


def answer(text: str, times: int | None = 1) -> Fault:
    return Fault(FaultKind.STATUS, status=200, body=text, headers=JSON, times=times)


PASSING = {
    "429 with Retry-After": status(429, times=2, Retry_After="3"),
    "429": status(429, times=2),
    "500": status(500, times=3),
    "503 with Retry-After": status(503, times=3, Retry_After="2"),
    "503 of the balances": status(503, path=HISTORY),
    "504 in HTML": Fault(FaultKind.STATUS, status=504, body="<html><h1>504</h1></html>", headers=HTML),
    "half a page, and the connection is gone": Fault(FaultKind.TRUNCATE, times=2),
    "half a page as a whole one": answer(CUT, times=2),
    "a connection that is reset": Fault(FaultKind.RESET, times=2),
    "no answer": Fault(FaultKind.LOST_ANSWER, times=2),
    "smaller pages": {"page_size": 13},
    "links to the next page": {"page_size": 13, "next_links": True},
    "row versions that are not shown": {"time_stamps": "hidden"},
    "keys that cannot be filtered": {"unfilterable": ["EntryNumber"], "page_size": 13},
}
STAYING = {
    "400": Staying(status(400, times=None), BadRequestError, "An error has occurred"),
    "401": Staying(status(401, times=None), AuthenticationError, "Check operator and password"),
    "403": Staying(status(403, times=None), PermissionDeniedError, "may not read this table"),
    "404": Staying(status(404, times=None), NotFoundError, "how the connection writes a table's path"),
    "409": Staying(status(409, times=None), ConflictError, "409"),
    "412": Staying(status(412, times=None), ConflictError, "412"),
    "422": Staying(status(422, times=None), BadRequestError, "422"),
    "429": Staying(status(429, times=None), RateLimitedError, "fewer requests"),
    "500": Staying(status(500, times=None), ServerError, "500"),
    "503": Staying(status(503, times=None), ServerError, "503"),
    "half a page": Staying(answer(CUT, times=None), ProtocolError, "came broken 3 times"),
    "a column less": Staying({"dropped_fields": ["EntryValue"]}, SchemaDriftError, "EntryValue"),
}
COMPARING = {"503 of the balances": Staying(status(503, times=None, path=HISTORY), ServerError, "503")}
TABLE = FaultTable(
    system="syspro",
    key="FY2027-P03",
    path="GenJournalDetail",
    passing=PASSING,
    staying=STAYING,
    comparing=COMPARING,
    wrong_login=lambda _: {"password": "hunter2-is-wrong"},
    refusal="Check operator and password",
    lose_login=lambda sandbox: site_of(sandbox.world).sessions.clear(),
    refuse_login=lambda sandbox, patch: patch.setitem(site_of(sandbox.world).operators, OPERATOR, "another"),
    refused="Invalid operator password",
    shrink=lambda sandbox: setattr(site_of(sandbox.world).switches, "page_size", 4),
    options={"page_size": 100},
    paged={"page_size": 13, "history_from": 2030},
    with_session={"auth": Auth.SESSION},
)
