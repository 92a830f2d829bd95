# SPDX-License-Identifier: Apache-2.0
"""The book of a period against the ERP's own figures of it, which come from another source than the lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.money import add_money
from airflow_provider_mlconnector.pipeline.book import lay_out
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, engine
from airflow_provider_mlconnector.systems.port import PeriodTotals
from airflow_provider_mlconnector.trail.records import BookState

ACCOUNTS_NAMED = 20


@dataclass(frozen=True, slots=True)
class BookTotals:
    """Figures of a book: its rows, and debit minus credit per account, statistical accounts apart."""

    rows: int
    by_account: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class AccountDifference:
    """An account on which ERP and book differ."""

    account: str
    erp: Decimal
    book: Decimal


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ERP's figures beside the book's.

    :param agrees: None when the ERP has no figures of its own.
    :param difference: sum of the absolute differences per account; None when not compared.
    """

    agrees: bool | None
    erp: PeriodTotals | None
    book: BookTotals
    difference: Decimal | None = None
    accounts: tuple[AccountDifference, ...] = ()


def movement(by_account: Mapping[str, Decimal]) -> Decimal:
    """Return the sum of the absolute movements of all accounts.

    The plain sum of a complete ledger is 0 whatever is in it; this figure is not, and can be had from either side.
    """
    return add_money(amount.copy_abs() for amount in by_account.values())


def less(one: Decimal, other: Decimal) -> Decimal:
    """Return the exact difference of two amounts: Python's own operators round to 28 digits."""
    return add_money([one, other.copy_negate()])


def book_totals(bench: Bench, state: BookState, dataset: Dataset) -> BookTotals:
    """Add up a book."""
    with engine(bench) as db:
        lay_out(db, bench.stage, state)
        return add_up(db, dataset)


def add_up(db: Engine, dataset: Dataset) -> BookTotals:
    """Add up the ``book`` that is laid out."""
    rows = int(db.rows("SELECT count(*) FROM book")[0][0])
    if dataset not in (Dataset.JOURNAL_LINES, Dataset.ACCOUNT_BALANCES):
        return BookTotals(rows, {})
    money = "WHERE NOT coalesce(statistical, false)" if dataset is Dataset.JOURNAL_LINES else ""
    by_account = db.rows(f"SELECT account, sum(amount) FROM book {money} GROUP BY account")  # no value in it
    return BookTotals(rows, dict(by_account))


def compare(erp: PeriodTotals, book: BookTotals, dataset: Dataset) -> Comparison:
    """Compare per account, and for journal lines their number too; an account without movement is as good as absent."""
    same_count: bool | None = None
    if dataset is Dataset.JOURNAL_LINES and erp.count is not None:
        same_count = erp.count == book.rows
    if erp.by_account is None:
        return Comparison(same_count, erp, book)
    differences = _differences(erp.by_account, book.by_account)
    total = add_money(less(found.erp, found.book).copy_abs() for found in differences)
    return Comparison(same_count is not False and not differences, erp, book, total, differences)


def _differences(erp: Mapping[str, Decimal], book: Mapping[str, Decimal]) -> tuple[AccountDifference, ...]:
    zero = Decimal(0)
    pairs = ((account, erp.get(account, zero), book.get(account, zero)) for account in sorted({*erp, *book}))
    return tuple(AccountDifference(*pair) for pair in pairs if pair[1] != pair[2])
