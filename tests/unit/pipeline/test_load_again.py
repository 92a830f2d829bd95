# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import (
    LeaseTakenError,
    ModelBusyError,
    StaleVersionError,
    TaskCancelledError,
    TransportError,
)
from airflow_provider_mlconnector.trail.records import EventKind
from tests.unit.pipeline.closing import TOTALS, Close, next_run
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import actuals, members


def test_a_busy_model_is_not_waited_for_and_gives_the_lease_back(close: Close, model: FakeModel):
    prepared = close.prepare()
    model.not_ready = ModelBusyError("somebody works in it", state="changing")
    for _ in range(3):
        with pytest.raises(ModelBusyError):
            close.begin(prepared)
    assert close.bench.leases.all() == []
    assert close.bench.trail.accepted(close.scope).in_flight == ()
    model.not_ready = None
    close.load(prepared)
    assert model.amounts() == TOTALS


def test_a_model_in_use_by_another_task_is_left_alone(close: Close, model: FakeModel):
    prepared = close.prepare()
    close.bench.leases.acquire(f"{model.host}/{model.ref.model_id}", "somebody", 900)
    with pytest.raises(LeaseTakenError, match="somebody works on"):
        close.begin(prepared)
    assert model.uploads == []


def test_a_cancelled_task_leaves_its_cells_unknown_and_a_retry_starts_another(close: Close, model: FakeModel):
    state, work = close.begin(close.prepare())
    model.cancel(state.ref)
    with pytest.raises(TaskCancelledError):
        close.finish(state, work)
    assert len(close.bench.trail.accepted(close.scope).in_flight) == 1
    loaded = close.load(state.prepared)
    assert loaded.loaded == 3
    assert len(model.made) == 2


def test_an_upload_that_cannot_finish_starts_no_import_and_is_repeated(close: Close, model: FakeModel):
    prepared = close.prepare()

    def break_down() -> None:
        raise TransportError("the connection broke")

    model.on_upload = break_down
    with pytest.raises(TransportError):
        close.begin(prepared)
    assert model.made == []
    model.on_upload = lambda: None
    assert close.load(prepared).loaded == 3


def test_a_file_that_was_not_sent_in_time_is_never_sent_over_a_newer_one(close: Close, model: FakeModel, new_run):
    def break_down() -> None:
        raise TransportError("the connection broke")

    prepared = close.prepare()
    model.on_upload = break_down
    with pytest.raises(TransportError):
        close.begin(prepared)
    model.on_upload = lambda: None
    close.ledger.change(3, amount=Decimal(-40), credit=Decimal(40))
    next_run(close, new_run, owner="close2/load").whole_way()
    loaded = close.load(prepared)
    assert loaded.sent == 0
    assert model.amounts()[("40200", "PROD")] == Decimal(-40)


def test_a_model_that_turns_busy_after_the_mark_is_come_back_to_with_the_same_file(close: Close, model: FakeModel):
    prepared = close.prepare()
    looks = iter([None, ModelBusyError("somebody works in it", state="changing")])

    def ready() -> None:
        error = next(looks, None)
        if error:
            raise error

    model.ensure_ready = ready  # type: ignore[method-assign]
    with pytest.raises(ModelBusyError):
        close.begin(prepared)
    assert close.bench.leases.all() == []
    assert close.load(prepared).loaded == 3
    assert len(close.bench.trail.events(close.run.run_id)) < 15
    kinds = [event.kind for event in close.bench.trail.events(close.run.run_id)]
    assert (kinds.count(EventKind.PREPARED), kinds.count(EventKind.IN_FLIGHT)) == (1, 1)


def test_a_task_that_died_after_the_start_is_taken_up_and_not_repeated(close: Close, model: FakeModel):
    state, _ = close.begin(close.prepare())
    again, work = close.begin(state.prepared)
    assert again.ref == state.ref
    assert close.finish(again, work).loaded == 3
    assert len(model.made) == 1


def test_a_finished_load_that_is_finished_again_is_the_same_load(close: Close, model: FakeModel):
    state, work = close.begin(close.prepare())
    first = close.finish(state, work)
    second = close.finish(*close.begin(state.prepared))
    assert first.accepted_version == second.accepted_version
    kinds = [event.kind for event in close.bench.trail.events(close.run.run_id)]
    assert kinds.count(EventKind.ACCEPTED) == 1


def test_a_cleared_task_prepares_and_sends_again(close: Close, model: FakeModel, new_run):
    close.whole_way()
    cleared = Close(close.bench, close.ledger, model, close.run, store=close.store, generation=1)
    cleared.run = new_run("whole")
    assert cleared.whole_way().sent == 3
    assert len(model.made) == 2


def test_a_load_that_was_taken_over_does_not_accept_what_it_sent(close: Close, model: FakeModel, new_run):
    state, work = close.begin(close.prepare())
    close.bench.clock.sleep(3600)
    other = next_run(close, new_run, owner="close2/load")
    close.ledger.change(3, amount=Decimal("-40.00"), credit=Decimal("40.00"))
    loaded = other.whole_way()
    assert loaded.loaded == 3, "its cells were unknown, so all are sent again"
    work.release()
    late = close.work()
    with pytest.raises(StaleVersionError):
        close.finish(state, late)
    retried = close.load(state.prepared)
    assert retried.sent == 0
    assert model.amounts()[("40200", "PROD")] == Decimal(-40)


def test_a_member_that_somebody_deleted_is_sent_nothing_and_gets_its_cells_back_with_it(close, model, new_run):
    close.plan = actuals(members={"Account": "Accounts"})
    model.lists["Accounts"] = members("10100", "40100", "40200")
    close.whole_way()
    model.delete_account("40200")
    without_it = next_run(close, new_run).whole_way()
    assert (without_it.sent, without_it.prepared.rows_quarantined) == (0, 1)
    model.lists["Accounts"] = members("10100", "40100", "40200")
    assert next_run(close, new_run).whole_way().sent == 1
    assert model.amounts() == TOTALS
