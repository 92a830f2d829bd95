# SPDX-License-Identifier: Apache-2.0
"""Three flows load one model at once, on PostgreSQL: their work in it never overlaps, and nobody waits in a slot."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from airflow_provider_mlconnector.errors import LeaseTakenError
from airflow_provider_mlconnector.flows.plans import pool_name
from airflow_provider_mlconnector.trail.leases import Leases
from airflow_provider_mlconnector.trail.records import EventKind
from airflow_provider_mlconnector.trail.store import Trail
from tests.e2e.books import expected
from tests.e2e.conftest import ENTITIES
from tests.e2e.sections import overlaps, sections_of
from tests.e2e.waiting import MINUTES, wait_for, wait_until

pytestmark = pytest.mark.parametrize("site", ["postgres"], indirect=True)

PERIOD, MONTH = "FY2026-P10", "Apr 26"
IMPORTS = 6
QUICK, SLOW = 1.0, 9.0
"""Seconds that an import takes; the slow ones are longer than a task waits on its worker."""
POOL = pool_name("anaplan_default", "Finance", "FP&A Hub")
TO_LEAVE = timedelta(seconds=20)
"""A process that found the lease taken is gone by then, also on a slow machine; who waits stays for minutes."""


@pytest.fixture
def slots(site):
    """Set the number of slots of the model's pool."""

    def set_slots(count: int) -> None:
        site.stack.api("PATCH", f"/pools/{POOL}", {"pool": POOL, "slots": count, "include_deferred": True})

    yield set_slots
    set_slots(1)


@pytest.fixture
def pace(site):
    """Say how long the imports take that begin from now on."""

    def set_pace(seconds: float) -> None:
        site.sandbox.switches(task_seconds=seconds, longest_task_seconds=seconds)

    yield set_pace
    site.sandbox.reset_switches()


def test_three_flows_with_eighteen_imports_never_work_in_the_model_at_once(site, slots, trail, pace):
    pace(QUICK)
    site.sandbox.ensure_members("Entities", list(ENTITIES))
    known = len(site.sandbox.events())
    dags = [site.dag(f"{entity.lower()}_close") for entity in ENTITIES]
    for dag in dags:
        dag.unpause()
    runs = {dag: dag.trigger(PERIOD) for dag in dags}
    wait_until(lambda: len(starts(site, known)) >= len(dags), what="the first imports")
    slots(len(dags))  # from here on the lease alone keeps them apart
    pace(SLOW)  # tasks are deferred, and wake up while the others look for a gap
    wait_until(lambda: len(starts(site, known)) >= 2 * len(dags), what="some slow imports")
    pace(QUICK)
    assert {wait_for(dag, run_id, 8 * MINUTES).state for dag, run_id in runs.items()} == {"success"}

    events = site.sandbox.events()[known:]
    assert len(sections_of(events)) == len(ENTITIES) * IMPORTS
    assert overlaps(events) == []
    assert_books_agree(site)
    assert Leases(trail.engine).all() == []
    assert_nobody_waited_in_a_slot(site, trail, dags)
    assert sum(deferrals(site, dag) for dag in dags) > 0


def deferrals(site, dag) -> int:
    return int(site.stack.api("GET", f"/eventLogs?dag_id={dag.dag_id}&event=deferred")["total_entries"])


def starts(site, known: int) -> list[dict]:
    return [event for event in site.sandbox.events()[known:] if event["kind"] == "start"]


def assert_books_agree(site) -> None:
    right = expected(site.sandbox.ledger(PERIOD))
    for entity in ENTITIES:
        assert site.sandbox.amounts(MONTH, Entity=entity) == right


def assert_nobody_waited_in_a_slot(site, trail: Trail, dags) -> None:
    """See that each task which found the lease taken left its process and its slot at once, and came back later."""
    found_taken = [
        (event.at, timedelta(seconds=event.detail["seconds"]))
        for dag in dags
        for run in trail.runs(dag.dag_id)
        for event in trail.events(run.run_id)
        if event.kind == EventKind.WAITED and event.detail.get("code") == LeaseTakenError.code
    ]
    assert found_taken, "with three slots some task has to find the lease taken"
    left = departures(site, [dag.dag_id for dag in dags])
    for at, wait in found_taken:
        came_back = at + wait
        mine = [end for end, back in left if abs(back - came_back) < timedelta(seconds=1) and end >= at]
        assert mine, f"nobody left at {at}"
        assert min(mine) - at < TO_LEAVE


def departures(site, dag_ids: list[str]) -> list[tuple]:
    """Return from Airflow's own record when tasks gave their slots back, and when they were to come again."""
    engine = sa.create_engine(site.stack.options.database_url)
    query = sa.text(
        "SELECT r.end_date, r.reschedule_date FROM task_reschedule r JOIN task_instance t ON t.id = r.ti_id "
        "WHERE t.dag_id = ANY(:dag_ids)"
    )
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query, {"dag_ids": dag_ids})]
    engine.dispose()
    return rows


def test_without_the_lease_and_with_three_slots_their_work_overlaps(site, slots):
    slots(3)
    known = len(site.sandbox.events())
    held = site.sandbox.fault("hang", "/files/[0-9]+$", method="PUT", times=None, seconds=5 * MINUTES)
    dag = site.dag("leaseless")
    dag.unpause()
    run_id = site.stack.api("POST", f"/dags/{dag.dag_id}/dagRuns", {"logical_date": None})["dag_run_id"]
    wait_until(lambda: site.sandbox.hits(held) == 3, what="three uploads at once")
    site.sandbox.clear_faults()  # they are let go together
    wait_for(dag, run_id)
    assert overlaps(site.sandbox.events()[known:]) != []
