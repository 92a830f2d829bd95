# SPDX-License-Identifier: Apache-2.0
"""Control routes that every ledger of the sandbox has alike: its switches, and its ready-made faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Protocol

import msgspec
from fastapi import APIRouter, HTTPException

from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.state import World


class Switchable(Protocol):
    """What has switches: a frozen dataclass that is replaced as a whole."""

    switches: Any


def add_switches(routes: APIRouter, site: Switchable) -> None:
    """Show the switches, change some of them, and set all of them back."""
    kind = type(site.switches)

    @routes.get("/switches")
    async def switches() -> dict[str, Any]:
        return asdict(site.switches)

    @routes.patch("/switches")
    async def change(wanted: dict[str, Any]) -> dict[str, Any]:
        unknown = wanted.keys() - {field.name for field in fields(kind)}
        if unknown:
            raise HTTPException(422, f"there is no switch {', '.join(sorted(unknown))}")
        try:
            site.switches = msgspec.convert(asdict(site.switches) | wanted, kind)
        except msgspec.ValidationError as error:
            raise HTTPException(422, str(error)) from error
        return asdict(site.switches)

    @routes.delete("/switches")
    async def reset() -> dict[str, Any]:
        site.switches = kind()
        return asdict(site.switches)


def answering(system: str, path: str, status: int, body: object, headers: Mapping[str, str] | None = None) -> Fault:
    """Return a fault that is an answer as the system itself writes it; a text that begins with ``<`` is HTML.

    :param path: regular expression of the requests that it strikes.
    """
    kind = {"Content-Type": "text/html"} if str(body).startswith("<") else {}
    return Fault(FaultKind.STATUS, system, path=path, status=status, headers={**kind, **(headers or {})}, body=body)


def add_presets(routes: APIRouter, world: World, presets: Mapping[str, Fault]) -> None:
    """Let a fault happen by its name, for the next ``times`` requests after ``skip``; ``of`` says which count."""

    @routes.post("/faults/{preset}")
    async def fault(preset: str, of: str = "", times: int = 1, skip: int = 0) -> dict[str, int]:
        if preset not in presets:
            raise HTTPException(404, f"there is no fault '{preset}', only {', '.join(presets)}")
        ready = presets[preset]
        return {"id": world.faults.add(replace(ready, path=of or ready.path, times=times, skip=skip))}
