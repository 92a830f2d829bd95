# SPDX-License-Identifier: Apache-2.0
"""SYSPRO 8: its OData service and its e.net service, which show the sandbox's books and post into them.

/SYSPRO8Odata/SYSPROOData/SysproCompany{company}/…    tables
/SYSPROWCFService/Rest/…                               sessions, journals that are checked or posted, and set-up
/_sandbox/syspro/…                                     switches, sessions, operators, restart, journals by hand
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from airflow_provider_mlconnector.sandbox.state import World
from airflow_provider_mlconnector.sandbox.syspro import control, enet, odata
from airflow_provider_mlconnector.sandbox.syspro.site import COMPANIES, OPERATOR, SYSTEM, site_of

__all__ = ["SYSTEM", "describe", "router", "site_of"]


def router(world: World) -> APIRouter:
    """Return the routes of both services and of the controls."""
    site = site_of(world)
    routes = APIRouter()
    for part in (odata, enet, control):
        routes.include_router(part.router(site))
    return routes


def describe(world: World, base_url: str) -> dict[str, Any]:
    """Return how to reach the site and log in."""
    site = site_of(world)
    return {
        "base_url": base_url,
        "login": OPERATOR,
        "password": site.operators[OPERATOR],
        "company": "L",
        "company_password": site.company_password,
        "companies": {code: company for company, code in COMPANIES.items()},
        "odata_url": f"{base_url}{odata.PREFIX}",
        "entity_url": "SysproCompany{company}/{table}",
        "enet_url": f"{base_url}{enet.PREFIX}",
    }
