# SPDX-License-Identifier: Apache-2.0
"""The cells that Anaplan last accepted, inside a caller's transaction.

Each change moves a scope from the version that the caller worked against to the next one, or raises: two loads
prepared against the same version cannot both be accepted. The watermark is committed with the cells, never before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from airflow_provider_mlconnector.errors import StaleVersionError
from airflow_provider_mlconnector.trail import files, rejects, runs, schema
from airflow_provider_mlconnector.trail.chain import canonical, text_digest
from airflow_provider_mlconnector.trail.database import insert_missing
from airflow_provider_mlconnector.trail.records import Accepted, CellScope, EventKind, Reject, StagedFile


def get_accepted(connection: Connection, scope: CellScope) -> Accepted:
    """Return what was accepted of a scope; version 0 when nothing was ever sent."""
    text = connection.scalar(sa.select(schema.cells.c.state).where(_in_scope(scope)))
    return Accepted() if text is None else Accepted.from_json(json.loads(text))


def mark_in_flight(
    connection: Connection, scope: CellScope, expected: int, touched: StagedFile, run_id: str, now: datetime
) -> int:
    """Note that the values of some cells are unknown from now on; return the new version.

    :raises StaleVersionError: when the scope is not at the expected version.
    """
    before = _lock(connection, scope, expected, now)
    after = Accepted(
        version=expected + 1,
        file=before.file,
        in_flight=(*before.in_flight, touched),
        watermark=before.watermark,
    )
    _move(connection, scope, after, EventKind.IN_FLIGHT, run_id, {}, [touched], now)
    return after.version


def accept(
    connection: Connection,
    scope: CellScope,
    expected: int,
    file: StagedFile,
    watermark: datetime | None,
    run_id: str,
    detail: Mapping[str, Any],
    rejected: Sequence[Reject],
    now: datetime,
) -> int:
    """Replace the accepted cells, clear what was in flight and move the watermark; return the new version.

    :param watermark: None leaves it where it is.
    :raises StaleVersionError: when the scope is not at the expected version.
    """
    before = _lock(connection, scope, expected, now)
    if rejected:
        rejects.add(connection, run_id, rejected, now)
    after = Accepted(version=expected + 1, file=file, watermark=watermark or before.watermark)
    _move(connection, scope, after, EventKind.ACCEPTED, run_id, detail, [file], now)
    files.replace(connection, scope.flow, [before.file] if before.file else [], [file], now)
    return after.version


def _lock(connection: Connection, scope: CellScope, expected: int, now: datetime) -> Accepted:
    blank = canonical(Accepted())
    insert_missing(connection, schema.cells, **scope.to_json(), version=0, state=blank, changed_at=now)
    row = connection.execute(sa.select(schema.cells).where(_in_scope(scope)).with_for_update()).one()
    if row.version != expected:
        raise StaleVersionError(
            f"The accepted cells of {scope.import_name} {scope.period} are at version {row.version}, not {expected}.",
            hint="Another run loaded this import meanwhile: prepare the file again.",
        )
    return _state(row)


def _move(
    connection: Connection,
    scope: CellScope,
    after: Accepted,
    kind: EventKind,
    run_id: str,
    detail: Mapping[str, Any],
    named: Sequence[StagedFile],
    now: datetime,
) -> None:
    text = canonical(after)
    announced = {**detail, "scope": scope, "version": after.version, "watermark": after.watermark}
    event = runs.append(connection, run_id, kind, announced, now, files=named, rows_digest=text_digest(text))
    connection.execute(
        schema.cells.update()
        .where(_in_scope(scope))
        .values(
            version=after.version,
            state=text,
            run_id=run_id,
            event=event,
            changed_at=now,
        )
    )


def _state(row: Row[Any]) -> Accepted:
    return Accepted.from_json(json.loads(row.state))


def _in_scope(scope: CellScope) -> sa.ColumnElement[bool]:
    columns = schema.cells.c
    return sa.and_(columns.flow == scope.flow, columns.import_name == scope.import_name, columns.period == scope.period)
