# SPDX-License-Identifier: Apache-2.0
"""A trail on which everything happened that the chain covers, and hands that write past it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg2
from sqlalchemy.engine import make_url

from airflow_provider_mlconnector.trail.records import EventKind, RunOutcome
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import START, StandingClock
from tests.unit.trail.support import BOOK, CELLS, DAY, book_file, reject, run_ref, staged


def close_period(trail: Trail, run_id: str, version: int) -> None:
    """Read, book, load with a reject, reconcile and close, from one version of book and cells to the next."""
    trail.open_run(run_ref(run_id), requested_by="ada", detail={"why": "nightly"})
    ticket = trail.begin_batch(run_id, BOOK, "whole")
    file = staged(f"{run_id}.parquet")
    batch = trail.add_batch(
        ticket, rows=3, sums={"amount": "1.00"}, file=file, cursor=START, resource="entries", requests=1
    )
    base = book_file(file.key, batch.batch_id, batch.seq)
    trail.put_book(BOOK, expected=version, base=base, changes=(), columns_digest="c", run_id=run_id)
    trail.accept(
        CELLS,
        expected=version,
        file=staged(f"{run_id}.cells"),
        watermark=START,
        run_id=run_id,
        detail={},
        rejects=[reject(), reject("e-2")],
    )
    trail.record(run_id, EventKind.RECONCILED, {"difference": "0.00"})
    trail.close_run(run_id, RunOutcome.SUCCEEDED)


def whole_story(trail: Trail, clock: StandingClock) -> None:
    """Two closes of a period, an old run that retention took, a file that was deleted, a run that is still open."""
    trail.record("r1", EventKind.PREPARED, {}, files=[staged("old.csv")])
    trail.close_run("r1", RunOutcome.FAILED)
    clock.advance(400 * DAY)
    close_period(trail, "first", 0)
    close_period(trail, "second", 1)
    clock.advance(2 * DAY)
    assert [run.run_id for run in trail.prune(clock.now() - timedelta(days=30)).runs] == ["r1"]
    trail.files_removed(trail.unused_files())
    trail.open_run(run_ref("open"), requested_by="grace")
    trail.begin_batch("open", BOOK, "changes")
    trail.record("open", EventKind.WAITED, {"seconds": 15})


Hand = Callable[..., list[tuple[Any, ...]]]
"""Runs a statement with values and returns its rows, past the provider and without foreign keys."""


def hand_of(url: str) -> Hand:
    """Return a hand on a database, as somebody has who may write all of it."""
    parsed = make_url(url)

    def run(statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if parsed.get_backend_name() == "sqlite":
            with closing(sqlite3.connect(str(parsed.database), isolation_level=None)) as connection:
                return connection.execute(statement, values).fetchall()
        with closing(psycopg2.connect(parsed.set(drivername="postgresql").render_as_string(False))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = replica")
                cursor.execute(statement.replace("?", "%s"), values)
                return cursor.fetchall() if cursor.description else []

    return run
