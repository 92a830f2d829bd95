# SPDX-License-Identifier: Apache-2.0
"""The tables of a company's database that its SQL readers look at, written to a file of SQLite.

Only their columns that are read are there. GL10110 holds the net change of every account and period of open years;
period 0 is what the year began with. The entries that close a year are no part of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE_BY_DATE
from airflow_provider_mlconnector.sandbox.dynamics_gp.chart import (
    departments,
    gp_accounts,
    posting_accounts,
    segment_of,
)
from airflow_provider_mlconnector.sandbox.dynamics_gp.drafts import SOURCE, GlBatch
from airflow_provider_mlconnector.sandbox.dynamics_gp.site import GpCompany

_TABLES = """
CREATE TABLE GL00100 (ACTINDX INTEGER, ACCTTYPE INTEGER);
CREATE TABLE GL00105 (ACTINDX INTEGER, ACTNUMST TEXT);
CREATE TABLE GL10110 (ACTINDX INTEGER, YEAR1 INTEGER, PERIODID INTEGER, Ledger_ID INTEGER, PERDBLNC TEXT, DEBITAMT TEXT, CRDTAMNT TEXT);
CREATE TABLE GL10111 (ACTINDX INTEGER, YEAR1 INTEGER, PERIODID INTEGER, Ledger_ID INTEGER, PERDBLNC TEXT, DEBITAMT TEXT, CRDTAMNT TEXT);
CREATE TABLE GL40200 (SGMTNUMB INTEGER, SGMNTID TEXT, DSCRIPTN TEXT);
CREATE TABLE SY40100 (SERIES INTEGER, YEAR1 INTEGER, PERIODID INTEGER, PERIODDT TEXT, PERDENDT TEXT, PSERIES_2 INTEGER);
CREATE TABLE SY00500 (BCHSOURC TEXT, BACHNUMB TEXT, SERIES INTEGER, BCHSTTUS INTEGER, APPROVL INTEGER, ERRSTATE INTEGER);
"""  # noqa: E501 - a table's columns are read best in one line


def write_tables(company: GpCompany, file: Path) -> None:
    """Write the tables as they stand now, in place of the file."""
    file.unlink(missing_ok=True)
    books = company.books
    with closing(sqlite3.connect(file)) as db, db:
        db.executescript(_TABLES)
        accounts = list(gp_accounts(books))
        _fill(db, "GL00100", ((account.index, 2 if account.account.statistical else 1) for account in accounts))
        _fill(db, "GL00105", ((account.index, f"{account.id:<33}") for account in accounts))
        indexes = {(account.account.number, account.segment): account.index for account in accounts}
        for period in books.periods:
            table = "GL10111" if company.journals.is_closed(period.year) else "GL10110"
            _fill(db, table, _balances(books, period, indexes))
        _fill(db, "GL40200", ((1, account.number, account.name) for account in posting_accounts(books)))
        _fill(
            db, "GL40200", ((2, segment_of(code), name or "No department") for code, name in departments(books).items())
        )
        _fill(db, "SY40100", (_period(books, period) for period in books.periods))
        _fill(db, "SY00500", (_batch(batch) for batch in company.drafts.batches.values()))


def _fill(db: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    found = list(rows)
    if found:
        db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(found[0]))})", found)  # noqa: S608 - our names


def _period(books: Books, period: Period) -> tuple[Any, ...]:
    days = (f"{period.start} 00:00:00", f"{period.end} 00:00:00")
    return (0, period.year, period.number, *days, int(books.is_closed(period.key)))


def _batch(batch: GlBatch) -> tuple[Any, ...]:
    return f"{SOURCE:<15}", f"{batch.id:<15}", 2, batch.status, int(batch.approved), 0


def _balances(books: Books, period: Period, indexes: dict[tuple[str, str], int]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a period; of a year's first one those of period 0, too, without a split by department."""
    sums: dict[int, list[Decimal]] = {}
    for line in books.lines(period.key, selection=CLOSE_BY_DATE):
        if line.kind is not EntryKind.CLOSING:
            both = sums.setdefault(indexes[line.account, segment_of(line.department)], [Decimal(0), Decimal(0)])
            both[0] += line.debit
            both[1] += line.credit
    for index, (debit, credit) in sums.items():
        yield index, period.year, period.number, 1, str(debit - credit), str(debit), str(credit)
    if period.number == 1:
        for number, balance in books.balances(period.key, CLOSE_BY_DATE).items():
            if balance.opening:
                yield indexes[number, segment_of("")], period.year, 0, 1, str(balance.opening), "0", "0"
