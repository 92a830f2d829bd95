# SPDX-License-Identifier: Apache-2.0
"""Recomputes every hash and says, by name, what is not what the chain says.

Caught are: a changed run, event, batch, reject, book or accepted state; a missing event, link or closed run, at the
end of a chain too; a staged file that is gone or changed. Somebody who may write to the database and recomputes every
hash up to the end of the flow's chain is caught only by a closing hash kept elsewhere.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from msgspec import MsgspecError
from sqlalchemy.engine import Connection, Row

from airflow_provider_mlconnector.errors import TamperedError
from airflow_provider_mlconnector.trail import books, files, rejects, runs, schema
from airflow_provider_mlconnector.trail.chain import (
    canonical,
    event_hash,
    header_hash,
    link_hash,
    read_files,
    rows_digest,
    text_digest,
)
from airflow_provider_mlconnector.trail.records import (
    BookScope,
    CellScope,
    EventKind,
    Problem,
    ProblemKind,
    RunRow,
    StagedFile,
)


@dataclass(slots=True)
class Findings:
    """What a check found, and the files that are still to be looked at."""

    problems: list[Problem] = field(default_factory=list)
    files: dict[str, StagedFile] = field(default_factory=dict)
    announced: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Per book and cell scope, the highest version that an event announced and the digest of its state."""

    def add(self, kind: ProblemKind, subject: str, sentence: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(kind=kind, subject=subject, sentence=sentence))


def verify(connection: Connection, *, run_id: str | None, flow: str | None) -> Findings:
    """Check one run, or the runs and the chain of one flow, or of all."""
    found = Findings()
    if run_id is not None:
        _guard(found, ProblemKind.RUN_CHANGED, run_id, lambda: _check_run(connection, run_id, found))
    else:
        known = sa.union(sa.select(schema.runs.c.flow), sa.select(schema.chain.c.flow), sa.select(schema.flows.c.flow))
        for name in [flow] if flow is not None else sorted(connection.scalars(known)):
            _check_flow(connection, name, found)
    for key in files.removed_keys(connection) & found.files.keys():
        del found.files[key]
    return found


def check_files(named: dict[str, StagedFile], check: Callable[[StagedFile], object]) -> Iterable[Problem]:
    """Look at each staged file."""
    for key, file in sorted(named.items()):
        try:
            check(file)
        except (TamperedError, OSError) as error:
            yield Problem(kind=ProblemKind.FILE_BAD, subject=key, sentence=str(error))


def _check_flow(connection: Connection, flow: str, found: Findings) -> None:
    found.announced.clear()
    of_flow = sa.select(schema.runs.c.run_id).where(schema.runs.c.flow == flow)
    ids = connection.scalars(of_flow.order_by(schema.runs.c.opened_at, schema.runs.c.run_id)).all()
    _guard(found, ProblemKind.CHAIN_BROKEN, flow, lambda: _check_chain(connection, flow, set(ids), found))
    for run_id in ids:
        _guard(found, ProblemKind.RUN_CHANGED, run_id, partial(_check_run, connection, run_id, found))
    _check_states(connection, flow, found)


def _guard(found: Findings, kind: ProblemKind, subject: str, check: Callable[[], None]) -> None:
    """Run a check; what was changed into something unreadable is a finding, not a crash."""
    try:
        check()
    except (ValueError, KeyError, TypeError, MsgspecError) as error:
        found.add(kind, subject, f"It can no longer be read: {error}.")


def _check_chain(connection: Connection, flow: str, present: set[str], found: Findings) -> None:
    links = connection.execute(
        sa.select(schema.chain).where(schema.chain.c.flow == flow).order_by(schema.chain.c.seq)
    ).all()
    head, closed, pruned = "", set(), set()
    for place, link in enumerate(links, 1):
        expected = link_hash(head, flow, place, link.kind, link.run_id, link.at, link.detail)
        if link.seq != place or link.previous != head or link.hash != expected:
            found.add(
                ProblemKind.CHAIN_BROKEN, f"{flow} link {place}", "This link of the flow's chain is changed or missing."
            )
            return
        head = link.hash
        if link.kind == runs.LinkKind.PRUNED:
            pruned.update(json.loads(link.detail)["runs"])
        else:
            closed.add(link.run_id)
    end = connection.execute(sa.select(schema.flows).where(schema.flows.c.flow == flow)).one_or_none()
    if (links and (end is None or (end.links, end.head) != (len(links), head))) or (end and not links):
        found.add(
            ProblemKind.CHAIN_BROKEN, f"{flow} end", "The flow's chain does not end where it ended when last written."
        )
    for run_id in sorted(closed - present - pruned):
        found.add(ProblemKind.RUN_MISSING, run_id, "The run was closed and is gone, and retention did not take it.")


