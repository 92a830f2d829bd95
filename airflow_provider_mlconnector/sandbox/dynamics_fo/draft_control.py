# SPDX-License-Identifier: Apache-2.0
"""Control routes of the general journals: what people do in them, and what a company's setup says. Amounts are text.

Every route takes ``?company=<code>``; without it the journals are Larkfield's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from airflow_provider_mlconnector.sandbox.books.company import LARKFIELD
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import (
    Approval,
    DraftHeader,
    DraftLine,
    GeneralJournals,
    JournalName,
    journals_of,
)
from airflow_provider_mlconnector.sandbox.dynamics_fo.journal_posting import PostingError, post
from airflow_provider_mlconnector.sandbox.dynamics_fo.posting_rules import (
    AccountRule,
    PeriodStatus,
    Side,
    Span,
    ValueRule,
    rules_of,
)
from airflow_provider_mlconnector.sandbox.state import World


class HeaderEdit(BaseModel):
    """What a person changes of a journal; ``approval`` is how far its workflow is."""

    description: str | None = None
    approval: Approval | None = None


class LineEdit(BaseModel):
    """What a person types over in a line; ``segments`` are values by segment, and replace those that are named."""

    debit: Decimal | None = None
    credit: Decimal | None = None
    text: str | None = None
    document: str | None = None
    segments: dict[str, str] | None = None


class AccountBody(BaseModel):
    """The rule of a main account."""

    side: Side = Side.NONE
    demands: tuple[str, ...] = ()
    active_from: date | None = None
    active_to: date | None = None


class ValueBody(BaseModel):
    """The rule of a dimension value."""

    manual: bool = True
    active_from: date | None = None
    active_to: date | None = None


class _Desk:
    """Hands out the journals that a request names."""

    def __init__(self, world: World) -> None:
        self.world = world

    @contextmanager
    def journals(self, company: str) -> Iterator[GeneralJournals]:
        """Give a company's journals; turn what is not there into 404 and what the application refuses into 409."""
        try:
            yield journals_of(self.world, self.world.companies[company or LARKFIELD.code])
        except KeyError as error:
            raise HTTPException(404, f"there is no {error.args[0]}") from error
        except PostingError as error:
            raise HTTPException(409, str(error)) from error


def add_journals(routes: APIRouter, world: World) -> None:
    """Add what people do with journals, and their setup."""
    desk = _Desk(world)
    _add_journals(routes, desk)
    _add_lines(routes, desk)
    _add_setup(routes, desk)


def _add_journals(routes: APIRouter, desk: _Desk) -> None:
    @routes.get("/journals")
    async def journals_as_they_stand(company: str = "") -> dict[str, Any]:
        with desk.journals(company) as journals:
            told = [_as_json(journals, header) for header in journals.headers.values()]
            return {"post_calls": journals.post_calls, "journals": told}

    @routes.post("/journals/{number}/post")
    async def post_by_hand(number: str, company: str = "") -> dict[str, list[int]]:
        """Let a person post a journal."""
        with desk.journals(company) as journals:
            return {"entries": post(journals, rules_of(desk.world, journals.books), journals.headers[number])}

    @routes.patch("/journals/{number}")
    async def edit(number: str, wanted: HeaderEdit, company: str = "") -> dict[str, Any]:
        with desk.journals(company) as journals:
            header = journals.headers[number]
            header.description = header.description if wanted.description is None else wanted.description
            header.approval = header.approval if wanted.approval is None else wanted.approval
            header.version += 1
            return _as_json(journals, header)

    @routes.delete("/journals/{number}")
    async def clean_up(number: str, company: str = "") -> dict[str, str]:
        """Remove a journal with its lines, as the clean-up of posted journals does."""
        with desk.journals(company) as journals:
            journals.remove_header(number)
        return {"status": "deleted"}

    @routes.post("/journals/{number}/copy")
    async def copy(number: str, company: str = "") -> dict[str, str]:
        """Let a person copy a journal, which makes another one that says the same."""
        with desk.journals(company) as journals:
            header = journals.headers[number]
            made = journals.add_header(header.name)
            made.description, made.layer = header.description, header.layer
            for line in journals.lines_of(number):
                journals.lines[made.number][line.number] = replace(line, record=journals.next_record())
            return {"number": made.number}


