# SPDX-License-Identifier: Apache-2.0
"""A change behind the trail's back shows, and the check names what was changed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from airflow_provider_mlconnector.errors import TamperedError, TrailError
from airflow_provider_mlconnector.trail.database import write
from airflow_provider_mlconnector.trail.records import EventKind, ProblemKind, RunOutcome, StagedFile
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import StandingClock
from tests.unit.trail.story import close_period
from tests.unit.trail.support import BOOK, CELLS, DAY, FLOW, book_file, run_ref, staged


@pytest.fixture
def story(trail: Trail) -> Trail:
    """Two closed runs that read, booked, loaded and had rejects."""
    for version, run_id in enumerate(("r1", "r2")):
        close_period(trail, run_id, version)
    return trail


def tamper(trail: Trail, *statements: str) -> None:
    def work(db: sa.Connection) -> None:
        for statement in statements:
            assert db.execute(sa.text(statement)).rowcount > 0

    write(trail.engine, work)


def test_an_untouched_trail_has_no_problem(story: Trail) -> None:
    assert story.verify() == story.verify(flow=FLOW) == story.verify(run_id="r1") == []


@pytest.mark.parametrize(
    ("statement", "kind", "subject"),
    [
        ("UPDATE events SET detail = '{}' WHERE run_id = 'r1' AND seq = 5", ProblemKind.EVENT_CHANGED, "r1 event 5"),
        ("UPDATE events SET at = '2026-01-01T00:00:00.000000Z' WHERE seq = 2", "event_changed", "r1 event 2"),
        ("UPDATE events SET files = '[]' WHERE run_id = 'r1' AND seq = 1", "event_changed", "r1 event 1"),
        ("UPDATE events SET kind = 'note' WHERE run_id = 'r2' AND seq = 4", "event_changed", "r2 event 4"),
        ("DELETE FROM events WHERE run_id = 'r1' AND seq = 5", ProblemKind.EVENT_MISSING, "r1 event 5"),
        ("DELETE FROM events WHERE run_id = 'r1' AND seq = 2", "event_missing", "r1 event 2"),
        ("UPDATE rejects SET amount = '0' WHERE run_id = 'r1'", ProblemKind.ROWS_CHANGED, "r1 event 3"),
        ("DELETE FROM rejects WHERE run_id = 'r2'", "rows_changed", "r2 event 3"),
        ("UPDATE batches SET rows = 4 WHERE run_id = 'r1'", "rows_changed", "batch b"),
        ("DELETE FROM batches WHERE run_id = 'r1'", "rows_changed", "batch b"),
        ("UPDATE runs SET requested_by = 'eve' WHERE run_id = 'r2'", ProblemKind.RUN_CHANGED, "r2"),
        ("UPDATE runs SET outcome = 'failed' WHERE run_id = 'r2'", "run_changed", "r2"),
        ("UPDATE books SET state = replace(state, 'r2.parquet', 'eve.parquet')", "rows_changed", "book journal_lines"),
        ("UPDATE cells SET version = 9", "rows_changed", "cells Load GL Actuals"),
        ("DELETE FROM cells", "rows_changed", "{"),
        ("UPDATE chain SET detail = '{}' WHERE seq = 1", ProblemKind.CHAIN_BROKEN, "larkfield_close link 1"),
        ("DELETE FROM chain WHERE seq = 1", "chain_broken", "larkfield_close link 1"),
        ("DELETE FROM chain WHERE seq = 4", "chain_broken", "larkfield_close end"),
        ("UPDATE runs SET detail = '{' WHERE run_id = 'r1'", "run_changed", "r1"),
        ("UPDATE batches SET sums = 'x' WHERE run_id = 'r1'", "rows_changed", "batch b"),
        ("UPDATE events SET at = 'x' WHERE run_id = 'r1' AND seq = 1", "run_changed", "r1"),
        ("UPDATE books SET state = 'x'", "rows_changed", "book journal_lines"),
        ("UPDATE chain SET at = 'x' WHERE seq = 1", "chain_broken", "larkfield_close"),
        ("UPDATE flows SET links = 3", "chain_broken", "larkfield_close end"),
    ],
)  # fmt: skip
def test_a_change_behind_the_trails_back_is_named(story: Trail, statement: str, kind: str, subject: str) -> None:
    tamper(story, statement)
    first = story.verify(flow=FLOW)[0]
    assert first.kind == kind
    assert first.subject.startswith(subject)
    assert first.sentence


def test_a_tail_cut_off_with_the_runs_own_count_still_shows(story: Trail) -> None:
    tamper(
        story,
        "UPDATE runs SET events = 4, head = (SELECT previous FROM events WHERE seq = 5 AND run_id = 'r1') "
        "WHERE run_id = 'r1'",
        "DELETE FROM events WHERE run_id = 'r1' AND seq = 5",
    )
    assert [(problem.kind, problem.subject) for problem in story.verify(run_id="r1")] == [
        (ProblemKind.EVENT_MISSING, "r1 event 5")
    ]


def test_a_run_deleted_whole_still_shows(story: Trail) -> None:
    tables = ("rejects", "events", "batches", "runs")
    tamper(story, *(f"DELETE FROM {table} WHERE run_id = 'r1'" for table in tables))
    assert [(problem.kind, problem.subject) for problem in story.verify()] == [(ProblemKind.RUN_MISSING, "r1")]


def test_a_run_that_was_never_closed_cannot_be_deleted_whole_either(story: Trail) -> None:
    story.open_run(run_ref("r3"), requested_by="ada")
    story.record("r3", EventKind.NOTE, {})
    tamper(story, "DELETE FROM events WHERE run_id = 'r3'", "DELETE FROM runs WHERE run_id = 'r3'")
    assert [(problem.kind, problem.subject) for problem in story.verify()] == [(ProblemKind.RUN_MISSING, "r3")]


def test_a_closed_run_cannot_be_made_an_open_one(story: Trail) -> None:
    tamper(story, "UPDATE runs SET outcome = NULL, closed_at = NULL, closing = '' WHERE run_id = 'r2'")
    assert [(problem.kind, problem.subject) for problem in story.verify()] == [(ProblemKind.RUN_CHANGED, "r2")]
    assert [problem.subject for problem in story.verify(run_id="r2")] == ["r2"]


def test_a_file_cannot_be_said_to_be_deleted_on_purpose(story: Trail) -> None:
    hidden = "UPDATE retired SET file_key = 'r2.parquet', removed_at = retired_at WHERE file_key = 'r1.cells'"
    tamper(story, hidden)
    asked: list[str] = []
    story.verify(check_file=lambda file: asked.append(file.key))
    assert "r2.parquet" in asked


def test_a_file_that_a_book_needs_is_looked_for_whatever_was_said_of_it(story: Trail, clock: StandingClock) -> None:
    story.open_run(run_ref("r3"), requested_by="ada")
    story.put_book(BOOK, expected=2, base=book_file("r3"), changes=(), columns_digest="c", run_id="r3")
    story.close_run("r3", RunOutcome.SUCCEEDED)
    story.files_removed([staged("r1.cells")])
    story.accept(
        CELLS, expected=2, file=staged("r1.cells"), watermark=None, run_id="r3", detail={"back": "in use again"}
    )
    asked: list[str] = []
    story.verify(check_file=lambda file: asked.append(file.key))
    assert "r1.cells" in asked


def test_a_hash_that_was_kept_proves_what_came_before_it(story: Trail) -> None:
    (head,) = story.heads(FLOW)
    assert story.heads() == [head]
    assert (head.links, head.head) == (4, story.run("r2").closing)
    story.open_run(run_ref("r3"), requested_by="ada")
    kept = [head.head, story.run("r1").closing]
    assert story.verify(expect=kept) == []
    tamper(story, "UPDATE chain SET detail = replace(detail, 'nightly', 'n') || ' ' WHERE run_id = 'r2'")
    assert {problem.subject for problem in story.verify(expect=kept)} >= {head.head, f"{FLOW} link 3"}
    assert story.run("r1").closing not in {problem.subject for problem in story.verify(expect=kept)}


def test_every_problem_says_what_to_do(story: Trail) -> None:
    tamper(story, "UPDATE events SET detail = '{}' WHERE seq = 4", "UPDATE cells SET version = 9")
    problems = story.verify()
    assert len(problems) >= 3
    assert all(problem.advice.endswith(".") for problem in problems)


def test_a_book_put_back_to_what_it_once_was_still_shows(story: Trail) -> None:
    once = write(story.engine, lambda db: db.scalar(sa.text("SELECT state FROM books")))
    story.open_run(run_ref("r3"), requested_by="ada")
    story.put_book(BOOK, expected=2, base=book_file("r3"), changes=(), columns_digest="c", run_id="r3")
    put_back = sa.text("UPDATE books SET version = 2, state = :state")
    write(story.engine, lambda db: db.execute(put_back, {"state": once}))
    assert [problem.kind for problem in story.verify()] == [ProblemKind.ROWS_CHANGED]


def test_a_missing_and_a_changed_file_are_named_once_each(story: Trail) -> None:
    asked: list[str] = []

    def check(file: StagedFile) -> None:
        asked.append(file.key)
        if file.key == "r1.parquet":
            raise TamperedError("Staged file r1.parquet is gone.")
        if file.key == "r2.cells":
            raise PermissionError("r2.cells")

    problems = story.verify(check_file=check)
    assert [(problem.kind, problem.subject) for problem in problems] == [
        (ProblemKind.FILE_BAD, "r1.parquet"),
        (ProblemKind.FILE_BAD, "r2.cells"),
    ]
    assert sorted(asked) == ["r1.cells", "r1.parquet", "r2.cells", "r2.parquet"]


def test_a_file_deleted_on_purpose_is_not_missed(story: Trail, clock: StandingClock) -> None:
    clock.advance(DAY)
    unused = story.unused_files()
    assert unused == [staged("r1.cells")]
    story.files_removed(unused)
    asked: list[str] = []
    assert story.verify(check_file=lambda file: asked.append(file.key)) == []
    assert "r1.cells" not in asked


def test_a_run_made_unreadable_is_a_finding_when_asked_for_by_name_too(story: Trail) -> None:
    tamper(story, "UPDATE runs SET detail = '{' WHERE run_id = 'r1'")
    assert [(problem.kind, problem.subject) for problem in story.verify(run_id="r1")] == [
        (ProblemKind.RUN_CHANGED, "r1")
    ]


def test_checking_a_run_that_is_not_there_says_so(story: Trail) -> None:
    with pytest.raises(TrailError, match="no run nope"):
        story.verify(run_id="nope")
