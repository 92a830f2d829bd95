# SPDX-License-Identifier: Apache-2.0
"""Acumatica, showing the sandbox's books: each company is a tenant with one branch.

/acumatica/entity/…                   endpoints and their versions, legacy login, records, inquiries
/acumatica/identity/connect/…         OAuth 2.0
/acumatica/t/{tenant}/api/odata/gi    generic inquiries
/_sandbox/acumatica/…                 switches, sessions, tokens, ready-made faults
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.acumatica import api, control, generic, login
from airflow_provider_mlconnector.sandbox.acumatica.site import (
    ACTUAL_LEDGER,
    ENDPOINT,
    PREFIX,
    SYSTEM,
    USER,
    VERSION,
    site_of,
)
from airflow_provider_mlconnector.sandbox.acumatica.words import SEGMENTS
from airflow_provider_mlconnector.sandbox.state import World

__all__ = ["SYSTEM", "describe", "router", "site_of"]


def router(world: World) -> APIRouter:
    """Return the routes of the site, of its logins and of the controls."""
    site = site_of(world)
    routes = APIRouter()
    for part in (login, api, generic, control):
        routes.include_router(part.router(site))
    return routes


def describe(world: World, base_url: str) -> dict[str, Any]:
    """Return how to reach the first tenant and log in, and the names of all."""
    site = site_of(world)
    first = site.tenants[0]
    return {
        "base_url": f"{base_url}{PREFIX}",
        "login": USER,
        "password": site.password,
        "tenant": first.name,
        "tenants": {tenant.books.code: tenant.name for tenant in site.tenants},
        "company": first.branch,
        "endpoint": ENDPOINT,
        "version": VERSION,
        "ledger": ACTUAL_LEDGER,
        "segments": SEGMENTS,
        "client_id": first.client_id,
        "client_ids": {tenant.books.code: tenant.client_id for tenant in site.tenants},
        "client_secret": site.client_secret,
    }
