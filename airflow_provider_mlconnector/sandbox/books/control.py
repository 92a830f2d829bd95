# SPDX-License-Identifier: Apache-2.0
"""The books over HTTP, below ``/_sandbox/books``: for tests and rehearsals in another process. Amounts are text.

Every route takes ``?company=<code>``; without it the books are Larkfield's. Those that read take
``?select=everything|close|close_by_date``, too: which lines count, and in which period.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from fastapi import APIRouter, HTTPException

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.sandbox.books.bodies import (
    AccountChange,
    Closing,
    Correction,
    DocumentBody,
    LineChange,
    OrderChange,
    Reversal,
    RollBack,
    Stamp,
    StockCount,
    ValueBody,
    ValueChange,
)
from airflow_provider_mlconnector.sandbox.books.books import Books
from airflow_provider_mlconnector.sandbox.books.company import LARKFIELD, DimensionValue
from airflow_provider_mlconnector.sandbox.books.lines import Line
from airflow_provider_mlconnector.sandbox.books.selection import SELECTIONS, Selection


def router(companies: Mapping[str, Books]) -> APIRouter:
    """Return the routes of the books of these companies, by their codes."""
    routes = APIRouter(prefix="/books")
    desk = _Desk(companies)
    _add_reading(routes, desk)
    _add_posting(routes, desk)
    _add_mishaps(routes, desk)
    _add_periods(routes, desk)
    _add_master_data(routes, desk)
    _add_stock(routes, desk)
    _add_orders(routes, desk)
    return routes


class _Desk:
    """Hands out the books that a request names."""

    def __init__(self, companies: Mapping[str, Books]) -> None:
        self._companies = companies

    @contextmanager
    def books(self, company: str) -> Iterator[Books]:
        """Give a company's books; turn what is not there into 404 and what makes no sense into 422."""
        try:
            yield self._companies[company or LARKFIELD.code]
        except KeyError as error:
            raise HTTPException(404, str(error.args[0])) from error
        except (ValueError, InvalidOperation, ConfigurationError) as error:
            raise HTTPException(422, str(error)) from error


def _selection(name: str) -> Selection:
    if name not in SELECTIONS:
        raise ValueError(f"'{name}' is no selection, only {', '.join(SELECTIONS)}")
    return SELECTIONS[name]


def _add_reading(routes: APIRouter, desk: _Desk) -> None:
    @routes.get("/trial-balance")
    async def trial_balance(period: str, company: str = "", select: str = "everything") -> dict[str, str]:
        with desk.books(company) as books:
            return _texts(books.trial_balance(period, _selection(select)))

    @routes.get("/trial-balance-by-department")
    async def by_department(period: str, company: str = "", select: str = "everything") -> list[dict[str, str]]:
        with desk.books(company) as books:
            net = books.trial_balance_by_department(period, _selection(select))
        return [
            {"account": account, "department": department, "amount": str(amount)}
            for (account, department), amount in net.items()
        ]

    @routes.get("/balances")
    async def balances(period: str, company: str = "", select: str = "everything") -> dict[str, dict[str, str]]:
        with desk.books(company) as books:
            found = books.balances(period, _selection(select))
        return {
            account: _texts(asdict(balance)) | {"closing": str(balance.closing)} for account, balance in found.items()
        }

    @routes.get("/lines")
    async def lines(
        period: str, skip: int = 0, limit: int = 1000, company: str = "", select: str = "everything"
    ) -> dict[str, Any]:
        with desk.books(company) as books:
            chosen = _selection(select)
            all_lines = enumerate(books.lines(period, selection=chosen))
            wanted = [_as_json(line) for place, line in all_lines if skip <= place < skip + limit]
            return {"count": books.count(period, chosen), "lines": wanted}

    @routes.get("/lines/{entry}")
    async def line(entry: int, company: str = "") -> dict[str, Any]:
        with desk.books(company) as books:
            return _as_json(books.line(entry))


def _add_posting(routes: APIRouter, desk: _Desk) -> None:
    @routes.post("/documents")
    async def post(document: DocumentBody, company: str = "") -> dict[str, list[int]]:
        with desk.books(company) as books:
            entries = books.post_document(
                document.posting_date,
                document.lines,
                document=document.document,
                balanced=document.balanced,
                how=document.posting(),
            )
        return {"entries": entries}

    @routes.patch("/lines/{entry}")
    async def change(entry: int, wanted: LineChange, company: str = "") -> dict[str, Any]:
        with desk.books(company) as books:
            return _as_json(books.change_line(entry, **wanted.model_dump(exclude_unset=True)))

    @routes.post("/lines/{entry}/correction")
    async def correct(entry: int, wanted: Correction, company: str = "") -> dict[str, list[int]]:
        with desk.books(company) as books:
            return {"entries": books.correct_amount(entry, wanted.amount)}

    @routes.post("/lines/{entry}/reversal")
    async def reverse(entry: int, wanted: Reversal, company: str = "") -> dict[str, list[int]]:
        with desk.books(company) as books:
            return {"entries": books.reverse_document(entry, storno=wanted.storno)}


