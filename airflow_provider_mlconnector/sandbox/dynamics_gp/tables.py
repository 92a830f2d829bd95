# SPDX-License-Identifier: Apache-2.0
"""The tables of a company's database that its SQL readers look at, written to a file of SQLite.

Only their columns that are read are there. GL10110 holds the net change of every account and period of open years;
period 0 is what the year began with. The entries that close a year are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

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

_BALANCE_COLUMNS = ("ACTINDX", "YEAR1", "PERIODID", "Ledger_ID", "PERDBLNC", "DEBITAMT", "CRDTAMNT")
_TEXTS = frozenset(
    {
        *("ACTNUMST", "PERDBLNC", "DEBITAMT", "CRDTAMNT", "SGMNTID", "DSCRIPTN", "PERIODDT", "PERDENDT"),
        *("BCHSOURC", "BACHNUMB"),
    }
)


def _table(name: str, *columns: str) -> sa.Table:
    return sa.Table(name, _METADATA, *(sa.Column(c, sa.Text if c in _TEXTS else sa.Integer) for c in columns))


_METADATA = sa.MetaData()
_KINDS = _table("GL00100", "ACTINDX", "ACCTTYPE")
_NUMBERS = _table("GL00105", "ACTINDX", "ACTNUMST")
_OPEN = _table("GL10110", *_BALANCE_COLUMNS)
_CLOSED = _table("GL10111", *_BALANCE_COLUMNS)
_SEGMENTS = _table("GL40200", "SGMTNUMB", "SGMNTID", "DSCRIPTN")
_PERIODS = _table("SY40100", "SERIES", "YEAR1", "PERIODID", "PERIODDT", "PERDENDT", "PSERIES_2")
_BATCHES = _table("SY00500", "BCHSOURC", "BACHNUMB", "SERIES", "BCHSTTUS", "APPROVL", "ERRSTATE")


def write_tables(company: GpCompany, file: Path) -> None:
    """Write the tables as they stand now, in place of the file."""
    file.unlink(missing_ok=True)
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as db:
        _METADATA.create_all(db)
        _write_accounts(db, company.books)
        _write_balances(db, company)
        _fill(db, _PERIODS, (_period(company.books, period) for period in company.books.periods))
        _fill(db, _BATCHES, (_batch(batch) for batch in company.drafts.batches.values()))
    engine.dispose()


def _write_accounts(db: sa.Connection, books: Books) -> None:
    accounts = list(gp_accounts(books))
    _fill(db, _KINDS, ((account.index, 2 if account.account.statistical else 1) for account in accounts))
    _fill(db, _NUMBERS, ((account.index, f"{account.id:<33}") for account in accounts))
    _fill(db, _SEGMENTS, ((1, account.number, account.name) for account in posting_accounts(books)))
    names = departments(books).items()
    _fill(db, _SEGMENTS, ((2, segment_of(code), name or "No department") for code, name in names))


def _write_balances(db: sa.Connection, company: GpCompany) -> None:
    books = company.books
    indexes = {(account.account.number, account.segment): account.index for account in gp_accounts(books)}
    for period in books.periods:
        table = _CLOSED if company.journals.is_closed(period.year) else _OPEN
        _fill(db, table, _balances(books, period, indexes))


def _fill(db: sa.Connection, table: sa.Table, rows: Iterable[tuple[Any, ...]]) -> None:
    found = [dict(zip(table.c.keys(), row, strict=True)) for row in rows]
    if found:
        db.execute(table.insert(), found)


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
