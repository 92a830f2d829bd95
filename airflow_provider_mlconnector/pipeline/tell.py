# SPDX-License-Identifier: Apache-2.0
"""The whole way of one record: read, booked, mapped, sent, and what became of it in Anaplan.

Rows are kept in files, not in the database, so the way is found again: the record in its batches, the decision by the
plan and the code books as they were, its cell in the files that were sent, their tasks and outcomes in the events.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import field

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, engine, listed, quoted
from airflow_provider_mlconnector.pipeline.layout import PROBLEM, RECORD, Layout
from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
from airflow_provider_mlconnector.pipeline.mapping import crosswalk_of
from airflow_provider_mlconnector.pipeline.recipe import Recipe, read_recipe
from airflow_provider_mlconnector.pipeline.rows import place_mapped
from airflow_provider_mlconnector.pipeline.selection import LEFT_OUT
from airflow_provider_mlconnector.systems.anaplan.uploads import CHUNK_BYTES, SMALLEST_CHUNK, chunk_size
from airflow_provider_mlconnector.trail.records import BatchRow, EventKind, EventRow, Manifest, RejectRow, StagedFile

BATCHES_SEARCHED = 1000
RUNS_SEARCHED = 1000


class TellStep(Manifest, frozen=True, kw_only=True):
    """One thing that happened to a record: when, in which run, a sentence, and the facts behind it."""

    at: datetime
    run_id: str
    step: str
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Version:
    """A record as one batch brought it; ``row`` counts from 1 within the batch."""

    batch: BatchRow
    row: int
    values: Mapping[str, Any]


def tell(bench: Bench, record_id: str, *, flow: str | None = None) -> list[TellStep]:
    """Return the way of a record in order of time.

    :param flow: look into this flow only.
    :raises DataError: when no batch holds the record.
    """
    batches = reversed(bench.trail.batches(flow=flow, limit=BATCHES_SEARCHED))
    versions = [version for batch in batches for version in _versions(bench, batch, record_id)]
    if not versions:
        raise DataError(f"No batch holds a record {record_id}.", hint="Ids are the ERP's: the column record_id.")
    steps = [step for version in versions for step in _read_steps(version)]
    for of_flow, period in dict.fromkeys((one.batch.scope.flow, one.batch.scope.period) for one in versions):
        own = [version for version in versions if version.batch.scope.period == period]
        for run in reversed(bench.trail.runs(of_flow, period=period or None, limit=RUNS_SEARCHED)):
            steps += _Run(bench, run.run_id, own).steps()
    return sorted(steps, key=lambda step: step.at)


def _versions(bench: Bench, batch: BatchRow, record_id: str) -> Iterator[_Version]:
    if batch.file is None:
        return
    with engine(bench) as db:
        db.files("batch", bench.stage.fetch(batch.file))
        db.variable("record", record_id)
        for values in db.records("SELECT * FROM batch WHERE record_id = getvariable('record')"):
            yield _Version(batch, values.pop("file_row_number") + 1, values)


def _read_steps(version: _Version) -> list[TellStep]:
    batch = version.batch
    shown = {name: _shown(value) for name, value in version.values.items() if value is not None}
    how = "whole" if batch.mode == "whole" else "for changes"
    sentence = (
        f"Read {how} from {batch.resource} in {batch.requests} requests; row {version.row} of {batch.rows} of batch "
        f"{batch.batch_id}."
    )
    facts = {"batch_id": batch.batch_id, "row": version.row, "file": batch.file and batch.file.key, "record": shown}
    return [_step(batch.finished_at or batch.started_at, batch.run_id, "read", sentence, facts)]


def _shown(value: Any) -> Any:
    return value if isinstance(value, bool | int) else str(value)


def _step(at: datetime, run_id: str, step: str, sentence: str, facts: Mapping[str, Any]) -> TellStep:
    return TellStep(at=at, run_id=run_id, step=step, sentence=sentence, facts=dict(facts))


class _Run:
    """What one run did with a record."""

    def __init__(self, bench: Bench, run_id: str, versions: list[_Version]) -> None:
        self._bench = bench
        self._run_id = run_id
        self._record = str(versions[0].values["record_id"])
        self._versions = versions
        self._events = bench.trail.events(run_id)

    def steps(self) -> list[TellStep]:
        """Return its steps."""
        own = {version.batch.batch_id for version in self._versions if version.batch.run_id == self._run_id}
        return [step for event in self._events for step in self._of_event(event, own)]

    def _of_event(self, event: EventRow, own: set[str]) -> Iterator[TellStep]:
        if event.kind == EventKind.BOOKED and own:
            scope = event.detail["scope"]
            if scope["dataset"] == self._versions[0].batch.scope.dataset:
                yield _step(
                    event.at, self._run_id, "booked", f"The book is at version {event.detail['version']}.", scope
                )
        if event.kind == EventKind.PREPARED:
            prepared = PreparedManifest.from_json(event.detail)
            if prepared.dataset == self._versions[0].batch.scope.dataset:
                yield from self._of_prepared(event, prepared, mine=bool(own))

    def _of_prepared(self, event: EventRow, prepared: PreparedManifest, *, mine: bool) -> Iterator[TellStep]:
        """Tell the decision, and the line if the cell was sent; a run of others that did not send it is not told."""
        latest = [version for version in self._versions if version.batch.started_at <= event.at][-1:]
        if not latest:
            return
        recipe = read_recipe(self._bench.stage, StagedFile.from_json(event.detail["recipe"]))
        with engine(self._bench) as db, ExitStack() as stack:
            _place_record(self._bench, db, latest[0])
            layout = place_mapped(self._bench, db, recipe.plan, recipe.period, {}, stack)
            address = _address(db, layout)
            decided = _decision(db, recipe, layout, latest[0], address)
        line = _line(self._bench, prepared, address) if address else None
        if line is None and not mine:
            return
        facts = {"import": prepared.import_name, "cell": dict(address or {}), "against": prepared.against}
        yield _step(event.at, self._run_id, "mapped", decided, facts)
        yield from self._rejects(event, prepared, address or {})
        if line is not None:
            yield from self._sent(event, prepared, line)
        elif address:
            yield _step(event.at, self._run_id, "unchanged", "Its cell is as Anaplan holds it; it was not sent.", facts)

    def _rejects(self, event: EventRow, prepared: PreparedManifest, address: Mapping[str, str]) -> Iterator[TellStep]:
        for row in self._bench.trail.rejects(self._run_id):
            reject = row.reject
            if reject.import_name == prepared.import_name and (
                reject.record_id == self._record or (address and _same_cell(row, address))
            ):
                at = self._at(row.event) or event.at
                facts = {"line": reject.line, "cell": reject.cell, "amount": reject.amount}
                yield _step(at, self._run_id, reject.kind, f"{reject.kind.capitalize()}: {reject.reason}", facts)

    def _at(self, seq: int) -> datetime | None:
        return next((event.at for event in self._events if event.seq == seq), None)

    def _sent(self, event: EventRow, prepared: PreparedManifest, line: int) -> Iterator[TellStep]:
        if prepared.file is None:
            return
        chunk = _chunk(self._bench.stage.fetch(prepared.file), line)
        where = f"line {line}, chunk {chunk}" if chunk is not None else f"line {line}"
        facts = {"file": prepared.file.key, "line": line, "chunk": chunk}
        yield _step(event.at, self._run_id, "written", f"Its cell is {where} of {prepared.file.key}.", facts)
        tasks: list[str] = []
        for later in self._events:
            if later.seq <= event.seq:
                continue
            if str(later.detail.get("fingerprint", "")).startswith(prepared.file.sha256):
                tasks.append(later.detail["task"]["task_id"])
                yield _step(later.at, self._run_id, "started", f"Import task {tasks[-1]} was started.", later.detail)
            elif _task_of(later) in tasks:
                yield _step(later.at, self._run_id, later.kind, _outcome(later), later.detail)


def _task_of(event: EventRow) -> str:
    task = event.detail.get("task")
    return str(task["task_id"] if isinstance(task, dict) else event.detail.get("task_id", ""))


def _outcome(event: EventRow) -> str:
    if event.kind == EventKind.ACCEPTED:
        return f"The cells that Anaplan took are accepted: version {event.detail['version']}."
    return f"Task {_task_of(event)}: {event.detail.get('sentence', event.kind)}"


def _place_record(bench: Bench, db: Engine, version: _Version) -> None:
    """Name the one version of the record ``book``."""
    if version.batch.file is not None:
        db.files("batch", bench.stage.fetch(version.batch.file))
    db.variable("row", version.row - 1)
    db.view("book", "SELECT * EXCLUDE (file_row_number) FROM batch WHERE file_row_number = getvariable('row')")


def _address(db: Engine, layout: Layout) -> dict[str, str] | None:
    """Return the address of the record's cell; None when the record has none."""
    found = db.rows(f"SELECT {listed(layout.keys)} FROM mapped WHERE {quoted(PROBLEM)} IS NULL")
    return dict(zip(layout.keys, found[0], strict=True)) if found else None


