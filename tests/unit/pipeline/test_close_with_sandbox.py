# SPDX-License-Identifier: Apache-2.0
"""Closes against the sandbox. Each test has a period of its own, so that they do not meet."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import BadRequestError, TaskFailedError
from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.flows.plans import read_plans
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.tell import tell
from airflow_provider_mlconnector.trail.records import RejectKind
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import CENTRES, month
from tests.unit.pipeline.sandbox_close import BALANCES, SandboxClose
from tests.unit.pipeline.support import csv_rows, parquet_rows


def expected(control: SandboxControl, period: str) -> dict[tuple[str, str], Decimal]:
    """Return the ledger's totals as the model names them."""
    return {(account, CENTRES[code]): amount for (account, code), amount in control.ledger(period).items()}


def expected_amounts(control: SandboxControl, close: SandboxClose) -> list[Decimal]:
    return list(control.ledger(close.period.key).values())


def actuals(control: SandboxControl, month: str) -> dict[tuple[str, str], Decimal]:
    """Return what the model holds of a month, zeros left out."""
    rows = control.call("GET", "/anaplan/cells", module="GL Actuals", Time=month, Version="Actual")["cells"]
    cells = {(row["Account"], row["Cost Centre"]): Decimal(row["Amount"]) for row in rows}
    return {cell: amount for cell, amount in cells.items() if amount}


def starts(control: SandboxControl) -> int:
    """Return how many tasks were ever started in the model."""
    return sum(control.call("GET", "/anaplan/tasks")["starts"].values())


def test_a_close_loads_exactly_the_trial_balance(closing, control):
    close = closing("FY2026-P05")
    done = close.run()
    assert actuals(control, month(close)) == expected(control, close.period.key)
    assert done.report.agrees, done.report.problems
    told = next(check.summary for check in done.report.checks if check.import_name == "Load GL Actuals")
    assert (told.difference, told.erp_total) == ("0.00", told.model_total)
    assert Decimal(told.erp_total or 0) > 0


def test_balances_are_those_of_the_ledger(closing, control):
    close = closing("FY2026-P06")
    close.imports = BALANCES
    done = close.run()
    cells = control.call("GET", "/anaplan/cells", module="GL Balances", Time=month(close), Version="Actual")["cells"]
    told = {row["Account"]: row for row in cells}
    ledger = {account: row for account, row in control.balances(close.period.key).items() if any(row.values())}
    assert {account: Decimal(told[account]["Closing"]) for account in ledger} == {
        account: row["closing"] for account, row in ledger.items()
    }
    assert done.report.agrees, done.report.problems


def test_an_unchanged_ledger_is_read_and_nothing_else(closing, control):
    close = closing("FY2026-P07")
    close.run()
    tasks = starts(control)
    again = close.run()
    assert again.batches["journal_lines"].file is None
    assert [load.sent for load in again.loads] == [0, 0, 0]
    assert starts(control) == tasks
    assert again.report.agrees, again.report.problems


def test_a_changed_line_corrects_just_its_cell(closing, control):
    close = closing("FY2026-P08")
    close.run()
    line = next(line for line in control.lines(close.period.key) if line["department"] == "PROD")
    control.change_line(line["entry_number"], amount=str(Decimal(line["amount"]) + 10))
    done = close.run()
    made = done.load("Load GL Actuals").prepared
    assert [(row["Account"], row["Cost Centre"]) for row in csv_rows(close.bench, made.file)] == [
        (line["account"], "CC300")
    ]
    assert actuals(control, month(close)) == expected(control, close.period.key)
    assert done.report.agrees, done.report.problems


def test_a_line_that_leaves_the_period_is_noticed_without_a_changed_stamp(closing, control):
    close = closing("FY2026-P09")
    close.run()
    line = control.lines(close.period.key)[0]
    control.call("DELETE", f"/books/lines/{line['entry_number']}")
    done = close.run()
    assert done.batches["journal_lines"].mode == "whole"
    assert actuals(control, month(close)) == expected(control, close.period.key)


