# SPDX-License-Identifier: Apache-2.0
"""Control routes of the general journal: what people do with entries that were not posted. Amounts are text.

Every route takes ``?company=<code>``; without it the entries are those of the first company. An entry is named by its
number, or by its reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import SINGLE_USE, DraftEntry, Drafts
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import Site


class EntryEdit(BaseModel):
    """What a person types over; the amount is that of the first two lines, which stay balanced."""

    reference: str | None = None
    batch: str | None = None
    day: date | None = None
    amount: Decimal | None = None


class BatchBody(BaseModel):
    """A batch as it stands."""

    status: int = 0
    approved: bool = False
    frequency: str = SINGLE_USE


def add_journals(routes: APIRouter, site: Site) -> None:
    """Add what people do with entries and batches, and the count of what clients tried to post."""

    @routes.get("/journals")
    async def journals(company: str = "") -> dict[str, Any]:
        with _desk(site, company) as drafts:
            return {"post_calls": site.post_calls, "entries": [_as_json(entry) for entry in drafts.standing()]}

    @routes.delete("/journals")
    async def clear(company: str = "") -> dict[str, str]:
        """Delete every entry and batch, and count anew."""
        with _desk(site, company) as drafts:
            drafts.clear()
            site.post_calls = 0
        return {"status": "cleared"}

    @routes.post("/journals/{name}/post")
    async def post(name: str, company: str = "") -> dict[str, list[int]]:
        """Let a person post an entry."""
        with _desk(site, company) as drafts:
            return {"entries": drafts.post(_named(drafts, name).number)}

    @routes.post("/journals/{name}/void")
    async def void(name: str, company: str = "") -> dict[str, str]:
        with _desk(site, company) as drafts:
            drafts.void(_named(drafts, name).number)
        return {"status": "voided"}

    @routes.patch("/journals/{name}")
    async def edit(name: str, wanted: EntryEdit, company: str = "") -> dict[str, Any]:
        with _desk(site, company) as drafts:
            entry = _named(drafts, name)
            _type_over(drafts, entry, wanted)
            return _as_json(entry)

    @routes.delete("/journals/{name}")
    async def remove(name: str, company: str = "") -> dict[str, str]:
        with _desk(site, company) as drafts:
            drafts.remove(_named(drafts, name).number)
        return {"status": "deleted"}

    @routes.put("/batches/{name}")
    async def put_batch(name: str, wanted: BatchBody, company: str = "") -> dict[str, str]:
        with _desk(site, company) as drafts:
            batch = drafts.batch(name)
            batch.status, batch.approved, batch.frequency = wanted.status, wanted.approved, wanted.frequency
        return {"status": "put"}


@contextmanager
def _desk(site: Site, company: str) -> Iterator[Drafts]:
    """Give the entries of a company; turn what is not there into 404 and what the books refuse into 409."""
    try:
        yield next(one for one in site.companies if company in ("", one.books.code)).drafts
    except (KeyError, StopIteration) as error:
        raise HTTPException(404, str(error)) from error
    except ValueError as error:
        raise HTTPException(409, str(error)) from error


def _named(drafts: Drafts, name: str) -> DraftEntry:
    for entry in drafts.standing():
        if name in (str(entry.number), entry.reference):
            return entry
    raise KeyError(f"there is no entry '{name}'")


def _type_over(drafts: Drafts, entry: DraftEntry, wanted: EntryEdit) -> None:
    entry.reference = entry.reference if wanted.reference is None else wanted.reference
    entry.day = wanted.day or entry.day
    if wanted.batch:
        entry.batch = drafts.batch(wanted.batch).id
    if wanted.amount is not None:
        for line, debit in zip(entry.lines, (True, False), strict=False):
            line.debit, line.credit = (wanted.amount, Decimal(0)) if debit else (Decimal(0), wanted.amount)
    entry.modified_at = drafts.books.clock.now()


def _as_json(entry: DraftEntry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "day": entry.day.isoformat(),
        "batch": entry.batch,
        "reference": entry.reference,
        "lines": [
            {
                "sequence": line.sequence,
                "account": line.account,
                "amount": str(line.debit - line.credit),
                "description": line.description,
                "document": line.document,
            }
            for line in entry.lines
        ],
    }
