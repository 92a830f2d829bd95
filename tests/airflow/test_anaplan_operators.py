# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, TaskDeferred
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_mlconnector.errors import ServerError, TaskCancelledError
from airflow_provider_mlconnector.hooks.anaplan import AnaplanHook
from airflow_provider_mlconnector.operators.anaplan import (
    AnaplanDeleteOperator,
    AnaplanExportOperator,
    AnaplanImportOperator,
    AnaplanProcessOperator,
    AnaplanUploadOperator,
)
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.triggers import anaplan as triggers
from tests.airflow.fakes import FakeStateStore, make_context

MODEL = {"workspace": "Finance", "model": "FP&A Hub"}
VENDORS = "Code,Name\nV1,First\nV2,Second\n"


@pytest.fixture
def vendors(tmp_path):
    path = tmp_path / "vendors.csv"
    path.write_text(VENDORS)
    return str(path)


def _import(vendors, **more):
    return AnaplanImportOperator(task_id="load", action="Load Vendors", file=vendors, **MODEL, **more)


def _held(site):
    return Leases(site.trail.engine).all()


def _run(operator, context):
    """Run a task as a worker does, in a process of its own: nothing is kept in the operator."""
    return operator.execute(context)


def _slow(site, seconds=7200):
    site.switch(task_seconds=seconds, longest_task_seconds=seconds)


def test_an_import_uploads_its_file_and_tells_what_became_of_the_rows(site, vendors):
    context = make_context()
    done = _run(_import(vendors), context)
    assert (done["sent"], done["loaded"], done["rejected"], done["successful"]) == (2, 2, 0, True)
    assert done["dumps"] == []
    members = site.control("anaplan/members?list=Vendors", method="GET")["members"]
    assert {"V1", "V2"} <= {member["code"] for member in members}
    json.dumps(done)


def test_handles_and_links_show_before_the_end(site, vendors):
    context = make_context()
    done = _run(_import(vendors), context)
    pushed = context["ti"].pushed
    assert pushed["anaplan_task"]["task_id"] == done["task_id"]
    assert pushed["_link_AnaplanTaskLink"].endswith(f"/tasks/{done['task_id']}")
    assert site.info["anaplan"]["model_id"] in pushed["_link_AnaplanModelLink"]


def test_the_trail_tells_the_whole_way_and_the_lease_is_given_back(site, vendors):
    _run(_import(vendors), make_context())
    kinds = [event.kind for event in site.events()]
    assert [kind for kind in kinds if kind in ("leased", "uploaded", "started", "finished")] == [
        "leased",
        "uploaded",
        "started",
        "finished",
    ]
    assert _held(site) == []
    assert site.trail.runs()[0].outcome == "succeeded"


def test_a_changed_header_is_refused_before_anything_is_sent(site, tmp_path):
    path = tmp_path / "wrong.csv"
    path.write_text("Name,Code\nFirst,V1\n")
    with pytest.raises(AirflowFailException, match="expects the columns Code, Name; the file has Name, Code"):
        _run(_import(str(path)), make_context())
    assert site.starts() == {}
    assert site.world.stats.count("anaplan", method="PUT") == 0
    assert site.trail.runs()[0].outcome == "failed"


def test_a_missing_import_lists_what_there_is(site):
    operator = AnaplanImportOperator(task_id="load", action="Load Venders", **MODEL)
    with pytest.raises(AirflowFailException, match="Load Vendors"):
        _run(operator, make_context())


def test_a_missing_file_is_told(site):
    with pytest.raises(AirflowFailException, match=r"no file /nowhere\.csv"):
        _run(_import("/nowhere.csv"), make_context())


def test_a_file_may_come_from_an_object_store(site, vendors):
    assert _run(_import(f"file://{vendors}"), make_context())["loaded"] == 2


GL_ACTUALS = (
    "Account,Cost Centre,Entity,Version,Time,Amount\n"
    "NOWHERE,NONE,Larkfield,Actual,Nov 25,1\nNOWHERE2,NONE,Larkfield,Actual,Nov 25,2\n"
)


