# SPDX-License-Identifier: Apache-2.0
"""The balances that the general ledger keeps: cumulative at the end of each period of a year, credits negative.

A year is closed without a journal: its result shows in what the next year begins with. So closing entries of the books
are part of no period here, and posting layers are unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.codes import money
from airflow_provider_mlconnector.sandbox.books.ledger import Sums
from airflow_provider_mlconnector.sandbox.books.lines import ENTRY_KINDS, Rows
from airflow_provider_mlconnector.sandbox.books.selection import Mask, Selection, before_period, in_period
from airflow_provider_mlconnector.sandbox.syspro.columns import Row, version_of
from airflow_provider_mlconnector.sandbox.syspro.gl_codes import PSEUDO_CODES, gl_code, posting_accounts
from airflow_provider_mlconnector.sandbox.syspro.site import Site

MOST_PERIODS = 15
SHOWN = Selection(frozenset(ENTRY_KINDS) - {EntryKind.CLOSING}, actual_only=True)
"""What the ledger holds as journals."""

_BEFORE = Selection(actual_only=True)


def history_rows(company: str, books: Books, site: Site) -> Iterator[Row]:
    """Yield GenHistory: a row per GL code and year."""
    for year in sorted({period.year for period in books.periods}):
        if year >= site.switches.history_from:
            yield from _of_year(company, books, year)


def _of_year(company: str, books: Books, year: int) -> Iterator[Row]:
    numbers = range(1, books.company.fiscal.last_number + 1)
    opened = _before(books, f"FY{year}-P01")
    moved = [_within(books, f"FY{year}-P{number:02d}") for number in numbers]
    names = [f"ClosingBalPer{number}" for number in range(1, MOST_PERIODS + 1)]
    for place, account in posting_accounts(books):
        for at, department in enumerate(books.departments.all):
            begin = balance = int(opened.debit[place, at]) - int(opened.credit[place, at])
            closings = []
            for sums in moved:
                balance += int(sums.debit[place, at]) - int(sums.credit[place, at])
                closings.append(balance)
            closings += [balance] * (MOST_PERIODS - len(closings))
            yield _row(
                company, gl_code(account.number, department), year, begin, dict(zip(names, closings, strict=True))
            )
    for code in PSEUDO_CODES:
        yield _row(company, code, year, 999, dict.fromkeys(names, 999))


def _row(company: str, code: str, year: int, begin: int, closings: dict[str, int]) -> Row:
    amounts = {"BeginYearBalance": money(begin)} | {name: money(amount) for name, amount in closings.items()}
    return {"Company": company, "GlCode": code, "GlYear": Decimal(year), **amounts, "TimeStamp": version_of(1)}


def _before(books: Books, key: str) -> Sums:
    found, places = books.period(key), books.statistical_places()
    earlier = before_period(found, by_date=False)

    def wanted(rows: Rows) -> Mask:
        return earlier(rows) & _BEFORE.lines_of(rows, places)

    return books.ledger.sums(date.min, found.start - timedelta(days=1), len(books.departments.all), wanted)


def _within(books: Books, key: str) -> Sums:
    found, places = books.period(key), books.statistical_places()
    inside = in_period(found, by_date=False)

    def wanted(rows: Rows) -> Mask:
        return inside(rows) & SHOWN.kinds_of(rows) & SHOWN.lines_of(rows, places)

    return books.ledger.sums(found.start, found.end, len(books.departments.all), wanted)
