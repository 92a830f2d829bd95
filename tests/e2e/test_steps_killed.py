# SPDX-License-Identifier: Apache-2.0
"""A close in which one component is killed at every boundary between two steps: each import starts once all the same.

A boundary inside a load is held open by the sandbox, which keeps a request waiting; the others are the moment when
Airflow says that the task before is done.
"""

from collections import Counter

import pytest

from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.store import Trail
from tests.e2e.books import expected, members
from tests.e2e.conftest import KILLED
from tests.e2e.killing import Holds, kill_next_worker
from tests.e2e.waiting import MINUTES, wait_for, wait_until

PERIOD, MONTH = "FY2026-P11", "May 26"
LISTS, CELLS = "Load Accounts", "Load GL Actuals"
LONG = 900.0
"""Seconds that an import takes on the sandbox's clock, which is moved on when it has taken long enough."""
SLOW_ANSWER = 15.0
WITH_WORK = ("worker", "scheduler")
"""Components with which the processes of the run's tasks are killed; the scheduler's machine has the workers, too."""


class Close:
    """A run of the close, the requests in it that the sandbox will hold, and what is killed."""

    def __init__(self, site, component: str) -> None:
        self.site = site
        self.component = component
        self.known = Counter(site.sandbox.starts())
        self.holds = Holds(site)
        self.look = self.holds.add(self._path(LISTS, "tasks/[0-9A-F]+$"))
        self.listing = self.holds.add(self._path(CELLS, r"tasks\?"))
        site.sandbox.fault("slow", self._path(CELLS, "tasks$"), method="POST", seconds=SLOW_ANSWER)
        self.dag = site.dag(flow_of(component))
        self.dag.unpause()
        self.run_id = self.dag.trigger(PERIOD)

    def _path(self, action: str, path: str) -> str:
        return f"/imports/{self.site.sandbox.info['anaplan']['import_ids'][action]}/{path}"

    def wait(self, task_id: str, *states: str) -> None:
        wait_until(lambda: self._task(task_id)["state"] in states, what=f"{task_id} {states}")

    def started(self) -> Counter[str]:
        return Counter(self.site.sandbox.starts()) - self.known

    def is_over(self, action: str) -> bool:
        return self.site.sandbox.tasks(action)[-1]["state"] == "COMPLETE"

    def kill(self) -> None:
        """Kill the component; a worker is one that works for this run, or that does so next."""
        if self.component == "worker":
            kill_next_worker(self.dag, self.run_id)
        else:
            self.site.restart(self.component)
        if self.component in WITH_WORK:
            self.holds.count_as_lost()

    def _task(self, task_id: str) -> dict:
        return next(task for task in self.dag.tasks(self.run_id) if task["task_id"] == task_id)


def flow_of(component: str) -> str:
    """Return the flow, and the entity, of the close in which a component is killed."""
    return f"{component.replace('-', '_')}_killed"


@pytest.fixture
def lists(site):
    """See that the model knows the members which the close does not bring."""
    site.sandbox.ensure_members("Entities", list(KILLED))
    site.sandbox.ensure_members("Cost Centres", sorted(set(members().values())))


@pytest.fixture(autouse=True)
def as_it_was(site):
    yield
    site.sandbox.reset_switches()
    site.sandbox.clear_faults()


@pytest.mark.parametrize("component", ["worker", "api-server", "triggerer"])
@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_a_component_killed_at_every_step_leaves_one_start_and_no_lease(site, component, lists, trail):
    check_close(site, component, trail)


@pytest.mark.parametrize("site", ["postgres"], indirect=True)
def test_a_scheduler_killed_with_its_workers_at_every_step_leaves_one_start_and_no_lease(site, lists, trail):
    check_close(site, "scheduler", trail)


def check_close(site, component: str, trail: Trail) -> None:
    close = Close(site, component)
    close.wait("extract.accounts", "success")
    close.kill()
    kill_before_the_outcome_is_accepted(close)
    close.wait("load_gl_actuals.prepare", "success")
    close.kill()
    kill_inside_the_load_of_cells(close)
    close.wait("load_gl_actuals.load", "success")
    close.kill()
    assert wait_for(close.dag, close.run_id, 8 * MINUTES).state == "success"
    assert close.started() == {LISTS: 1, CELLS: 1}
    assert site.sandbox.amounts(MONTH, Entity=flow_of(component)) == expected(site.sandbox.ledger(PERIOD))
    assert Leases(trail.engine).all() == []


def kill_before_the_outcome_is_accepted(close: Close) -> None:
    close.holds.wait(close.look)
    wait_until(lambda: close.is_over(LISTS), what="the end of the import")
    close.kill()
    close.site.sandbox.switches(task_seconds=LONG, longest_task_seconds=LONG)
    close.holds.let_go(close.look)


def kill_inside_the_load_of_cells(close: Close) -> None:
    """Kill between upload and start, between start and answer, and while the task is deferred."""
    close.holds.wait(close.listing)
    close.kill()
    close.holds.let_go(close.listing)
    wait_until(lambda: close.started()[CELLS], what="the start")
    close.kill()
    close.wait("load_gl_actuals.load", "deferred")
    if close.component != "worker":  # none works for a deferred task
        close.kill()
    close.site.sandbox.call("POST", "/clock", {"advance": LONG})
