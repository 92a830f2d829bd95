# SPDX-License-Identifier: Apache-2.0
"""``trialBalances``: amounts as text, in the language of the request, for the dates of its filter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import Account, AccountType, Category
from airflow_provider_mlconnector.sandbox.books.ledger import Sums
from airflow_provider_mlconnector.sandbox.business_central.general_ledger import plain, shown_accounts, sums_between
from airflow_provider_mlconnector.sandbox.business_central.tenant import record_id
from airflow_provider_mlconnector.sandbox.business_central.wire import enum_name
from airflow_provider_mlconnector.sandbox.odata.filters import Comparison, Node, conjunction
from airflow_provider_mlconnector.sandbox.odata.rows import Row

FIELDS = (
    "number",
    "accountId",
    "accountType",
    "display",
    "totalDebit",
    "totalCredit",
    "balanceAtDateDebit",
    "balanceAtDateCredit",
    "dateFilter",
)

_SEPARATORS = {
    "de": ".,",
    "es": ".,",
    "it": ".,",
    "nl": ".,",
    "da": ".,",
    "fr": "\u202f,",
    "fi": "\u00a0,",
    "sv": "\u00a0,",
    "de-ch": "’.",
}
_ENGLISH = ",."
_BALANCE_SHEET_TOTAL = "19999"


def trial_balance_rows(books: Books, first: int, last: int, language: str) -> Iterator[Row]:
    """Yield a row per account: what was posted between two places in time, and the balance at the last."""
    moved = _by_account(books, sums_between(books, first, last))
    before = _by_account(books, sums_between(books, plain(date.min), first - 1))
    for account in shown_accounts(books):
        posting = summed_accounts(books, account)
        debit = sum((moved[number][0] for number in posting), Decimal(0))
        credit = sum((moved[number][1] for number in posting), Decimal(0))
        opening = sum((before[number][0] - before[number][1] for number in posting), Decimal(0))
        balance = opening + debit - credit
        amounts = (debit, credit, max(balance, Decimal(0)), max(-balance, Decimal(0)))
        texts = (format_amount(amount, language) for amount in amounts)
        cells = (account.number, record_id("account", account.number), enum_name(account.type), account.name, *texts)
        yield dict(zip(FIELDS, (*cells, date.fromordinal(last // 2)), strict=True))


def summed_accounts(books: Books, account: Account) -> list[str]:
    """Return the numbers of the posting accounts whose entries an account shows."""
    match account.type:
        case AccountType.POSTING:
            return [account.number]
        case AccountType.END_TOTAL:
            return _within_total(books, account)
        case AccountType.TOTAL:
            assets = account.number == _BALANCE_SHEET_TOTAL
            wanted = {Category.ASSETS} if assets else {Category.INCOME, Category.COST_OF_GOODS_SOLD, Category.EXPENSE}
            return [other.number for other in books.accounts if other.category in wanted and _posts(other)]
        case _:
            return []


def date_range(wanted: Node | None, today: date) -> tuple[int, int]:
    """Return the first and last place in time that a filter on ``dateFilter`` asks for; without one, all up to today.

    A day's closing entries lie after the day and before the next: ``le`` leaves them out, ``lt`` of the next does not.
    """
    first, last = plain(date.min), plain(today)
    for condition in conjunction(wanted):
        match condition:
            case Comparison("dateFilter", "ge", date() as day):
                first = plain(day)
            case Comparison("dateFilter", "gt", date() as day):
                first = plain(day) + 1
            case Comparison("dateFilter", "le", date() as day):
                last = plain(day)
            case Comparison("dateFilter", "lt", date() as day):
                last = plain(day) - 1
            case Comparison("dateFilter", "eq", date() as day):
                first = last = plain(day)
    return first, last


def format_amount(amount: Decimal, accept_language: str) -> str:
    """Return an amount as people of that language write it, such as ``72,893.84`` or ``72.893,84``."""
    language = accept_language.split(",")[0].partition(";")[0].strip().lower()
    separators = _SEPARATORS.get(language) or _SEPARATORS.get(language[:2], _ENGLISH)
    return f"{amount:,.2f}".translate(str.maketrans(_ENGLISH, separators))


def _by_account(books: Books, sums: Sums) -> dict[str, tuple[Decimal, Decimal]]:
    """Return debits and credits of every account."""
    pairs = zip(sums.debit.sum(axis=1), sums.credit.sum(axis=1), strict=True)
    amounts = ((Decimal(int(debit)).scaleb(-2), Decimal(int(credit)).scaleb(-2)) for debit, credit in pairs)
    return {account.number: pair for account, pair in zip(books.accounts, amounts, strict=True)}


def _posts(account: Account) -> bool:
    return account.type is AccountType.POSTING


def _within_total(books: Books, total: Account) -> list[str]:
    """Return the posting accounts between a total's beginning and its end."""
    numbers = [account.number for account in books.accounts]
    end = numbers.index(total.number)
    begin = max(
        place
        for place, account in enumerate(books.accounts[:end])
        if account.type is AccountType.BEGIN_TOTAL and account.indentation == total.indentation
    )
    return [account.number for account in books.accounts[begin:end] if _posts(account)]
