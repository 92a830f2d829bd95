# SPDX-License-Identifier: Apache-2.0
"""Recomputes every hash and says, by name, what is not what the chain says.

Caught are: a changed, missing or invented run, event, batch, reject, book or accepted state; a missing link, at the end
of a chain too; a staged file that is gone or changed. A read that never ended is covered by its id alone (which book,
which number). Somebody who may write to the database and recomputes every hash up to the end of the flow's chain is
caught only by a hash of the chain that was kept elsewhere: ``expect`` takes it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from airflow_provider_mlconnector.errors import TamperedError, TrailError
from airflow_provider_mlconnector.trail import files, schema
from airflow_provider_mlconnector.trail.chain import link_hash
from airflow_provider_mlconnector.trail.findings import FileCheck, Findings
from airflow_provider_mlconnector.trail.records import Problem, ProblemKind
from airflow_provider_mlconnector.trail.runs import LinkKind
from airflow_provider_mlconnector.trail.verify_run import check_run
from airflow_provider_mlconnector.trail.verify_states import check_states


def verify(connection: Connection, *, run_id: str | None, flow: str | None, expect: Collection[str] = ()) -> Findings:
    """Check one run, or the runs and the chain of one flow, or of all.

    :param expect: hashes of links that were kept elsewhere; one that no proven link has is a problem.
    """
    found = Findings()
    if run_id is not None:
        verify_run(connection, run_id, found)
    else:
        for name in [flow] if flow is not None else _flows(connection):
            _check_flow(connection, name, found)
    for mark in sorted(set(expect) - found.hashes):
        found.add(ProblemKind.CHAIN_BROKEN, mark, "No flow's chain holds this hash: what it stood for was rewritten.")
    return found


def verify_run(connection: Connection, run_id: str, found: Findings) -> None:
    """Check one run.

    :raises TrailError: when there is no such run.
    """
    found.guard(ProblemKind.RUN_CHANGED, run_id, partial(check_run, connection, run_id, found))


def deleted_files(connection: Connection) -> set[str]:
    """Return the keys of the files that were deleted on purpose; not of those that something stands on again."""
    removed, kept = sa.select(schema.chain).where(schema.chain.c.kind == LinkKind.REMOVED), set[str]()
    with suppress(TrailError):  # a state that cannot be read is a problem by itself
        kept = files.in_use(connection)
    return _named(connection.execute(removed), "files") - kept


def broken_chain(connection: Connection, flow: str) -> list[Problem]:
    """Return why a flow's chain proves nothing; no problem when it does."""
    found = Findings()
    of_flow = connection.scalars(sa.select(schema.runs.c.run_id).where(schema.runs.c.flow == flow)).all()
    found.guard(ProblemKind.CHAIN_BROKEN, flow, lambda: check_chain(connection, flow, of_flow, found))
    return [problem for problem in found.problems if problem.kind is ProblemKind.CHAIN_BROKEN]


def check_files(found: Findings, deleted: Collection[str], check: FileCheck) -> None:
    """Look at each staged file that was found and not deleted on purpose."""
    for key, file in sorted(found.files.items()):
        if key in deleted:
            continue
        try:
            check(file)
        except TamperedError as error:
            found.add(ProblemKind.FILE_BAD, key, error.message)
        except OSError as error:
            found.add(ProblemKind.FILE_BAD, key, f"Staged file {key} cannot be read: {error}.")


def _flows(connection: Connection) -> Sequence[str]:
    known = sa.union(sa.select(schema.runs.c.flow), sa.select(schema.chain.c.flow), sa.select(schema.flows.c.flow))
    return sorted(connection.scalars(known))


def _check_flow(connection: Connection, flow: str, found: Findings) -> None:
    found.states.clear()
    of_flow = sa.select(schema.runs.c.run_id).where(schema.runs.c.flow == flow)
    ids = connection.scalars(of_flow.order_by(schema.runs.c.opened_at, schema.runs.c.run_id)).all()
    found.guard(ProblemKind.CHAIN_BROKEN, flow, lambda: check_chain(connection, flow, set(ids), found))
    for run_id in ids:
        verify_run(connection, run_id, found)
    found.guard(ProblemKind.ROWS_CHANGED, f"books of {flow}", lambda: check_states(connection, flow, found))


def check_chain(connection: Connection, flow: str, present: Collection[str], found: Findings) -> None:
    """Follow a flow's chain to its end; the runs that it opened and retention did not take are the ``present`` ones."""
    query = sa.select(schema.chain).where(schema.chain.c.flow == flow).order_by(schema.chain.c.seq)
    links = connection.execute(query).all()
    head = ""
    for place, link in enumerate(links, 1):
        expected = link_hash(head, flow, place, link.kind, link.run_id, link.at, link.detail)
        if link.seq != place or link.previous != head or link.hash != expected:
            subject = f"{flow} link {place}"
            found.add(ProblemKind.CHAIN_BROKEN, subject, "This link of the flow's chain is changed or missing.")
            return
        head = link.hash
        found.hashes.add(head)
    _check_end(connection, flow, len(links), head, found)
    pruned = _named((link for link in links if link.kind == LinkKind.PRUNED), "runs")
    opened = {link.run_id for link in links if link.kind == LinkKind.OPENED}
    for run_id in sorted(opened - set(present) - pruned):
        found.add(ProblemKind.RUN_MISSING, run_id, "The run was opened and is gone, and retention did not take it.")
    for run_id in sorted(set(present) - opened):
        found.add(ProblemKind.RUN_CHANGED, run_id, f"The chain of {flow} knows no such run: it was put there.")


def _named(links: Iterable[Row[Any]], what: str) -> set[str]:
    """Return what links are about; one that was changed into something unreadable is a broken chain anyway."""
    names: set[str] = set()
    for link in links:
        with suppress(ValueError, KeyError, TypeError):
            names.update(json.loads(link.detail)[what])
    return names


def _check_end(connection: Connection, flow: str, links: int, head: str, found: Findings) -> None:
    end = connection.execute(sa.select(schema.flows).where(schema.flows.c.flow == flow)).one_or_none()
    told = (0, "") if end is None else (end.links, end.head)
    if told != (links, head):
        found.add(
            ProblemKind.CHAIN_BROKEN, f"{flow} end", "The flow's chain does not end where it ended when last written."
        )
