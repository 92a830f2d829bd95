# SPDX-License-Identifier: Apache-2.0
"""Control routes of general journals: what was posted over the e.net service, and a person who types a file in."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from airflow_provider_mlconnector.sandbox.syspro.gl_journals import DocumentError, find_wrong, post, read_document
from airflow_provider_mlconnector.sandbox.syspro.site import OdataError, Site


class HandedOver(BaseModel):
    """A document that somebody was handed, as its text."""

    document: str


def add_journals(routes: APIRouter, site: Site) -> None:
    """Add what people do with journals, and what was done over the service."""

    @routes.get("/journals")
    async def journals() -> dict[str, Any]:
        return {
            "post_calls": site.post_calls,
            "validations": site.validations,
            "setup_changes": site.setup_changes,
            "setup_checks": site.setup_checks,
        }

    @routes.post("/journals/post")
    async def post_by_hand(handed: HandedOver, company: str = "L") -> dict[str, list[int]]:
        """Let a person post what a file says; return the numbers of the journals."""
        try:
            books = site.books(company)
            _, found = read_document(handed.document)
        except (DocumentError, OdataError) as error:
            raise HTTPException(422, str(error)) from error
        for wrong in (one for journal in found for one in find_wrong(books, journal)):
            raise HTTPException(409, wrong.sentence)
        return {"journals": [post(books, journal) for journal in found]}
