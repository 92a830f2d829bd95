# SPDX-License-Identifier: Apache-2.0
"""Run by Alembic: applies the revisions on the connection and inside the transaction of :mod:`trail.migrate`."""

from __future__ import annotations

from alembic import context

from airflow_provider_mlconnector.trail.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
