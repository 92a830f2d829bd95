# SPDX-License-Identifier: Apache-2.0
"""Dynamics GP, showing the sandbox's books, for a Windows domain account.

/dynamics_gp/DynamicsGPWebServices/DynamicsGPService.asmx             SOAP web services, the legacy endpoint
/dynamics_gp/GPService/Tenants(DefaultTenant)/Companies(…)/…          Service Based Architecture (SBA)
/_sandbox/dynamics_gp/…                                               switches, logons, tables
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.dynamics_gp import control, services
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import ACCOUNT, SYSTEM, TENANT, site_of
from airflow_provider_mlconnector.sandbox.state import World

__all__ = ["SYSTEM", "describe", "router", "site_of"]


def router(world: World) -> APIRouter:
    """Return the routes of both services and of the controls."""
    site = site_of(world)
    routes = APIRouter()
    for part in (services, control):
        routes.include_router(part.router(site))
    return routes


def describe(world: World, base_url: str) -> dict[str, Any]:
    """Return how to reach the company and log in."""
    site = site_of(world)
    return {
        "base_url": f"{base_url}{services.PREFIX}",
        "soap_url": f"{base_url}{services.SOAP_PATH}",
        "sba_url": f"{base_url}{services.SBA_PATH}",
        "tenant": TENANT,
        "login": ACCOUNT,
        "password": site.password,
        "company": world.books.name,
        "companies": {company.books.code: company.books.name for company in site.companies},
        "company_ids": {company.books.code: company.id for company in site.companies},
    }
