# SPDX-License-Identifier: Apache-2.0
"""General ledger entries on the wire: the v2.0 page and the reportsFinance query over the same rows.

A page of 20,000 rows is written column by column: every property of all rows becomes an Arrow array of JSON texts, and
the arrays are joined. That is what lets one core serve a million rows a second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.lines import KINDS, LINE, PURCHASE_INVOICE, Rows, debits, system_ids
from airflow_provider_mlconnector.sandbox.business_central.general_ledger import posting_days, shown_rows
from airflow_provider_mlconnector.sandbox.business_central.tenant import record_id
from airflow_provider_mlconnector.sandbox.business_central.wire import encode_text, enum_name
from airflow_provider_mlconnector.sandbox.odata.filters import Column, Comparison, Node, conjunction

Texts: TypeAlias = Any
"""An Arrow array of strings, one for each row."""

_ORDINAL_OF_EPOCH = date(1970, 1, 1).toordinal()
_CENTS = ("", *(f".{cents:02d}".rstrip("0") for cents in range(1, 100)))
_GUID_CHARACTERS = 36
_ROWS_AT_ONCE = 32_768
_GENERATED = re.compile(f"({'|'.join(kind.prefix for kind in KINDS if kind.prefix)})[0-9]|[^/]*/")
"""How the document numbers begin that are not in the table of texts, be they our own or a vendor's."""
_WITHOUT_PREFIX = [place for place, kind in enumerate(KINDS) if not kind.prefix]


@dataclass(frozen=True)
class EntryFrame:
    """Some rows of a company's general ledger."""

    books: Books
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def keys(self) -> Column:
        """Return the entry numbers."""
        return np.asarray(self.rows["entry"])

    def take(self, which: NDArray[Any]) -> EntryFrame:
        """Return the rows at these places, or where this mask is true."""
        return EntryFrame(self.books, self.rows[which])

    def column(self, field: str) -> Column:
        """Return the values of a property, for filters and for ordering."""
        match field:
            case "entryNumber" | "number":
                return self.keys()
            case "postingDate":
                return posting_days(self.rows)
            case "lastModifiedDateTime":
                return np.asarray(self.rows["stamp"]).astype("datetime64[ms]").astype("datetime64[us]")
            case "accountNumber":
                numbers = np.array([account.number for account in self.books.accounts], object)
                return np.asarray(numbers[self.rows["account"]])
            case _:
                texts = PROPERTIES[field](self).to_pylist()
                return np.array([json.loads(text, parse_int=Decimal, parse_float=Decimal) for text in texts], object)

    @cached_property
    def guids(self) -> Texts:
        """Return the system ids."""
        ids = system_ids(self.rows["entry"], self.books.seed, self.rows["life"])
        offsets = np.arange(0, _GUID_CHARACTERS * (len(self) + 1), _GUID_CHARACTERS, dtype=np.int32)
        return pa.Array.from_buffers(
            pa.string(), len(self), [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(ids.tobytes())]
        )

    @cached_property
    def entries(self) -> Texts:
        """Return the entry numbers as text."""
        return _digits(self.rows["entry"])

    @cached_property
    def stamps(self) -> Texts:
        """Return when the rows were modified, to the millisecond, without zeros at the end."""
        texts = pa.array(self.rows["stamp"]).cast(pa.timestamp("ms")).cast(pa.string())
        whole = pc.replace_substring(pc.utf8_slice_codeunits(texts, 0, 19), " ", "T")
        fraction = pc.utf8_rtrim(pc.utf8_rtrim(pc.utf8_slice_codeunits(texts, 19), "0"), ".")
        return _joined(whole, fraction, "Z")


def join_frames(books: Books, frames: Sequence[EntryFrame]) -> EntryFrame:
    """Return frames as one."""
    if not frames:
        return EntryFrame(books, np.zeros(0, LINE))
    return frames[0] if len(frames) == 1 else EntryFrame(books, np.concatenate([frame.rows for frame in frames]))