@pytest.mark.parametrize(("tolerate", "accepted"), [(0, False), (1, False), (2, True), ("50%", False), ("100%", True)])
def test_a_tolerance_decides_about_rejected_rows_which_are_on_the_trail(site, tmp_path, tolerate, accepted):
    path = tmp_path / "cells.csv"
    path.write_text(GL_ACTUALS)
    operator = AnaplanImportOperator(
        task_id="load", action="Load GL Actuals", file=str(path), tolerate=tolerate, **MODEL
    )
    if accepted:
        done = _run(operator, make_context())
        assert done["rejected"] == 2
        assert len(done["dumps"]) == 1
    else:
        with pytest.raises(AirflowFailException, match="rejected"):
            _run(operator, make_context())
    run = site.trail.runs()[0]
    rejects = [row.reject for row in site.trail.rejects(run.run_id)]
    assert [reject.values["Account"] for reject in rejects] == ["NOWHERE", "NOWHERE2"]
    assert [reject.line for reject in rejects] == [1, 2]
    assert all(reject.reason for reject in rejects)
    assert _held(site) == []


def test_an_export_lands_where_it_is_wanted(site, tmp_path):
    site.control("anaplan/plan", {"first": "Jul 26"})
    target = tmp_path / "out" / "budget.csv"
    operator = AnaplanExportOperator(task_id="get", action="Approved Budget", target=str(target), **MODEL)
    done = _run(operator, make_context())
    assert done["bytes"] == target.stat().st_size > 0
    assert [event.detail["sha256"] for event in site.events("exported")] == [done["sha256"]]


def test_an_export_may_land_in_an_object_store(site, tmp_path):
    target = f"file://{tmp_path}/bucket/budget.csv"
    _run(AnaplanExportOperator(task_id="get", action="Approved Budget", target=target, **MODEL), make_context())
    assert (tmp_path / "bucket" / "budget.csv").exists()


def test_a_file_is_uploaded_under_the_lease(site, vendors):
    operator = AnaplanUploadOperator(task_id="put", file_name="Load Vendors.csv", path=vendors, **MODEL)
    done = _run(operator, make_context())
    assert done["bytes"] == len(VENDORS)
    assert done["file_id"] == site.info["anaplan"]["file_ids"]["Load Vendors"]
    assert _held(site) == []


def test_a_process_runs_its_actions(site, tmp_path):
    for name, text in {
        "Load Accounts": "Code,Name,Parent\nA1,One,\n",
        "Load Cost Centres": "Code,Name,Parent\nC1,One,\n",
        "Load GL Actuals": "Account,Cost Centre,Entity,Version,Time,Amount\nA1,C1,Larkfield,Actual,Nov 25,7\n",
    }.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        _run(AnaplanUploadOperator(task_id="put", file_name=path.name, path=str(path), **MODEL), make_context())
    done = _run(AnaplanProcessOperator(task_id="all", action="Load All", **MODEL), make_context())
    assert done["successful"]
    assert done["loaded"] >= 3


def test_a_delete_action_runs(site, vendors):
    _run(_import(vendors), make_context())
    assert _run(AnaplanDeleteOperator(task_id="rm", action="Delete Vendors", **MODEL), make_context())["successful"]
    assert site.starts()["Delete Vendors"] == 1


# Deferral, retries, clears


def _deferred(site, operator, context):
    with pytest.raises(TaskDeferred) as deferred:
        _run(operator, context)
    return deferred.value


