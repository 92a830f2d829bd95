# SPDX-License-Identifier: Apache-2.0
"""General journal entries that were not posted (GL10000, GL10001) and their batches (SY00500), of one company.

An entry keeps its number and its reference when it is posted; its lines keep the number of the document they came from.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.books import Books, NewLine
from airflow_provider_mlconnector.sandbox.dynamics_gp.chart import account_id, departments, posting_accounts
from airflow_provider_mlconnector.sandbox.dynamics_gp.journals import Journals

SOURCE = "GL_Normal"
"""What the batches of the general journal are called by as a kind."""
SINGLE_USE = "SingleUse"
STEP = 500
"""Between the sequence numbers of two lines."""
_FIRST_NUMBER = 70_000
"""From which on entries are numbered that bring no number of their own."""


@dataclass(slots=True)
class DraftLine:
    """A line of an entry; ``document`` is the number of the document that it came from."""

    sequence: int
    account: str
    debit: Decimal
    credit: Decimal
    description: str
    document: str


@dataclass(slots=True)
class DraftEntry:
    """An entry that was not posted; one that a person voided is history, and its number is not given again."""

    number: int
    day: date
    batch: str
    reference: str
    source: str
    ledger: str
    lines: list[DraftLine]
    modified_at: datetime
    voided: bool = False


@dataclass(slots=True)
class GlBatch:
    """A batch; ``status`` is 0 for one that can be worked on, and another number while it is marked or being posted."""

    id: str
    created_at: datetime
    status: int = 0
    approved: bool = False
    frequency: str = SINGLE_USE


@dataclass
class Drafts:
    """The entries of one company that were not posted."""

    books: Books
    journals: Journals
    entries: dict[int, DraftEntry] = field(default_factory=dict)
    batches: dict[str, GlBatch] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(_FIRST_NUMBER))

    def is_taken(self, number: int) -> bool:
        """Say whether an entry has a number, posted or not."""
        return number in self.entries or self.journals.is_taken(number)

    def next_number(self) -> int:
        """Return the number of an entry that brings none."""
        return next(number for number in self._numbers if not self.is_taken(number))

    def add(self, entry: DraftEntry) -> None:
        """Save an entry; a batch that is not there is made."""
        self.batch(entry.batch)
        self.entries[entry.number] = entry

    def save(self, day: date, batch: str, lines: Sequence[NewLine]) -> DraftEntry:
        """Let a person save an entry under the next number."""
        drafted = [
            DraftLine(
                sequence=place * STEP,
                account=account_id(self.books, line.account, line.department),
                debit=max(line.amount, Decimal(0)),
                credit=max(-line.amount, Decimal(0)),
                description=line.description,
                document=line.external_document,
            )
            for place, line in enumerate(lines, start=1)
        ]
        number, now = self.next_number(), self.books.clock.now()
        entry = DraftEntry(number, day, batch, "Saved", "GJ", "Base", drafted, now)
        self.add(entry)
        return entry

    def clear(self) -> None:
        """Delete all entries and batches."""
        self.entries.clear()
        self.batches.clear()

    def batch(self, name: str) -> GlBatch:
        """Return a batch, made if it is not there."""
        return self.batches.setdefault(name, GlBatch(name, self.books.clock.now()))

    def standing(self) -> list[DraftEntry]:
        """Return the entries that can be posted, in order of their numbers."""
        return [entry for _, entry in sorted(self.entries.items()) if not entry.voided]

    def post(self, number: int) -> list[int]:
        """Let a person post an entry, and return its entry numbers in the books; an empty batch goes with it.

        :raises KeyError: when there is no such entry.
        :raises ValueError: when the books refuse it.
        """
        entry = self.entries[number]
        places = self._places()
        lines = [
            NewLine(
                places[line.account][0],
                line.debit - line.credit,
                places[line.account][1],
                description=line.description,
                external_document=line.document,
            )
            for line in entry.lines
        ]
        posted = self.books.post_document(entry.day, lines, document=entry.reference)
        self.journals.number_posted(posted[0], entry.day, number)
        self.remove(number)
        return posted

    def void(self, number: int) -> None:
        """Let a person void an entry: it is history from now on, and nothing of it was ever posted.

        :raises KeyError: when there is no such entry.
        """
        entry = self.entries[number]
        entry.voided, entry.modified_at = True, self.books.clock.now()

    def remove(self, number: int) -> None:
        """Delete an entry, and its batch when nothing is left in it.

        :raises KeyError: when there is no such entry.
        """
        batch = self.entries.pop(number).batch
        if all(entry.batch != batch for entry in self.entries.values()):
            self.batches.pop(batch, None)

    def _places(self) -> dict[str, tuple[str, str]]:
        """Return account and department by the whole number of an account."""
        return {
            account_id(self.books, account.number, code): (account.number, code)
            for account in posting_accounts(self.books)
            for code in departments(self.books)
        }
