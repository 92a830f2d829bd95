# SPDX-License-Identifier: Apache-2.0
"""The migrations make what the models say, on both databases, whoever asks for it at the same time."""

from __future__ import annotations

import sqlalchemy as sa

from airflow_provider_mlconnector.trail.database import write
from airflow_provider_mlconnector.trail.migrate import differences, newest
from airflow_provider_mlconnector.trail.schema import REVISION
from airflow_provider_mlconnector.trail.store import Trail
from tests.unit.trail.support import in_processes


def test_an_upgrade_makes_exactly_the_tables_of_the_schema(url: str) -> None:
    trail = Trail(url)
    revision, newest = trail.check()
    assert revision is None
    trail.upgrade()
    assert trail.check() == (newest, newest)
    assert differences(trail.engine) == []
    trail.close()


def test_the_revision_that_a_task_looks_for_is_that_of_the_last_migration() -> None:
    assert newest() == REVISION


def test_a_table_that_differs_from_its_model_is_found(url: str) -> None:
    trail = Trail(url)
    trail.upgrade()
    write(trail.engine, lambda db: db.execute(sa.text("ALTER TABLE runs ADD COLUMN colour TEXT")))
    assert "colour" in repr(differences(trail.engine))
    trail.close()


def test_an_upgrade_asked_for_again_keeps_what_is_there(trail: Trail) -> None:
    trail.upgrade()
    assert trail.run("r1").requested_by == "ada"


def test_several_processes_may_upgrade_at_once(url: str) -> None:
    trail = Trail(url)
    in_processes(4, lambda number: trail.upgrade())
    assert trail.check()[0] == trail.check()[1]
    trail.close()
