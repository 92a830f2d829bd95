"""A close from Finance & Operations on a real Airflow: what the books hold is what the model holds."""

from decimal import Decimal

import pytest

from tests.e2e.books import expected
from tests.e2e.waiting import wait_for

PERIOD, MONTH, ENTITY = "FY2026-P06", "Dec 25", "Larkfield Manufacturing"


@pytest.fixture(scope="module")
def dag(site):
    dag = site.dag("fo_manufacturer_close")
    dag.unpause()
    assert wait_for(dag, dag.trigger(PERIOD)).state == "success"
    return dag


def test_a_close_loads_exactly_the_books_trial_balance(site, dag):
    assert site.sandbox.amounts(MONTH, Entity=ENTITY) == expected(site.sandbox.ledger(PERIOD))


def test_a_close_loads_the_balances_that_the_entries_add_up_to(site, dag):
    rows = site.sandbox.cells("GL Balances", Time=MONTH, Version="Actual", Entity=ENTITY)
    names = ("Opening", "Debit", "Credit", "Closing")
    model = {row["Account"]: {name.lower(): Decimal(row.get(name) or 0) for name in names} for row in rows}
    books = {account: row for account, row in site.sandbox.balances(PERIOD).items() if any(row.values())}
    assert {account: row for account, row in model.items() if any(row.values())} == books


def test_a_corrected_line_changes_just_its_cell_in_the_next_run(site, dag):
    line = next(line for line in site.sandbox.lines(PERIOD) if line["department"] == "PROD")
    before = site.sandbox.amounts(MONTH, Entity=ENTITY)
    amount = Decimal(line["amount"]) + Decimal("0.05")
    site.sandbox.change_line(line["entry_number"], amount=str(amount))
    run_id = dag.trigger(PERIOD)
    assert wait_for(dag, run_id).state == "success"
    assert dag.xcom(run_id, "load_gl_actuals.load")["prepared"]["cells_sent"] == 1
    after = site.sandbox.amounts(MONTH, Entity=ENTITY)
    assert {cell: after[cell] - before[cell] for cell in after if after[cell] != before.get(cell)} == {
        (line["account"], "CC300"): Decimal("0.05")
    }
    site.sandbox.change_line(line["entry_number"], amount=line["amount"])
    assert wait_for(dag, dag.trigger(PERIOD)).state == "success"
    assert site.sandbox.amounts(MONTH, Entity=ENTITY) == before
