# SPDX-License-Identifier: Apache-2.0
"""Engines, transactions, forks, and what an operator reads when the database is not there."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_provider_mlconnector.errors import ConfigurationError, TrailError, TrailUnavailableError
from airflow_provider_mlconnector.trail.database import make_engine, read, to_text, write
from airflow_provider_mlconnector.trail.records import EventKind
from airflow_provider_mlconnector.trail.store import Trail
from tests.unit.trail.support import run_ref


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:", "not a url"])
def test_a_database_that_cannot_hold_the_trail_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make_engine(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_uses_the_driver_that_airflow_ships(scheme: str) -> None:
    assert make_engine(f"{scheme}://u:p@127.0.0.1/d").driver == "psycopg2"


def test_a_trail_without_schema_says_which_command_makes_one(url: str) -> None:
    with pytest.raises(TrailError, match="airflow mlconnector db upgrade"):
        Trail(url).runs()


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    trail = Trail("postgresql://trail:hunter2@127.0.0.1:1/trail")
    with pytest.raises(TrailUnavailableError, match="does not answer: ") as failed:
        trail.runs()
    assert failed.value.retryable
    assert "hunter2" not in str(failed.value)
    assert "127.0.0.1" in str(failed.value)


def test_a_file_that_cannot_be_opened_is_worth_another_try(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "folder", tmp_path / "file" / "trail.db"):
        with pytest.raises(TrailUnavailableError, match=str(path)) as failed:
            Trail(f"sqlite:///{path}").runs()
        assert failed.value.retryable


@pytest.mark.postgres
def test_a_connection_that_breaks_is_worth_another_try(postgres_url: str) -> None:
    engine = make_engine(postgres_url)

    def work(db: sa.Connection) -> None:
        db.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(TrailUnavailableError, match="does not answer"):
        write(engine, work)
    engine.dispose()


def test_a_statement_that_fails_is_not_taken_for_a_database_that_is_away(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/trail.db")
    with pytest.raises(TrailError, match="failed: ") as failed:
        write(engine, lambda db: db.execute(sa.text("SELECT nonsense(1)")))
    assert not failed.value.retryable
    engine.dispose()


def test_errors_of_the_database_do_not_list_what_was_to_be_written(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/trail.db")
    with pytest.raises(sa.exc.IntegrityError) as failed:
        write(engine, lambda db: db.execute(sa.text("CREATE TABLE t (a NOT NULL, b)")) and _insert(db, None, "salary"))
    assert "salary" not in str(failed.value)


def _insert(db: sa.Connection, a: str | None, b: str) -> None:
    db.execute(sa.text("INSERT INTO t VALUES (:a, :b)"), {"a": a, "b": b})


def test_a_moment_without_time_zone_is_refused_and_others_become_utc() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_text(datetime(2026, 11, 20, 6, 0))  # noqa: DTZ001
    assert to_text(datetime(2026, 11, 20, 6, 0, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-20T04:00:00.000000Z"


def test_a_failed_change_leaves_nothing_behind(trail: Trail) -> None:
    def work(db: sa.Connection) -> None:
        db.execute(sa.text("DELETE FROM runs"))
        raise LookupError

    with pytest.raises(LookupError):
        write(trail.engine, work)
    assert trail.run("r1").requested_by == "ada"


def test_sqlite_is_in_wal_mode_commits_to_disk_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "trail.db"
    engine = make_engine(f"sqlite:///{file}")

    def pragmas(db: sa.Connection) -> tuple[object, ...]:
        return tuple(db.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys"))

    assert write(engine, pragmas) == ("wal", 2, 1)
    assert write(engine, pragmas, durable=False) == ("wal", 1, 1)
    assert file.stat().st_mode & 0o777 == 0o600
    engine.dispose()


def test_a_change_on_sqlite_holds_the_write_lock_from_its_beginning(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/trail.db")
    other = sqlite3.connect(tmp_path / "trail.db", timeout=0, isolation_level=None)

    def work(db: sa.Connection) -> None:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    write(engine, work)
    other.execute("BEGIN IMMEDIATE")
    other.close()
    engine.dispose()


def test_a_reader_is_not_kept_waiting_by_a_writer(trail: Trail) -> None:
    def work(db: sa.Connection) -> str:
        db.execute(sa.text("UPDATE runs SET requested_by = 'bob'"))
        return trail.run("r1").requested_by

    assert write(trail.engine, work) == "ada"


def test_a_forked_child_and_its_parent_both_go_on(trail: Trail) -> None:
    trail.record("r1", EventKind.NOTE, {"by": "parent"})
    child = os.fork()
    if child == 0:
        try:
            trail.record("r1", EventKind.NOTE, {"by": "child"})
            trail.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    trail.record("r1", EventKind.NOTE, {"by": "parent again"})
    assert [event.detail["by"] for event in trail.events("r1")] == ["parent", "child", "parent again"]
    assert trail.verify() == []


def test_a_triggerers_threads_may_share_one_trail(trail: Trail) -> None:
    async def all_at_once() -> None:
        await asyncio.gather(*(asyncio.to_thread(trail.record, "r1", EventKind.NOTE, {}) for _ in range(20)))

    asyncio.run(all_at_once())
    assert len(trail.events("r1")) == 20
    assert trail.verify() == []


def test_a_closed_trail_opens_again_when_used(trail: Trail) -> None:
    trail.close()
    assert trail.open_run(run_ref(), requested_by="bob").requested_by == "ada"


def test_a_snapshot_does_not_see_what_is_written_meanwhile(trail: Trail) -> None:
    def work(db: sa.Connection) -> tuple[int, int]:
        count = sa.text("SELECT count(*) FROM events")
        before = db.scalar(count)
        trail.record("r1", EventKind.NOTE, {})
        return before, db.scalar(count)

    assert read(trail.engine, work, snapshot=True) == (0, 0)
    assert len(trail.events("r1")) == 1
