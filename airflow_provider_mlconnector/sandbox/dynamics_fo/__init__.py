# SPDX-License-Identifier: Apache-2.0
"""Dynamics 365 Finance & Operations, and the Entra tenant in front of it, showing the sandbox's books.

/entra/{tenant}/…                        tokens
/dynamics_fo/data/{set}                  OData of the environment
/dynamics_fo/api/services/{service}      the customer's own service that posts journals, where it is switched on
/_sandbox/dynamics_fo/…                  switches, tokens, ready-made faults, and people at work in general journals
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.dynamics_fo import api, control
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import SYSTEM, environment_of
from airflow_provider_mlconnector.sandbox.dynamics_fo.numbers import area
from airflow_provider_mlconnector.sandbox.entra import service as entra
from airflow_provider_mlconnector.sandbox.entra.guarded import login
from airflow_provider_mlconnector.sandbox.state import World

__all__ = ["SYSTEM", "describe", "environment_of", "router"]


def router(world: World) -> APIRouter:
    """Return the routes of the environment, of Entra and of the controls."""
    environment = environment_of(world)
    routes = APIRouter()
    for part in (api, control):
        routes.include_router(part.router(environment))
    routes.include_router(entra.router(environment.directory))
    return routes


def describe(world: World, base_url: str) -> dict[str, Any]:
    """Return how to reach the environment and log in."""
    application = environment_of(world).application
    return {
        "base_url": f"{base_url}{api.PREFIX}",
        **login(application, base_url),
        "company": area(world.books),
        "companies": {code: area(books) for code, books in world.companies.items()},
        "login": application.client_id,
        "password": application.client_secret,
    }
