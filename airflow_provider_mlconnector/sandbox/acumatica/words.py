# SPDX-License-Identifier: Apache-2.0
"""The books' codes as this site writes them: periods, subaccounts, modules, account types."""

from __future__ import annotations

from functools import lru_cache

from airflow_provider_mlconnector.finance.periods import Period, parse_key
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import Category

DEPARTMENT_WIDTH = 8
LOCATION = "00"
"""The second segment of every subaccount; the first one is the department, filled with blanks."""

NO_DEPARTMENT = "0" * DEPARTMENT_WIDTH
NO_PROJECT = "X"
"""Code of the project that stands for none."""

SEGMENTS = f"DEPARTMENT {DEPARTMENT_WIDTH}, LOCATION {len(LOCATION)}"

MODULES = {
    "SALES": "AR",
    "CASHRECJNL": "AR",
    "PURCHASES": "AP",
    "PAYMENTJNL": "AP",
    "INVTPCOST": "IN",
    "FAGLJNL": "FA",
}
"""Module by the journal that a line came through; GL for all others."""

ACCOUNT_TYPES = {
    Category.ASSETS: "Asset",
    Category.LIABILITIES: "Liability",
    Category.EQUITY: "Liability",
    Category.INCOME: "Income",
    Category.COST_OF_GOODS_SOLD: "Expense",
    Category.EXPENSE: "Expense",
    Category.NONE: "Asset",
}
CREDIT_TYPES = frozenset({"Liability", "Income"})
"""Types of which a credit balance is written without a sign."""


def period_text(key: str) -> str:
    """Return a fiscal period as records name it, such as ``052027`` for FY2027-P05."""
    year, number = parse_key(key)
    return f"{number:02d}{year:04d}"


@lru_cache(maxsize=1000)
def period_key(text: str) -> str:
    """Return the key of a period that a client named, such as ``052027`` or ``05-2027``.

    :raises ValueError: when it is none.
    """
    plain = text.replace("-", "")
    if len(plain) != len("052027") or not plain.isdecimal():
        raise ValueError(f"'{text}' is no period")
    return f"FY{plain[2:]}-P{plain[:2]}"


def period_of(books: Books, text: str) -> Period | None:
    """Return the period of the books that a client named; None when there is no such period."""
    try:
        return books.period(period_key(text))
    except ValueError:
        return None


def subaccount(department: str) -> str:
    """Return the subaccount of a department; the empty code is that of none."""
    return (department or NO_DEPARTMENT).ljust(DEPARTMENT_WIDTH) + LOCATION


def department_of(code: str) -> str:
    """Return the department of a subaccount; empty for that of none."""
    department = code[:DEPARTMENT_WIDTH].rstrip()
    return "" if department == NO_DEPARTMENT else department
