# SPDX-License-Identifier: Apache-2.0
"""A run that waits until people have posted its drafts: looks, waits, tells the numbers, and gives up in the end."""

import json
from datetime import timedelta

import pytest
from airflow.sdk import AssetAlias, Connection
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, TaskDeferred

from airflow_provider_mlconnector.dags import plan_dag
from airflow_provider_mlconnector.demo.sandbox import connections
from airflow_provider_mlconnector.errors import TransportError
from airflow_provider_mlconnector.finance.server_hours import ServerHours
from airflow_provider_mlconnector.flows.loader import load_flow
from airflow_provider_mlconnector.flows.plan_spec import PostedSpec
from airflow_provider_mlconnector.flows.plans import erp_pool_name
from airflow_provider_mlconnector.hooks import erps
from airflow_provider_mlconnector.trail.documents import Documents, DocumentState
from tests.airflow.closing_runs import FLOW, changed
from tests.airflow.plan_runs import NEXT, PERIOD, PlanRun, drafts, set_budget

WAIT = timedelta(days=2)
DESK = "business_central/journals/ANAPLAN"


def waiting(path):
    """Return a flow whose first plan waits for people."""
    plain = load_flow(path)
    return changed(plain, plan=(plain.spec.plan[0].model_copy(update={"posted": PostedSpec(wait=WAIT)}),))


@pytest.fixture(scope="module")
def flow():
    return waiting(FLOW)


@pytest.fixture
def systems(request):
    return ("anaplan", getattr(request, "param", "business_central"))


@pytest.fixture
def written(site, flow):
    """Return a run whose drafts of two periods stand in the ledger."""
    for period in (PERIOD, NEXT):
        set_budget(site, period=period)
    run = PlanRun(flow, period=None, params={"periods": [PERIOD, NEXT]})
    run.whole()
    return run


def post(site, receipt):
    """Let an accountant post a document."""
    site.control(f"{DESK}/post?document={receipt['key']}")


def documents(site, flow="larkfield_close"):
    return {row.key: row for row in Documents(site.trail.engine).of_flow(flow)}


def pause(site, run):
    """Look; return the seconds until the next look."""
    before = site.clock.now()
    with pytest.raises(AirflowRescheduleException) as left:
        run.execute("posted")
    return (left.value.reschedule_date - before).total_seconds()


def test_it_comes_last_in_the_pool_of_the_ledger_and_other_runs_go_on_meanwhile(flow):
    dag = plan_dag(flow, flow.spec.plan[0])
    (last,) = dag.leaves
    assert last.task_id == "posted"
    assert "verify" in last.upstream_task_ids
    assert last.pool == erp_pool_name(flow.spec.erp.conn_id)
    assert "fails after 48h" in last.doc_md
    assert dag.max_active_runs > 1


def test_a_run_waits_for_all_of_its_documents_and_tells_their_numbers(site, written):
    first, second = written.results["verify"]
    assert pause(site, written) == pytest.approx(60, abs=2)
    post(site, first)
    site.clock.skip(3600)
    assert pause(site, written) == pytest.approx(900, abs=2)
    rows = documents(site)
    assert [rows[one["key"]].state for one in (first, second)] == [DocumentState.POSTED, DocumentState.VERIFIED]

    for line, amount in zip(written_lines(site), ("1.00", "-1.00"), strict=False):
        site.control(f"{DESK}/lines/{line['number']}", {"amount": amount}, method="PATCH")
    for line in written_lines(site)[2:]:
        site.control(f"{DESK}/lines/{line['number']}", method="DELETE")
    post(site, second)
    receipts = written.execute("posted")

    assert [(one["key"], one["state"]) for one in receipts] == [(first["key"], "posted"), (second["key"], "posted")]
    assert {one["number"] for one in receipts} == {row.number for row in documents(site).values()} != {""}
    assert [event.detail["as_approved"] for event in site.events("posted")] == [True, False]
    events = written.contexts["posted"]["outlet_events"]
    told = events[AssetAlias("larkfield_close__approved_budget__posted")].asset_alias_events
    assert {event.dest_asset_key.uri for event in told} == {"anaplan://FP%26A%20Hub/plan%20Approved%20Budget%20posted"}
    assert [event.extra["period"] for event in told] == [PERIOD, NEXT]
    assert [run.outcome for run in site.trail.runs()] == ["succeeded"]
    assert site.trail.verify() == []


def written_lines(site):
    """Return the draft lines, those of an account against another first."""
    return sorted(drafts(site), key=lambda line: line["number"])


def test_nobody_looks_outside_the_hours_and_a_ledger_out_of_reach_is_looked_at_later_but_not_for_ever(
    site, written, flow, monkeypatch
):
    now = site.clock.now()
    hours = ServerHours(start=(now + timedelta(hours=2)).time(), end=(now + timedelta(hours=3)).time())
    closed = changed(flow, erp=flow.spec.erp.model_copy(update={"hours": hours}))
    elsewhen = PlanRun(closed)
    with pytest.raises(TaskDeferred):
        plan_dag(closed, closed.spec.plan[0]).get_task("posted").execute(elsewhen.context("posted"))

    def gone(*_):
        raise TransportError("Nobody is there.")

    with monkeypatch.context() as patch:
        patch.setattr(erps, "open_drafting", gone)
        assert pause(site, written) == pytest.approx(60, abs=2)
    site.clock.skip(WAIT.total_seconds() - 600)
    with pytest.raises(AirflowFailException, match=r"Waited for 48h in vain. 2 of 2 documents are not posted: AP"):
        written.execute("posted")


def test_a_draft_that_somebody_removed_is_not_waited_for(site, written):
    for line in drafts(site):
        site.control(f"{DESK}/lines/{line['number']}", method="DELETE")
    with pytest.raises(AirflowFailException, match="not in the ledger any more"):
        written.execute("posted")


def test_a_later_run_takes_documents_over_and_an_approval_of_before_does_not_undo_it(site, written, flow):
    changes = {("60210", "CC300"): "1000.50", ("60210", "CC100"): "500.01"}
    set_budget(site, changes)
    later = PlanRun(flow, run_id="manual__2")
    (receipt,) = later.whole()
    before = drafts(site)
    with pytest.raises(AirflowFailException, match="was written by a later run"):
        written.execute("write", clear_number=1)
    assert drafts(site) == before
    kept = written.results["verify"][1]
    post(site, receipt)
    post(site, kept)
    assert [one["key"] for one in written.execute("posted")] == [kept["key"]]
    assert [one["key"] for one in later.execute("posted")] == [receipt["key"]]


@pytest.mark.parametrize("systems", ["dynamics_fo"], indirect=True)
def test_a_general_journal_is_waited_for_until_finance_and_operations_says_that_it_is_posted(site, monkeypatch):
    fo = waiting(FLOW.parent / "fo_manufacturer_close.yaml")
    made = connections({"url": site.url, **site.info})["dynamics_fo_default"]
    connection = Connection(conn_id="dynamics_fo_default", **made | {"extra": json.dumps(made["extra"])})
    monkeypatch.setenv("AIRFLOW_CONN_DYNAMICS_FO_DEFAULT", connection.as_json())
    set_budget(site, entity="Larkfield Manufacturing")
    run = PlanRun(fo)
    (receipt,) = run.whole()
    pause(site, run)
    site.control(f"dynamics_fo/journals/{receipt['number']}/post")
    (posted,) = run.execute("posted")
    assert (posted["state"], posted["number"]) == ("posted", receipt["number"])
    assert documents(site, fo.name)[receipt["key"]].state is DocumentState.POSTED
