# SPDX-License-Identifier: Apache-2.0
"""The tasks of a close, one after the other as Airflow runs them, against the sandbox."""

import json
from collections import defaultdict
from copy import copy
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.definitions.xcom_arg import XComArg
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from airflow_provider_mlconnector.dags import close_dag
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.operators.replay import ReplayOperator
from airflow_provider_mlconnector.operators.tables import report_lines
from airflow_provider_mlconnector.pipeline.manifests import ReconcileReport
from tests.airflow.fakes import FakeStateStore, make_context

FLOW = Path(__file__).parents[2] / "dags" / "flows" / "larkfield_close.yaml"
PERIOD = "FY2026-P05"


@pytest.fixture(scope="module")
def whole_flow():
    return load_flow(FLOW)


@pytest.fixture(scope="module")
def flow(whole_flow):
    """The same flow, without the lists and balances that no test here is about."""
    kept = {"accounts", "cost_centres", "journal_lines"}
    return _changed(whole_flow, load=tuple(load for load in whole_flow.spec.load if load.dataset in kept))


def _changed(flow, **spec):
    return type(flow)(flow.spec.model_copy(update=spec), flow.calendar, flow.crosswalks, flow.document)


class Run:
    """One DAG run: XComs and state stores by task, and tasks that are made anew for each process."""

    def __init__(self, flow, *, run_id="manual__1", period=PERIOD, **dag_run):
        self.dag = close_dag(flow)
        self.results, self.contexts = {}, {}
        self.stores = defaultdict(FakeStateStore)
        self.run_id, self.period, self.dag_run = run_id, period, dag_run

    def context(self, task_id, **more):
        context = make_context(store=self.stores[task_id], partition_key=self.period, **{**self.dag_run, **more})
        context["ti"].task_id, context["ti"].run_id = task_id, self.run_id
        context["dag_run"].run_id = self.run_id
        context["outlet_events"] = defaultdict(SimpleNamespace)
        self.contexts[task_id] = context
        return context

    def task(self, task_id):
        task = copy(self.dag.get_task(task_id))
        for name in task.template_fields:
            object.__setattr__(task, name, self._resolved(getattr(task, name)))
        return task

    def execute(self, task_id, **more):
        self.results[task_id] = self.task(task_id).execute(self.context(task_id, **more))
        return self.results[task_id]

    def all(self, **more):
        for task in self.dag.topological_sort():
            self.execute(task.task_id, **more)
        return self.results["reconcile"]

    def report(self):
        pushed = self.contexts["reconcile"]["ti"].pushed["reconcile_report"]
        return ReconcileReport.from_json(json.loads(json.dumps(pushed)))

    def _resolved(self, value):
        if isinstance(value, XComArg):
            return json.loads(json.dumps(self.results[value.operator.task_id]))
        return [self._resolved(one) for one in value] if isinstance(value, list) else value


def test_a_close_loads_what_the_ledger_holds(site, whole_flow):
    flow = whole_flow
    run = Run(flow)
    done = run.all()
    assert done["difference"] == "0.00"
    report = run.report()
    assert report.agrees
    assert {check.import_name for check in report.checks} == {load.import_name for load in flow.spec.load}
    lines = next(check for check in report.checks if check.dataset == "journal_lines").summary
    assert lines.erp_total == lines.model_total
    assert lines.loaded > 0
    assert site.trail.runs()[0].outcome == "succeeded"
    _has_told_assets(run, flow)
    _has_printed(report)


def _has_told_assets(run, flow):
    events = run.contexts["reconcile"]["outlet_events"]
    assert {event.extra["period"] for event in events.values()} == {PERIOD}
    datasets = {load.dataset for load in flow.spec.load}
    assert {asset.uri for asset in events} == {f"anaplan://FP%26A%20Hub/{dataset}" for dataset in datasets}


def _has_printed(report):
    lines = list(report_lines(report))
    assert lines[0] == f"Close of {PERIOD} (larkfield_close): the books agree"
    assert next(line for line in lines if line.startswith("Load GL Actuals")).endswith("0.00")
    assert "not checked" in next(line for line in lines if line.startswith("Load Vendors"))


def test_a_second_run_sends_nothing_and_one_changed_line_sends_its_cell_alone(site, flow):
    Run(flow).all()
    again = Run(flow, run_id="manual__2")
    again.all()
    assert again.results["load_gl_actuals.load"]["sent"] == 0

    entry = next(line.entry_number for line in site.world.books.lines(PERIOD))
    site.world.books.correct_amount(entry, Decimal("4711.11"))
    third = Run(flow, run_id="manual__3")
    third.all()
    assert 0 < third.results["load_gl_actuals.load"]["sent"] <= 2
    assert third.report().agrees


def test_a_cleared_run_sends_the_whole_period(site, flow):
    first, again = Run(flow), Run(flow, clear_number=1)
    first.all()
    again.all()
    sent = [run.results["load_gl_actuals.load"]["sent"] for run in (first, again)]
    assert sent[0] == sent[1] > 0
    assert again.results["extract.journal_lines"]["mode"] == "whole"
    assert again.report().agrees


