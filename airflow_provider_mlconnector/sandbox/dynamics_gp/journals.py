# SPDX-License-Identifier: Apache-2.0
"""The books' lines as transactions of a general ledger: one for each document of a day, with a number of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.codes import EPOCH, MILLISECOND
from airflow_provider_mlconnector.sandbox.books.lines import (
    ENTRY_KINDS,
    KINDS,
    LINE,
    NEVER_MODIFIED,
    Line,
    Rows,
    document_number,
)

_KEY = ["kind", "document", "entry_kind", "ledger", "day"]
_FREE_NUMBERS = 50_000_000
_SOURCES = {"SALES": "SJ", "CASHRECJNL": "CRJ", "PURCHASES": "PMTRX", "PAYMENTJNL": "PMPAY", "INVTPCOST": "IVADJ"}
PROFIT_AND_LOSS = "P/L"
"""Source document of the entries that close a year."""

Key = tuple[int, ...]
"""What the lines of a transaction have in common: the fields of ``_KEY``."""


@dataclass(frozen=True, slots=True)
class Journal:
    """A transaction without its lines; ``modified_at`` is UTC, None for one that was never touched since."""

    number: int
    day: date
    modified_at: datetime | None
    reference: str
    source: str
    ledger: str
    year: int
    is_history: bool


@dataclass
class Journals:
    """The transactions of one company; a number once given stays with its document."""

    books: Books
    _numbers: dict[Key, int] = field(default_factory=dict)
    _keys: dict[int, Key] = field(default_factory=dict)
    _looked_at: tuple[int, date, Rows] | None = None
    """Version of the ledger, and a day of it with all its lines: clients ask for one transaction after the other."""

    def between(self, first: date, last: date) -> Iterator[Journal]:
        """Yield the transactions of some days, in order of their first lines."""
        parts = list(self.books.ledger.scan(first, last))
        if not parts:
            return
        rows = np.concatenate(parts)
        _, begins, group = np.unique(rows[_KEY], return_index=True, return_inverse=True)
        stamps = np.full(len(begins), NEVER_MODIFIED, np.int64)
        np.maximum.at(stamps, group.ravel(), rows["stamp"])
        years: dict[int, bool] = {}
        for place in np.argsort(begins):
            yield self._journal(rows[begins[place]], int(stamps[place]), years)

    def find(self, number: int, day: date) -> tuple[Journal, list[Line]] | None:
        """Return a transaction and its lines; None when there is none of that number on that day."""
        if number not in self._keys:
            list(self.between(day, day))
        key = self._keys.get(number)
        if key is None:
            return None
        rows = self._rows(key, day)
        if not len(rows):
            return None
        return self._journal(rows[0], int(rows["stamp"].max()), {}), [self.books.line_of(row) for row in rows]

    def is_taken(self, number: int) -> bool:
        """Say whether a transaction has a number, or a line of one the number as its own."""
        return bool(self.days_of([number]))

    def days_of(self, numbers: Iterable[int]) -> set[date]:
        """Return the days of transactions by their numbers; other transactions may be of the same days."""
        days = set()
        for number in numbers:
            key = self._keys.get(number)
            if key is not None:
                days.add(date.fromordinal(key[_KEY.index("day")]))
            else:
                with suppress(KeyError):
                    days.add(self.books.line(number).posting_date)
        return days

    def number_posted(self, entry: int, day: date, number: int) -> None:
        """Give the transaction of a line the number that it had before it was posted."""
        rows = np.concatenate(list(self.books.ledger.scan(day, day)))
        row = rows[rows["entry"] == entry][0]
        key = tuple(int(row[name]) for name in _KEY)
        self._numbers[key], self._keys[number] = number, key

    def is_closed(self, year: int) -> bool:
        """Say whether a fiscal year was closed: there are closing entries on its last day."""
        last = self.books.company.fiscal.period_of_key(f"FY{year}-P12").end
        closing = ENTRY_KINDS.index(EntryKind.CLOSING)
        return any((rows["entry_kind"] == closing).any() for rows in self.books.ledger.scan(last, last))

    def _rows(self, key: Key, day: date) -> Rows:
        rows = self._rows_of_day(day)
        mask = np.ones(len(rows), np.bool_)
        for name, value in zip(_KEY, key, strict=True):
            mask &= rows[name] == value
        return rows[mask]

    def _rows_of_day(self, day: date) -> Rows:
        version = self.books.ledger.version
        if self._looked_at is None or self._looked_at[:2] != (version, day):
            parts = list(self.books.ledger.scan(day, day))
            self._looked_at = version, day, np.concatenate(parts) if parts else np.zeros(0, LINE)
        return self._looked_at[2]

    def _journal(self, row: Any, stamp: int, years: dict[int, bool]) -> Journal:
        """Make a transaction of its first line; ``years`` remembers which fiscal years are closed."""
        day = date.fromordinal(int(row["day"]))
        year = self.books.company.fiscal.period_of(day).year
        if year not in years:
            years[year] = self.is_closed(year)
        closing = ENTRY_KINDS[row["entry_kind"]] is EntryKind.CLOSING
        source = KINDS[row["kind"]].source
        return Journal(
            number=self._number(row),
            day=day,
            modified_at=None if stamp == NEVER_MODIFIED else EPOCH + stamp * MILLISECOND,
            reference=document_number(row["kind"], row["document"], self.books.texts.all)[:30],
            source=PROFIT_AND_LOSS if closing else _SOURCES.get(source, "GJ"),
            ledger="IFRS" if row["ledger"] else "Base",
            year=year,
            is_history=years[year],
        )

    def _number(self, row: Any) -> int:
        key = tuple(int(row[name]) for name in _KEY)
        if key not in self._numbers:
            number = int(row["entry"])
            if number in self._keys:
                number = _FREE_NUMBERS + len(self._keys)
            self._numbers[key], self._keys[number] = number, key
        return self._numbers[key]
