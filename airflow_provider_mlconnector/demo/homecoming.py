# SPDX-License-Identifier: Apache-2.0
"""A budget comes home: a planner enters it, one person asks for the run, another one approves, and drafts stand."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.demo.sandbox import type_cells
from airflow_provider_mlconnector.demo.screen import Screen
from airflow_provider_mlconnector.demo.stack import APPROVER, USER, AirflowStack
from airflow_provider_mlconnector.demo.watching import OVER, Dag

READING = 3.0
"""Seconds that a person takes before answering. To an answer that comes before the asking process is done with, Airflow
says that the process was lost, and asks again."""


SECONDS = 900.0
PERIOD, MONTH = "FY2027-P05", "Nov 26"
"""The open period, and what the model calls it."""
BUDGET = {("60210", "CC300"): "1200.50", ("60210", "CC100"): "300.01", ("20400", "NONE"): "-1500.51"}
"""Rent of two departments against what is accrued, by account and cost centre."""


def bring_home(stack: AirflowStack, sandbox: str, entities: Mapping[str, str], screen: Screen) -> bool:
    """Bring a budget home in some flows, and show the drafts; say whether all of them stand.

    :param sandbox: its address.
    :param entities: by flow, the member of the model that keeps its cells apart.
    :raises RuntimeError: when a plan was not home in time.
    """
    screen.say(f"\nA planner enters a budget for {PERIOD}; {USER} asks for it, {APPROVER} approves it.")
    runs = []
    for flow, entity in entities.items():
        place = {"Entity": entity, "Version": "Budget", "Time": MONTH}
        cells = [{"Account": of[0], "Cost Centre": of[1], **place, "Amount": text} for of, text in BUDGET.items()]
        type_cells(sandbox, "GL Actuals", cells)
        dag = Dag(stack, plan_of(flow))
        dag.wait_parsed()
        dag.unpause()
        runs.append(PlanRun(stack, dag, PERIOD, USER))
    approve(runs, APPROVER, SECONDS)
    drafts = {run.dag.dag_id: run.documents() for run in runs}
    screen.drafts(drafts)
    return all(drafts.values())


def plan_of(flow: str) -> str:
    """Return the name of the DAG that brings a shipped flow's budget home."""
    return f"{flow}__approved_budget"


class PlanRun:
    """A run of a plan for one period, which a person asks for over the REST API.

    ``runs`` is the path of the runs of its DAG.
    """

    def __init__(self, stack: AirflowStack, dag: Dag, period: str, person: str) -> None:
        body = {"logical_date": None, "conf": {"periods": [period]}}
        self.dag = dag
        self.stack = stack
        self.runs = f"/dags/{dag.dag_id}/dagRuns"
        self.run_id: str = stack.api("POST", self.runs, body, token=stack.login(person))["dag_run_id"]

    @property
    def state(self) -> str:
        """Return how far the run is, in Airflow's words."""
        return next(run.state for run in self.dag.progress() if run.run_id == self.run_id)

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Return its task instances by their names."""
        return {task["task_id"]: task for task in self.dag.tasks(self.run_id)}

    def questions(self) -> list[dict[str, Any]]:
        """Return what Airflow asks now and has no answer to."""
        found = self.stack.api("GET", f"{self.runs}/{self.run_id}/hitlDetails")["hitl_details"]
        parked = [one for one in found if one["task_instance"]["state"] == "awaiting_input"]
        return [one for one in parked if not one["response_received"]]

    def answer(self, person: str, chosen: str = "Approve") -> None:
        """Let a person answer."""
        body = {"chosen_options": [chosen], "params_input": {"reason": "As agreed."}}
        path = f"{self.runs}/{self.run_id}/taskInstances/approve/-1/hitlDetails"
        self.stack.api("PATCH", path, body, token=self.stack.login(person))

    def documents(self) -> list[dict[str, Any]]:
        """Return the receipts of what was written and read back; none when the run did not come so far."""
        return list(self.dag.xcom(self.run_id, "verify")) if self.state == "success" else []


def approve(runs: Sequence[PlanRun], person: str, seconds: float) -> None:
    """Let a person approve whatever the runs ask, and again what they ask again, until all are over.

    :raises RuntimeError: when they are not in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        asking = [run for run in runs if run.questions()]
        if asking:
            time.sleep(READING)
        for run in asking:
            run.answer(person)
        if all(run.state in OVER for run in runs):
            return
        time.sleep(1)
    raise RuntimeError(f"The plans were not home after {seconds:.0f} s: {[run.tasks() for run in runs]}")
