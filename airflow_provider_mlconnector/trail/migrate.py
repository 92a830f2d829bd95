# SPDX-License-Identifier: Apache-2.0
"""Brings the schema to its newest version, from the migrations inside the package.

The whole upgrade is one transaction that holds a lock, so several processes may ask for it at once.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from airflow_provider_mlconnector.trail.database import read, write
from airflow_provider_mlconnector.trail.schema import VERSION_TABLE, metadata

logging.getLogger("alembic").setLevel(logging.WARNING)  # how it looks at a revision is no news in every task's log

_LOCK = 0x6D6C_7472_6169_6C  # any number of ours, for PostgreSQL's advisory lock


def upgrade(engine: Engine) -> None:
    """Apply the migrations that the database lacks."""

    def work(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    write(engine, work)


def newest() -> str:
    """Return the revision of the last migration."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def differences(engine: Engine) -> list[Any]:
    """Return what the database lacks or has too much, compared with the tables in :mod:`trail.schema`."""
    return read(engine, lambda connection: compare_metadata(_context(connection), metadata))


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