def _add_lines(routes: APIRouter, desk: _Desk) -> None:
    @routes.patch("/journals/{number}/lines/{line}")
    async def edit(number: str, line: Decimal, wanted: LineEdit, company: str = "") -> dict[str, Any]:
        with desk.journals(company) as journals:
            found = journals.lines[number][line]
            changes = {name: value for name, value in wanted.model_dump().items() if value is not None}
            changes["segments"] = {**found.segments, **changes.get("segments", {})}
            changed = replace(found, version=found.version + 1, **changes)
            journals.lines[number][line] = changed
            return _line_as_json(changed)

    @routes.delete("/journals/{number}/lines/{line}")
    async def remove(number: str, line: Decimal, company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            del journals.lines[number][line]
        return {"status": "deleted"}


def _add_setup(routes: APIRouter, desk: _Desk) -> None:
    @routes.put("/journal-names/{name}")
    async def put_name(name: str, wanted: dict[str, Any], company: str = "") -> dict[str, Any]:
        """Set up a journal name anew, its journals included."""
        with desk.journals(company) as journals:
            try:
                made = msgspec.convert({**wanted, "name": name}, JournalName)
            except msgspec.ValidationError as error:
                raise HTTPException(422, str(error)) from error
            journals.put_name(made)
            return asdict(made)

    @routes.delete("/journal-names/{name}")
    async def remove_name(name: str, company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            del journals.names[name]
        return {"status": "deleted"}

    @routes.put("/account-rules/{number}")
    async def put_account(number: str, wanted: AccountBody, company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            rules = rules_of(desk.world, journals.books)
            active = Span(wanted.active_from, wanted.active_to)
            rules.accounts[journals.books.account(number).number] = AccountRule(wanted.side, wanted.demands, active)
        return {"status": "put"}

    @routes.put("/value-rules/{dimension}/{code}")
    async def put_value(dimension: str, code: str, wanted: ValueBody, company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            active = Span(wanted.active_from, wanted.active_to)
            rules_of(desk.world, journals.books).values[dimension, code] = ValueRule(wanted.manual, active)
        return {"status": "put"}

    @routes.put("/period-status/{key}/{status}")
    async def put_period(key: str, status: PeriodStatus, company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            journals.books.reopen_period(key)
            on_hold = rules_of(desk.world, journals.books).on_hold
            on_hold.discard(key)
            if status is PeriodStatus.CLOSED:
                journals.books.close_period(key)
            elif status is PeriodStatus.ON_HOLD:
                on_hold.add(key)
        return {"status": "put"}

    @routes.delete("/posting-rules")
    async def clear(company: str = "") -> dict[str, str]:
        with desk.journals(company) as journals:
            rules_of(desk.world, journals.books).clear()
        return {"status": "cleared"}


def _as_json(journals: GeneralJournals, header: DraftHeader) -> dict[str, Any]:
    return {
        "number": header.number,
        "name": header.name.name,
        "description": header.description,
        "layer": header.layer,
        "posted": header.posted,
        "approval": header.approval.value,
        "lines": [_line_as_json(line) for line in journals.lines_of(header.number)],
    }


def _line_as_json(line: DraftLine) -> dict[str, Any]:
    return {
        "number": str(line.number),
        "voucher": line.voucher,
        "document": line.document,
        "posting_date": line.day.isoformat(),
        "segments": line.segments,
        "offset": line.offset,
        "amount": str(line.amount),
        "currency": line.currency,
        "text": line.text,
    }
