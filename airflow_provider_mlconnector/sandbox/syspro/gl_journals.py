# SPDX-License-Identifier: Apache-2.0
"""General journals: how the business object GENTJL, or a person with a file, brings them into the ledger.

There is no draft: what is accepted is posted, and stays. The names of the elements and the lengths of texts are
assumptions, as the schemas of business objects are not public; the shape of errors and counters is that of the objects
that are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from airflow_provider_mlconnector.sandbox.books import Books, NewLine
from airflow_provider_mlconnector.sandbox.books.books import Posting
from airflow_provider_mlconnector.sandbox.syspro.gl_codes import NO_COST_CENTRE, posting_accounts

BUSINESS_OBJECT = "GENTJL"
ROOM = {"GlCode": 35, "LedgerCode": 35, "Reference": 30, "Comment": 50, "Notation": 100}
"""Characters that the fields have room for."""

JOURNAL_ENTRIES = 25
_DEBIT, _CREDIT = "D", "C"
_MOST = Decimal(10) ** 12


class DocumentError(Exception):
    """What was sent cannot be read at all; the service answers it as a text."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that cannot be posted; ``line`` counts from 0, None for the journal as a whole."""

    field: str
    value: str
    number: int
    sentence: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal as it was sent; ``amount`` is None when it is none."""

    code: str
    amount: Decimal | None
    reference: str
    comment: str


@dataclass(frozen=True, slots=True)
class GlJournal:
    """A journal as it was sent."""

    day: str
    year: str
    period: str
    reference: str
    notation: str
    entries: tuple[Entry, ...]

    @property
    def key(self) -> str:
        """The fiscal period as the books call it."""
        return f"FY{self.year:>04}-P{self.period:>02}"


def read_document(text: str) -> tuple[str, list[GlJournal]]:
    """Return the root's name and the journals of a document.

    :raises DocumentError: when it is no XML, or of something else.
    """
    root = parsed(text)
    if root.tag != "PostGlJournal":
        raise DocumentError(f"Invalid root element '{root.tag}' for {BUSINESS_OBJECT}")
    return root.tag, [_journal(item) for item in root.iter("Item")]


def validates_only(text: str) -> bool:
    """Say whether parameters ask for a check alone; without them a journal is posted.

    :raises DocumentError: when they are no XML.
    """
    return bool(text) and (parsed(text).findtext("Parameters/ValidateOnly") or "N").strip() == "Y"


def find_wrong(books: Books, journal: GlJournal) -> Iterator[Wrong]:
    """Yield all that is wrong with a journal."""
    yield from _of_period(books, journal)
    for name, value in (("Reference", journal.reference), ("Notation", journal.notation)):
        yield from _too_long(name, value, None)
    known = {account.number: account for _, account in posting_accounts(books)}
    for place, entry in enumerate(journal.entries):
        account, department = _split(entry.code)
        if account not in known or department not in books.departments.all:
            yield Wrong("GlCode", entry.code, 240004, f"GL code '{entry.code}' not found", place)
        elif known[account].blocked:
            yield Wrong("GlCode", entry.code, 240011, f"GL code '{entry.code}' is on hold", place)
        if entry.amount is None or not entry.amount or abs(entry.amount) >= _MOST:
            yield Wrong("EntryValue", str(entry.amount), 240020, "Invalid journal value", place)
        yield from _too_long("Reference", entry.reference, place)
        yield from _too_long("Comment", entry.comment, place)
    total = sum((entry.amount or Decimal(0) for entry in journal.entries), Decimal(0))
    if total or not journal.entries:
        yield Wrong("EntryValue", f"{total:f}", 240030, "Journal is out of balance")


def post(books: Books, journal: GlJournal) -> int:
    """Post a journal in which nothing is wrong and return its number."""
    lines = []
    for entry in journal.entries:
        account, department = _split(entry.code)
        lines.append(NewLine(account, entry.amount or Decimal(0), department, "", entry.comment))
    day = date.fromisoformat(journal.day)
    own = books.company.fiscal.period_of(day).key
    how = Posting(period="" if own == journal.key else journal.key)
    entries = books.post_document(day, lines, document=journal.reference or journal.entries[0].reference, how=how)
    return (entries[0] - 1) // JOURNAL_ENTRIES + 1


def answer(root: str, journal: GlJournal, wrong: list[Wrong], number: int | None) -> str:
    """Return what a business object answers; its root is written in small letters."""
    item = "<ItemNumber>000001</ItemNumber>"
    for place in (None, *range(len(journal.entries))):
        told = "".join(field_of(one) for one in wrong if one.line == place)
        item += told if place is None or not told else f"<journalline>{told}</journalline>"
    if number is not None:
        key = f"<GlYear>{journal.year}</GlYear><GlPeriod>{journal.period}</GlPeriod><GlJournal>{number:>10}</GlJournal>"
        item += f"<Key>{key}</Key>"
    counts = f"<ItemsProcessed>{int(not wrong):06}</ItemsProcessed><ItemsInvalid>{int(bool(wrong)):06}</ItemsInvalid>"
    status = f"<StatusOfItems>{counts}<ItemsRejectedWithWarnings>000000</ItemsRejectedWithWarnings></StatusOfItems>"
    head = '<?xml version="1.0" encoding="Windows-1252"?>'
    return f"{head}<{root.lower()} Language='05' DecFormat='1'><Item>{item}</Item>{status}</{root.lower()}>"


def field_of(wrong: Wrong) -> str:
    """Return a field that is wrong as the node of an answer."""
    value = wrong.value.replace("&", "&amp;").replace("<", "&lt;")
    told = wrong.sentence.replace("&", "&amp;").replace("<", "&lt;")
    error = f"<ErrorNumber>{wrong.number}</ErrorNumber><ErrorDescription>{told}</ErrorDescription>"
    return f"<{wrong.field.lower()}><Value>{value}</Value>{error}</{wrong.field.lower()}>"


def parsed(text: str) -> Element:
    """Read XML that names Windows-1252 as its encoding and came as text.

    :raises DocumentError: when it is none.
    """
    head, mark, rest = text.partition("?>")
    try:
        return ElementTree.fromstring(rest if mark and head.lstrip().startswith("<?xml") else text)  # noqa: S314
    except ElementTree.ParseError as error:
        raise DocumentError(f"Invalid XML: {error}") from error


def _journal(item: Element) -> GlJournal:
    def text(name: str) -> str:
        return (item.findtext(name) or "").strip()

    entries = tuple(_entry(line) for line in item.iter("JournalLine"))
    return GlJournal(
        text("JournalDate"), text("GlYear"), text("GlPeriod"), text("Reference"), text("Notation"), entries
    )


def _entry(line: Element) -> Entry:
    """Read a line: its value is signed, or positive with a side beside it."""
    told = {child.tag: (child.text or "").strip() for child in line}
    try:
        amount = Decimal(told.get("EntryValue") or told.get("Amount") or "0")
    except InvalidOperation:
        amount = Decimal(0)
    sides = {"": 1, _DEBIT: 1, _CREDIT: -1}
    side = sides.get(told.get("DebitCredit", ""))
    code = told.get("GlCode") or told.get("LedgerCode", "")
    return Entry(code, None if side is None else amount * side, told.get("Reference", ""), told.get("Comment", ""))


def _of_period(books: Books, journal: GlJournal) -> Iterator[Wrong]:
    period = next((one for one in books.periods if one.key == journal.key), None)
    if period is None:
        yield Wrong("GlPeriod", f"{journal.year}/{journal.period}", 240041, "GL period not found")
    elif books.is_closed(period.key):
        yield Wrong("GlPeriod", journal.period, 240040, f"GL period {journal.period} of {journal.year} is closed")
    try:
        date.fromisoformat(journal.day)
    except ValueError:
        yield Wrong("JournalDate", journal.day, 240042, "Invalid journal date")


def _split(code: str) -> tuple[str, str]:
    account, _, department = code.partition(".")
    return account, "" if department == NO_COST_CENTRE else department


def _too_long(name: str, value: str, line: int | None) -> Iterator[Wrong]:
    if len(value) > ROOM[name]:
        yield Wrong(name, value, 240050, f"{name} exceeds {ROOM[name]} characters", line)
