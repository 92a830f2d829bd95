# SPDX-License-Identifier: Apache-2.0
"""Every test that takes ``trail``, ``url`` or ``ready_url`` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_mlconnector.trail.database import make_engine
from airflow_provider_mlconnector.trail.schema import metadata
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import StandingClock
from tests.postgres import PostgresServer, postgres_server, postgres_url  # noqa: F401  (fixtures)
from tests.unit.trail.support import run_ref

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/trail.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema, to be copied."""
    file = tmp_path_factory.mktemp("template") / "trail.db"
    upgraded(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_with_schema(postgres_server: PostgresServer) -> str:  # noqa: F811  (a fixture)
    """The URL of a database with the schema, shared by tests that leave the schema alone."""
    made = postgres_server.new_database()
    upgraded(made)
    return made


def upgraded(url: str) -> None:
    made = Trail(url)
    made.upgrade()
    made.close()


def emptied(url: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    engine.dispose()


@pytest.fixture(params=DATABASES)
def ready_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with the schema and nothing in it."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "trail.db")
        return f"sqlite:///{tmp_path}/trail.db"
    shared = str(request.getfixturevalue("postgres_with_schema"))
    emptied(shared)
    return shared


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def trail(ready_url: str, clock: StandingClock) -> Iterator[Trail]:
    """A trail with its schema, and the run ``r1`` open."""
    made = Trail(ready_url, clock=clock)
    made.open_run(run_ref(), requested_by="ada")
    yield made
    made.close()
