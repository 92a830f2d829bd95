# SPDX-License-Identifier: Apache-2.0
"""What happens to the books between two runs from Dynamics GP, with and without a database to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.sandbox.books import NewLine, Posting
from airflow_provider_mlconnector.sandbox.dynamics_gp import site_of
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import CENTRES, LINES, held
from tests.unit.pipeline.gp_close import LISTS, Database, books_of, ledger, opened_gp
from tests.unit.pipeline.sandbox_close import SandboxClose
from tests.unit.pipeline.support import csv_rows

USUAL = Posting()


@pytest.fixture
def database(tmp_path: Path, control: SandboxControl) -> Database:
    return Database(control, tmp_path / "gp.db", "LARKFIELD")


@pytest.fixture
def closing(
    tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl, database: Database
) -> Iterator[Callable[[str], SandboxClose]]:
    with opened_gp(tmp_path, trail_template, sandbox, control, database=database) as opened:
        yield opened


@pytest.fixture
def closing_without_database(
    tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Callable[[str], SandboxClose]]:
    with opened_gp(tmp_path, trail_template, sandbox, control) as opened:
        yield opened


def loaded(close: SandboxClose) -> SandboxClose:
    """Load a period for the first time."""
    close.imports = (*LISTS, LINES)
    close.run()
    close.imports = (LINES,)
    return close


def test_without_a_database_a_changed_line_corrects_exactly_its_cell(closing_without_database, sandbox, control):
    close = loaded(closing_without_database("FY2026-P02"))
    line = next(line for line in books_of(sandbox, close).lines(close.period.key) if line.department == "PROD")
    control.change_line(line.entry_number, amount=str(line.amount + 10))
    done = close.run()
    assert done.batches["journal_lines"].mode == "changes"
    made = done.load(LINES).prepared
    assert [(row["Account"], row["Cost Centre"]) for row in csv_rows(close.bench, made.file)] == [
        (line.account, CENTRES["PROD"])
    ]
    assert held(control, close) == ledger(sandbox, close)


def test_an_unchanged_ledger_is_read_and_nothing_else(closing, sandbox, control):
    close = loaded(closing("FY2026-P03"))
    again = close.run()
    assert again.batches["journal_lines"].file is None
    assert again.load(LINES).sent == 0
    assert again.report.agrees, again.report.problems


def test_a_changed_line_moves_its_cell_and_the_databases_totals_agree(closing, sandbox, control, database):
    close = loaded(closing("FY2026-P04"))
    line = next(line for line in books_of(sandbox, close).lines(close.period.key) if line.department == "LOG")
    control.change_line(line.entry_number, department="ADM")
    database.refresh()
    done = close.run()
    moved = {(row["Account"], row["Cost Centre"]) for row in csv_rows(close.bench, done.load(LINES).prepared.file)}
    assert moved == {(line.account, "CC500"), (line.account, "CC100")}
    assert held(control, close) == ledger(sandbox, close)
    assert done.report.agrees, done.report.problems


@pytest.mark.parametrize("late", [timedelta(minutes=4), timedelta(days=3)], ids=["within the overlap", "days late"])
def test_a_late_commit_with_an_earlier_stamp_is_not_missed(closing, sandbox, control, database, late):
    close = loaded(closing("FY2026-P05" if late < timedelta(days=1) else "FY2026-P06"))
    books = books_of(sandbox, close)
    newest = max(line.modified_at for line in books.lines(close.period.key) if line.modified_at)
    day = close.period.start + timedelta(days=3)
    lines = [NewLine("60310", Decimal("12.34"), "SALES"), NewLine("20400", Decimal("-12.34"))]
    books.post_document(day, lines, how=Posting(modified_at=newest - late))
    database.refresh()
    done = close.run()
    assert held(control, close) == ledger(sandbox, close)
    assert done.batches["journal_lines"].mode == ("changes" if late < timedelta(days=1) else "whole")


def test_a_line_that_vanished_without_a_stamp_is_noticed_by_the_databases_totals(closing, sandbox, control, database):
    close = loaded(closing("FY2026-P07"))
    line = next(books_of(sandbox, close).lines(close.period.key))
    control.call("DELETE", f"/books/lines/{line.entry_number}")
    database.refresh()
    done = close.run()
    assert done.batches["journal_lines"].mode == "whole"
    assert held(control, close) == ledger(sandbox, close)


def test_an_entry_that_is_voided_between_two_runs_is_told_and_moves_nothing(closing, sandbox, control):
    close = loaded(closing("FY2026-P10"))
    drafts = site_of(sandbox.world).companies[0].drafts
    lines = [NewLine("60310", Decimal("12.34"), "SALES"), NewLine("20400", Decimal("-12.34"))]
    drafts.void(drafts.save(close.period.end, "ACCRUALS", lines).number)
    done = close.run()
    drafts.clear()
    assert (done.batches["journal_lines"].mode, done.batches["journal_lines"].findings) == ("changes", 1)
    assert done.load(LINES).sent == 0
    assert held(control, close) == ledger(sandbox, close)
    assert done.report.agrees, done.report.problems


def test_a_back_dated_posting_comes_with_its_own_period(closing, sandbox, control, database):
    close = loaded(closing("FY2026-P08"))
    lines = [NewLine("60420", Decimal(77), "RND"), NewLine("20400", Decimal(-77))]
    books_of(sandbox, close).post_document(close.period.end, lines)
    database.refresh()
    done = close.run()
    assert done.batches["journal_lines"].mode == "changes"
    assert held(control, close) == ledger(sandbox, close)


def test_without_a_database_nothing_is_claimed_to_be_compared(closing_without_database):
    close = closing_without_database("FY2026-P09")
    close.imports = (*LISTS, LINES)
    done = close.run()
    assert done.report.agrees, done.report.problems
    check = next(check for check in done.report.checks if check.import_name == LINES)
    assert any(figure.value is None and "no database" in figure.source for figure in check.figures)


def test_the_year_end_closing_turns_journals_into_history_and_none_is_doubled(closing, sandbox, control, database):
    close = loaded(closing("FY2026-P12"))
    books_of(sandbox, close).close_year(2026)
    database.refresh()
    whole = close.run("whole")
    assert held(control, close) == ledger(sandbox, close)
    assert whole.load(LINES).prepared.left_out
    assert whole.report.agrees, whole.report.problems
