# SPDX-License-Identifier: Apache-2.0
"""A journal line: as a record in an array, of which the ledger holds up to millions, and as an object to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, PROJECT
from airflow_provider_mlconnector.sandbox.books.dice import mix, mix_one

Rows = NDArray[Any]
"""Records of the type :data:`LINE`, in order of entry number."""

LINE = np.dtype(
    [
        ("entry", "i8"),
        ("day", "i4"),  # proleptic ordinal of the posting date
        ("stamp", "i8"),  # milliseconds since the epoch; NEVER_MODIFIED for a row without a stamp
        ("cents", "i8"),  # debit minus credit; 17 digits before the point
        ("account", "i2"),  # place in the chart
        ("department", "i2"),  # place in the table of department codes; 0 for none
        ("project", "i2"),
        ("kind", "u1"),  # place in KINDS
        ("document", "i8"),  # number within the kind; place in the table of texts for journals
        ("text", "i4"),  # place in the table of texts
        ("party", "i2"),  # place among customers, vendors or employees, by kind
        ("reversed", "u1"),
        ("period", "i4"),  # year * 100 + number of a fiscal period other than that of the date; 0 for that of the date
        ("entry_kind", "u1"),  # place in ENTRY_KINDS
        ("ledger", "u1"),  # place in the table of ledgers; 0 for the actual one
        ("currency", "u1"),  # place in the table of currencies; 0 for the company's own
        ("foreign", "i8"),  # amount in hundredths of that currency; of no meaning in the company's own
        ("storno", "u1"),  # a negative debit is written instead of a credit, and the other way round
        ("reference", "i4"),  # external document number of its own: place in the table of texts; 0 for none
        ("life", "u1"),  # how often the entry number was given before to a line that was rolled back
    ]
)

ENTRY_KINDS = (EntryKind.NORMAL, EntryKind.OPENING, EntryKind.ADJUSTING, EntryKind.CLOSING)
ACTUAL = "ACTUAL"
"""The ledger, or posting layer, of what happened; others hold what tax or budget make of it."""

NEVER_MODIFIED = -62_135_596_800_000
"""0001-01-01T00:00:00Z, which a row shows that was never touched since the stamp exists."""


class DocumentType(StrEnum):
    """What posted the line."""

    NONE = " "
    PAYMENT = "Payment"
    INVOICE = "Invoice"
    CREDIT_MEMO = "Credit Memo"


class PartyType(StrEnum):
    """Whose sub-ledger the document belongs to."""

    NONE = " "
    CUSTOMER = "Customer"
    VENDOR = "Vendor"
    EMPLOYEE = "Employee"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document; ``prefix`` begins its numbers, ``source`` is the journal it came through."""

    prefix: str
    type: DocumentType
    source: str
    party: PartyType


JOURNAL = Kind("", DocumentType.NONE, "GENJNL", PartyType.NONE)
SALES_INVOICE = Kind("SI", DocumentType.INVOICE, "SALES", PartyType.CUSTOMER)
SALES_CREDIT = Kind("SC", DocumentType.CREDIT_MEMO, "SALES", PartyType.CUSTOMER)
RECEIPT = Kind("RC", DocumentType.PAYMENT, "CASHRECJNL", PartyType.CUSTOMER)
PURCHASE_INVOICE = Kind("PI", DocumentType.INVOICE, "PURCHASES", PartyType.VENDOR)
VENDOR_PAYMENT = Kind("VP", DocumentType.PAYMENT, "PAYMENTJNL", PartyType.VENDOR)
COST_POSTING = Kind("IC", DocumentType.NONE, "INVTPCOST", PartyType.NONE)
PAYROLL = Kind("PR", DocumentType.NONE, "GENJNL", PartyType.EMPLOYEE)
DEPRECIATION = Kind("FA", DocumentType.NONE, "FAGLJNL", PartyType.NONE)
YEAR_END = Kind("", DocumentType.NONE, "CLSINCOME", PartyType.NONE)
REVERSAL = Kind("", DocumentType.NONE, "REVERSAL", PartyType.NONE)

