# SPDX-License-Identifier: Apache-2.0
"""Control routes of the journals: what people do in them, and what a company's setup demands. Amounts are text.

Every route takes ``?company=<code>``; without it the journals are Larkfield's. Those of a batch take
``?template=<name>``, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from airflow_provider_mlconnector.sandbox.books.company import LARKFIELD
from airflow_provider_mlconnector.sandbox.business_central.journal_posting import post
from airflow_provider_mlconnector.sandbox.business_central.journals import (
    DEFAULT_TEMPLATE,
    Batch,
    DraftLine,
    Journals,
    journals_of,
)
from airflow_provider_mlconnector.sandbox.business_central.posting_rules import DefaultDimension, Validation
from airflow_provider_mlconnector.sandbox.business_central.wire import WireError
from airflow_provider_mlconnector.sandbox.state import World


class BatchBody(BaseModel):
    """A batch as a person sets it up."""

    balancing_account: str = ""


class LineEdit(BaseModel):
    """What a person types over in a line; ``department`` is a dimension value."""

    document: str | None = None
    amount: Decimal | None = None
    description: str | None = None
    department: str | None = None


class DefaultBody(BaseModel):
    """A default dimension of an account, and what the account demands of it."""

    value: str = ""
    validation: Validation = Validation.NONE


class WindowBody(BaseModel):
    """The days that may be posted on; nothing leaves a side open."""

    first: date | None = None
    last: date | None = None


class _Desk:
    """Hands out the journals that a request names."""

    def __init__(self, world: World) -> None:
        self._world = world

    @contextmanager
    def journals(self, company: str) -> Iterator[Journals]:
        """Give a company's journals; turn what is not there into 404 and what the application refuses into 409."""
        try:
            yield journals_of(self._world, self._world.companies[company or LARKFIELD.code])
        except KeyError as error:
            raise HTTPException(404, str(error.args[0])) from error
        except WireError as error:
            raise HTTPException(409, error.message) from error


def add_journals(routes: APIRouter, world: World) -> None:
    """Add what people do with journals, and their setup."""
    desk = _Desk(world)
    _add_batches(routes, desk)
    _add_lines(routes, desk)
    _add_setup(routes, desk)


def _add_batches(routes: APIRouter, desk: _Desk) -> None:
    @routes.get("/journals")
    async def batches(company: str = "") -> dict[str, Any]:
        with desk.journals(company) as journals:
            told = [_as_json(journals, batch) for batch in journals.batches]
            return {"post_calls": journals.post_calls, "batches": told}

    @routes.put("/journals/{code}")
    async def put(code: str, wanted: BatchBody, template: str = DEFAULT_TEMPLATE, company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            return {"id": journals.put_batch(code, template=template, balancing_account=wanted.balancing_account).id}

    @routes.delete("/journals/{code}")
    async def remove(code: str, template: str = DEFAULT_TEMPLATE, company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            journals.remove_batch(_batch(journals, template, code))
        return {"status": "deleted"}

    @routes.post("/journals/{code}/post")
    async def post_by_hand(
        code: str, document: str = "", number: str = "", template: str = DEFAULT_TEMPLATE, company: str = ""
    ) -> dict[str, list[int]]:
        """Let a person post the batch, or one document; ``number`` is what a number series for posting calls it."""
        with desk.journals(company) as journals:
            return {"entries": post(journals, _batch(journals, template, code), document, number)}


def _add_lines(routes: APIRouter, desk: _Desk) -> None:
    @routes.patch("/journals/{code}/lines/{line_number}")
    async def edit(
        code: str, line_number: int, wanted: LineEdit, template: str = DEFAULT_TEMPLATE, company: str = ""
    ) -> dict[str, Any]:
        with desk.journals(company) as journals:
            line = _line(journals, _batch(journals, template, code), line_number)
            line.document = line.document if wanted.document is None else wanted.document
            line.amount = line.amount if wanted.amount is None else wanted.amount
            line.description = line.description if wanted.description is None else wanted.description
            if wanted.department is not None:
                line.dimensions["DEPARTMENT"] = wanted.department
            journals.touch(line)
            return _line_as_json(line)

    @routes.delete("/journals/{code}/lines/{line_number}")
    async def remove_line(
        code: str, line_number: int, template: str = DEFAULT_TEMPLATE, company: str = ""
    ) -> dict[str, str]:
        with desk.journals(company) as journals:
            journals.remove(_line(journals, _batch(journals, template, code), line_number))
        return {"status": "deleted"}


def _add_setup(routes: APIRouter, desk: _Desk) -> None:
    @routes.put("/default-dimensions/{account}/{dimension}")
    async def put_default(account: str, dimension: str, wanted: DefaultBody, company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            journals.rules.put_default(DefaultDimension(account, dimension, wanted.value, wanted.validation))
        return {"status": "put"}

    @routes.put("/posting-window")
    async def put_window(wanted: WindowBody, company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            journals.books.posting_window = (wanted.first, wanted.last)
        return {"status": "put"}

    @routes.delete("/posting-rules")
    async def clear(company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            journals.rules.clear()
        return {"status": "cleared"}


def _batch(journals: Journals, template: str, code: str) -> Batch:
    for batch in journals.batches:
        if (batch.template, batch.code) == (template, code):
            return batch
    raise KeyError(f"there is no batch '{code}' in template '{template}'")


def _line(journals: Journals, batch: Batch, number: int) -> DraftLine:
    for line in journals.lines_of(batch):
        if line.number == number:
            return line
    raise KeyError(f"batch '{batch.code}' has no line {number}")


def _as_json(journals: Journals, batch: Batch) -> dict[str, Any]:
    return {
        "template": batch.template,
        "code": batch.code,
        "balancing_account": batch.balancing_account,
        "lines": [_line_as_json(line) for line in journals.lines_of(batch)],
    }


def _line_as_json(line: DraftLine) -> dict[str, Any]:
    return {
        "number": line.number,
        "document": line.document,
        "external_document": line.external,
        "posting_date": line.posting_date.isoformat(),
        "account": line.account,
        "amount": str(line.amount),
        "description": line.description,
        "balancing_account": line.balancing_account,
        "dimensions": dict(line.dimensions),
    }
