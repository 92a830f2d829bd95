# SPDX-License-Identifier: Apache-2.0
"""Postings into closed periods, through the tasks of a flow: found, told, and loaded when the flow says so."""

import json
from datetime import date
from decimal import Decimal

import pytest
from airflow.sdk.exceptions import DagRunTriggerException
from airflow.serialization.serialized_objects import DagSerialization

from airflow_provider_mlconnector.dags import close_dag
from airflow_provider_mlconnector.finance.schedule import Agenda
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.spec import LatePostings
from airflow_provider_mlconnector.sandbox.books.books import NewLine
from tests.airflow.closing_runs import FLOW, PERIOD, Run, changed, only


@pytest.fixture(scope="module")
def flow():
    kept = only(load_flow(FLOW), "accounts", "cost_centres", "journal_lines")
    return changed(kept, late_postings=LatePostings.RELOAD)


@pytest.fixture
def newest(site, flow):
    """The newest open period now."""
    return Agenda(flow.calendar, flow.schedule).open_periods(site.clock.now())[-1].key


def post_late(site, amount="7.25"):
    """Post a document of two lines into the closed period."""
    site.clock.skip(3600)
    books = site.world.books
    accounts = sorted({line.account for line in books.lines(PERIOD)})[:2]
    lines = [NewLine(accounts[0], Decimal(amount), "SALES"), NewLine(accounts[1], -Decimal(amount), "SALES")]
    books.post_document(date(2025, 11, 12), lines, document="LATE-1")


def sweep(flow, period, run_id):
    run = Run(flow, run_id=run_id, period=period)
    return run, run.execute("late_postings")


def test_a_late_posting_is_told_by_the_newest_period_and_loaded_by_a_run_of_its_own(site, flow, newest):
    Run(flow).all()
    assert sweep(flow, newest, "night__1")[1] == []
    post_late(site)

    night = Run(flow, run_id="night__2", period=newest)
    assert night.all()["late_postings"] == {PERIOD: 2}
    found = night.results["late_postings"]
    [late] = night.contexts["late_postings"]["ti"].pushed["sweep"]["late"]
    assert (late["lines"], late["new"], late["debit"]) == (2, 2, "7.25")
    [told] = site.events("late_postings")
    assert (told.detail["period"], told.detail["lines"], len(told.detail["records"])) == (PERIOD, 2, 2)
    assert told.run_id.startswith(f"larkfield_close.{newest}.")
    assert site.trail.run(told.run_id).outcome == "succeeded"

    assert sweep(flow, newest, "night__3")[1] == found
    assert len(site.events("late_postings")) == 1, "it is announced once"

    asked = started(night, found)
    assert asked.dag_run_id == f"late_postings__{PERIOD}__{found[0]['digest'][:12]}"
    assert asked.trigger_dag_id == night.contexts["late_postings"]["dag_run"].dag_id
    assert asked.skip_when_already_exists
    again = Run(flow, run_id=asked.dag_run_id, period=None, conf=asked.conf, run_type="operator_triggered")
    assert again.all()["period"] == PERIOD
    assert again.report().agrees
    assert again.results["extract.journal_lines"]["rows"] == 2
    events = again.contexts["reconcile"]["outlet_events"].values()
    assert [event.partition_keys for event in events] == [[PERIOD]] * 3, "assets get the partition that the run lacks"

    assert sweep(flow, newest, "night__4")[1] == []


def started(run, found):
    """Return what the mapped task asks of Airflow."""
    reload = run.dag.get_task("load_late_postings").unmap(found[0])
    with pytest.raises(DagRunTriggerException) as caught:
        reload.execute(run.context("load_late_postings"))
    return caught.value


def test_runs_of_older_periods_do_not_sweep(site, flow):
    run, found = sweep(flow, PERIOD, "manual__1")
    assert found == []
    assert run.contexts["late_postings"]["ti"].pushed["sweep"] == {}, "Airflow does not find a null again"
    assert site.world.stats.count("business_central") == 0


@pytest.mark.parametrize(
    ("late_postings", "tasks"),
    [
        (LatePostings.REPORT, {"late_postings"}),
        (LatePostings.RELOAD, {"late_postings", "load_late_postings"}),
        (LatePostings.IGNORE, set()),
    ],
)
def test_the_flow_says_what_becomes_of_late_postings(flow, late_postings, tasks):
    dag = close_dag(changed(flow, late_postings=late_postings))
    assert {task.task_id for task in dag.tasks if "late_postings" in task.task_id} == tasks
    assert ("closed period later" in dag.doc_md) == bool(tasks)
    again = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert set(again.task_dict) == set(dag.task_dict)


def test_a_flow_without_journal_lines_does_not_sweep(flow):
    dag = close_dag(only(changed(flow, late_postings=LatePostings.REPORT), "accounts"))
    assert not [task for task in dag.tasks if "late_postings" in task.task_id]
