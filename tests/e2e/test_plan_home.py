"""A budget comes home on a real Airflow: one person asks, another approves, and a third posts the drafts."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
import requests

from airflow_provider_mlconnector.trail.approvals import Approvals
from tests.e2e.books import expected, members
from tests.e2e.waiting import MINUTES, run_of, wait_for, wait_until

PERIOD, MONTH = "FY2027-P05", "Nov 26"
NEXT, NEXT_MONTH = "FY2027-P06", "Dec 26"
CLOSE, PLAN = "larkfield_close", "larkfield_close__approved_budget"
BUDGET = {
    ("60210", "PROD"): Decimal("1200.50"),
    ("60210", "ADM"): Decimal("300.01"),
    ("40100", "SALES"): Decimal("-99999999999.99"),
    ("20400", ""): Decimal("99999998499.48"),
}
"""Amounts by account and department; they add up to nothing."""


@dataclass
class Home:
    """A run of the plan that is in the ledger, and what the ledger held before."""

    dag: object
    run_id: str
    ledger: dict
    refusal: int


def enter_budget(site, month: str) -> None:
    """Let a planner enter the budget; the model's lists get what they lack."""
    centre = members()
    site.sandbox.ensure_members("Accounts", sorted({account for account, _ in BUDGET}))
    site.sandbox.ensure_members("Cost Centres", sorted({centre[department] for _, department in BUDGET}))
    rest = {"Entity": "Larkfield", "Version": "Budget", "Time": month}
    for (account, department), amount in BUDGET.items():
        place = {"Account": account, "Cost Centre": centre[department], **rest}
        site.sandbox.type_cell("GL Actuals", **place, Amount=str(amount))


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


def ask_for_run(site, person: str, period: str = PERIOD) -> str:
    """Start a run over the REST API, for a period that its form names."""
    body = {"logical_date": None, "conf": {"periods": [period]}}
    return site.stack.api("POST", f"/dags/{PLAN}/dagRuns", body, token=site.login(person))["dag_run_id"]


def question(site, dag, run_id: str) -> dict:
    """Return what Airflow shows to whom it waits for."""

    def asked():
        assert run_of(dag, run_id).state not in ("failed", "success"), dag.tasks(run_id)
        return site.stack.api("GET", f"/dags/{PLAN}/dagRuns/{run_id}/hitlDetails")["hitl_details"]

    return wait_until(asked, 3 * MINUTES, "a question")[0]


def answer(site, run_id: str, person: str, chosen: str) -> None:
    """Answer over the REST API."""
    path = f"/dags/{PLAN}/dagRuns/{run_id}/taskInstances/approve/-1/hitlDetails"
    body = {"chosen_options": [chosen], "params_input": {"reason": "As agreed."}}
    site.stack.api("PATCH", path, body, token=site.login(person))


@pytest.fixture(scope="module")
def home(site) -> Home:
    """Bring the budget home."""
    enter_budget(site, MONTH)
    dag = site.dag(PLAN)
    dag.unpause()
    ledger = site.sandbox.ledger(PERIOD)
    run_id = ask_for_run(site, "ana")
    shown = question(site, dag, run_id)
    assert dag.xcom(run_id, "preflight")["sha256"] in shown["body"]
    assert batch(site)["lines"] == []
    answer(site, run_id, "ben", "Approve")
    with pytest.raises(requests.HTTPError) as refused:
        answer(site, run_id, "ana", "Approve")
    assert wait_for(dag, run_id).state == "success"
    return Home(dag, run_id, ledger, refused.value.response.status_code)


def test_the_drafts_have_the_totals_of_the_budget_and_nothing_is_posted(site, home):
    assert totals(batch(site)["lines"]) == BUDGET
    assert site.sandbox.ledger(PERIOD) == home.ledger


def test_the_trail_knows_who_asked_and_who_approved_what(site, home, trail):
    (run,) = [run for run in trail.runs(CLOSE) if run.detail["dag_run_id"] == home.run_id]
    (decision,) = Approvals(trail.engine).of_run(run.run_id)
    assert (run.requested_by, decision.responded_by, decision.reason) == ("ana", "ben", "As agreed.")
    assert decision.sha256 == home.dag.xcom(home.run_id, "preflight")["sha256"]
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
    enter_budget(site, NEXT_MONTH)
    run_id = ask_for_run(site, "ana", NEXT)
    question(site, home.dag, run_id)
    task = f"/dags/{PLAN}/dagRuns/{run_id}/taskInstances/approve"
    site.stack.api("PATCH", task, {"new_state": "success"}, token=site.login("ben"))
    assert wait_for(home.dag, run_id).state == "failed"
    tries = {task["task_id"]: (task["state"], task["try_number"]) for task in home.dag.tasks(run_id)}
    assert (tries["write"], tries["verify"][0]) == (("failed", 1), "upstream_failed")
    logs = site.stack.api("GET", f"/dags/{PLAN}/dagRuns/{run_id}/taskInstances/write/logs/1")
    assert "Marking a task as successful is no answer" in str(logs)
    assert [line for line in batch(site)["lines"] if line["posting_date"] == "2026-12-31"] == []
