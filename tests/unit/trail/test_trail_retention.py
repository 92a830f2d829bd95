# SPDX-License-Identifier: Apache-2.0
"""Old runs are replaced by their closing hash, and the chain goes on to prove what they were."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from airflow_provider_mlconnector.errors import TrailError
from airflow_provider_mlconnector.trail import store
from airflow_provider_mlconnector.trail.database import write
from airflow_provider_mlconnector.trail.records import EventKind, ProblemKind, RunOutcome
from airflow_provider_mlconnector.trail.store import Trail
from tests.unit.trail.support import BOOK, CELLS, FLOW, START, StandingClock, book_file, reject, run_ref, staged

LATER = START + timedelta(days=400)


def told(trail: Trail, run_id: str, flow: str = FLOW) -> None:
    trail.open_run(run_ref(run_id, flow), requested_by="ada")
    trail.record(run_id, EventKind.PREPARED, {}, files=[staged(f"{run_id}.csv")])
    trail.add_rejects(run_id, [reject()])
    trail.close_run(run_id, RunOutcome.SUCCEEDED)


def test_old_closed_runs_go_and_the_chain_still_holds(trail: Trail, clock: StandingClock) -> None:
    told(trail, "r1")
    told(trail, "r2")
    closing = trail.run("r1").closing
    clock.moment = LATER
    told(trail, "new")
    assert trail.prune(LATER - timedelta(days=30)) == ["r1", "r2"]
    assert [run.run_id for run in trail.runs()] == ["new"]
    assert trail.rejects("r1") == []
    with pytest.raises(TrailError):
        trail.run("r1")
    assert trail.verify() == []
    query = sa.text("SELECT run_id FROM chain WHERE hash = :hash")
    assert write(trail.engine, lambda db: db.scalar(query, {"hash": closing})) == "r1"


def test_a_run_that_retention_did_not_take_is_missed_all_the_same(trail: Trail, clock: StandingClock) -> None:
    told(trail, "r1")
    clock.moment = LATER
    told(trail, "r2")
    trail.prune(LATER)
    for table in ("rejects", "events", "runs"):
        write(trail.engine, lambda db, table=table: db.execute(sa.text(f"DELETE FROM {table} WHERE run_id = 'r2'")))
    assert [(problem.kind, problem.subject) for problem in trail.verify()] == [(ProblemKind.RUN_MISSING, "r2")]


def test_what_a_book_or_accepted_cells_stand_on_stays(trail: Trail, clock: StandingClock) -> None:
    for run_id in ("reader", "loader"):
        trail.open_run(run_ref(run_id), requested_by="ada")
    ticket = trail.begin_batch("reader", BOOK, "whole")
    trail.add_batch(ticket, rows=1, sums={}, file=staged("base"), cursor=None, resource="", requests=1)
    base = book_file("base", ticket.batch_id)
    trail.put_book(BOOK, expected=0, base=base, changes=(), columns_digest="", run_id="loader")
    trail.accept(CELLS, expected=0, file=staged("cells"), watermark=None, run_id="loader", detail={})
    for run_id in ("r1", "reader", "loader"):
        trail.close_run(run_id, RunOutcome.SUCCEEDED)
    clock.moment = LATER
    assert trail.prune(LATER) == ["r1"]
    assert trail.unused_files() == []
    assert trail.verify() == []


def test_the_files_of_a_run_that_went_may_be_deleted(trail: Trail, clock: StandingClock) -> None:
    trail.record("r1", EventKind.PREPARED, {}, files=[staged("r1.csv"), staged("cells")])
    trail.accept(CELLS, expected=0, file=staged("cells"), watermark=None, run_id="r1", detail={})
    trail.close_run("r1", RunOutcome.SUCCEEDED)
    clock.moment = LATER
    trail.open_run(run_ref("r2"), requested_by="ada")
    trail.mark_in_flight(CELLS, expected=1, touched=staged("touched"), run_id="r2")
    assert trail.prune(LATER) == ["r1"]
    trail.close_run("r2", RunOutcome.FAILED)
    assert trail.unused_files() == [staged("r1.csv")]


def test_a_run_left_open_is_closed_as_abandoned_before_it_goes(trail: Trail, clock: StandingClock) -> None:
    clock.moment = LATER
    trail.open_run(run_ref("new"), requested_by="ada")
    assert trail.prune(LATER - timedelta(days=30)) == []
    assert trail.run("r1").outcome is RunOutcome.ABANDONED
    assert trail.run("new").outcome is None
    clock.advance(1)
    assert trail.prune(LATER + timedelta(seconds=1)) == ["r1"]


def test_a_run_still_heard_of_is_not_abandoned(trail: Trail, clock: StandingClock) -> None:
    clock.moment = LATER
    trail.record("r1", EventKind.WAITED, {})
    trail.prune(LATER - timedelta(days=30))
    assert trail.run("r1").outcome is None


def test_flows_are_pruned_in_parts_each_into_its_own_chain(
    trail: Trail, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "RUNS_AT_ONCE", 2)
    for number in range(3):
        told(trail, f"a{number}", "alpha")
        told(trail, f"b{number}", "beta")
    clock.moment = LATER
    assert sorted(trail.prune(LATER, flow="alpha")) == ["a0", "a1", "a2"]
    assert sorted(trail.prune(LATER)) == ["b0", "b1", "b2"]
    assert trail.verify() == []
