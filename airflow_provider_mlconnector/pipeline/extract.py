# SPDX-License-Identifier: Apache-2.0
"""The first step: what an ERP holds becomes a staged batch, and the batch joins the period's book.

A read of changes shows nothing of records that vanished or left the period, so the book is compared with the ERP's
own totals after every read and, where they differ, the period is read whole. Should they still differ, the ledger may
have been posted to while it was read: a last read of changes catches up. What differs then is on the trail, and fails
the reconcile step.

A read of changes shows nothing either of lines whose dimensions could not be read before and can be read now: the
value that they name was put back, the lines themselves were not touched. Nor does it show lines whose dimension value
was given another code. So while the book holds lines without dimensions, or with codes that the ERP does not have,
each run asks for some of them by their ids. If one of them can be read again the period is read whole, as it is where
the ERP cannot be asked for single records; those that stay unreadable are quarantined and told by every run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from airflow_provider_mlconnector.errors import NotFoundError, PermissionDeniedError, ProtocolError
from airflow_provider_mlconnector.finance.datasets import (
    MONEY_PRECISION,
    MONEY_SCALE,
    PERIOD_DATASETS,
    Dataset,
    arrow_schema,
)
from airflow_provider_mlconnector.finance.money import format_money
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline import book, totals
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.control import Control
from airflow_provider_mlconnector.pipeline.engine import engine
from airflow_provider_mlconnector.pipeline.findings import note_findings, noting_drift
from airflow_provider_mlconnector.pipeline.manifests import BatchManifest
from airflow_provider_mlconnector.pipeline.plan import ReadMode, ReadPlan
from airflow_provider_mlconnector.pipeline.sinks import ParquetSink, pour
from airflow_provider_mlconnector.pipeline.tables import table
from airflow_provider_mlconnector.systems.port import Erp, Reading, Scope
from airflow_provider_mlconnector.trail.records import (
    BatchRow,
    BatchTicket,
    BookScope,
    CellScope,
    EventKind,
    RunRef,
    StagedFile,
)

UNREADABLE_TRIED = 200
"""Lines with unreadable dimensions that one run asks for again; each may cost the ERP a request of its own."""


def book_scope(plan: ReadPlan, run: RunRef) -> BookScope:
    """Return whose records a plan reads."""
    period = run.period if plan.dataset in PERIOD_DATASETS else ""
    return BookScope(flow=plan.flow, company=plan.company, dataset=plan.dataset, period=period)


@dataclass(frozen=True, slots=True)
class _Harvest:
    """One read, staged and joined: its batch, what it found, and up to when the book has all changes by it.

    :param cursor: None when the book did not take it, or it was of single records.
    """

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

    @property
    def by_record(self) -> bool:
        capability = self.erp.capabilities.datasets.get(self.plan.dataset)
        return capability is not None and capability.by_record

    def read(self, since: datetime | None, records: tuple[str, ...] = ()) -> _Harvest:
        """Read, stage and join to the book; nothing is staged for a read of changes that brought nothing.

        A record that changes while others are being read may have been passed by already: all changes are known up to
        the moment at which the read began, whatever later stamps it has seen.
        """
        mode = ReadMode.WHOLE if since is None and not records else ReadMode.CHANGES
        ticket = self.bench.trail.begin_batch(self.run.run_id, self.scope, mode)
        scope = Scope(self.period if self.scope.period else None, since, self.plan.dimensions, records)
        reading = self.erp.read(self.plan.dataset, scope)
        with noting_drift(self.bench, self.run.run_id, self.plan.dataset, reading):
            file, control = self._stage(ticket, reading)
        batch = self.bench.trail.add_batch(
            ticket,
            rows=control.rows,
            sums=control.sums(),
            file=file,
            cursor=reading.cursor,
            resource=reading.resource,
            requests=reading.requests,
            detail={"since": since, "records": len(records)},
        )
        note_findings(self.bench, self.run.run_id, self.plan.dataset, reading.findings)
        taken = file is None or book.join(self.bench, ticket, file, control.rows, book.columns_digest(self.schema))
        known = reading.cursor is not None and taken and not records
        cursor = min(reading.cursor, ticket.started_at) if known and reading.cursor else None
        return _Harvest(batch, len(reading.findings), cursor)

    def read_unreadable(self) -> list[_Harvest]:
        """Read again what a read of changes never brings: lines whose dimensions could not be read, or are no more.

        A few are asked for by id; one that can be read now shows that its cause is gone, so that the rest is read too.
        """
        values = self._values()
        count, ids = self._unreadable(values)
        if not count:
            return []
        if not self.by_record:
            self._note_unreadable(count, "The period is read whole for them.")
            return [self.read(None)]
        tried = self.read(None, ids)
        left, _ = self._unreadable(values)
        if left and left < count:
            self._note_unreadable(left, f"{count - left} can be read again; the period is read whole for the others.")
            return [tried, self.read(None)]
        then = "They can be read again." if not left else f"{len(ids)} were asked for and are as they were."
        self._note_unreadable(count, then)
        return [tried]

    def _values(self) -> dict[str, set[str]]:
        """Return the codes of the dimensions as they are now; none where the ERP cannot be asked for both."""
        codes: dict[str, set[str]] = {}
        if not (self.plan.dimensions and self.by_record and Dataset.COST_CENTRES in self.erp.capabilities.datasets):
            return codes
        try:
            for batch in self.erp.read(Dataset.COST_CENTRES, Scope(dimensions=self.plan.dimensions)).batches:
                for row in batch.select(["dimension", "code"]).to_pylist():
                    codes.setdefault(row["dimension"], set()).add(row["code"])
        except (PermissionDeniedError, NotFoundError) as refused:
            self._note(f"Lines whose dimension value has another code are not looked for: {refused.message}")
            return {}
        return codes

    def _unreadable(self, values: Mapping[str, Collection[str]]) -> tuple[int, tuple[str, ...]]:
        state = self.bench.trail.book(self.scope)
        dimensions = self.plan.dimensions if self.plan.dataset in PERIOD_DATASETS else ()
        return book.unreadable(self.bench, state, dimensions, values, seed=self.run.run_id, limit=UNREADABLE_TRIED)

    def _note_unreadable(self, count: int, then: str) -> None:
        why = "could not be read before, or are not there any more"
        self._note(f"The dimensions of {count} lines in the book {why}. {then}", lines=count)

    def _note(self, sentence: str, **more: int) -> None:
        self.bench.log.warning("%s %s: %s", self.plan.dataset, self.run.period, sentence)
        detail = {"dataset": self.plan.dataset, "sentence": sentence, **more}
        self.bench.trail.record(self.run.run_id, EventKind.NOTE, detail)

    def _stage(self, ticket: BatchTicket, reading: Reading) -> tuple[StagedFile | None, Control]:
        """Write what is read to a file; of a read of changes only what the book does not hold alike.

        A whole read that nobody asked for, of an ERP that tells no changes, is staged only if it brought another book.
        """
        control = Control(self.schema)
        with ParquetSink(self.bench.stage, self.schema) as sink:
            pour(control.passing(reading.batches), sink)
            _check_all_came(reading, control.rows)
            if ticket.mode == ReadMode.WHOLE:
                known = self.run.mode != ReadMode.WHOLE and self._is_in_book(sink.finish())
                return (None if known else sink.publish(book.batch_key(ticket))), control
            if not control.rows:
                return None, control
            return self._stage_news(ticket, sink.finish())

    def _is_in_book(self, arrived: Path) -> bool:
        """Say whether the book holds just what arrived, by a hash of every row."""
        state = self.bench.trail.book(self.scope)
        if state.base is None or state.columns_digest != book.columns_digest(self.schema):
            return False
        with engine(self.bench) as db:
            book.lay_out(db, self.bench.stage, state)
            db.files("arrived", arrived)
            return book.fingerprint(db, "arrived", self.schema.names) == book.fingerprint(db, "book", self.schema.names)

    def _stage_news(self, ticket: BatchTicket, arrived: Path) -> tuple[StagedFile | None, Control]:
        """Leave out the rows that the overlap of two reads brought again."""
        control = Control(self.schema)
        with engine(self.bench) as db, ParquetSink(self.bench.stage, self.schema) as sink:
            book.lay_out(db, self.bench.stage, self.bench.trail.book(self.scope))
            db.files("arrived", arrived)
            news = (batch.cast(self.schema) for batch in db.stream(book.news_sql(self.schema.names)))
            pour(control.passing(news), sink)
            return (sink.publish(book.batch_key(ticket)) if control.rows else None), control

    def compare(self) -> totals.Comparison:
        """Compare the book with the ERP's own figures of the period."""
        state = self.bench.trail.book(self.scope)
        ours = totals.book_totals(self.bench, state, self.plan.dataset)
        if not self.scope.period:
            return totals.Comparison(None, None, ours)
        erp = self.erp.period_totals(self.period)
        if self.plan.dataset is Dataset.ACCOUNT_BALANCES:
            erp = erp.of_balances()
        return totals.compare(erp, ours, self.plan.dataset)


def _check_all_came(reading: Reading, rows: int) -> None:
    if reading.announced is not None and rows < reading.announced:
        raise ProtocolError(
            f"Of {reading.announced} rows of {reading.resource} that the ERP counted, {rows} came.",
            hint="Nothing was kept of this read. Run the task again; if it fails again, report this.",
        )


def extract(bench: Bench, erp: Erp, plan: ReadPlan, run: RunRef, period: Period) -> BatchManifest:
    """Read a dataset, whole or since its watermark, and bring the period's book up to date.

    :raises SchemaDriftError: when the ERP gives other columns than the dataset has.
    :raises ProtocolError: when the ERP gives fewer rows than it counted.
    """
    reader = _Reader(bench, erp, plan, run, period)
    since = reader.since()
    harvests = [reader.read(since)]
    if since is not None:
        harvests += reader.read_unreadable()
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
    whole = [harvest for harvest in harvests if harvest.batch.mode == ReadMode.WHOLE]
    told = (whole or staged or harvests)[0].batch
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
