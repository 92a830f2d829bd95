# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_provider_mlconnector.errors import (
    BadRequestError,
    DeadlineError,
    FencedError,
    LeaseTakenError,
    ModelBusyError,
    TaskFailedError,
    TransportError,
)
from airflow_provider_mlconnector.pipeline.ending import judge, run_to_end
from airflow_provider_mlconnector.pipeline.leasing import LEASE_SECONDS
from airflow_provider_mlconnector.pipeline.modelwork import ModelWork
from airflow_provider_mlconnector.pipeline.plan import Tolerance
from airflow_provider_mlconnector.pipeline.starting import ActionJob
from airflow_provider_mlconnector.systems.anaplan.tasks import ActionKind, Outcome, TaskState
from airflow_provider_mlconnector.trail.records import EventKind
from tests.unit.pipeline.fake_model import FILE, IMPORT, FakeModel, MemoryStore
from tests.unit.pipeline.support import run_ref


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def job(tmp_path):
    file = tmp_path / "cells.csv"
    file.write_text("Account,Cost Centre,Version,Time,Amount\n40100,SALES,Actual,Nov 25,1\n")
    return ActionJob(ActionKind.IMPORT, IMPORT, upload=(FILE, file), fingerprint="f1", context={"a": 1})


@pytest.fixture
def new_work(bench, model):
    """Return the work of another process of a task."""
    bench.trail.open_run(run_ref("run"), requested_by="ada")

    def make(store, owner="task", generation=0, deadline=3600.0) -> ModelWork:
        end = bench.clock.now().timestamp() + deadline
        return ModelWork(bench, model, owner=owner, store=store, generation=generation, run_id="run", deadline=end)

    return make


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def kinds(bench) -> list[str]:
    return [event.kind for event in bench.trail.events("run")]


def dies(*_) -> None:
    raise KeyboardInterrupt


def test_a_job_is_uploaded_started_and_noted(bench, model, job, new_work, store):
    work = new_work(store)
    ref = work.begin(job)
    assert (len(model.uploads), len(model.made)) == (1, 1)
    assert work.lease.remote == ref.to_json()
    assert kinds(bench) == [EventKind.LEASED, EventKind.UPLOADED, EventKind.STARTED]
    assert work.unfinished() == {"a": 1}


def test_a_process_that_died_before_the_upload_leaves_nothing_behind(bench, model, job, new_work, store):
    model.on_upload = dies
    with pytest.raises(KeyboardInterrupt):
        new_work(store).begin(job)
    assert bench.leases.all() == []
    model.on_upload = lambda: None
    new_work(store).begin(job)
    assert len(model.made) == 1


def test_a_process_that_died_in_the_start_is_followed_up_and_starts_one_task(bench, model, job, new_work, store):
    model.on_start = dies
    with pytest.raises(KeyboardInterrupt):
        new_work(store).begin(job)
    assert bench.leases.all()[0].remote is not None, "nobody may take the model while it is not known"
    model.on_start = lambda: None
    before = bench.clock.now()
    new_work(store).begin(job)
    assert len(model.made) == 1
    assert bench.clock.now() - before >= timedelta(seconds=model.request_timeout), "the request might still have come"


def test_an_answer_that_got_lost_is_found_in_the_task_list(bench, model, job, new_work, store):
    model.foreign()
    model.lose_answer = True
    ref = new_work(store).begin(job)
    assert [task.task_id for task in model.made][1:] == [ref.task_id]
    assert EventKind.ADOPTED in kinds(bench)


def test_a_process_that_died_after_the_answer_got_lost_adopts_the_task(bench, model, job, new_work, store):
    model.lose_answer = True
    bench.clock.sleep = dies  # in the wait before looking; the task is there at the first look
    ref = new_work(store).begin(job)
    assert ref.task_id == model.made[0].task_id


def test_a_request_that_got_lost_is_sent_again_after_its_time(bench, model, job, new_work, store):
    model.lose_request = True
    before = bench.clock.now()
    new_work(store).begin(job)
    assert len(model.made) == 1
    assert bench.clock.now() - before >= timedelta(seconds=model.request_timeout)
    assert EventKind.WAITED in kinds(bench)


def test_several_tasks_after_a_lost_answer_are_waited_for_and_the_file_is_sent_once_more(model, job, new_work, store):
    model.lose_answer = True
    model.on_start = lambda: model.foreign() and None
    with pytest.raises(ModelBusyError) as busy:
        new_work(store).begin(job)
    assert busy.value.state == "running other tasks"
    model.on_start = lambda: None
    for task in model.made:
        task.state = TaskState.COMPLETE
    new_work(store).begin(job)
    assert len(model.made) == 3


def test_work_that_must_not_be_done_twice_is_asked_about(model, job, new_work, store):
    model.lose_answer = True
    model.on_start = lambda: model.foreign() and None
    with pytest.raises(TaskFailedError, match="cannot be told"):
        new_work(store).begin(replace(job, repeatable=False))


