# SPDX-License-Identifier: Apache-2.0
"""Batches and the books that they join, inside a caller's transaction.

A batch's ``seq`` is given out when its read begins, under the book's row, so it grows with the start of extraction
whatever order the reads end in. A book moves from one version to the next by compare-and-set; files that fall out of
it are retired.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from airflow_provider_mlconnector.errors import StaleVersionError, TrailError
from airflow_provider_mlconnector.trail import files, runs, schema
from airflow_provider_mlconnector.trail.chain import canonical, rows_digest, text_digest
from airflow_provider_mlconnector.trail.database import insert_missing
from airflow_provider_mlconnector.trail.records import (
    BatchRow,
    BatchTicket,
    BookScope,
    BookState,
    EventKind,
    StagedFile,
)


@dataclass(frozen=True, slots=True)
class Harvest:
    """What a read brought: the part of a batch that is known once it is over; see :class:`BatchRow`."""

    rows: int
    sums: Mapping[str, str]
    file: StagedFile | None
    cursor: datetime | None
    resource: str
    requests: int


def begin_batch(connection: Connection, run_id: str, scope: BookScope, mode: str, now: datetime) -> BatchTicket:
    """Give out the next seq of a book and note that a read began."""
    seq = _lock_book(connection, scope, now).last_batch + 1
    connection.execute(schema.books.update().where(_in_book(scope)).values(last_batch=seq))
    ticket = BatchTicket(batch_id=batch_id(scope, seq), seq=seq, run_id=run_id, scope=scope, mode=mode, started_at=now)
    connection.execute(
        schema.batches.insert().values(
            **scope.to_json(),
            batch_id=ticket.batch_id,
            seq=seq,
            run_id=run_id,
            mode=mode,
            started_at=now,
            rows=0,
            sums="{}",
            resource="",
            requests=0,
        )
    )
    return ticket


def batch_id(scope: BookScope, seq: int) -> str:
    """Return the id of the batch with a number in a book."""
    return "b" + hashlib.sha256(canonical([scope, seq]).encode()).hexdigest()[:16]


def is_blank(batch: BatchRow) -> bool:
    """Say whether a batch is as it was when its read began."""
    return (batch.rows, batch.sums, batch.file, batch.cursor, batch.resource, batch.requests) == (
        0,
        {},
        None,
        None,
        "",
        0,
    )


def add_batch(
    connection: Connection, ticket: BatchTicket, harvest: Harvest, detail: Mapping[str, Any], now: datetime
) -> BatchRow:
    """Finish a batch and announce it with an event that covers its row and its file.

    :raises TrailError: when it is finished already.
    """
    found = get_batch(connection, ticket.batch_id, lock=True)
    if found.finished_at is not None:
        raise TrailError(f"Batch {ticket.batch_id} is finished already.", hint="Begin another one.")
    file = harvest.file
    connection.execute(
        schema.batches.update()
        .where(schema.batches.c.batch_id == ticket.batch_id)
        .values(
            finished_at=now,
            rows=harvest.rows,
            sums=canonical(harvest.sums),
            file=canonical(file) if file else None,
            file_key=file.key if file else None,
            cursor=harvest.cursor,
            resource=harvest.resource,
            requests=harvest.requests,
        )
    )
    batch = get_batch(connection, ticket.batch_id)
    event = runs.append(
        connection,
        ticket.run_id,
        EventKind.EXTRACTED,
        {**detail, "batch": batch},
        now,
        files=[file] if file else [],
        rows_digest=rows_digest([batch]),
    )
    connection.execute(schema.batches.update().where(schema.batches.c.batch_id == ticket.batch_id).values(event=event))
    return batch


def get_batch(connection: Connection, batch_id: str, *, lock: bool = False) -> BatchRow:
    """Return a batch.

    :raises TrailError: when there is no such batch.
    """
    query = sa.select(schema.batches).where(schema.batches.c.batch_id == batch_id)
    row = connection.execute(query.with_for_update(key_share=True) if lock else query).one_or_none()
    if row is None:
        raise TrailError(f"The trail knows no batch {batch_id}.")
    return read_batch(row)


def list_batches(connection: Connection, limit: int, **equal: str | None) -> list[BatchRow]:
    """Return batches whose columns equal what is given, newest first."""
    query = sa.select(schema.batches).order_by(schema.batches.c.started_at.desc(), schema.batches.c.seq.desc())
    for column, value in equal.items():
        if value is not None:
            query = query.where(schema.batches.c[column] == value)
    return [read_batch(row) for row in connection.execute(query.limit(limit))]


def get_book(connection: Connection, scope: BookScope) -> BookState:
    """Return a book as it stands; version 0 when it was never written."""
    text = connection.scalar(sa.select(schema.books.c.state).where(_in_book(scope)))
    return BookState() if text is None else BookState.from_json(json.loads(text))


def put_book(
    connection: Connection,
    scope: BookScope,
    expected: int,
    state: BookState,
    run_id: str,
    now: datetime,
    further: Sequence[tuple[EventKind, Mapping[str, Any]]] = (),
) -> int:
    """Replace a book that is still at the expected version; ``state.version`` is the new one.

    :param further: events that are appended with it.
    :raises StaleVersionError: when it is not.
    """
    row = _lock_book(connection, scope, now)
    if row.version != expected:
        raise StaleVersionError(
            f"The book of {scope.dataset} {scope.period} is at version {row.version}, not {expected}.",
            hint="Join the batch to the book as it is now.",
        )
    text = canonical(state)
    named = files.book_files(state)
    event = runs.append(
        connection,
        run_id,
        EventKind.BOOKED,
        {"scope": scope, "version": state.version, "changes": len(state.changes)},
        now,
        files=named,
        rows_digest=text_digest(text),
    )
    files.replace(connection, scope.flow, files.book_files(BookState.from_json(json.loads(row.state))), named, now)
    connection.execute(
        schema.books.update()
        .where(_in_book(scope))
        .values(version=state.version, state=text, run_id=run_id, event=event, changed_at=now)
    )
    for kind, detail in further:
        runs.append(connection, run_id, kind, detail, now)
    return state.version


def read_batch(row: Row[Any]) -> BatchRow:
    """Return the batch that a row of the table stands for."""
    return BatchRow(
        batch_id=row.batch_id,
        seq=row.seq,
        run_id=row.run_id,
        scope=BookScope(flow=row.flow, company=row.company, dataset=row.dataset, period=row.period),
        mode=row.mode,
        started_at=row.started_at,
        finished_at=row.finished_at,
        rows=row.rows,
        sums=json.loads(row.sums),
        file=StagedFile.from_json(json.loads(row.file)) if row.file else None,
        cursor=row.cursor,
        resource=row.resource,
        requests=row.requests,
    )


def _lock_book(connection: Connection, scope: BookScope, now: datetime) -> Row[Any]:
    blank = canonical(BookState())
    insert_missing(connection, schema.books, **scope.to_json(), version=0, state=blank, last_batch=0, changed_at=now)
    return connection.execute(sa.select(schema.books).where(_in_book(scope)).with_for_update()).one()


def _in_book(scope: BookScope) -> sa.ColumnElement[bool]:
    columns = schema.books.c
    return sa.and_(
        columns.flow == scope.flow,
        columns.company == scope.company,
        columns.dataset == scope.dataset,
        columns.period == scope.period,
    )
