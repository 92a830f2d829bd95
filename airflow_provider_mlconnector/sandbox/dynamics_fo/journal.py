# SPDX-License-Identifier: Apache-2.0
"""The posted general journals: headers that know dates and periods, and account entries that know amounts.

A posted line never changes. What the books changed since is shown as a correction: an entry of its own, with its own
stamp, that takes the line back and posts it anew. A year that the books closed opens the next one with the balances
that it left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.lines import ACTUAL, Line
from airflow_provider_mlconnector.sandbox.dynamics_fo.fiscal import Fiscal, fiscal_of, opening
from airflow_provider_mlconnector.sandbox.dynamics_fo.numbers import (
    CORRECTIONS,
    HEADERS,
    LINES,
    OPENINGS,
    Numbers,
)

_MOST_CHANGES = 64
_ORIGINAL, _CORRECTION = "LedgerJournal", "TransferOpeningClosing"


@dataclass(frozen=True, slots=True)
class Entry:
    """A general journal account entry; ``account`` is the place in the chart."""

    key: int
    line: Line
    is_correction: bool
    posting_type: str


@dataclass(frozen=True, slots=True)
class Header:
    """A general journal entry and its account entries."""

    key: int
    books: Books
    fiscal: Fiscal
    day: date
    created: datetime | None
    entries: tuple[Entry, ...]

    @property
    def first(self) -> Line:
        """Return a line, for what all of them have in common."""
        return self.entries[0].line


@dataclass(frozen=True, slots=True)
class Posted:
    """Headers of one company or all; ``version`` changes when they do. Those of all are in order of their keys."""

    version: tuple[Any, ...]
    headers: tuple[Header, ...]


class Journal:
    """Makes the journals from the books, those of a company again when its books have changed."""

    def __init__(self, companies: Sequence[Books], numbers: Numbers) -> None:
        self._companies = companies
        self._numbers = numbers
        self._posted = Posted((), ())
        self._own: dict[str, Posted] = {}

    def posted(self) -> Posted:
        """Return the journals as they stand now."""
        own = [self._posted_in(books) for books in self._companies]
        version = tuple(posted.version for posted in own)
        if version != self._posted.version:
            headers = [header for posted in own for header in posted.headers]
            self._posted = Posted(version, tuple(sorted(headers, key=lambda header: header.key)))
        return self._posted

    def _posted_in(self, books: Books) -> Posted:
        version = (books.ledger.version, *books.departments.all, *books.projects.all)
        if books.code not in self._own or self._own[books.code].version != version:
            self._own[books.code] = Posted(version, tuple(self._of_company(books)))
        return self._own[books.code]

    def _of_company(self, books: Books) -> list[Header]:
        before = {entry: [books.line_of(rows[0]) for rows in old] for entry, old in books.ledger.before().items()}
        current = {line.entry_number: line for line in books.lines() if not line.statistical}
        firsts = (before[entry][0] if entry in before else line for entry, line in current.items())
        headers = [self._document(books, lines) for lines in _documents(firsts)]
        for entry, old in before.items():
            if entry in current:
                headers += self._corrections(books, entry, [*old, current[entry]])
        return [*headers, *self._openings(books, headers)]

    def _document(self, books: Books, lines: Sequence[Line]) -> Header:
        first = lines[0]
        kind = _CORRECTION if first.kind is EntryKind.CLOSING else _ORIGINAL
        mixed = self._numbers.mixed
        entries = tuple(Entry(mixed(LINES, line.entry_number, books), line, line.storno, kind) for line in lines)
        return self._header(books, mixed(HEADERS, first.entry_number, books), entries)

    def _header(self, books: Books, key: int, entries: tuple[Entry, ...]) -> Header:
        first = entries[0].line
        fiscal = fiscal_of(books, first)
        day = fiscal.start if first.kind is EntryKind.OPENING else first.posting_date
        return Header(key, books, fiscal, day, first.modified_at, entries)

    def _corrections(self, books: Books, entry: int, versions: Sequence[Line]) -> Iterator[Header]:
        for change, (old, new) in enumerate(pairwise(versions)):
            if replace(old, modified_at=None, reversed=False) == replace(new, modified_at=None, reversed=False):
                continue
            taken_back = replace(old, amount=-old.amount, storno=not old.storno, modified_at=new.modified_at)
            for side, line in enumerate((taken_back, new)):
                key = self._numbers.mixed(CORRECTIONS, (entry * _MOST_CHANGES + change) * 2 + side, books)
                yield self._header(books, key, (Entry(key, line, side == 0, _ORIGINAL),))

    def _openings(self, books: Books, headers: Sequence[Header]) -> Iterator[Header]:
        """Yield the balances brought forward into the year after each one that was closed."""
        closings = [header for header in headers if header.first.kind is EntryKind.CLOSING]
        for year in sorted({header.fiscal.year for header in closings}):
            moved: dict[str, Decimal] = defaultdict(Decimal)
            for header in headers:
                if header.fiscal.year <= year and header.first.ledger == ACTUAL:
                    for entry in header.entries:
                        moved[entry.line.account] += entry.line.amount
            last = max((header.first.modified_at for header in closings if header.first.modified_at), default=None)
            yield self._opening(books, year + 1, moved, replace(closings[0].first, modified_at=last))

    def _opening(self, books: Books, year: int, moved: dict[str, Decimal], like: Line) -> Header:
        fiscal = opening(books, year)
        blank = replace(like, kind=EntryKind.OPENING, department="", project="", description="Opening", storno=False)
        entries = []
        for number, (account, amount) in enumerate(sorted(moved.items())):
            if amount:
                line = replace(blank, account=account, amount=amount, currency_amount=amount)
                key = self._numbers.mixed(OPENINGS, year * 1000 + number, books)
                entries.append(Entry(key, line, False, _CORRECTION))
        key = self._numbers.mixed(OPENINGS, year, books)
        return Header(key, books, fiscal, fiscal.start, like.modified_at, tuple(entries))


def seconds(moment: datetime | None) -> datetime | None:
    """Return a moment as stamps keep it: to the second."""
    return None if moment is None else moment.astimezone(UTC).replace(microsecond=0)


def _documents(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the lines of each document, which were posted one after the other."""
    numbered = enumerate(lines)
    for _, group in groupby(numbered, key=lambda pair: (pair[1].entry_number - pair[0], *_document_of(pair[1]))):
        yield [line for _, line in group]


def _document_of(line: Line) -> tuple[Any, ...]:
    return line.document, line.posting_date, line.period, line.kind, line.ledger, line.source, line.modified_at is None
