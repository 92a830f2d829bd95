# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import ConfigurationError, ReconcileError
from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.pipeline.manifests import ReconcileReport
from airflow_provider_mlconnector.pipeline.plan import Sign, Tolerance
from airflow_provider_mlconnector.pipeline.reconcile import reconcile, require_agreement
from airflow_provider_mlconnector.systems.port import PeriodTotals
from airflow_provider_mlconnector.trail.records import EventKind
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.support import PERIOD, account, actuals, read_plan

VIEW = "GL Actuals by Period"
KEY = ("40100", "SALES", "Actual", "Nov 25")


@pytest.fixture
def close(close: Close) -> Close:
    close.plan = actuals(check=VIEW)
    return close


def checked(close: Close, before_the_check=lambda: None, *, read=True) -> ReconcileReport:
    batch = close.extract()
    prepared = close.prepare(batch)
    load = close.load(prepared)
    before_the_check()
    reader = close.model if read else None
    return reconcile(close.bench, close.run, [close.plan], [batch], [prepared], [load], reader)


def figure(report: ReconcileReport, name: str):
    return next(one for one in report.checks[0].figures if one.name == name)


def test_books_that_agree_agree_in_every_figure(close):
    report = checked(close)
    told = report.checks[0].summary
    assert report.agrees
    assert (report.difference, told.difference) == ("0.00", "0.00")
    assert (told.erp_total, told.model_total) == ("301.00", "301.00")
    assert (told.rows_read, told.rows_accepted, told.loaded, told.rejected) == (6, 6, 3, 0)
    assert figure(report, "ERP lines").value == figure(report, "book lines").value == "6"
    assert close.bench.trail.events(close.run.run_id)[-1].kind == EventKind.RECONCILED
    require_agreement(report)


def test_a_cell_that_somebody_changed_is_named(close, model):
    report = checked(close, lambda: model.cells.update({KEY: "-1"}))
    assert not report.agrees
    [problem] = report.problems
    assert "40100 / SALES: Amount -120.50 accepted, -1.00 in the model" in problem
    assert report.difference == "119.50"
    with pytest.raises(ReconcileError, match=r"-1\.00 in the model"):
        require_agreement(report)


def test_a_cell_that_nobody_sent_is_named_and_other_periods_are_not_looked_at(close, model):
    def somebody_types() -> None:
        model.cells[("99999", "SALES", "Actual", "Nov 25")] = "7"
        model.cells[("99999", "SALES", "Budget", "Nov 25")] = "7"
        model.cells[("99999", "SALES", "Actual", "Dec 25")] = "7"

    report = checked(close, somebody_types)
    assert "1 cells of the view" in report.problems[0]
    assert "99999 / SALES: Amount 0.00 accepted, 7.00 in the model" in report.problems[0]


def test_rejected_cells_within_the_tolerance_are_told_and_explain_the_difference(close, model):
    close.plan = actuals(check=VIEW, tolerance=Tolerance(rows=1))
    model.rejected = {"40200"}
    report = checked(close)
    assert report.agrees
    assert (report.checks[0].summary.rejected, report.difference) == (1, "30.00")


def test_quarantined_rows_are_told_and_the_sums_still_close(close):
    rules = [Rule(MatchKind.EXACT, "SALES", "SALES"), Rule(MatchKind.EXACT, "NONE", "NONE")]
    close.plan = actuals(check=VIEW, crosswalks={"Cost Centre": crosswalk("cc.csv", rules)})
    report = checked(close)
    assert report.agrees
    assert figure(report, "quarantined sum").value == "-30.00"
    assert (report.checks[0].summary.rows_quarantined, report.difference) == (1, "30.00")


def test_accounts_that_map_to_one_member_are_compared_as_one(close):
    rules = [Rule(MatchKind.PREFIX, "40", "40000"), Rule(MatchKind.DEFAULT, "", "10000")]
    close.plan = actuals(check=VIEW, crosswalks={"Account": crosswalk("accounts.csv", rules)})
    report = checked(close)
    assert (report.checks[0].summary.erp_total, report.difference) == ("301.00", "0.00")


