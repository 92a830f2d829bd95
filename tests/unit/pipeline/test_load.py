# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import (
    HeaderError,
    TaskFailedError,
)
from airflow_provider_mlconnector.pipeline.plan import Send, Tolerance
from airflow_provider_mlconnector.trail.records import RejectKind
from tests.unit.pipeline.closing import TOTALS, Close, next_run
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import actuals, csv_rows, line, parquet_rows


def test_a_close_loads_the_totals_of_the_book(close: Close, model: FakeModel):
    loaded = close.whole_way()
    assert model.amounts() == TOTALS
    assert (loaded.sent, loaded.loaded, loaded.rejected) == (3, 3, 0)
    accepted = close.bench.trail.accepted(close.scope)
    assert accepted.version == loaded.accepted_version
    assert not accepted.in_flight
    assert len(parquet_rows(close.bench, accepted.file)) == 3
    assert close.bench.leases.all() == []


def test_the_watermark_moves_with_the_accepted_cells_and_not_before(close: Close):
    batch = close.extract()
    prepared = close.prepare(batch)
    assert close.bench.trail.accepted(close.scope).watermark is None
    close.load(prepared)
    assert close.bench.trail.accepted(close.scope).watermark == batch.cursor


def test_a_changed_line_corrects_its_cell_and_no_other(close: Close, model: FakeModel, new_run):
    close.whole_way()
    close.ledger.change(2, amount=Decimal("-21.00"), credit=Decimal("21.00"))
    close.ledger.change(5, amount=Decimal("21.00"), debit=Decimal("21.00"))
    second = next_run(close, new_run)
    prepared = second.prepare()
    assert {row["Account"] for row in csv_rows(close.bench, prepared.file)} == {"40100", "10100"}
    second.load(prepared)
    assert model.amounts() == {**TOTALS, ("40100", "SALES"): Decimal(-121), ("10100", "NONE"): Decimal(151)}


def test_a_cell_whose_lines_are_gone_becomes_zero(close: Close, model: FakeModel, new_run):
    close.whole_way()
    close.ledger.lines[:] = [row for row in close.ledger.lines if row["account"] != "40200"]
    second = next_run(close, new_run)
    prepared = second.prepare()
    assert [(row["Account"], row["Amount"]) for row in csv_rows(close.bench, prepared.file)] == [("40200", "0")]
    assert prepared.cells_zeroed == 1
    second.load(prepared)
    assert ("40200", "PROD") not in model.amounts()
    assert next_run(close, new_run).prepare().file is None


def test_nothing_new_sends_nothing_and_starts_no_task(close: Close, model: FakeModel, new_run):
    close.whole_way()
    second = next_run(close, new_run)
    loaded = second.whole_way()
    assert (loaded.sent, loaded.task_id) == (0, "")
    assert len(model.made) == 1


def test_the_watermark_moves_although_no_cell_changed(close: Close, new_run):
    close.whole_way()
    before = close.bench.trail.accepted(close.scope).watermark
    close.ledger.change(2, description="Another text")
    next_run(close, new_run).whole_way()
    after = close.bench.trail.accepted(close.scope).watermark
    assert after > before


def test_rejected_cells_are_rows_with_reasons_and_are_sent_again(close: Close, model: FakeModel, new_run):
    model.rejected = {"40200"}
    close.plan = actuals(tolerance=Tolerance(rows=1))
    loaded = close.whole_way()
    assert (loaded.sent, loaded.loaded, loaded.rejected) == (3, 2, 1)
    [reject] = [row.reject for row in close.bench.trail.rejects(close.run.run_id)]
    assert (reject.kind, reject.line, reject.reason, reject.amount) == (
        RejectKind.REJECTED,
        3,
        "no such account",
        "-30.00",
    )
    assert reject.cell == {"Account": "40200", "Cost Centre": "PROD", "Time": "Nov 25"}
    model.rejected = set()
    second = next_run(close, new_run)
    prepared = second.prepare()
    assert [row["Account"] for row in csv_rows(close.bench, prepared.file)] == ["40200"]
    second.load(prepared)
    assert model.amounts() == TOTALS


def test_a_rejected_cell_keeps_what_was_accepted_of_it_before(close: Close, model: FakeModel, new_run):
    close.plan = actuals(tolerance=Tolerance(rows=1))
    close.whole_way()
    model.rejected = {"40200"}
    close.ledger.change(3, amount=Decimal("-31.00"), credit=Decimal("31.00"))
    next_run(close, new_run).whole_way()
    accepted = parquet_rows(close.bench, close.bench.trail.accepted(close.scope).file)
    assert {row["Account"]: row["Amount"] for row in accepted}["40200"] == Decimal(-30)
    close.ledger.change(3, amount=Decimal("-30.00"), credit=Decimal("30.00"))
    assert next_run(close, new_run).prepare().file is None


def test_more_rejects_than_tolerated_fail_the_load_but_keep_what_was_taken(close: Close, model: FakeModel, new_run):
    model.rejected = {"40200"}
    with pytest.raises(TaskFailedError, match="1 of 3 rows were rejected"):
        close.whole_way()
    accepted = parquet_rows(close.bench, close.bench.trail.accepted(close.scope).file)
    assert {row["Account"] for row in accepted} == {"10100", "40100"}
    assert close.bench.leases.all() == []


def test_rejects_that_the_dump_does_not_name_leave_all_cells_unknown(close: Close, model: FakeModel, new_run):
    model.rejected, model.dump_lines = {"40200"}, False
    close.plan = actuals(tolerance=Tolerance(rows=5))
    loaded = close.whole_way()
    assert "names 0 of them" in loaded.unknown
    accepted = close.bench.trail.accepted(close.scope)
    assert accepted.file is None
    assert len(accepted.in_flight) == 1
    model.rejected = set()
    assert next_run(close, new_run).prepare().cells_sent == 3


