# SPDX-License-Identifier: Apache-2.0
"""What of the books Business Central's general ledger holds, and on which days.

Statistical accounts have a ledger of their own there, and posting layers are unknown. A closing entry carries a closing
date: the APIs write it as the plain day, but it lies after that day and before the next.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.company import Account
from airflow_provider_mlconnector.sandbox.books.ledger import Sums
from airflow_provider_mlconnector.sandbox.books.lines import ENTRY_KINDS, Rows
from airflow_provider_mlconnector.sandbox.books.selection import Mask, Selection
from airflow_provider_mlconnector.sandbox.odata.filters import Column

CLOSING = ENTRY_KINDS.index(EntryKind.CLOSING)
_SHOWN = Selection(actual_only=True, statistical=False)
_ORDINAL_OF_EPOCH = date(1970, 1, 1).toordinal()


def shown_accounts(books: Books) -> tuple[Account, ...]:
    """Return the chart of accounts without those that are statistical."""
    return tuple(account for account in books.accounts if not account.statistical)


def shown_rows(books: Books, rows: Rows) -> Rows:
    """Return the rows that are general ledger entries."""
    places = books.statistical_places()
    if not places and not rows["ledger"].any():
        return rows
    return rows[_SHOWN.lines_of(rows, places)]


def posting_days(rows: Rows) -> Column:
    """Return the posting dates so that they can be compared; a closing date is the noon of its day."""
    days = np.asarray(rows["day"] - _ORDINAL_OF_EPOCH).astype("datetime64[D]")
    closing = rows["entry_kind"] == CLOSING
    if not closing.any():
        return days
    return np.asarray(days.astype("datetime64[h]") + np.where(closing, 12, 0).astype("timedelta64[h]"))


def plain(day: date) -> int:
    """Return a day's place in time, on which its ordinary entries lie; its closing entries lie on the next place."""
    return 2 * day.toordinal()


def sums_between(books: Books, first: int, last: int) -> Sums:
    """Return debits and credits between two places in time, as :func:`plain` counts them, both included."""
    places = books.statistical_places()

    def wanted(rows: Rows) -> Mask:
        at = 2 * rows["day"].astype(np.int64) + (rows["entry_kind"] == CLOSING)
        return np.asarray(_SHOWN.lines_of(rows, places) & (first <= at) & (at <= last), np.bool_)

    first_day, last_day = max(1, (first + 1) // 2), max(1, last // 2)
    days = date.fromordinal(first_day), date.fromordinal(last_day)
    return books.ledger.sums(*days, len(books.departments.all), wanted)
