# SPDX-License-Identifier: Apache-2.0
"""What readers found out and need not find out again: texts by name, shared by all workers. No part of the record."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from airflow_provider_mlconnector.trail import schema
from airflow_provider_mlconnector.trail.database import insert_missing, read, write


class Memories:
    """Texts that outlive a process; the last one kept under a name counts.

    :param engine: gives the database when something is recalled or kept for the first time.
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine

    def recall(self, name: str) -> str | None:
        """Return what was kept last under a name."""
        wanted = sa.select(schema.memories.c.content).where(schema.memories.c.name == name)
        return read(self._engine(), lambda db: db.scalar(wanted))

    def keep(self, name: str, text: str) -> None:
        """Keep a text in place of the one before."""

        def work(db: Connection) -> None:
            if not insert_missing(db, schema.memories, name=name, content=text):
                db.execute(schema.memories.update().where(schema.memories.c.name == name).values(content=text))

        write(self._engine(), work)