def _check_run(connection: Connection, run_id: str, found: Findings) -> None:
    run = runs.get_run(connection, run_id)
    rows = connection.execute(
        sa.select(schema.events).where(schema.events.c.run_id == run.run_id).order_by(schema.events.c.seq)
    ).all()
    heads = [header_hash(run)]
    for place, row in enumerate(rows, 1):
        subject = f"{run.run_id} event {place}"
        if row.seq != place:
            found.add(ProblemKind.EVENT_MISSING, subject, f"The run goes on with event {row.seq}.")
            return
        texts = (row.detail, row.files, row.rows_digest)
        if row.previous != heads[-1] or row.hash != event_hash(heads[-1], run.run_id, place, row.kind, row.at, texts):
            changed = ProblemKind.RUN_CHANGED if place == 1 and row.previous != heads[0] else ProblemKind.EVENT_CHANGED
            found.add(changed, subject, f"What it says is not what was written ({row.kind}).")
            return
        heads.append(row.hash)
        found.files.update({file.key: file for file in read_files(row.files)})
        _check_rows(connection, row, found)
    _check_end(connection, run, heads, found)


def _check_end(connection: Connection, run: RunRow, heads: list[str], found: Findings) -> None:
    count = len(heads) - 1
    closings = connection.execute(
        sa.select(schema.chain)
        .where(schema.chain.c.run_id == run.run_id, schema.chain.c.kind == runs.LinkKind.CLOSED)
        .order_by(schema.chain.c.seq)
    ).all()
    last = max([run.events, *(json.loads(link.detail)["events"] for link in closings)])
    if count < last:
        found.add(
            ProblemKind.EVENT_MISSING,
            f"{run.run_id} event {count + 1}",
            f"The run had {last} events, {count} are left.",
        )
        return
    if (count, heads[-1]) != (run.events, run.head):
        found.add(ProblemKind.RUN_CHANGED, run.run_id, "The run's row does not name its last event.")
    for link in closings:
        closing = json.loads(link.detail)
        if (closing["header"], closing["head"]) != (heads[0], heads[closing["events"]]):
            found.add(ProblemKind.RUN_CHANGED, run.run_id, f"It was closed with another content ({link.hash}).")
    if run.outcome is not None:
        said = (json.loads(closings[-1].detail)["outcome"], closings[-1].hash) if closings else ("", "")
        if said != (run.outcome, run.closing):
            found.add(ProblemKind.RUN_CHANGED, run.run_id, "Its outcome is not the one that its flow's chain holds.")


def _check_rows(connection: Connection, event: Row[Any], found: Findings) -> None:
    subject = f"{event.run_id} event {event.seq}"
    detail = json.loads(event.detail)
    if event.kind == EventKind.EXTRACTED and "batch" in detail:
        subject = f"batch {detail['batch']['batch_id']}"
        query = sa.select(schema.batches).where(schema.batches.c.batch_id == detail["batch"]["batch_id"])
        rows: list[Any] = [books.read_batch(row) for row in connection.execute(query)]
    elif event.kind == EventKind.REJECTS:
        rows = rejects.of_event(connection, event.run_id, event.seq)
    else:
        if "version" in detail and "scope" in detail:
            scope = canonical(detail["scope"])
            found.announced[scope] = max(found.announced.get(scope, (0, "")), (detail["version"], event.rows_digest))
        return
    if rows_digest(rows) != event.rows_digest:
        found.add(ProblemKind.ROWS_CHANGED, subject, "The rows are not those that the event announced.")


def _check_states(connection: Connection, flow: str, found: Findings) -> None:
    """Compare each book and each accepted state with the highest version that an event announced."""
    current: dict[str, tuple[str, int, str]] = {}
    in_flow = sa.select(schema.books).where(schema.books.c.flow == flow, schema.books.c.version > 0)
    for row in connection.execute(in_flow):
        scope = BookScope(flow=flow, company=row.company, dataset=row.dataset, period=row.period)
        current[canonical(scope)] = (f"book {row.dataset} {row.period}", row.version, text_digest(row.state))
    in_flow = sa.select(schema.cells).where(schema.cells.c.flow == flow, schema.cells.c.version > 0)
    for row in connection.execute(in_flow):
        target = CellScope(flow=flow, import_name=row.import_name, period=row.period)
        current[canonical(target)] = (f"cells {row.import_name} {row.period}", row.version, text_digest(row.state))
    missing = defaultdict(lambda: ("", 0, ""), current)
    for scope_text in sorted(current.keys() | found.announced.keys()):
        subject, version, digest = missing[scope_text]
        if found.announced.get(scope_text) != (version, digest):
            found.add(
                ProblemKind.ROWS_CHANGED, subject or scope_text, "It is not the state that the trail last announced."
            )
