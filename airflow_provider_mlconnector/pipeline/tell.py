# SPDX-License-Identifier: Apache-2.0
"""The whole way of one record: read, booked, mapped, sent, and what became of it in Anaplan.

Rows are kept in files, not in the database, so the way is found again: the record in its batches, the decision by the
plan and the code books as they were, its cell in the files that were sent, their tasks and outcomes in the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.finance.money import format_money
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
from airflow_provider_mlconnector.pipeline.recipe import read_recipe
from airflow_provider_mlconnector.pipeline.sweep import LATE_POSTINGS
from airflow_provider_mlconnector.pipeline.whereabouts import (
    Address,
    Line,
    Version,
    decide,
    line_of,
    named,
    versions_of,
)
from airflow_provider_mlconnector.trail.records import (
    EventKind,
    EventRow,
    Manifest,
    RejectKind,
    RejectRow,
    RunRow,
    StagedFile,
)

BATCHES_SEARCHED = 1000
RUNS_SEARCHED = 1000


class TellStep(Manifest, frozen=True, kw_only=True):
    """One thing that happened to a record: when, in which run, a sentence, and the facts behind it.

    :param by: who asked for the run.
    """

    at: datetime
    run_id: str
    step: str
    sentence: str
    by: str = ""
    facts: dict[str, Any] = msgspec.field(default_factory=dict)


def tell(bench: Bench, record_id: str, *, flow: str | None = None) -> list[TellStep]:
    """Return the way of a record in order of time.

    :param flow: look into this flow only.
    :raises DataError: when the trail does not know the record.
    """
    batches = reversed(bench.trail.batches(flow=flow, limit=BATCHES_SEARCHED))
    versions = [version for batch in batches for version in versions_of(bench, batch, record_id)]
    steps = [step for version in versions for step in _read_steps(version)]
    scopes = dict.fromkeys(version.batch.scope for version in versions)
    for scope in (scope for scope in scopes if scope.dataset != LATE_POSTINGS):
        memory = _Memory()
        own = [version for version in versions if version.batch.scope == scope]
        for run in reversed(bench.trail.runs(scope.flow, period=scope.period or None, limit=RUNS_SEARCHED)):
            steps += _Run(bench, run, own, memory).steps()
    steps += _unread(bench, record_id, flow)
    if not steps:
        raise DataError(f"No batch holds a record {record_id}.", hint="Ids are the ERP's: the column record_id.")
    asked = {run_id: bench.trail.run(run_id).requested_by for run_id in {step.run_id for step in steps}}
    return sorted((replace(step, by=asked[step.run_id]) for step in steps), key=lambda step: step.at)


def _read_steps(version: Version) -> list[TellStep]:
    batch = version.batch
    shown = {name: _shown(value) for name, value in version.values.items() if value is not None}
    facts = {"batch_id": batch.batch_id, "row": version.row, "file": batch.file and batch.file.key, "record": shown}
    at = batch.finished_at or batch.started_at
    if batch.scope.dataset == LATE_POSTINGS:
        late = f"Found in {batch.scope.period}, which is closed, and not loaded{_said(version)}."
        return [_step(at, batch.run_id, "late", late, facts)]
    how = "whole" if batch.mode == "whole" else "for changes"
    sentence = (
        f"Read {how} from {batch.resource} in {batch.requests} requests; row {version.row} of {batch.rows} of batch "
        f"{batch.batch_id}{_said(version)}."
    )
    return [_step(at, batch.run_id, "read", sentence, facts)]


def _said(version: Version) -> str:
    """Return what a person knows a record by."""
    values = version.values
    amount = values.get("amount")
    said = {
        "document": values.get("document"),
        "of": values.get("posting_date"),
        "account": values.get("account"),
        "amount": None if amount is None else format_money(amount),
    }
    words = " ".join(f"{name} {value}" for name, value in said.items() if value)
    return f": {words}" if words else ""


def _shown(value: Any) -> Any:
    return value if isinstance(value, bool | int) else str(value)


def _step(at: datetime, run_id: str, step: str, sentence: str, facts: Mapping[str, Any]) -> TellStep:
    return TellStep(at=at, run_id=run_id, step=step, sentence=sentence, facts=dict(facts))


def _unread(bench: Bench, record_id: str, flow: str | None) -> Iterator[TellStep]:
    """Tell of the reads that brought the record in a state in which it could not be kept."""
    for row in bench.trail.rejects(record_id=record_id):
        run = bench.trail.run(row.run_id)
        if row.reject.import_name or flow not in (None, run.flow):
            continue
        event = bench.trail.events(row.run_id)[row.event - 1]
        sentence = f"Quarantined when it was read, from {row.reject.dataset}: {row.reject.reason}"
        yield _step(event.at, row.run_id, row.reject.kind, sentence, row.reject.to_json())


@dataclass(slots=True)
class _Memory:
    """What the runs told so far made of the record.

    :param decisions: the last one, by import.
    :param places: the cell that the record was last sent with, by import.
    :param lines: the line of its cell, by key of the file.
    """

    decisions: dict[str, str] = field(default_factory=dict)
    places: dict[str, Address] = field(default_factory=dict)
    lines: dict[str, tuple[StagedFile, Line]] = field(default_factory=dict)


class _Run:
    """What one run did with a record of one book."""

    def __init__(self, bench: Bench, run: RunRow, versions: Sequence[Version], memory: _Memory) -> None:
        self._bench = bench
        self._run = run
        self._scope = versions[0].batch.scope
        self._record = str(versions[0].values["record_id"])
        self._versions = versions
        self._memory = memory
        self._events = bench.trail.events(run.run_id)
        self._rejected: list[RejectRow] = []
        self._mine = any(version.batch.run_id == run.run_id for version in versions)

    def steps(self) -> list[TellStep]:
        """Return its steps; none when it left the record alone."""
        told = [step for event in self._events for step in self._of_event(event)]
        asked = [event for event in self._events if event.kind == EventKind.REPLAYED]
        return [*(self._replayed(event) for event in asked[:1] if told), *told]

    def _of_event(self, event: EventRow) -> Iterator[TellStep]:
        match event.kind:
            case EventKind.BOOKED if self._mine and event.detail["scope"] == self._scope.to_json():
                yield self._step(
                    event, "booked", f"The book is at version {event.detail['version']}.", self._scope.to_json()
                )
            case EventKind.PREPARED:
                prepared = PreparedManifest.from_json(event.detail)
                if prepared.dataset == self._scope.dataset:
                    yield from self._of_prepared(event, prepared)
            case EventKind.REPLAYED if event.detail["as_sent"] and event.files[0].key in self._memory.lines:
                file, line = self._memory.lines[event.files[0].key]
                yield from self._sent(event, file, line)

    def _of_prepared(self, event: EventRow, prepared: PreparedManifest) -> Iterator[TellStep]:
        """Tell the decision, and the line if the cell was sent; a run that did neither anew is not told."""
        latest = [version for version in self._versions if version.batch.started_at <= event.at][-1:]
        if not latest:
            return
        memory, of_import = self._memory, prepared.import_name
        recipe = read_recipe(self._bench.stage, StagedFile.from_json(event.detail["recipe"]))
        decision = decide(self._bench, recipe, latest[0])
        line = line_of(self._bench, prepared, decision.address) if decision.address else None
        left = self._left(event, prepared, decision.address)
        if line is None and left is None and not self._mine and memory.decisions.get(of_import) == decision.sentence:
            return
        memory.decisions[of_import] = decision.sentence
        facts = {"import": of_import, "cell": dict(decision.address or {}), "against": prepared.against}
        yield self._step(event, "mapped", decision.sentence, facts)
        if left is not None:
            yield left
        yield from self._rejects(event, prepared, decision.address or {})
        if line is not None and decision.address and prepared.file:
            memory.places[of_import] = decision.address
            memory.lines[prepared.file.key] = (prepared.file, line)
            yield from self._sent(event, prepared.file, line)
        elif decision.address:
            yield self._step(event, "unchanged", "Its cell is as Anaplan holds it; it was not sent.", facts)

    def _left(self, event: EventRow, prepared: PreparedManifest, address: Address | None) -> TellStep | None:
        """Tell that the cell that the record was sent with before is sent without it."""
        former = self._memory.places.get(prepared.import_name)
        line = line_of(self._bench, prepared, former) if former and former != address else None
        if former is None or line is None:
            return None
        del self._memory.places[prepared.import_name]
        return self._step(
            event, "left", f"Its former cell {named(former)} is sent without it: {line}.", {"cell": former}
        )

    def _rejects(self, event: EventRow, prepared: PreparedManifest, address: Address) -> Iterator[TellStep]:
        for row in self._bench.trail.rejects(self._run.run_id):
            reject = row.reject
            ours = reject.record_id == self._record or (address and _same_cell(row, address))
            if reject.import_name != prepared.import_name or not ours or row in self._rejected:
                continue
            self._rejected.append(row)
            at = next((other.at for other in self._events if other.seq == row.event), event.at)
            facts = {"line": reject.line, "cell": reject.cell, "amount": reject.amount}
            sentence = f"{reject.kind.capitalize()}: {reject.reason}{_where(row)}"
            yield _step(at, self._run.run_id, reject.kind, sentence, facts)

    def _sent(self, event: EventRow, file: StagedFile, line: Line) -> Iterator[TellStep]:
        """Tell where the cell is written, and what became of the tasks that imported it."""
        facts = {"file": file.key, "line": line.number, "chunk": line.chunk, "values": dict(line.values)}
        yield self._step(event, "written", f"Its cell is {line}.", facts)
        tasks: list[str] = []
        for later in self._events[event.seq :]:
            if str(later.detail.get("fingerprint", "")).startswith(file.sha256):
                tasks.append(later.detail["task"]["task_id"])
                yield self._step(later, "started", f"Import task {tasks[-1]} was started.", later.detail)
            elif _task_of(later) in tasks:
                refused = any(row.reject.kind is RejectKind.REJECTED for row in self._rejected)
                yield self._step(later, later.kind, _outcome(later, refused=refused), later.detail)

    def _replayed(self, event: EventRow) -> TellStep:
        detail = event.detail
        wanted = (
            (f"batch {detail['batch_id']}" if detail["batch_id"] else "")
            or (f"the rejects of {detail['rejects_of']}" if detail["rejects_of"] else "")
            or f"records {', '.join(detail['record_ids'])}"
        )
        how = "byte for byte as it was sent" if detail["as_sent"] else "as book and flow give it today"
        sentence = f"{self._run.requested_by} asked to send {wanted} again, {how}."
        return _step(self._run.opened_at, self._run.run_id, "replayed", sentence, detail)

    def _step(self, event: EventRow, step: str, sentence: str, facts: Mapping[str, Any]) -> TellStep:
        return _step(event.at, self._run.run_id, step, sentence, facts)


def _task_of(event: EventRow) -> str:
    task = event.detail.get("task")
    return str(task["task_id"] if isinstance(task, dict) else event.detail.get("task_id", ""))


def _outcome(event: EventRow, *, refused: bool) -> str:
    if event.kind == EventKind.ACCEPTED:
        but = ", this one is not among them" if refused else ""
        return f"The cells that Anaplan took are accepted{but}: version {event.detail['version']}."
    return f"Task {_task_of(event)}: {event.detail.get('sentence', event.kind)}"


def _same_cell(row: RejectRow, address: Address) -> bool:
    return all(row.reject.cell.get(name, text) == text for name, text in address.items()) and bool(row.reject.cell)


def _where(row: RejectRow) -> str:
    """Return which line and amount a reject is about, in brackets."""
    reject = row.reject
    said = [f"line {reject.line}" if reject.line else "", f"amount {reject.amount}" if reject.amount else ""]
    told = ", ".join(text for text in said if text)
    return f" ({told})" if told else ""
