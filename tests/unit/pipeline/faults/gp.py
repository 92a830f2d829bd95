# SPDX-License-Identifier: Apache-2.0
"""What may go wrong while Dynamics GP is read: HTTP errors before the service, and SOAP faults of it, which are 500."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    ServerError,
)
from airflow_provider_mlconnector.sandbox.dynamics_gp import site_of
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import ACCOUNT
from airflow_provider_mlconnector.sandbox.dynamics_gp.wire import Fault as SoapFault
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.systems.http.windows_auth import WindowsAccount
from tests.unit.pipeline.faults.table import HTML, FaultTable, Staying

XML = {"Content-Type": "text/xml; charset=utf-8"}
UNAVAILABLE = "<html><h1>Service Unavailable</h1></html>"
CUT = '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetGLPos'
SYSTEM = "An unexpected error occurred. Contact your administrator."
BASIC = {"WWW-Authenticate": "Basic realm=x"}


def status(number: int, times: int | None = 1, **headers: str) -> Fault:
    named = HTML | {name.replace("_", "-"): text for name, text in headers.items()}
    return Fault(FaultKind.STATUS, status=number, body=UNAVAILABLE, headers=named, times=times)


def soap_fault(text: str, times: int | None = 1, *, validation: bool = False) -> Fault:
    body = SoapFault(text, errors=["a sentence of the log"] if validation else []).body()
    return Fault(FaultKind.STATUS, status=500, body=body, headers=XML, times=times)


PASSING = {
    "429 with Retry-After": status(429, times=2, Retry_After="2"),
    "500 of the service": soap_fault(SYSTEM, times=2),
    "502": status(502),
    "503 while its services start": status(503, times=4),
    "half an answer, and the connection is gone": Fault(FaultKind.TRUNCATE, times=2),
    "a connection that is reset": Fault(FaultKind.RESET, times=2),
    "no answer": Fault(FaultKind.LOST_ANSWER, times=2),
    "a slow one": Fault(FaultKind.SLOW, seconds=0.1),
}
STAYING = {
    "400": Staying(status(400), BadRequestError, "400"),
    "401, no Windows any more": Staying(
        Fault(FaultKind.STATUS, status=401, headers=BASIC), AuthenticationError, "offers Basic"
    ),
    "403": Staying(status(403), PermissionDeniedError, "403"),
    "403 as a fault": Staying(soap_fault("Access is denied."), PermissionDeniedError, "Security Console"),
    "no role in the web services": Staying({"permitted": False}, PermissionDeniedError, "Security Console"),
    "404": Staying(status(404), NotFoundError, "404"),
    "404 as a fault": Staying(soap_fault("Business object not found."), NotFoundError, "not found"),
    "409": Staying(status(409), ConflictError, "409"),
    "412": Staying(status(412), ConflictError, "412"),
    "422": Staying(status(422), BadRequestError, "422"),
    "429": Staying(status(429, times=None), RateLimitedError, "fewer requests"),
    "500": Staying(soap_fault(SYSTEM, times=None), ServerError, "exception log"),
    "500 of a validation": Staying(
        soap_fault("A validation exception has occurred.", validation=True), BadRequestError, "validation exception"
    ),
    "503": Staying(status(503, times=None), ServerError, "503"),
    "half an answer as a whole one": Staying(
        Fault(FaultKind.STATUS, status=200, body=CUT, headers=XML), ProtocolError, "no such answer"
    ),
    "a page of HTML": Staying(
        Fault(FaultKind.STATUS, status=200, body="<html>a proxy</html>", headers=HTML), ProtocolError, "legacy endpoint"
    ),
}
TABLE = FaultTable(
    system="dynamics_gp",
    key="FY2027-P04",
    path="asmx",
    passing=PASSING,
    staying=STAYING,
    wrong_login=lambda control: {
        "account": WindowsAccount(control.info["dynamics_gp"]["login"], "hunter2-is-wrong"),
    },
    refusal="refuses",
    lose_login=lambda sandbox: site_of(sandbox.world).domain.log_off(),
    refuse_login=lambda sandbox, patch: patch.setitem(site_of(sandbox.world).domain.passwords, ACCOUNT, "another"),
    refused="refuses",
    skip=8,
    options={"window": timedelta(days=1)},
)
