# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    LostAnswerError,
    NotFoundError,
    ServerError,
    TransportError,
)
from airflow_provider_mlconnector.systems.anaplan.jobs import (
    POLL_AT_MOST,
    TRIGGER_FIRST_WAIT,
    JobRecord,
    Move,
    Phase,
    Step,
    TaskPoller,
    decide_start,
)
from airflow_provider_mlconnector.systems.anaplan.tasks import Outcome, TaskState, TaskStatus, TaskSummary

RUNNING = TaskStatus("T", TaskState.IN_PROGRESS, "Loading", 0.5)


def over(**outcome):
    return TaskStatus("T", TaskState.COMPLETE, outcome=Outcome(**outcome))


def test_the_trigger_waits_ten_seconds_before_its_first_poll_and_the_worker_less():
    assert TaskPoller(1000.0, first_wait=TRIGGER_FIRST_WAIT).first(0.0).wait == 10.0
    assert TaskPoller(1000.0).first(0.0).wait == 0.05


def test_the_worker_soon_asks_every_five_seconds_as_the_trigger_does():
    worker, trigger = TaskPoller(1e9), TaskPoller(1e9, first_wait=TRIGGER_FIRST_WAIT)
    assert [worker.on_status(RUNNING, 0.0).wait for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 6.25]
    assert [trigger.on_status(RUNNING, 0.0).wait for _ in range(2)] == [5.0, 6.25]


def test_polls_grow_to_a_minute():
    poller = TaskPoller(1e9)
    waits = [poller.on_status(RUNNING, 0.0).wait for _ in range(30)]
    assert waits[-1] == POLL_AT_MOST == 60.0
    assert all(earlier <= later for earlier, later in pairwise(waits))


def test_no_wait_goes_beyond_the_deadline_and_after_it_the_task_is_to_be_cancelled():
    poller = TaskPoller(103.0, first_wait=TRIGGER_FIRST_WAIT)
    assert poller.on_status(RUNNING, 100.0).wait == 3.0
    assert poller.on_status(RUNNING, 103.0).step is Step.TIMEOUT


def test_a_task_that_ended_well_after_the_deadline_is_still_done():
    assert TaskPoller(100.0).on_status(over(successful=True), 200.0).step is Step.DONE


@pytest.mark.parametrize("state", [TaskState.NOT_STARTED, TaskState.CANCELLING, TaskState.UNKNOWN])
def test_states_that_are_not_over_are_waited_through(state):
    assert TaskPoller(100.0).on_status(TaskStatus("T", state), 0.0).step is Step.WAIT


def test_complete_is_done_only_when_the_work_was_done():
    assert TaskPoller(100.0).on_status(over(successful=True, sent=3, loaded=3), 0.0).step is Step.DONE
    assert TaskPoller(100.0).on_status(over(successful=False, sent=3, loaded=1, rejected=2), 0.0).step is Step.DONE
    failed = TaskPoller(100.0).on_status(
        over(successful=False, messages=("No access.",), types=("notAuthorised",)), 0.0
    )
    assert failed.step is Step.FAILED
    assert "No access." in failed.message
    assert "role" in failed.message


def test_complete_without_a_result_is_not_taken_for_success():
    assert TaskPoller(100.0).on_status(TaskStatus("T", TaskState.COMPLETE), 0.0).step is Step.FAILED


def test_cancelled_ends_the_wait_and_says_by_whom():
    decision = TaskPoller(100.0).on_status(TaskStatus("T", TaskState.CANCELLED, cancelled_by="jane"), 0.0)
    assert decision.step is Step.CANCELLED
    assert "by jane" in decision.message


def test_five_failed_polls_in_a_row_are_borne_and_the_sixth_gives_up():
    poller = TaskPoller(1e9)
    steps = [poller.on_error(TransportError("blip"), 0.0).step for _ in range(6)]
    assert steps == [Step.WAIT] * 5 + [Step.GIVE_UP]


def test_an_answer_in_between_starts_the_count_anew():
    poller = TaskPoller(1e9)
    for _ in range(20):
        assert poller.on_error(ServerError("blip"), 0.0).step is Step.WAIT
        poller.on_status(RUNNING, 0.0)


def test_a_poll_that_was_not_answered_in_time_is_borne():
    assert TaskPoller(1e9).on_error(LostAnswerError("slow"), 0.0).step is Step.WAIT


@pytest.mark.parametrize("error", [AuthenticationError("no"), NotFoundError("gone"), ValueError("bug")])
def test_an_error_that_no_later_try_can_help_gives_up_at_once(error):
    assert TaskPoller(1e9).on_error(error, 0.0).step is Step.GIVE_UP


