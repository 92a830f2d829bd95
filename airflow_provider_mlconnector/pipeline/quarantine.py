# SPDX-License-Identifier: Apache-2.0
"""Rows that cannot be sent: kept in a file, put on the trail one by one, and counted by reason."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from airflow_provider_mlconnector.errors import RowsRefusedError
from airflow_provider_mlconnector.finance.money import format_money
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.layout import MEASURE, PROBLEM, RECORD, Layout
from airflow_provider_mlconnector.pipeline.plan import LoadPlan
from airflow_provider_mlconnector.pipeline.sinks import ParquetSink, as_text, pour
from airflow_provider_mlconnector.trail.records import Reject, RejectKind, StagedFile

ROWS_ON_TRAIL = 10_000
REASONS_NAMED = 5


def keep(bench: Bench, db: Engine, plan: LoadPlan, layout: Layout, run_id: str, key: str) -> StagedFile:
    """Stage the rows of ``mapped`` that have a problem, and put the first ``ROWS_ON_TRAIL`` of them on the trail."""
    reader = db.stream(f"SELECT * FROM mapped WHERE {quoted(PROBLEM)} IS NOT NULL")
    with ParquetSink(bench.stage, reader.schema) as sink:
        pour(reader, sink)
        file = sink.publish(key)
    db.files("quarantine", bench.stage.fetch(file))
    bench.trail.add_rejects(run_id, islice(_rejects(db, plan, layout), ROWS_ON_TRAIL))
    return file


def refuse(db: Engine, plan: LoadPlan, rows: int) -> RowsRefusedError:
    """Return the error of a flow that does not bear such rows, with the reasons that most of them have."""
    found = db.rows(
        f"SELECT {quoted(PROBLEM)}, count(*) FROM quarantine GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {REASONS_NAMED}"
    )
    reasons = "; ".join(f"{reason} ({count} rows)" for reason, count in found)
    return RowsRefusedError(
        f"{rows} rows of {plan.dataset} cannot be sent to {plan.import_name}: {reasons}.",
        hint="Correct the code book or the ERP, or let the flow say unmapped: quarantine.",
    )


def _rejects(db: Engine, plan: LoadPlan, layout: Layout) -> Iterator[Reject]:
    for batch in db.stream("SELECT * EXCLUDE (file_row_number) FROM quarantine"):
        texts = {name: as_text(batch.column(name)).to_pylist() for name in batch.schema.names}
        amounts = batch.column(MEASURE).to_pylist()
        for at, amount in enumerate(amounts):
            row = {name: _plain(column[at]) for name, column in texts.items()}
            yield Reject(
                kind=RejectKind.QUARANTINED,
                dataset=plan.dataset,
                import_name=plan.import_name,
                record_id=row[RECORD],
                cell={**layout.constants, **{name: row[name] or "" for name in layout.keys if name != RECORD}},
                amount=format_money(amount) if layout.measure and amount is not None else None,
                reason=row[PROBLEM] or "",
                values={name: row[name] for name in layout.header if name in row},
            )


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)
