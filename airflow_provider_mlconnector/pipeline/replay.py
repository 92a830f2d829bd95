# SPDX-License-Identifier: Apache-2.0
"""Delivering again without asking the ERP: a batch, single records, or what Anaplan rejected.

A replay sends the cells that these touch as the book and the plan give them today, changed or not; an old total never
overwrites a newer one. What it prepares is loaded like any other file. :func:`as_sent` repeats a stored file byte for
byte instead, and is refused when any of its cells was sent or accepted later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from msgspec.structs import replace

from airflow_provider_mlconnector.errors import ConfigurationError, DataError, StaleVersionError
from airflow_provider_mlconnector.finance.calendar import Calendar
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.pipeline import cells
from airflow_provider_mlconnector.pipeline.context import Bench, ModelReader
from airflow_provider_mlconnector.pipeline.engine import Engine, engine, listed, quoted
from airflow_provider_mlconnector.pipeline.layout import PROBLEM, RECORD, Layout, cell_scope
from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
from airflow_provider_mlconnector.pipeline.outgoing import Choice
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, ReadMode
from airflow_provider_mlconnector.pipeline.prepare import Preparation, book_of
from airflow_provider_mlconnector.pipeline.rows import place_mapped
from airflow_provider_mlconnector.pipeline.tables import TEXT, table
from airflow_provider_mlconnector.trail.records import (
    BatchRow,
    CellScope,
    EventKind,
    EventRow,
    Reject,
    RejectKind,
    RunRef,
    StagedFile,
    make_run_id,
)

BATCHES_SEARCHED = 1000
RUNS_SEARCHED = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is delivered again: one of these.

    :param batch_id: all that one read brought.
    :param record_ids: single records, by the ERP's ids.
    :param rejects_of: a run, for what Anaplan rejected or what was quarantined in it.
    """

    batch_id: str = ""
    record_ids: tuple[str, ...] = ()
    rejects_of: str = ""

    def __post_init__(self) -> None:
        if [bool(self.batch_id), any(self.record_ids), bool(self.rejects_of)].count(True) != 1:
            raise ConfigurationError("A replay is of one batch, of records, or of the rejects of one run.")

    @classmethod
    def of(cls, *, batch_id: str, records: str, rejects_of: str) -> Wanted:
        """Return what a person asked for; ``records`` are ids separated by commas.

        :raises ConfigurationError: when that is not one of these, or several.
        """
        ids = tuple(part.strip() for part in records.split(",") if part.strip())
        return cls(batch_id=batch_id, record_ids=ids, rejects_of=rejects_of)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a replay belongs: a flow, a period ("" for a list) and a dataset."""

    flow: str
    period: str
    dataset: str

    def run(self, origin: str) -> RunRef:
        """Return the run of a replay here; ``origin`` is what makes it unique. Datasets of one period share it."""
        run_id = make_run_id(self.flow, self.period, origin)
        return RunRef(run_id=run_id, flow=self.flow, period=self.period, mode=ReadMode.CHANGES)


def places(bench: Bench, wanted: Wanted, flow: str | None = None) -> tuple[Place, ...]:
    """Return where the wanted rows belong, each place once, newest first.

    :raises DataError: when the trail does not know them.
    """
    if wanted.batch_id:
        scopes = [bench.trail.batch(wanted.batch_id).scope]
        found = [Place(scope.flow, scope.period, scope.dataset) for scope in scopes]
    elif wanted.rejects_of:
        run = bench.trail.run(wanted.rejects_of)
        found = [Place(run.flow, run.period, row.reject.dataset) for row in bench.trail.rejects(run.run_id)]
    else:
        batches = bench.trail.batches(flow=flow, limit=BATCHES_SEARCHED)
        held = (batch for batch in batches if _holds(bench, batch, wanted.record_ids))
        found = [Place(batch.scope.flow, batch.scope.period, batch.scope.dataset) for batch in held]
    if not found:
        raise DataError("The trail does not know these rows.", hint="List runs: airflow mlconnector trail runs")
    return tuple(dict.fromkeys(found))


def redeliver(
    bench: Bench,
    plan: LoadPlan,
    wanted: Wanted,
    run: RunRef,
    calendar: Calendar,
    model: ModelReader | None,
    *,
    repeat: bool = False,
) -> PreparedManifest:
    """Return the file to deliver again: :func:`prepare_replay`, or :func:`as_sent` with ``repeat``.

    :param run: the replay's own run, see :meth:`Place.run`.
    """
    if repeat:
        return as_sent(bench, plan, wanted, run)
    today = calendar.day_of(bench.clock.now())  # lists belong to no period: any will do
    period = calendar.period(run.period) if run.period else calendar.period_of(today)
    return prepare_replay(bench, plan, wanted, run, period, model)


def prepare_replay(
    bench: Bench, plan: LoadPlan, wanted: Wanted, run: RunRef, period: Period, model: ModelReader | None
) -> PreparedManifest:
    """Write a file of the cells that the wanted rows touch, as they are today.

    :param run: the replay's own run, of the period that the rows belong to.
    """
    chosen = _Chosen(bench, plan, wanted, run, period)
    manifest = Preparation(bench, plan, run, period, model).make(Choice.CHOSEN, wanted.batch_id, chosen=chosen)
    _record(bench, run, wanted, manifest, as_sent=False)
    return manifest


class _Chosen:
    """Places the addresses of the cells that the wanted rows touch ``chosen``."""

    def __init__(self, bench: Bench, plan: LoadPlan, wanted: Wanted, run: RunRef, period: Period) -> None:
        self._bench = bench
        self._plan = plan
        self._wanted = wanted
        self._run = run
        self._period = period

    def __call__(self, db: Engine, layout: Layout) -> None:
        keys = layout.keys
        ids, addresses = self._ids_and_addresses(keys)
        addresses += self._touched_by(ids, keys)
        db.table("chosen", table(dict.fromkeys(keys, TEXT), (dict(zip(keys, one, strict=True)) for one in addresses)))
        db.table("wanted", table({"record": TEXT}, ({"record": one} for one in ids)))
        today = f"SELECT {listed(keys)} FROM mapped SEMI JOIN wanted w ON w.record = {quoted(RECORD)}"
        db.run(f"INSERT INTO chosen {today}")

    def _ids_and_addresses(self, keys: Sequence[str]) -> tuple[list[str], list[tuple[str, ...]]]:
        """Return the record ids that are wanted, and the addresses that are wanted as such."""
        wanted = self._wanted
        if wanted.rejects_of:
            rejects = [row.reject for row in self._bench.trail.rejects(wanted.rejects_of)]
            ours = [reject for reject in rejects if self._is_ours(reject)]
            addressed = [reject for reject in ours if reject.kind is RejectKind.REJECTED and keys != (RECORD,)]
            ids = [reject.record_id for reject in ours if reject.record_id]
            return ids, [tuple(reject.cell.get(key, "") for key in keys) for reject in addressed]
        if wanted.batch_id:
            file = self._bench.trail.batch(wanted.batch_id).file
            return (_record_ids(self._bench, file) if file else []), []
        return list(wanted.record_ids), []

    def _is_ours(self, reject: Reject) -> bool:
        return reject.dataset == self._plan.dataset and reject.import_name in ("", self._plan.import_name)

    def _touched_by(self, ids: Sequence[str], keys: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the addresses of all versions of these records ever read: one may have left its cell."""
        scope = book_of(self._plan, self._run.period)
        batches = self._bench.trail.batches(
            flow=scope.flow, company=scope.company, dataset=scope.dataset, period=scope.period, limit=BATCHES_SEARCHED
        )
        paths = [self._bench.stage.fetch(batch.file) for batch in batches if batch.file is not None]
        if not paths or not ids:
            return []
        with engine(self._bench) as db, ExitStack() as stack:
            db.table("wanted", table({"record": TEXT}, ({"record": one} for one in ids)))
            db.files("versions", *paths, differing=True)
            db.view("book", "SELECT * EXCLUDE (file_row_number) FROM versions SEMI JOIN wanted ON record = record_id")
            place_mapped(self._bench, db, self._plan, self._period, {}, stack)
            return db.rows(f"SELECT DISTINCT {listed(keys)} FROM mapped WHERE {quoted(PROBLEM)} IS NULL")