def _event_of(trigger, monkeypatch, site):
    """Run a trigger as the triggerer does, from what is stored of it."""
    _, kwargs = trigger.serialize()
    again = type(trigger)(**deserialize(serialize(kwargs)))

    async def sleep(seconds):
        site.clock.skip(seconds)

    async def first_event():
        with monkeypatch.context() as patch:
            patch.setattr(triggers, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
            patch.setattr(triggers, "time", SimpleNamespace(time=site.clock.monotonic))
            async for event in again.run():
                await again.cleanup()
                return event.payload

    return asyncio.run(first_event())


def test_a_long_import_defers_and_another_process_finishes_it(site, vendors, monkeypatch):
    _slow(site, 600)
    context = make_context()
    deferred = _deferred(site, _import(vendors, deferrable=True), context)
    assert deferred.method_name == "execute_complete"
    assert deferred.timeout is None
    assert deferred.trigger.serialize()[1]["lease"]["resource"].endswith(site.info["anaplan"]["model_id"])
    assert "password" not in json.dumps([deferred.trigger.serialize(), deferred.kwargs])
    assert len(_held(site)) == 1

    event = _event_of(deferred.trigger, monkeypatch, site)
    assert event["status"] == "done"
    kwargs = deserialize(serialize(deferred.kwargs))
    done = _import(vendors, deferrable=True).execute_complete(context, event=event, **kwargs)
    assert done["loaded"] == 2
    assert site.starts() == {"Load Vendors": 1}
    assert _held(site) == []


def test_a_short_import_never_defers(site, vendors):
    assert _run(_import(vendors, deferrable=True), make_context())["loaded"] == 2
    assert sum(site.clock.waits) <= 15


def test_a_trigger_that_died_leaves_one_task_which_the_retry_takes_up(site, vendors):
    _slow(site, 600)
    store = FakeStateStore()
    _deferred(site, _import(vendors, deferrable=True), make_context(store=store))
    site.clock.skip(900)
    done = _run(_import(vendors, deferrable=True), make_context(store=store))
    assert done["loaded"] == 2
    assert site.starts() == {"Load Vendors": 1}
    assert len(site.events("adopted")) == 1


def test_a_lost_answer_starts_no_second_task(site, vendors):
    site.control("faults", {"kind": "lost_answer", "system": "anaplan", "method": "POST", "path": "/imports/.*/tasks"})
    done = _run(_import(vendors), make_context())
    assert done["loaded"] == 2
    assert site.starts() == {"Load Vendors": 1}


def test_a_cleared_task_runs_its_import_again(site, vendors):
    store = FakeStateStore()
    _run(_import(vendors), make_context(store=store))
    _run(_import(vendors), make_context(store=store, clear_number=1))
    assert site.starts() == {"Load Vendors": 2}


def test_an_event_that_is_none_fails_loudly(site, vendors):
    with pytest.raises(AirflowFailException, match="no event of ours"):
        _import(vendors).execute_complete(make_context(), event=None, started={})


def test_a_task_that_somebody_cancelled_is_tried_again(site, vendors, monkeypatch):
    _slow(site)
    context = make_context()
    deferred = _deferred(site, _import(vendors, deferrable=True), context)
    site.control(f"anaplan/tasks/{context['ti'].pushed['anaplan_task']['task_id']}/cancel")
    event = _event_of(deferred.trigger, monkeypatch, site)
    assert event["status"] == "cancelled"
    with pytest.raises(TaskCancelledError):
        _import(vendors, deferrable=True).execute_complete(context, event=event, **deferred.kwargs)
    assert _held(site) == []


def test_a_deadline_cancels_the_remote_task_and_fails_for_good(site, vendors):
    _slow(site)
    with pytest.raises(AirflowFailException, match="deadline has passed"):
        _run(_import(vendors, deadline=timedelta(minutes=5)), make_context())
    states = [task["state"] for task in site.control("anaplan/tasks", method="GET")["tasks"]]
    assert states == ["CANCELLED"]
    assert _held(site) == []


# Waiting for the model


@pytest.mark.parametrize("state", ["LOCKED", "MAINTENANCE"])
def test_a_busy_model_is_waited_for_without_a_slot_and_each_wait_is_on_the_trail(site, vendors, state):
    site.control("anaplan/model", {"state": state})
    context = make_context()
    with pytest.raises(AirflowRescheduleException) as left:
        _run(_import(vendors), context)
    assert left.value.reschedule_date > site.clock.now()
    assert [event.detail["code"] for event in site.events("waited")] == ["MLC-ANA-02"]
    assert _held(site) == []
    site.control("anaplan/model", {"state": "UNLOCKED"})
    assert _run(_import(vendors), context)["loaded"] == 2


def test_waits_grow_and_end_at_the_deadline(site, vendors):
    site.control("anaplan/model", {"state": "LOCKED"})
    context, waits = make_context(), []

    def wait_until_it_fails():
        while len(waits) < 40:
            try:
                _run(_import(vendors, deadline=timedelta(minutes=30)), context)
            except AirflowRescheduleException as left:
                waits.append((left.reschedule_date - site.clock.now()).total_seconds())
                site.clock.skip(waits[-1])

    with pytest.raises(AirflowFailException, match="Waited in vain"):
        wait_until_it_fails()
    assert waits[0] < 15
    assert max(waits) <= 300
    assert 1200 < sum(waits) <= 1800


def test_an_archived_model_fails_at_once(site, vendors):
    site.control("anaplan/model", {"state": "ARCHIVED"})
    with pytest.raises(AirflowFailException, match="archived"):
        _run(_import(vendors), make_context())


def test_a_model_at_work_for_another_task_is_left_without_a_slot(site, vendors):
    lease = Leases(site.trail.engine, site.clock)
    resource = f"{site.url.removeprefix('http://')}/{site.info['anaplan']['model_id']}"
    held = lease.acquire(resource, "another/task", 900)
    context = make_context()
    with pytest.raises(AirflowRescheduleException):
        _run(_import(vendors), context)
    assert site.starts() == {}
    assert [event.detail["code"] for event in site.events("waited")] == ["MLC-TRL-02"]
    lease.release(held)
    assert _run(_import(vendors), context)["loaded"] == 2


def test_a_server_that_is_down_is_left_to_the_retry_policy(site, vendors, monkeypatch):
    def get_client(_):
        raise ServerError("Down.")

    monkeypatch.setattr(AnaplanHook, "get_client", get_client)
    with pytest.raises(ServerError):
        _run(_import(vendors), make_context())
    assert site.trail.runs()[0].outcome is None


def test_a_last_try_that_fails_closes_the_run(site, vendors, monkeypatch):
    def get_client(_):
        raise ServerError("Down.")

    monkeypatch.setattr(AnaplanHook, "get_client", get_client)
    context = make_context()
    context["ti"].try_number = context["ti"].max_tries + 1
    with pytest.raises(ServerError):
        _run(_import(vendors), context)
    assert site.trail.runs()[0].outcome == "failed"


# As Airflow sees them


def test_operators_retry_by_default_and_a_dag_may_say_otherwise():
    from airflow.sdk import DAG

    with DAG("some", default_args={"retries": 7}):
        chosen = AnaplanDeleteOperator(task_id="a", action="x", **MODEL)
    plain = AnaplanDeleteOperator(task_id="a", action="x", **MODEL)
    assert (plain.retries, chosen.retries) == (2, 7)
    assert plain.retry_policy is chosen.retry_policy is not None


@pytest.mark.parametrize(
    "operator",
    [
        AnaplanImportOperator(task_id="a", action="x", file="f", mapping={"Version": "Actual"}, **MODEL),
        AnaplanExportOperator(task_id="a", action="x", target="t", **MODEL),
        AnaplanUploadOperator(task_id="a", file_name="x", path="p", **MODEL),
        AnaplanProcessOperator(task_id="a", action="x", **MODEL),
    ],
    ids=lambda operator: type(operator).__name__,
)
def test_every_template_field_is_an_attribute(operator):
    assert all(hasattr(operator, name) for name in operator.template_fields)


def test_positional_arguments_are_refused():
    with pytest.raises(TypeError):
        AnaplanDeleteOperator("a", "x")


def test_connection_and_model_may_be_templates():
    operator = AnaplanDeleteOperator(task_id="a", action="x", workspace="Finance", model="{{ params.model }}")
    assert operator.anaplan_pool == ""
    assert AnaplanDeleteOperator(task_id="a", action="x", **MODEL).anaplan_pool.startswith("anaplan__")


def test_a_hook_is_not_made_before_the_task_runs(monkeypatch):
    monkeypatch.setattr(AnaplanHook, "__init__", lambda *_: pytest.fail("a connection is looked up at parse"))
    AnaplanDeleteOperator(task_id="a", action="x", **MODEL)
