"""A budget comes home on a real Airflow: one person asks, another approves, and a third posts the drafts."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.demo.homecoming import plan_of
from airflow_provider_mlconnector.trail.approvals import Approvals
from tests.e2e.books import expected
from tests.e2e.plan_runs import PlanRun, approve, enter_budget
from tests.e2e.waiting import wait_for

PERIOD, MONTH = "FY2027-P05", "Nov 26"
NEXT, NEXT_MONTH = "FY2027-P06", "Dec 26"
CLOSE, ENTITY = "larkfield_close", "Larkfield"
BUDGET = {
    ("60210", "PROD"): Decimal("1200.50"),
    ("60210", "ADM"): Decimal("300.01"),
    ("40100", "SALES"): Decimal("-99999999999.99"),
    ("20400", ""): Decimal("99999998499.48"),
}
"""Amounts by account and department; they add up to nothing."""

pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True)


@dataclass
class Home:
    """A run of the plan that is in the ledger, and what the ledger held before."""

    run: PlanRun
    ledger: dict
    refusal: int


def batch(site) -> dict:
    """Return the journal's batch; nobody but a person may post it."""
    told = site.sandbox.call("GET", "/business_central/journals")
    assert told["post_calls"] == 0
    return next(batch for batch in told["batches"] if batch["code"] == "ANAPLAN")


def totals(lines) -> dict[tuple[str, str], Decimal]:
    """Return amounts by account and department."""
    sums: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        place = (line["account"], line["dimensions"].get("DEPARTMENT", ""))
        sums[place] = sums.get(place, Decimal(0)) + Decimal(line["amount"])
    return sums


@pytest.fixture(scope="module")
def home(site) -> Home:
    """Bring the budget home."""
    enter_budget(site, ENTITY, MONTH, expected(BUDGET))
    dag = site.dag(plan_of(CLOSE))
    dag.unpause()
    ledger = site.sandbox.ledger(PERIOD)
    run = PlanRun(site, dag, PERIOD)
    shown = run.question()
    assert dag.xcom(run.run_id, "preflight")["sha256"] in shown["body"]
    assert batch(site)["lines"] == []
    run.answer("ben")
    with pytest.raises(requests.HTTPError) as refused:
        run.answer("ana")
    approve(run)
    return Home(run, ledger, refused.value.response.status_code)


def test_the_drafts_have_the_totals_of_the_budget_and_nothing_is_posted(site, home):
    assert totals(batch(site)["lines"]) == BUDGET
    assert site.sandbox.ledger(PERIOD) == home.ledger


def test_the_trail_knows_who_asked_and_who_approved_what(site, home, trail):
    (run,) = [run for run in trail.runs(CLOSE) if run.detail["dag_run_id"] == home.run.run_id]
    (decision,) = Approvals(trail.engine).of_run(run.run_id)
    assert (run.requested_by, decision.responded_by, decision.reason) == ("ana", "ben", "As agreed.")
    assert decision.sha256 == home.run.dag.xcom(home.run.run_id, "preflight")["sha256"]
    assert run.outcome == "succeeded"
    assert home.refusal == requests.codes.conflict


def test_once_a_person_posted_the_drafts_the_next_close_leaves_actuals_as_they_are(site, home):
    site.sandbox.call("POST", "/business_central/journals/ANAPLAN/post")
    assert site.sandbox.ledger(PERIOD) != home.ledger
    dag = site.dag(CLOSE)
    dag.unpause()
    assert wait_for(dag, dag.trigger(PERIOD)).state == "success"
    assert site.sandbox.amounts(MONTH) == expected(home.ledger)


def test_an_approval_that_somebody_marks_as_successful_writes_nothing(site, home):
    enter_budget(site, ENTITY, NEXT_MONTH, expected(BUDGET))
    run = PlanRun(site, home.run.dag, NEXT)
    run.question()
    run.mark("approve", "success")
    assert wait_for(run.dag, run.run_id).state == "failed"
    tries = {name: (task["state"], task["try_number"]) for name, task in run.tasks().items()}
    assert (tries["write"], tries["verify"][0]) == (("failed", 1), "upstream_failed")
    assert "Marking a task as successful is no answer" in run.log("write")
    assert [line for line in batch(site)["lines"] if line["posting_date"] == "2026-12-31"] == []
