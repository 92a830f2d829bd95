# SPDX-License-Identifier: Apache-2.0
"""What happens once to the four ledgers beside Business Central: their plans come home, and then their periods close.

Each ledger has a period of its own, since all of them show the same books: what is posted in one is in the others, too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.demo.homecoming import plan_of
from airflow_provider_mlconnector.demo.rehearsal import DAG_IDS
from airflow_provider_mlconnector.demo.watching import Dag
from tests.e2e.books import expected
from tests.e2e.ledger_desks import Documents, Ledger
from tests.e2e.local_agent import NAME, start_agent
from tests.e2e.plan_runs import Amounts, PlanRun, approve, enter_budget
from tests.e2e.waiting import MINUTES, wait_for, wait_until

LEDGERS = {
    ledger.system: ledger
    for ledger in (
        Ledger("dynamics_fo", "Larkfield Manufacturing", "FY2027-P01", "Jul 26", "cost_centres"),
        Ledger("acumatica", "Larkfield Services", "FY2027-P02", "Aug 26", "acumatica_departments"),
        Ledger("syspro", "Larkfield Trading", "FY2027-P03", "Sep 26", "syspro_cost_centres"),
        Ledger("dynamics_gp", "Larkfield Distribution", "FY2027-P04", "Oct 26", "gp_departments"),
    )
}
AGAIN, CHANGED = LEDGERS["dynamics_fo"], LEDGERS["acumatica"]
"""Whose plan runs a second time as it is, and with other amounts."""

each_ledger = pytest.mark.parametrize("ledger", LEDGERS.values(), ids=LEDGERS)


def budget(ledger: Ledger, times: int = 1) -> Amounts:
    """Return rent of two departments against what is accrued; each ledger has amounts of its own."""
    rent, part = times * Decimal("1200.51") + list(LEDGERS.values()).index(ledger), Decimal("300.01")
    return {("60210", "CC300"): rent, ("60210", "CC100"): part, ("20400", "NONE"): -(rent + part)}


def books_of(site, ledger: Ledger) -> Amounts:
    """Return what was posted in the ledger's period, by account and cost centre."""
    return expected(site.sandbox.ledger(ledger.period, select="close"))


@dataclass(frozen=True)
class Plans:
    """Runs of plans that came home, with what was in the ledgers before and was there since, and what the model saw."""

    runs: Mapping[str, PlanRun]
    before: Mapping[str, Amounts]
    documents: Mapping[str, Documents]
    events: list[dict]


@dataclass(frozen=True)
class SecondPlans:
    """A plan that ran again as it was, and what was in its ledger and in that of a changed one since."""

    same: PlanRun
    same_documents: Documents
    changed_documents: Documents


@dataclass(frozen=True)
class Close:
    """A run that closed a period of one ledger."""

    dag: Dag
    run_id: str

    def tasks(self, *, at_ledger: bool) -> list[dict]:
        """Return the tasks that talk to the ledger, or the others."""
        return [task for task in self.dag.tasks(self.run_id) if _talks_to_ledger(task["task_id"]) is at_ledger]


@dataclass(frozen=True)
class Closes:
    """Runs that closed a period of each ledger, what the model then held of it, and what the model saw."""

    runs: Mapping[str, Close]
    actuals: Mapping[str, Amounts]
    events: list[dict]


def _talks_to_ledger(task_id: str) -> bool:
    return task_id.startswith("extract.") or task_id == "late_postings"


@pytest.fixture(scope="session")
def open_periods(site) -> Iterator[None]:
    """The periods can be posted to."""
    for ledger in LEDGERS.values():
        site.sandbox.call("PATCH", f"/books/periods/{ledger.period}", {"closed": False})
    yield
    for ledger in LEDGERS.values():
        site.sandbox.call("PATCH", f"/books/periods/{ledger.period}", {"closed": True})


@pytest.fixture(scope="session")
def plans(site, open_periods) -> Plans:
    """Four budgets come home side by side; the agent comes when the others have been at their ledgers."""
    known = len(site.sandbox.events())
    before = {name: books_of(site, ledger) for name, ledger in LEDGERS.items()}
    runs = {name: _ask(site, ledger, budget(ledger)) for name, ledger in LEDGERS.items()}
    _wait_for_agent(runs["dynamics_gp"], runs["dynamics_fo"])
    start_agent(site.stack, site.stack.home / NAME)
    approve(*runs.values())
    documents = {name: ledger.documents(site) for name, ledger in LEDGERS.items()}
    return Plans(runs, before, documents, site.sandbox.events()[known:])


def _ask(site, ledger: Ledger, amounts: Amounts) -> PlanRun:
    """Enter a budget, and let Ana ask for it in the ledger."""
    enter_budget(site, ledger.entity, ledger.month, amounts)
    dag = site.dag(plan_of(DAG_IDS[ledger.system]))
    dag.unpause()
    return PlanRun(site, dag, ledger.period)


def _wait_for_agent(waiting: PlanRun, other: PlanRun) -> None:
    """See that nobody else takes the task of the agent's queue, while another ledger is talked to."""

    def waits() -> bool:
        return waiting.tasks()["preflight"]["state"] == "queued"

    wait_until(waits, what="a task for the agent")
    wait_until(other.questions, what="a question about another ledger")
    assert waits()


@pytest.fixture(scope="session")
def second_plans(site, plans) -> SecondPlans:
    """One plan runs again as it is, another one with other amounts."""
    same, changed = _ask(site, AGAIN, budget(AGAIN)), _ask(site, CHANGED, budget(CHANGED, 2))
    approve(same, changed)
    return SecondPlans(same, AGAIN.documents(site), CHANGED.documents(site))


@pytest.fixture(scope="session")
def closes(site, second_plans) -> Closes:
    """People post all drafts; then all ledgers close their periods side by side."""
    for ledger in LEDGERS.values():
        ledger.post(site)
    known = len(site.sandbox.events())
    dags = {name: site.dag(DAG_IDS[name]) for name in LEDGERS}
    for dag in dags.values():
        dag.unpause()
    runs = {name: Close(dag, dag.trigger(LEDGERS[name].period)) for name, dag in dags.items()}
    for close in runs.values():
        assert wait_for(close.dag, close.run_id, 12 * MINUTES).state == "success"
        close.dag.pause()
    actuals = {name: site.sandbox.amounts(ledger.month, Entity=ledger.entity) for name, ledger in LEDGERS.items()}
    return Closes(runs, actuals, site.sandbox.events()[known:])
