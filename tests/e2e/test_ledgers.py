# SPDX-License-Identifier: Apache-2.0
"""Four more ledgers close their periods side by side into one model: what their books hold is what the model holds.

The server of Dynamics GP is read by a local agent, as in a network that only a worker in it can reach.
"""

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.trail.leases import Leases
from tests.e2e.books import balances_in_books, balances_in_model
from tests.e2e.ledger_runs import LEDGERS, each_ledger
from tests.e2e.local_agent import NAME, QUEUE
from tests.e2e.sections import overlaps, sections_of
from tests.e2e.waiting import MINUTES, wait_for

pytestmark = pytest.mark.parametrize("site", ["postgres"], indirect=True)


@each_ledger
def test_a_close_loads_exactly_the_trial_balance_of_the_books_without_plans(site, plans, closes, ledger):
    assert closes.actuals[ledger.system] == plans.before[ledger.system]


@each_ledger
def test_a_close_loads_the_books_account_balances(site, closes, ledger):
    held = balances_in_model(site.sandbox, ledger.month, ledger.entity)
    assert held == balances_in_books(site.sandbox, ledger.period)


def test_four_flows_never_work_in_the_model_at_once(site, closes, trail):
    assert len(sections_of(closes.events)) > len(closes.runs)
    assert overlaps(closes.events) == []
    assert Leases(trail.engine).all() == []


def test_every_session_is_given_back_and_every_logon_succeeds(site, closes):
    assert site.sandbox.call("GET", "/acumatica/sessions") == []
    assert "429" not in site.sandbox.call("GET", "/stats")["acumatica"]["by_status"]
    logons = site.sandbox.call("GET", "/dynamics_gp/logons")
    assert logons["logons"]
    assert logons["failures"] == {}


def test_a_local_agent_reads_the_ledger_and_nothing_else(site, closes):
    close = closes.runs["dynamics_gp"]
    assert {(task["hostname"], task["queue"]) for task in close.tasks(at_ledger=True)} == {(NAME, QUEUE)}
    others = [*close.tasks(at_ledger=False), *closes.runs["syspro"].tasks(at_ledger=True)]
    assert NAME not in {task["hostname"] for task in others}
    assert QUEUE not in {task["queue"] for task in others}


def test_sub_ledgers_load_as_records_of_their_lists(site, closes):
    for name in ("AP Invoices", "AR Invoices", "Stock"):
        records = {row["Record"] for row in site.sandbox.cells(f"{name} Data", Entity=LEDGERS["syspro"].entity)}
        assert records
        assert records == set(site.sandbox.members(name))


def test_a_corrected_line_changes_just_its_cell_in_the_next_run(site, closes):
    dag, ledger = closes.runs["dynamics_fo"].dag, LEDGERS["dynamics_fo"]
    line = next(line for line in site.sandbox.lines(ledger.period) if line["department"] == "PROD")
    before = site.sandbox.amounts(ledger.month, Entity=ledger.entity)
    site.sandbox.change_line(line["entry_number"], amount=str(Decimal(line["amount"]) + Decimal("0.05")))
    dag.unpause()
    run_id = dag.trigger(ledger.period)
    assert wait_for(dag, run_id, 9 * MINUTES).state == "success"
    assert dag.xcom(run_id, "load_gl_actuals.load")["prepared"]["cells_sent"] == 1
    after = site.sandbox.amounts(ledger.month, Entity=ledger.entity)
    assert {cell: after[cell] - before[cell] for cell in after if after[cell] != before.get(cell)} == {
        (line["account"], "CC300"): Decimal("0.05")
    }
