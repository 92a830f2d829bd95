# SPDX-License-Identifier: Apache-2.0
"""Which staged files nobody needs any more, inside a caller's transaction.

A file that a book or accepted cells let go of is retired. It may be deleted a day later, once no batch names it and
every run of its flow that was open then is closed: such a run may still be reading it. The deletion is a link of the
flow's chain, so that a file removed on purpose differs from one that is gone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from msgspec import MsgspecError
from sqlalchemy.engine import Connection

from airflow_provider_mlconnector.errors import TrailError
from airflow_provider_mlconnector.trail import runs, schema
from airflow_provider_mlconnector.trail.chain import canonical
from airflow_provider_mlconnector.trail.database import insert_missing
from airflow_provider_mlconnector.trail.records import Accepted, BookState, Manifest, StagedFile

M = TypeVar("M", bound=Manifest)

GRACE = timedelta(days=1)
"""How long a retired file stays: a task of a closed run that was cleared may be reading it without an event."""


def replace(
    connection: Connection, flow: str, old: Iterable[StagedFile], new: Iterable[StagedFile], now: datetime
) -> None:
    """Retire the files that are in ``old`` and not in ``new``; those in ``new`` are in use again."""
    kept = {file.key for file in new}
    retire(connection, flow, [file for file in old if file.key not in kept], now)
    connection.execute(schema.retired.delete().where(schema.retired.c.file_key.in_(kept)))


def retire(connection: Connection, flow: str, files: Iterable[StagedFile], at: datetime) -> None:
    """Note that files are named by no book and no accepted cells from a moment on."""
    for file in files:
        insert_missing(connection, schema.retired, file_key=file.key, flow=flow, file=canonical(file), retired_at=at)


def unused(connection: Connection, now: datetime, flow: str | None = None) -> list[StagedFile]:
    """Return the retired files that may be deleted now."""
    retired, open_runs, batches = schema.retired.c, schema.runs.c, schema.batches.c
    still_read = sa.exists().where(
        open_runs.flow == retired.flow, open_runs.outcome.is_(None), open_runs.opened_at <= retired.retired_at
    )
    named = sa.exists().where(batches.file_key == retired.file_key)
    free = sa.select(retired.file).where(retired.removed_at.is_(None), retired.retired_at <= now - GRACE)
    if flow is not None:
        free = free.where(retired.flow == flow)
    texts = connection.scalars(free.where(~still_read, ~named).order_by(retired.file_key)).all()
    kept = in_use(connection)
    return [file for file in map(_read, texts) if file.key not in kept]


def in_use(connection: Connection) -> set[str]:
    """Return the keys of the files that books and accepted cells stand on.

    :raises TrailError: when the state of one can no longer be read.
    """
    named = {file.key for state in book_states(connection) for file in book_files(state)}
    for accepted in _states(connection, schema.cells.c.state, Accepted):
        named |= {file.key for file in (accepted.file, *accepted.in_flight) if file is not None}
    return named


def book_states(connection: Connection) -> list[BookState]:
    """Return the state of every book.

    :raises TrailError: when one can no longer be read.
    """
    return _states(connection, schema.books.c.state, BookState)


def note_removed(connection: Connection, files: Iterable[StagedFile], now: datetime) -> None:
    """Note that retired files were deleted, in the chain of the flow that retired them."""
    keys = [file.key for file in files]
    of_flow: dict[str, list[str]] = defaultdict(list)
    retired = schema.retired.c
    for row in connection.execute(sa.select(retired.flow, retired.file_key).where(retired.file_key.in_(keys))):
        of_flow[row.flow].append(row.file_key)
    for flow, gone in sorted(of_flow.items()):
        runs.append_link(connection, flow, runs.LinkKind.REMOVED, "", {"files": sorted(gone)}, now)
    connection.execute(schema.retired.update().where(retired.file_key.in_(keys)).values(removed_at=now))


def book_files(state: BookState) -> list[StagedFile]:
    """Return the files of a book, base first."""
    return [part.file for part in (state.base, *state.changes) if part is not None]


def _states(connection: Connection, column: sa.Column[str], kind: type[M]) -> list[M]:
    try:
        return [kind.from_json(json.loads(text)) for text in connection.scalars(sa.select(column))]
    except (ValueError, MsgspecError) as error:
        raise TrailError(
            f"A state in the table {column.table.name} can no longer be read: {error}.",
            hint="Say which: airflow mlconnector trail verify",
        ) from error


def _read(text: str) -> StagedFile:
    return StagedFile.from_json(json.loads(text))
