# SPDX-License-Identifier: Apache-2.0
"""The sweep: what was posted or changed in closed periods after the flow loaded them for the last time.

A closed period is asked for what changed since its own watermark, as the next load of it would ask. What comes and is
not in its book is a late posting. Nothing but a load moves the watermark, so a sweep that fails loses nothing, a late
posting stays one until a run of its period has loaded it, and one that leaves the period again is none any more. What
was reported is kept per period, so that each posting is announced once; the report and that memory are one transaction.

A posting without a modified stamp, and one that vanishes, cannot be found this way; a run of the period finds both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.errors import StaleVersionError
from airflow_provider_mlconnector.finance.datasets import Dataset, arrow_schema
from airflow_provider_mlconnector.finance.money import ZERO, format_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline import book
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.control import Control
from airflow_provider_mlconnector.pipeline.engine import Engine, engine
from airflow_provider_mlconnector.pipeline.findings import noting_drift
from airflow_provider_mlconnector.pipeline.manifests import LatePostings, SweepManifest
from airflow_provider_mlconnector.pipeline.plan import ReadMode, ReadPlan
from airflow_provider_mlconnector.pipeline.sinks import ParquetSink, pour
from airflow_provider_mlconnector.systems.port import Erp, Reading, Scope
from airflow_provider_mlconnector.trail.records import (
    Accepted,
    BookFile,
    BookScope,
    BookState,
    CellScope,
    EventKind,
    RunOutcome,
    RunRef,
    StagedFile,
)

LATE_POSTINGS = "late_postings"
"""Stands for the dataset in the scope of what was reported of a period."""
RECORDS_NAMED = 20

_KEPT = "record_id, modified_at, period, document, posting_date, account, description, debit, credit, amount"
_ARRIVED = (
    "SELECT * FROM arrived QUALIFY row_number() OVER "
    "(PARTITION BY record_id ORDER BY modified_at DESC NULLS LAST, file_row_number DESC) = 1"
)
_LATE = (
    f"SELECT {', '.join(f'a.{name.strip()}' for name in _KEPT.split(','))} FROM ({_ARRIVED}) a "
    "LEFT JOIN book b USING (record_id) WHERE b.record_id IS NULL OR a.modified_at > b.modified_at "
    "OR a.modified_at > getvariable('unloaded_after') ORDER BY a.modified_at, a.record_id"
)
_SAME = "late.record_id = reported.record_id AND late.modified_at IS NOT DISTINCT FROM reported.modified_at"


@dataclass(frozen=True, slots=True)
class _Found:
    """The late postings of a period as one sweep sees them."""

    lines: int
    debit: Decimal
    latest: datetime | None
    records: tuple[str, ...]
    new: int


@dataclass(frozen=True, slots=True)
class _Sweep:
    """Looks at one closed period."""

    bench: Bench
    erp: Erp
    plan: ReadPlan
    run: RunRef
    period: Period

    def is_loaded(self) -> bool:
        """Say whether the flow ever loaded the period; else there is nothing that could be late."""
        lines = self.bench.trail.book(self._scope(Dataset.JOURNAL_LINES))
        return lines.base is not None and all(one.version for one in self._accepted())

    def look(self) -> tuple[LatePostings | None, int]:
        """Return the late postings, if there are any, and the number of requests that it took to know."""
        marks = [one.watermark for one in self._accepted()]
        known = [mark for mark in marks if mark is not None]
        watermark = min(known) if len(known) == len(marks) else None
        since = None if watermark is None else watermark - self.erp.capabilities.overlap
        reading = self.erp.read(Dataset.JOURNAL_LINES, Scope(self.period, since))
        found = self._compare(reading, None if self._is_settled() else watermark)
        return found, reading.requests

    def _scope(self, dataset: str) -> BookScope:
        return BookScope(flow=self.plan.flow, company=self.plan.company, dataset=dataset, period=self.period.key)

    def _accepted(self) -> list[Accepted]:
        return [
            self.bench.trail.accepted(CellScope(flow=self.plan.flow, import_name=name, period=self.period.key))
            for name in self.plan.imports
        ]

    def _is_settled(self) -> bool:
        """Say whether the period's latest run succeeded; what another one only read is not in the model yet."""
        runs = self.bench.trail.runs(self.plan.flow, period=self.period.key, limit=1)
        return bool(runs) and runs[0].outcome is RunOutcome.SUCCEEDED

    def _compare(self, reading: Reading, unloaded_after: datetime | None) -> LatePostings | None:
        """Find what is not in the book, or was modified after a moment up to which alone the model has it."""
        reported = self.bench.trail.book(self._scope(LATE_POSTINGS))
        schema = arrow_schema(Dataset.JOURNAL_LINES)
        with ParquetSink(self.bench.stage, schema) as sink, engine(self.bench) as db:
            with noting_drift(self.bench, self.run.run_id, Dataset.JOURNAL_LINES, reading):
                pour(Control(schema).passing(reading.batches), sink)
            if not sink.rows and reported.base is None:
                return None
            db.files("arrived", sink.finish())
            db.variable("unloaded_after", unloaded_after)
            book.lay_out(db, self.bench.stage, self.bench.trail.book(self._scope(Dataset.JOURNAL_LINES)))
            db.run(f"CREATE TEMP TABLE late AS {_LATE}")
            self._place_reported(db, reported)
            return self._report(db, _summary(db), reported)

    def _place_reported(self, db: Engine, reported: BookState) -> None:
        if reported.base is None:
            db.view("reported", "SELECT record_id, modified_at FROM late LIMIT 0")
        else:
            db.files("reported", self.bench.stage.fetch(reported.base.file))

    def _report(self, db: Engine, found: _Found, reported: BookState) -> LatePostings | None:
        """Announce what is new and remember what is late now, unless both are as they were."""
        known = reported.base
        file, new = (known.file, 0) if known else (None, 0)
        if found.new or found.lines != (known.rows if known else 0):
            file, new = self._remember(db, found, reported)
        if file is None or not found.lines:
            return None
        return LatePostings(
            period=self.period.key,
            lines=found.lines,
            new=new,
            debit=format_money(found.debit),
            latest=found.latest,
            records=found.records,
            digest=file.sha256,
        )

    def _remember(self, db: Engine, found: _Found, reported: BookState) -> tuple[StagedFile, int]:
        """Keep the late postings and return how many are new: none when another sweep announced them meanwhile."""
        scope = self._scope(LATE_POSTINGS)
        ticket = self.bench.trail.begin_batch(self.run.run_id, scope, ReadMode.CHANGES)
        rows = db.stream(f"SELECT {_KEPT} FROM late ORDER BY modified_at, record_id")
        with ParquetSink(self.bench.stage, rows.schema) as sink:
            pour(rows, sink)
            file = sink.publish(book.batch_key(ticket))
        sums = {"debit": format_money(found.debit)}
        self.bench.trail.add_batch(
            ticket, rows=found.lines, sums=sums, file=file, cursor=found.latest, resource="sweep", requests=0
        )
        state = BookFile(file=file, batch_id=ticket.batch_id, seq=ticket.seq, rows=found.lines)
        try:
            self.bench.trail.put_book(
                scope,
                expected=reported.version,
                base=state,
                changes=(),
                columns_digest=book.columns_digest(rows.schema),
                run_id=self.run.run_id,
                events=[(EventKind.LATE_POSTINGS, self._told(found))] if found.new else (),
            )
        except StaleVersionError:
            return file, 0
        return file, found.new

    def _told(self, found: _Found) -> dict[str, Any]:
        return {
            "period": self.period.key,
            "lines": found.lines,
            "new": found.new,
            "debit": format_money(found.debit),
            "latest": found.latest,
            "records": found.records,
        }