def _add_mishaps(routes: APIRouter, desk: _Desk) -> None:
    @routes.delete("/lines/{entry}")
    async def delete(entry: int, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            books.delete_line(entry)
        return {"status": "deleted"}

    @routes.put("/lines/{entry}/stamp")
    async def stamp(entry: int, wanted: Stamp, company: str = "") -> dict[str, Any]:
        with desk.books(company) as books:
            return _as_json(books.stamp_line(entry, wanted.modified_at))

    @routes.post("/lines/{entry}/roll-back")
    async def roll_back(entry: int, wanted: RollBack, company: str = "") -> dict[str, int]:
        with desk.books(company) as books:
            return {"lines": books.roll_back(entry, same_ids=wanted.same_ids)}


def _add_periods(routes: APIRouter, desk: _Desk) -> None:
    @routes.get("/periods")
    async def periods(company: str = "") -> list[dict[str, Any]]:
        with desk.books(company) as books:
            return [
                {"key": period.key, "start": period.start, "end": period.end, "closed": books.is_closed(period.key)}
                for period in books.periods
            ]

    @routes.patch("/periods/{key}")
    async def close(key: str, wanted: Closing, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            if wanted.closed:
                books.close_period(key)
            else:
                books.reopen_period(key)
        return {"status": "closed" if wanted.closed else "open"}

    @routes.post("/years/{year}/close")
    async def close_year(year: int, company: str = "") -> dict[str, list[int]]:
        with desk.books(company) as books:
            return {"entries": books.close_year(year)}


def _add_master_data(routes: APIRouter, desk: _Desk) -> None:
    @routes.patch("/accounts/{number}")
    async def change_account(number: str, wanted: AccountChange, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            if wanted.name is not None:
                books.rename_account(number, wanted.name)
            if wanted.parent is not None:
                books.move_account(number, wanted.parent)
            if wanted.blocked is not None:
                books.block_account(number, blocked=wanted.blocked)
        return {"status": "changed"}

    @routes.put("/dimensions/{dimension}/{code}")
    async def put_value(dimension: str, code: str, value: ValueBody, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            name = value.name or code
            books.add_value(DimensionValue(dimension, code, name, parent=value.parent, blocked=value.blocked))
        return {"status": "put"}

    @routes.patch("/dimensions/{dimension}/{code}")
    async def change_value(dimension: str, code: str, wanted: ValueChange, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            if wanted.blocked is not None:
                books.block_value(dimension, code, blocked=wanted.blocked)
            if wanted.code:
                books.rename_value(dimension, code, wanted.code)
        return {"status": "changed"}

    @routes.delete("/dimensions/{dimension}/{code}")
    async def delete_value(dimension: str, code: str, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            books.delete_value(dimension, code)
        return {"status": "deleted"}


def _add_stock(routes: APIRouter, desk: _Desk) -> None:
    @routes.put("/stock/{item}/{warehouse}")
    async def count(item: str, warehouse: str, wanted: StockCount, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            books.stock.count(item, warehouse, wanted.quantity, wanted.allocated)
        return {"status": "counted"}

    @routes.delete("/stock/{item}/{warehouse}")
    async def remove(item: str, warehouse: str, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            books.stock.remove(item, warehouse)
        return {"status": "removed"}


def _add_orders(routes: APIRouter, desk: _Desk) -> None:
    @routes.get("/purchase-orders")
    async def orders(company: str = "") -> list[dict[str, str]]:
        with desk.books(company) as books:
            return [{name: str(value) for name, value in asdict(one).items()} for one in books.stock.purchase_orders]

    @routes.patch("/purchase-orders/{number}")
    async def invoice(number: str, wanted: OrderChange, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            return {"status": books.stock.invoice_order(number, wanted.open_amount).status}

    @routes.delete("/purchase-orders/{number}")
    async def delete(number: str, company: str = "") -> dict[str, str]:
        with desk.books(company) as books:
            books.stock.delete_order(number)
        return {"status": "deleted"}


def _texts(amounts: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}


def _as_json(line: Line) -> dict[str, Any]:
    texts = {
        name: str(value) if isinstance(value, Decimal | date | datetime) else value
        for name, value in asdict(line).items()
    }
    return texts | {"modified_at": line.modified_at.isoformat() if line.modified_at else None}
