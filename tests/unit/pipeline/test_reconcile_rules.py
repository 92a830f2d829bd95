# SPDX-License-Identifier: Apache-2.0
"""Lines that a flow leaves out by rule: the ERP's figures hold them, the model does not, the report says how much."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.operators.tables import report_lines
from airflow_provider_mlconnector.pipeline.filecheck import check_file
from airflow_provider_mlconnector.pipeline.manifests import LoadManifest, ReconcileReport
from airflow_provider_mlconnector.pipeline.plan import Selection
from airflow_provider_mlconnector.pipeline.reconcile import reconcile
from airflow_provider_mlconnector.systems.port import PeriodTotals
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.fake_model import FakeModel
from tests.unit.pipeline.support import PERIOD, account, actuals, line, records

MOVEMENT = "sum of absolute account movements"


@pytest.fixture
def reported(bench: Any, ledger: Any, new_run: Callable[..., Any]) -> Callable[..., ReconcileReport]:
    """Make a whole run and return its report."""
    for row in ledger.lines:
        row["dimension.DEPARTMENT"] = row["dimension.DEPARTMENT"] or "NONE"

    def run(**plan: Any) -> ReconcileReport:
        close = Close(bench, ledger, FakeModel(), new_run("whole"), plan=actuals(check="GL Actuals by Period", **plan))
        batch = close.extract()
        made = close.prepare(batch)
        return reconcile(bench, close.run, [close.plan], [batch], [made], [close.load(made)], close.model, PERIOD)

    return run


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ({"kind": "closing"}, "closing entry"),
        ({"kind": "opening"}, "opening entry"),
        ({"plan_document": True}, "our own plan document"),
        ({"ledger": "TAX"}, "ledger TAX"),
    ],
)
def test_what_is_left_out_is_in_both_figures_of_the_ledger_and_off_the_difference(reported, ledger, marks, reason):
    for row in ledger.lines:
        row["ledger"] = "ACTUAL"
    marks = {"ledger": "ACTUAL", **marks}
    ledger.lines.extend([line(7, "40100", "-44.00", **marks), line(8, "10100", "44.00", **marks)])
    report = reported(selection=Selection(ledger="ACTUAL"))
    assert report.agrees, report.problems
    figures = {one.name: one.value for one in report.checks[0].figures}
    assert figures[f"ERP {MOVEMENT}"] == figures[f"book {MOVEMENT}"] == "389.00"
    assert figures[f"left out: {reason}"] == "2 rows 0.00"
    assert figures[f"left out: {reason}, {MOVEMENT}"] == "88.00"
    assert figures[f"model {MOVEMENT}"] == "301.00"
    assert report.difference == "0.00"


def test_statistical_accounts_are_lines_but_no_money(reported, ledger):
    money = ledger.by_account()
    ledger.lines.append(line(7, "90000", "12.00", statistical=True))
    ledger.totals = PeriodTotals(7, money, "trial balance")
    report = reported()
    assert report.agrees, report.problems
    figures = {one.name: one.value for one in report.checks[0].figures}
    assert figures["ERP lines"] == figures["book lines"] == "7"
    assert figures["left out: statistical account"] == "1 rows 12.00"
    assert report.difference == "0.00"


def test_the_accounts_on_which_ledger_and_book_differ_are_named_with_both_amounts(reported, ledger):
    ledger.totals = PeriodTotals(6, {**ledger.by_account(), "40200": Decimal("-31.00")}, "trial balance")
    [problem] = reported().problems
    assert "(trial balance: 6 lines) differ from the book (6 lines), 1.00 apart per account" in problem
    assert "account 40200: -31.00 in the ledger, -30.00 in the book." in problem


def test_a_code_that_changes_its_member_within_the_period_is_counted_by_day(reported, ledger):
    turning = date(2025, 11, 4)
    rules = [
        Rule(MatchKind.EXACT, "SALES", "OLD", valid_to=date(2025, 11, 3)),
        Rule(MatchKind.EXACT, "SALES", "NEW", valid_from=turning),
        Rule(MatchKind.DEFAULT, "", "REST"),
    ]
    ledger.lines.extend(line(number, "40100", "-1.00") for number in range(7, 10))
    ledger.lines.extend(line(number, "10100", "1.00") for number in range(10, 13))
    report = reported(crosswalks={"Cost Centre": crosswalk("centres.csv", rules)})
    assert report.agrees, report.problems
    figures = {one.name: one.value for one in report.checks[0].figures}
    assert figures["cells that differ from the book"] == "0"


def test_the_printed_table_says_what_is_not_checked_and_why(bench, ledger, new_run):
    ledger.totals = PeriodTotals(None, None, "")
    close = Close(bench, ledger, FakeModel(told_counts=False), new_run(), plan=actuals())
    batch = close.extract()
    load = close.load(close.prepare(batch))
    report = reconcile(bench, close.run, [close.plan], [batch], [load.prepared], [load], close.model, PERIOD)
    lines = [line.split("  ") for line in report_lines(report)]
    table = [[word.strip() for word in words if word.strip()] for words in lines]
    assert ["ERP lines", "not checked", "the ERP gives no totals of its own"] in table
    assert ["loaded", "not checked", "Anaplan told no counts"] in table
    assert ["cells of the model that differ", "not checked", "no check view"] in table
    assert ["in every line", "Version Actual, Time Nov 25", "cells"] in table
    summary = next(words for words in table if words[0] == "Load GL Actuals")
    assert summary == ["Load GL Actuals", "6", "3", "3", "0", *["not checked"] * 5]
    assert max(len(line) for line in report_lines(report)) < 140


NAMES = [
    'say "no"',
    "a, b",
    "two\nlines",
    "# no comment",
    " blank first",
    "",
    "😀 שלום",
    "007",
    "'",
    '"',
    "NULL",
    "a\tb",
]


def test_any_name_stands_in_the_file_as_it_was_prepared(bench, ledger, new_run):
    ledger.rows[Dataset.ACCOUNTS] = [account(f"{at:05d}", name or "x") for at, name in enumerate(NAMES)]
    ledger.rows[Dataset.ACCOUNTS][5]["name"] = ""
    plan = records(Dataset.ACCOUNTS, {"Code": "account", "Name": "name", "Kind": '=L1, "posting"'})
    close = Close(bench, ledger, FakeModel(), new_run("whole"), plan=plan)
    made = close.prepare()
    load = LoadManifest(
        run=close.run,
        dataset=plan.dataset,
        import_name=plan.import_name,
        prepared=made,
        task_id="",
        sent=len(NAMES),
        loaded=len(NAMES),
        rejected=0,
        ignored=0,
        warned=0,
        accepted_version=1,
    )
    checked = check_file(bench, load)
    assert checked.problems == ()
    assert [figure.value for figure in checked.figures] == [str(len(NAMES)), "0"]
