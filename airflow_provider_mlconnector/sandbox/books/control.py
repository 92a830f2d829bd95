# SPDX-License-Identifier: Apache-2.0
"""The books over HTTP, below ``/_sandbox/books``: for tests and rehearsals in another process. Amounts are text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.sandbox.books.books import Books, NewLine
from airflow_provider_mlconnector.sandbox.books.company import DimensionValue
from airflow_provider_mlconnector.sandbox.books.lines import Line


class LineBody(BaseModel):
    """A line to post."""

    account: str
    amount: Decimal
    department: str = ""
    project: str = ""
    description: str = ""


class DocumentBody(BaseModel):
    """A document to post; ``balanced`` false lets it come to something else than zero."""

    posting_date: date
    lines: list[LineBody]
    document: str = ""
    balanced: bool = True


class LineChange(BaseModel):
    """What to change in a posted line; only the fields that are given are changed."""

    amount: Decimal | None = None
    account: str | None = None
    department: str | None = None
    project: str | None = None
    description: str | None = None
    posting_date: date | None = None


class Correction(BaseModel):
    """The right amount of a line."""

    amount: Decimal


class Closing(BaseModel):
    """Whether a period is closed."""

    closed: bool


class ValueBody(BaseModel):
    """A dimension value."""

    name: str = ""
    parent: str = ""
    blocked: bool = False


def router(books: Books) -> APIRouter:
    """Return the routes of the books."""
    routes = APIRouter(prefix="/books")
    _add_reading(routes, books)
    _add_posting(routes, books)
    _add_master_data(routes, books)
    return routes


def _add_reading(routes: APIRouter, books: Books) -> None:
    @routes.get("/periods")
    async def periods() -> list[dict[str, Any]]:
        return [
            {"key": period.key, "start": period.start, "end": period.end, "closed": books.is_closed(period.key)}
            for period in books.periods
        ]

    @routes.get("/trial-balance")
    async def trial_balance(period: str) -> dict[str, str]:
        with _as_answers():
            return _texts(books.trial_balance(period))

    @routes.get("/trial-balance-by-department")
    async def by_department(period: str) -> list[dict[str, str]]:
        with _as_answers():
            net = books.trial_balance_by_department(period)
        return [
            {"account": account, "department": department, "amount": str(amount)}
            for (account, department), amount in net.items()
        ]

    @routes.get("/balances")
    async def balances(period: str) -> dict[str, dict[str, str]]:
        with _as_answers():
            found = books.balances(period)
        return {
            account: _texts(asdict(balance)) | {"closing": str(balance.closing)} for account, balance in found.items()
        }

    @routes.get("/lines")
    async def lines(period: str, skip: int = 0, limit: int = 1000) -> dict[str, Any]:
        with _as_answers():
            wanted = [_as_json(line) for place, line in enumerate(books.lines(period)) if skip <= place < skip + limit]
            return {"count": books.count(period), "lines": wanted}

    @routes.get("/lines/{entry}")
    async def line(entry: int) -> dict[str, Any]:
        with _as_answers():
            return _as_json(books.line(entry))


def _add_posting(routes: APIRouter, books: Books) -> None:
    @routes.post("/documents")
    async def post(document: DocumentBody) -> dict[str, list[int]]:
        lines = [NewLine(**line.model_dump()) for line in document.lines]
        with _as_answers():
            entries = books.post_document(
                document.posting_date, lines, document=document.document, balanced=document.balanced
            )
        return {"entries": entries}

    @routes.patch("/lines/{entry}")
    async def change(entry: int, wanted: LineChange) -> dict[str, Any]:
        with _as_answers():
            return _as_json(books.change_line(entry, **wanted.model_dump(exclude_unset=True)))

    @routes.post("/lines/{entry}/correction")
    async def correct(entry: int, wanted: Correction) -> dict[str, list[int]]:
        with _as_answers():
            return {"entries": books.correct_amount(entry, wanted.amount)}

    @routes.delete("/lines/{entry}")
    async def delete(entry: int) -> dict[str, str]:
        with _as_answers():
            books.delete_line(entry)
        return {"status": "deleted"}


def _add_master_data(routes: APIRouter, books: Books) -> None:
    @routes.patch("/periods/{key}")
    async def close(key: str, wanted: Closing) -> dict[str, str]:
        with _as_answers():
            if wanted.closed:
                books.close_period(key)
            else:
                books.reopen_period(key)
        return {"status": "closed" if wanted.closed else "open"}

    @routes.put("/dimensions/{dimension}/{code}")
    async def put_value(dimension: str, code: str, value: ValueBody) -> dict[str, str]:
        books.add_value(DimensionValue(dimension, code, value.name or code, parent=value.parent, blocked=value.blocked))
        return {"status": "put"}

    @routes.delete("/dimensions/{dimension}/{code}")
    async def delete_value(dimension: str, code: str) -> dict[str, str]:
        with _as_answers():
            books.delete_value(dimension, code)
        return {"status": "deleted"}


@contextmanager
def _as_answers() -> Iterator[None]:
    """Turn what is not there into 404 and what makes no sense into 422."""
    try:
        yield
    except KeyError as error:
        raise HTTPException(404, str(error.args[0])) from error
    except (ValueError, InvalidOperation, ConfigurationError) as error:
        raise HTTPException(422, str(error)) from error


def _texts(amounts: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}


def _as_json(line: Line) -> dict[str, Any]:
    texts = {
        name: str(value) if isinstance(value, Decimal | date | datetime) else value
        for name, value in asdict(line).items()
    }
    return texts | {"modified_at": line.modified_at.isoformat() if line.modified_at else None}
