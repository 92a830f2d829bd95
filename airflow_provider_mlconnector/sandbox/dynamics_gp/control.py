# SPDX-License-Identifier: Apache-2.0
"""Control routes of Dynamics GP: its switches, its logons, its journals, and its tables as a file of SQLite."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, HTTPException

from airflow_provider_mlconnector.sandbox.dynamics_gp.draft_control import add_journals
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import SYSTEM, Site
from airflow_provider_mlconnector.sandbox.dynamics_gp.tables import write_tables
from airflow_provider_mlconnector.sandbox.switching import add_switches


def router(site: Site) -> APIRouter:
    """Return the control routes."""
    routes = APIRouter(prefix=f"/_sandbox/{SYSTEM}")
    add_switches(routes, site)
    add_journals(routes, site)

    @routes.get("/logons")
    async def logons() -> dict[str, dict[str, int]]:
        return {"logons": dict(site.domain.logons), "failures": dict(site.domain.failures)}

    @routes.delete("/logons")
    async def forget() -> dict[str, str]:
        site.domain.logons.clear()
        site.domain.failures.clear()
        return {"status": "cleared"}

    @routes.post("/tables")
    async def tables(wanted: dict[str, str]) -> dict[str, str]:
        companies = {company.books.code: company for company in site.companies}
        if wanted.get("company") not in companies or "file" not in wanted:
            raise HTTPException(422, f"file and company are needed, the latter one of {', '.join(companies)}")
        write_tables(companies[wanted["company"]], Path(wanted["file"]))
        return {"status": "written"}

    return routes
