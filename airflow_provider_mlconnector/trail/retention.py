# SPDX-License-Identifier: Apache-2.0
"""Replaces old runs by their closing hash, inside a caller's transaction.

What goes is itself a link of the flow's chain, so that a run removed on purpose differs from one that somebody
deleted. Runs that a book or accepted cells still stand on stay, and so does each book's last read, whose number the
next one continues from; so do documents, whose keys keep write-back exactly-once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from airflow_provider_mlconnector.trail import files, runs, schema
from airflow_provider_mlconnector.trail.chain import read_files
from airflow_provider_mlconnector.trail.database import to_text
from airflow_provider_mlconnector.trail.records import RunOutcome, RunRow, StagedFile


def abandon(connection: Connection, before: datetime, flow: str | None, now: datetime) -> None:
    """Close the open runs of which nothing was heard since a moment."""
    columns = schema.runs.c
    heard = sa.exists().where(schema.events.c.run_id == columns.run_id, schema.events.c.at >= before)
    silent = sa.select(columns.run_id).where(columns.outcome.is_(None), columns.opened_at < before, ~heard)
    if flow is not None:
        silent = silent.where(columns.flow == flow)
    for run_id in connection.scalars(silent.order_by(columns.opened_at)).all():
        runs.close_run(connection, run_id, RunOutcome.ABANDONED, now)


def prunable(connection: Connection, before: datetime, flow: str | None) -> list[RunRow]:
    """Return the runs that closed before a moment and that nothing stands on, in the order in which they closed."""
    columns = schema.runs.c
    old = sa.select(schema.runs).where(columns.outcome.is_not(None), columns.closed_at < before)
    if flow is not None:
        old = old.where(columns.flow == flow)
    kept = _stood_on(connection)
    in_order = connection.execute(old.order_by(columns.flow, columns.closed_at, columns.run_id))
    return [runs.read_run(row) for row in in_order if row.run_id not in kept]


def is_there(connection: Connection, run_id: str) -> bool:
    """Say whether a run is still on the trail."""
    return connection.scalar(sa.select(sa.exists().where(schema.runs.c.run_id == run_id))) is True


def outlook(
    connection: Connection, before: datetime, flow: str | None, now: datetime
) -> tuple[list[RunRow], list[StagedFile]]:
    """Return the runs that may go, and the files that may be deleted now or once they are gone."""
    old = prunable(connection, before, flow)
    free = {file.key: file for file in files.unused(connection, now, flow)}
    free |= {file.key: file for file in files_of(connection, [run.run_id for run in old])}
    return old, [free[key] for key in sorted(free)]


def prune(connection: Connection, flow: str, chosen: Sequence[str], before: datetime, now: datetime) -> list[str]:
    """Remove those of a flow's chosen runs that are still as :func:`prunable` found them; return their ids."""
    columns = schema.runs.c
    old = sa.select(columns.run_id).where(columns.flow == flow, columns.run_id.in_(chosen))
    locked = connection.scalars(old.where(columns.outcome.is_not(None), columns.closed_at < before).with_for_update())
    gone = sorted(set(locked) - _stood_on(connection))
    if not gone:
        return []
    # Nothing stands on them, and nobody reads them but a run that is open since before: no day of grace.
    files.retire(connection, flow, files_of(connection, gone), min(before, now - files.GRACE))
    runs.append_link(connection, flow, runs.LinkKind.PRUNED, "", {"before": to_text(before), "runs": gone}, now)
    for table in (schema.rejects, schema.events, schema.approvals, schema.batches, schema.runs):
        connection.execute(table.delete().where(table.c.run_id.in_(gone)))
    return gone


def _stood_on(connection: Connection) -> set[str]:
    """Return the runs that last changed a book or accepted cells, or read a batch that a book needs."""
    parts = (part for state in files.book_states(connection) for part in (state.base, *state.changes))
    in_books = {part.batch_id for part in parts if part is not None}
    batches, books = schema.batches.c, schema.books.c
    last = sa.exists().where(
        books.flow == batches.flow,
        books.company == batches.company,
        books.dataset == batches.dataset,
        books.period == batches.period,
        books.last_batch == batches.seq,
    )
    needed = sa.select(batches.run_id).where(sa.or_(last, batches.batch_id.in_(in_books)))
    found = sa.union(needed, sa.select(schema.books.c.run_id), sa.select(schema.cells.c.run_id))
    return {run_id for run_id in connection.scalars(found) if run_id}


def files_of(connection: Connection, chosen: Sequence[str]) -> list[StagedFile]:
    """Return the files that runs announced and that no book and no accepted cells name."""
    texts = connection.scalars(sa.select(schema.events.c.files).where(schema.events.c.run_id.in_(chosen)))
    named = {file.key: file for text in texts for file in read_files(text)}
    kept = files.in_use(connection)
    return [file for key, file in named.items() if key not in kept]
