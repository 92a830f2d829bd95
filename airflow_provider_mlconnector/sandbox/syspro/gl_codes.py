# SPDX-License-Identifier: Apache-2.0
"""GL codes: account and cost centre in one code, separated by a dot; ``000`` stands for no cost centre."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import Account, AccountType, Category

NO_COST_CENTRE = "000"
PSEUDO_CODES = ("FORCED", "RETAINED")
"""Codes that SYSPRO keeps for itself; they are no accounts."""

_TYPES = {
    Category.ASSETS: "A",
    Category.LIABILITIES: "L",
    Category.EQUITY: "C",
    Category.INCOME: "R",
    Category.COST_OF_GOODS_SOLD: "E",
    Category.EXPENSE: "E",
}


def gl_code(account: str, department: str) -> str:
    """Return the code of an account in a cost centre."""
    return f"{account}.{department or NO_COST_CENTRE}"


def account_type(account: Account) -> str:
    """Return the letter of an account's type: asset, liability, capital, revenue, expense or statistical."""
    return "S" if account.statistical else _TYPES.get(account.category, "A")


def posting_accounts(books: Books) -> Iterator[tuple[int, Account]]:
    """Yield the accounts that can be posted to, with their places in the chart."""
    return ((place, account) for place, account in enumerate(books.accounts) if account.type is AccountType.POSTING)
