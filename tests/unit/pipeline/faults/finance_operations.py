# SPDX-License-Identifier: Apache-2.0
"""What may go wrong while Finance & Operations is read. It has no sessions, and so no seats that could be taken."""

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
)
from airflow_provider_mlconnector.sandbox.dynamics_fo.control import PRESETS
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import environment_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import error_body
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.unit.pipeline.faults.table import HTML, JSON, FaultTable, Staying

STATUS = FaultKind.STATUS
CUT = '{"@odata.context": "x", "value": [{"SourceKey": 563714'
LINES = "AccountEntryBi"


def ready_made(name: str, *, times: int | None = 1) -> Fault:
    """Return a fault with a body as the environment sends it."""
    return replace(PRESETS[name], times=times, skip=3)


def lasting(status: int, text: str = "An error has occurred.") -> Fault:
    return Fault(STATUS, status=status, body=error_body(text), times=None)


def lose_login(sandbox: Sandbox) -> None:
    environment = environment_of(sandbox.world)
    environment.directory.revoke(environment.application)


def rows(sandbox: Sandbox, key: str) -> int:
    """Count the entries of a period, corrections included."""
    books = sandbox.world.books
    posted = environment_of(sandbox.world).posted().headers
    headers = [header for header in posted if header.books is books and books.period(key).contains(header.day)]
    return sum(len(header.entries) for header in headers)


PASSING = {
    "429 with Retry-After": ready_made("throttled", times=3),
    "500 with an Infolog": ready_made("failed"),
    "503 in HTML": ready_made("unavailable", times=3),
    "504": Fault(STATUS, status=504, times=2),
    "401 once": Fault(STATUS, status=401, headers={"WWW-Authenticate": "Bearer"}),
    "half a page, and the connection is gone": Fault(FaultKind.TRUNCATE, times=2),
    "half a page of lines": Fault(FaultKind.TRUNCATE, path=LINES, times=3),
    "half a page as a whole one": Fault(STATUS, status=200, body=CUT, headers=JSON, times=2),
    "a page of HTML": Fault(STATUS, status=200, body="<html>Sign in</html>", headers=HTML),
    "a connection that is reset": Fault(FaultKind.RESET, times=2),
    "no answer": Fault(FaultKind.LOST_ANSWER, times=2),
    "a slow one": Fault(FaultKind.SLOW, seconds=0.1),
    "smaller pages": {"page_size": 7},
    "links by token, relative": {"page_size": 7, "skip_token": True, "relative_links": True},
}
STAYING = {
    "400 with an Infolog": Staying(ready_made("refused", times=None), BadRequestError, "changed by another session"),
    "401, unlisted application": Staying({"app_listed": False}, AuthenticationError, "Entra ID applications"),
    "403": Staying({"reads_journals": False}, PermissionDeniedError, "role"),
    "404 of a set that is not public": Staying({"journal_sets": False}, NotFoundError, "publish"),
    "409": Staying(lasting(409, "Conflict"), ConflictError, "409"),
    "412": Staying(lasting(412, "Etag differs"), ConflictError, "412"),
    "422": Staying(lasting(422, "Unprocessable"), BadRequestError, "422"),
    "429": Staying(ready_made("throttled", times=None), RateLimitedError, "high resource utilization"),
    "500": Staying(lasting(500), ServerError, "500"),
    "503": Staying(ready_made("unavailable", times=None), ServerError, "503"),
    "half a page": Staying(Fault(STATUS, status=200, body=CUT, headers=JSON, times=None), ProtocolError, "3 times"),
    "a field less": Staying({"dropped_fields": ["IsCredit"]}, SchemaDriftError, "IsCredit"),
    "a field of another type": Staying({"text_fields": ["MainAccount"]}, SchemaDriftError, "MainAccount"),
}
TABLE = FaultTable(
    system="dynamics_fo",
    key="FY2027-P01",
    path="GeneralJournal",
    passing=PASSING,
    staying=STAYING,
    wrong_login=lambda _: {"secret": "hunter2-is-wrong"},
    refusal="AADSTS7000215",
    lose_login=lose_login,
    refuse_login=lambda sandbox, patch: patch.setattr(environment_of(sandbox.world).switches, "secret_expired", True),
    refused="AADSTS7000222",
    rows=rows,
    shrink=lambda sandbox: setattr(environment_of(sandbox.world).switches, "page_size", 5),
    options={"page_size": 20},
)
