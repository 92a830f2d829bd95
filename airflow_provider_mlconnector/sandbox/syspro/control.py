# SPDX-License-Identifier: Apache-2.0
"""Control routes of SYSPRO: its switches, its sessions, its operators, and a restart of the OData service."""

from __future__ import annotations

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.switching import add_switches
from airflow_provider_mlconnector.sandbox.syspro.journal_control import add_journals
from airflow_provider_mlconnector.sandbox.syspro.site import SYSTEM, Site


def router(site: Site) -> APIRouter:
    """Return the control routes."""
    routes = APIRouter(prefix=f"/_sandbox/{SYSTEM}")
    add_switches(routes, site)
    _add_people(routes, site)
    add_journals(routes, site)
    return routes


def _add_people(routes: APIRouter, site: Site) -> None:
    @routes.get("/sessions")
    async def sessions() -> dict[str, int]:
        return {"sessions": len(site.sessions)}

    @routes.delete("/sessions")
    async def throw_out() -> dict[str, str]:
        site.sessions.clear()
        return {"status": "thrown out"}

    @routes.put("/operators/{name}")
    async def put_operator(name: str, wanted: dict[str, str]) -> dict[str, str]:
        site.operators[name] = wanted["password"]
        return {"status": "put; the OData service learns of it when it is started again"}

    @routes.post("/restart")
    async def restart() -> dict[str, str]:
        site.restart()
        return {"status": "started"}
