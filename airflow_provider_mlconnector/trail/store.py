# SPDX-License-Identifier: Apache-2.0
"""The trail: what was read, what was sent, what was accepted, and the proof of it.

One object per process and database; it opens no connection before it is used, and may be used by several threads and
after a fork. Every method is one transaction. The invariants are told where they are kept: :mod:`trail.database`
(transactions),
:mod:`trail.chain` (hashes), :mod:`trail.runs`, :mod:`trail.books`, :mod:`trail.cells`, :mod:`trail.files`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.trail import books, cells, files, pruning, rejects, retention, runs, schema, verify
from airflow_provider_mlconnector.trail.database import make_engine, read, write
from airflow_provider_mlconnector.trail.findings import FileCheck
from airflow_provider_mlconnector.trail.records import (
    Accepted,
    BatchRow,
    BatchTicket,
    BookFile,
    BookScope,
    BookState,
    CellScope,
    EventKind,
    EventRow,
    FlowHead,
    Problem,
    Pruned,
    Reject,
    RejectKind,
    RejectRow,
    RunOutcome,
    RunRef,
    RunRow,
    StagedFile,
)

REJECTS_AT_ONCE = 5_000


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table(schema.VERSION_TABLE):
        return None
    return connection.scalar(sa.select(sa.column("version_num", sa.Text)).select_from(sa.table(schema.VERSION_TABLE)))


class Trail:
    """The trail's database at ``url`` (SQLite or PostgreSQL)."""

    def __init__(self, url: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._url = url
        self._clock = clock
        self._engine: Engine | None = None
        self._making = threading.Lock()

    @property
    def engine(self) -> Engine:
        """Return the engine, for leases, budgets and the vault."""
        with self._making:
            if self._engine is None:
                self._engine = make_engine(self._url)
            return self._engine

    def upgrade(self) -> None:
        """Bring the schema to the newest version; safe while others do the same."""
        from airflow_provider_mlconnector.trail import migrate  # its libraries take a while, and no task needs them

        migrate.upgrade(self.engine)

    def check(self) -> tuple[str | None, str]:
        """Return the schema's revision in the database (None before the first upgrade) and the newest one."""
        return read(self.engine, _revision), schema.REVISION

    def close(self) -> None:
        """Close the connections; a later use opens new ones."""
        if self._engine is not None:
            self._engine.dispose()

    def open_run(self, run: RunRef, *, requested_by: str, detail: Mapping[str, Any] | None = None) -> RunRow:
        """Add a run; one that exists is returned as it is."""
        now = self._clock.now()
        return write(self.engine, lambda db: runs.open_run(db, run, requested_by, detail or {}, now))

    def close_run(self, run_id: str, outcome: RunOutcome) -> str:
        """Close a run into its flow's chain and return its closing hash.

        A run that gets another event after that (a step was cleared) is open again, and is closed anew.

        :raises TrailError: when there is no such run.
        """
        now = self._clock.now()
        return write(self.engine, lambda db: runs.close_run(db, run_id, outcome, now))

    def run(self, run_id: str) -> RunRow:
        """Return a run.

        :raises TrailError: when there is no such run.
        """
        return read(self.engine, lambda db: runs.get_run(db, run_id))

    def runs(self, flow: str | None = None, *, period: str | None = None, limit: int = 50) -> list[RunRow]:
        """Return the latest runs, newest first."""
        return read(self.engine, lambda db: runs.list_runs(db, flow, period, limit))

    def record(
        self,
        run_id: str,
        kind: EventKind,
        detail: Mapping[str, Any],
        *,
        files: Sequence[StagedFile] = (),
        rows_digest: str = "",
    ) -> int:
        """Append an event to a run's chain and return its number, from 1.

        :param detail: JSON; decimals, times and manifests are written as text and objects. No secret, no rows.
        :param files: staged files that the event announces; their digests are covered by its hash.
        :param rows_digest: digest of rows that the event announces, see :func:`trail.chain.rows_digest`.
        :raises TrailError: when there is no such run.
        """
        now = self._clock.now()
        return write(
            self.engine,
            lambda db: runs.append(db, run_id, kind, detail, now, files=files, rows_digest=rows_digest),
        )

    def events(self, run_id: str) -> list[EventRow]:
        """Return a run's events in order."""
        return read(self.engine, lambda db: runs.list_events(db, run_id))

    def begin_batch(self, run_id: str, scope: BookScope, mode: str) -> BatchTicket:
        """Note that a read begins, before the first request; its ``seq`` decides whose version of a record wins."""
        now = self._clock.now()
        return write(self.engine, lambda db: books.begin_batch(db, run_id, scope, mode, now))

    def add_batch(
        self,
        ticket: BatchTicket,
        *,
        rows: int,
        sums: Mapping[str, str],
        file: StagedFile | None,
        cursor: datetime | None,
        resource: str,
        requests: int,
        detail: Mapping[str, Any] | None = None,
    ) -> BatchRow:
        """Finish a batch and append the event ``extracted`` that covers it, with ``detail`` in it.

        :raises TrailError: when the batch is finished already.
        """
        now = self._clock.now()
        harvest = books.Harvest(rows, sums, file, cursor, resource, requests)
        return write(self.engine, lambda db: books.add_batch(db, ticket, harvest, detail or {}, now))

    def batch(self, batch_id: str) -> BatchRow:
        """Return a batch.

        :raises TrailError: when there is no such batch.
        """
        return read(self.engine, lambda db: books.get_batch(db, batch_id))

    def batches(
        self,
        *,
        run_id: str | None = None,
        flow: str | None = None,
        company: str | None = None,
        dataset: str | None = None,
        period: str | None = None,
        limit: int = 1000,
    ) -> list[BatchRow]:
        """Return the batches that match what is given, newest first, unfinished ones too."""
        equal = {"run_id": run_id, "flow": flow, "company": company, "dataset": dataset, "period": period}
        return read(self.engine, lambda db: books.list_batches(db, limit, **equal))

    def book(self, scope: BookScope) -> BookState:
        """Return a book as it stands; version 0 when it was never written."""
        return read(self.engine, lambda db: books.get_book(db, scope))

    def put_book(
        self,
        scope: BookScope,
        *,
        expected: int,
        base: BookFile | None,
        changes: Sequence[BookFile],
        columns_digest: str,
        run_id: str,
        events: Sequence[tuple[EventKind, Mapping[str, Any]]] = (),
    ) -> int:
        """Replace a book, append the event ``booked`` and return the new version.

        :param expected: the version that the new state was made from.
        :param events: further events of the same transaction, each with its detail.
        :raises StaleVersionError: when the book moved on meanwhile; nothing is changed.
        """
        now = self._clock.now()
        state = BookState(version=expected + 1, base=base, changes=tuple(changes), columns_digest=columns_digest)
        return write(self.engine, lambda db: books.put_book(db, scope, expected, state, run_id, now, events))

    def accepted(self, scope: CellScope) -> Accepted:
        """Return what Anaplan last accepted of a scope; version 0 when nothing was ever sent."""
        return read(self.engine, lambda db: cells.get_accepted(db, scope))

    def mark_in_flight(self, scope: CellScope, *, expected: int, touched: StagedFile, run_id: str) -> int:
        """Note, before an upload or a start, that the cells in ``touched`` are unknown from now on.

        :return: the new version.
        :raises StaleVersionError: when the scope moved on meanwhile; nothing is changed.
        """
        now = self._clock.now()
        return write(self.engine, lambda db: cells.mark_in_flight(db, scope, expected, touched, run_id, now))

    def accept(
        self,
        scope: CellScope,
        *,
        expected: int,
        file: StagedFile,
        watermark: datetime | None,
        run_id: str,
        detail: Mapping[str, Any],
        rejects: Sequence[Reject] = (),
    ) -> int:
        """Replace the accepted cells after the outcome is known; return the new version.

        One transaction replaces ``file``, clears what was in flight, moves the watermark, adds the rejects and
        appends the event ``accepted``.

        :param watermark: from where the next read of changes starts; None leaves it where it is.
        :raises StaleVersionError: when the scope moved on meanwhile; nothing is changed.
        """
        now = self._clock.now()
        return write(
            self.engine,
            lambda db: cells.accept(db, scope, expected, file, watermark, run_id, detail, rejects, now),
        )

    def add_rejects(self, run_id: str, rows: Iterable[Reject]) -> int:
        """Add exceptions with the events ``rejects`` that cover them, 5000 rows in each; return the number of rows."""
        total, remaining = 0, iter(rows)
        while part := list(islice(remaining, REJECTS_AT_ONCE)):
            self._add_rejects(run_id, part)
            total += len(part)
        return total

    def rejects(
        self,
        run_id: str | None = None,
        *,
        kind: RejectKind | None = None,
        record_id: str | None = None,
        limit: int | None = None,
    ) -> list[RejectRow]:
        """Return the exceptions of a run, or of a record over all runs."""
        return read(self.engine, lambda db: rejects.find(db, limit, run_id=run_id, kind=kind, record_id=record_id))

    def heads(self, flow: str | None = None) -> list[FlowHead]:
        """Return the end of each flow's chain; kept elsewhere, a hash proves everything before it."""
        return read(self.engine, lambda db: runs.list_heads(db, flow))

    def verify(
        self,
        *,
        run_id: str | None = None,
        flow: str | None = None,
        check_file: FileCheck | None = None,
        expect: Collection[str] = (),
    ) -> list[Problem]:
        """Recompute the hashes of a run, of a flow or of everything, and return what does not agree.

        :param check_file: raises ``TamperedError`` or ``OSError`` for a file that is gone or changed, as
            ``Stage.fetch`` does.
        :param expect: closing hashes and heads that were kept elsewhere; not for a single run.
        :raises TrailError: when there is no such run.
        """
        found = read(self.engine, lambda db: verify.verify(db, run_id=run_id, flow=flow, expect=expect), snapshot=True)
        if check_file is not None:  # asked after the check, so that a file deleted meanwhile is not missed
            verify.check_files(found, read(self.engine, verify.deleted_files), check_file)
        return found.problems

    def prunable(self, before: datetime, *, flow: str | None = None) -> tuple[list[RunRow], list[StagedFile]]:
        """Return the runs that :meth:`prune` would look at, and the files that would go with them."""
        now = self._clock.now()
        return read(self.engine, lambda db: retention.outlook(db, before, flow, now), snapshot=True)

    def prune(self, before: datetime, *, flow: str | None = None, check_file: FileCheck | None = None) -> Pruned:
        """Replace the runs that closed before a moment by their closing hash.

        Runs that a book or accepted cells still stand on are kept. Runs left open without an event since then are
        closed as abandoned. Every run is checked before it goes: one that is not what the chain says stays, as
        evidence, and so do all runs of a flow whose chain is broken. Then delete what :meth:`unused_files` returns.

        :param check_file: as for :meth:`verify`.
        """
        return pruning.prune(self.engine, self._clock, before, flow, check_file)

    def unused_files(self, flow: str | None = None) -> list[StagedFile]:
        """Return the staged files that no book, batch, accepted cells or open run needs any more, since a day."""
        now = self._clock.now()
        return read(self.engine, lambda db: files.unused(db, now, flow))

    def files_removed(self, removed: Iterable[StagedFile]) -> None:
        """Note that files returned by :meth:`unused_files` are deleted from the staging area."""
        now, gone = self._clock.now(), list(removed)
        write(self.engine, lambda db: files.note_removed(db, gone, now))

    def _add_rejects(self, run_id: str, rows: Sequence[Reject]) -> None:
        now = self._clock.now()
        write(self.engine, lambda db: rejects.add(db, run_id, rows, now))