def test_cells_that_the_import_ignored_are_unknown(close: Close, model: FakeModel, new_run):
    model.ignored = 1
    loaded = close.whole_way()
    assert (loaded.loaded, loaded.ignored) == (2, 1)
    assert "ignored 1 rows and does not say which" in loaded.unknown
    model.ignored = 0
    assert next_run(close, new_run).prepare().cells_sent == 3


def test_an_import_that_read_another_file_is_not_accepted(close: Close, model: FakeModel):
    run = model._run

    def import_an_old_file(task) -> None:
        model.uploads.append(b"Account,Cost Centre,Version,Time,Amount\n")
        run(task)
        task.outcome = model._outcome(7, 0)

    model._run = import_an_old_file  # type: ignore[method-assign]
    loaded = close.whole_way()
    assert "it read another file" in loaded.unknown
    assert close.bench.trail.accepted(close.scope).file is None


def test_an_answer_without_counts_counts_as_the_whole_file(close: Close, model: FakeModel):
    model.told_counts = False
    loaded = close.whole_way()
    assert (loaded.sent, loaded.loaded, loaded.counted) == (3, 3, False)


def test_a_failed_import_leaves_its_cells_unknown_and_the_next_run_sends_them(close: Close, model: FakeModel, new_run):
    model.fails = True
    with pytest.raises(TaskFailedError, match="it failed"):
        close.whole_way()
    accepted = close.bench.trail.accepted(close.scope)
    assert (accepted.file, accepted.watermark) == (None, None)
    model.fails = False
    next_run(close, new_run).whole_way()
    assert model.amounts() == TOTALS


def test_a_cell_that_was_sent_without_known_outcome_and_is_gone_becomes_zero(close: Close, model: FakeModel, new_run):
    model.fails = True
    with pytest.raises(TaskFailedError):
        close.whole_way()
    model.fails = False
    model.cells[("40200", "PROD", "Actual", "Nov 25")] = "-30"
    close.ledger.lines[:] = [row for row in close.ledger.lines if row["account"] != "40200"]
    next_run(close, new_run).whole_way()
    assert ("40200", "PROD") not in model.amounts()


def test_a_cell_rejected_while_unknown_stays_unknown(close: Close, model: FakeModel, new_run):
    close.plan = actuals(tolerance=Tolerance(rows=5))
    close.whole_way()
    close.ledger.change(3, amount=Decimal("-31.00"), credit=Decimal("31.00"))
    model.fails = True
    with pytest.raises(TaskFailedError):
        next_run(close, new_run).whole_way()
    model.fails, model.rejected = False, {"40200"}
    next_run(close, new_run).whole_way()
    close.ledger.change(3, amount=Decimal("-30.00"), credit=Decimal("30.00"))
    assert next_run(close, new_run).prepare().cells_sent == 1


def test_a_header_that_the_import_does_not_expect_stops_before_the_upload(close: Close, model: FakeModel):
    model.header = ("Account", "Cost Centre", "Entity", "Time", "Amount")
    with pytest.raises(
        HeaderError, match="expects the header Account, Cost Centre, Entity, Time, Amount; the flow sends"
    ):
        close.whole_way()
    assert model.uploads == []
    assert close.bench.trail.accepted(close.scope).in_flight == ()
    assert close.bench.leases.all() == []


def test_a_file_prepared_against_an_older_version_is_prepared_again(close: Close, model: FakeModel, new_run):
    stale = close.prepare()
    other = next_run(close, new_run, owner="close2/load")
    other.whole_way()
    loaded = close.load(stale)
    assert loaded.sent == 0
    assert len(model.made) == 1


def test_two_overlapping_runs_end_with_the_newest_book(close: Close, model: FakeModel, new_run):
    first = close.prepare()
    close.ledger.change(3, amount=Decimal("-40.00"), credit=Decimal("40.00"))
    second = next_run(close, new_run, "whole", owner="close2/load")
    later = second.prepare()
    second.load(later)
    close.load(first)
    assert model.amounts()[("40200", "PROD")] == Decimal(-40)


def test_a_whole_run_sends_every_cell_and_repairs_what_somebody_typed_over(close: Close, model: FakeModel, new_run):
    close.plan = actuals(check="GL Actuals by Period")
    close.whole_way()
    model.cells[("40100", "SALES", "Actual", "Nov 25")] = "1"
    model.cells[("99999", "SALES", "Actual", "Nov 25")] = "77"
    model.cells[("99999", "SALES", "Budget", "Nov 25")] = "77"
    second = next_run(close, new_run, "whole")
    prepared = second.prepare()
    assert (prepared.cells_sent, prepared.cells_zeroed) == (4, 1)
    second.load(prepared)
    held = dict(model.cells)
    assert held.pop(("99999", "SALES", "Budget", "Nov 25")) == "77"
    assert {key[:2]: Decimal(amount) for key, amount in held.items() if Decimal(amount)} == TOTALS


def test_an_import_that_clears_its_target_gets_all_cells_or_none(close: Close, model: FakeModel, new_run):
    close.plan = actuals(send=Send.PERIOD)
    close.whole_way()
    assert next_run(close, new_run).prepare().file is None
    close.ledger.change(3, amount=Decimal("-31.00"), credit=Decimal("31.00"))
    assert next_run(close, new_run).prepare().cells_sent == 3


def test_lines_that_differ_only_in_what_is_not_loaded_do_not_matter(close: Close, new_run):
    close.whole_way()
    close.ledger.lines.append(line(7, "40100", "0.00", **{"dimension.DEPARTMENT": "SALES"}))
    assert next_run(close, new_run).prepare().file is None
