# SPDX-License-Identifier: Apache-2.0
"""The check of what is replaced by versions: books and accepted cells are as an event last announced them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from airflow_provider_mlconnector.trail import schema
from airflow_provider_mlconnector.trail.chain import canonical, text_digest
from airflow_provider_mlconnector.trail.findings import Announced, Findings
from airflow_provider_mlconnector.trail.records import Accepted, BookScope, BookState, CellScope, ProblemKind

_NEVER_BOOKED = text_digest(canonical(BookState()))
_NEVER_LOADED = text_digest(canonical(Accepted()))


def check_states(connection: Connection, flow: str, found: Findings) -> None:
    """Compare each book and each accepted state with the highest version that an event announced."""
    current: dict[str, tuple[str, Announced | None]] = {}
    for row in _rows(connection, schema.books, flow):
        scope = canonical(BookScope(flow=flow, company=row.company, dataset=row.dataset, period=row.period))
        current[scope] = (_book(row.dataset, row.period), _state(row, _NEVER_BOOKED))
    for row in _rows(connection, schema.cells, flow):
        scope = canonical(CellScope(flow=flow, import_name=row.import_name, period=row.period))
        current[scope] = (f"cells {row.import_name} {row.period}".rstrip(), _state(row, _NEVER_LOADED))
    for scope in sorted(current.keys() | found.states.keys()):
        subject, state = current.get(scope, (scope, None))
        if state != found.states.get(scope):
            found.add(ProblemKind.ROWS_CHANGED, subject, "It is not the state that the trail last announced.")
    _check_numbers(connection, flow, found)


def _rows(connection: Connection, table: sa.Table, flow: str) -> sa.CursorResult[Any]:
    """Return the rows of a flow with their time as it is stored, readable or not."""
    columns = [column for column in table.c if column.name != "changed_at"]
    stored = sa.type_coerce(table.c.changed_at, sa.Text).label("changed_at")
    return connection.execute(sa.select(*columns, stored).where(table.c.flow == flow))


def _book(dataset: str, period: str) -> str:
    return f"book {dataset} {period}".rstrip()


def _state(row: Row[Any], never: str) -> Announced | None:
    """Return what a row holds; None for one that was made and never written."""
    digest = text_digest(row.state)
    if (row.version, digest, row.run_id, row.event) == (0, never, None, None):
        return None
    return Announced(row.version, digest, row.run_id, row.event, row.changed_at)


def _check_numbers(connection: Connection, flow: str, found: Findings) -> None:
    """Compare the last batch number of each book with the batches; retention keeps the last batch of every book."""
    columns = schema.batches.c
    place = (columns.company, columns.dataset, columns.period)
    last = sa.select(*place, sa.func.max(columns.seq)).where(columns.flow == flow).group_by(*place)
    given = {tuple(key): number for *key, number in connection.execute(last)}
    named = {(row.company, row.dataset, row.period): row.last_batch for row in _rows(connection, schema.books, flow)}
    for key in sorted(given.keys() | named.keys()):
        if given.get(key, 0) != named.get(key, 0):
            sentence = "The number of its last batch is not the one given out last."
            found.add(ProblemKind.ROWS_CHANGED, _book(key[1], key[2]), sentence)
