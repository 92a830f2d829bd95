# SPDX-License-Identifier: Apache-2.0
"""Decisions of people, as evidence: who chose what, when, about which bytes.

Only the task that asked writes one, when it is answered. What writes to a ledger trusts nothing else: a task can be
marked as successful, and what tasks hand on can be edited, by anybody who may edit runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.engine import Connection, Engine

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import TamperedError
from airflow_provider_mlconnector.trail import runs, schema
from airflow_provider_mlconnector.trail.database import insert_missing, read, write
from airflow_provider_mlconnector.trail.records import EventKind, Manifest

_TABLE = schema.approvals


class Decision(Manifest, frozen=True, kw_only=True):
    """What was decided about some bytes in one run.

    :param subject: what was asked about, such as the plan's name.
    :param sha256: digest (hex) of the bytes that were shown.
    :param chosen: the option that was chosen.
    :param requested_by: who asked for the run.
    :param responded_by: the person; None when nobody answered and a default was taken.
    :param reason: what they said with it.
    """

    run_id: str
    subject: str
    sha256: str
    chosen: str
    requested_by: str
    responded_by: str | None
    responded_at: datetime | None
    reason: str = ""


class Approvals:
    """The decisions of a deployment."""

    def __init__(self, engine: Engine, clock: Clock = SYSTEM_CLOCK) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, decision: Decision) -> None:
        """Keep a decision, with an event of its run.

        Whoever is asked again about the same bytes in the same run may choose otherwise: that is kept beside the first
        decision, which stays.
        """
        now = self._clock.now()

        def work(connection: Connection) -> None:
            runs.get_run(connection, decision.run_id, lock=True)
            before = _find(connection, decision.run_id, decision.subject, decision.sha256)
            if before is not None and before.chosen == decision.chosen:
                return
            event = runs.append(connection, decision.run_id, EventKind.APPROVED, decision.to_json(), now)
            insert_missing(
                connection,
                _TABLE,
                run_id=decision.run_id,
                subject=decision.subject,
                payload_sha256=decision.sha256,
                chosen=decision.chosen,
                requested_by=decision.requested_by,
                responded_by=decision.responded_by,
                responded_at=decision.responded_at,
                event=event,
            )

        write(self._engine, work)

    def about(self, run_id: str, subject: str, sha256: str) -> list[Decision]:
        """Return what was decided about these bytes in this run, the first decision first.

        :raises TamperedError: when a row is not what the event says that announced it.
        """
        about = (subject, sha256)
        return [decision for decision in self.of_run(run_id) if (decision.subject, decision.sha256) == about]

    def of_run(self, run_id: str) -> list[Decision]:
        """Return all decisions of a run, in order.

        :raises TamperedError: when one is not what the event says that announced it.
        """
        query = sa.select(_TABLE).where(_TABLE.c.run_id == run_id).order_by(_TABLE.c.event)
        return read(self._engine, lambda db: _decisions(db, run_id, db.execute(query).all()))


def _find(connection: Connection, run_id: str, subject: str, sha256: str) -> Any:
    columns = _TABLE.c
    of_it = (columns.run_id == run_id, columns.subject == subject, columns.payload_sha256 == sha256)
    return connection.execute(sa.select(_TABLE).where(*of_it)).one_or_none()


def _decisions(connection: Connection, run_id: str, rows: Iterable[Any]) -> list[Decision]:
    """Return the decisions of rows, as the events say that announced them, and those that followed about the same.

    :raises TamperedError: when a row says something else than its event.
    """
    events = runs.list_events(connection, run_id)
    told = {event.seq: Decision.from_json(event.detail) for event in events if event.kind == EventKind.APPROVED}
    known = set()
    for row in rows:
        announced = told.get(row.event)
        if announced is None or replace(announced, reason="") != _decision(row):
            raise TamperedError(
                f"The decision about '{row.subject}' in run {run_id} is not what its event says.",
                hint="Run: airflow mlconnector trail verify",
            )
        known.add((row.subject, row.payload_sha256))
    return [decision for decision in told.values() if (decision.subject, decision.sha256) in known]


def _decision(row: Any) -> Decision:
    return Decision(
        run_id=row.run_id,
        subject=row.subject,
        sha256=row.payload_sha256,
        chosen=row.chosen,
        requested_by=row.requested_by,
        responded_by=row.responded_by,
        responded_at=row.responded_at,
    )
