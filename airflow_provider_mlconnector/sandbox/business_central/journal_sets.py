# SPDX-License-Identifier: Apache-2.0
"""Journals as entity sets: ``journals``, ``journalLines`` and their ``dimensionSetLines``, to read and to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from airflow_provider_mlconnector.sandbox.business_central import journal_dimensions
from airflow_provider_mlconnector.sandbox.business_central.dimension_sets import LINE_FIELDS as SET_LINE_FIELDS
from airflow_provider_mlconnector.sandbox.business_central.journal_bodies import BATCH, LINE, SET_LINE, read_body
from airflow_provider_mlconnector.sandbox.business_central.journal_posting import post
from airflow_provider_mlconnector.sandbox.business_central.journal_rows import (
    BATCH_FIELDS,
    DEFAULT_FIELDS,
    LINE_FIELDS,
    batch_row,
    default_rows,
    line_row,
)
from airflow_provider_mlconnector.sandbox.business_central.journals import (
    DEFAULT_TEMPLATE,
    LISTED_TYPES,
    Batch,
    DraftLine,
    Journals,
)
from airflow_provider_mlconnector.sandbox.business_central.paths import Target
from airflow_provider_mlconnector.sandbox.business_central.sources import (
    Source,
    TableSource,
    equalities,
    no_record,
)
from airflow_provider_mlconnector.sandbox.business_central.wire import WireError, dialog, etag_of
from airflow_provider_mlconnector.sandbox.odata.options import Expand, Options
from airflow_provider_mlconnector.sandbox.odata.rows import Row

PARENT_TYPES = ("Journal Line", journal_dimensions.PARENT_TYPE)
"""How the type of a journal line is written in filters."""

POST_ACTION = "Microsoft.NAV.post"
"""Posts the whole batch."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a request other than a read asks for; ``if_match`` is an etag, ``*``, or "" where it has none."""

    method: str
    body: bytes
    if_match: str


@dataclass(frozen=True)
class LineSource(TableSource):
    """Journal lines, whose dimensions can be expanded."""

    journals: Journals | None = None

    @property
    def navigations(self) -> tuple[str, ...]:
        """Return what can be expanded."""
        return "dimensionSetLines", "account", "attachments"

    def _behind(self, row: Row, expand: Expand) -> list[Row]:
        if self.journals is None or expand.navigation != "dimensionSetLines":
            return []
        rows = journal_dimensions.rows_below(self.journals, _line(self.journals, str(row["id"])))
        names = expand.select or SET_LINE_FIELDS
        return [{name: inner[name] for name in names} for inner in rows]


def journal_source(journals: Journals, target: Target, options: Options, lag: float = 0.0) -> Source | None:
    """Return the entity set that a path names, or the row; None when it is none of journals.

    :param lag: seconds that what is read is behind, as a replica is.
    :raises WireError: 404 for what is not there, 400 for lines of no journal in particular.
    """
    match target.set, target.navigation:
        case "journals", "":
            return TableSource("journal", BATCH_FIELDS, [batch_row(one) for one in _batches(journals, target, options)])
        case "journals", "journalLines":
            return _lines(journals, journals.lines_of(_batch(journals, target.key)), lag)
        case "journalLines", "" if target.key:
            return _line_source(journals, [_line_of(journals, target)])
        case "journalLines", "":
            return _lines(journals, journals.lines_of(_batch(journals, _journal_named(options))), lag)
        case "journalLines", "dimensionSetLines":
            return _set_lines(journals, _line_of(journals, target))
        case "dimensionSetLines", "" if _parent_type(options) in PARENT_TYPES:
            parent = _line(journals, str(equalities(options).get("parentId", "")))
            return _set_lines(journals, parent, _parent_type(options))
        case "defaultDimensions", "":
            return TableSource("defaultDimension", DEFAULT_FIELDS, default_rows(journals))
        case _:
            return None


def write(journals: Journals, target: Target, change: Change) -> Target | None:
    """Carry out a request; return where the record is that it made or changed, None when there is nothing to show.

    :raises WireError: 405 for what cannot be written, 404 for what is not there, 409 for a stale etag, 400 else.
    """
    match target.set, target.navigation, change.method:
        case "journals", "", "POST" if not target.key:
            return replace(target, key=journals.add_batch(read_body(change.body, "journal", BATCH)).id)
        case "journals", "", "DELETE" if target.key:
            batch = _batch(journals, target.key)
            _check_version(change, batch_row(batch))
            journals.remove_batch(batch)
            return None
        case "journals", action, "POST" if action == POST_ACTION:
            journals.post_calls += 1
            post(journals, _batch(journals, target.key))
            return None
        case "journals", "journalLines", "POST":
            return _added_line(journals, target, change, target.key)
        case "journalLines", "", "POST" if not target.key:
            return _added_line(journals, target, change, "")
        case "journalLines", "", "PATCH" | "DELETE" if target.key:
            return _changed_line(journals, target, change)
        case "journalLines", "dimensionSetLines", _:
            return _changed_dimension(journals, target, change)
        case _:
            raise WireError(405, "BadRequest_MethodNotAllowed", f"Entity does not support {change.method}.")


