# SPDX-License-Identifier: Apache-2.0
"""Control routes of the journals: what people do with drafts. Amounts are text.

Every route takes ``?company=<code>``; without it the journals are those of the first tenant. A draft is named by its
number, or by what its description begins with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from airflow_provider_mlconnector.sandbox.acumatica.drafts import drafts_of
from airflow_provider_mlconnector.sandbox.acumatica.releases import releases_of
from airflow_provider_mlconnector.sandbox.acumatica.site import Site, Tenant
from airflow_provider_mlconnector.sandbox.acumatica.wire import HttpError, Record


class Edit(BaseModel):
    """What a person changes in a draft, in the words of its record; lines without an id are added."""

    values: dict[str, Any]


def add_journals(routes: APIRouter, site: Site) -> None:
    """Add what people do with drafts, and the count of what clients did."""
    drafts, releases = drafts_of(site), releases_of(site)

    @routes.get("/journals")
    async def journals(company: str = "") -> dict[str, Any]:
        with _desk(site, company) as tenant:
            told = [_as_json(record) for record in drafts.of(tenant)]
            return {"post_calls": drafts.release_calls, "batches": told}

    @routes.post("/journals/{name}/post")
    async def post(name: str, company: str = "") -> dict[str, list[int]]:
        """Let a person post a draft, on hold or not."""
        with _desk(site, company) as tenant:
            return {"entries": releases.post(tenant, _named(site, tenant, name))}

    @routes.patch("/journals/{name}")
    async def edit(name: str, wanted: Edit, company: str = "") -> dict[str, Any]:
        with _desk(site, company) as tenant:
            return _as_json(drafts.put(tenant, wanted.values, _named(site, tenant, name)))

    @routes.post("/journals/{name}/copy")
    async def copy(name: str, company: str = "") -> dict[str, Any]:
        """Let a person paste a copy of a draft as another one."""
        with _desk(site, company) as tenant:
            record = _named(site, tenant, name)
            lines = [{key: value for key, value in line.items() if key != "id"} for line in record["Details"]]
            return _as_json(drafts.put(tenant, {**record, "Details": lines}))

    @routes.delete("/journals")
    async def clear(company: str = "") -> dict[str, int]:
        """Delete every draft, and count anew."""
        with _desk(site, company) as tenant:
            gone = drafts.of(tenant)
            for record in gone:
                drafts.take_out(tenant, record)
        drafts.release_calls = 0
        return {"deleted": len(gone)}


@contextmanager
def _desk(site: Site, company: str) -> Iterator[Tenant]:
    """Give the tenant of a company; turn what is not there into 404 and what the site refuses into 409."""
    try:
        yield next(one for one in site.tenants if company in ("", one.branch))
    except (KeyError, StopIteration) as error:
        raise HTTPException(404, str(error)) from error
    except HttpError as error:
        raise HTTPException(409, error.content().decode()) from error


def _named(site: Site, tenant: Tenant, name: str) -> Record:
    def is_meant(record: Record) -> bool:
        return record["BatchNbr"] == name or str(record.get("Description") or "").startswith(name)

    record = drafts_of(site).find(tenant, is_meant)
    if record is None:
        raise KeyError(f"there is no draft '{name}'")
    return record


def _as_json(record: Record) -> dict[str, Any]:
    return {
        "number": record["BatchNbr"],
        "description": record.get("Description") or "",
        "status": record["Status"],
        "ledger": record["LedgerID"],
        "period": record["PostPeriod"],
        "posting_date": record["TransactionDate"].isoformat(),
        "lines": [_line_as_json(line) for line in record["Details"]],
    }


def _line_as_json(line: Record) -> dict[str, Any]:
    return {
        "id": line["id"],
        "number": line["LineNbr"],
        "reference": line["ReferenceNbr"],
        "account": line["Account"],
        "subaccount": line["Subaccount"],
        "amount": str(line["DebitAmount"] - line["CreditAmount"]),
        "description": line["TransactionDescription"],
    }
