# SPDX-License-Identifier: Apache-2.0
"""Connections to the trail's database, SQLite or PostgreSQL, and the transactions that run on them.

Invariants:

- Every change is one function of a connection, run by :func:`write` in one transaction. On SQLite the transaction
  takes the write lock at its beginning (``BEGIN IMMEDIATE``), so that it never fails half way; on PostgreSQL the
  functions lock the row that they continue from. Either way writers of one object queue and nothing forks.
- A transaction that the database rolled back for the sake of another one is run again; anything else is not repeated,
  since a commit whose answer got lost may stand.
- An engine survives ``fork``: the child starts with an empty pool and never touches its parent's connections.
- Times are stored as text in UTC with microseconds, so that both databases keep and sort them alike.
"""

from __future__ import annotations

import os
import random
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.pool import Pool

from airflow_provider_mlconnector.errors import ConfigurationError, TrailError, TrailUnavailableError

T = TypeVar("T")

BUSY_SECONDS = 30
ATTEMPTS = 8
_LOOK = "Check its connection and its server."
_ROLLED_BACK = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock
_POSTGRES_NAMES = {"postgres", "postgresql", "postgresql+psycopg2"}


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware moment, stored as ``2026-11-20T06:03:00.000000Z``; text order is time order."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write a moment."""
        return None if value is None else to_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read a moment."""
        return None if value is None else datetime.fromisoformat(value)


def to_text(moment: datetime) -> str:
    """Write a moment as the trail stores and hashes it.

    :raises ValueError: when it has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def make_engine(url: str) -> Engine:
    """Make an engine with a small pool; no connection is opened yet.

    :raises ConfigurationError: for a database other than SQLite in a file and PostgreSQL.
    :raises TrailUnavailableError: when SQLite's file cannot be made.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        _make_file(Path(str(parsed.database)))
        engine = sa.create_engine(
            parsed, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True, pool_size=2, max_overflow=8
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = sa.create_engine(parsed, hide_parameters=True, pool_size=2, max_overflow=8, pool_pre_ping=True)
        event.listen(engine, "begin", _begin_postgres)
    _survive_fork(engine)
    return engine


def _make_file(file: Path) -> None:
    """Make the file as its owner's alone, before SQLite makes it for everybody to read."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        raise TrailUnavailableError(f"The trail at {file} cannot be opened: {error.strerror}.", hint=_LOOK) from error


def write(engine: Engine, work: Callable[[Connection], T], *, durable: bool = True) -> T:
    """Run a change in one transaction and return what it returns.

    :param work: may be run more than once; every earlier time was rolled back.
    :param durable: False lets the last commits be lost in a power cut, for counters that a power cut makes meaningless.
    :raises TrailUnavailableError: when the database cannot be reached.
    :raises TrailError: when it has no schema.
    """
    attempt = 0
    while True:
        try:
            with _connect(engine, mlc_write=True, mlc_durable=durable) as connection, connection.begin():
                return work(connection)
        except exc.DBAPIError as error:
            attempt += 1
            if attempt == ATTEMPTS or not _was_rolled_back(error):
                raise _explained(engine, error) from error
        time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311  (spreads writers, guards nothing)


def read(engine: Engine, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
    """Run a query in one transaction and return what it returns.

    :param snapshot: all statements see the database as it was at the first one; SQLite does that anyway.
    :raises TrailUnavailableError: when the database cannot be reached.
    :raises TrailError: when it has no schema.
    """
    try:
        with _connect(engine, mlc_snapshot=snapshot) as connection, connection.begin():
            return work(connection)
    except exc.DBAPIError as error:
        raise _explained(engine, error) from error


def insert_missing(connection: Connection, table: sa.Table, **values: Any) -> bool:
    """Insert a row unless its key exists; say whether it was inserted."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return connection.execute(insert(table).values(**values).on_conflict_do_nothing()).rowcount == 1


@contextmanager
def _connect(engine: Engine, **options: bool) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection.execution_options(**options)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise ConfigurationError(
            "The trail's database URL cannot be read.",
            hint="Write sqlite:////path/trail.db or postgresql://user@host/db.",
        ) from None
    if parsed.drivername in _POSTGRES_NAMES:
        return parsed.set(drivername="postgresql+psycopg2")
    if parsed.get_backend_name() != "sqlite":
        raise ConfigurationError(f"The trail cannot live in {parsed.drivername}.", hint="Use PostgreSQL or SQLite.")
    if parsed.database in (None, "", ":memory:"):
        raise ConfigurationError(
            "The trail cannot live in memory.", hint="Give SQLite a file: sqlite:////path/trail.db."
        )
    return parsed


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late: see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("mlc_write"):
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options['mlc_durable'] else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_postgres(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("mlc_snapshot"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if options.get("mlc_durable") is False:
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")


_inherited: list[Pool] = []
"""Pools of a parent process: kept alive, since collecting an SQLite connection would close the parent's files."""


def _survive_fork(engine: Engine) -> None:
    reference = weakref.ref(engine)

    def in_child() -> None:
        if (forked := reference()) is not None:
            _inherited.append(forked.pool)
            forked.dispose(close=False)

    os.register_at_fork(after_in_child=in_child)


def _was_rolled_back(error: exc.DBAPIError) -> bool:
    if getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return True
    return getattr(error.orig, "pgcode", None) in _ROLLED_BACK


def _was_cut_off(error: exc.DBAPIError) -> bool:
    """Say whether there was no connection, or it broke; an error of connecting is one without a statement."""
    return error.connection_invalidated or (isinstance(error, exc.OperationalError) and error.statement is None)


def _explained(engine: Engine, error: exc.DBAPIError) -> Exception:
    """Turn what the database says into a sentence; what is no operator's business stays as it is."""
    where = engine.url.render_as_string(hide_password=True)
    text = str(error.orig)
    if "no such table" in text or getattr(error.orig, "pgcode", None) == "42P01":
        return TrailError(f"The trail at {where} has no schema.", hint="Run: airflow mlconnector db upgrade")
    if _was_rolled_back(error):
        hint = "Use PostgreSQL for more than one machine."
        return TrailUnavailableError(f"The trail at {where} stayed locked.", hint=hint)
    if _was_cut_off(error):
        return TrailUnavailableError(f"The trail at {where} does not answer: {text.strip()}.", hint=_LOOK)
    if isinstance(error, exc.OperationalError):
        return TrailError(f"The trail at {where} failed: {text.strip()}.", hint=_LOOK)
    return error
