# SPDX-License-Identifier: Apache-2.0
"""Fiscal calendars: a year is an opening period of one day, twelve operating ones, and a closing one for each of them.

Closing periods share the days of what they close; adjustments and the year-end close are posted to them. The thirteenth
period of books that have one is another closing period, of the year's last day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.finance.periods import parse_key
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.lines import Line
from airflow_provider_mlconnector.sandbox.books.periods import ADJUSTING, PERIODS

_DAY = timedelta(days=1)
_CLOSING_SLOTS = 50


class FiscalType(StrEnum):
    """What is posted to a period."""

    OPENING = "Opening"
    OPERATING = "Operating"
    CLOSING = "Closing"


@dataclass(frozen=True, slots=True)
class Fiscal:
    """A record of a fiscal calendar; ``slot`` is its place in the year, ``key`` the books' period that it is of."""

    year: int
    slot: int
    name: str
    type: FiscalType
    start: date
    end: date
    key: str


def fiscal_records(books: Books) -> Iterator[Fiscal]:
    """Go through all records, from the year before the first to the last."""
    years = {period.year for period in books.periods}
    for year in range(min(years) - 1, max(years) + 1):
        yield opening(books, year)
        for number in range(1, books.company.fiscal.last_number + 1):
            if number <= PERIODS:
                yield _operating(books, year, number)
            yield _closing(books, year, number)


def fiscal_of(books: Books, line: Line) -> Fiscal:
    """Return the record that a line is posted to."""
    if line.kind is EntryKind.OPENING:
        return opening(books, books.company.fiscal.period_of(line.posting_date + _DAY).year)
    year, number = parse_key(line.period)
    closes = line.kind in (EntryKind.ADJUSTING, EntryKind.CLOSING) or number == ADJUSTING
    return _closing(books, year, number) if closes else _operating(books, year, number)


def opening(books: Books, year: int) -> Fiscal:
    """Return the opening period of a year."""
    first = books.period(f"FY{year}-P01")
    return Fiscal(year, 0, "Opening", FiscalType.OPENING, first.start, first.start, first.key)


def _operating(books: Books, year: int, number: int) -> Fiscal:
    period = books.period(f"FY{year}-P{number:02d}")
    return Fiscal(year, number, f"Period {number}", FiscalType.OPERATING, period.start, period.end, period.key)


def _closing(books: Books, year: int, number: int) -> Fiscal:
    period = books.period(f"FY{year}-P{number:02d}")
    slot = _CLOSING_SLOTS + number
    return Fiscal(year, slot, f"Closing {number}", FiscalType.CLOSING, period.start, period.end, period.key)
