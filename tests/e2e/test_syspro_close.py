"""The close of a SYSPRO company on a real Airflow: what its ledger and its sub-ledgers hold is what the model holds."""

from decimal import Decimal

import pytest

from tests.e2e.books import expected
from tests.e2e.waiting import MINUTES, wait_for

PERIOD, MONTH, ENTITY = "FY2027-P03", "Sep 26", "Larkfield Trading"
SIDES = ("Opening", "Debit", "Credit", "Closing")


@pytest.fixture(scope="module")
def closed(site):
    """One period closed by a manual run."""
    dag = site.dag("syspro_trading_close")
    dag.unpause()
    run_id = dag.trigger(PERIOD)
    assert wait_for(dag, run_id, 9 * MINUTES).state == "success"
    return dag, run_id


def test_a_close_loads_exactly_the_trial_balance_and_the_balances(site, closed):
    assert site.sandbox.amounts(MONTH, Entity=ENTITY) == expected(site.sandbox.ledger(PERIOD, select="close"))
    rows = site.sandbox.cells("GL Balances", Time=MONTH, Entity=ENTITY)
    model = {row["Account"]: tuple(Decimal(row.get(name, "0")) for name in SIDES) for row in rows}
    books = site.sandbox.balances(PERIOD)
    ledger = {account: tuple(row[name.lower()] for name in SIDES) for account, row in books.items()}
    assert {one: sides for one, sides in model.items() if any(sides)} == {
        one: sides for one, sides in ledger.items() if any(sides)
    }


def test_an_invoice_that_is_gone_is_removed_by_the_next_run(site, closed):
    dag, _ = closed
    records = {row["Record"] for row in site.sandbox.cells("AP Invoices Data", Entity=ENTITY)}
    assert records == set(site.sandbox.members("AP Invoices"))
    lines = [line for line in site.sandbox.lines("FY2026-P02") if line["document"].startswith("PI")]
    gone = [line for line in lines if line["document"] == lines[0]["document"]]
    for line in gone:
        site.sandbox.call("DELETE", f"/books/lines/{line['entry_number']}")
    assert wait_for(dag, dag.trigger(PERIOD), 9 * MINUTES).state == "success"
    assert records - set(site.sandbox.members("AP Invoices")) == {f"L/{gone[0]['party']}/{gone[0]['document']}"}
    assert site.sandbox.starts()["Delete Gone AP Invoices"] >= 1
