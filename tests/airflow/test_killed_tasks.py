# SPDX-License-Identifier: Apache-2.0
"""A task whose process is told to end: the remote task is cancelled when nobody will take it up, and only then.

And a deferred task that Airflow ends without telling anybody, as it does before a triggerer has taken the trigger up.
"""

import asyncio

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException, TaskDeferred
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_mlconnector.operators.anaplan import AnaplanImportOperator
from airflow_provider_mlconnector.trail.leases import Leases
from tests.airflow.fakes import FakeTaskInstance, make_context

OWNER = ("close", "manual__1", "load", -1)
ENDED_BY_A_PERSON = ("failed", "restarting", None)
GOING_ON = ("running", "up_for_retry", "queued")


@pytest.fixture
def load(tmp_path, site):
    """Start an import that takes hours, as far as to its deferral; return operator, context and deferral."""
    site.switch(task_seconds=7200, longest_task_seconds=7200)
    path = tmp_path / "vendors.csv"
    path.write_text("Code,Name\nV1,First\n")

    def start(**more):
        operator = AnaplanImportOperator(
            task_id="load", workspace="Finance", model="FP&A Hub", action="Load Vendors", file=str(path), **more
        )
        context = make_context()
        with pytest.raises(TaskDeferred) as deferred:
            operator.execute(context)
        return operator, context, deferred.value

    return lambda **more: start(deferrable=True, **more)


def _end(site):
    """End the remote task, long before the lease expires."""
    (task,) = site.control("anaplan/tasks", method="GET")["tasks"]
    site.control(f"anaplan/tasks/{task['task_id']}/cancel")
    site.clock.skip(5)


def _another(site, tmp_path, state):
    """Run another task in the same model, while Airflow says this of the first one."""
    site.switch(task_seconds=0.05, longest_task_seconds=0.3)
    context = make_context(ti=FakeTaskInstance("other"))
    context["ti"].states[OWNER] = state
    return AnaplanImportOperator(
        task_id="other",
        workspace="Finance",
        model="FP&A Hub",
        action="Load Vendors",
        file=str(tmp_path / "vendors.csv"),
    ).execute(context)


def _states(site):
    return [task["state"] for task in site.control("anaplan/tasks", method="GET")["tasks"]]


def _held(site):
    return Leases(site.trail.engine).all()


@pytest.mark.parametrize("state", ENDED_BY_A_PERSON)
def test_a_person_who_ends_a_task_cancels_the_remote_one_and_frees_the_model(site, load, state):
    operator, context, _ = load()
    context["ti"].states[OWNER] = state
    operator.on_kill()
    assert _states(site) == ["CANCELLED"]
    assert _held(site) == []


@pytest.mark.parametrize("state", GOING_ON)
def test_a_lost_process_leaves_its_remote_task_to_the_next_try(site, load, state):
    operator, context, _ = load()
    context["ti"].states[OWNER] = state
    operator.on_kill()
    assert _states(site) == ["IN_PROGRESS"]
    assert [lease.owner for lease in _held(site)] == ["close/manual__1/load"]


def test_a_process_that_is_lost_in_the_last_try_cancels_its_remote_task(site, load):
    operator, context, _ = load()
    context["ti"].try_number = context["ti"].max_tries + 1
    operator.on_kill()
    assert _states(site) == ["CANCELLED"]
    assert _held(site) == []


def test_a_process_that_lost_the_lease_to_a_later_try_cancels_nothing(site, load):
    operator, context, _ = load()
    context["ti"].states[OWNER] = "failed"
    (lease,) = _held(site)
    later = Leases(site.trail.engine).acquire(lease.resource, lease.owner, 900)
    operator.on_kill()
    assert _states(site) == ["IN_PROGRESS"]
    assert _held(site) == [later]


def test_a_remote_task_that_shall_go_on_is_not_cancelled(site, load):
    operator, context, _ = load(cancel_on_kill=False)
    context["ti"].states[OWNER] = "failed"
    operator.on_kill()
    assert _states(site) == ["IN_PROGRESS"]


def test_a_kill_before_the_start_is_no_error():
    AnaplanImportOperator(task_id="load", workspace="Finance", model="FP&A Hub", action="Load Vendors").on_kill()


def test_a_person_who_ends_a_deferred_task_cancels_the_remote_one_and_frees_the_model(site, load):
    _, _, deferred = load()
    _, kwargs = deferred.trigger.serialize()
    trigger = type(deferred.trigger)(**deserialize(serialize(kwargs)))
    asyncio.run(trigger.on_kill())
    assert _states(site) == ["CANCELLED"]
    assert [event.detail["confirmed"] for event in site.events("cancelled")] == [True]
    assert _held(site) == []


@pytest.mark.parametrize("state", ["failed", "success"])
def test_a_model_that_an_ended_task_left_is_free_once_its_remote_task_is_over(site, load, tmp_path, state):
    load()
    with pytest.raises(AirflowRescheduleException):
        _another(site, tmp_path, state)
    _end(site)
    assert _another(site, tmp_path, state)["loaded"] == 1
    assert [event.detail["from_owner"] for event in site.events("taken_over")] == ["close/manual__1/load"]
    assert _held(site) == []


@pytest.mark.parametrize("state", ["running", "deferred", "restarting", None])
def test_a_model_whose_holder_will_come_back_is_not_taken_from_it(site, load, tmp_path, state):
    load()
    _end(site)
    with pytest.raises(AirflowRescheduleException):
        _another(site, tmp_path, state)
    assert [lease.owner for lease in _held(site)] == ["close/manual__1/load"]
