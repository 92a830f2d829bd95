# SPDX-License-Identifier: Apache-2.0
"""One company's books, and how people change them: by posting, and by what ledgers are not meant to go through.

Deterministic by seed and scale until somebody posts. All amounts are ``Decimal`` with two decimals, debit minus credit.
Income accounts run on over the end of a fiscal year unless somebody closes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books.codes import cents, milliseconds
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, PROJECT
from airflow_provider_mlconnector.sandbox.books.lines import (
    ACTUAL,
    ENTRY_KINDS,
    JOURNAL,
    KINDS,
    LINE,
    NEVER_MODIFIED,
    REVERSAL,
    YEAR_END,
    Kind,
    Line,
)
from airflow_provider_mlconnector.sandbox.books.periods import packed
from airflow_provider_mlconnector.sandbox.books.reading import Balance, BooksToRead
from airflow_provider_mlconnector.sandbox.books.selection import Selection

__all__ = ["Balance", "Books", "NewLine", "Posting"]

_CLOSED = Selection(actual_only=True, statistical=False)


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to post; ``amount`` is debit minus credit in company currency, at most two decimals.

    :param currency: of the document, where it is another one; ``currency_amount`` is the amount in it.
    :param external_document: the number that others know its document by.
    """

    account: str
    amount: Decimal
    department: str = ""
    project: str = ""
    description: str = ""
    currency: str = ""
    currency_amount: Decimal = Decimal(0)
    external_document: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """What is unusual about a document.

    :param kind: why it is posted.
    :param period: key of the fiscal period that it counts in, where that is not the one of its date.
    :param ledger: ledger or posting layer.
    :param storno: negative debits stand for credits, and the other way round.
    :param modified_at: stamp that its lines get, be it earlier than others; the clock's time unless given.
    :param document: what sort of document it is.
    """

    kind: EntryKind = EntryKind.NORMAL
    period: str = ""
    ledger: str = ACTUAL
    storno: bool = False
    modified_at: datetime | None = None
    document: Kind = JOURNAL


USUAL = Posting()