def _added_line(journals: Journals, target: Target, change: Change, journal: str) -> Target:
    given = read_body(change.body, "journalLine", LINE)
    if not journal and "journalId" not in given:
        raise dialog("You must specify a journal batch ID or a journal ID to get a journal line.")
    if journal and given.get("journalId", journal) != journal:
        raise dialog("The Journal Batch Id isn't editable.")
    line = journals.insert(_batch(journals, journal or given["journalId"]), given)
    return replace(target, set="journalLines", key=line.id, navigation="")


def _changed_line(journals: Journals, target: Target, change: Change) -> Target | None:
    line = _line_of(journals, target)
    _check_version(change, line_row(line))
    if change.method == "DELETE":
        journals.remove(line)
        return None
    journals.change(line, read_body(change.body, "journalLine", LINE))
    return target


def _changed_dimension(journals: Journals, target: Target, change: Change) -> Target | None:
    line = _line(journals, target.key)
    if change.method == "POST" and not target.inner:
        key = journal_dimensions.add(journals, line, read_body(change.body, "dimensionSetLine", SET_LINE))
        return replace(target, inner=key)
    rows = journal_dimensions.rows_below(journals, line)
    row = next((row for row in rows if row["id"] == target.inner), None)
    if row is None:
        raise no_record(target.inner)
    _check_version(change, row)
    if change.method == "DELETE":
        journal_dimensions.remove(journals, line, target.inner)
        return None
    given = read_body(change.body, "dimensionSetLine", SET_LINE)
    journal_dimensions.change(journals, line, target.inner, given)
    return target


def _check_version(change: Change, row: Row) -> None:
    """See that a request knows the row as it is.

    :raises WireError: 400 when it does not say what it knows, 409 when the row changed since.
    """
    if not change.if_match:
        raise WireError(400, "BadRequest_InvalidToken", "The request must have an If-Match header.")
    if change.if_match not in ("*", etag_of(row)):
        message = "Another user has already changed the record."
        raise WireError(409, "Request_EntityChanged", message)


def _batches(journals: Journals, target: Target, options: Options) -> list[Batch]:
    """Return the batches that are listed: those of the default template, unless a template or a batch is named."""
    if target.key or equalities(options).keys() & {"id", "templateDisplayName"}:
        return journals.batches
    return [batch for batch in journals.batches if batch.template == DEFAULT_TEMPLATE]


def _batch(journals: Journals, key: str) -> Batch:
    for batch in journals.batches:
        if batch.id == key:
            return batch
    raise no_record(key)


def _line(journals: Journals, key: str) -> DraftLine:
    for line in journals.lines:
        if line.id == key:
            return line
    raise no_record(key)


def _line_of(journals: Journals, target: Target) -> DraftLine:
    """Return the line that a path names; below a journal only where it is one of that."""
    line = _line(journals, target.key)
    if target.above not in ("", line.batch.id):
        raise no_record(target.key)
    return line


def _journal_named(options: Options) -> str:
    journal = equalities(options).get("journalId")
    if not isinstance(journal, str):
        raise dialog("You must specify a journal batch ID or a journal ID to get a journal line.")
    return journal


def _lines(journals: Journals, lines: Sequence[DraftLine], lag: float) -> LineSource:
    seen_until = journals.books.clock.now() - timedelta(seconds=lag)
    listed = [
        line for line in lines if line.account_type in LISTED_TYPES and (not lag or line.modified_at <= seen_until)
    ]
    return _line_source(journals, listed)


def _line_source(journals: Journals, lines: Sequence[DraftLine]) -> LineSource:
    return LineSource("journalLine", LINE_FIELDS, [line_row(line) for line in lines], journals=journals)


def _parent_type(options: Options) -> str:
    return str(equalities(options).get("parentType", ""))


def _set_lines(journals: Journals, line: DraftLine, parent_type: str = journal_dimensions.PARENT_TYPE) -> TableSource:
    """Return the dimensions of a line; a filter finds them by whichever way of writing the parent's type it has."""
    rows = [{**row, "parentType": parent_type} for row in journal_dimensions.rows_below(journals, line)]
    return TableSource("dimensionSetLine", SET_LINE_FIELDS, rows)