def test_errors_after_the_deadline_end_the_wait_too():
    assert TaskPoller(100.0).on_error(TransportError("blip"), 101.0).step is Step.TIMEOUT


@settings(deadline=None)
@given(
    deadline=st.floats(0, 1e6),
    events=st.lists(st.tuples(st.sampled_from(["status", "error"]), st.floats(0.0, 100.0)), max_size=60),
)
def test_every_wait_is_positive_and_within_cadence_and_deadline(deadline, events):
    poller, now = TaskPoller(deadline), 0.0
    for what, passed in events:
        now += passed
        decision = poller.on_status(RUNNING, now) if what == "status" else poller.on_error(TransportError("x"), now)
        if decision.step is not Step.WAIT:
            assert decision.step is Step.GIVE_UP or now >= deadline
            return
        assert 0.0 < decision.wait <= min(POLL_AT_MOST, deadline - now)
        now += decision.wait


POSTED = JobRecord(phase=Phase.INTENT, generation=1, fingerprint="f", listed_before=("OLD",), posted_at=1000.0)
OLD = TaskSummary("OLD", TaskState.COMPLETE)


def decide(record, *listed, now=1001.0, generation=1, fingerprint="f", repeatable=True):
    return decide_start(
        record,
        generation=generation,
        fingerprint=fingerprint,
        listed=listed,
        now=now,
        request_timeout=300.0,
        repeatable=repeatable,
    )


def running(task_id):
    return TaskSummary(task_id, TaskState.IN_PROGRESS)


def test_a_new_job_is_posted():
    assert decide(None).move is Move.POST


@pytest.mark.parametrize("change", [{"generation": 2}, {"fingerprint": "other"}])
def test_a_cleared_task_and_another_input_are_new_jobs(change):
    record = JobRecord(phase=Phase.RUNNING, generation=1, fingerprint="f", task_id="T")
    assert decide(record, **change).move is Move.POST


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.DONE])
def test_a_job_with_a_task_is_taken_up(phase):
    record = JobRecord(phase=phase, generation=1, fingerprint="f", task_id="T")
    decision = decide(record)
    assert (decision.move, decision.task_ids) == (Move.ADOPT, ("T",))


def test_an_intent_that_was_never_sent_is_posted():
    assert decide(JobRecord(phase=Phase.INTENT, generation=1, fingerprint="f")).move is Move.POST


def test_a_lost_start_without_a_new_task_is_looked_for_until_the_request_can_no_longer_take_effect():
    looking = decide(POSTED, OLD, now=1298.0)
    assert (looking.move, looking.wait) == (Move.LOOK_AGAIN, 2.0)
    assert decide(POSTED, OLD, now=1300.0).move is Move.POST


def test_a_lost_start_with_one_new_task_is_adopted():
    decision = decide(POSTED, OLD, running("NEW"))
    assert (decision.move, decision.task_ids) == (Move.ADOPT, ("NEW",))


def test_several_new_tasks_are_waited_for_and_then_the_work_is_done_once_more():
    decision = decide(POSTED, OLD, running("A"), running("B"), TaskSummary("C", TaskState.COMPLETE))
    assert (decision.move, decision.task_ids) == (Move.WAIT_FOR, ("A", "B"))
    over_now = [TaskSummary(name, TaskState.COMPLETE) for name in "AB"]
    assert decide(POSTED, OLD, *over_now).move is Move.POST


def test_work_that_may_not_be_done_twice_asks_a_person():
    decision = decide(POSTED, OLD, running("A"), running("B"), repeatable=False)
    assert decision.move is Move.ASK
    assert "A, B" in decision.message


def test_a_record_survives_json():
    assert JobRecord.from_json(json.loads(json.dumps(POSTED.to_json()))) == POSTED


@settings(deadline=None)
@given(
    before=st.sets(st.sampled_from("abcdef")),
    now_listed=st.sets(st.sampled_from("abcdef")),
    now=st.floats(1000, 2000),
    repeatable=st.booleans(),
)
def test_no_second_task_is_posted_while_the_first_may_exist(before, now_listed, now, repeatable):
    record = JobRecord(phase=Phase.INTENT, generation=1, fingerprint="f", listed_before=tuple(before), posted_at=1000.0)
    decision = decide(record, *map(running, now_listed), now=now, repeatable=repeatable)
    if decision.move is Move.POST:
        assert not now_listed - before
        assert now >= 1300.0
