# SPDX-License-Identifier: Apache-2.0
"""Replaces old runs by their closing hash, inside a caller's transaction.

What goes is itself a link of the flow's chain, so that a run removed on purpose differs from one that somebody
deleted. Runs that a book or accepted cells still stand on stay; so do documents, whose keys keep write-back
exactly-once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from airflow_provider_mlconnector.trail import files, runs, schema
from airflow_provider_mlconnector.trail.books import book_files
from airflow_provider_mlconnector.trail.chain import read_files
from airflow_provider_mlconnector.trail.database import to_text
from airflow_provider_mlconnector.trail.records import Accepted, BookState, RunOutcome, StagedFile


def abandon(connection: Connection, before: datetime, flow: str | None, now: datetime) -> None:
    """Close the open runs of which nothing was heard since a moment."""
    columns = schema.runs.c
    heard = sa.exists().where(schema.events.c.run_id == columns.run_id, schema.events.c.at >= before)
    silent = sa.select(columns.run_id).where(columns.outcome.is_(None), columns.opened_at < before, ~heard)
    if flow is not None:
        silent = silent.where(columns.flow == flow)
    for run_id in connection.scalars(silent.order_by(columns.opened_at)).all():
        runs.close_run(connection, run_id, RunOutcome.ABANDONED, now)


def prune(connection: Connection, before: datetime, flow: str | None, limit: int, now: datetime) -> list[str]:
    """Remove up to ``limit`` runs that closed before a moment, of one flow; return their ids, none when all is done."""
    columns = schema.runs.c
    old = sa.select(columns.run_id, columns.flow).where(columns.outcome.is_not(None), columns.closed_at < before)
    if flow is not None:
        old = old.where(columns.flow == flow)
    in_order = old.order_by(columns.flow, columns.closed_at, columns.run_id)
    kept = _stood_on(connection, before)
    found = [row for row in connection.execute(in_order) if row.run_id not in kept][:limit]
    if not found:
        return []
    owner = found[0].flow
    chosen = old.where(columns.flow == owner, columns.run_id.in_([row.run_id for row in found]))
    gone = sorted(connection.scalars(chosen.with_for_update()))
    files.retire(connection, owner, _files_of(connection, gone), now)
    detail = {"before": to_text(before), "runs": gone}
    runs.append_link(connection, owner, runs.LinkKind.PRUNED, "", detail, now)
    for table in (schema.rejects, schema.events, schema.approvals, schema.batches, schema.runs):
        connection.execute(table.delete().where(table.c.run_id.in_(gone)))
    return gone


def _stood_on(connection: Connection, before: datetime) -> set[str]:
    """Return the runs that last changed a book or accepted cells, or read a batch that a book consists of."""
    changed = sa.union(sa.select(schema.books.c.run_id), sa.select(schema.cells.c.run_id))
    in_books = {
        part.batch_id for state in _books(connection) for part in (state.base, *state.changes) if part is not None
    }
    batches = sa.select(schema.batches.c.run_id, schema.batches.c.batch_id).where(schema.batches.c.started_at < before)
    read = {row.run_id for row in connection.execute(batches) if row.batch_id in in_books}
    return read | {run_id for run_id in connection.scalars(changed) if run_id}


def _files_of(connection: Connection, gone: Sequence[str]) -> Iterable[StagedFile]:
    """Return the files that runs announced and that no book and no accepted cells name."""
    texts = connection.scalars(sa.select(schema.events.c.files).where(schema.events.c.run_id.in_(gone)))
    named = {file.key: file for text in texts for file in read_files(text)}
    in_use = {file.key for state in _books(connection) for file in book_files(state)}
    for text in connection.scalars(sa.select(schema.cells.c.state)):
        accepted = Accepted.from_json(json.loads(text))
        in_use |= {file.key for file in (accepted.file, *accepted.in_flight) if file is not None}
    return [file for key, file in named.items() if key not in in_use]


def _books(connection: Connection) -> list[BookState]:
    return [BookState.from_json(json.loads(text)) for text in connection.scalars(sa.select(schema.books.c.state))]
