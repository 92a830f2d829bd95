# SPDX-License-Identifier: Apache-2.0
"""Four more ledgers close a period side by side into one model: what their books hold is what the model holds.

On PostgreSQL the server of Dynamics GP is read by a local agent, as in a network that only a worker in it can reach.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.demo.rehearsal import DAG_IDS
from airflow_provider_mlconnector.demo.watching import Dag
from airflow_provider_mlconnector.trail.leases import Leases
from tests.e2e.books import balances_in_books, balances_in_model, expected
from tests.e2e.local_agent import NAME, QUEUE, start_agent
from tests.e2e.sections import overlaps, sections_of
from tests.e2e.waiting import MINUTES, wait_for, wait_until

PERIOD, MONTH = "FY2026-P06", "Dec 25"
ENTITIES = {
    "dynamics_fo": "Larkfield Manufacturing",
    "acumatica": "Larkfield Services",
    "syspro": "Larkfield Trading",
    "dynamics_gp": "Larkfield Distribution",
}
LEDGERS = pytest.mark.parametrize("ledger", ENTITIES)
ON_SQLITE = pytest.mark.parametrize("site", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("site", ["postgres"], indirect=True)


@dataclass(frozen=True)
class Close:
    """A run that closes a period of one ledger."""

    dag: Dag
    run_id: str

    def tasks(self, *, at_ledger: bool) -> list[dict]:
        """Return the tasks that talk to the ledger, or the others."""
        return [task for task in self.dag.tasks(self.run_id) if talks_to_ledger(task) is at_ledger]


def talks_to_ledger(task: dict) -> bool:
    return task["task_id"].startswith("extract.") or task["task_id"] == "late_postings"


@pytest.fixture(scope="module")
def known(site) -> int:
    """Return how much had happened in the model before."""
    return len(site.sandbox.events())


@pytest.fixture(scope="module")
def closed(site, known) -> Mapping[str, Close]:
    """One period closed from all ledgers side by side; the agent comes when the others are at work."""
    dags = {ledger: site.dag(DAG_IDS[ledger]) for ledger in ENTITIES}
    for dag in dags.values():
        dag.unpause()
    closes = {ledger: Close(dag, dag.trigger(PERIOD)) for ledger, dag in dags.items()}
    if site.has_agent:
        wait_for_agent(closes["dynamics_gp"], closes["dynamics_fo"])
        start_agent(site.stack, site.stack.home / NAME)
    for close in closes.values():
        assert wait_for(close.dag, close.run_id, 12 * MINUTES).state == "success"
        close.dag.pause()
    return closes


def wait_for_agent(waiting: Close, other: Close) -> None:
    """See that nobody else takes the tasks of the agent's queue, while another ledger is read."""

    def states(close: Close) -> set[str]:
        return {task["state"] for task in close.tasks(at_ledger=True)}

    wait_until(lambda: states(other) == {"success"}, what="another ledger read")
    assert "queued" in states(waiting)
    assert states(waiting) <= {"queued", "scheduled", None}


@LEDGERS
def test_a_close_loads_exactly_the_books_trial_balance(site, closed, ledger):
    books = expected(site.sandbox.ledger(PERIOD, select="close"))
    assert site.sandbox.amounts(MONTH, Entity=ENTITIES[ledger]) == books


@LEDGERS
def test_a_close_loads_the_books_account_balances(site, closed, ledger):
    assert balances_in_model(site.sandbox, MONTH, ENTITIES[ledger]) == balances_in_books(site.sandbox, PERIOD)


def test_four_flows_never_work_in_the_model_at_once(site, known, closed, trail):
    events = site.sandbox.events()[known:]
    assert len(sections_of(events)) > len(closed)
    assert overlaps(events) == []
    assert Leases(trail.engine).all() == []


def test_every_session_is_given_back_and_every_logon_succeeds(site, closed):
    assert site.sandbox.call("GET", "/acumatica/sessions") == []
    assert "429" not in site.sandbox.call("GET", "/stats")["acumatica"]["by_status"]
    logons = site.sandbox.call("GET", "/dynamics_gp/logons")
    assert logons["logons"]
    assert logons["failures"] == {}


@ON_POSTGRES
def test_a_local_agent_reads_the_ledger_and_nothing_else(site, closed):
    close = closed["dynamics_gp"]
    assert {(task["hostname"], task["queue"]) for task in close.tasks(at_ledger=True)} == {(NAME, QUEUE)}
    others = [*close.tasks(at_ledger=False), *closed["syspro"].dag.tasks(closed["syspro"].run_id)]
    assert NAME not in {task["hostname"] for task in others}
    assert QUEUE not in {task["queue"] for task in others}


def test_sub_ledgers_load_as_records_of_their_lists(site, closed):
    for name in ("AP Invoices", "AR Invoices", "Stock"):
        records = {row["Record"] for row in site.sandbox.cells(f"{name} Data", Entity=ENTITIES["syspro"])}
        assert records
        assert records == set(site.sandbox.members(name))


@ON_SQLITE
def test_a_corrected_line_changes_just_its_cell_in_the_next_run(site, closed):
    dag, entity = closed["dynamics_fo"].dag, ENTITIES["dynamics_fo"]
    line = next(line for line in site.sandbox.lines(PERIOD) if line["department"] == "PROD")
    before = site.sandbox.amounts(MONTH, Entity=entity)
    site.sandbox.change_line(line["entry_number"], amount=str(Decimal(line["amount"]) + Decimal("0.05")))
    dag.unpause()
    run_id = dag.trigger(PERIOD)
    assert wait_for(dag, run_id, 9 * MINUTES).state == "success"
    assert dag.xcom(run_id, "load_gl_actuals.load")["prepared"]["cells_sent"] == 1
    after = site.sandbox.amounts(MONTH, Entity=entity)
    assert {cell: after[cell] - before[cell] for cell in after if after[cell] != before.get(cell)} == {
        (line["account"], "CC300"): Decimal("0.05")
    }
