"""A close on a real Airflow: what the ledger holds is what the model holds."""

import time
from datetime import date
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.demo.watching import OVER
from tests.e2e.books import balances_in_books, balances_in_model, expected
from tests.e2e.waiting import MINUTES, wait_for, wait_until

PERIOD, MONTH = "FY2026-P05", "Nov 25"


@pytest.fixture(scope="module")
def closed(site):
    """One period closed by a manual run."""
    dag = site.dag("larkfield_close")
    dag.unpause()
    run_id = dag.trigger(PERIOD)
    assert wait_for(dag, run_id).state == "success"
    return dag, run_id


def test_a_close_loads_exactly_the_ledgers_trial_balance(site, closed):
    assert site.sandbox.amounts(MONTH) == expected(site.sandbox.ledger(PERIOD))


def test_a_close_loads_the_ledgers_account_balances(site, closed):
    assert balances_in_model(site.sandbox, MONTH, "Larkfield") == balances_in_books(site.sandbox, PERIOD)


def test_each_import_was_started_once(site, closed):
    imports = ("Load Accounts", "Load Cost Centres", "Load GL Actuals", "Load GL Balances")
    assert {name: site.sandbox.starts()[name] for name in imports} == dict.fromkeys(imports, 1)


def test_a_cleared_run_sends_the_period_again_and_repairs_what_a_person_changed(site, closed):
    dag, run_id = closed
    (account, centre), right = next(iter(site.sandbox.amounts(MONTH).items()))
    cell = {"Account": account, "Cost Centre": centre, "Entity": "Larkfield", "Version": "Actual", "Time": MONTH}
    cell["Amount"] = "1.23"
    site.sandbox.call("POST", "/anaplan/cells", {"module": "GL Actuals", "cells": [cell]})
    before = site.sandbox.starts()["Load GL Actuals"]
    site.stack.api("POST", f"/dags/{dag.dag_id}/dagRuns/{run_id}/clear", {"dry_run": False})
    time.sleep(2)
    assert wait_for(dag, run_id).state == "success"
    assert site.sandbox.starts()["Load GL Actuals"] == before + 1
    assert site.sandbox.amounts(MONTH)[account, centre] == right


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_a_backfill_by_command_loads_each_period_between_its_days(site, closed):
    dag = site.dag("short_close")
    dag.unpause()
    command = ("backfill", "create", "--dag-id", dag.dag_id, "--from-date", "2025-07-01", "--to-date", "2025-09-30")
    site.stack.cli(*command)
    check_backfill(site, dag, {"FY2026-P01": "Jul 25", "FY2026-P02": "Aug 25", "FY2026-P03": "Sep 25"})


@pytest.mark.parametrize("site", ["postgres"], indirect=True)
def test_a_backfill_over_rest_loads_each_period_between_its_days(site, closed):
    dag = site.dag("short_close")
    dag.unpause()
    dag.backfill(date(2025, 12, 1), date(2026, 2, 28))
    check_backfill(site, dag, {"FY2026-P06": "Dec 25", "FY2026-P07": "Jan 26", "FY2026-P08": "Feb 26"})


def check_backfill(site, dag, months: dict[str, str]) -> None:
    wait_until(lambda: backfilled(dag, months).keys() == months.keys(), 8 * MINUTES, "a backfill")
    assert backfilled(dag, months) == dict.fromkeys(months, "success")
    for period, month in months.items():
        assert site.sandbox.amounts(month, "Forecast") == expected(site.sandbox.ledger(period))


def backfilled(dag, periods) -> dict[str, str]:
    """Return how the backfilled runs of some periods ended; the schedule starts runs of its own meanwhile."""
    runs = [run for run in dag.progress() if run.kind == "backfill" and run.period in periods]
    return {run.period: run.state for run in runs if run.state in OVER}


def test_a_run_without_a_period_fails_at_once_and_names_the_open_ones(site, closed):
    dag, _ = closed
    run_id = site.stack.api("POST", f"/dags/{dag.dag_id}/dagRuns", {"logical_date": None})["dag_run_id"]
    assert wait_for(dag, run_id, 2 * MINUTES).state == "failed"
    tries = {task["task_id"]: task["try_number"] for task in dag.tasks(run_id)}
    assert tries["extract.journal_lines"] == 1
    logs = site.stack.api("GET", f"/dags/{dag.dag_id}/dagRuns/{run_id}/taskInstances/extract.journal_lines/logs/1")
    assert "open periods: " in str(logs)


def test_a_scheduled_run_sends_only_the_cells_that_a_changed_line_touches(site, closed):
    dag = site.dag("ticking_close")
    dag.unpause()
    wait_until(lambda: cells_sent(dag), what="a first run")
    line = site.sandbox.lines("FY2027-P05")[0]
    amount = Decimal(line["amount"]) + Decimal("0.07")
    site.sandbox.change_line(line["entry_number"], amount=str(amount))
    wait_until(lambda: 1 in cells_sent(dag), what="a run that sends one cell")
    dag.pause()
    *others, first = sorted(cells_sent(dag))
    assert first > 1
    assert sum(others) == 1
    held = site.sandbox.amounts("Nov 26", "Forecast", Entity="Larkfield")
    assert held == expected(site.sandbox.ledger("FY2027-P05"))


def cells_sent(dag) -> list[int]:
    """Return for each run that is over how many cells it sent; on a slow machine the next one has begun by then."""
    runs = [run for run in dag.progress() if run.state in OVER]
    assert {(run.state, run.period) for run in runs} <= {("success", "FY2027-P05")}
    return [sent_by(dag, run.run_id) for run in runs]


def sent_by(dag, run_id: str) -> int:
    load = next(task for task in dag.tasks(run_id) if task["task_id"] == "load_gl_actuals.load")
    return dag.xcom(run_id, load["task_id"])["prepared"]["cells_sent"] if load["state"] == "success" else 0