class Books(BooksToRead):
    """One company's books: master data, periods and the ledger. Safe for threads."""

    def close_period(self, key: str) -> None:
        """Close a period."""
        self._closed.add(self.period(key).key)

    def reopen_period(self, key: str) -> None:
        """Open a closed period again."""
        self._closed.discard(key)

    def post_document(
        self,
        posting_date: date,
        lines: Sequence[NewLine],
        *,
        document: str = "",
        balanced: bool = True,
        how: Posting = USUAL,
    ) -> list[int]:
        """Post a journal document and return its entry numbers.

        :param balanced: False posts one that does not come to zero, which only a test would; lines of statistical
            accounts are no part of a balance.
        :raises ValueError: when it is not balanced, or names an account or dimension value that is none to post to.
        """
        total = sum((line.amount for line in lines if not self._is_statistical(line.account)), Decimal(0))
        if balanced and total:
            raise ValueError(f"the document does not come to zero, but to {total}")
        rows = np.zeros(len(lines), LINE)
        rows["day"] = posting_date.toordinal()
        rows["kind"] = KINDS.index(how.document)
        rows["document"] = self.texts.place(document or f"G{len(self.texts.all):05d}")
        rows["entry_kind"] = ENTRY_KINDS.index(how.kind)
        rows["period"] = packed(self.period(how.period)) if how.period else 0
        rows["ledger"] = self.ledgers.place(how.ledger)
        rows["storno"] = how.storno
        for row, line in zip(rows, lines, strict=True):
            self._fill(row, line, takes_over=how.document is not JOURNAL)
        stamp = milliseconds(how.modified_at or self.clock.now())
        return self.ledger.append(rows, stamp, exactly=how.modified_at is not None)

    def post_line(self, posting_date: date, line: NewLine, *, document: str = "", how: Posting = USUAL) -> int:
        """Post one line alone, which leaves the ledger out of balance, and return its entry number."""
        return self.post_document(posting_date, [line], document=document, balanced=False, how=how)[0]

    def change_line(self, entry: int, **values: Any) -> Line:
        """Change a posted line as a data fix would, or a correction of its dimensions, and return it.

        :param values: any of amount, account, department, project, description, posting_date, period.
        :raises KeyError: when there is no such line.
        :raises ValueError: for anything else to change.
        """
        self.ledger.change(entry, milliseconds(self.clock.now()), **self._as_fields(values))
        return self.line(entry)

    def correct_amount(self, entry: int, amount: Decimal) -> list[int]:
        """Correct a line as an accountant would: reverse it, post it anew, and the difference to accruals."""
        line = self.line(entry)
        again = (line.department, line.project, line.description)
        lines = [NewLine(line.account, -line.amount, *again), NewLine(line.account, amount, *again)]
        if amount != line.amount:
            lines.append(NewLine(self.company.differences, line.amount - amount, description=line.description))
        self.ledger.change(entry, milliseconds(self.clock.now()), reversed=1)
        return self.post_document(line.posting_date, lines, document=line.document)

    def reverse_document(self, entry: int, *, storno: bool = False) -> list[int]:
        """Reverse the document that a line belongs to, on the same day and in the same period; both are marked.

        :param storno: with negative debits and credits instead of the other side.
        :raises KeyError: when there is no such line.
        """
        one = self.line(entry)
        lines = [
            line for line in self.lines() if (line.document, line.posting_date) == (one.document, one.posting_date)
        ]
        for line in lines:
            self.ledger.change(line.entry_number, milliseconds(self.clock.now()), reversed=1)
        own = "" if self.company.fiscal.period_of(one.posting_date).key == one.period else one.period
        how = Posting(one.kind, own, one.ledger, storno=storno, document=REVERSAL)
        taken_back = [self._taken_back(line) for line in lines]
        entries = self.post_document(one.posting_date, taken_back, document=one.document, balanced=False, how=how)
        for reversal in entries:
            self.ledger.change(reversal, milliseconds(self.clock.now()), reversed=1)
        return entries

    def delete_line(self, entry: int) -> None:
        """Make a line vanish without a trace.

        :raises KeyError: when there is none.
        """
        self.ledger.delete(entry)

    def stamp_line(self, entry: int, modified_at: datetime | None) -> Line:
        """Give a line this modified stamp, or none, and nothing else; return it.

        :raises KeyError: when there is no such line.
        """
        self.ledger.restamp(entry, NEVER_MODIFIED if modified_at is None else milliseconds(modified_at))
        return self.line(entry)

    def roll_back(self, entry: int, *, same_ids: bool = False) -> int:
        """Undo every posting from an entry number on, as a transaction does that fails after it was seen.

        The numbers are given out again. Return how many lines went.

        :param same_ids: the lines that get them get the record ids, too.
        :raises KeyError: when there is no such line, or nobody posted it.
        """
        return self.ledger.roll_back(entry, same_ids=same_ids)

    def close_year(self, year: int) -> list[int]:
        """Move what is left of a fiscal year on the income accounts to retained earnings; return the entry numbers.

        The closing entries carry the departments of what they close, and the year's last day.
        """
        net: dict[tuple[str, str], Decimal] = {}
        for number in range(1, self.company.fiscal.last_number + 1):
            for cell, amount in self.trial_balance_by_department(f"FY{year}-P{number:02d}", _CLOSED).items():
                net[cell] = net.get(cell, Decimal(0)) + amount
        left = {cell: amount for cell, amount in net.items() if amount and not self.account(cell[0]).on_balance_sheet}
        if not left:
            return []
        text = f"Closing of FY{year}"
        lines = [NewLine(account, -amount, department, "", text) for (account, department), amount in left.items()]
        lines.append(NewLine(self.company.retained_earnings, sum(left.values(), Decimal(0)), description=text))
        last = self.period(f"FY{year}-P12")
        how = Posting(EntryKind.CLOSING, document=YEAR_END)
        return self.post_document(last.end, lines, document=f"CLOSE{year}", how=how)

    def _fill(self, row: Any, line: NewLine, *, takes_over: bool) -> None:
        """Fill a row; ``takes_over`` dimension values from posted lines, even those that were deleted since."""
        place = self._place_again if takes_over else self.value_place
        row["account"] = self._posting_place(line.account)
        row["cents"] = cents(line.amount)
        row["department"] = place(DEPARTMENT, line.department)
        row["project"] = place(PROJECT, line.project)
        row["text"] = self.texts.place(line.description)
        row["reference"] = self.texts.place(line.external_document)
        row["currency"] = self.currencies.place(line.currency) if line.currency else 0
        row["foreign"] = cents(line.currency_amount)

    def _place_again(self, dimension: str, code: str) -> int:
        return self.codes_of(dimension).place(code)

    def _taken_back(self, line: Line) -> NewLine:
        back = NewLine(line.account, -line.amount, line.department, line.project, line.description)
        if line.currency == self.currency:
            return back
        return replace(back, currency=line.currency, currency_amount=-line.currency_amount)

    def _is_statistical(self, number: str) -> bool:
        place = self._places.get(number)
        return place is not None and self.accounts[place].statistical

    def _posting_place(self, number: str) -> int:
        place = self._places.get(number)
        if place is None or self.accounts[place].type != "Posting":
            raise ValueError(f"'{number}' is no posting account")
        return place

    def _as_fields(self, values: Mapping[str, Any]) -> dict[str, int]:
        """Return changes in the words of a line as fields of a row."""
        readers: dict[str, tuple[str, Any]] = {
            "amount": ("cents", cents),
            "account": ("account", self._posting_place),
            "department": ("department", lambda code: self.value_place(DEPARTMENT, code)),
            "project": ("project", lambda code: self.value_place(PROJECT, code)),
            "description": ("text", self.texts.place),
            "posting_date": ("day", date.toordinal),
            "period": ("period", lambda key: packed(self.period(key))),
        }
        unknown = values.keys() - readers.keys()
        if unknown:
            raise ValueError(f"a line has no {', '.join(sorted(unknown))} to change, only {', '.join(readers)}")
        return {readers[name][0]: readers[name][1](value) for name, value in values.items()}
