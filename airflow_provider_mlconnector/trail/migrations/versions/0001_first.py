# SPDX-License-Identifier: Apache-2.0
"""The first schema of the trail; :mod:`trail.schema` tells what is what. A released migration is never changed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    for create in (_runs, _events, _flows, _chain, _batches, _rejects, _documents, _approvals):
        create()
    for create in (_books, _cells, _retired, _leases, _budgets, _vault):
        create()


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=null)


def _integer(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=null, autoincrement=False)


def _runs() -> None:
    op.create_table(
        "runs",
        _text("run_id"),
        _text("flow"),
        _text("period"),
        _text("mode"),
        _text("requested_by"),
        _text("opened_at"),
        _text("detail"),
        _integer("events"),
        _text("head"),
        _text("outcome", null=True),
        _text("closed_at", null=True),
        _text("closing"),
        sa.PrimaryKeyConstraint("run_id"),
        comment="One row per run. head is the hash of its last event; events their number.",
    )
    op.create_index("runs_by_flow", "runs", ["flow", "opened_at"])


def _events() -> None:
    op.create_table(
        "events",
        _text("run_id"),
        _integer("seq"),
        _text("kind"),
        _text("at"),
        _text("detail"),
        _text("files"),
        _text("rows_digest"),
        _text("previous"),
        _text("hash"),
        sa.PrimaryKeyConstraint("run_id", "seq"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
        comment="What happened in a run, chained by hash. detail and files are the JSON text that the hash covers.",
    )


def _flows() -> None:
    op.create_table(
        "flows",
        _text("flow"),
        _integer("links"),
        _text("head"),
        sa.PrimaryKeyConstraint("flow"),
        comment="The end of each flow's chain.",
    )


def _chain() -> None:
    op.create_table(
        "chain",
        _text("flow"),
        _integer("seq"),
        _text("kind"),
        _text("run_id"),
        _text("at"),
        _text("detail"),
        _text("previous"),
        _text("hash"),
        sa.PrimaryKeyConstraint("flow", "seq"),
        comment="Each flow's chain: runs opened, closed and pruned, files removed. It outlives the runs themselves.",
    )
    op.create_index("chain_by_run", "chain", ["run_id"])


def _batches() -> None:
    op.create_table(
        "batches",
        _text("batch_id"),
        _text("flow"),
        _text("company"),
        _text("dataset"),
        _text("period"),
        _integer("seq"),
        _text("run_id"),
        _text("mode"),
        _text("started_at"),
        _text("finished_at", null=True),
        _integer("rows"),
        _text("sums"),
        _text("file", null=True),
        _text("file_key", null=True),
        _text("cursor", null=True),
        _text("resource"),
        _integer("requests"),
        _integer("event", null=True),
        sa.PrimaryKeyConstraint("batch_id"),
        sa.UniqueConstraint("flow", "company", "dataset", "period", "seq", name="batches_of_a_book"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
        comment="One row per read of a dataset; its rows are in the staged file. event is the seq that announced it.",
    )
    op.create_index("batches_by_file", "batches", ["file_key"])
    op.create_index("batches_by_run", "batches", ["run_id"])


def _rejects() -> None:
    op.create_table(
        "rejects",
        _text("run_id"),
        _integer("event"),
        _integer("position"),
        _text("kind"),
        _text("dataset"),
        _text("import_name"),
        _integer("line", null=True),
        _text("record_id", null=True),
        _text("cell"),
        _text("amount", null=True),
        _text("reason"),
        _text("fields"),
        sa.PrimaryKeyConstraint("run_id", "event", "position"),
        sa.ForeignKeyConstraint(["run_id", "event"], ["events.run_id", "events.seq"]),
        comment="Rows that did not go through as meant. The digest of an event's rows is in that event.",
    )
    op.create_index("rejects_by_record", "rejects", ["record_id"])


def _documents() -> None:
    op.create_table(
        "documents",
        _text("document_key"),
        _text("flow"),
        _text("period"),
        _text("company"),
        _text("run_id"),
        _text("state"),
        _text("payload_sha256"),
        _text("external_id", null=True),
        _text("external_number", null=True),
        _text("detail"),
        _text("created_at"),
        _text("changed_at"),
        sa.PrimaryKeyConstraint("document_key"),
        comment="One row per draft journal; the unique key makes write-back exactly-once.",
    )
    op.create_index("documents_by_run", "documents", ["run_id"])


def _approvals() -> None:
    op.create_table(
        "approvals",
        _text("run_id"),
        _text("subject"),
        _text("payload_sha256"),
        _text("chosen"),
        _text("requested_by"),
        _text("responded_by", null=True),
        _text("responded_at", null=True),
        _integer("event"),
        sa.PrimaryKeyConstraint("run_id", "subject", "payload_sha256"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
        comment="Evidence of a person's decision, written by the approval task itself.",
    )


def _books() -> None:
    op.create_table(
        "books",
        _text("flow"),
        _text("company"),
        _text("dataset"),
        _text("period"),
        _integer("version"),
        _text("state"),
        _integer("last_batch"),
        _text("run_id", null=True),
        _integer("event", null=True),
        _text("changed_at"),
        sa.PrimaryKeyConstraint("flow", "company", "dataset", "period"),
        comment="The book of a dataset and period, by version. last_batch is the highest batch seq given out.",
    )


def _cells() -> None:
    op.create_table(
        "cells",
        _text("flow"),
        _text("import_name"),
        _text("period"),
        _integer("version"),
        _text("state"),
        _text("run_id", null=True),
        _integer("event", null=True),
        _text("changed_at"),
        sa.PrimaryKeyConstraint("flow", "import_name", "period"),
        comment="The cells that Anaplan last accepted, by version, and the watermark committed with them.",
    )


def _retired() -> None:
    op.create_table(
        "retired",
        _text("file_key"),
        _text("flow"),
        _text("file"),
        _text("retired_at"),
        _text("removed_at", null=True),
        sa.PrimaryKeyConstraint("file_key"),
        comment="Staged files that no book and no accepted cells name any more; removed_at is when they were deleted.",
    )


def _leases() -> None:
    op.create_table(
        "leases",
        _text("resource"),
        _integer("token"),
        _text("owner", null=True),
        _text("until", null=True),
        _text("remote", null=True),
        sa.PrimaryKeyConstraint("resource"),
        comment="Who works on which Anaplan model; the token only grows. owner is null while it is free.",
    )


def _budgets() -> None:
    op.create_table(
        "budgets",
        _text("budget_key"),
        _text("seconds"),
        _text("paused_until", null=True),
        sa.PrimaryKeyConstraint("budget_key"),
        comment="Requests of the last minute, by second of the epoch.",
    )


def _vault() -> None:
    op.create_table(
        "vault",
        _text("vault_key"),
        _integer("generation"),
        _text("access", null=True),
        _text("expires_at", null=True),
        _text("refresh", null=True),
        _text("claimed_by", null=True),
        _text("claimed_until", null=True),
        _integer("refusals"),
        _text("refusal"),
        sa.PrimaryKeyConstraint("vault_key"),
        comment="Encrypted tokens, and who refreshes them right now.",
    )
