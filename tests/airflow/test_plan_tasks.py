# SPDX-License-Identifier: Apache-2.0
"""A plan comes home: the tasks of its DAG, one after the other as Airflow runs them, against the sandbox."""

import json
from datetime import UTC, datetime

import pytest
from airflow.sdk import AssetAlias
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time.comms import AssetEventDagRunReferenceResult
from airflow.sdk.execution_time.context import TriggeringAssetEventsAccessor

from airflow_provider_mlconnector.flows.loader import load_flow
from tests.airflow.closing_runs import FLOW
from tests.airflow.plan_runs import BUDGET, LEDGER, NEXT, PERIOD, PlanRun, drafts, set_budget, totals


@pytest.fixture(scope="module")
def flow():
    return load_flow(FLOW)


@pytest.fixture
def budget(site):
    """A budget for one period is in the model."""
    set_budget(site)


def test_an_approved_budget_is_drafts_of_the_same_amounts_and_nothing_is_posted(site, budget, flow):
    run = PlanRun(flow)
    checked = run.prepare()
    shown = run.ask()
    run.answer(by="bella", reason="As agreed.")
    run.execute("write")
    receipts = run.execute("verify")

    assert totals(drafts(site)) == LEDGER
    assert [(receipt["state"], receipt["lines"]) for receipt in receipts] == [("verified", 3)]
    assert checked["sha256"] in shown.body
    assert "| other | 60210 | 1,500.51 | 0.00 | 1,500.51 |" in shown.body
    assert shown.timeout == flow.spec.plan[0].approval.wait
    (told,) = site.trail.runs()
    assert (told.outcome, told.requested_by) == ("succeeded", "anna")
    (answer,) = site.events("approved")
    assert (answer.detail["responded_by"], answer.detail["reason"]) == ("bella", "As agreed.")
    assert site.trail.verify() == []


def test_each_document_is_an_event_of_an_asset(site, budget, flow):
    run = PlanRun(flow)
    receipts = run.whole()
    alias = AssetAlias("larkfield_close__approved_budget__documents")
    events = run.contexts["verify"]["outlet_events"][alias].asset_alias_events
    assert [event.dest_asset_key.uri for event in events] == ["anaplan://FP%26A%20Hub/plan%20Approved%20Budget"]
    assert json.loads(json.dumps(events[0].extra))["key"] == receipts[0]["key"]
    assert (events[0].extra["period"], events[0].extra["version"]) == (PERIOD, "Budget")


def test_a_second_run_with_nothing_to_do_asks_nobody(site, budget, flow):
    PlanRun(flow).whole()
    before = drafts(site)
    again = PlanRun(flow, run_id="manual__2")
    assert again.prepare()["changes"] is False
    with pytest.raises(AirflowSkipException, match="in the ledger already"):
        again.ask()
    assert drafts(site) == before
    assert [run.outcome for run in site.trail.runs()] == ["succeeded", "succeeded"]


def test_a_changed_plan_replaces_its_drafts(site, budget, flow):
    PlanRun(flow).whole()
    set_budget(site, {("60210", "CC300"): "1000.50", ("60210", "CC100"): "500.01"})
    again = PlanRun(flow, run_id="manual__2")
    again.whole()
    assert totals(drafts(site)) == {**LEDGER, ("60210", "PROD"): "1000.50", ("60210", "ADM"): "500.01"}
    assert [told["written"] for told in again.results["write"]] == [True]


def test_a_write_that_is_cleared_writes_nothing_twice(site, budget, flow):
    run = PlanRun(flow)
    run.whole()
    before = drafts(site)
    (receipt,) = run.execute("write", clear_number=1)
    assert receipt["written"] is False
    assert drafts(site) == before


# What a run is about


def test_a_run_may_be_about_several_periods(site, flow):
    for period in (PERIOD, NEXT):
        set_budget(site, period=period)
    receipts = PlanRun(flow, period=None, params={"periods": [NEXT, PERIOD, PERIOD]}).whole()
    assert len(receipts) == 2
    assert {line["posting_date"] for line in drafts(site)} == {"2026-11-30", "2026-12-31"}


def test_a_run_may_be_about_another_version_than_the_flows(site, budget, flow):
    run = PlanRun(flow, params={"version": "Forecast"})
    with pytest.raises(AirflowFailException, match="No line of Approved Budget is Forecast of Nov 26"):
        run.prepare()


def asset_events(**event):
    """Return what Airflow hands to a run that an asset's update started."""
    asset = {"name": "journal_lines", "uri": "anaplan://FP%26A%20Hub/journal_lines", "extra": {}}
    source = {"source_task_id": None, "source_dag_id": None, "source_run_id": None, "source_map_index": None}
    told = {"asset": asset, "extra": {}, **source, "source_aliases": [], "timestamp": datetime.now(UTC), **event}
    return TriggeringAssetEventsAccessor.build([AssetEventDagRunReferenceResult(**told)])


@pytest.mark.parametrize(
    "started",
    [
        {"period": None, "conf": {"period": PERIOD}},
        {"period": PERIOD},
        {"period": None, "triggering_asset_events": asset_events(extra={"period": PERIOD})},
        {"period": None, "triggering_asset_events": asset_events(partition_key=PERIOD)},
    ],
    ids=["conf", "partition key", "what an asset's event says", "partition of an asset's event"],
)
def test_a_run_is_about_the_period_that_its_start_names(site, budget, flow, started):
    run = PlanRun(flow, **started)
    run.prepare()
    assert run.results["resolve"]["run"]["period"] == PERIOD
    assert run.results["resolve"]["posted"] == len(BUDGET)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ([], r"Name its periods when you trigger it \(open periods: FY"),
        ([PERIOD, "2026-05"], "2026-05"),
        (["FY2099-P13"], "FY2099-P13"),
    ],
)
@pytest.mark.parametrize("task_id", ["export", "approve"])
def test_a_run_whose_periods_are_none_fails_at_once(site, flow, keys, sentence, task_id):
    run = PlanRun(flow, period=None, params={"periods": keys})
    with pytest.raises(AirflowFailException, match=sentence):
        run.execute(task_id)
    assert site.starts() == {}


def test_all_that_is_wrong_is_told_before_anybody_is_asked(site, flow):
    set_budget(site, {("60210", "CC300"): "10.00", ("NOPE", "CC999"): "1.00"})
    run = PlanRun(flow)
    with pytest.raises(AirflowFailException) as refused:
        run.prepare()
    for part in ("CC999", "unmapped", "debits"):
        assert part in str(refused.value)
    with pytest.raises(AirflowFailException, match="No preflight"):
        run.ask()
    assert drafts(site) == []
    assert site.trail.runs()[0].outcome == "failed"
