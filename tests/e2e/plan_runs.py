# SPDX-License-Identifier: Apache-2.0
"""A plan on a real Airflow: a planner enters it, one person asks for a run, another one answers."""

import time
from collections.abc import Mapping
from decimal import Decimal

from airflow_provider_mlconnector.demo.watching import OVER, Dag
from tests.e2e.waiting import MINUTES, run_of, wait_until

Amounts = Mapping[tuple[str, str], Decimal]
"""By account and cost centre; those of a plan add up to nothing."""

READING = 3.0
"""Seconds that a person takes before answering. To an answer that comes before the asking process is done with, Airflow
says that the process was lost, and asks again."""


def plan_of(flow: str) -> str:
    """Return the name of the DAG that brings a flow's budget home."""
    return f"{flow}__approved_budget"


def enter_budget(site, entity: str, month: str, amounts: Amounts) -> None:
    """Let a planner enter a budget; the model's lists get what they lack."""
    site.sandbox.ensure_members("Accounts", sorted({account for account, _ in amounts}))
    site.sandbox.ensure_members("Cost Centres", sorted({centre for _, centre in amounts}))
    rest = {"Entity": entity, "Version": "Budget", "Time": month}
    for (account, centre), amount in amounts.items():
        place = {"Account": account, "Cost Centre": centre, **rest}
        site.sandbox.type_cell("GL Actuals", **place, Amount=str(amount))


class PlanRun:
    """A run of a plan for one period, asked for over the REST API."""

    def __init__(self, site, dag: Dag, period: str, person: str = "ana") -> None:
        body = {"logical_date": None, "conf": {"periods": [period]}}
        self.site = site
        self.dag = dag
        self._runs = f"/dags/{dag.dag_id}/dagRuns"
        self.run_id: str = site.stack.api("POST", self._runs, body, token=site.login(person))["dag_run_id"]

    @property
    def state(self) -> str:
        return run_of(self.dag, self.run_id).state

    def tasks(self) -> dict[str, dict]:
        """Return its task instances by their names."""
        return {task["task_id"]: task for task in self.dag.tasks(self.run_id)}

    def questions(self) -> list[dict]:
        """Return what Airflow asks now and has no answer to."""
        found = self.site.stack.api("GET", f"{self._runs}/{self.run_id}/hitlDetails")["hitl_details"]
        parked = [one for one in found if one["task_instance"]["state"] == "awaiting_input"]
        return [one for one in parked if not one["response_received"]]

    def question(self) -> dict:
        """Return what Airflow shows to whom it asks, once that has been read."""

        def asked() -> list[dict]:
            assert self.state not in OVER, self.tasks()
            return self.questions()

        question = wait_until(asked, 4 * MINUTES, "a question")[0]
        time.sleep(READING)
        return question

    def answer(self, person: str, chosen: str = "Approve") -> None:
        body = {"chosen_options": [chosen], "params_input": {"reason": "As agreed."}}
        path = f"{self._runs}/{self.run_id}/taskInstances/approve/-1/hitlDetails"
        self.site.stack.api("PATCH", path, body, token=self.site.login(person))

    def mark(self, task_id: str, state: str, person: str = "ben") -> None:
        """Let a person say how a task ended."""
        path = f"{self._runs}/{self.run_id}/taskInstances/{task_id}"
        self.site.stack.api("PATCH", path, {"new_state": state}, token=self.site.login(person))

    def log(self, task_id: str) -> str:
        """Return the log of a task's first try."""
        return str(self.site.stack.api("GET", f"{self._runs}/{self.run_id}/taskInstances/{task_id}/logs/1"))


def approve(*runs: PlanRun) -> None:
    """Let Ben approve whatever the runs ask, and again what they ask again; all succeed."""

    def over() -> bool:
        asking = [run for run in runs if run.questions()]
        if asking:
            time.sleep(READING)
        for run in asking:
            run.answer("ben")
        return all(run.state in OVER for run in runs)

    wait_until(over, 8 * MINUTES, "the end of the plans")
    states = {run.dag.dag_id: run.state for run in runs}
    assert set(states.values()) == {"success"}, states
