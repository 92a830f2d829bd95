# SPDX-License-Identifier: Apache-2.0
"""Old runs are replaced by their closing hash, and the chain goes on to prove what they were."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from airflow_provider_mlconnector.errors import TamperedError, TrailError
from airflow_provider_mlconnector.trail import pruning
from airflow_provider_mlconnector.trail.database import write
from airflow_provider_mlconnector.trail.records import EventKind, ProblemKind, RunOutcome, StagedFile
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import START, StandingClock
from tests.unit.trail.support import BOOK, CELLS, DAY, FLOW, book_file, reject, run_ref, staged

LATER = START + timedelta(days=400)


def pruned(trail: Trail, before: datetime, flow: str | None = None) -> list[str]:
    """Let retention take what closed before a moment, and return which runs went."""
    done = trail.prune(before, flow=flow)
    assert done.problems == ()
    return [run.run_id for run in done.runs]


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
    assert pruned(trail, LATER - timedelta(days=30)) == ["r1", "r2"]
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
    assert pruned(trail, LATER) == ["r1"]
    assert trail.unused_files() == []
    assert trail.verify() == []


def test_the_files_of_a_run_that_went_may_be_deleted(trail: Trail, clock: StandingClock) -> None:
    trail.record("r1", EventKind.PREPARED, {}, files=[staged("r1.csv"), staged("cells")])
    trail.accept(CELLS, expected=0, file=staged("cells"), watermark=None, run_id="r1", detail={})
    trail.close_run("r1", RunOutcome.SUCCEEDED)
    clock.moment = LATER
    trail.open_run(run_ref("r2"), requested_by="ada")
    trail.mark_in_flight(CELLS, expected=1, touched=staged("touched"), run_id="r2")
    assert pruned(trail, LATER) == ["r1"]
    trail.close_run("r2", RunOutcome.FAILED)
    assert trail.unused_files() == [staged("r1.csv")]


def test_a_run_left_open_is_closed_as_abandoned_before_it_goes(trail: Trail, clock: StandingClock) -> None:
    clock.moment = LATER
    trail.open_run(run_ref("new"), requested_by="ada")
    assert pruned(trail, LATER - timedelta(days=30)) == []
    assert trail.run("r1").outcome is RunOutcome.ABANDONED
    assert trail.run("new").outcome is None
    clock.advance(1)
    assert pruned(trail, LATER + timedelta(seconds=1)) == ["r1"]


def test_a_run_still_heard_of_is_not_abandoned(trail: Trail, clock: StandingClock) -> None:
    clock.moment = LATER
    trail.record("r1", EventKind.WAITED, {})
    trail.prune(LATER - timedelta(days=30))
    assert trail.run("r1").outcome is None


def test_flows_are_pruned_in_parts_each_into_its_own_chain(
    trail: Trail, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "RUNS_AT_ONCE", 2)
    for number in range(3):
        told(trail, f"a{number}", "alpha")
        told(trail, f"b{number}", "beta")
    clock.moment = LATER
    assert sorted(pruned(trail, LATER, flow="alpha")) == ["a0", "a1", "a2"]
    assert sorted(pruned(trail, LATER)) == ["b0", "b1", "b2"]
    assert trail.verify() == []


def by_hand(trail: Trail, statement: str) -> None:
    assert write(trail.engine, lambda db: db.execute(sa.text(statement)).rowcount) > 0


def test_a_run_that_is_not_what_the_chain_says_stays_as_evidence(trail: Trail, clock: StandingClock) -> None:
    told(trail, "r1")
    told(trail, "r2")
    by_hand(trail, "UPDATE rejects SET amount = '1' WHERE run_id = 'r1'")
    clock.moment = LATER
    done = trail.prune(LATER)
    assert [run.run_id for run in done.runs] == ["r2"]
    assert [(problem.kind, problem.subject) for problem in done.problems] == [(ProblemKind.ROWS_CHANGED, "r1 event 2")]
    assert list(done.problems) == trail.verify()


def test_a_run_whose_file_was_changed_stays_as_evidence(trail: Trail, clock: StandingClock) -> None:
    def check(file: StagedFile) -> None:
        raise TamperedError(f"Staged file {file.key} is not what was written.")

    told(trail, "r1")
    clock.moment = LATER
    done = trail.prune(LATER, check_file=check)
    assert done.runs == ()
    assert [(problem.kind, problem.subject) for problem in done.problems] == [(ProblemKind.FILE_BAD, "r1.csv")]


def test_a_flow_whose_chain_is_broken_keeps_all_its_runs_and_no_other_flow_does(
    trail: Trail, clock: StandingClock
) -> None:
    told(trail, "a1", "alpha")
    told(trail, "b1", "beta")
    by_hand(trail, "UPDATE chain SET detail = '{}' WHERE flow = 'alpha' AND seq = 2")
    clock.moment = LATER
    done = trail.prune(LATER, flow="alpha")
    assert (done.runs, [problem.subject for problem in done.problems]) == ((), ["alpha link 2"])
    assert "b1" in pruned(trail, LATER, "beta")


def test_what_would_go_is_told_without_taking_it(trail: Trail, clock: StandingClock) -> None:
    told(trail, "r1")
    clock.moment = LATER
    runs, files = trail.prunable(LATER)
    assert [run.run_id for run in runs] == ["r1"]
    assert files == [staged("r1.csv")]
    assert trail.run("r1").events == 2
    done = trail.prune(LATER)
    assert list(done.runs) == runs
    assert trail.unused_files() == files


def test_the_last_read_of_a_book_stays_so_that_its_number_is_not_given_out_again(
    trail: Trail, clock: StandingClock
) -> None:
    for run_id in ("r1", "r2"):
        trail.open_run(run_ref(run_id), requested_by="ada")
        ticket = trail.begin_batch(run_id, BOOK, "changes")
        trail.add_batch(ticket, rows=0, sums={}, file=None, cursor=None, resource="", requests=1)
        trail.close_run(run_id, RunOutcome.SUCCEEDED)
    clock.moment = LATER
    assert pruned(trail, LATER) == ["r1"]
    assert trail.verify() == []
    trail.open_run(run_ref("r3"), requested_by="ada")
    assert trail.begin_batch("r3", BOOK, "changes").seq == 3


def test_a_version_of_a_book_stays_while_a_run_with_an_unfinished_batch_may_read_it(
    trail: Trail, clock: StandingClock
) -> None:
    trail.put_book(BOOK, expected=0, base=book_file("base"), changes=(), columns_digest="", run_id="r1")
    trail.close_run("r1", RunOutcome.SUCCEEDED)
    trail.open_run(run_ref("reader"), requested_by="ada")
    trail.begin_batch("reader", BOOK, "changes")
    trail.open_run(run_ref("writer"), requested_by="ada")
    trail.put_book(BOOK, expected=1, base=book_file("new"), changes=(), columns_digest="", run_id="writer")
    trail.close_run("writer", RunOutcome.SUCCEEDED)
    clock.advance(2 * DAY)
    trail.record("reader", EventKind.WAITED, {})
    assert trail.unused_files() == []
    trail.close_run("reader", RunOutcome.FAILED)
    assert trail.unused_files(FLOW) == [staged("base")]
    assert trail.unused_files("another") == []


def test_a_file_in_use_is_never_offered_for_deletion(trail: Trail, clock: StandingClock) -> None:
    trail.put_book(BOOK, expected=0, base=book_file("base"), changes=(), columns_digest="", run_id="r1")
    trail.put_book(BOOK, expected=1, base=book_file("new"), changes=(), columns_digest="", run_id="r1")
    trail.close_run("r1", RunOutcome.SUCCEEDED)
    by_hand(trail, """UPDATE retired SET file = replace(file, '"base"', '"new"')""")
    clock.advance(2 * DAY)
    assert trail.unused_files() == []


def test_a_state_that_cannot_be_read_stops_retention_with_a_sentence(trail: Trail, clock: StandingClock) -> None:
    trail.put_book(BOOK, expected=0, base=book_file("base"), changes=(), columns_digest="", run_id="r1")
    by_hand(trail, "UPDATE books SET state = '{'")
    clock.moment = LATER
    with pytest.raises(TrailError, match=r"books can no longer be read.*trail verify"):
        trail.prune(LATER)


@pytest.mark.parametrize("table", ["chain", "flows"])
def test_what_is_left_of_a_run_cannot_be_deleted_unseen(trail: Trail, clock: StandingClock, table: str) -> None:
    told(trail, "r1")
    clock.moment = LATER
    assert pruned(trail, LATER) == ["r1"]
    by_hand(trail, f"DELETE FROM {table}")
    assert {problem.kind for problem in trail.verify()} == {ProblemKind.CHAIN_BROKEN}
