# SPDX-License-Identifier: Apache-2.0
"""What the control routes of the books are sent."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books.books import NewLine, Posting
from airflow_provider_mlconnector.sandbox.books.lines import ACTUAL


class DocumentBody(BaseModel):
    """A document to post; ``balanced`` false lets it come to something else than zero.

    The rest is as :class:`~airflow_provider_mlconnector.sandbox.books.books.Posting` says.
    """

    posting_date: date
    lines: list[NewLine]
    document: str = ""
    balanced: bool = True
    kind: EntryKind = EntryKind.NORMAL
    period: str = ""
    ledger: str = ACTUAL
    storno: bool = False
    modified_at: datetime | None = None

    def posting(self) -> Posting:
        """Return what is unusual about it."""
        return Posting(self.kind, self.period, self.ledger, self.storno, self.modified_at)


class LineChange(BaseModel):
    """What to change in a posted line; only the fields that are given are changed."""

    amount: Decimal | None = None
    account: str | None = None
    department: str | None = None
    project: str | None = None
    description: str | None = None
    posting_date: date | None = None
    period: str | None = None


class Correction(BaseModel):
    """The right amount of a line."""

    amount: Decimal


class Reversal(BaseModel):
    """How a document is reversed: on the other side, or by negative amounts on the same."""

    storno: bool = False


class Stamp(BaseModel):
    """The modified stamp of a line; none for a line that nobody touched since there are stamps."""

    modified_at: datetime | None


class RollBack(BaseModel):
    """Whether the lines that take over entry numbers take over the record ids, too."""

    same_ids: bool = False


class Closing(BaseModel):
    """Whether a period is closed."""

    closed: bool


class AccountChange(BaseModel):
    """What to change in an account; ``parent`` is the number of another, or empty for the top."""

    name: str | None = None
    parent: str | None = None
    blocked: bool | None = None


class ValueBody(BaseModel):
    """A dimension value."""

    name: str = ""
    parent: str = ""
    blocked: bool = False


class ValueChange(BaseModel):
    """What to change in a dimension value; ``code`` is another code for it."""

    code: str = ""
    blocked: bool | None = None


class StockCount(BaseModel):
    """What is in a warehouse of an item, and how much of it is promised to orders."""

    quantity: Decimal
    allocated: Decimal = Decimal(0)


class OrderChange(BaseModel):
    """What of a purchase order is still to be invoiced; nothing left closes it."""

    open_amount: Decimal
