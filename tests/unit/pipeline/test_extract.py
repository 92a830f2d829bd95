# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from airflow_provider_mlconnector.errors import SchemaDriftError
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.pipeline.book import lay_out
from airflow_provider_mlconnector.pipeline.engine import engine
from airflow_provider_mlconnector.pipeline.extract import book_scope, extract
from airflow_provider_mlconnector.systems.port import (
    Capabilities,
    DatasetCapability,
    Finding,
    FindingKind,
    PeriodTotals,
)
from airflow_provider_mlconnector.trail.records import CellScope, EventKind, RejectKind, StagedFile
from tests.clocks import START
from tests.unit.pipeline.support import FLOW, PERIOD, Ledger, account, line, parquet_rows, read_plan

PLAN = read_plan()
CELLS = CellScope(flow=FLOW, import_name="Load GL Actuals", period=PERIOD.key)


def accept(bench, run, cursor) -> None:
    """Move the watermark as a load would."""
    version = bench.trail.accepted(CELLS).version
    file = StagedFile(key="cells", sha256="0", size=0)
    bench.trail.accept(CELLS, expected=version, file=file, watermark=cursor, run_id=run.run_id, detail={})


def book_rows(bench, run, plan=PLAN) -> dict[str, dict]:
    with engine(bench) as db:
        lay_out(db, bench.stage, bench.trail.book(book_scope(plan, run)))
        return {row["record_id"]: row for row in db.records("SELECT * FROM book")}


def read_twice(bench, ledger, new_run, between=lambda: None, plan=PLAN):
    """Read, accept, let something happen, and read again."""
    first = extract(bench, ledger, plan, new_run(), PERIOD)
    accept(bench, first.run, first.cursor)
    between()
    return first, extract(bench, ledger, plan, new_run(), PERIOD)


def test_the_first_read_is_whole_and_becomes_the_base_as_it_is(bench, ledger, new_run):
    done = extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert (done.mode, done.rows, done.book_rows, done.requests) == ("whole", 6, 6, 2)
    assert done.sums["debit"] == "150.50"
    assert bench.trail.book(book_scope(PLAN, done.run)).base.file == done.file
    assert len(parquet_rows(bench, done.file)) == 6


def test_the_book_agrees_with_the_totals_of_the_ledger(bench, ledger, new_run):
    done = extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert (done.agrees, done.difference, done.erp_count) == (True, "0.00", 6)
    assert (done.erp_total, done.book_total) == ("301.00", "301.00")
    assert {row["account"]: row["amount"] for row in parquet_rows(bench, done.erp_accounts)} == ledger.by_account()


def test_a_ledger_without_totals_of_its_own_is_not_checked(bench, ledger, new_run):
    ledger.totals = PeriodTotals(None, None, "")
    done = extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert (done.agrees, done.difference, done.erp_total, done.erp_count) == (None, None, None, None)


def test_a_second_read_starts_behind_the_watermark(bench, ledger, new_run):
    first, second = read_twice(bench, ledger, new_run, lambda: ledger.change(3, description="other"))
    since = ledger.requested[-1][1].since
    assert since == first.cursor - timedelta(minutes=10)
    assert (second.mode, second.rows) == ("changes", 1)
    assert book_rows(bench, second.run)["e3"]["description"] == "other"


def test_before_anything_was_accepted_the_period_is_read_whole(bench, ledger, new_run):
    extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert extract(bench, ledger, PLAN, new_run(), PERIOD).mode == "whole"


def test_what_the_overlap_brings_again_is_no_news(bench, ledger, new_run):
    _, second = read_twice(bench, ledger, new_run)
    assert (second.file, second.rows) == (None, 0)
    assert bench.trail.book(book_scope(PLAN, second.run)).changes == ()


def test_a_whole_run_reads_whole_whatever_the_watermark(bench, ledger, new_run):
    first = extract(bench, ledger, PLAN, new_run(), PERIOD)
    accept(bench, first.run, first.cursor)
    assert extract(bench, ledger, PLAN, new_run("whole"), PERIOD).mode == "whole"


