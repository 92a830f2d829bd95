# SPDX-License-Identifier: Apache-2.0
"""Rows that did not go through as meant, inside a caller's transaction.

Each set of them is covered by the event that announces it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from airflow_provider_mlconnector.trail import runs, schema
from airflow_provider_mlconnector.trail.chain import canonical, rows_digest
from airflow_provider_mlconnector.trail.records import EventKind, Reject, RejectKind, RejectRow


def add(connection: Connection, run_id: str, rows: Sequence[Reject], now: datetime) -> int:
    """Add rows, announced by one event that counts them by kind; return the event's number."""
    storable = [_storable(row) for row in rows]
    counts = Counter(f"{row.kind} {row.import_name or row.dataset}" for row in storable)
    event = runs.append(
        connection, run_id, EventKind.REJECTS, {"counts": counts}, now, rows_digest=rows_digest(storable)
    )
    connection.execute(
        schema.rejects.insert(),
        [_columns(row) | {"run_id": run_id, "event": event, "position": i} for i, row in enumerate(storable, 1)],
    )
    return event


def find(
    connection: Connection, limit: int | None, *, run_id: str | None, kind: RejectKind | None, record_id: str | None
) -> list[RejectRow]:
    """Return rejects of a run or of a record, in the order in which they were added."""
    columns = schema.rejects.c
    query = sa.select(schema.rejects).order_by(columns.run_id, columns.event, columns.position).limit(limit)
    for column, value in ((columns.run_id, run_id), (columns.kind, kind), (columns.record_id, record_id)):
        if value is not None:
            query = query.where(column == value)
    return [_row(row) for row in connection.execute(query)]


def of_event(connection: Connection, run_id: str, event: int) -> list[RejectRow]:
    """Return the rows that an event announced, in its order."""
    columns = schema.rejects.c
    query = sa.select(schema.rejects).where(columns.run_id == run_id, columns.event == event)
    return [_row(row) for row in connection.execute(query.order_by(columns.position))]


def _storable(row: Reject) -> Reject:
    """Replace the characters that PostgreSQL cannot keep in text; they come from remote systems."""

    def clean(text: str) -> str:
        return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()

    return Reject(
        kind=row.kind,
        dataset=row.dataset,
        reason=clean(row.reason),
        import_name=row.import_name,
        line=row.line,
        record_id=None if row.record_id is None else clean(row.record_id),
        cell=row.cell,
        amount=row.amount,
        values=json.loads(canonical(row.values)),
    )


def _columns(row: Reject) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "dataset": row.dataset,
        "import_name": row.import_name,
        "line": row.line,
        "record_id": row.record_id,
        "cell": canonical(row.cell),
        "amount": row.amount,
        "reason": row.reason,
        "fields": canonical(row.values),
    }


def _row(row: Row[Any]) -> RejectRow:
    reject = Reject(
        kind=RejectKind(row.kind),
        dataset=row.dataset,
        reason=row.reason,
        import_name=row.import_name,
        line=row.line,
        record_id=row.record_id,
        cell=json.loads(row.cell),
        amount=row.amount,
        values=json.loads(row.fields),
    )
    return RejectRow(run_id=row.run_id, event=row.event, position=row.position, reject=reject)
