# SPDX-License-Identifier: Apache-2.0
"""Control routes of Acumatica: switches, sessions, tokens, purchase orders, and faults with bodies as it sends them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.acumatica.draft_control import add_journals
from airflow_provider_mlconnector.sandbox.acumatica.seats import seats_of
from airflow_provider_mlconnector.sandbox.acumatica.site import SYSTEM, Site
from airflow_provider_mlconnector.sandbox.switching import add_presets, add_switches, answering

_LICENSE = "The custom error module does not recognize this error."
_GATEWAY = "<html><body><h1>503 Service Unavailable</h1></body></html>"

_ANSWERS: dict[str, tuple[int, Any]] = {
    "throttled_json": (429, {"message": "The request has been declined because of the license limit."}),
    "throttled_text": (429, _LICENSE),
    "throttled_html": (429, "<html><head><title>Too many requests</title></head></html>"),
    "bad_request": (400, {"message": "The request is invalid.", "modelState": {"": ["Unknown member."]}}),
    "unauthorized": (401, {"message": "You are not logged in."}),
    "forbidden": (403, {"message": "You have insufficient rights to access the object (GL301000)."}),
    "not_found": (404, {"message": "No HTTP resource was found that matches the request URI."}),
    "busy": (409, {"message": "A long operation is running for this screen in the current session."}),
    "precondition": (412, {"message": "The precondition does not hold."}),
    "invalid": (422, {"error": "Inserting  'GL Batch' record raised at least one error.", "Account": {"error": "x"}}),
    "failed": (500, {"message": "An error has occurred.", "exceptionMessage": "Object reference not set."}),
    "deadlock": (500, {"message": "An error has occurred.", "exceptionMessage": "Transaction was deadlocked."}),
    "recycled": (503, _GATEWAY),
}
PRESETS = {name: answering(SYSTEM, "JournalTransaction", status, body) for name, (status, body) in _ANSWERS.items()}
"""Faults by name, of the journals unless others are named."""


def router(site: Site) -> APIRouter:
    """Return the control routes."""
    routes = APIRouter(prefix=f"/_sandbox/{SYSTEM}")
    add_switches(routes, site)
    _add_sessions(routes, site)
    add_presets(routes, site.world, PRESETS)
    add_journals(routes, site)
    return routes


def _add_sessions(routes: APIRouter, site: Site) -> None:
    seats = seats_of(site)

    @routes.get("/sessions")
    async def sessions() -> list[dict[str, str]]:
        return [{"tenant": session.tenant.name, "branch": session.branch} for session in seats.sessions()]

    @routes.post("/sessions")
    async def occupy() -> dict[str, int]:
        """Let somebody else log in."""
        seats.open(site.tenants[0])
        return {"sessions": len(seats.sessions())}

    @routes.delete("/sessions")
    async def end() -> dict[str, str]:
        seats.close_all()
        return {"status": "closed"}

    @routes.delete("/tokens")
    async def revoke() -> dict[str, str]:
        seats.revoke_tokens()
        return {"status": "revoked"}

    @routes.delete("/failures")
    async def unlock() -> dict[str, str]:
        site.failures = 0
        return {"status": "unlocked"}