def test_a_line_that_vanished_shows_in_the_totals_and_the_period_is_read_whole(bench, ledger, new_run):
    _, second = read_twice(bench, ledger, new_run, lambda: ledger.lines.pop(2))
    assert (second.mode, second.agrees, second.book_rows) == ("whole", True, 5)
    assert "e3" not in book_rows(bench, second.run)
    differing = [event for event in bench.trail.events(second.run.run_id) if event.kind == EventKind.TOTALS_DIFFER]
    assert differing[0].detail["accounts"] == [{"account": "40200", "book": "-30.000000", "erp": "0"}]


def test_a_line_that_moved_to_another_period_leaves_the_book(bench, ledger, new_run):
    _, second = read_twice(
        bench, ledger, new_run, lambda: ledger.change(3, posting_date=PERIOD.end + timedelta(days=1))
    )
    assert (second.mode, second.book_rows) == ("whole", 5)


def test_a_book_that_goes_on_differing_is_on_the_trail_and_not_hidden(bench, ledger, new_run):
    ledger.totals = PeriodTotals(7, {"40100": Decimal("-120.50")}, "fake trial balance")
    done = extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert (done.agrees, done.difference) == (False, "180.50")
    assert EventKind.TOTALS_DIFFER in [event.kind for event in bench.trail.events(done.run.run_id)]


def test_lines_posted_while_the_period_is_read_are_caught_up(bench, ledger, new_run):
    def post_once() -> None:
        ledger.on_page = None
        ledger.lines.insert(0, line(7, "60000", "5.00"))

    ledger.on_page = post_once
    done = extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert (done.agrees, done.mode, done.book_rows) == (True, "whole", 7)
    assert [scope.since is None for _, scope in ledger.requested] == [True, False]


def test_a_line_changed_behind_a_long_reads_back_comes_with_the_next_read(bench, ledger, new_run):
    def change_what_was_read_an_hour_ago() -> None:
        ledger.on_page = None
        ledger.lines[0].update({"dimension.DEPARTMENT": "PROD", "modified_at": bench.clock.now()})
        bench.clock.sleep(3600)
        ledger.lines[-1].update(modified_at=bench.clock.now())

    ledger.on_page = change_what_was_read_an_hour_ago
    first = extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert first.agrees, "its amount is the same: the totals show nothing"
    accept(bench, first.run, first.cursor)
    second = extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert second.mode == "changes"
    assert book_rows(bench, second.run)["e1"]["dimension.DEPARTMENT"] == "PROD"


def test_another_dimension_needs_the_period_whole(bench, ledger, new_run):
    first = extract(bench, ledger, PLAN, new_run(), PERIOD)
    accept(bench, first.run, first.cursor)
    wider = replace(PLAN, dimensions=("DEPARTMENT", "PROJECT"))
    assert extract(bench, ledger, wider, new_run(), PERIOD).mode == "whole"


def test_a_dataset_without_stamps_is_read_whole_every_time(bench, ledger, new_run):
    plan = read_plan(Dataset.ACCOUNTS, "Load Accounts")
    ledger.rows[Dataset.ACCOUNTS] = [account("10100")]
    assert [extract(bench, ledger, plan, new_run(), PERIOD).mode for _ in range(2)] == ["whole", "whole"]
    assert ledger.requested[-1][1].period is None


def test_the_oldest_watermark_of_several_imports_counts(bench, ledger, new_run):
    plan = read_plan(Dataset.JOURNAL_LINES, "Load GL Actuals", "Load Journal Lines")
    first = extract(bench, ledger, plan, new_run(), PERIOD)
    accept(bench, first.run, first.cursor)
    assert extract(bench, ledger, plan, new_run(), PERIOD).mode == "whole"


def test_an_empty_period_is_a_book_without_lines(bench, new_run):
    done = extract(bench, Ledger(), PLAN, new_run(), PERIOD)
    assert (done.rows, done.book_rows, done.agrees) == (0, 0, True)
    assert done.file is not None