def _decision(db: Engine, recipe: Recipe, layout: Layout, version: _Version, address: Mapping[str, str] | None) -> str:
    """Return what the plan made of the record, and which rules of its code books decided."""
    left_out = db.rows(f"SELECT {quoted(LEFT_OUT)} FROM selection")[0][0]
    if left_out is not None:
        return f"Left out by rule: {left_out}."
    if address is None:
        problems = db.rows(f"SELECT {quoted(PROBLEM)} FROM mapped")
        return f"Not sent: {problems[0][0]}." if problems else "Dropped by the transform."
    shown = {**layout.constants, **{name: text for name, text in address.items() if name != RECORD}}
    rules = "".join(f" {rule}" for rule in _rules(recipe, layout, version))
    cell = ", ".join(f"{name}={shown[name]}" for name in recipe.plan.columns if name in shown)
    return f"Cell {cell or address.get(RECORD)}.{rules}"


def _rules(recipe: Recipe, layout: Layout, version: _Version) -> Iterator[str]:
    day = version.values.get("posting_date") or recipe.period.end
    for column in layout.sources:
        book = crosswalk_of(recipe.plan, layout, column)
        hit = book.lookup(version.values.get(column.source), day) if book else None
        if book is not None and hit is not None:
            yield f"{column.name} by {book.name}: {hit.rule}."


def _line(bench: Bench, prepared: PreparedManifest, address: Mapping[str, str]) -> int | None:
    """Return the line of a cell in the import file, counted from 1 without the header; None when it was not sent."""
    if prepared.touched is None:
        return None
    with engine(bench) as db:
        db.files("touched", bench.stage.fetch(prepared.touched))
        same = " AND ".join(f"{quoted(key)} = ?" for key in address)
        found = db.rows(f"SELECT file_row_number FROM touched WHERE {same}", *address.values())
        return int(found[0][0]) + 1 if found else None


def _chunk(path: Path, line: int) -> int | None:
    """Return the chunk that a line of data was uploaded in, from 0; None for a file that goes up in one piece."""
    size = path.stat().st_size
    if size < SMALLEST_CHUNK:
        return None
    with path.open("rb") as file:
        lines = csv.reader(text.decode() for text in iter(file.readline, b""))
        for _ in range(line):
            next(lines)
        return file.tell() // chunk_size(size, CHUNK_BYTES)


def _same_cell(row: RejectRow, address: Mapping[str, str]) -> bool:
    return all(row.reject.cell.get(name, text) == text for name, text in address.items()) and bool(row.reject.cell)