def _record_ids(bench: Bench, file: StagedFile) -> list[str]:
    with engine(bench) as db:
        db.files("batch", bench.stage.fetch(file))
        return [row[0] for row in db.rows("SELECT DISTINCT record_id FROM batch")]


def _holds(bench: Bench, batch: BatchRow, record_ids: Sequence[str]) -> bool:
    if batch.file is None:
        return False
    with engine(bench) as db:
        db.files("batch", bench.stage.fetch(batch.file))
        db.variable("wanted", list(record_ids))
        return bool(db.rows("SELECT 1 FROM batch WHERE list_contains(getvariable('wanted'), record_id) LIMIT 1"))


def as_sent(bench: Bench, plan: LoadPlan, wanted: Wanted, run: RunRef) -> PreparedManifest:
    """Return the file that was sent for a batch, or in the run whose rejects are meant, to be sent as it is.

    :raises ConfigurationError: when no such file was sent.
    :raises StaleVersionError: when one of its cells was sent or accepted later, or that cannot be told any more.
    """
    if wanted.record_ids:
        raise ConfigurationError("Single records were never a file of their own.", hint="Leave out --as-sent.")
    sender = wanted.rejects_of or bench.trail.batch(wanted.batch_id).run_id
    sent = _sent(bench, plan, sender, wanted.batch_id)
    scope = cell_scope(plan, run.period)
    accepted = bench.trail.accepted(scope)
    _refuse_if_older(bench, scope, sent, accepted.version)
    manifest = replace(sent, run=run, against=accepted.version, complete=False, cursor=None)
    _record(bench, run, wanted, manifest, as_sent=True)
    return manifest


