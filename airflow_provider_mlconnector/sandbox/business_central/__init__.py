# SPDX-License-Identifier: Apache-2.0
"""Business Central, and the Entra tenant in front of it, showing the sandbox's books.

/entra/{tenant}/…                                                     tokens
/business_central/v2.0/{tenant}/{environment}/api/v2.0/…              the standard API
/business_central/v2.0/{tenant}/{environment}/api/microsoft/reportsFinance/beta/…
/_sandbox/business_central/…                                          switches, tokens, ready-made faults
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.business_central import api, control
from airflow_provider_mlconnector.sandbox.business_central.tenant import (
    ENVIRONMENT,
    SYSTEM,
    company_id,
    tenant_of,
)
from airflow_provider_mlconnector.sandbox.entra import service as entra
from airflow_provider_mlconnector.sandbox.entra.guarded import login
from airflow_provider_mlconnector.sandbox.state import World

__all__ = ["SYSTEM", "describe", "router", "tenant_of"]


def router(world: World) -> APIRouter:
    """Return the routes of the API, of Entra and of the controls."""
    tenant = tenant_of(world)
    routes = APIRouter()
    for part in (api, control):
        routes.include_router(part.router(tenant))
    routes.include_router(entra.router(tenant.directory))
    return routes


def describe(world: World, base_url: str) -> dict[str, Any]:
    """Return how to reach the company and log in."""
    tenant = tenant_of(world)
    return {
        "base_url": f"{base_url}{api.PREFIX}",
        **login(tenant.application, base_url),
        "environment": ENVIRONMENT,
        "company": world.books.name,
        "company_id": company_id(world.books.code),
        "companies": {code: books.name for code, books in world.companies.items()},
    }
