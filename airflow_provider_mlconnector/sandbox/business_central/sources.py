# SPDX-License-Identifier: Apache-2.0
"""One face for all entity sets: which properties there are, which rows, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pyarrow as pa

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.books.lines import Line, entry_of
from airflow_provider_mlconnector.sandbox.books.periods import TODAY
from airflow_provider_mlconnector.sandbox.business_central import trial_balance
from airflow_provider_mlconnector.sandbox.business_central.dimension_sets import (
    LINE_FIELDS,
    expand_set_lines,
    set_lines,
)
from airflow_provider_mlconnector.sandbox.business_central.entries import (
    PAGE_FIELDS,
    QUERY_FIELDS,
    EntryFrame,
    encode_entries,
    entry_frames,
    join_frames,
)
from airflow_provider_mlconnector.sandbox.business_central.paths import FINANCE, V2
from airflow_provider_mlconnector.sandbox.business_central.purchases import PURCHASE_ORDER_LINES
from airflow_provider_mlconnector.sandbox.business_central.table import Table
from airflow_provider_mlconnector.sandbox.business_central.tables import FINANCE_TABLES, V2_TABLES
from airflow_provider_mlconnector.sandbox.business_central.wire import (
    WireError,
    bad_property,
    encode_row,
    enum_name,
    etag_of,
)
from airflow_provider_mlconnector.sandbox.odata.filters import Comparison, Value, conjunction, without
from airflow_provider_mlconnector.sandbox.odata.options import Expand, Options
from airflow_provider_mlconnector.sandbox.odata.paging import Page, count_rows, last_key, read_page
from airflow_provider_mlconnector.sandbox.odata.rows import Row, RowFrame, joined


class Source(Protocol):
    """An entity set of a company."""

    @property
    def entity(self) -> str:
        """Return the name of the type, as error texts say it."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of all properties."""

    @property
    def navigations(self) -> tuple[str, ...]:
        """Return what can be expanded."""

    @property
    def is_query(self) -> bool:
        """Say whether this is an API query, whose rows have no etags."""

    def page(self, options: Options, page_size: int) -> Page[Any]:
        """Return a page of rows."""

    def count(self, options: Options) -> int:
        """Return how many rows the filter lets through."""

    def find(self, key: str) -> Any:
        """Return the row with this id as a frame of one; of none when there is none."""

    def encode(self, frame: Any, options: Options) -> bytes | memoryview:
        """Return rows as JSON objects, separated by commas."""


@dataclass(frozen=True)
class EntrySource:
    """``generalLedgerEntries``, of either API."""

    books: Books
    fields: tuple[str, ...]
    navigations: tuple[str, ...]
    is_query: bool
    entity: str = "generalLedgerEntry"

    def page(self, options: Options, page_size: int) -> Page[EntryFrame]:
        """Return a page of rows."""
        frames = entry_frames(self.books, options.filter, after_entry=last_key(options) or 0)
        return read_page(frames, options, page_size=page_size, join=lambda parts: join_frames(self.books, parts))

    def count(self, options: Options) -> int:
        """Return how many rows the filter lets through."""
        return count_rows(entry_frames(self.books, options.filter), options)

    def find(self, key: str) -> EntryFrame:
        """Return the entry with this id as a frame of one; of none when there is none."""
        line = line_of_id(self.books, key)
        if line is None:
            return join_frames(self.books, ())
        return EntryFrame(self.books, self.books.ledger.find(line.entry_number))

    def encode(self, frame: EntryFrame, options: Options) -> bytes | memoryview:
        """Return rows as JSON objects, separated by commas."""
        more = [(expand.navigation, self._expanded(frame, expand)) for expand in options.expand]
        return encode_entries(frame, options.select or self.fields, more, etags=not self.is_query)

    def _expanded(self, frame: EntryFrame, expand: Expand) -> Any:
        if expand.navigation == "dimensionSetLines":
            return expand_set_lines(frame, expand.select)
        if expand.navigation == "attachments":
            return pa.repeat("[]", len(frame))
        known = {row["number"]: _encode_selected(row, expand.select).decode() for row in self._accounts()}
        texts = [known.get(account.number) for account in self.books.accounts]
        return pa.array(texts, pa.string()).take(pa.array(frame.rows["account"]))

    def _accounts(self) -> list[Row]:
        return V2_TABLES["accounts"].rows(self.books)


@dataclass(frozen=True, slots=True)
class Below:
    """What a navigation leads to: rows that hold the id of the row above in a property of theirs."""

    fields: tuple[str, ...]
    rows: Sequence[Row]
    parent: str

    def of(self, key: str) -> list[Row]:
        """Return the rows below the row with this id."""
        return [row for row in self.rows if row[self.parent] == key.lower()]