KINDS = (
    JOURNAL,
    SALES_INVOICE,
    SALES_CREDIT,
    RECEIPT,
    PURCHASE_INVOICE,
    VENDOR_PAYMENT,
    COST_POSTING,
    PAYROLL,
    DEPRECIATION,
    YEAR_END,
    REVERSAL,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One posted journal line.

    :param amount: debit minus credit in company currency, two decimals.
    :param department: code, or empty.
    :param modified_at: UTC, to the millisecond; None for a line that was never touched since stamps exist.
    :param period: key of the fiscal period that the books count it in, which need not be that of its date.
    :param currency: of the document; ``currency_amount`` is the amount in it.
    :param storno: a negative debit stands where others write a credit, and the other way round.
    """

    entry_number: int
    system_id: str
    posting_date: date
    document: str
    document_type: DocumentType
    external_document: str
    account: str
    description: str
    amount: Decimal
    department: str
    project: str
    source: str
    party_type: PartyType
    party: str
    reversed: bool
    modified_at: datetime | None
    period: str
    kind: EntryKind
    ledger: str
    currency: str
    currency_amount: Decimal
    statistical: bool
    storno: bool

    @property
    def debit(self) -> Decimal:
        """Return the amount when it is a debit, else zero; below zero for a storno."""
        return self.amount if (self.amount > 0) is not self.storno else Decimal(0)

    @property
    def credit(self) -> Decimal:
        """Return the amount with its sign turned when it is a credit, else zero; below zero for a storno."""
        return self.debit - self.amount

    @property
    def dimensions(self) -> dict[str, str]:
        """Return the value code per dimension that the line carries."""
        pairs = ((DEPARTMENT, self.department), (PROJECT, self.project))
        return {dimension: code for dimension, code in pairs if code}


_HEX_PLACES = np.array([place for place in range(36) if place not in (8, 13, 18, 23)])
_ENTRY_BITS = (1 << 48) - 1
_LIFE_SHIFT = 40


def system_ids(entries: NDArray[np.int64], seed: int, lives: NDArray[Any] | int = 0) -> NDArray[np.uint8]:
    """Return the GUID of each entry, as rows of 36 ASCII characters; its last 12 digits hide the entry number.

    :param lives: how often each number was given before; a line that takes a number over is another record.
    """
    entries = entries | np.asarray(lives, np.int64) << _LIFE_SHIFT
    hidden = entries.astype(np.uint64) ^ np.uint64(_noise(seed))
    high = mix(hidden)
    low = (mix(high) << np.uint64(48)) | (hidden & np.uint64(_ENTRY_BITS))
    digits = np.stack([high, low], axis=1).astype(">u8").tobytes().hex().encode()
    guids = np.full((len(entries), 36), ord("-"), np.uint8)
    guids[:, _HEX_PLACES] = np.frombuffer(digits, np.uint8).reshape(-1, 32)
    return guids


def system_id(entry: int, seed: int, life: int = 0) -> str:
    """Return the GUID of one entry."""
    hidden = (entry | life << _LIFE_SHIFT) ^ _noise(seed)
    high = mix_one(hidden)
    digits = f"{high:016x}{mix_one(high) & 0xFFFF:04x}{hidden & _ENTRY_BITS:012x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def entry_of(guid: str, seed: int) -> int | None:
    """Return the entry number whose GUID this would be, in whichever life; None when it is no entry's."""
    try:
        hidden = int(guid[-12:], 16)
    except ValueError:
        return None
    life, entry = divmod(hidden ^ (_noise(seed) & _ENTRY_BITS), 1 << _LIFE_SHIFT)
    return entry if system_id(entry, seed, life) == guid.lower() else None


@cache
def _noise(seed: int) -> int:
    return mix_one(seed + 1)


def debits(rows: Rows) -> NDArray[np.int64]:
    """Return the debit of each row in cents, below zero for a storno."""
    cents: NDArray[np.int64] = rows["cents"]
    return np.where((cents > 0) ^ (rows["storno"] != 0), cents, 0)


def document_number(kind: int, number: int, texts: Sequence[str]) -> str:
    """Return how a document's number is written."""
    prefix = KINDS[kind].prefix
    return f"{prefix}{number:011d}" if prefix else texts[number]
