# SPDX-License-Identifier: Apache-2.0
"""Control routes of Business Central: its switches, its tokens, and faults with the bodies that it really sends."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException

from airflow_provider_mlconnector.sandbox.business_central.tenant import SYSTEM, Switches, Tenant
from airflow_provider_mlconnector.sandbox.business_central.wire import error_body
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind

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

    @routes.get("/switches")
    async def switches() -> dict[str, Any]:
        return asdict(tenant.switches)

    @routes.patch("/switches")
    async def change(wanted: dict[str, Any]) -> dict[str, Any]:
        try:
            changed = msgspec.convert(asdict(tenant.switches) | wanted, Switches)
        except msgspec.ValidationError as error:
            raise HTTPException(422, str(error)) from error
        unknown = wanted.keys() - {field.name for field in fields(Switches)}
        if unknown:
            raise HTTPException(422, f"there is no switch {', '.join(sorted(unknown))}")
        tenant.switches = changed
        return asdict(changed)

    @routes.delete("/tokens")
    async def revoke() -> dict[str, str]:
        tenant.directory.revoke(tenant.application)
        return {"status": "revoked"}

    @routes.post("/faults/{preset}")
    async def fault(preset: str, times: int = 1, skip: int = 0) -> dict[str, int]:
        if preset not in PRESETS:
            raise HTTPException(404, f"there is no fault '{preset}', only {', '.join(PRESETS)}")
        return {"id": tenant.world.faults.add(PRESETS[preset](times=times, skip=skip))}

    return routes
