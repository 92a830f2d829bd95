# SPDX-License-Identifier: Apache-2.0
"""General journals that wait to be posted: names, headers and lines, and the numbers that the server gives."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.dynamics_fo.numbers import area
from airflow_provider_mlconnector.sandbox.state import World

CURRENT = "Current"
LAYERS = (CURRENT, "Operations", "Tax", *(f"CustomLayer{number}" for number in range(1, 8)))
DAILY = "Daily"


class NewVoucher(StrEnum):
    """When a line that names no voucher begins a new one: once those before it balance, never, or it stays blank."""

    BALANCE = "BalanceSheet"
    ONE = "OneVoucher"
    MANUAL = "Manually"


class Approval(StrEnum):
    """How far the workflow of a journal is; while it runs, nobody edits the journal."""

    NONE = ""
    IN_REVIEW = "InReview"
    APPROVED = "Approved"


@dataclass(frozen=True, slots=True)
class JournalName:
    """A journal name: what the journals that are made under it have in common.

    :param offset_account: number of the account that each new line gets as its other side; "" for none.
    :param workflow: whether journals have to be approved; ``approval`` the same by user groups.
    :param line_limit: most lines that are posted at once; 0 for any number.
    :param deletes_lines: whether posting removes the lines.
    """

    name: str
    type: str = DAILY
    layer: str = CURRENT
    new_voucher: NewVoucher = NewVoucher.BALANCE
    offset_account: str = ""
    fixed_offset: bool = False
    workflow: bool = False
    approval: bool = False
    line_limit: int = 0
    deletes_lines: bool = False


@dataclass(slots=True)
class DraftHeader:
    """A journal; ``version`` counts its changes."""

    record: int
    number: str
    name: JournalName
    layer: str
    description: str = ""
    integration_key: str = ""
    posted: bool = False
    approval: Approval = Approval.NONE
    version: int = 1


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line of a journal; ``segments`` and ``offset`` are values by segment, the main account among them."""

    record: int
    number: Decimal
    day: date
    currency: str
    voucher: str = ""
    segments: dict[str, str] = field(default_factory=dict)
    offset: dict[str, str] = field(default_factory=dict)
    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
    text: str = ""
    document: str = ""
    version: int = 1

    @property
    def amount(self) -> Decimal:
        """Return debit minus credit."""
        return self.debit - self.credit


class GeneralJournals:
    """The general journals of one company. Used by the server's one event loop."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.area = area(books)
        self.post_calls = 0
        """Requests by which somebody asked the environment to post, whatever came of them."""
        self.names = {name: JournalName(name) for name in ("GenJrn", "ANAPLAN")}
        self.headers: dict[str, DraftHeader] = {}
        self.lines: dict[str, dict[Decimal, DraftLine]] = {}
        self.posted_vouchers: dict[str, str] = {}
        """By voucher, the number of the journal that it was posted from."""
        self._records, self._numbers, self._vouchers = itertools.count(1), itertools.count(1), itertools.count(1)

    def next_record(self) -> int:
        """Return the number of the next record."""
        return next(self._records)

    def put_name(self, name: JournalName) -> None:
        """Add a journal name, or set it up anew, for its journals, too."""
        self.names[name.name] = name
        for header in self.headers.values():
            if header.name.name == name.name:
                header.name = name

    def add_header(self, name: JournalName) -> DraftHeader:
        """Add a journal under the next number of the series."""
        number = f"{self.area.upper()}-{next(self._numbers):06d}"
        header = DraftHeader(self.next_record(), number, name, name.layer)
        self.headers[number], self.lines[number] = header, {}
        return header

    def remove_header(self, number: str) -> None:
        """Delete a journal, and what lines it has."""
        del self.headers[number], self.lines[number]

    def lines_of(self, number: str) -> list[DraftLine]:
        """Return the lines of a journal in order of their numbers."""
        return [line for _, line in sorted(self.lines[number].items())]

    def all_lines(self) -> Iterator[tuple[DraftHeader, DraftLine]]:
        """Yield the lines of all journals."""
        for number, header in self.headers.items():
            for line in self.lines_of(number):
                yield header, line

    def voucher_for(self, header: DraftHeader) -> str:
        """Return the voucher of the next line that names none."""
        lines = self.lines_of(header.number)
        how = header.name.new_voucher
        if how is NewVoucher.MANUAL:
            return ""
        if lines and (how is NewVoucher.ONE or self._is_open(lines)):
            return lines[-1].voucher
        return f"{self.area.upper()}-V{next(self._vouchers):06d}"

    @staticmethod
    def _is_open(lines: list[DraftLine]) -> bool:
        last = lines[-1].voucher
        return sum((line.amount for line in lines if line.voucher == last and not line.offset), Decimal(0)) != 0


def journals_of(world: World, books: Books) -> GeneralJournals:
    """Return the general journals of a company."""
    return world.state(f"dynamics_fo/journals/{books.code}", lambda: GeneralJournals(books))


def all_journals(world: World) -> Iterator[GeneralJournals]:
    """Yield the general journals of every company."""
    return (journals_of(world, books) for books in world.companies.values())
