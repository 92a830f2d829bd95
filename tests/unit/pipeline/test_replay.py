# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError, DataError, StaleVersionError
from airflow_provider_mlconnector.pipeline.ending import run_to_end
from airflow_provider_mlconnector.pipeline.layout import cell_scope
from airflow_provider_mlconnector.pipeline.load import begin_load, finish_load
from airflow_provider_mlconnector.pipeline.plan import Tolerance
from airflow_provider_mlconnector.pipeline.replay import Place, Wanted, as_sent, places, prepare_replay
from airflow_provider_mlconnector.trail.records import EventKind, RunRef
from tests.unit.pipeline.closing import Close, next_run
from tests.unit.pipeline.support import FLOW, PERIOD, actuals, csv_rows, parquet_rows


@pytest.fixture
def close(close: Close) -> Close:
    close.plan = actuals(tolerance=Tolerance(rows=5))
    return close


def replay(close: Close, wanted: Wanted, run: RunRef):
    return prepare_replay(close.bench, close.plan, wanted, run, PERIOD, close.model)


def deliver(close: Close, made, again=None):
    work = Close(close.bench, close.ledger, close.model, made.run, plan=close.plan, owner="replay").work()
    state = begin_load(close.bench, close.plan, made, work, again or (lambda: made))
    return finish_load(close.bench, close.plan, state, work, run_to_end(work, state.ref, close.bench.clock))


def test_records_send_their_cells_changed_or_not_without_asking_the_ledger(close, model, new_run):
    close.whole_way()
    asked = len(close.ledger.requested)
    model.cells[("40100", "SALES", "Actual", "Nov 25")] = "1"
    made = replay(close, Wanted(record_ids=("e1",)), new_run())
    assert [(row["Account"], row["Amount"]) for row in csv_rows(close.bench, made.file)] == [("40100", "-120.5")]
    deliver(close, made)
    assert model.amounts()[("40100", "SALES")] == Decimal("-120.5")
    assert len(close.ledger.requested) == asked
    assert len(parquet_rows(close.bench, close.bench.trail.accepted(cell_scope(close.plan, PERIOD.key)).file)) == 3


def test_a_replay_sends_the_total_of_today_never_the_old_one(close, model, new_run):
    first = close.extract()
    close.load(close.prepare(first))
    close.ledger.change(1, amount=Decimal("-500.00"), credit=Decimal("500.00"))
    next_run(close, new_run).whole_way()
    made = replay(close, Wanted(batch_id=first.batch_id), new_run())
    assert {row["Account"]: row["Amount"] for row in csv_rows(close.bench, made.file)}["40100"] == "-520.5"


def test_the_cell_that_a_record_has_left_is_sent_too(close, new_run):
    close.whole_way()
    close.ledger.change(3, account="40100", **{"dimension.DEPARTMENT": "SALES"})
    next_run(close, new_run).extract()
    made = replay(close, Wanted(record_ids=("e3",)), new_run())
    assert {row["Account"]: row["Amount"] for row in csv_rows(close.bench, made.file)} == {
        "40100": "-150.5",
        "40200": "0",
    }


def test_the_rejects_of_a_run_are_sent_again(close, model, new_run):
    model.rejected = {"40200"}
    close.whole_way()
    model.rejected = set()
    wanted = Wanted(rejects_of=close.run.run_id)
    made = replay(close, wanted, new_run())
    assert [row["Account"] for row in csv_rows(close.bench, made.file)] == ["40200"]
    deliver(close, made)
    assert model.amounts()[("40200", "PROD")] == Decimal(-30)
    assert next_run(close, new_run).prepare().file is None


def test_cells_of_unknown_outcome_go_with_every_replay(close, model, new_run):
    close.whole_way()
    close.ledger.change(3, amount=Decimal("-31.00"), credit=Decimal("31.00"))
    model.dump_lines, model.rejected = False, {"40200"}
    next_run(close, new_run).whole_way()
    model.rejected = set()
    made = replay(close, Wanted(record_ids=("e1",)), new_run())
    assert {row["Account"] for row in csv_rows(close.bench, made.file)} == {"40100", "40200"}


