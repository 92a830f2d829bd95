# SPDX-License-Identifier: Apache-2.0
"""The tasks of a close, one after the other as Airflow runs them, against the sandbox."""

import json
from decimal import Decimal

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from airflow_provider_mlconnector.dags import close_dag
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.operators.replay import ReplayOperator
from airflow_provider_mlconnector.operators.tables import report_lines
from tests.airflow.closing_runs import FLOW, PERIOD, Run, changed, only


@pytest.fixture(scope="module")
def whole_flow():
    return load_flow(FLOW)


@pytest.fixture(scope="module")
def flow(whole_flow):
    """The same flow, without the lists and balances that no test here is about."""
    return only(whole_flow, "accounts", "cost_centres", "journal_lines")


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
    other = changed(flow, erp=flow.spec.erp.model_copy(update={"company": "Nobody Ltd"}))
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
