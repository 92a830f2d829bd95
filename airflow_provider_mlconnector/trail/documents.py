# SPDX-License-Identifier: Apache-2.0
"""The drafts that plans became: one row per document, by its key, which is the same in every run.

Before a request that changes the ledger is sent, its intent is written here, and cleared when its answer has come. So
whoever goes on after a dead process knows that a request may still be on its way, and since when.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import TrailError
from airflow_provider_mlconnector.trail import runs, schema
from airflow_provider_mlconnector.trail.chain import canonical
from airflow_provider_mlconnector.trail.database import insert_missing, read, write
from airflow_provider_mlconnector.trail.records import EventKind, Manifest

_TABLE = schema.documents


class DocumentState(StrEnum):
    """How far a document is."""

    WRITING = "writing"
    DRAFTED = "drafted"
    VERIFIED = "verified"
    """It was read back and is what was approved."""
    POSTED = "posted"
    """A person posted it; it is theirs from then on."""
    REMOVED = "removed"
    """The plan has no such document any more; its draft is gone."""


class DocumentScope(Manifest, frozen=True, kw_only=True):
    """Whose documents: those of one plan of a flow, and one version of it, in one fiscal period of a company."""

    flow: str
    plan: str
    version: str
    company: str
    period: str


class Intent(Manifest, frozen=True, kw_only=True):
    """A request that may be on its way.

    :param sentence: what it does; the same words for the same request.
    :param at: when it was about to be sent.
    """

    sentence: str
    at: datetime


class DocumentRow(Manifest, frozen=True, kw_only=True):
    """A document as the trail knows it.

    :param sha256: digest of the journal that it is, or is becoming.
    :param run_id: the run that worked on it last.
    :param number: the ERP's own number, "" while it has none.
    """

    key: str
    scope: DocumentScope
    run_id: str
    state: DocumentState
    sha256: str
    number: str
    intent: Intent | None
    created_at: datetime
    changed_at: datetime


class Documents:
    """The documents of a deployment."""

    def __init__(self, engine: Engine, clock: Clock = SYSTEM_CLOCK) -> None:
        self._engine = engine
        self._clock = clock

    def get(self, key: str) -> DocumentRow | None:
        """Return a document; None when nothing was ever written for it."""
        return read(self._engine, lambda db: _get(db, key))

    def of(self, scope: DocumentScope) -> list[DocumentRow]:
        """Return all documents of a plan's version and period, sorted by key."""
        return [row for row in self.of_flow(scope.flow, scope.period) if row.scope == scope]

    def of_flow(self, flow: str = "", period: str = "") -> list[DocumentRow]:
        """Return the documents of a flow in a period, of all where one is not named, sorted by period and key."""
        query = sa.select(_TABLE).order_by(_TABLE.c.flow, _TABLE.c.period, _TABLE.c.document_key)
        if flow:
            query = query.where(_TABLE.c.flow == flow)
        if period:
            query = query.where(_TABLE.c.period == period)
        return read(self._engine, lambda db: [_row(row) for row in db.execute(query).all()])

    def begin(self, key: str, scope: DocumentScope, sha256: str, run_id: str) -> DocumentRow:
        """Note that a run brings a document about; an intent that is open stays."""
        now = self._clock.now()

        def work(connection: Connection) -> DocumentRow:
            insert_missing(
                connection,
                _TABLE,
                document_key=key,
                flow=scope.flow,
                period=scope.period,
                company=scope.company,
                run_id=run_id,
                state=DocumentState.WRITING.value,
                payload_sha256=sha256,
                detail=canonical({"plan": scope.plan, "version": scope.version}),
                created_at=now,
                changed_at=now,
            )
            state = DocumentState.WRITING.value
            _change(connection, key, run_id=run_id, state=state, payload_sha256=sha256, changed_at=now)
            return _needed(connection, key)

        return write(self._engine, work)

    def intend(self, key: str, sentence: str) -> None:
        """Note a request that is about to be sent, durably, before it is."""
        now = self._clock.now()
        write(self._engine, lambda db: _detail(db, key, {"intent": {"sentence": sentence, "at": now}}, now))

    def answered(self, key: str) -> None:
        """Note that the request was answered, or can no longer take effect."""
        now = self._clock.now()
        write(self._engine, lambda db: _detail(db, key, {"intent": None}, now))

    def settle(
        self, key: str, state: DocumentState, number: str, run_id: str, kind: EventKind, detail: Mapping[str, Any]
    ) -> None:
        """Note what became of a document, together with the event of the run that says so."""
        now = self._clock.now()

        def work(connection: Connection) -> None:
            _needed(connection, key)
            runs.append(connection, run_id, kind, {"document": key, "state": state, "number": number, **detail}, now)
            _change(connection, key, state=state.value, external_number=number, run_id=run_id, changed_at=now)

        write(self._engine, work)


def _get(connection: Connection, key: str) -> DocumentRow | None:
    row = connection.execute(sa.select(_TABLE).where(_TABLE.c.document_key == key)).one_or_none()
    return None if row is None else _row(row)


def _needed(connection: Connection, key: str) -> DocumentRow:
    found = _get(connection, key)
    if found is None:
        raise TrailError(f"The trail knows no document {key}.")
    return found


def _change(connection: Connection, key: str, **values: Any) -> None:
    connection.execute(sa.update(_TABLE).where(_TABLE.c.document_key == key).values(**values))


def _detail(connection: Connection, key: str, changes: Mapping[str, Any], now: datetime) -> None:
    text = connection.scalar(sa.select(_TABLE.c.detail).where(_TABLE.c.document_key == key).with_for_update())
    if text is None:
        raise TrailError(f"The trail knows no document {key}.")
    kept = {name: value for name, value in {**json.loads(text), **changes}.items() if value is not None}
    _change(connection, key, detail=canonical(kept), changed_at=now)


def _row(row: Row[Any]) -> DocumentRow:
    detail = json.loads(row.detail)
    scope = DocumentScope(
        flow=row.flow, plan=detail["plan"], version=detail["version"], company=row.company, period=row.period
    )
    return DocumentRow(
        key=row.document_key,
        scope=scope,
        run_id=row.run_id,
        state=DocumentState(row.state),
        sha256=row.payload_sha256,
        number=row.external_number or "",
        intent=Intent.from_json(detail["intent"]) if "intent" in detail else None,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
