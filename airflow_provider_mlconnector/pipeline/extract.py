# SPDX-License-Identifier: Apache-2.0
"""The first step: what an ERP holds becomes a staged batch, and the batch joins the period's book.

A read of changes shows nothing of records that vanished or left the period, so the book is compared with the ERP's
own totals after every read and, where they differ, the period is read whole. Should they still differ, the ledger may
have been posted to while it was read: a last read of changes catches up. What differs then is on the trail, and fails
the reconcile step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from airflow_provider_mlconnector.finance.datasets import MONEY_PRECISION, MONEY_SCALE, PERIOD_DATASETS, arrow_schema
from airflow_provider_mlconnector.finance.money import format_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline import book, totals
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.control import Control
from airflow_provider_mlconnector.pipeline.engine import engine
from airflow_provider_mlconnector.pipeline.manifests import BatchManifest
from airflow_provider_mlconnector.pipeline.plan import ReadMode, ReadPlan
from airflow_provider_mlconnector.pipeline.sinks import ParquetSink, pour
from airflow_provider_mlconnector.pipeline.tables import table
from airflow_provider_mlconnector.systems.port import Erp, FindingKind, Reading, Scope
from airflow_provider_mlconnector.trail.records import (
    BatchRow,
    BatchTicket,
    BookScope,
    CellScope,
    EventKind,
    Reject,
    RejectKind,
    RunRef,
    StagedFile,
)

FINDINGS_NAMED = 100


def book_scope(plan: ReadPlan, run: RunRef) -> BookScope:
    """Return whose records a plan reads."""
    period = run.period if plan.dataset in PERIOD_DATASETS else ""
    return BookScope(flow=plan.flow, company=plan.company, dataset=plan.dataset, period=period)


@dataclass(frozen=True, slots=True)
class _Harvest:
    """One read, staged and joined: its batch, what it found, and its cursor if the book took it."""

    batch: BatchRow
    findings: int
    cursor: datetime | None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one dataset of one run."""

    bench: Bench
    erp: Erp
    plan: ReadPlan
    run: RunRef
    period: Period

    @property
    def scope(self) -> BookScope:
        return book_scope(self.plan, self.run)

    @property
    def schema(self) -> pa.Schema:
        dimensions = self.plan.dimensions if self.plan.dataset in PERIOD_DATASETS else ()
        return arrow_schema(self.plan.dataset, dimensions)

    def since(self) -> datetime | None:
        """Return from when on to read changes; None when the period has to be read whole."""
        state = self.bench.trail.book(self.scope)
        same_columns = state.columns_digest == book.columns_digest(self.schema)
        if self.run.mode == ReadMode.WHOLE or not self.incremental or state.base is None or not same_columns:
            return None
        return self.behind(self.watermark())

    def watermark(self) -> datetime | None:
        """Return the oldest watermark of the imports; None when one of them was never loaded."""
        scopes = [
            CellScope(flow=self.plan.flow, import_name=name, period=self.scope.period) for name in self.plan.imports
        ]
        marks = [self.bench.trail.accepted(scope).watermark for scope in scopes]
        known = [mark for mark in marks if mark is not None]
        return min(known) if known and len(known) == len(marks) else None

    def behind(self, moment: datetime | None) -> datetime | None:
        """Return a moment less the overlap that this ERP needs."""
        return None if moment is None else moment - self.erp.capabilities.overlap

    @property
    def incremental(self) -> bool:
        capability = self.erp.capabilities.datasets.get(self.plan.dataset)
        return capability is not None and capability.incremental

    def read(self, since: datetime | None) -> _Harvest:
        """Read, stage and join to the book; nothing is staged for a read of changes that brought nothing."""
        mode = ReadMode.WHOLE if since is None else ReadMode.CHANGES
        ticket = self.bench.trail.begin_batch(self.run.run_id, self.scope, mode)
        scope = Scope(self.period if self.scope.period else None, since, self.plan.dimensions)
        reading = self.erp.read(self.plan.dataset, scope)
        file, control = self._stage(ticket, reading)
        batch = self.bench.trail.add_batch(
            ticket,
            rows=control.rows,
            sums=control.sums(),
            file=file,
            cursor=reading.cursor,
            resource=reading.resource,
            requests=reading.requests,
            detail={"since": since},
        )
        self._note_findings(reading)
        taken = file is None or book.join(self.bench, ticket, file, control.rows, book.columns_digest(self.schema))
        return _Harvest(batch, len(reading.findings), reading.cursor if taken else None)

    def _stage(self, ticket: BatchTicket, reading: Reading) -> tuple[StagedFile | None, Control]:
        """Write what is read to a file; of a read of changes only what the book does not hold alike."""
        control = Control(self.schema)
        with ParquetSink(self.bench.stage, self.schema) as sink:
            pour(control.passing(reading.batches), sink)
            if ticket.mode == ReadMode.WHOLE:
                return sink.publish(book.batch_key(ticket)), control
            if not control.rows:
                return None, control
            return self._stage_news(ticket, sink.finish())

    def _stage_news(self, ticket: BatchTicket, arrived: Path) -> tuple[StagedFile | None, Control]:
        """Leave out the rows that the overlap of two reads brought again."""
        control = Control(self.schema)
        with engine(self.bench) as db, ParquetSink(self.bench.stage, self.schema) as sink:
            book.lay_out(db, self.bench.stage, self.bench.trail.book(self.scope))
            db.files("arrived", arrived)
            news = (batch.cast(self.schema) for batch in db.stream(book.news_sql(self.schema.names)))
            pour(control.passing(news), sink)
            return (sink.publish(book.batch_key(ticket)) if control.rows else None), control

    def _note_findings(self, reading: Reading) -> None:
        """Put what the read found on the trail; a row that could not be read is quarantined with its reason."""
        if not reading.findings:
            return
        named = [
            {"kind": finding.kind, "subject": finding.subject, "detail": finding.detail}
            for finding in reading.findings[:FINDINGS_NAMED]
        ]
        detail = {"dataset": self.plan.dataset, "count": len(reading.findings), "findings": named}
        self.bench.trail.record(self.run.run_id, EventKind.FINDING, detail)
        invalid = [finding for finding in reading.findings if finding.kind is FindingKind.ROW_INVALID]
        self.bench.trail.add_rejects(
            self.run.run_id,
            (
                Reject(
                    kind=RejectKind.QUARANTINED,
                    dataset=self.plan.dataset,
                    record_id=finding.subject,
                    reason=finding.detail,
                )
                for finding in invalid
            ),
        )

    def compare(self) -> totals.Comparison:
        """Compare the book with the ERP's own figures of the period."""
        state = self.bench.trail.book(self.scope)
        ours = totals.book_totals(self.bench, state, self.plan.dataset)
        if not self.scope.period:
            return totals.Comparison(None, None, ours)
        return totals.compare(self.erp.period_totals(self.period), ours, self.plan.dataset)


