# SPDX-License-Identifier: Apache-2.0
"""Journals as they stand before and after a person released them, and how our own are known.

The description of a journal begins with its key, and each line's reference with the beginning of the key, followed by
the line's number in the plan: references have room for 15 characters.
"""

from __future__ import annotations

from decimal import Decimal

from airflow_provider_mlconnector.finance.drafts import Journal, JournalLine, is_document_key
from airflow_provider_mlconnector.finance.money import add_money
from airflow_provider_mlconnector.systems.acumatica.lists import all_of
from airflow_provider_mlconnector.systems.acumatica.wrapped import (
    NOTHING,
    Entity,
    Flag,
    Moment,
    Money,
    Record,
    Text,
    Whole,
    literal,
)

MODULE = "GL"
DESCRIPTION_ROOM, TEXT_ROOM, REFERENCE_ROOM = 512, 512, 15
"""Characters of a journal's description, a line's text and a line's reference; what is longer would be cut off."""

_MARK = 9
_ZERO = Decimal(0)


class StandingLine(Record):
    """A line of a journal; amounts are in the currency of the journal."""

    LineNbr: Whole
    Account: Text
    Subaccount: Text
    DebitAmount: Money
    CreditAmount: Money
    ReferenceNbr: Text
    BranchID: Text = NOTHING
    TransactionDescription: Text = NOTHING

    @property
    def amount(self) -> Decimal:
        """Debit less credit."""
        return add_money([self.DebitAmount.value or _ZERO, (self.CreditAmount.value or _ZERO).copy_negate()])


class StandingJournal(Record):
    """A batch of the general ledger, released or not."""

    Module: Text
    BatchNbr: Text
    Status: Text
    Hold: Flag
    Description: Text
    PostPeriod: Text
    TransactionDate: Moment
    LedgerID: Text
    CurrencyID: Text
    BranchID: Text
    Details: tuple[StandingLine, ...]

    @property
    def number(self) -> str:
        """The number that a person looks it up by."""
        return self.BatchNbr.value or ""

    @property
    def keys(self) -> dict[str, object]:
        """The fields by which a request names it."""
        return {"Module": {"value": self.Module.value}, "BatchNbr": {"value": self.number}}

    @property
    def is_open(self) -> bool:
        """Whether nobody has released it yet."""
        return self.Status.value in _OPEN

    @property
    def is_bare(self) -> bool:
        """Whether it is on hold and has no lines, as a batch is right after it was made."""
        return bool(self.Hold.value) and not self.Details


_OPEN = frozenset({"On Hold", "Balanced", "Pending Approval", "Rejected", "Scheduled"})

STANDING = Entity("JournalTransaction", StandingJournal, keys=("Module", "BatchNbr"), details=("Details",))


def where_standing(journal: Journal) -> str:
    """Return the filter of the batches under a journal's key; one that somebody voided counts as none."""
    return all_of(
        f"Module eq {literal(MODULE)}", f"startswith(Description,{literal(journal.key)})", "Status ne 'Voided'"
    )


def description_of(journal: Journal) -> str:
    """Return what the description of a journal is to be."""
    return f"{journal.key} {journal.description}".strip()


def is_plan_journal(description: str) -> bool:
    """Say whether a journal's description is that of one of our own."""
    return is_document_key(description.partition(" ")[0])


def text_of(journal: Journal, line: JournalLine) -> str:
    """Return what the text of a line is to be: never empty, lest the form fill it in."""
    return (line.description or journal.description).strip()


def reference_of(journal: Journal, number: int) -> str:
    """Return the reference of a line, which tells it from the others."""
    return f"{journal.key[:_MARK]}-{number:05d}"


def number_of(journal: Journal, reference: str) -> int:
    """Return the number that a reference was made of; 0 for one that is not the journal's."""
    mark, _, number = reference.partition("-")
    return int(number) if mark == journal.key[:_MARK] and number.isdecimal() else 0
