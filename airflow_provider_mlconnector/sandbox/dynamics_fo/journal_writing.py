# SPDX-License-Identifier: Apache-2.0
"""Requests that change general journals, or name one of their records by its key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.dynamics_fo.draft_sets import header_row, line_row
from airflow_provider_mlconnector.sandbox.dynamics_fo.environment import Environment
from airflow_provider_mlconnector.sandbox.dynamics_fo.general_journals import (
    DraftHeader,
    DraftLine,
    GeneralJournals,
    all_journals,
)
from airflow_provider_mlconnector.sandbox.dynamics_fo.journal_bodies import HEADER, LINE, read_body
from airflow_provider_mlconnector.sandbox.dynamics_fo.journal_entry import Entry, Values
from airflow_provider_mlconnector.sandbox.dynamics_fo.numbers import area
from airflow_provider_mlconnector.sandbox.dynamics_fo.wire import ETAG, WireError, no_set, write_failed
from airflow_provider_mlconnector.sandbox.odata.rows import Row

ENTITIES = {"LedgerJournalHeaders": HEADER, "LedgerJournalLines": LINE}
KEYS = {HEADER: ("dataAreaId", "JournalBatchNumber"), LINE: ("dataAreaId", "JournalBatchNumber", "LineNumber")}

_RECORD = re.compile(r"(\w+)\((.*)\)")
_PART = re.compile(r"\s*(\w+)=(?:'((?:[^']|'')*)'|(\d+(?:\.\d+)?))\s*")


@dataclass(frozen=True, slots=True)
class Change:
    """A request that changes something; ``if_match`` is an etag, ``*``, or "" where it has none."""

    method: str
    path: str
    body: bytes
    if_match: str
    cross_company: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A record that a path names: a journal, or one of its lines."""

    journals: GeneralJournals
    header: DraftHeader
    line: DraftLine | None


def is_record(path: str) -> bool:
    """Say whether a path names one record of the journals."""
    match = _RECORD.fullmatch(path)
    return match is not None and match[1] in ENTITIES


def find(environment: Environment, path: str, *, cross_company: bool) -> Found:
    """Return the record that a path names.

    :raises WireError: 404 when there is none in the company of the application's user, or in any if all are asked for.
    """
    match = _RECORD.fullmatch(path)
    if match is None or match[1] not in ENTITIES:
        raise no_set(path)
    key = {part[1]: part[2] if part[3] is None else part[3] for part in _PART.finditer(match[2])}
    if tuple(sorted(key)) != tuple(sorted(KEYS[ENTITIES[match[1]]])):
        raise WireError(400, "The key of the record is not whole.")
    own = cross_company or key["dataAreaId"] == environment.switches.default_company
    for journals in all_journals(environment.world):
        header = journals.headers.get(key["JournalBatchNumber"])
        if own and journals.area == key["dataAreaId"] and header is not None:
            if ENTITIES[match[1]] == HEADER:
                return Found(journals, header, None)
            line = journals.lines[header.number].get(Decimal(key["LineNumber"]))
            if line is not None:
                return Found(journals, header, line)
    raise WireError(404, "No record was found for the given key.")


def row_of(environment: Environment, found: Found) -> Row:
    """Return a record as it is written."""
    if found.line is None:
        return header_row(found.journals, found.header)
    return line_row(environment, found.journals, found.header, found.line)


def write(environment: Environment, change: Change) -> Row | None:
    """Carry out a request; return the record that it made or changed, None when it deleted one.

    :raises WireError: 404 for what is not there, 405 for what cannot be written, 412 for a stale etag, 400 else.
    """
    if change.method == "POST" and change.path in ENTITIES:
        return _add(environment, ENTITIES[change.path], change.body)
    if not is_record(change.path):
        raise _not_supported(change)
    found = find(environment, change.path, cross_company=change.cross_company)
    if change.if_match not in ("", "*", row_of(environment, found)[ETAG]):
        raise WireError(412, "The record has been changed since it was read.")
    entry = Entry(environment, found.journals)
    match change.method, found.line:
        case "PATCH", None:
            entry.change_header(found.header, read_body(change.body, HEADER))
        case "PATCH", DraftLine() as line:
            entry.change_line(found.header, line, read_body(change.body, LINE))
        case "DELETE", None:
            entry.remove_header(found.header)
            return None
        case "DELETE", DraftLine() as line:
            entry.remove_line(found.header, line)
            return None
        case _:
            raise _not_supported(change)
    return row_of(environment, find(environment, change.path, cross_company=True))


@contextmanager
def held(environment: Environment, change: Change) -> Iterator[None]:
    """Hold a journal while it is written to; a second request for it meets a conflict.

    :raises WireError: 400 when another request holds it.
    """
    journal = _journal_of(change)
    if journal in environment.held:
        raise write_failed(LINE, "Cannot edit a record in Ledger journal table (LedgerJournalTable). Update conflict")
    environment.held.add(journal)
    try:
        yield
    finally:
        environment.held.discard(journal)


def _journal_of(change: Change) -> object:
    """Return the journal that a request writes to; a new one is nobody else's."""
    match = _RECORD.fullmatch(change.path)
    if match:
        return match[2].partition(",LineNumber")[0]
    if ENTITIES.get(change.path) != LINE:
        return object()
    given = read_body(change.body, LINE)
    return f"dataAreaId='{given.get('dataAreaId', '')}',JournalBatchNumber='{given.get('JournalBatchNumber', '')}'"


def _add(environment: Environment, entity: str, body: bytes) -> Row:
    given = read_body(body, entity)
    journals = _company(environment, entity, given)
    entry = Entry(environment, journals)
    if entity == HEADER:
        return {**header_row(journals, entry.add_header(given)), "AccountingCurrency": ""}
    line = entry.add_line(given)
    return line_row(environment, journals, journals.headers[given["JournalBatchNumber"]], line)


def _company(environment: Environment, entity: str, given: Values) -> GeneralJournals:
    wanted = given.get("dataAreaId", area(environment.default_company()))
    for journals in all_journals(environment.world):
        if journals.area == wanted:
            return journals
    raise write_failed(entity, f"Company '{wanted}' does not exist")


def _not_supported(change: Change) -> WireError:
    return WireError(405, f"The requested resource does not support http method '{change.method}'.")
