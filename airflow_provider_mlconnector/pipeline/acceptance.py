# SPDX-License-Identifier: Apache-2.0
"""What Anaplan holds after an import: the cells that were sent, less those that it rejected.

A rejected cell keeps what was accepted of it before, for that is what the model still shows; so it differs from the
book and is sent again. One whose value was unknown before, and that was not taken now, stays unknown (null). Which rows
were rejected is read from the failure dump, by line and by address; when that does not account for every rejected row,
nothing is accepted and all cells stay unknown.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from airflow_provider_mlconnector.finance.money import format_money
from airflow_provider_mlconnector.pipeline import cells
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.destination import accepted_at, destination
from airflow_provider_mlconnector.pipeline.engine import Engine, engine, listed, quoted
from airflow_provider_mlconnector.pipeline.layout import MEASURE, RECORD
from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
from airflow_provider_mlconnector.pipeline.modelwork import Dump
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Send, Shape
from airflow_provider_mlconnector.pipeline.sinks import ParquetSink, pour
from airflow_provider_mlconnector.pipeline.tables import TEXT, WHOLE, table
from airflow_provider_mlconnector.systems.anaplan.dumps import RejectedRow, read_dump
from airflow_provider_mlconnector.systems.anaplan.tasks import Outcome
from airflow_provider_mlconnector.trail.records import Accepted, Reject, RejectKind, StagedFile

ROWS_ON_TRAIL = 10_000
FIRST_LINE = 2  # of data: Anaplan counts the header as line 1
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of the lines of a file.

    :param rejects: the first ``ROWS_ON_TRAIL`` rows that were rejected or warned about.
    :param rejected: lines that were rejected.
    :param file: Parquet of the cells that Anaplan holds now; None when that is not known, and ``unknown`` says why.
    """

    rejects: tuple[Reject, ...]
    rejected: int
    file: StagedFile | None
    unknown: str = ""


def settle(
    bench: Bench,
    plan: LoadPlan,
    prepared: PreparedManifest,
    accepted: Accepted,
    outcome: Outcome,
    dumps: Sequence[Dump],
) -> Settlement:
    """Find out which of the sent cells Anaplan took.

    :param accepted: the accepted cells as they were marked before the upload.
    """
    if prepared.touched is None or prepared.cells is None:
        raise ValueError("nothing was sent")
    if not dumps and prepared.complete:
        unknown = _unknown(plan, prepared, outcome, 0)
        return Settlement((), outcome.rejected, None if unknown else prepared.cells, unknown)
    with engine(bench) as db:
        db.files("cells", bench.stage.fetch(prepared.cells))
        db.files("touched", bench.stage.fetch(prepared.touched))
        _place_hits(bench, db, prepared, dumps)
        rejected = int(db.rows("SELECT count(DISTINCT place) FROM hits WHERE status = 'E'")[0][0])
        rejects = tuple(islice(_rejects(db, plan, prepared), ROWS_ON_TRAIL))
        unknown = _unknown(plan, prepared, outcome, rejected)
        if unknown:
            return Settlement(rejects, max(rejected, outcome.rejected), None, unknown)
        if not rejected and prepared.complete:
            return Settlement(rejects, 0, prepared.cells)
        here = destination(plan, prepared.constants)
        _place_former(bench, db, prepared, accepted_at(bench.stage, accepted, here))
        file = _write(bench, db, _held_sql(db, plan, prepared), prepared, here)
        return Settlement(rejects, rejected, file)


def _unknown(plan: LoadPlan, prepared: PreparedManifest, outcome: Outcome, rejected: int) -> str:
    """Say why it cannot be told which cells Anaplan took; "" when it can."""
    if outcome.failed:
        return "the import did not succeed"
    if outcome.sent and outcome.sent != prepared.cells_sent:
        return f"Anaplan looked at {outcome.sent} rows where the file has {prepared.cells_sent}: it read another file"
    if outcome.rejected > rejected:
        return f"Anaplan rejected {outcome.rejected} rows, its failure dump names {rejected} of them"
    if outcome.ignored and plan.shape is Shape.CELLS:
        return f"Anaplan ignored {outcome.ignored} rows and does not say which"
    return ""


def _place_hits(bench: Bench, db: Engine, prepared: PreparedManifest, dumps: Sequence[Dump]) -> None:
    """Name the sent lines that a dump speaks of ``hits``: ``place`` is the row of ``touched``, from 0."""
    keys = [key for key in prepared.keys if key in prepared.columns]
    texts = ("status", "reason", "sent", *(f"key_{at}" for at in range(len(keys))))
    schema = table({"line": WHOLE, **dict.fromkeys(texts, TEXT)}, []).schema
    with ParquetSink(bench.stage, schema) as sink:
        pour(_dumped(bench, keys, dumps, schema), sink)
        db.files("dump", sink.finish())
        agree = " AND ".join(
            ["true", *(f"(d.key_{at} IS NULL OR d.key_{at} = t.{quoted(key)})" for at, key in enumerate(keys))]
        )
        told = "d.file_row_number AS entry, d.status, d.reason, d.sent, t.file_row_number AS place"
        db.run(
            f"CREATE TEMP TABLE hits AS SELECT {told} FROM dump d "
            f"JOIN touched t ON t.file_row_number = d.line - {FIRST_LINE} AND {agree}"
        )
        if keys and set(keys) == set(prepared.keys):
            same = " AND ".join(f"d.key_{at} = t.{quoted(key)}" for at, key in enumerate(keys))
            db.run(
                f"INSERT INTO hits SELECT {told} FROM dump d JOIN touched t ON {same} "
                "WHERE d.file_row_number NOT IN (SELECT entry FROM hits)"
            )


