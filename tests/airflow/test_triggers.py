# SPDX-License-Identifier: Apache-2.0
import asyncio
import threading
import time
from types import SimpleNamespace

import pytest
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    FencedError,
    ModelBusyError,
    ModelUnavailableError,
    ServerError,
)
from airflow_provider_mlconnector.systems.anaplan.tasks import Outcome, TaskState, TaskStatus
from airflow_provider_mlconnector.triggers.anaplan import AnaplanModelTrigger, AnaplanTaskTrigger

TASK = {
    "workspace_id": "8a81b09d599f3c6e0159f605560c2630",
    "model_id": "C61D8A2AB0A84A0C8F09CB42DBCB5E60",
    "kind": "import",
    "action_id": "112000000001",
    "task_id": "75A40874E6B64FA3AE0743278996850F",
}
RUNNING = TaskStatus(TASK["task_id"], TaskState.IN_PROGRESS)
DONE = TaskStatus(TASK["task_id"], TaskState.COMPLETE, outcome=Outcome(successful=True))


class FakeWatch:
    """Answers looks from a list; an exception in it is raised."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.cancelled = []
        self.closed = 0

    def look(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self, run_id):
        self.cancelled.append(run_id)

    def close(self):
        self.closed += 1


@pytest.fixture
def waits(monkeypatch):
    """Let no trigger sleep; note how long it would have."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    module = "airflow_provider_mlconnector.triggers.anaplan.asyncio"
    monkeypatch.setattr(module, SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    return slept


def _task_trigger(answers, **more):
    trigger = AnaplanTaskTrigger(**{"anaplan_conn_id": "a", "task": TASK, "deadline": time.time() + 3600, **more})
    trigger._watch = FakeWatch(answers)
    return trigger


def _model_trigger(answers, seconds=3600.0):
    trigger = AnaplanModelTrigger(
        anaplan_conn_id="a", workspace="w", model="m", deadline=time.time() + seconds, interval=30
    )
    trigger._watch = FakeWatch(answers)
    return trigger


def _events(trigger):
    async def collect():
        return [event.payload async for event in trigger.run()]

    return asyncio.run(collect())


@pytest.mark.parametrize("trigger", [_task_trigger([], lease={"resource": "h/M", "token": 3}), _model_trigger([])])
def test_a_trigger_goes_on_in_another_process_as_it_was(trigger):
    path, kwargs = trigger.serialize()
    assert path == f"{type(trigger).__module__}.{type(trigger).__name__}"
    again = type(trigger)(**deserialize(serialize(kwargs)))
    assert again.serialize() == trigger.serialize()


def test_a_trigger_stored_before_an_upgrade_still_starts():
    older = {"anaplan_conn_id": "a", "task": TASK, "deadline": 1.0}
    assert AnaplanTaskTrigger(**older).cancel_on_kill is True


def test_a_malformed_address_is_refused_before_anything_is_stored():
    with pytest.raises(Exception, match="task_id"):
        AnaplanTaskTrigger(anaplan_conn_id="a", task={**TASK, "task_id": None}, deadline=1.0)


def test_the_first_look_comes_late_and_the_end_of_the_task_wakes_the_worker(waits):
    events = _events(_task_trigger([RUNNING, RUNNING, DONE], first_poll=10.0))
    assert [event["status"] for event in events] == ["done"]
    assert events[0]["task"] == TASK
    assert waits[0] == 10.0
    assert all(wait >= 5.0 for wait in waits[1:])


def test_a_few_failed_looks_do_not_wake_the_worker(waits):
    events = _events(_task_trigger([ServerError("x"), ServerError("x"), DONE]))
    assert [event["status"] for event in events] == ["done"]


def test_a_task_that_cannot_be_followed_is_left_in_place(waits):
    trigger = _task_trigger([AuthenticationError("Wrong password.")])
    events = _events(trigger)
    assert events[0]["status"] == "give_up"
    assert "Wrong password" in events[0]["message"]
    assert trigger._watch.cancelled == []


def test_a_lost_lease_wakes_the_worker_at_once(waits):
    assert _events(_task_trigger([FencedError("Taken over.")]))[0]["status"] == "give_up"


def test_a_deadline_wakes_the_worker_which_cancels(waits):
    trigger = _task_trigger([RUNNING], deadline=time.time() - 1)
    assert _events(trigger)[0]["status"] == "timeout"
    assert trigger._watch.cancelled == []


def test_a_person_who_kills_the_task_cancels_the_remote_one():
    trigger = _task_trigger([], run_id="run-1")
    asyncio.run(trigger.on_kill())
    assert trigger._watch.cancelled == ["run-1"]


def test_a_triggerer_that_cancels_again_and_again_does_not_stop_the_cancelling_of_the_remote_task():
    trigger = _task_trigger([], run_id="run-1")
    told, may_go_on = threading.Event(), threading.Event()

    def slow_cancel(run_id):
        told.set()
        may_go_on.wait(5)
        trigger._watch.cancelled.append(run_id)

    trigger._watch.cancel = slow_cancel

    async def kill():
        killing = asyncio.create_task(trigger.on_kill())
        await asyncio.to_thread(told.wait, 5)
        for _ in range(3):
            killing.cancel()
            await asyncio.sleep(0)
        assert not killing.done()
        may_go_on.set()
        await killing

    asyncio.run(kill())
    assert trigger._watch.cancelled == ["run-1"]


def test_a_person_may_have_chosen_that_it_goes_on():
    trigger = _task_trigger([], cancel_on_kill=False)
    asyncio.run(trigger.on_kill())
    assert trigger._watch.cancelled == []


def test_a_restart_of_the_triggerer_closes_connections_and_cancels_nothing():
    trigger = _task_trigger([])
    asyncio.run(trigger.cleanup())
    assert trigger._watch.closed == 1
    assert trigger._watch.cancelled == []


def test_an_event_holds_json_alone_and_no_secret(waits):
    event = _events(_task_trigger([DONE]))[0]
    assert set(event) == {"status", "message", "task"}


def test_a_model_that_becomes_free_wakes_the_worker(waits):
    events = _events(_model_trigger([ModelBusyError("Busy.", state="locked"), None]))
    assert [event["status"] for event in events] == ["ready"]
    assert waits == [30, 30]


def test_a_model_that_no_waiting_helps_wakes_the_worker(waits):
    events = _events(_model_trigger([ModelUnavailableError("Archived.")]))
    assert events == [{"status": "give_up", "message": "[MLC-ANA-03] Archived."}]


def test_a_model_that_stays_busy_wakes_the_worker_at_the_deadline(waits):
    assert _events(_model_trigger([], seconds=-1))[0]["status"] == "timeout"


def test_a_model_that_cannot_be_asked_again_and_again_wakes_the_worker(waits):
    events = _events(_model_trigger([ServerError("Down.")] * 6))
    assert events[0]["status"] == "give_up"
    assert len(waits) == 6