def test_a_whole_run_repairs_what_a_person_typed_over(closing, control):
    close = closing("FY2026-P10")
    close.run()
    (account, centre), _ = next(iter(actuals(control, month(close)).items()))
    address = {
        "Account": account,
        "Cost Centre": centre,
        "Entity": "Larkfield",
        "Version": "Actual",
        "Time": month(close),
    }
    control.call("POST", "/anaplan/cells", {"module": "GL Actuals", "cells": [{**address, "Amount": "12345"}]})
    nightly = close.run()
    assert not nightly.report.agrees
    assert "12,345" in str(nightly.report.problems) or "12345.00 in the model" in str(nightly.report.problems)
    whole = close.run("whole")
    assert whole.report.agrees, whole.report.problems
    assert actuals(control, month(close)) == expected(control, close.period.key)


def test_a_member_that_a_person_deleted_comes_back_with_its_cells(closing, control):
    close = closing("FY2026-P11")
    close.run()
    account = control.lines(close.period.key)[0]["account"]
    control.call("DELETE", "/anaplan/members", {"list": "Accounts", "members": [account]})
    done = close.run("whole")
    assert done.load("Load GL Actuals").prepared.rows_quarantined == 0, "the list was loaded again before"
    assert done.report.agrees, done.report.problems
    assert actuals(control, month(close)) == expected(control, close.period.key)


def test_a_department_without_a_member_is_quarantined_until_the_code_book_names_it(closing, control):
    close = closing("FY2027-P02")
    line = control.lines(close.period.key)[0]
    control.call("PUT", "/books/dimensions/DEPARTMENT/LAB", {"name": "Laboratory"})
    control.change_line(line["entry_number"], department="LAB")
    plan = next(plan for plan in close.plans() if plan.import_name == "Load GL Actuals")
    done = close.run()
    made = done.load("Load GL Actuals").prepared
    assert made.rows_quarantined == 1
    assert done.report.agrees, done.report.problems
    book = plan.crosswalks["Cost Centre"]
    wider = crosswalk(book.name, [*book.rules, Rule(MatchKind.EXACT, "LAB", "CC400")])
    close.changed["Load GL Actuals"] = {"crosswalks": {"Cost Centre": wider}}
    released = close.run()
    assert released.load("Load GL Actuals").prepared.rows_quarantined == 0
    assert sum(actuals(control, month(close)).values()) == sum(expected_amounts(control, close))


def test_a_load_that_failed_changes_nothing_and_the_next_run_makes_good(closing, control):
    close = closing("FY2027-P03")
    control.fault("status", "/files/", method="PUT", status=400, times=1)
    with pytest.raises(BadRequestError):
        close.run()
    control.clear_faults()
    assert actuals(control, month(close)) == {}
    done = close.run()
    assert done.report.agrees, done.report.problems
    assert actuals(control, month(close)) == expected(control, close.period.key)


def test_a_record_tells_its_whole_way(closing, control):
    close = closing("FY2026-P12")
    close.run()
    line = control.lines(close.period.key)[0]
    record = next(
        row["record_id"]
        for batch in close.bench.trail.batches(dataset="journal_lines")
        for row in parquet_rows(close.bench, batch.file)
        if row["entry_number"] == line["entry_number"]
    )
    told = [step.step for step in tell(close.bench, record)]
    assert told[:4] == ["read", "booked", "mapped", "written"]
    assert told[-3:] == ["started", "finished", "accepted"]


def test_rows_that_anaplan_rejects_have_reasons_on_the_trail_and_are_sent_again(closing, control):
    close = closing("FY2027-P01")
    close.run()
    account = control.lines(close.period.key)[0]["account"]
    control.change_line(control.lines(close.period.key)[0]["entry_number"], amount="1.23")
    run = close.open_run("changes")
    plan = next(plan for plan in close.plans() if plan.import_name == "Load GL Actuals")
    read = next(read for read in read_plans(close.flow) if read.dataset == plan.dataset)
    batch = extract(close.bench, close.ledger, read, run, close.period)
    made = close.prepare(plan, batch)
    control.call("DELETE", "/anaplan/members", {"list": "Accounts", "members": [account]})
    with pytest.raises(TaskFailedError, match="rows were rejected"):
        close.load(plan, made, batch)
    rejects = [row.reject for row in close.bench.trail.rejects(run.run_id, kind=RejectKind.REJECTED)]
    assert {reject.cell["Account"] for reject in rejects} == {account}
    assert all(reject.reason for reject in rejects)
    whole = close.run("whole")
    assert whole.report.agrees, whole.report.problems
    assert actuals(control, month(close)) == expected(control, close.period.key)
