# SPDX-License-Identifier: Apache-2.0
"""The tables of the trail. Amounts and times are text, hashes run over that text.

``runs``, ``events``, ``chain``, ``batches`` and ``rejects`` are only appended to; ``books`` and ``cells`` hold one
version each, replaced by compare-and-set; ``leases``, ``budgets`` and ``vault`` hold what is true right now, and
``memories`` what need not be found out again. A change here needs a migration; a test compares the two.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from airflow_provider_mlconnector.trail.database import UtcTime

metadata = sa.MetaData()

VERSION_TABLE, REVISION = "trail_version", "0002"
"""Where the database keeps its revision, and the newest one: that of the last migration, as a test sees."""


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


def _integer(name: str, *, key: bool = False, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _time(name: str, *, null: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcTime(), nullable=null)


def _of_run() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"])


runs = sa.Table(
    "runs",
    metadata,
    _text("run_id", key=True),
    _text("flow"),
    _text("period"),
    _text("mode"),
    _text("requested_by"),
    _time("opened_at"),
    _text("detail"),
    _integer("events"),
    _text("head"),
    _text("outcome", null=True),
    _time("closed_at", null=True),
    _text("closing"),
    sa.Index("runs_by_flow", "flow", "opened_at"),
    comment="One row per run. head is the hash of its last event; events their number.",
)

events = sa.Table(
    "events",
    metadata,
    _text("run_id", key=True),
    _integer("seq", key=True),
    _text("kind"),
    _time("at"),
    _text("detail"),
    _text("files"),
    _text("rows_digest"),
    _text("previous"),
    _text("hash"),
    _of_run(),
    comment="What happened in a run, chained by hash. detail and files are the JSON text that the hash covers.",
)

flows = sa.Table(
    "flows",
    metadata,
    _text("flow", key=True),
    _integer("links"),
    _text("head"),
    comment="The end of each flow's chain.",
)

chain = sa.Table(
    "chain",
    metadata,
    _text("flow", key=True),
    _integer("seq", key=True),
    _text("kind"),
    _text("run_id"),
    _time("at"),
    _text("detail"),
    _text("previous"),
    _text("hash"),
    sa.Index("chain_by_run", "run_id"),
    comment="Each flow's chain: runs opened, closed and pruned, files removed. It outlives the runs themselves.",
)

batches = sa.Table(
    "batches",
    metadata,
    _text("batch_id", key=True),
    _text("flow"),
    _text("company"),
    _text("dataset"),
    _text("period"),
    _integer("seq"),
    _text("run_id"),
    _text("mode"),
    _time("started_at"),
    _time("finished_at", null=True),
    _integer("rows"),
    _text("sums"),
    _text("file", null=True),
    _text("file_key", null=True),
    _time("cursor", null=True),
    _text("resource"),
    _integer("requests"),
    _integer("event", null=True),
    _of_run(),
    sa.UniqueConstraint("flow", "company", "dataset", "period", "seq", name="batches_of_a_book"),
    sa.Index("batches_by_run", "run_id"),
    sa.Index("batches_by_file", "file_key"),
    comment="One row per read of a dataset; its rows are in the staged file. event is the seq that announced it.",
)

books = sa.Table(
    "books",
    metadata,
    _text("flow", key=True),
    _text("company", key=True),
    _text("dataset", key=True),
    _text("period", key=True),
    _integer("version"),
    _text("state"),
    _integer("last_batch"),
    _text("run_id", null=True),
    _integer("event", null=True),
    _time("changed_at"),
    comment="The book of a dataset and period, by version. last_batch is the highest batch seq given out.",
)

cells = sa.Table(
    "cells",
    metadata,
    _text("flow", key=True),
    _text("import_name", key=True),
    _text("period", key=True),
    _integer("version"),
    _text("state"),
    _text("run_id", null=True),
    _integer("event", null=True),
    _time("changed_at"),
    comment="The cells that Anaplan last accepted, by version, and the watermark committed with them.",
)

rejects = sa.Table(
    "rejects",
    metadata,
    _text("run_id", key=True),
    _integer("event", key=True),
    _integer("position", key=True),
    _text("kind"),
    _text("dataset"),
    _text("import_name"),
    _integer("line", null=True),
    _text("record_id", null=True),
    _text("cell"),
    _text("amount", null=True),
    _text("reason"),
    _text("fields"),
    sa.ForeignKeyConstraint(["run_id", "event"], ["events.run_id", "events.seq"]),
    sa.Index("rejects_by_record", "record_id"),
    comment="Rows that did not go through as meant. The digest of an event's rows is in that event.",
)

retired = sa.Table(
    "retired",
    metadata,
    _text("file_key", key=True),
    _text("flow"),
    _text("file"),
    _time("retired_at"),
    _time("removed_at", null=True),
    comment="Staged files that no book and no accepted cells name any more; removed_at is when they were deleted.",
)

documents = sa.Table(
    "documents",
    metadata,
    _text("document_key", key=True),
    _text("flow"),
    _text("period"),
    _text("company"),
    _text("run_id"),
    _text("state"),
    _text("payload_sha256"),
    _text("external_id", null=True),
    _text("external_number", null=True),
    _text("detail"),
    _time("created_at"),
    _time("changed_at"),
    sa.Index("documents_by_run", "run_id"),
    comment="One row per draft journal; the unique key makes write-back exactly-once.",
)

approvals = sa.Table(
    "approvals",
    metadata,
    _text("run_id", key=True),
    _text("subject", key=True),
    _text("payload_sha256", key=True),
    _text("chosen"),
    _text("requested_by"),
    _text("responded_by", null=True),
    _time("responded_at", null=True),
    _integer("event"),
    _of_run(),
    comment="Evidence of a person's decision, written by the approval task itself.",
)

leases = sa.Table(
    "leases",
    metadata,
    _text("resource", key=True),
    _integer("token"),
    _text("owner", null=True),
    _time("until", null=True),
    _text("remote", null=True),
    comment="Who works on which Anaplan model; the token only grows. owner is null while it is free.",
)

budgets = sa.Table(
    "budgets",
    metadata,
    _text("budget_key", key=True),
    _text("seconds"),
    _time("paused_until", null=True),
    comment="Requests of the last minute, by second of the epoch.",
)

vault = sa.Table(
    "vault",
    metadata,
    _text("vault_key", key=True),
    _integer("generation"),
    _text("access", null=True),
    _time("expires_at", null=True),
    _text("refresh", null=True),
    _text("claimed_by", null=True),
    _time("claimed_until", null=True),
    _integer("refusals"),
    _text("refusal"),
    comment="Encrypted tokens, and who refreshes them right now.",
)

memories = sa.Table(
    "memories",
    metadata,
    _text("name", key=True),
    _text("content"),
    comment="What readers found out and need not find out again; to lose a row costs another read.",
)