def _sent(bench: Bench, plan: LoadPlan, run_id: str, batch_id: str) -> PreparedManifest:
    """Return the last file that a run sent to the plan's import, from the batch if one is named."""
    prepared = [
        PreparedManifest.from_json(event.detail)
        for event in bench.trail.events(run_id)
        if event.kind == EventKind.PREPARED and event.detail["import_name"] == plan.import_name
    ]
    started = [event.detail["fingerprint"] for event in bench.trail.events(run_id) if event.kind == EventKind.STARTED]
    found = [
        one
        for one in prepared
        if one.file and batch_id in ("", one.batch_id) and any(mark.startswith(one.file.sha256) for mark in started)
    ]
    if not found:
        raise ConfigurationError(f"Run {run_id} sent no file to {plan.import_name}.", hint="Leave out --as-sent.")
    return found[-1]


def _refuse_if_older(bench: Bench, scope: CellScope, sent: PreparedManifest, version: int) -> None:
    """Compare the file with everything that was marked or accepted for this scope after it.

    Its own mark makes the version after the one that it was prepared against, its own acceptance the next.
    """
    changes = {event.detail["version"]: event for event in _changes(bench, scope)}
    ours = sent.touched.key if sent.touched else ""
    for number in range(sent.against + 1, version + 1):
        event = changes.get(number)
        if event is None:
            raise StaleVersionError(
                "What was sent after this file is no longer on the trail.", hint="Leave out --as-sent."
            )
        later = _touched(event)
        if later is not None and later.key != ours and _share_cells(bench, sent, later):
            raise StaleVersionError(
                f"Run {event.run_id} sent some of these cells later.",
                hint="Leave out --as-sent to send them as they are now.",
            )


def _changes(bench: Bench, scope: CellScope) -> Iterator[EventRow]:
    for run in bench.trail.runs(scope.flow, period=scope.period or None, limit=RUNS_SEARCHED):
        for event in bench.trail.events(run.run_id):
            if event.kind in (EventKind.IN_FLIGHT, EventKind.ACCEPTED) and event.detail["scope"] == scope.to_json():
                yield event


def _touched(event: EventRow) -> StagedFile | None:
    """Return the cells that a change is about; None for an acceptance that sent nothing."""
    if event.kind == EventKind.IN_FLIGHT:
        return event.files[0]
    told = event.detail.get("touched")
    return StagedFile.from_json(told) if told else None


def _share_cells(bench: Bench, sent: PreparedManifest, later: StagedFile) -> bool:
    if sent.touched is None:
        return False
    with engine(bench) as db:
        db.files("ours", bench.stage.fetch(sent.touched))
        db.files("theirs", bench.stage.fetch(later))
        same = cells.same("o", "t", sent.keys)
        return bool(db.rows(f"SELECT 1 FROM ours o SEMI JOIN theirs t ON {same} LIMIT 1"))


def _record(bench: Bench, run: RunRef, wanted: Wanted, manifest: PreparedManifest, *, as_sent: bool) -> None:
    detail = {
        "batch_id": wanted.batch_id,
        "record_ids": list(wanted.record_ids),
        "rejects_of": wanted.rejects_of,
        "as_sent": as_sent,
        "import": manifest.import_name,
        "cells": manifest.cells_sent,
    }
    files: Iterable[StagedFile] = [manifest.file] if manifest.file else []
    bench.trail.record(run.run_id, EventKind.REPLAYED, detail, files=list(files))
