# SPDX-License-Identifier: Apache-2.0
"""Control routes of SYSPRO: its switches, its sessions, its operators, and a restart of the OData service."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException

from airflow_provider_mlconnector.sandbox.syspro.site import SYSTEM, Site, Switches


def router(site: Site) -> APIRouter:
    """Return the control routes."""
    routes = APIRouter(prefix=f"/_sandbox/{SYSTEM}")
    _add_switches(routes, site)
    _add_people(routes, site)
    return routes


def _add_switches(routes: APIRouter, site: Site) -> None:
    @routes.get("/switches")
    async def switches() -> dict[str, Any]:
        return asdict(site.switches)

    @routes.patch("/switches")
    async def change(wanted: dict[str, Any]) -> dict[str, Any]:
        unknown = wanted.keys() - {field.name for field in fields(Switches)}
        if unknown:
            raise HTTPException(422, f"there is no switch {', '.join(sorted(unknown))}")
        try:
            site.switches = msgspec.convert(asdict(site.switches) | wanted, Switches)
        except msgspec.ValidationError as error:
            raise HTTPException(422, str(error)) from error
        return asdict(site.switches)

    @routes.delete("/switches")
    async def as_it_was() -> dict[str, Any]:
        site.switches = Switches()
        return asdict(site.switches)


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
