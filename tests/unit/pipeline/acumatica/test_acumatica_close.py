# SPDX-License-Identifier: Apache-2.0
"""Closes from Acumatica against the sandbox: the model holds what the books say, whole and by increments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import BALANCES, LINES, TURNS, balances_booked, balances_held, booked, held
from tests.unit.pipeline.sandbox_close import SandboxClose, opened_closes
from tests.unit.pipeline.support import csv_rows

FLOW = Path(__file__).parents[4] / "dags/flows/acumatica_services_close.yaml"
LISTS = ("Load Accounts", "Load Cost Centre Names")


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Callable[[str], SandboxClose]]:
    folder = tmp_path_factory.mktemp("acumatica")
    with opened_closes(folder, trail_template, sandbox, control, FLOW) as opened:
        yield opened


@pytest.fixture
def closing(opened, control) -> Callable[[str], SandboxClose]:
    """Open the close of a period, with its lists loaded first."""

    def close(key: str, *imports: str) -> SandboxClose:
        one = opened(key)
        one.imports = (*LISTS, *(imports or (LINES,)))
        return one

    return close


def test_periods_of_all_kinds_load_exactly_the_trial_balance(opened, sandbox, control):
    centres: set[str] = set()
    for key in (*TURNS, "FY2026-P03", "FY2026-P08"):  # with which every department but one has figures
        close = opened(key)
        close.imports = (*(() if centres else LISTS), LINES, BALANCES)
        done = close.run("whole")
        assert held(control, close) == booked(sandbox.world.books, key), key
        assert balances_held(control, close) == balances_booked(sandbox.world.books, key), key
        assert done.report.agrees, done.report.problems
        assert done.report.difference == "0.00"
        centres |= {centre for (_, centre), amount in held(control, close).items() if amount and centre != "NONE"}
    assert len(centres) >= 12, "the firm has figures over a dozen cost centres"


def test_an_unchanged_ledger_is_read_and_nothing_else(closing, control):
    close = closing("FY2026-P02")
    close.run()
    tasks = sum(control.starts().values())
    again = close.run()
    assert again.batches["journal_lines"].file is None
    assert sum(control.starts().values()) == tasks
    assert again.report.agrees, again.report.problems


def test_a_changed_line_corrects_just_its_cell(closing, sandbox, control):
    close = closing("FY2026-P03")
    close.run()
    line = next(line for line in control.lines(close.period.key) if line["department"] == "PROD")
    control.change_line(line["entry_number"], amount=str(Decimal(line["amount"]) + 10))
    done = close.run()
    assert done.batches["journal_lines"].mode == "changes"
    made = done.load(LINES).prepared
    assert [(row["Account"], row["Cost Centre"]) for row in csv_rows(close.bench, made.file)] == [
        (line["account"], "CC300")
    ]
    assert held(control, close) == booked(sandbox.world.books, close.period.key)
    assert done.report.agrees, done.report.problems


def test_a_line_that_goes_to_another_department_moves_its_amount(closing, sandbox, control):
    close = closing("FY2026-P04")
    close.run()
    line = next(line for line in control.lines(close.period.key) if line["department"] == "SALES")
    control.change_line(line["entry_number"], department="RND")
    done = close.run()
    centres = {row["Cost Centre"] for row in csv_rows(close.bench, done.load(LINES).prepared.file)}
    assert centres == {"CC200", "CC400"}
    assert held(control, close) == booked(sandbox.world.books, close.period.key)


def test_a_line_that_vanishes_is_noticed_without_a_stamp(closing, sandbox, control):
    close = closing("FY2026-P05")
    close.run()
    line = control.lines(close.period.key)[0]
    control.call("DELETE", f"/books/lines/{line['entry_number']}")
    done = close.run()
    assert done.batches["journal_lines"].mode == "whole"
    assert held(control, close) == booked(sandbox.world.books, close.period.key)


def test_a_back_dated_posting_is_loaded_into_the_period_that_it_was_posted_to(closing, sandbox, control):
    close = closing("FY2026-P06")
    close.run()
    document = {
        "posting_date": "2026-11-19",
        "period": close.period.key,
        "lines": [
            {"account": "60210", "amount": "123.45", "department": "ADM"},
            {"account": "20400", "amount": "-123.45"},
        ],
    }
    control.call("POST", "/books/documents", document)
    done = close.run()
    assert done.batches["journal_lines"].mode == "changes"
    assert held(control, close) == booked(sandbox.world.books, close.period.key)
    assert done.report.agrees, done.report.problems


def test_a_late_commit_with_an_earlier_number_is_found_by_the_overlap_or_the_totals(closing, sandbox, control):
    close = closing("FY2026-P07")
    first = close.run()
    stamp = first.batches["journal_lines"].cursor
    late = {
        "posting_date": "2026-01-05",
        "modified_at": stamp.isoformat() if stamp else None,
        "lines": [{"account": "60310", "amount": "7.77", "department": "LOG"}, {"account": "20400", "amount": "-7.77"}],
    }
    control.call("POST", "/books/documents", late)
    done = close.run()
    assert held(control, close) == booked(sandbox.world.books, close.period.key)
    assert done.report.agrees, done.report.problems


def test_what_is_posted_to_other_ledgers_is_no_part_of_the_actuals(closing, sandbox, control):
    close = closing("FY2026-P08")
    tax = {
        "posting_date": "2026-02-10",
        "ledger": "TAX",
        "lines": [{"account": "60310", "amount": "50", "department": "LOG"}, {"account": "20400", "amount": "-50"}],
    }
    control.call("POST", "/books/documents", tax)
    done = close.run()
    assert held(control, close) == booked(sandbox.world.books, close.period.key)
    assert done.report.agrees, done.report.problems


def test_a_renamed_department_is_noticed_though_no_stamp_moves(closing, sandbox, control):
    close = closing("FY2026-P09")
    close.run()
    control.call("PATCH", "/books/dimensions/DEPARTMENT/LOG", {"code": "HAUL"})
    try:
        done = close.run()
        assert done.load(LINES).prepared.rows_quarantined > 0, "the code book does not know the new code"
    finally:
        control.call("PATCH", "/books/dimensions/DEPARTMENT/HAUL", {"code": "LOG"})
    done = close.run()
    assert held(control, close) == booked(sandbox.world.books, close.period.key)
