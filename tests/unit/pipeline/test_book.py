# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import DataError
from airflow_provider_mlconnector.pipeline import book
from airflow_provider_mlconnector.pipeline.engine import engine
from airflow_provider_mlconnector.pipeline.sinks import ParquetSink, pour
from airflow_provider_mlconnector.trail.records import BookScope, BookState
from tests.unit.pipeline.support import COMPANY, FLOW, run_ref

SCHEMA = pa.schema([("record_id", pa.string()), ("modified_at", pa.timestamp("us", "UTC")), ("value", pa.int64())])
DIGEST = book.columns_digest(SCHEMA)


def scope(period: str) -> BookScope:
    return BookScope(flow=FLOW, company=COMPANY, dataset="journal_lines", period=period)


def stage(bench, ticket, rows):
    """Stage a batch of record id and value."""
    with ParquetSink(bench.stage, SCHEMA) as sink:
        pour([pa.RecordBatch.from_pylist([{"record_id": key, "value": value} for key, value in rows], SCHEMA)], sink)
        return sink.publish(book.batch_key(ticket))


def begin(bench, period, mode="changes"):
    return bench.trail.begin_batch("run", scope(period), mode)


def join(bench, ticket, rows):
    file = stage(bench, ticket, rows)
    bench.trail.add_batch(ticket, rows=len(rows), sums={}, file=file, cursor=None, resource="", requests=1)
    return book.join(bench, ticket, file, len(rows), DIGEST)


def held(bench, period) -> dict[str, int]:
    with engine(bench) as db:
        book.lay_out(db, bench.stage, bench.trail.book(scope(period)))
        return dict(db.rows("SELECT record_id, value FROM book"))


@pytest.fixture
def run(bench):
    bench.trail.open_run(run_ref("run"), requested_by="ada")


def test_a_change_lies_over_the_base(bench, run):
    join(bench, begin(bench, "P", "whole"), [("a", 1), ("b", 1)])
    join(bench, begin(bench, "P"), [("b", 2), ("c", 2)])
    assert held(bench, "P") == {"a": 1, "b": 2, "c": 2}


def test_the_read_that_began_later_is_right_whatever_order_they_end_in(bench, run):
    join(bench, begin(bench, "P", "whole"), [("a", 1)])
    earlier, later = begin(bench, "P"), begin(bench, "P")
    join(bench, later, [("a", 3)])
    join(bench, earlier, [("a", 2)])
    assert held(bench, "P") == {"a": 3}


def test_a_batch_that_began_before_the_last_whole_read_adds_nothing(bench, run):
    join(bench, begin(bench, "P", "whole"), [("a", 1)])
    slow = begin(bench, "P")
    join(bench, begin(bench, "P", "whole"), [("b", 2)])
    assert join(bench, slow, [("a", 9)]) is False
    assert held(bench, "P") == {"b": 2}


def test_a_whole_read_keeps_the_changes_that_began_after_it(bench, run):
    whole = begin(bench, "P", "whole")
    first = begin(bench, "Q", "whole")
    join(bench, first, [])
    join(bench, begin(bench, "P", "whole"), [("a", 1)])
    assert join(bench, whole, [("z", 9)]) is False
    slow = begin(bench, "P", "whole")
    join(bench, begin(bench, "P"), [("a", 5)])
    join(bench, slow, [("a", 4), ("b", 4)])
    assert held(bench, "P") == {"a": 5, "b": 4}


def test_changes_need_a_base(bench, run):
    with pytest.raises(DataError, match="never read whole"):
        join(bench, begin(bench, "P"), [("a", 1)])
    with engine(bench) as db, pytest.raises(DataError, match="never read"):
        book.lay_out(db, bench.stage, BookState())


def test_changes_above_a_fifth_are_merged_and_the_book_stays_the_same(bench, run):
    join(bench, begin(bench, "P", "whole"), [(f"r{at}", at) for at in range(10)])
    join(bench, begin(bench, "P"), [("r1", 100), ("r2", 100)])
    book.compact(bench, scope("P"), "run")
    assert len(bench.trail.book(scope("P")).changes) == 1, "a fifth is not above a fifth"
    join(bench, begin(bench, "P"), [("r3", 100)])
    before = held(bench, "P")
    book.compact(bench, scope("P"), "run")
    state = bench.trail.book(scope("P"))
    assert (state.changes, state.base.rows) == ((), 10)
    assert held(bench, "P") == before


def test_a_whole_read_that_ends_after_a_merge_still_replaces_what_was_read_before_it(bench, run):
    join(bench, begin(bench, "P", "whole"), [("a", 1), ("gone", 1), ("b", 1)])
    join(bench, begin(bench, "P"), [("a", 2)])
    slow = begin(bench, "P", "whole")
    join(bench, begin(bench, "P"), [("b", 4)])
    book.compact(bench, scope("P"), "run")
    assert bench.trail.book(scope("P")).changes == ()
    join(bench, begin(bench, "P"), [("c", 5)])
    assert join(bench, slow, [("a", 3), ("b", 3)]) is True
    assert held(bench, "P") == {"a": 3, "b": 4, "c": 5}
    assert join(bench, begin(bench, "P", "whole"), [("d", 6)]) is True
    assert held(bench, "P") == {"d": 6}


def test_a_book_that_moves_while_it_is_merged_is_left_alone(bench, run, monkeypatch):
    join(bench, begin(bench, "P", "whole"), [("a", 1)])
    join(bench, begin(bench, "P"), [("a", 2)])
    merge = book._write

    def slowly(*args):
        result = merge(*args)
        monkeypatch.undo()
        join(bench, begin(bench, "P"), [("a", 3)])
        return result

    monkeypatch.setattr(book, "_write", slowly)
    book.compact(bench, scope("P"), "run")
    assert held(bench, "P") == {"a": 3}
    assert len(bench.trail.book(scope("P")).changes) == 2


ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), max_size=4, unique_by=lambda row: row[0])
READS = st.lists(st.tuples(st.booleans(), ROWS), min_size=1, max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reads=READS, order=st.randoms(use_true_random=False))
def test_any_order_of_reads_gives_what_the_latest_whole_read_and_those_after_it_say(bench, reads, order):
    period = f"P{order.getrandbits(60)}"
    bench.trail.open_run(run_ref("run"), requested_by="ada")
    join(bench, begin(bench, period, "whole"), [("z", 0)])
    begun = [(begin(bench, period, "whole" if whole else "changes"), whole, rows) for whole, rows in reads]
    arriving = list(begun)
    order.shuffle(arriving)
    for ticket, _, rows in arriving:
        join(bench, ticket, rows)
    expected: dict[str, int] = {"z": 0}
    for _, whole, rows in begun:
        expected = dict(rows) if whole else {**expected, **dict(rows)}
    assert held(bench, period) == expected


def test_of_two_merges_of_one_book_the_one_that_loses_deletes_only_its_own_file(bench, run, monkeypatch):
    join(bench, begin(bench, "P", "whole"), [("a", 1)])
    join(bench, begin(bench, "P"), [("a", 2)])
    merge = book._write

    def while_another_merges_it_too(*args):
        result = merge(*args)
        monkeypatch.undo()
        book.compact(bench, scope("P"), "run")
        return result

    monkeypatch.setattr(book, "_write", while_another_merges_it_too)
    book.compact(bench, scope("P"), "run")
    assert held(bench, "P") == {"a": 2}
