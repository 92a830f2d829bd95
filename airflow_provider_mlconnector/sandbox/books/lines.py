# SPDX-License-Identifier: Apache-2.0
"""A journal line: as a record in an array, of which the ledger holds up to millions, and as an object to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    ]
)

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
)


@dataclass(frozen=True, slots=True)
class Line:
    """One posted journal line.

    :param amount: debit minus credit in company currency, two decimals.
    :param department: code, or empty.
    :param modified_at: UTC, to the millisecond; None for a line that was never touched since stamps exist.
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

    @property
    def debit(self) -> Decimal:
        """Return the amount when it is a debit, else zero."""
        return max(self.amount, Decimal(0))

    @property
    def credit(self) -> Decimal:
        """Return the amount without its sign when it is a credit, else zero."""
        return max(-self.amount, Decimal(0))

    @property
    def dimensions(self) -> dict[str, str]:
        """Return the value code per dimension that the line carries."""
        pairs = ((DEPARTMENT, self.department), (PROJECT, self.project))
        return {dimension: code for dimension, code in pairs if code}


_HEX_PLACES = np.array([place for place in range(36) if place not in (8, 13, 18, 23)])
_ENTRY_BITS = (1 << 48) - 1


def system_ids(entries: NDArray[np.int64], seed: int) -> NDArray[np.uint8]:
    """Return the GUID of each entry, as rows of 36 ASCII characters; its last 12 digits hide the entry number."""
    hidden = entries.astype(np.uint64) ^ np.uint64(_noise(seed))
    high = mix(hidden)
    low = (mix(high) << np.uint64(48)) | (hidden & np.uint64(_ENTRY_BITS))
    digits = np.stack([high, low], axis=1).astype(">u8").tobytes().hex().encode()
    guids = np.full((len(entries), 36), ord("-"), np.uint8)
    guids[:, _HEX_PLACES] = np.frombuffer(digits, np.uint8).reshape(-1, 32)
    return guids


def system_id(entry: int, seed: int) -> str:
    """Return the GUID of one entry."""
    hidden = entry ^ _noise(seed)
    high = mix_one(hidden)
    digits = f"{high:016x}{mix_one(high) & 0xFFFF:04x}{hidden & _ENTRY_BITS:012x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def entry_of(guid: str, seed: int) -> int | None:
    """Return the entry number whose GUID this would be; None when it is no entry's."""
    try:
        hidden = int(guid[-12:], 16)
    except ValueError:
        return None
    entry = hidden ^ (_noise(seed) & _ENTRY_BITS)
    return entry if system_id(entry, seed) == guid.lower() else None


@cache
def _noise(seed: int) -> int:
    return mix_one(seed + 1)
