# SPDX-License-Identifier: Apache-2.0
"""The check of one run: its header, its events, the rows that they announced, and its end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from airflow_provider_mlconnector.trail import books, rejects, runs, schema
from airflow_provider_mlconnector.trail.chain import (
    canonical,
    event_hash,
    header_hash,
    link_hash,
    read_files,
    rows_digest,
)
from airflow_provider_mlconnector.trail.database import to_text
from airflow_provider_mlconnector.trail.findings import Announced, Findings
from airflow_provider_mlconnector.trail.records import EventKind, ProblemKind, RunRow


def check_run(connection: Connection, run_id: str, found: Findings) -> None:
    """Follow a run's events to their end; what comes after the first that is wrong proves nothing.

    :raises TrailError: when there is no such run.
    """
    run = runs.get_run(connection, run_id)
    rows = connection.execute(_of_run(schema.events, run_id).order_by(schema.events.c.seq)).all()
    heads = [header_hash(run)]
    for place, row in enumerate(rows, 1):
        subject = f"{run_id} event {place}"
        if row.seq != place:
            found.add(ProblemKind.EVENT_MISSING, subject, f"The run goes on with event {row.seq}.")
            return
        texts = (row.detail, row.files, row.rows_digest)
        if row.previous != heads[-1] or row.hash != event_hash(heads[-1], run_id, place, row.kind, row.at, texts):
            _add_changed(found, run_id, row, heads[-1])
            return
        heads.append(row.hash)
        found.files.update({file.key: file for file in read_files(row.files)})
        _note_state(row, found)
    _check_batches(connection, run, rows, found)
    _check_rejects(connection, run_id, rows, found)
    _check_end(connection, run, heads, found)


def _of_run(table: sa.Table, run_id: str) -> sa.Select[Any]:
    return sa.select(table).where(table.c.run_id == run_id)


def _add_changed(found: Findings, run_id: str, row: Row[Any], head: str) -> None:
    if row.seq == 1 and row.previous != head:
        sentence = "Who asked for it, when, for what, is not what was written: its first event continues from another."
        found.add(ProblemKind.RUN_CHANGED, run_id, sentence)
    else:
        sentence = f"What it says is not what was written ({row.kind})."
        found.add(ProblemKind.EVENT_CHANGED, f"{run_id} event {row.seq}", sentence)


def _note_state(event: Row[Any], found: Findings) -> None:
    """Remember the state of a book or of accepted cells that an event announced, if no later one is known."""
    detail = json.loads(event.detail)
    if event.kind not in (EventKind.BOOKED, EventKind.IN_FLIGHT, EventKind.ACCEPTED):
        return
    state = Announced(detail["version"], event.rows_digest, event.run_id, event.seq, to_text(event.at))
    before = found.states.get(canonical(detail["scope"]))
    if before is None or before.version < state.version:
        found.states[canonical(detail["scope"])] = state


def _check_batches(connection: Connection, run: RunRow, events: Sequence[Row[Any]], found: Findings) -> None:
    """Compare the run's batches with the events that announced them; a batch without one has to be unfinished."""
    announced = {
        json.loads(event.detail)["batch"]["batch_id"]: event for event in events if event.kind == EventKind.EXTRACTED
    }
    of_run = sa.select(schema.batches.c.batch_id).where(schema.batches.c.run_id == run.run_id)
    for batch_id in sorted(announced.keys() | set(connection.scalars(of_run))):
        subject, event = f"batch {batch_id}", announced.get(batch_id)
        found.guard(ProblemKind.ROWS_CHANGED, subject, partial(_check_batch, connection, run, batch_id, event, found))


def _check_batch(connection: Connection, run: RunRow, batch_id: str, event: Row[Any] | None, found: Findings) -> None:
    of_batch = sa.select(schema.batches).where(schema.batches.c.batch_id == batch_id)
    row = connection.execute(of_batch).one_or_none()
    if row is None or row.run_id != run.run_id or not _is_sound(row, event):
        sentence = f"Its row is not the one that was written for {run.run_id}."
        found.add(ProblemKind.ROWS_CHANGED, f"batch {batch_id}", sentence)


def _is_sound(row: Row[Any], event: Row[Any] | None) -> bool:
    batch = books.read_batch(row)
    if (row.batch_id, row.file_key) != (books.batch_id(batch.scope, batch.seq), batch.file.key if batch.file else None):
        return False
    if event is None:
        return row.event is None and batch.finished_at is None and books.is_blank(batch)
    return (row.event, rows_digest([batch])) == (event.seq, event.rows_digest)


def _check_rejects(connection: Connection, run_id: str, events: Sequence[Row[Any]], found: Findings) -> None:
    announced = {event.seq: event.rows_digest for event in events if event.kind == EventKind.REJECTS}
    of_run = sa.select(schema.rejects.c.event).where(schema.rejects.c.run_id == run_id)
    for seq in sorted(announced.keys() | set(connection.scalars(of_run))):
        rows = rejects.of_event(connection, run_id, seq)
        in_order = [row.position for row in rows] == list(range(1, len(rows) + 1))
        if not in_order or announced.get(seq) != rows_digest(row.reject for row in rows):
            subject = f"{run_id} event {seq}"
            found.add(ProblemKind.ROWS_CHANGED, subject, "The rejects are not those that the event announced.")


def _check_end(connection: Connection, run: RunRow, heads: list[str], found: Findings) -> None:
    count = len(heads) - 1
    closings = connection.execute(
        _of_run(schema.chain, run.run_id)
        .where(schema.chain.c.kind == runs.LinkKind.CLOSED)
        .order_by(schema.chain.c.seq)
    ).all()
    last = max([run.events, *(json.loads(link.detail)["events"] for link in closings)])
    if count < last:
        subject = f"{run.run_id} event {count + 1}"
        found.add(ProblemKind.EVENT_MISSING, subject, f"The run had {last} events, {count} are left.")
        return
    if (count, heads[-1]) != (run.events, run.head):
        found.add(ProblemKind.RUN_CHANGED, run.run_id, "The run's row does not name its last event.")
    for link in closings:
        closing = json.loads(link.detail)
        if (closing["header"], closing["head"]) != (heads[0], heads[closing["events"]]) or not _holds(link):
            found.add(ProblemKind.RUN_CHANGED, run.run_id, f"It was closed with another content ({link.hash}).")
    _check_outcome(run, closings[-1] if closings else None, found)


def _holds(link: Row[Any]) -> bool:
    told = link_hash(link.previous, link.flow, link.seq, link.kind, link.run_id, link.at, link.detail)
    return told == str(link.hash)


def _check_outcome(run: RunRow, closing: Row[Any] | None, found: Findings) -> None:
    """Compare how the run ended with its last closing; it is open while it has events after that."""
    told: tuple[Any, ...] = (None, None, "")
    if closing is not None:
        detail = json.loads(closing.detail)
        if detail["events"] == run.events:
            told = (detail["outcome"], closing.at, closing.hash)
    if (run.outcome, run.closed_at, run.closing) != told:
        found.add(ProblemKind.RUN_CHANGED, run.run_id, "Its end is not the one that its flow's chain holds.")
