"""Whatever is killed, the remote task is started once, taken up again, and cancelled only by a person."""

import time

import pytest

from airflow_provider_mlconnector.trail.leases import Leases
from tests.e2e.killing import kill_next_worker
from tests.e2e.waiting import MINUTES, wait_for, wait_until

IMPORT = "Load Vendors"


@pytest.fixture
def slow_imports(site):
    """Let an import take so long that something can happen meanwhile."""
    site.sandbox.switches(task_seconds=25.0, longest_task_seconds=25.0)
    yield
    site.sandbox.reset_switches()
    site.sandbox.clear_faults()


def task_of(dag, run_id: str):
    return next(task for task in dag.tasks(run_id) if task["task_id"] == "load")


def state(dag, run_id: str) -> str:
    return task_of(dag, run_id)["state"] or ""


def finished(dag, run_id: str) -> str:
    return wait_for(dag, run_id, 4 * MINUTES).state


def ended(site, known: int) -> list[str]:
    """Return how the remote tasks after the first ``known`` ended; nothing while one of them is on its way."""
    states = [task["state"] for task in site.sandbox.tasks(IMPORT)[known:]]
    return [] if {"NOT_STARTED", "IN_PROGRESS", "CANCELLING"} & set(states) else states


def start(site, dag_id: str):
    dag = site.dag(dag_id)
    dag.unpause()
    known = len(site.sandbox.tasks(IMPORT))
    run_id = site.stack.api("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"]
    return dag, run_id, known


def test_a_killed_triggerer_leaves_one_remote_task_that_is_taken_up_again(site, slow_imports):
    dag, run_id, known = start(site, "vendors_deferred")
    wait_until(lambda: state(dag, run_id) == "deferred")
    site.stack.processes.kill("triggerer")
    time.sleep(2)
    site.stack.start_component("triggerer")
    assert finished(dag, run_id) == "success"
    assert [task["state"] for task in site.sandbox.tasks(IMPORT)[known:]] == ["COMPLETE"]


def test_a_worker_killed_between_start_and_answer_leaves_one_remote_task(site, slow_imports):
    site.sandbox.fault(
        "slow", f"/imports/{site.sandbox.info['anaplan']['import_ids'][IMPORT]}/tasks$", method="POST", seconds=20
    )
    dag, run_id, known = start(site, "vendors_waiting")
    wait_until(lambda: len(site.sandbox.tasks(IMPORT)) > known)
    kill_next_worker(dag, run_id)
    site.sandbox.clear_faults()
    assert finished(dag, run_id) == "success"
    assert [task["state"] for task in site.sandbox.tasks(IMPORT)[known:]] == ["COMPLETE"]


def test_a_deferred_task_that_a_person_marks_failed_cancels_its_remote_task_once(site, trail, slow_imports):
    site.sandbox.switches(task_seconds=3600.0, longest_task_seconds=3600.0)
    dag, run_id, known = start(site, "vendors_deferred")
    wait_until(lambda: state(dag, run_id) == "deferred")
    # Airflow tells only a trigger that runs; one that does renews the lease.
    (lease,) = Leases(trail.engine).all()
    wait_until(lambda: Leases(trail.engine).all()[0].until > lease.until)
    path = f"/dags/{dag.dag_id}/dagRuns/{run_id}/taskInstances/load"
    site.stack.api("PATCH", path, {"new_state": "failed"})
    assert wait_until(lambda: ended(site, known), 60) == ["CANCELLED"]
    assert finished(dag, run_id) == "failed"
    assert len(site.sandbox.tasks(IMPORT)) == known + 1
    wait_until(lambda: not Leases(trail.engine).all(), what="the lease is given back")