def test_a_record_that_a_moving_page_brought_twice_is_one_record(bench, ledger, new_run):
    ledger.lines.append({**ledger.lines[0], "description": "later"})
    ledger.totals = PeriodTotals(6, None, "count")
    done = extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert (done.rows, done.book_rows, done.agrees) == (7, 6, True)
    assert book_rows(bench, done.run)["e1"]["description"] == "later"


def test_findings_are_on_the_trail_and_unreadable_rows_in_quarantine(bench, ledger, new_run):
    ledger.findings = [
        Finding(FindingKind.COLUMN_NEW, "vatAmount", "not known"),
        Finding(FindingKind.ROW_INVALID, "e9", "the amount is no number"),
    ]
    done = extract(bench, ledger, PLAN, new_run(), PERIOD)
    [reject] = [row.reject for row in bench.trail.rejects(done.run.run_id)]
    assert (reject.kind, reject.record_id, reject.reason) == (
        RejectKind.QUARANTINED,
        "e9",
        "the amount is no number",
    )
    [event] = [event for event in bench.trail.events(done.run.run_id) if event.kind == EventKind.FINDING]
    assert [found["kind"] for found in event.detail["findings"]] == ["column_new", "row_invalid"]
    assert done.findings == 2


def test_a_needed_column_that_is_empty_is_schema_drift(bench, ledger, new_run):
    read = ledger.read

    def lenient(dataset, scope):
        reading = read(dataset, scope)
        reading.batches = (
            batch.set_column(6, batch.schema.field(6), pa.nulls(len(batch), pa.string())) for batch in reading.batches
        )
        return reading

    ledger.read = lenient
    with pytest.raises(SchemaDriftError, match="account is needed, but the ERP left it empty in 3 rows"):
        extract(bench, ledger, PLAN, new_run(), PERIOD)


def test_a_page_of_other_columns_is_schema_drift(bench, ledger, new_run):
    read = ledger.read

    def drifted(dataset, scope):
        reading = read(dataset, scope)
        reading.batches = (batch.drop_columns(["description"]) for batch in reading.batches)
        return reading

    ledger.read = drifted
    with pytest.raises(SchemaDriftError, match="A page has the columns"):
        extract(bench, ledger, PLAN, new_run(), PERIOD)
    assert list(bench.stage.scratch().iterdir()) == []


def test_an_error_half_way_leaves_the_book_as_it_was(bench, ledger, new_run):
    extract(bench, ledger, PLAN, new_run(), PERIOD)

    def break_down() -> None:
        raise ConnectionError("the line is dead")

    ledger.on_page = break_down
    run = new_run("whole")
    with pytest.raises(ConnectionError):
        extract(bench, ledger, PLAN, run, PERIOD)
    assert bench.trail.book(book_scope(PLAN, run)).version == 1


def test_a_stamp_that_no_row_has_leaves_the_cursor_open(bench, ledger, new_run):
    for row in ledger.lines:
        row["modified_at"] = None
    assert extract(bench, ledger, PLAN, new_run(), PERIOD).cursor is None


def test_statistical_accounts_are_not_compared_with_a_trial_balance(bench, ledger, new_run):
    ledger.lines.append(line(8, "90000", "12.00", statistical=True))
    nets = {name: amount for name, amount in ledger.by_account().items() if name != "90000"}
    ledger.totals = PeriodTotals(7, nets, "trial balance")
    assert extract(bench, ledger, PLAN, new_run(), PERIOD).agrees is True


def test_capabilities_decide_how_far_behind_the_watermark_a_read_starts(bench, ledger, new_run):
    ledger.capabilities = Capabilities(
        {Dataset.JOURNAL_LINES: DatasetCapability(True, True)}, overlap=timedelta(hours=1)
    )
    first, _ = read_twice(bench, ledger, new_run)
    assert ledger.requested[-1][1].since == first.cursor - timedelta(hours=1)
    assert first.cursor < START
