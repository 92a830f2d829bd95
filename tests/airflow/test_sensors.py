# SPDX-License-Identifier: Apache-2.0
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred

from airflow_provider_mlconnector.sensors.anaplan import AnaplanModelSensor, AnaplanTaskSensor
from tests.airflow.fakes import make_context

MODEL = {"workspace": "Finance", "model": "FP&A Hub"}


@pytest.fixture
def running(site):
    """Give the address of an import that somebody started in the model."""
    site.switch(task_seconds=600, longest_task_seconds=600)
    site.control("anaplan/tasks", {"action": "Delete Vendors"})
    site.clock.skip(1)
    anaplan = site.info["anaplan"]
    task = site.control("anaplan/tasks", method="GET")["tasks"][-1]
    return {
        "workspace_id": anaplan["workspace_id"],
        "model_id": anaplan["model_id"],
        "kind": "action",
        "action_id": anaplan["action_ids"]["Delete Vendors"],
        "task_id": task["task_id"],
    }


def _task_sensor(address, **more):
    return AnaplanTaskSensor(task_id="wait", address=address, **more)


def test_a_task_that_runs_is_waited_for(site, running):
    assert not _task_sensor(running).poke(make_context())


def test_a_task_that_is_over_tells_its_counts(site, running):
    site.clock.skip(900)
    found = _task_sensor(running).poke(make_context())
    assert found
    assert found.xcom_value["successful"] is True


def test_a_cancelled_task_fails_the_sensor(site, running):
    site.control(f"anaplan/tasks/{running['task_id']}/cancel")
    site.clock.skip(5)
    with pytest.raises(AirflowFailException, match="cancelled"):
        _task_sensor(running).poke(make_context())


def test_a_sensor_waits_in_the_triggerer_and_never_cancels_what_it_did_not_start(site, running):
    context = make_context()
    with pytest.raises(TaskDeferred) as deferred:
        _task_sensor(running, deferrable=True).execute(context)
    kwargs = deferred.value.trigger.serialize()[1]
    assert kwargs["cancel_on_kill"] is False
    assert kwargs["lease"] is None
    site.clock.skip(900)
    event = {"status": "done", "message": "It is over."}
    assert _task_sensor(running, deferrable=True).execute_complete(context, event=event)["successful"] is True


def test_a_sensor_that_is_woken_too_early_goes_on_waiting_until_its_time_is_over(site, running):
    context = make_context()
    woken = {"status": "give_up", "message": "The network went away."}
    with pytest.raises(TaskDeferred):
        _task_sensor(running, deferrable=True).execute_complete(context, event=woken)
    with pytest.raises(AirflowSensorTimeout):
        _task_sensor(running, deferrable=True, timeout=0).execute_complete(context, event=woken)


def test_a_free_model_is_found_at_once(site):
    assert AnaplanModelSensor(task_id="wait", **MODEL).poke(make_context())
    assert AnaplanModelSensor(task_id="wait", deferrable=True, **MODEL).execute(make_context()) is None


def test_a_locked_model_is_waited_for(site):
    site.control("anaplan/model", {"state": "LOCKED"})
    assert not AnaplanModelSensor(task_id="wait", **MODEL).poke(make_context())
    with pytest.raises(TaskDeferred) as deferred:
        AnaplanModelSensor(task_id="wait", deferrable=True, poke_interval=30, **MODEL).execute(make_context())
    assert deferred.value.trigger.interval == 30


def test_an_archived_model_fails_the_sensor(site):
    site.control("anaplan/model", {"state": "ARCHIVED"})
    with pytest.raises(AirflowFailException, match="archived"):
        AnaplanModelSensor(task_id="wait", **MODEL).poke(make_context())


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"status": "timeout", "message": "Too late."}, AirflowSensorTimeout),
        ({"status": "give_up", "message": "Gone."}, AirflowFailException),
        (None, AirflowFailException),
    ],
)
def test_a_model_sensor_fails_with_what_its_trigger_says(event, error):
    with pytest.raises(error):
        AnaplanModelSensor(task_id="wait", **MODEL).execute_complete(make_context(), event=event)


def test_a_model_sensor_ends_when_the_model_is_free():
    event = {"status": "ready", "message": "The model is free."}
    assert AnaplanModelSensor(task_id="wait", **MODEL).execute_complete(make_context(), event=event) is None