def test_a_replay_leaves_the_watermark_and_what_changed_meanwhile_to_the_next_run(close, new_run):
    close.whole_way()
    scope = cell_scope(close.plan, PERIOD.key)
    mark = close.bench.trail.accepted(scope).watermark
    close.ledger.change(3, amount=Decimal("-31.00"), credit=Decimal("31.00"))
    later = next_run(close, new_run)
    batch = later.extract()
    deliver(close, replay(close, Wanted(record_ids=("e1",)), new_run()))
    assert close.bench.trail.accepted(scope).watermark == mark
    assert [row["Account"] for row in csv_rows(close.bench, later.prepare(batch).file)] == ["40200"]


def test_a_replay_is_on_the_trail(close, new_run):
    close.whole_way()
    made = replay(close, Wanted(record_ids=("e1", "e2")), new_run())
    [event] = [event for event in close.bench.trail.events(made.run.run_id) if event.kind == EventKind.REPLAYED]
    assert (event.detail["record_ids"], event.detail["cells"], event.detail["as_sent"]) == (["e1", "e2"], 1, False)


def test_what_is_wanted_is_found_in_its_flow_and_period(close, model, new_run):
    model.rejected = {"40200"}
    batch = close.extract()
    close.load(close.prepare(batch))
    here = (Place(FLOW, PERIOD.key, "journal_lines"),)
    bench = close.bench
    assert places(bench, Wanted(batch_id=batch.batch_id)) == here
    assert places(bench, Wanted(record_ids=("e3",))) == here
    assert places(bench, Wanted(rejects_of=close.run.run_id)) == here
    with pytest.raises(DataError, match="does not know these rows"):
        places(bench, Wanted(record_ids=("e99",)))


def test_a_replay_is_of_one_thing():
    with pytest.raises(ConfigurationError, match="of one batch, of records, or of the rejects"):
        Wanted(batch_id="b1", record_ids=("e1",))


def test_a_file_is_repeated_byte_for_byte(close, model, new_run):
    batch = close.extract()
    close.load(close.prepare(batch))
    model.cells.clear()
    made = as_sent(close.bench, close.plan, Wanted(batch_id=batch.batch_id), new_run())
    deliver(close, made)
    assert model.uploads[0] == model.uploads[1]
    assert len(model.amounts()) == 3
    assert next_run(close, new_run).prepare().file is None


def test_a_file_is_not_repeated_when_one_of_its_cells_was_sent_later(close, new_run):
    batch = close.extract()
    close.load(close.prepare(batch))
    close.ledger.change(3, amount=Decimal("-31.00"), credit=Decimal("31.00"))
    next_run(close, new_run).whole_way()
    with pytest.raises(StaleVersionError, match="sent some of these cells later"):
        as_sent(close.bench, close.plan, Wanted(batch_id=batch.batch_id), new_run())


def test_a_file_is_repeated_when_only_other_cells_were_sent_later(close, model, new_run):
    close.whole_way()
    close.ledger.change(3, amount=Decimal("-31.00"), credit=Decimal("31.00"))
    second = next_run(close, new_run)
    batch = second.extract()
    second.load(second.prepare(batch))
    close.ledger.change(1, amount=Decimal("-500.00"), credit=Decimal("500.00"))
    next_run(close, new_run).whole_way()
    made = as_sent(close.bench, close.plan, Wanted(batch_id=batch.batch_id), new_run())
    assert [row["Account"] for row in csv_rows(close.bench, made.file)] == ["40200"]


def test_what_was_never_sent_is_not_repeated(close, new_run):
    batch = close.extract()
    with pytest.raises(ConfigurationError, match="sent no file"):
        as_sent(close.bench, close.plan, Wanted(batch_id=batch.batch_id), new_run())
    with pytest.raises(ConfigurationError, match="never a file of their own"):
        as_sent(close.bench, close.plan, Wanted(record_ids=("e1",)), new_run())