def _summary(db: Engine) -> _Found:
    [row] = db.records("SELECT count(*) AS lines, sum(debit) AS debit, max(modified_at) AS latest FROM late")
    unseen = f"SELECT * FROM late ANTI JOIN reported ON {_SAME}"
    records = db.rows(
        f"SELECT record_id FROM ({unseen}) ORDER BY modified_at DESC NULLS LAST, record_id LIMIT {RECORDS_NAMED}"
    )
    new = db.rows(f"SELECT count(*) FROM ({unseen})")[0][0]
    named = records or db.rows(f"SELECT record_id FROM late ORDER BY modified_at, record_id LIMIT {RECORDS_NAMED}")
    return _Found(
        lines=row["lines"],
        debit=Decimal(row["debit"] or ZERO),
        latest=row["latest"],
        records=tuple(record for (record,) in named),
        new=new,
    )


def sweep(bench: Bench, erp: Erp, plan: ReadPlan, run: RunRef, closed: Iterable[Period]) -> SweepManifest:
    """Ask for late postings of closed periods, one after the other, and report those that are new.

    :param plan: what the flow reads of the journal lines.
    :param run: the run on whose trail new late postings are announced.
    :param closed: the closed periods; those that the flow never loaded are passed over.
    """
    loaded = [one for one in (_Sweep(bench, erp, plan, run, period) for period in closed) if one.is_loaded()]
    looks = [one.look() for one in loaded]
    return SweepManifest(
        run=run,
        periods=len(loaded),
        requests=sum(requests for _, requests in looks),
        late=tuple(late for late, _ in looks if late is not None),
    )
