# SPDX-License-Identifier: Apache-2.0
"""Control routes of Business Central: its switches, its tokens, and faults with the bodies that it really sends."""

from __future__ import annotations

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.business_central.journal_control import add_journals
from airflow_provider_mlconnector.sandbox.business_central.tenant import SYSTEM, Tenant
from airflow_provider_mlconnector.sandbox.business_central.wire import error_body
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.switching import add_presets, add_switches

_CORRELATION = "CorrelationId:  11111111-2222-3333-4444-555555555555."
_ONLY_API = "^/business_central/"


def throttled(*, times: int | None = 1, skip: int = 0, path: str = _ONLY_API) -> Fault:
    """Return 429 as Business Central sends it: without ``Retry-After``."""
    body = error_body(
        "Application_TooManyRequests", f"Too many requests reached. Actual (6001). Maximum (6000).  {_CORRELATION}"
    )
    return Fault(FaultKind.STATUS, SYSTEM, path=path, times=times, skip=skip, status=429, body=body)


def unavailable(*, times: int | None = 1, skip: int = 0, path: str = _ONLY_API, retry_after: str = "1") -> Fault:
    """Return 503, with ``Retry-After``."""
    body = error_body("Internal_TenantUnavailable", f"Service is unavailable.  {_CORRELATION}")
    headers = {"Retry-After": retry_after}
    return Fault(FaultKind.STATUS, SYSTEM, path=path, times=times, skip=skip, status=503, headers=headers, body=body)


def gateway_timeout(*, times: int | None = 1, skip: int = 0, path: str = _ONLY_API) -> Fault:
    """Return 504, whose body comes from a gateway that speaks HTML."""
    body = "<html><body><h1>504 Gateway Time-out</h1></body></html>"
    headers = {"Content-Type": "text/html"}
    return Fault(FaultKind.STATUS, SYSTEM, path=path, times=times, skip=skip, status=504, headers=headers, body=body)


def try_again_later(*, times: int | None = 1, skip: int = 0, path: str = _ONLY_API) -> Fault:
    """Return the 400 that means the same as a 503."""
    message = f"The operation could not be completed because of a conflict. Please try again later.  {_CORRELATION}"
    body = error_body("BadRequest", message)
    return Fault(FaultKind.STATUS, SYSTEM, path=path, times=times, skip=skip, status=400, body=body)


PRESETS = {
    "throttled": throttled,
    "unavailable": unavailable,
    "gateway_timeout": gateway_timeout,
    "try_again_later": try_again_later,
}


def router(tenant: Tenant) -> APIRouter:
    """Return the control routes."""
    routes = APIRouter(prefix=f"/_sandbox/{SYSTEM}")
    add_switches(routes, tenant)
    add_journals(routes, tenant.world)
    add_presets(routes, tenant.world, PRESETS)

    @routes.delete("/tokens")
    async def revoke() -> dict[str, str]:
        tenant.directory.revoke(tenant.application)
        return {"status": "revoked"}

    return routes