def _dumped(bench: Bench, keys: Sequence[str], dumps: Sequence[Dump], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for dump in dumps:
        rows = read_dump(bench.stage.fetch(dump.file))
        while part := list(islice(rows, _ROWS_AT_ONCE)):
            yield pa.RecordBatch.from_pylist([_told(row, keys) for row in part], schema=schema)


def _told(row: RejectedRow, keys: Sequence[str]) -> dict[str, Any]:
    values = dict(zip(row.columns, row.values, strict=False))
    addressed = {f"key_{at}": values.get(key) for at, key in enumerate(keys)}
    told = {"line": row.line, "status": str(row.status), "reason": "; ".join(row.errors), "sent": json.dumps(values)}
    return told | addressed


def _rejects(db: Engine, plan: LoadPlan, prepared: PreparedManifest) -> Iterator[Reject]:
    record = next((name for name in (RECORD, *_record_column(plan)) if name in prepared.keys), None)
    columns = f"h.status, h.reason, h.sent, h.place, {f't.{quoted(record)}' if record else 'NULL'}, t.{quoted(MEASURE)}"
    sql = f"SELECT {columns} FROM hits h JOIN touched t ON t.file_row_number = h.place ORDER BY h.place, h.entry"
    for batch in db.stream(sql):
        for status, reason, sent, place, record_id, amount in zip(*(c.to_pylist() for c in batch.columns), strict=True):
            values: dict[str, Any] = json.loads(sent)
            yield Reject(
                kind=RejectKind.REJECTED if status == "E" else RejectKind.WARNED,
                dataset=plan.dataset,
                import_name=plan.import_name,
                line=place + 1,
                record_id=record_id,
                cell={name: values.get(name, "") for name in plan.group_by or prepared.keys if name != RECORD},
                amount=format_money(amount) if prepared.sum_book else None,
                reason=reason,
                values=values,
            )


def _record_column(plan: LoadPlan) -> list[str]:
    return [name for name, source in plan.columns.items() if source.column == "record_id"]


def _place_former(bench: Bench, db: Engine, prepared: PreparedManifest, accepted: Accepted) -> None:
    """Name what was accepted before, and what was unknown before this file was sent."""
    former = bench.stage.fetch(accepted.file) if accepted.file else None
    ours = prepared.touched.key if prepared.touched else ""
    earlier = [bench.stage.fetch(file) for file in accepted.in_flight if file.key != ours]
    cells.place_former(db, prepared.keys, former, earlier)


def _held_sql(db: Engine, plan: LoadPlan, prepared: PreparedManifest) -> str:
    """Return the query for the cells that Anaplan holds: taken now, or accepted before and not taken now."""
    names, keys = [name for name in db.columns("cells") if name != "file_row_number"], prepared.keys
    gone = f"coalesce({quoted(cells.GONE)}, false)" if cells.GONE in db.columns("touched") else "false"
    db.view(
        "rejected", f"SELECT {listed(keys)} FROM touched SEMI JOIN hits ON place = file_row_number AND status = 'E'"
    )
    taken = (
        f"SELECT {listed(names)} FROM touched t ANTI JOIN rejected r ON {cells.same('t', 'r', keys)} WHERE NOT {gone}"
    )
    if plan.send is Send.PERIOD:  # the import clears its target first: nothing else is left in it
        return taken
    db.view("settled", f"SELECT {listed(keys)} FROM touched t ANTI JOIN rejected r ON {cells.same('t', 'r', keys)}")
    db.view(
        "doubtful",
        f"SELECT DISTINCT {listed(keys)} FROM unknown u ANTI JOIN settled s ON {cells.same('u', 's', keys)}",
    )
    kept = (
        f"SELECT {listed(names)} FROM accepted a ANTI JOIN settled s ON {cells.same('a', 's', keys)} "
        f"ANTI JOIN doubtful d ON {cells.same('a', 'd', keys)}"
    )
    kinds = dict(db.rows("SELECT column_name, column_type FROM (DESCRIBE cells)"))
    nulls = ", ".join(
        quoted(name) if name in keys else f"CAST(NULL AS {kinds[name]}) AS {quoted(name)}" for name in names
    )
    return " UNION ALL ".join([taken, kept, f"SELECT {nulls} FROM doubtful"])


def _write(bench: Bench, db: Engine, sql: str, prepared: PreparedManifest, note: Mapping[str, str]) -> StagedFile:
    reader = db.stream(sql)
    with ParquetSink(bench.stage, reader.schema) as sink:
        pour(reader, sink)
        base = prepared.file.key.removesuffix(".csv") if prepared.file else prepared.run.run_id
        return sink.publish(f"{base}-accepted-{secrets.token_hex(4)}.parquet", note)
