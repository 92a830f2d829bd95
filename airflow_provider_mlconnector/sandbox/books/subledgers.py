# SPDX-License-Identifier: Apache-2.0
"""Invoices, told from the posted documents: what vendors and customers sent or got, and what of it is unpaid.

An invoice falls due thirty days after its date, and is paid on that day: the open amount of an invoice is all of it or
nothing, whatever the payments in the ledger say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from airflow_provider_mlconnector.sandbox.books.books import Books
from airflow_provider_mlconnector.sandbox.books.lines import (
    PURCHASE_INVOICE,
    SALES_INVOICE,
    DocumentType,
    Kind,
    Line,
)
from airflow_provider_mlconnector.sandbox.books.periods import TODAY

DAYS_TO_PAY = 30
_PAYABLES = "20100"
_RECEIVABLES = "10200"


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as its sub-ledger holds it; amounts are positive where money is owed, with two decimals.

    :param party: number of the vendor or customer.
    :param reference: the vendor's own number, or the customer's order.
    :param postings: the lines of the general ledger.
    """

    number: str
    party: str
    reference: str
    day: date
    amount: Decimal
    open_amount: Decimal
    modified_at: datetime | None
    postings: tuple[Line, ...]

    @property
    def due(self) -> date:
        """Return the day until which it has to be paid."""
        return self.day + timedelta(days=DAYS_TO_PAY)


def ap_invoices(books: Books, period: str | None = None) -> Iterator[Invoice]:
    """Yield the vendors' invoices of a period, or all, in order of posting."""
    return _invoices(books, period, PURCHASE_INVOICE, _PAYABLES, sign=-1)


def ar_invoices(books: Books, period: str | None = None) -> Iterator[Invoice]:
    """Yield the invoices to customers of a period, or all, in order of posting."""
    return _invoices(books, period, SALES_INVOICE, _RECEIVABLES, sign=1)


def _invoices(books: Books, period: str | None, kind: Kind, control_account: str, *, sign: int) -> Iterator[Invoice]:
    """Group the lines of one kind of document; the lines of a document follow each other."""
    lines = (line for line in books.lines(period) if _is_of(line, kind))
    for number, group in groupby(lines, key=lambda line: line.document):
        postings = tuple(group)
        first = postings[0]
        owed = sum((line.amount for line in postings if line.account == control_account), Decimal(0)) * sign
        due = first.posting_date + timedelta(days=DAYS_TO_PAY)
        yield Invoice(
            number=number,
            party=first.party,
            reference=first.external_document or f"PO {number[-6:]}",
            day=first.posting_date,
            amount=owed,
            open_amount=owed if due >= TODAY else Decimal("0.00"),
            modified_at=max((line.modified_at for line in postings if line.modified_at), default=None),
            postings=postings,
        )


def _is_of(line: Line, kind: Kind) -> bool:
    return line.document_type is DocumentType.INVOICE and line.source == kind.source