def test_a_start_that_was_refused_may_be_tried_again_at_once(bench, model, job, new_work, store):
    def refuse() -> None:
        raise BadRequestError("no such mapping")

    model.on_start = refuse
    with pytest.raises(BadRequestError):
        new_work(store).begin(job)
    assert bench.leases.all() == []
    model.on_start = lambda: None
    before = bench.clock.now()
    new_work(store).begin(job)
    assert bench.clock.now() == before


def test_other_input_is_another_job(model, job, new_work, store):
    work = new_work(store)
    run_to_end(work, work.begin(job), work._bench.clock)
    new_work(store).begin(replace(job, fingerprint="f2"))
    assert len(model.made) == 2


def test_a_cleared_task_waits_for_the_task_that_it_started_before(model, job, new_work, store):
    model.hold = True
    new_work(store).begin(job)
    with pytest.raises(ModelBusyError, match="earlier try still runs"):
        new_work(store, generation=1).begin(job)
    model.hold = False
    new_work(store, generation=1).begin(job)
    assert len(model.made) == 2


def test_the_upload_stops_when_the_lease_was_taken_over(bench, model, job, new_work, store):
    work = new_work(store)
    ready = model.ensure_ready

    def lose_the_lease() -> None:
        bench.leases.acquire(work.lease.resource, "task", LEASE_SECONDS)
        ready()

    model.ensure_ready = lose_the_lease
    with pytest.raises(FencedError):
        work.begin(job)
    assert model.uploads == []


def test_an_expired_lease_is_free_only_when_its_task_is_over_and_a_chunk_has_timed_out(
    bench, model, job, new_work, store
):
    model.hold = True
    new_work(store).begin(job)
    other = MemoryStore()
    bench.clock.advance(LEASE_SECONDS + 1)
    with pytest.raises(LeaseTakenError):
        new_work(other, owner="other").begin(job)
    bench.clock.advance(model.request_timeout)
    with pytest.raises(LeaseTakenError):
        new_work(other, owner="other").begin(job)
    model.made[0].state = TaskState.COMPLETE
    new_work(other, owner="other").begin(job)
    assert len(model.made) == 2
    assert EventKind.TAKEN_OVER in kinds(bench)


def test_an_expired_lease_with_an_unanswered_start_waits_for_every_task_of_the_action(
    bench, model, job, new_work, store
):
    model.on_start = dies
    with pytest.raises(KeyboardInterrupt):
        new_work(store).begin(job)
    model.on_start = lambda: None
    late = model.foreign()
    bench.clock.advance(LEASE_SECONDS + model.request_timeout + 1)
    with pytest.raises(LeaseTakenError):
        new_work(MemoryStore(), owner="other").begin(job)
    late.state = TaskState.COMPLETE
    new_work(MemoryStore(), owner="other").begin(job)


def test_a_long_upload_keeps_its_lease(bench, model, job, new_work, store):
    work = new_work(store)
    work.resume()
    first = work.lease.until
    bench.clock.advance(LEASE_SECONDS * 0.6)
    work.begin(job)
    assert work.lease.until > first + timedelta(seconds=LEASE_SECONDS * 0.5)


def test_a_task_past_its_deadline_is_cancelled(model, job, new_work, store):
    model.hold = True
    work = new_work(store, deadline=60.0)
    with pytest.raises(DeadlineError):
        run_to_end(work, work.begin(job), work._bench.clock)
    assert model.made[0].state is TaskState.CANCELLED


def test_some_failed_polls_are_borne_and_the_task_goes_on_when_they_are_too_many(model, job, new_work, store):
    work = new_work(store)
    ref = work.begin(job)
    answer, failures = model.task, 5

    def flaky(asked):
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise TransportError("the connection broke")
        return answer(asked)

    model.task = flaky
    assert run_to_end(work, ref, work._bench.clock).state is TaskState.COMPLETE
    failures = 10
    with pytest.raises(TransportError):
        run_to_end(work, ref, work._bench.clock)


def test_whoever_lost_the_lease_stops_following(bench, model, job, new_work, store):
    model.hold = True
    work = new_work(store)
    ref = work.begin(job)
    bench.leases.acquire(work.lease.resource, "task", LEASE_SECONDS)
    with pytest.raises(FencedError):
        run_to_end(work, ref, bench.clock)


def test_the_dump_is_taken_at_once_and_staged(bench, model, job, new_work, store):
    model.rejected = {"40100"}
    work = new_work(store)
    ref = work.begin(job)
    finished = work.finish(ref, run_to_end(work, ref, bench.clock))
    [dump] = finished.dumps
    assert "no such account" in bench.stage.fetch(dump.file).read_text()
    assert work.lease.remote is None
    assert bench.trail.events("run")[-1].files == (dump.file,)


def test_the_tolerance_decides_in_rows_or_in_percent():
    outcome = Outcome(True, sent=200, loaded=197, rejected=3, failure_dump=True)
    judge(outcome, Tolerance(rows=3), 200)
    judge(outcome, Tolerance(share=0.02), 200)
    with pytest.raises(TaskFailedError, match="3 of 200 rows were rejected, more than the 2 tolerated"):
        judge(outcome, Tolerance(rows=2), 200)
    with pytest.raises(TaskFailedError, match="did not succeed"):
        judge(Outcome(False, types=("importFailedGeneralError",)), Tolerance(rows=1000), 200)
