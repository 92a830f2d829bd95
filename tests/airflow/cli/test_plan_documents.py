# SPDX-License-Identifier: Apache-2.0
"""What the commands tell of plans."""

from airflow_provider_mlconnector.flows.loader import load_flow
from tests.airflow.plan_runs import NEXT, PERIOD, PlanRun, set_budget


def test_documents_are_listed_with_their_plan_their_state_and_the_run_that_made_them(site, airflow, flow_file):
    for period in (PERIOD, NEXT):
        set_budget(site, period=period)
    receipts = PlanRun(load_flow(flow_file), period=None, params={"periods": [PERIOD, NEXT]}).whole()
    found = airflow("trail", "documents", "--flow", "larkfield_close", "--output", "json").rows
    assert [row["key"] for row in found] == [receipt["key"] for receipt in receipts]
    (one,) = airflow("trail", "documents", "--period", NEXT, "--output", "json").rows
    run = site.trail.runs()[0]
    assert {**one, "changed": ""} == {
        "key": receipts[1]["key"],
        "flow": "larkfield_close",
        "plan": "Approved Budget",
        "version": "Budget",
        "period": NEXT,
        "state": "verified",
        "number": receipts[1]["number"],
        "changed": "",
        "run": run.run_id,
    }
    assert airflow("trail", "documents", "--flow", "another").out == "Documents: nothing.\n"


def test_the_plans_of_a_flow_are_told_when_it_is_checked(airflow, flow_file):
    (flow,) = airflow("flows", "validate", "--flows", flow_file, "--output", "json").rows
    assert flow["plans"] == "Approved Budget"
