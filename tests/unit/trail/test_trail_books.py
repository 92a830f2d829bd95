# SPDX-License-Identifier: Apache-2.0
"""Batches and the books that they join."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import StaleVersionError, TrailError
from airflow_provider_mlconnector.trail.chain import rows_digest
from airflow_provider_mlconnector.trail.records import (
    BatchRow,
    BatchTicket,
    BookScope,
    BookState,
    EventKind,
    RunOutcome,
)
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import START, StandingClock
from tests.unit.trail.support import BOOK, DAY, book_file, run_ref, staged


def add(trail: Trail, ticket: BatchTicket, key: str | None = "batch.parquet") -> BatchRow:
    file = staged(key) if key else None
    return trail.add_batch(
        ticket, rows=3, sums={"amount": "0.10"}, file=file, cursor=START, resource="generalLedgerEntries", requests=2
    )


def test_the_read_that_began_later_has_the_higher_seq_whatever_ends_first(trail: Trail) -> None:
    first, second = (trail.begin_batch("r1", BOOK, "changes") for _ in range(2))
    add(trail, second, "second.parquet")
    add(trail, first, "first.parquet")
    assert (first.seq, second.seq) == (1, 2)
    assert [(batch.seq, batch.file) for batch in trail.batches(run_id="r1")] == [
        (2, staged("second.parquet")),
        (1, staged("first.parquet")),
    ]


def test_each_book_counts_its_own_batches(trail: Trail) -> None:
    other = BookScope(flow=BOOK.flow, company=BOOK.company, dataset=BOOK.dataset, period="FY2026-P06")
    one, two = trail.begin_batch("r1", BOOK, "whole"), trail.begin_batch("r1", other, "whole")
    assert (one.seq, two.seq) == (1, 1)
    assert one.batch_id != two.batch_id


def test_a_batch_is_unfinished_until_it_is_added_and_then_covered_by_an_event(trail: Trail) -> None:
    ticket = trail.begin_batch("r1", BOOK, "whole")
    assert trail.batch(ticket.batch_id).finished_at is None
    assert trail.events("r1") == []
    batch = add(trail, ticket)
    assert trail.batch(ticket.batch_id) == batch
    (event,) = trail.events("r1")
    assert (event.kind, event.files, event.rows_digest) == (EventKind.EXTRACTED, (batch.file,), rows_digest([batch]))
    assert (batch.sums, batch.cursor, batch.finished_at) == ({"amount": "0.10"}, START, START)


def test_a_batch_is_added_once(trail: Trail) -> None:
    ticket = trail.begin_batch("r1", BOOK, "whole")
    add(trail, ticket)
    with pytest.raises(TrailError, match="finished already"):
        add(trail, ticket)
    assert len(trail.events("r1")) == 1


def test_batches_are_found_by_flow_company_dataset_and_period(trail: Trail) -> None:
    batch = add(trail, trail.begin_batch("r1", BOOK, "whole"), key=None)
    found = trail.batches(flow=BOOK.flow, company="LARKFIELD", dataset="journal_lines", period="FY2026-P05")
    assert found == [batch]
    assert trail.batches(dataset="accounts") == []
    with pytest.raises(TrailError, match="no batch b0"):
        trail.batch("b0")


def test_a_book_never_written_is_at_version_0_also_while_its_first_batch_is_read(trail: Trail) -> None:
    assert trail.book(BOOK) == BookState()
    trail.begin_batch("r1", BOOK, "whole")
    assert trail.book(BOOK) == BookState()


def put(trail: Trail, expected: int, *keys: str) -> int:
    base, *changes = (book_file(key) for key in keys)
    return trail.put_book(BOOK, expected=expected, base=base, changes=changes, columns_digest="c0", run_id="r1")


def test_a_book_moves_from_version_to_version_and_announces_it(trail: Trail) -> None:
    assert put(trail, 0, "base") == 1
    assert put(trail, 1, "base", "change") == 2
    assert trail.book(BOOK) == BookState(
        version=2, base=book_file("base"), changes=(book_file("change"),), columns_digest="c0"
    )
    assert [event.kind for event in trail.events("r1")] == [EventKind.BOOKED] * 2


def test_a_book_that_moved_on_is_not_overwritten(trail: Trail) -> None:
    put(trail, 0, "base")
    with pytest.raises(StaleVersionError, match="version 1, not 0"):
        put(trail, 0, "other")
    assert trail.book(BOOK).base == book_file("base")
    assert len(trail.events("r1")) == 1


def test_a_file_that_falls_out_of_a_book_goes_when_no_run_reads_it_any_more(trail: Trail, clock: StandingClock) -> None:
    put(trail, 0, "base", "change")
    put(trail, 1, "compacted")
    assert trail.unused_files() == []
    clock.advance(1)
    trail.open_run(run_ref("later"), requested_by="ada")
    trail.close_run("r1", RunOutcome.SUCCEEDED)
    clock.advance(DAY - 2)
    assert trail.unused_files() == []
    clock.advance(1)
    unused = trail.unused_files()
    assert unused == [staged("base"), staged("change")]
    trail.files_removed(unused)
    assert trail.unused_files() == []


def test_the_file_of_a_batch_stays_when_it_falls_out_of_its_book(trail: Trail, clock: StandingClock) -> None:
    add(trail, trail.begin_batch("r1", BOOK, "whole"), "base")
    put(trail, 0, "base", "change")
    put(trail, 1, "compacted")
    trail.close_run("r1", RunOutcome.SUCCEEDED)
    clock.advance(DAY)
    assert trail.unused_files() == [staged("change")]


def test_a_file_that_comes_back_into_a_book_is_in_use_again(trail: Trail, clock: StandingClock) -> None:
    put(trail, 0, "base")
    put(trail, 1, "other")
    put(trail, 2, "base")
    trail.close_run("r1", RunOutcome.SUCCEEDED)
    clock.advance(DAY)
    assert trail.unused_files() == [staged("other")]
