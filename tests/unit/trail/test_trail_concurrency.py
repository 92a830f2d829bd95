# SPDX-License-Identifier: Apache-2.0
"""Many processes write at once: nothing is lost, no chain forks, no version is given out twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from airflow_provider_mlconnector.errors import StaleVersionError
from airflow_provider_mlconnector.trail.records import CellScope, EventKind, RunOutcome
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import START, StandingClock
from tests.unit.trail.support import BOOK, CELLS, FLOW, book_file, in_processes, reject, run_ref, staged


class LaterClock(StandingClock):
    """A clock that stands a year after the trail's."""

    def __init__(self) -> None:
        self.moment = START + timedelta(days=400)


@pytest.fixture
def processes(trail: Trail) -> int:
    return 16 if trail.engine.dialect.name == "postgresql" else 8


def test_events_of_one_run_are_all_there_and_in_one_chain(trail: Trail, processes: int) -> None:
    def records(number: int) -> None:
        for place in range(10):
            trail.record("r1", EventKind.NOTE, {"by": number, "place": place})

    in_processes(processes, records)
    events = trail.events("r1")
    assert [event.seq for event in events] == list(range(1, processes * 10 + 1))
    assert Counter((event.detail["by"], event.detail["place"]) for event in events).most_common(1)[0][1] == 1
    assert trail.verify() == []


def test_runs_that_close_together_enter_one_chain(trail: Trail, processes: int) -> None:
    def tells(number: int) -> str:
        run_id = f"run-{number}"
        trail.open_run(run_ref(run_id), requested_by="ada")
        trail.record(run_id, EventKind.NOTE, {"by": number})
        return trail.close_run(run_id, RunOutcome.SUCCEEDED)

    assert len(set(in_processes(processes, tells))) == processes
    assert len(trail.runs(FLOW)) == processes + 1
    assert trail.verify() == []


def test_the_same_run_opened_by_all_is_one_run(trail: Trail, processes: int) -> None:
    opened = in_processes(processes, lambda number: trail.open_run(run_ref("shared"), requested_by=f"task {number}"))
    assert len({run.requested_by for run in opened}) == 1


def test_every_version_of_accepted_cells_is_given_out_once(trail: Trail, processes: int) -> None:
    def accepts(number: int) -> list[int]:
        versions: list[int] = []
        while len(versions) < 3:
            expected = trail.accepted(CELLS).version
            try:
                versions.append(
                    trail.accept(
                        CELLS,
                        expected=expected,
                        file=staged(f"cells-{number}-{expected}"),
                        watermark=START,
                        run_id="r1",
                        detail={"by": number},
                        rejects=[reject(f"{number}-{expected}")],
                    )
                )
            except StaleVersionError:
                continue
        return versions

    given = sorted(version for versions in in_processes(processes, accepts) for version in versions)
    assert given == list(range(1, processes * 3 + 1))
    assert trail.accepted(CELLS).version == processes * 3
    assert len(trail.rejects("r1")) == processes * 3
    assert trail.verify() == []


def test_loads_of_different_imports_do_not_disturb_each_other(trail: Trail, processes: int) -> None:
    def loads(number: int) -> int:
        scope = CellScope(flow=FLOW, import_name=f"import {number}", period="FY2026-P05")
        flown = trail.mark_in_flight(scope, expected=0, touched=staged(f"t{number}"), run_id="r1")
        return trail.accept(scope, expected=flown, file=staged(f"c{number}"), watermark=None, run_id="r1", detail={})

    assert in_processes(processes, loads) == [2] * processes
    assert trail.verify() == []


def test_batches_that_begin_together_have_different_seqs_and_join_one_book(trail: Trail, processes: int) -> None:
    def reads(number: int) -> int:
        ticket = trail.begin_batch("r1", BOOK, "changes")
        trail.add_batch(
            ticket, rows=1, sums={}, file=staged(ticket.batch_id), cursor=None, resource="entries", requests=1
        )
        while True:
            state = trail.book(BOOK)
            changes = (*state.changes, book_file(ticket.batch_id, ticket.batch_id, ticket.seq))
            try:
                trail.put_book(
                    BOOK, expected=state.version, base=None, changes=changes, columns_digest="c", run_id="r1"
                )
            except StaleVersionError:
                continue
            return ticket.seq

    assert sorted(in_processes(processes, reads)) == list(range(1, processes + 1))
    assert len(trail.book(BOOK).changes) == processes
    assert trail.verify() == []


def test_a_check_during_heavy_writing_finds_no_problem(trail: Trail, processes: int) -> None:
    def works(number: int) -> list[str]:
        if number % 4 == 0:
            return [problem.sentence for _ in range(5) for problem in trail.verify()]
        for place in range(5):
            trail.record("r1", EventKind.NOTE, {"place": place})
            trail.add_rejects("r1", [reject()])
        return []

    assert [sentence for found in in_processes(processes, works) for sentence in found] == []


def test_retention_among_writers_takes_every_old_run_once(trail: Trail, processes: int) -> None:
    for number in range(20):
        trail.open_run(run_ref(f"old-{number}"), requested_by="ada")
        trail.close_run(f"old-{number}", RunOutcome.SUCCEEDED)
    later = Trail(str(trail.engine.url.render_as_string(hide_password=False)), clock=LaterClock())

    def works(number: int) -> list[str]:
        if number % 4 == 0:
            return [run.run_id for run in later.prune(START + timedelta(days=1), flow=FLOW).runs]
        run_id = f"new-{number}"
        later.open_run(run_ref(run_id), requested_by="ada")
        later.record(run_id, EventKind.NOTE, {"by": number})
        later.close_run(run_id, RunOutcome.SUCCEEDED)
        return []

    gone = [run_id for part in in_processes(processes, works) for run_id in part]
    assert sorted(gone) == sorted(f"old-{number}" for number in range(20))
    assert later.run("r1").outcome is RunOutcome.ABANDONED
    assert len(later.runs(FLOW)) == 1 + processes - processes // 4
    assert later.verify() == []
    later.close()
