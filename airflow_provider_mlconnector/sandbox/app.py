# SPDX-License-Identifier: Apache-2.0
"""The sandbox as one ASGI application: the systems' routers, the control routes and the gate in front of them.

A system is a module of this package with

    SYSTEM: str                                        its name
    router(world) -> fastapi.APIRouter                 its routes; the first segment of their paths is its own
    describe(world, base_url) -> dict                  how to reach it and log in, as JSON
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

from fastapi import APIRouter, FastAPI

from airflow_provider_mlconnector.sandbox import control
from airflow_provider_mlconnector.sandbox.gate import App, Connections, Gate
from airflow_provider_mlconnector.sandbox.state import World

SYSTEMS = ("anaplan", "business_central", "dynamics_fo", "acumatica", "syspro", "dynamics_gp")


class System(Protocol):
    """What a system's module offers."""

    SYSTEM: str

    def router(self, world: World) -> APIRouter:
        """Return the system's routes."""

    def describe(self, world: World, base_url: str) -> dict[str, Any]:
        """Return how to reach the system and log in."""


def load_system(name: str) -> System:
    """Import one system, so that it can be served without the others.

    :raises ValueError: when there is none of that name.
    """
    if name not in SYSTEMS:
        raise ValueError(f"there is no system '{name}' in the sandbox, only {', '.join(SYSTEMS)}")
    return cast(System, importlib.import_module(f"airflow_provider_mlconnector.sandbox.{name}"))


def create_app(world: World, systems: Iterable[str], connections: Connections | None = None) -> App:
    """Return the application that serves these systems over one world."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(control.router(world))
    segments: dict[str, str] = {}
    for name in systems:
        router = load_system(name).router(world)
        segments = {**_segments(router, name), **segments}  # what several have, the first one answers
        app.include_router(router)
    return Gate(app, world, segments, connections or Connections())


def describe_all(world: World, systems: Iterable[str], base_url: str) -> dict[str, dict[str, Any]]:
    """Return how to reach each system, by name."""
    return {name: load_system(name).describe(world, base_url) for name in systems}


def _segments(router: APIRouter, system: str) -> Mapping[str, str]:
    paths = (str(getattr(route, "path", "")) for route in router.routes)
    segments = {path.split("/")[1] for path in paths if path.startswith("/")}
    return {segment: system for segment in segments if segment != control.SEGMENT}