def test_natural_signs_are_compared_by_size(close, ledger, new_run):
    ledger.rows[Dataset.ACCOUNTS] = [
        account(code, category=what) for code, what in (("10100", "Assets"), ("40100", "Income"), ("40200", "Income"))
    ]
    extract(close.bench, ledger, read_plan(Dataset.ACCOUNTS), new_run(), PERIOD)
    close.plan = actuals(check=VIEW, sign=Sign.NATURAL)
    report = checked(close)
    assert close.model.amounts()[("40100", "SALES")] == Decimal("120.50")
    assert (report.agrees, report.difference) == (True, "0.00")


def test_a_ledger_that_says_otherwise_is_a_problem(close, ledger):
    ledger.totals = PeriodTotals(7, {"40100": Decimal("-120.50"), "10100": Decimal("150.50")}, "trial balance")
    report = checked(close)
    assert "(trial balance: 7 lines) differ from the book (6 lines), 30.00 apart per account" in report.problems[0]


def test_what_has_no_source_of_its_own_is_not_checked(close, ledger):
    ledger.totals = PeriodTotals(None, None, "")
    report = checked(close, read=False)
    assert report.agrees
    assert report.difference is None
    assert figure(report, "ERP lines").value is None
    assert figure(report, "model sum of absolute account movements").value is None
    assert report.checks[0].summary.erp_total is None


def test_a_plan_without_a_view_is_not_checked_against_the_model(close):
    close.plan = actuals()
    assert figure(checked(close), "cells of the model that differ").source == "no check view"


def test_a_view_of_names_beside_an_import_by_codes_is_told_as_such(close, model, new_run):
    def rename() -> None:
        model.cells = {(f"Name of {key[0]}", *key[1:]): amount for key, amount in model.cells.items()}

    report = checked(close, rename)
    assert "name the lists in the flow" in report.problems[0]
    whole = Close(close.bench, close.ledger, model, new_run("whole"), plan=close.plan)
    with pytest.raises(ConfigurationError, match="shows none of the addresses"):
        whole.prepare()


def test_a_load_that_is_under_way_is_not_compared(close, bench, new_run):
    other = Close(bench, close.ledger, close.model, new_run("whole"), plan=close.plan, owner="other")

    def another_run_begins() -> None:
        other.begin(other.prepare())

    report = checked(close, another_run_begins)
    assert figure(report, "cells of the model that differ").source == "another run loads these cells just now"


def test_lines_that_are_not_accounted_for_are_a_problem(close, model):
    batch = close.extract()
    prepared = close.prepare(batch)
    load = close.load(prepared)
    wrong = replace(load, prepared=replace(prepared, rows_accepted=5, sum_accepted="-1.00"), loaded=2)
    report = reconcile(close.bench, close.run, [close.plan], [batch], [prepared], [wrong], model)
    assert [problem.partition(": ")[2] for problem in report.problems] == [
        "Of 6 lines in the book 5 are accounted for.",
        "The book adds up to 0.00, what became of its lines to -1.00.",
        "The accepted lines add up to -1.00, the cells to 0.00.",
        "3 lines were sent, 2 came to something: 2 loaded, 0 rejected, 0 ignored.",
    ]


def test_an_outcome_that_is_not_known_is_a_problem(close, model):
    close.plan = actuals(check=VIEW, tolerance=Tolerance(rows=5))
    model.rejected, model.dump_lines = {"40200"}, False
    assert "The outcome of its cells is unknown" in checked(close).problems[0]


def test_what_a_run_did_not_come_to_is_a_problem(close, model):
    batch = close.extract()
    for batches, prepared, step in (
        ([], [], "read"),
        ([batch], [], "prepared"),
        ([batch], [close.prepare(batch)], "loaded"),
    ):
        report = reconcile(close.bench, close.run, [close.plan], batches, prepared, [], model)
        assert report.problems == (f"Load GL Actuals: It was not {step} in this run.",)
