# SPDX-License-Identifier: Apache-2.0
"""Journals that a plan becomes: what is to be written to a ledger, and the bytes that a person approves.

Amounts are debit minus credit in company currency, in cents (two decimals) unless the flow says otherwise.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from airflow_provider_mlconnector.finance.money import add_money

KEY_LENGTH = 20
"""Characters of a document key: what the shortest field that must hold one has room for."""

KEY_PATTERN = "AP[A-F][0-9A-F]{15}"
"""What a document key looks like, as a regular expression: the letter after ``AP`` tells it from a number series."""

_KEY = re.compile(KEY_PATTERN)
_LETTERS = "ABCDEF"


class JournalLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a journal.

    :param number: from 1, in the journal's order.
    :param account: as the ERP calls it.
    :param dimensions: value by dimension code, sorted by code; "" values are left out.
    :param amount: debit minus credit; never 0.
    """

    number: int
    account: str
    dimensions: tuple[tuple[str, str], ...] = ()
    amount: Decimal
    description: str = ""

    @property
    def dimension(self) -> Mapping[str, str]:
        """The value by dimension code."""
        return dict(self.dimensions)


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """One document to be written as a draft; its debits equal its credits.

    :param key: names it in the ledger and on the trail, the same in every run: see :func:`document_key`.
    :param period: key of the fiscal period.
    :param posting_date: a day of that period.
    """

    key: str
    period: str
    posting_date: date
    description: str
    lines: tuple[JournalLine, ...]

    @property
    def debit(self) -> Decimal:
        """The sum of its debits, which is that of its credits."""
        return add_money(line.amount for line in self.lines if line.amount > 0)


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """All journals of one run of a plan: what is approved, and written.

    :param periods: keys of the fiscal periods that the run is about, with or without a journal.
    :param name: of the batch or journal name in the ledger that they are written into.
    """

    flow: str
    plan: str
    company: str
    periods: tuple[str, ...]
    version: str
    name: str
    journals: tuple[Journal, ...]

    def encode(self) -> bytes:
        """Return the bytes that are approved; the same for equal payloads."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def decode(cls, data: bytes) -> Payload:
        """Read what :meth:`encode` wrote."""
        return msgspec.json.decode(data, type=cls)


def payload_digest(data: bytes) -> str:
    """Return the sha256 (hex) that a person approves."""
    return hashlib.sha256(data).hexdigest()


def document_key(*parts: str) -> str:
    """Return the key of a document: ``AP``, a letter and 15 hex digits of what makes it the one it is.

    The same flow, plan, company, period, version and part give the same key in every run, so that what an earlier run
    wrote is found. Two documents share one by chance once in 2**31 documents or so, and are then told apart by nothing:
    62 bits are enough for a ledger.
    """
    mark = hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:16].upper()
    return f"AP{_LETTERS[int(mark[0], 16) % len(_LETTERS)]}{mark[1:]}"


def is_document_key(text: str) -> bool:
    """Say whether a document's number is one of ours."""
    return _KEY.fullmatch(text) is not None


def totals_by_account(journals: Sequence[Journal]) -> dict[str, Decimal]:
    """Return the net amount per account, sorted by account."""
    amounts: defaultdict[str, list[Decimal]] = defaultdict(list)
    for journal in journals:
        for line in journal.lines:
            amounts[line.account].append(line.amount)
    return {account: add_money(amounts[account]) for account in sorted(amounts)}
