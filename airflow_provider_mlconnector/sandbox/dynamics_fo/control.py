# SPDX-License-Identifier: Apache-2.0
"""Control routes of the environment: its switches, its tokens, and faults with the bodies that it really sends."""

from __future__ import annotations

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.dynamics_fo.draft_control import add_journals
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import SYSTEM, Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import error_body
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.switching import add_presets, add_switches

_ONLY_API = "^/dynamics_fo/"
_INFOLOG = (
    "Read failed for table row of type 'GeneralJournalEntryBiEntity'. Infolog: Info: Record 5637144576.; "
    "Warning: The record has been changed by another session; "
    "Error: validateField failed on field 'Ledger' of data source 'GeneralJournalEntry'."
)
_INFOLOG_TYPE = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataReadException"


def throttled(*, times: int | None = 1, skip: int = 0, retry_after: str = "30") -> Fault:
    """Return 429 as busy web servers send it: with ``Retry-After``."""
    text = "This request could not be processed at this time due to system experiencing high resource utilization."
    headers = {"Retry-After": retry_after}
    body = error_body(text)
    return Fault(
        FaultKind.STATUS, SYSTEM, path=_ONLY_API, times=times, skip=skip, status=429, headers=headers, body=body
    )


def unavailable(*, times: int | None = 1, skip: int = 0) -> Fault:
    """Return 503, as it is answered around a restart, in HTML."""
    headers = {"Content-Type": "text/html"}
    body = "<html><body><h1>Service Unavailable</h1></body></html>"
    return Fault(
        FaultKind.STATUS, SYSTEM, path=_ONLY_API, times=times, skip=skip, status=503, headers=headers, body=body
    )


def failed(*, times: int | None = 1, skip: int = 0) -> Fault:
    """Return 500, with what happened in the inner error behind ``Infolog:``."""
    body = error_body("An error has occurred.", _INFOLOG, _INFOLOG_TYPE)
    return Fault(FaultKind.STATUS, SYSTEM, path=_ONLY_API, times=times, skip=skip, status=500, body=body)


def refused(*, times: int | None = 1, skip: int = 0) -> Fault:
    """Return 400, with what happened in the inner error behind ``Infolog:``."""
    body = error_body("An error has occurred.", _INFOLOG, _INFOLOG_TYPE)
    return Fault(FaultKind.STATUS, SYSTEM, path=_ONLY_API, times=times, skip=skip, status=400, body=body)


def waking(*, times: int | None = 1, skip: int = 0, seconds: float = 2.0) -> Fault:
    """Return a first call that takes long, as after a restart."""
    return Fault(FaultKind.DELAY, SYSTEM, path=_ONLY_API, times=times, skip=skip, seconds=seconds)


PRESETS = {
    "throttled": throttled,
    "unavailable": unavailable,
    "failed": failed,
    "refused": refused,
    "waking": waking,
}


def router(environment: Environment) -> APIRouter:
    """Return the control routes."""
    routes = APIRouter(prefix=f"/_sandbox/{SYSTEM}")
    add_switches(routes, environment)
    add_journals(routes, environment.world)
    add_presets(routes, environment.world, PRESETS)

    @routes.delete("/tokens")
    async def revoke() -> dict[str, str]:
        environment.directory.revoke(environment.application)
        return {"status": "revoked"}

    return routes
