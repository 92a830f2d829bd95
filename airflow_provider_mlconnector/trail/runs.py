# SPDX-License-Identifier: Apache-2.0
"""Runs, their events and the chain of their flow, inside a caller's transaction.

Whoever appends holds the row it continues from: the run's for an event, then the flow's for a link, always in that
order (and after the row of a book or of cells, where one is changed). So no two events continue from the same hash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from airflow_provider_mlconnector.errors import TrailError
from airflow_provider_mlconnector.trail import schema
from airflow_provider_mlconnector.trail.chain import (
    canonical,
    event_hash,
    files_text,
    header_hash,
    link_hash,
    read_files,
)
from airflow_provider_mlconnector.trail.database import insert_missing
from airflow_provider_mlconnector.trail.records import (
    EventKind,
    EventRow,
    FlowHead,
    RunOutcome,
    RunRef,
    RunRow,
    StagedFile,
)


class LinkKind(StrEnum):
    """What a link of a flow's chain stands for.

    One run's opening or closing, the removal of old runs, the removal of staged files.
    """

    OPENED = "opened"
    CLOSED = "closed"
    PRUNED = "pruned"
    REMOVED = "removed"


def open_run(
    connection: Connection, run: RunRef, requested_by: str, detail: Mapping[str, Any], now: datetime
) -> RunRow:
    """Add a run, or return it as it is already."""
    row = RunRow(
        run_id=run.run_id,
        flow=run.flow,
        period=run.period,
        mode=run.mode,
        requested_by=requested_by,
        opened_at=now,
        detail=json.loads(canonical(detail)),
        events=0,
        head="",
    )
    head = header_hash(row)
    added = insert_missing(
        connection,
        schema.runs,
        run_id=row.run_id,
        flow=row.flow,
        period=row.period,
        mode=row.mode,
        requested_by=row.requested_by,
        opened_at=row.opened_at,
        detail=canonical(row.detail),
        events=0,
        head=head,
        closing="",
    )
    if added:
        append_link(connection, run.flow, LinkKind.OPENED, run.run_id, {"header": head}, now)
    return get_run(connection, run.run_id)


def get_run(connection: Connection, run_id: str, *, lock: bool = False) -> RunRow:
    """Return a run, its row locked until the transaction ends if asked.

    :raises TrailError: when there is no such run.
    """
    query = sa.select(schema.runs).where(schema.runs.c.run_id == run_id)
    row = connection.execute(query.with_for_update(key_share=True) if lock else query).one_or_none()
    if row is None:
        raise TrailError(f"The trail knows no run {run_id}.", hint="List them: airflow mlconnector trail runs")
    return read_run(row)


def list_runs(connection: Connection, flow: str | None, period: str | None, limit: int) -> list[RunRow]:
    """Return the latest runs, newest first."""
    query = sa.select(schema.runs).order_by(schema.runs.c.opened_at.desc(), schema.runs.c.run_id).limit(limit)
    if flow is not None:
        query = query.where(schema.runs.c.flow == flow)
    if period is not None:
        query = query.where(schema.runs.c.period == period)
    return [read_run(row) for row in connection.execute(query)]


def append(
    connection: Connection,
    run_id: str,
    kind: EventKind,
    detail: Mapping[str, Any],
    now: datetime,
    *,
    files: Sequence[StagedFile] = (),
    rows_digest: str = "",
) -> int:
    """Append an event to a run's chain and return its number; a closed run is open again after that."""
    run = get_run(connection, run_id, lock=True)
    seq = run.events + 1
    texts = (canonical(detail), files_text(files), rows_digest)
    head = event_hash(run.head, run_id, seq, kind, now, texts)
    connection.execute(
        schema.events.insert().values(
            run_id=run_id,
            seq=seq,
            kind=kind,
            at=now,
            detail=texts[0],
            files=texts[1],
            rows_digest=texts[2],
            previous=run.head,
            hash=head,
        )
    )
    _update(connection, run_id, events=seq, head=head, outcome=None, closed_at=None, closing="")
    return seq


def list_events(connection: Connection, run_id: str) -> list[EventRow]:
    """Return a run's events in order."""
    query = sa.select(schema.events).where(schema.events.c.run_id == run_id).order_by(schema.events.c.seq)
    return [_event(row) for row in connection.execute(query)]


def close_run(connection: Connection, run_id: str, outcome: RunOutcome, now: datetime) -> str:
    """Close a run into its flow's chain and return its closing hash; closing it again alike changes nothing."""
    run = get_run(connection, run_id, lock=True)
    if run.outcome is outcome:
        return run.closing
    detail = {
        "events": run.events,
        "head": run.head,
        "header": header_hash(run),
        "outcome": outcome,
        "period": run.period,
    }
    closing = append_link(connection, run.flow, LinkKind.CLOSED, run_id, detail, now)
    _update(connection, run_id, outcome=outcome, closed_at=now, closing=closing)
    return closing


def append_link(
    connection: Connection, flow: str, kind: LinkKind, run_id: str, detail: Mapping[str, Any], now: datetime
) -> str:
    """Append a link to a flow's chain and return its hash.

    :param run_id: "" for a link that is about no single run.
    """
    insert_missing(connection, schema.flows, flow=flow, links=0, head="")
    end = connection.execute(sa.select(schema.flows).where(schema.flows.c.flow == flow).with_for_update()).one()
    seq, text = end.links + 1, canonical(detail)
    head = link_hash(end.head, flow, seq, kind, run_id, now, text)
    connection.execute(
        schema.chain.insert().values(
            flow=flow, seq=seq, kind=kind, run_id=run_id, at=now, detail=text, previous=end.head, hash=head
        )
    )
    connection.execute(schema.flows.update().where(schema.flows.c.flow == flow).values(links=seq, head=head))
    return head


def list_heads(connection: Connection, flow: str | None) -> list[FlowHead]:
    """Return the last link of each flow's chain, or of one flow's."""
    ends, links = schema.flows.c, schema.chain.c
    of_end = sa.and_(links.flow == ends.flow, links.seq == ends.links)
    query = sa.select(ends.flow, ends.links, ends.head, links.at).join(schema.chain, of_end).order_by(ends.flow)
    if flow is not None:
        query = query.where(ends.flow == flow)
    return [FlowHead(flow=row.flow, links=row.links, at=row.at, head=row.head) for row in connection.execute(query)]


def _update(connection: Connection, run_id: str, **values: Any) -> None:
    connection.execute(schema.runs.update().where(schema.runs.c.run_id == run_id).values(**values))


def read_run(row: Row[Any]) -> RunRow:
    """Return the run that a row of the table stands for."""
    return RunRow(
        run_id=row.run_id,
        flow=row.flow,
        period=row.period,
        mode=row.mode,
        requested_by=row.requested_by,
        opened_at=row.opened_at,
        detail=json.loads(row.detail),
        events=row.events,
        head=row.head,
        outcome=RunOutcome(row.outcome) if row.outcome else None,
        closed_at=row.closed_at,
        closing=row.closing,
    )


def _event(row: Row[Any]) -> EventRow:
    return EventRow(
        run_id=row.run_id,
        seq=row.seq,
        kind=row.kind,
        at=row.at,
        detail=json.loads(row.detail),
        files=read_files(row.files),
        rows_digest=row.rows_digest,
        previous=row.previous,
        hash=row.hash,
    )
