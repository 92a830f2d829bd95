# SPDX-License-Identifier: Apache-2.0
"""GenJournalDetail: the posted lines of the general ledger, of all companies of a database.

Lines are numbered through in journals of 25 entries, whatever documents they come from, as a posting run of the
sub-ledgers does. Pages are made of arrays, since there are many lines.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.codes import money
from airflow_provider_mlconnector.sandbox.books.lines import KINDS, LINE, Rows, document_number
from airflow_provider_mlconnector.sandbox.books.periods import packed
from airflow_provider_mlconnector.sandbox.books.selection import in_period
from airflow_provider_mlconnector.sandbox.odata.filters import Column, Comparison, Node, conjunction
from airflow_provider_mlconnector.sandbox.syspro.balances import SHOWN
from airflow_provider_mlconnector.sandbox.syspro.columns import Row, midnight, version_of
from airflow_provider_mlconnector.sandbox.syspro.gl_codes import gl_code

JOURNAL_ENTRIES = 25
_ORDINAL_OF_EPOCH = date(1970, 1, 1).toordinal()
_SOURCES = {
    "SALES": "AR",
    "CASHRECJNL": "AR",
    "PURCHASES": "AP",
    "PAYMENTJNL": "AP",
    "INVTPCOST": "IN",
    "FAGLJNL": "AS",
}


@dataclass(frozen=True, slots=True)
class JournalFrame:
    """Lines of one company, or of several one after the other.

    :param companies: SYSPRO's company id and the books; ``owners`` says for each row which of them it is of.
    """

    companies: tuple[tuple[str, Books], ...]
    rows: Rows
    owners: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def keys(self) -> Column:
        """Return a number for each row by which rows are ordered in the end."""
        return np.asarray(self.owners << 48 | self.rows["entry"])

    def take(self, which: NDArray[Any]) -> JournalFrame:
        """Return the rows at these places, or where this mask is true."""
        return JournalFrame(self.companies, self.rows[which], self.owners[which])

    def column(self, field: str) -> Column:
        """Return the values of a property."""
        match field:
            case "Company":
                return np.asarray(np.array([company for company, _ in self.companies], object)[self.owners])
            case "GlYear":
                return np.asarray(self._periods() // 100)
            case "GlPeriod":
                return np.asarray(self._periods() % 100)
            case "Journal":
                return np.asarray((self.rows["entry"] - 1) // JOURNAL_ENTRIES + 1)
            case "EntryNumber":
                return np.asarray((self.rows["entry"] - 1) % JOURNAL_ENTRIES + 1)
            case "EntryDate":
                days = np.asarray(self.rows["day"] - _ORDINAL_OF_EPOCH)
                return np.asarray(days.astype("datetime64[D]").astype("datetime64[us]"))
            case "Reference":
                return self._references()
            case "TimeStamp":
                return np.asarray(np.maximum(self.rows["stamp"], version_of(0)))
            case _:
                found = np.empty(len(self), object)
                found[:] = [row[field] for row in self.as_rows()]
                return found

    def _references(self) -> Column:
        """Return the number of the document that each row comes from."""
        marks = np.stack([self.owners, self.rows["kind"].astype(np.int64), self.rows["document"]], axis=1)
        documents, at = np.unique(marks, axis=0, return_inverse=True)
        found = [
            document_number(kind, number, self.companies[owner][1].texts.all)[:30]
            for owner, kind, number in documents.tolist()
        ]
        return np.asarray(np.array([*found, ""], object)[at.reshape(-1)])

    def as_rows(self) -> Iterator[Row]:
        """Yield the rows."""
        columns = {name: self.column(name) for name in ("GlYear", "GlPeriod", "Journal", "EntryNumber", "TimeStamp")}
        numbers = zip(*(column.tolist() for column in columns.values()), strict=True)
        for row, owner, values in zip(self.rows, self.owners, numbers, strict=True):
            company, books = self.companies[owner]
            account, department = books.accounts[row["account"]].number, books.departments.all[row["department"]]
            yield {
                **dict(zip(columns, values, strict=True)),
                "Company": company,
                "GlCode": gl_code(account, department),
                "EntryValue": money(int(row["cents"])),
                "EntryDate": midnight(date.fromordinal(row["day"])),
                "Source": _SOURCES.get(KINDS[row["kind"]].source, "GL"),
                "Reference": document_number(row["kind"], row["document"], books.texts.all)[:30],
                "AnalysisEntry": Decimal(0),
            }

    def _periods(self) -> NDArray[np.int64]:
        """Return the fiscal period of each row as year and number in one: its own, else that of its date."""
        own = self.rows["period"].astype(np.int64)
        for place, (_, books) in enumerate(self.companies):
            dated = (own == 0) & (self.owners == place)
            days, at = np.unique(self.rows["day"][dated], return_inverse=True)
            fiscal = books.company.fiscal
            found = np.array([packed(fiscal.period_of(date.fromordinal(day))) for day in days], np.int64)
            own[dated] = found[at] if len(days) else 0
        return own


def journal_frames(
    ledgers: Sequence[tuple[str, Books]], wanted: Node | None, in_flight: Sequence[int] = ()
) -> Iterator[JournalFrame]:
    """Yield the lines that may pass a filter; what its company and period rule out is not looked at.

    :param in_flight: journals that nobody sees yet.
    """
    equal = {
        condition.field: condition.value
        for condition in conjunction(wanted)
        if isinstance(condition, Comparison) and condition.operation == "eq"
    }
    companies = tuple(ledgers)
    for place, (company, books) in enumerate(companies):
        if equal.get("Company", company) == company:
            for rows in _scan(books, equal.get("GlYear"), equal.get("GlPeriod")):
                frame = JournalFrame(companies, rows, np.full(len(rows), place, np.int64))
                hidden = np.isin(frame.column("Journal"), in_flight)
                yield frame.take(~hidden) if hidden.any() else frame


def join_frames(ledgers: Sequence[tuple[str, Books]]) -> Callable[[list[JournalFrame]], JournalFrame]:
    """Return what joins frames into one."""

    def join(frames: list[JournalFrame]) -> JournalFrame:
        if not frames:
            return JournalFrame(tuple(ledgers), np.zeros(0, LINE), np.zeros(0, np.int64))
        rows, owners = ([getattr(frame, name) for frame in frames] for name in ("rows", "owners"))
        return JournalFrame(frames[0].companies, np.concatenate(rows), np.concatenate(owners))

    return join


def _scan(books: Books, year: Any, number: Any) -> Iterator[Rows]:
    places = books.statistical_places()
    if year is None or number is None:
        found = books.ledger.scan()
    else:
        try:
            period = books.period(f"FY{int(year):04d}-P{int(number):02d}")
        except (ConfigurationError, ValueError):
            return
        found = books.ledger.select(period.start, period.end, in_period(period, by_date=False))
    for rows in found:
        shown = rows[SHOWN.kinds_of(rows) & SHOWN.lines_of(rows, places)]
        for begin in itertools.count(0, 1 << 17):
            if begin >= len(shown):
                break
            yield shown[begin : begin + (1 << 17)]
