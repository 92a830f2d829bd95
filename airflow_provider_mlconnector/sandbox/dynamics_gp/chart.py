# SPDX-License-Identifier: Apache-2.0
"""Accounts as Dynamics GP numbers them: a segment for the account, one for the department, joined by a separator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, Account, AccountType, Category, ValueType

NO_DEPARTMENT = "000"
_NUMBERS = {
    "ADM": "100",
    "FIN": "110",
    "HR": "120",
    "IT": "130",
    "LEGAL": "140",
    "SALES": "200",
    "MKT": "210",
    "SUP": "220",
    "TRN": "230",
    "PROD": "300",
    "QA": "310",
    "RND": "400",
    "LOG": "500",
    "LEGACY": "900",
}
_CREDITS = frozenset({Category.LIABILITIES, Category.EQUITY, Category.INCOME})


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of the account number."""

    number: int
    name: str
    length: int
    is_main: bool = False


SEGMENTS = (Segment(1, "Account", 9, is_main=True), Segment(2, "Department", 9))


@dataclass(frozen=True, slots=True)
class GpAccount:
    """An account of the ledger: one for each account and department of the books."""

    index: int
    id: str
    account: Account
    segment: str
    description: str
    modified_at: datetime

    @property
    def typical_balance(self) -> str:
        """Return the side on which its balance usually is."""
        return "Credit" if self.account.category in _CREDITS else "Debit"


def separator_of(books: Books) -> str:
    """Return what joins the segments: the first usual sign that no account number holds."""
    return next(sign for sign in "-|" if all(sign not in account.number for account in books.accounts))


def segment_of(department: str) -> str:
    """Return the segment value of a department's code."""
    return _NUMBERS.get(department, department) or NO_DEPARTMENT


def account_id(books: Books, number: str, department: str) -> str:
    """Return the whole number of an account."""
    return separator_of(books).join((number, segment_of(department)))


def posting_accounts(books: Books) -> list[Account]:
    """Return the accounts of the books that can be posted to."""
    return [account for account in books.accounts if account.type is AccountType.POSTING]


def departments(books: Books) -> dict[str, str]:
    """Return code and name of every department that there is or was posted to, the blank one first."""
    values = {value.code: value.name for value in books.values(DEPARTMENT) if value.type is ValueType.STANDARD}
    codes = dict.fromkeys(["", *books.departments.all, *values])
    return {code: values.get(code, code) for code in codes}


def gp_accounts(books: Books) -> Iterator[GpAccount]:
    """Yield the accounts of the ledger; their descriptions are those of the segments, joined as GP proposes it."""
    index = 0
    for account in posting_accounts(books):
        for code, name in departments(books).items():
            index += 1
            description = f"{account.name} - {name}" if code else account.name
            whole = account_id(books, account.number, code)
            changed = books.changed_at(account.number)
            yield GpAccount(index, whole, account, segment_of(code), description, changed)
