# SPDX-License-Identifier: Apache-2.0
"""Which staged files nobody needs any more, inside a caller's transaction.

A file that a book or accepted cells let go of is retired. It may be deleted once no batch names it and every run of
its flow that was open then is closed: such a run may still be reading it. Deleted files stay listed, so that a check
of the chain does not miss them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from airflow_provider_mlconnector.trail import schema
from airflow_provider_mlconnector.trail.chain import canonical
from airflow_provider_mlconnector.trail.database import insert_missing
from airflow_provider_mlconnector.trail.records import StagedFile


def replace(
    connection: Connection, flow: str, old: Iterable[StagedFile], new: Iterable[StagedFile], now: datetime
) -> None:
    """Retire the files that are in ``old`` and not in ``new``; those in ``new`` are in use again."""
    kept = {file.key for file in new}
    retire(connection, flow, [file for file in old if file.key not in kept], now)
    connection.execute(schema.retired.delete().where(schema.retired.c.file_key.in_(kept)))


def retire(connection: Connection, flow: str, files: Iterable[StagedFile], now: datetime) -> None:
    """Note that files are named by no book and no accepted cells from now on."""
    for file in files:
        insert_missing(connection, schema.retired, file_key=file.key, flow=flow, file=canonical(file), retired_at=now)


def unused(connection: Connection) -> list[StagedFile]:
    """Return the retired files that may be deleted now."""
    retired, runs, batches = schema.retired.c, schema.runs.c, schema.batches.c
    still_read = sa.exists().where(
        runs.flow == retired.flow, runs.outcome.is_(None), runs.opened_at <= retired.retired_at
    )
    named = sa.exists().where(batches.file_key == retired.file_key)
    query = sa.select(retired.file).where(retired.removed_at.is_(None), ~still_read, ~named)
    return [StagedFile.from_json(json.loads(text)) for text in connection.scalars(query)]


def note_removed(connection: Connection, files: Iterable[StagedFile], now: datetime) -> None:
    """Note that retired files were deleted."""
    keys = [{"gone": file.key} for file in files]
    if keys:
        one = schema.retired.update().where(schema.retired.c.file_key == sa.bindparam("gone"))
        connection.execute(one.values(removed_at=now), keys)


def removed_keys(connection: Connection) -> set[str]:
    """Return the keys of all files that were deleted on purpose."""
    query = sa.select(schema.retired.c.file_key).where(schema.retired.c.removed_at.is_not(None))
    return set(connection.scalars(query))