@dataclass(frozen=True)
class TableSource:
    """An entity set whose rows are at hand.

    :param below: what is behind each navigation.
    :param flow_filter: a field by which amounts are filtered instead of rows.
    """

    entity: str
    fields: tuple[str, ...]
    rows: Sequence[Row]
    below: Mapping[str, Below] = field(default_factory=dict)
    is_query: bool = False
    flow_filter: str = ""

    @property
    def navigations(self) -> tuple[str, ...]:
        """Return what can be expanded."""
        return tuple(self.below)

    def page(self, options: Options, page_size: int) -> Page[RowFrame]:
        """Return a page of rows."""
        return read_page([RowFrame.of(self.rows)], self._of_rows(options), page_size=page_size, join=joined)

    def count(self, options: Options) -> int:
        """Return how many rows the filter lets through."""
        return count_rows([RowFrame.of(self.rows)], self._of_rows(options))

    def find(self, key: str) -> RowFrame:
        """Return the row with this id as a frame of one; of none when there is none."""
        return RowFrame.of(row for row in self.rows if row.get(self.fields[0]) == key.lower())

    def encode(self, frame: RowFrame, options: Options) -> bytes:
        """Return rows as JSON objects, separated by commas."""
        return b",".join(self._encode(row, options) for row in frame.rows)

    def _of_rows(self, options: Options) -> Options:
        return replace(options, filter=without(options.filter, self.flow_filter))

    def _encode(self, row: Row, options: Options) -> bytes:
        etag = {"@odata.etag": etag_of(row)}
        names = options.select or self.fields
        inner = {expand.navigation: self._behind(row, expand) for expand in options.expand}
        return encode_row(etag | {name: row[name] for name in names} | inner)

    def _behind(self, row: Row, expand: Expand) -> list[Row]:
        below = self.below[expand.navigation]
        names = expand.select or below.fields
        return [{name: value[name] for name in names} for value in below.of(row["id"])]


def source_of(books: Books, api: str, name: str, options: Options, language: str) -> Source:
    """Return the entity set of a company under its name.

    :raises WireError: 404 when the API has none of that name.
    """
    tables = V2_TABLES if api == V2 else FINANCE_TABLES
    if name == "generalLedgerEntries":
        is_query = api == FINANCE
        navigations = () if is_query else ("dimensionSetLines", "account", "attachments")
        return EntrySource(books, QUERY_FIELDS if is_query else PAGE_FIELDS, navigations, is_query)
    if api == V2 and name == "trialBalances":
        first, last = trial_balance.date_range(options.filter, TODAY)
        rows = tuple(trial_balance.trial_balance_rows(books, first, last, language))
        return TableSource("trialBalance", trial_balance.FIELDS, rows, flow_filter="dateFilter")
    if api == V2 and name == "dimensionSetLines":
        return _loose_set_lines(books, options)
    if name not in tables:
        raise WireError(404, "BadRequest_NotFound", f"Resource not found for the segment '{name}'.")
    table = tables[name]
    if table is PURCHASE_ORDER_LINES:
        _check_order_is_named(options)
    below = {navigation: _below(books, table, navigation) for navigation in table.below}
    return TableSource(table.entity, table.fields, table.rows(books), below)


def nested_source(books: Books, name: str, key: str, navigation: str) -> Source:
    """Return what is behind a navigation of one row, such as ``generalLedgerEntries(id)/dimensionSetLines``.

    :raises WireError: 404 when there is no such row or navigation.
    """
    if (name, navigation) == ("generalLedgerEntries", "dimensionSetLines"):
        return _set_lines_of(books, key)
    table = V2_TABLES.get(name)
    if table is None or navigation not in table.below:
        raise WireError(404, "BadRequest_NotFound", f"Resource not found for the segment '{navigation}'.")
    inner = V2_TABLES[navigation]
    return TableSource(inner.entity, inner.fields, _below(books, table, navigation).of(key))


def _below(books: Books, table: Table, navigation: str) -> Below:
    inner = V2_TABLES[navigation]
    return Below(inner.fields, inner.rows(books), table.below[navigation])


def _check_order_is_named(options: Options) -> None:
    """Refuse to list lines of all orders.

    :raises WireError: 400 when the filter names neither an order nor a line.
    """
    if not equalities(options).keys() & {"id", "documentId"}:
        message = "You must specify an Id or a Document Id to get the lines."
        raise WireError(400, "Application_DialogException", message)


def check_options(source: Source, options: Options) -> None:
    """Refuse what this server does not do.

    :raises WireError: 400 for properties and navigations that the type does not have.
    """
    for name in sorted(options.fields - set(source.fields)):
        raise bad_property(name, source.entity)
    for expand in options.expand:
        if expand.navigation not in source.navigations:
            raise bad_property(expand.navigation, source.entity)


def _loose_set_lines(books: Books, options: Options) -> Source:
    """Return the dimension set lines of the one parent that the filter names."""
    given = equalities(options)
    parent, parent_type = given.get("parentId"), given.get("parentType")
    if not isinstance(parent, str) or parent_type not in ("General Ledger Entry", enum_name("General Ledger Entry")):
        message = "You must specify a parent id and a parent type to get dimension set lines."
        raise WireError(400, "Application_DialogException", message)
    source = _set_lines_of(books, parent)
    rows = tuple({**row, "parentType": parent_type} for row in source.rows)
    return TableSource(source.entity, source.fields, rows)


def equalities(options: Options) -> dict[str, Value]:
    """Return the values that a filter asks for, by their properties."""
    return {
        condition.field: condition.value
        for condition in conjunction(options.filter)
        if isinstance(condition, Comparison) and condition.operation == "eq"
    }


def _set_lines_of(books: Books, entry_id: str) -> TableSource:
    line = line_of_id(books, entry_id)
    if line is None:
        raise no_record(entry_id)
    rows = set_lines(books, line.department, line.project, line.system_id)
    return TableSource("dimensionSetLine", LINE_FIELDS, rows)


def line_of_id(books: Books, key: str) -> Line | None:
    """Return the line with this system id; None when there is none, or not any more."""
    try:
        line = books.line(entry_of(key, books.seed) or 0)
    except KeyError:
        return None
    return line if line.system_id == key.lower() else None


def no_record(key: str) -> WireError:
    """Return the error for an id that no row has."""
    message = f"The record with the system id '{key}' was not found."
    return WireError(404, "Internal_RecordNotFound", message)


def _encode_selected(row: Row, select: Iterable[str]) -> bytes:
    names = tuple(select) or tuple(row)
    return encode_row({name: row[name] for name in names})