def entry_frames(books: Books, wanted: Node | None, after_entry: int = 0) -> Iterator[EntryFrame]:
    """Yield the rows that may pass a filter; what its dates rule out is not even generated."""
    first, last, changed_from = date.min, date.max, date.min
    for condition in conjunction(wanted):
        match condition:
            case Comparison("postingDate", "ge" | "gt" | "eq" as operation, date() as day):
                first = max(first, day)
                last = min(last, day) if operation == "eq" else last
            case Comparison("postingDate", "le" | "lt", date() as day):
                last = min(last, day)
            case Comparison("lastModifiedDateTime", "ge" | "gt", datetime() as moment):
                changed_from = max(changed_from, moment.date())
            case Comparison("documentNumber" | "externalDocumentNumber", "eq", str() as number):
                if number not in books.texts and not _GENERATED.match(number):
                    return
    for rows in books.ledger.scan(first, last, after_entry=after_entry, changed_from=changed_from):
        entries = shown_rows(books, rows)
        for begin in range(0, len(entries), _ROWS_AT_ONCE):
            yield EntryFrame(books, entries[begin : begin + _ROWS_AT_ONCE])


def encode_entries(
    frame: EntryFrame, names: Sequence[str], more: Sequence[tuple[str, Texts]] = (), *, etags: bool
) -> bytes | memoryview:
    """Return rows as JSON objects, separated by commas.

    :param more: further properties, such as what was expanded, as name and JSON texts.
    :param etags: whether each object begins with its ``@odata.etag``.
    """
    if not len(frame):
        return b""
    properties = [(name, PROPERTIES[name](frame)) for name in names]
    pieces: list[Any] = []
    if etags:
        pieces += ['{"@odata.etag":"W/\\"JzE5Oz', frame.entries, "O", _revision(frame), 'OzAwOyc=\\""']
    for place, (name, texts) in enumerate([*properties, *more]):
        pieces += [f'{"," if etags or place else "{"}"{name}":', texts]
    rows = _joined(*map(_as_joinable, pieces), "},")
    # the texts of an Arrow array lie one after the other, so they are the page already
    _, offsets, data = rows.buffers()
    end = np.frombuffer(offsets, np.int32)[len(rows)] - len(",")
    return memoryview(data)[:end]


def _as_joinable(piece: Any) -> Any:
    return pa.scalar(piece) if isinstance(piece, str) else piece


def _joined(*pieces: Any) -> Texts:
    """Return texts one after the other, row by row; a plain string stands in every row."""
    return pc.binary_join_element_wise(*pieces, "")


def _pick(table: Sequence[str], places: NDArray[Any]) -> Texts:
    """Return the texts of a table at these places."""
    return pa.array(table, pa.string()).take(pa.array(places.astype(np.int64), pa.int64()))


def _revision(frame: EntryFrame) -> Texts:
    """Return what changes in an etag when the row changes."""
    return _digits(frame.rows["stamp"])


def _digits(numbers: NDArray[Any]) -> Texts:
    return pa.array(numbers).cast(pa.string())


def _quoted(texts: Texts) -> Texts:
    return _joined('"', texts, '"')


def _constant(text: str) -> Callable[[EntryFrame], Texts]:
    return lambda frame: pa.repeat(text, len(frame))


def _lookup(table: Sequence[str], places: NDArray[Any]) -> Texts:
    """Return the entries of a table of plain strings, as JSON."""
    return _pick([encode_text(text) for text in table], places)