def extract(bench: Bench, erp: Erp, plan: ReadPlan, run: RunRef, period: Period) -> BatchManifest:
    """Read a dataset, whole or since its watermark, and bring the period's book up to date.

    :raises SchemaDriftError: when the ERP gives other columns than the dataset has.
    """
    reader = _Reader(bench, erp, plan, run, period)
    since = reader.since()
    harvests = [reader.read(since)]
    found = reader.compare()
    if found.agrees is False and since is not None:
        _note_difference(bench, run, plan, found, "The period is read whole.")
        harvests = [reader.read(None)]
        found = reader.compare()
    caught_up = reader.behind(harvests[-1].cursor) if reader.incremental else None
    if found.agrees is False and caught_up is not None:
        harvests.append(reader.read(caught_up))
        found = reader.compare()
    if found.agrees is False:
        _note_difference(bench, run, plan, found, "The run will not reconcile.")
    book.compact(bench, reader.scope, run.run_id)
    return _manifest(bench, reader, harvests, found)


def _note_difference(bench: Bench, run: RunRef, plan: ReadPlan, found: totals.Comparison, then: str) -> None:
    detail = {
        "dataset": plan.dataset,
        "sentence": f"The book differs from the ERP's own figures. {then}",
        "source": found.erp.source if found.erp else "",
        "erp_count": found.erp.count if found.erp else None,
        "book_count": found.book.rows,
        "difference": found.difference,
        "accounts": [
            {"account": one.account, "erp": one.erp, "book": one.book}
            for one in found.accounts[: totals.ACCOUNTS_NAMED]
        ],
    }
    bench.log.warning("%s %s: %s", plan.dataset, run.period, detail["sentence"])
    bench.trail.record(run.run_id, EventKind.TOTALS_DIFFER, detail)


def _stage_accounts(bench: Bench, told: BatchRow, by_account: Mapping[str, Decimal]) -> StagedFile:
    rows = table(
        {"account": pa.string(), "amount": pa.decimal128(MONEY_PRECISION, MONEY_SCALE)},
        ({"account": account, "amount": amount} for account, amount in sorted(by_account.items())),
    )
    with ParquetSink(bench.stage, rows.schema) as sink:
        pour(rows.to_batches(), sink)
        return sink.publish(
            f"{book.folder('totals', told.scope.flow, told.scope.dataset, told.scope.period)}/{told.batch_id}.parquet"
        )


def _manifest(bench: Bench, reader: _Reader, harvests: list[_Harvest], found: totals.Comparison) -> BatchManifest:
    staged = [harvest for harvest in harvests if harvest.batch.file is not None]
    told = (staged or harvests)[0].batch
    cursors = [harvest.cursor for harvest in harvests if harvest.cursor is not None]
    erp = found.erp
    nets = erp.by_account if erp else None
    return BatchManifest(
        run=reader.run,
        dataset=reader.plan.dataset,
        batch_id=told.batch_id,
        mode=told.mode,
        rows=sum(harvest.batch.rows for harvest in harvests),
        sums=told.sums,
        file=told.file,
        book_version=bench.trail.book(reader.scope).version,
        book_rows=found.book.rows,
        cursor=max(cursors, default=None),
        requests=sum(harvest.batch.requests for harvest in harvests),
        findings=sum(harvest.findings for harvest in harvests),
        agrees=found.agrees,
        totals_by=erp.source if erp else "",
        erp_count=erp.count if erp else None,
        erp_total=None if nets is None else format_money(totals.movement(nets)),
        book_total=format_money(totals.movement(found.book.by_account)) if reader.scope.period else None,
        difference=None if found.difference is None else format_money(found.difference),
        erp_accounts=None if nets is None else _stage_accounts(bench, told, nets),
    )