def test_a_load_that_alone_is_cleared_sends_its_cells_again(site, flow):
    run = Run(flow)
    run.all()
    again = run.execute("load_gl_actuals.load", clear_number=1)
    assert again["sent"] == again["prepared"]["cells_now"] > 0
    assert site.starts()["Load GL Actuals"] == 2


def test_a_load_that_is_deferred_ends_in_another_process(site, flow):
    run = Run(flow)
    for task in run.dag.topological_sort():
        if task.task_id == "load_gl_actuals.load":
            break
        run.execute(task.task_id)
    site.switch(task_seconds=600, longest_task_seconds=600)
    load = run.task("load_gl_actuals.load")
    load.deferrable = True
    context = run.context("load_gl_actuals.load")
    with pytest.raises(TaskDeferred) as deferred:
        load.execute(context)
    site.clock.skip(900)
    kwargs = json.loads(json.dumps(deferred.value.kwargs))
    event = {"status": "done", "message": "It is over."}
    done = run.task("load_gl_actuals.load").execute_complete(context, event=event, **kwargs)
    assert done["loaded"] == done["sent"] > 0
    assert site.starts()["Load GL Actuals"] == 1


@pytest.mark.parametrize("key", [None, "", "2026-05", "FY2099-P13"])
def test_a_run_without_a_period_fails_at_once_and_lists_the_open_ones(site, flow, key):
    with pytest.raises(AirflowFailException, match=r"open periods: FY20\d\d-P\d\d"):
        Run(flow, period=key).execute("extract.accounts")
    assert site.world.stats.count("business_central") == 0


def test_a_wrong_company_is_a_clear_failure(site, flow):
    other = _changed(flow, erp=flow.spec.erp.model_copy(update={"company": "Nobody Ltd"}))
    with pytest.raises(AirflowFailException, match="Nobody Ltd"):
        Run(other).execute("extract.accounts")
    assert site.trail.runs()[0].outcome == "failed"


def test_books_that_do_not_agree_fail_the_run_and_leave_the_report(site, flow):
    run = Run(flow)
    for task in run.dag.topological_sort():
        if task.task_id == "reconcile":
            break
        run.execute(task.task_id)
    cells = site.control("anaplan/cells?module=GL Actuals&Version=Actual&Time=Nov 25", method="GET")["cells"]
    wrong = {**next(cell for cell in cells if cell.get("Amount") not in (None, "0")), "Amount": "1234567.89"}
    site.control("anaplan/cells", {"module": "GL Actuals", "cells": [wrong]})
    with pytest.raises(AirflowFailException, match="do not agree"):
        run.execute("reconcile")
    assert not run.report().agrees
    assert any(line.startswith("! Load GL Actuals") for line in report_lines(run.report()))
    assert run.contexts["reconcile"]["outlet_events"] == {}
    assert site.trail.runs()[0].outcome == "failed"


def test_a_batch_is_delivered_again_without_asking_the_ledger(site, flow):
    run = Run(flow)
    run.all()
    asked = site.world.stats.count("business_central")
    batch = run.results["extract.journal_lines"]["batch_id"]
    operator = ReplayOperator(task_id="again", flow=flow, import_name="Load GL Actuals", batch_id=batch)
    done = operator.execute(run.context("again"))
    assert done["loaded"] == done["sent"] == run.results["load_gl_actuals.load"]["sent"]
    assert site.world.stats.count("business_central") == asked
    assert len(site.events("replayed")) == 1


def test_a_file_is_repeated_byte_for_byte(site, flow):
    run = Run(flow)
    run.all()
    batch = run.results["extract.journal_lines"]["batch_id"]
    operator = ReplayOperator(task_id="again", flow=flow, import_name="Load GL Actuals", batch_id=batch, as_sent=True)
    done = operator.execute(run.context("again"))
    assert done["prepared"]["file"] == run.results["load_gl_actuals.load"]["prepared"]["file"]


def test_records_that_an_import_does_not_load_are_refused(site, flow):
    run = Run(flow)
    batch = run.execute("extract.accounts")["batch_id"]
    operator = ReplayOperator(task_id="again", flow=flow, import_name="Load GL Actuals", batch_id=batch)
    with pytest.raises(AirflowFailException, match="None of these rows is of journal_lines"):
        operator.execute(run.context("again"))


def test_lineage_leads_from_the_ledger_to_the_model(flow):
    dag = close_dag(flow)
    extract, load = dag.get_task("extract.journal_lines"), dag.get_task("load_gl_actuals.load")
    read = extract.get_openlineage_facets_on_start()
    loaded = load.get_openlineage_facets_on_start()
    assert read.inputs[0].name == "Larkfield Ltd/journal_lines"
    assert (read.outputs[0].namespace, read.outputs[0].name) == (loaded.inputs[0].namespace, loaded.inputs[0].name)
    assert (loaded.outputs[0].namespace, loaded.outputs[0].name) == ("anaplan://FP%26A%20Hub", "journal_lines")


def test_lineage_counts_rows_when_the_task_is_over(site, flow):
    run = Run(flow)
    task = run.task("extract.accounts")
    batch = task.execute(run.context("extract.accounts"))
    lineage = task.get_openlineage_facets_on_complete(None)
    assert lineage.outputs[0].outputFacets["outputStatistics"].rowCount == batch["rows"] > 0
