# SPDX-License-Identifier: Apache-2.0
"""A plan on a real Airflow: a planner enters it, one person asks for a run, another one answers."""

import time
from collections.abc import Mapping
from decimal import Decimal

from airflow_provider_mlconnector.demo import homecoming
from airflow_provider_mlconnector.demo.watching import OVER, Dag
from tests.e2e.waiting import MINUTES, wait_until

Amounts = Mapping[tuple[str, str], Decimal]
"""By account and cost centre; those of a plan add up to nothing."""


def enter_budget(site, entity: str, month: str, amounts: Amounts) -> None:
    """Let a planner enter a budget; the model's lists get what they lack."""
    site.sandbox.ensure_members("Accounts", sorted({account for account, _ in amounts}))
    site.sandbox.ensure_members("Cost Centres", sorted({centre for _, centre in amounts}))
    rest = {"Entity": entity, "Version": "Budget", "Time": month}
    for (account, centre), amount in amounts.items():
        place = {"Account": account, "Cost Centre": centre, **rest}
        site.sandbox.type_cell("GL Actuals", **place, Amount=str(amount))


class PlanRun(homecoming.PlanRun):
    """A run of a plan for one period, which Ana asks for."""

    def __init__(self, site, dag: Dag, period: str) -> None:
        super().__init__(site.stack, dag, period, "ana")

    def question(self) -> dict:
        """Return what Airflow shows to whom it asks, once that has been read."""

        def asked() -> list[dict]:
            assert self.state not in OVER, self.tasks()
            return self.questions()

        question = wait_until(asked, 4 * MINUTES, "a question")[0]
        time.sleep(homecoming.READING)
        return question

    def mark(self, task_id: str, state: str) -> None:
        """Let Ben say how a task ended."""
        path = f"{self.runs}/{self.run_id}/taskInstances/{task_id}"
        self.stack.api("PATCH", path, {"new_state": state}, token=self.stack.login("ben"))

    def log(self, task_id: str) -> str:
        """Return the log of a task's first try."""
        return str(self.stack.api("GET", f"{self.runs}/{self.run_id}/taskInstances/{task_id}/logs/1"))


def approve(*runs: PlanRun) -> None:
    """Let Ben approve whatever the runs ask, and again what they ask again; all succeed."""
    homecoming.approve(runs, "ben", 8 * MINUTES)
    states = {run.dag.dag_id: run.state for run in runs}
    assert set(states.values()) == {"success"}, states
