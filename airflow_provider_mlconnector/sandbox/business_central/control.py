# SPDX-License-Identifier: Apache-2.0
"""Control routes of Business Central: its switches, its tokens, and faults with the bodies that it really sends."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.business_central.journal_control import add_journals
from airflow_provider_mlconnector.sandbox.business_central.tenant import SYSTEM, Tenant
from airflow_provider_mlconnector.sandbox.business_central.wire import error_body
from airflow_provider_mlconnector.sandbox.entra.guarded import add_revoking
from airflow_provider_mlconnector.sandbox.faults import Fault
from airflow_provider_mlconnector.sandbox.switching import add_presets, add_switches, answering

_CORRELATION = "CorrelationId:  11111111-2222-3333-4444-555555555555."


def _answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Fault:
    return answering(SYSTEM, "^/business_central/", status, body, headers)


PRESETS = {
    "throttled": _answer(
        429,
        error_body(
            "Application_TooManyRequests", f"Too many requests reached. Actual (6001). Maximum (6000).  {_CORRELATION}"
        ),
    ),
    "unavailable": _answer(
        503,
        error_body("Internal_TenantUnavailable", f"Service is unavailable.  {_CORRELATION}"),
        {"Retry-After": "1"},
    ),
    "gateway_timeout": _answer(504, "<html><body><h1>504 Gateway Time-out</h1></body></html>"),
    "try_again_later": _answer(
        400,
        error_body(
            "BadRequest",
            f"The operation could not be completed because of a conflict. Please try again later.  {_CORRELATION}",
        ),
    ),
}
"""Faults by name. A 429 comes without ``Retry-After``; the 400 means the same as a 503."""


def router(tenant: Tenant) -> APIRouter:
    """Return the control routes."""
    routes = APIRouter(prefix=f"/_sandbox/{SYSTEM}")
    add_switches(routes, tenant)
    add_journals(routes, tenant.world)
    add_presets(routes, tenant.world, PRESETS)
    add_revoking(routes, tenant.directory, tenant.application)
    return routes