def _amount(cents: NDArray[np.int64]) -> Texts:
    """Return amounts as exact JSON numbers."""
    size = np.abs(cents)
    return _joined(_pick(["", "-"], cents < 0), _digits(size // 100), _pick(_CENTS, size % 100))


def _document_number(frame: EntryFrame) -> Texts:
    kinds, numbers = frame.rows["kind"], frame.rows["document"]
    prefixes = _pick([kind.prefix for kind in KINDS], kinds)
    generated = _joined('"', prefixes, pc.utf8_lpad(_digits(numbers), 11, "0"), '"')
    is_journal = np.isin(kinds, _WITHOUT_PREFIX)
    named = _lookup(frame.books.texts.all, np.where(is_journal, numbers, 0))
    return pc.if_else(pa.array(is_journal), named, generated)


def _external_document(frame: EntryFrame) -> Texts:
    is_purchase = frame.rows["kind"] == KINDS.index(PURCHASE_INVOICE)
    vendors = [vendor.number for vendor in frame.books.vendors]
    vendor = _pick(vendors, np.where(is_purchase, frame.rows["party"], 0))
    digits = pc.utf8_lpad(_digits(frame.rows["document"] % 1_000_000), 6, "0")
    named = _lookup(frame.books.texts.all, frame.rows["reference"])
    return pc.if_else(pa.array(is_purchase), _joined('"', vendor, "/", digits, '"'), named)


def _source_number(frame: EntryFrame) -> Texts:
    tables = [frame.books.party_numbers(kind.party) or ("",) for kind in KINDS]
    begins = np.cumsum([0, *(len(table) for table in tables)])[:-1]
    flat = [number for table in tables for number in table]
    return _lookup(flat, begins[frame.rows["kind"]] + frame.rows["party"])


def _account_id(frame: EntryFrame) -> Texts:
    ids = [record_id("account", account.number) for account in frame.books.accounts]
    return _lookup(ids, frame.rows["account"])


def _account_number(frame: EntryFrame) -> Texts:
    return _lookup([account.number for account in frame.books.accounts], frame.rows["account"])


def _posting_date(frame: EntryFrame) -> Texts:
    days = (frame.rows["day"] - _ORDINAL_OF_EPOCH).astype(np.int32)
    return _quoted(pa.array(days).cast(pa.date32()).cast(pa.string()))


def _dimension_set(frame: EntryFrame) -> Texts:
    return _digits(dimension_set_id(frame.rows["department"], frame.rows["project"]))


def _reversed(frame: EntryFrame) -> Texts:
    return _pick(["false", "true"], frame.rows["reversed"])


def dimension_set_id(department: Any, project: Any) -> Any:
    """Return the number of the dimension set with these places of department and project; 0 is the empty set."""
    return department.astype(np.int64) * 1000 + project


PROPERTIES: dict[str, Callable[[EntryFrame], Texts]] = {
    "id": lambda frame: _quoted(frame.guids),
    "entryNumber": lambda frame: frame.entries,
    "number": lambda frame: frame.entries,
    "postingDate": _posting_date,
    "documentNumber": _document_number,
    "documentType": lambda frame: _lookup([enum_name(kind.type) for kind in KINDS], frame.rows["kind"]),
    "externalDocumentNumber": _external_document,
    "accountId": _account_id,
    "accountNumber": _account_number,
    "description": lambda frame: _lookup(frame.books.texts.all, frame.rows["text"]),
    "amount": lambda frame: _amount(frame.rows["cents"]),
    "debitAmount": lambda frame: _amount(debits(frame.rows)),
    "creditAmount": lambda frame: _amount(debits(frame.rows) - frame.rows["cents"]),
    "vatAmount": _constant("0"),
    "additionalCurrencyAmount": _constant("0"),
    "additionalCurrencyDebitAmount": _constant("0"),
    "additionalCurrencyCreditAmount": _constant("0"),
    "businessUnitCode": _constant('""'),
    "reveresd": _reversed,
    "sourceType": lambda frame: _lookup([enum_name(kind.party) for kind in KINDS], frame.rows["kind"]),
    "sourceNumber": _source_number,
    "sourceCode": lambda frame: _lookup([kind.source for kind in KINDS], frame.rows["kind"]),
    "dimensionSetID": _dimension_set,
    "globalDimension1Code": lambda frame: _lookup(frame.books.departments.all, frame.rows["department"]),
    "globalDimension2Code": lambda frame: _lookup(frame.books.projects.all, frame.rows["project"]),
    "lastModifiedDateTime": lambda frame: _quoted(frame.stamps),
}
"""Each property of an entry as JSON texts. ``reveresd`` is written like this by the real API."""

PAGE_FIELDS = (
    "id",
    "entryNumber",
    "postingDate",
    "documentNumber",
    "documentType",
    "accountId",
    "accountNumber",
    "description",
    "debitAmount",
    "creditAmount",
    "additionalCurrencyDebitAmount",
    "additionalCurrencyCreditAmount",
    "lastModifiedDateTime",
)
QUERY_FIELDS = (
    "id",
    "number",
    "description",
    "postingDate",
    "accountNumber",
    "businessUnitCode",
    "reveresd",
    "documentNumber",
    "externalDocumentNumber",
    "sourceType",
    "sourceNumber",
    "sourceCode",
    "amount",
    "debitAmount",
    "creditAmount",
    "vatAmount",
    "additionalCurrencyAmount",
    "dimensionSetID",
    "globalDimension1Code",
    "globalDimension2Code",
    "lastModifiedDateTime",
)
