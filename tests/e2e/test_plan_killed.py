# SPDX-License-Identifier: Apache-2.0
"""A plan whose worker is killed at every boundary between two steps, and in the middle of each step that may be."""

from collections import Counter
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.demo.homecoming import plan_of
from airflow_provider_mlconnector.trail.leases import Leases
from tests.e2e.books import expected
from tests.e2e.conftest import KILLED_PLAN
from tests.e2e.killing import Holds, kill_next_worker
from tests.e2e.plan_runs import PlanRun, approve, enter_budget
from tests.e2e.waiting import wait_until

PERIOD, MONTH = "FY2027-P07", "Jan 27"
EXPORT, BATCH = "Approved Budget", "KILLED"
BUDGET = {
    ("60210", "PROD"): Decimal("1200.50"),
    ("60210", "ADM"): Decimal("300.01"),
    ("60210", "SALES"): Decimal("0.01"),
    ("20400", ""): Decimal("-1500.52"),
}
"""Amounts by account and department."""

pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True)


class Killed:
    """A run of the plan, and the requests in it that the sandbox holds."""

    def __init__(self, site) -> None:
        self.holds = Holds(site)
        task = f"/exports/{site.sandbox.info['anaplan']['export_ids'][EXPORT]}/tasks/[0-9A-F]+$"
        self.export = self.holds.add(task)
        self.preflight = self.holds.add(rf"/journals\?.*{BATCH}")
        dag = site.dag(plan_of(KILLED_PLAN))
        dag.unpause()
        self.run = PlanRun(site, dag, PERIOD)

    def kill(self) -> None:
        """Kill the worker of the task at work, or of the next one."""
        kill_next_worker(self.run.dag, self.run.run_id)
        self.holds.count_as_lost()

    def kill_at(self, hold: int) -> None:
        """Kill the worker when the sandbox holds its request; the next one is served."""
        self.holds.wait(hold)
        self.kill()
        self.holds.let_go(hold)

    def kill_after(self, task_id: str) -> None:
        """Kill the worker of what comes after a task."""
        wait_until(lambda: self.run.tasks()[task_id]["state"] == "success", what=f"the end of {task_id}")
        self.kill()


@pytest.fixture
def batch(site):
    """A batch of its own, and a member that keeps the plan's cells apart; gives what the batch holds."""
    site.sandbox.call("PUT", f"/business_central/journals/{BATCH}", {})
    site.sandbox.ensure_members("Entities", [KILLED_PLAN])
    enter_budget(site, KILLED_PLAN, MONTH, expected(BUDGET))

    def lines() -> list[dict]:
        told = site.sandbox.call("GET", "/business_central/journals")
        assert told["post_calls"] == 0
        return next(batch["lines"] for batch in told["batches"] if batch["code"] == BATCH)

    yield lines
    site.sandbox.clear_faults()


def test_a_worker_killed_at_every_step_of_a_plan_leaves_one_whole_draft_and_no_lease(site, batch, trail):
    known = Counter(site.sandbox.starts())
    killed = Killed(site)
    killed.kill_at(killed.export)
    killed.kill_after("resolve")
    killed.kill_at(killed.preflight)
    killed.run.question()
    first_look = killed.holds.add(rf"/journals\?.*{BATCH}")
    dimensions = killed.holds.add(r"/\$batch$", "POST", "held", skip=1, times=1)
    killed.run.answer("ben")
    killed.kill_at(first_look)
    killed.kill_at(dimensions)
    killed.kill_after("write")
    approve(killed.run)

    found = {(line["account"], line["dimensions"].get("DEPARTMENT", "")): line["amount"] for line in batch()}
    assert len(batch()) == len(BUDGET)
    assert {place: Decimal(amount) for place, amount in found.items()} == BUDGET
    assert (Counter(site.sandbox.starts()) - known)[EXPORT] == 1
    assert Leases(trail.engine).all() == []
