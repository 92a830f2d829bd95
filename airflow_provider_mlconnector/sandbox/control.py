# SPDX-License-Identifier: Apache-2.0
"""The sandbox's own routes under ``/_sandbox``: faults, clock, counts and books, for tests in another process."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from airflow_provider_mlconnector.sandbox.books.control import router as books_router
from airflow_provider_mlconnector.sandbox.faults import Fault
from airflow_provider_mlconnector.sandbox.state import World

SEGMENT = "_sandbox"


class ClockChange(BaseModel):
    """Move the clock, stop it (at a moment or now) or let it run again."""

    advance: float = 0.0
    freeze: bool | None = None
    at: datetime | None = None


def router(world: World) -> APIRouter:
    """Return the control routes of a world."""
    routes = APIRouter(prefix=f"/{SEGMENT}")
    routes.include_router(books_router(world.companies))
    _add_faults(routes, world)
    _add_clock_and_stats(routes, world)
    return routes


def _add_faults(routes: APIRouter, world: World) -> None:
    @routes.get("/faults")
    async def faults() -> list[dict[str, Any]]:
        return [{"id": fault_id, "hits": hits, **asdict(fault)} for fault_id, fault, hits in world.faults.listing()]

    @routes.post("/faults")
    async def add(fault: dict[str, Any]) -> dict[str, int]:
        try:
            return {"id": world.faults.add(msgspec.convert(fault, Fault))}
        except (msgspec.ValidationError, re.error) as error:
            raise HTTPException(422, str(error)) from error

    @routes.delete("/faults")
    async def clear() -> dict[str, str]:
        world.faults.clear()
        return {"status": "cleared"}

    @routes.delete("/faults/{fault_id}")
    async def remove(fault_id: int) -> dict[str, str]:
        if not world.faults.remove(fault_id):
            raise HTTPException(404, f"there is no fault {fault_id}")
        return {"status": "removed"}


def _add_clock_and_stats(routes: APIRouter, world: World) -> None:
    @routes.get("/clock")
    async def clock() -> dict[str, str]:
        return {"now": world.clock.now().isoformat()}

    @routes.post("/clock")
    async def change(wanted: ClockChange) -> dict[str, str]:
        if wanted.freeze:
            world.clock.freeze(wanted.at)
        elif wanted.freeze is False:
            world.clock.unfreeze()
        return {"now": world.clock.advance(wanted.advance).isoformat()}

    @routes.get("/stats")
    async def stats() -> dict[str, dict[str, object]]:
        return world.stats.summary()

    @routes.delete("/stats")
    async def forget() -> dict[str, str]:
        world.stats.clear()
        return {"status": "cleared"}
