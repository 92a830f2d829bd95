# SPDX-License-Identifier: Apache-2.0
"""Waiting for a planner's flag: a cell of the sandbox's model, looked at by the sensor and by its trigger."""

import asyncio
import time

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_mlconnector.dags import plan_dag
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plan_spec import FlagSpec
from airflow_provider_mlconnector.sensors.anaplan import AnaplanApprovalSensor
from airflow_provider_mlconnector.triggers.anaplan import AnaplanFlagTrigger
from tests.airflow.closing_runs import FLOW, changed
from tests.airflow.fakes import make_context

MODEL = {"workspace": "Finance", "model": "FP&A Hub"}
LINE = {"Entity": "Larkfield", "Version": "Budget", "Time": "Nov 26"}
READY = {"status": "ready", "message": "The flag is set."}


def sensor(**more):
    fields = {"view": "Plan Approvals", "at": LINE, "item": "Approved", **MODEL, **more}
    return AnaplanApprovalSensor(task_id="wait", **fields)


def tick(site, approved=True, **line):
    """Let a planner tick the box, or take the tick away."""
    cell = {**LINE, **line, "Approved": approved}
    site.control("anaplan/cells", {"module": "Plan Approval", "cells": [cell]})


def test_a_plan_is_waited_for_until_its_planner_ticks_it(site):
    assert not sensor().poke(make_context())
    tick(site)
    assert sensor().poke(make_context())
    tick(site, approved=False)
    assert not sensor().poke(make_context())


@pytest.mark.parametrize("value", ["true", "TRUE", " True "])
def test_upper_and_lower_case_are_alike(site, value):
    tick(site)
    assert sensor(value=value).poke(make_context())


def test_any_text_can_be_waited_for(site):
    assert sensor(value="false").poke(make_context())


def test_the_tick_of_another_line_is_none(site):
    tick(site, Time="Dec 26")
    assert not sensor().poke(make_context())


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"view": "Approvals"}, r"has no view named 'Approvals'.*Known: .*Plan Approval\.Plan Approvals"),
        ({"item": "Agreed"}, "has no column 'Agreed'. Known: Approved, Entity, Time, Version"),
        ({"at": {**LINE, "Company": "Larkfield"}}, "has no column 'Company'. Known: Approved, Entity"),
        ({"at": {**LINE, "Time": "November"}}, "Time is never 'November'. Known: Apr 25"),
        ({"at": {"Entity": "Larkfield", "Time": "Nov 26"}}, "has 3 lines of Larkfield, Nov 26. Say which"),
        ({"at": None}, "has 720 lines of the whole view"),
    ],
)
def test_a_line_or_item_that_is_not_there_is_told_with_what_there_is(site, wrong, sentence):
    with pytest.raises(AirflowFailException, match=sentence):
        sensor(**wrong).poke(make_context())


def test_a_model_that_is_locked_is_waited_for(site):
    tick(site)
    site.control("anaplan/model", {"state": "LOCKED"})
    assert not sensor().poke(make_context())


def test_the_worker_looks_again_before_it_goes_on(site):
    """Somebody may take the tick away while the worker is on its way."""
    tick(site)
    assert sensor(deferrable=True).execute_complete(make_context(), event=READY) is None
    tick(site, approved=False)
    with pytest.raises(TaskDeferred):
        sensor(deferrable=True).execute_complete(make_context(), event=READY)


def test_a_sensor_waits_in_the_triggerer_until_its_time_is_over(site):
    with pytest.raises(TaskDeferred) as deferred:
        sensor(deferrable=True, poke_interval=30).execute(make_context())
    trigger = deferred.value.trigger
    path, kwargs = trigger.serialize()
    again = AnaplanFlagTrigger(**deserialize(serialize(kwargs)))
    assert again.serialize() == (path, kwargs)
    assert path.endswith("triggers.anaplan.AnaplanFlagTrigger")
    assert trigger.interval == 30
    assert deferred.value.timeout is None
    with pytest.raises(AirflowSensorTimeout):
        sensor(deferrable=True, timeout=0).execute(make_context())


def test_the_trigger_sees_the_tick(site):
    def events(seconds):
        flag = {"view": "Plan Approvals", "places": [LINE], "item": "Approved", "value": "true"}
        trigger = AnaplanFlagTrigger(
            anaplan_conn_id="anaplan_default", **MODEL, flag=flag, deadline=time.time() + seconds, interval=0.05
        )

        async def collect():
            found = [event.payload async for event in trigger.run()]
            await trigger.cleanup()
            return found

        return asyncio.run(collect())

    assert [event["status"] for event in events(0.3)] == ["timeout"]
    tick(site)
    assert events(60) == [READY]


# As the first task of a plan


@pytest.fixture(scope="module")
def flagged():
    flow = load_flow(FLOW)
    flag = FlagSpec(
        view="Plan Approvals", at={"Entity": "Larkfield", "Version": "Budget", "Time": "{period}"}, item="Approved"
    )
    return changed(flow, plan=(flow.spec.plan[0].model_copy(update={"flag": flag}),))


def test_a_plan_with_a_flag_waits_for_it_before_it_exports(flagged):
    dag = plan_dag(flagged, flagged.spec.plan[0])
    (first,) = dag.roots
    assert (first.task_id, first.downstream_task_ids, first.pool) == ("flag", {"export"}, "default_pool")
    assert "**Approved** of **Plan Approvals** is `true`" in first.doc_md
    assert first.doc_md in dag.doc_md


def test_a_run_of_several_periods_waits_for_the_flags_of_all(site, flagged):
    task = plan_dag(flagged, flagged.spec.plan[0]).get_task("flag")
    context = make_context(partition_key=None, params={"periods": ["FY2027-P05", "FY2027-P06"]})
    tick(site)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context)
    assert [place["Time"] for place in deferred.value.trigger.flag.places] == ["Nov 26", "Dec 26"]
    tick(site, Time="Dec 26")
    assert task.execute_complete(context, event=READY) is None
