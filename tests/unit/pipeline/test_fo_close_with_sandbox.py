# SPDX-License-Identifier: Apache-2.0
"""Closes of Finance & Operations against the sandbox: the model holds what the books say, in every period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books.books import NewLine, Posting
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import LINES, TURNS, balances_booked, balances_held, booked, held
from tests.unit.pipeline.fo_close import LISTS, Closed, Opened, closed_by, opened_fo
from tests.unit.pipeline.support import csv_rows


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(["anaplan", "dynamics_fo"], scale=0.05) as running:
        yield running


@pytest.fixture
def closing(tmp_path: Path, trail_template: Path, sandbox: Sandbox, control: SandboxControl) -> Iterator[Opened]:
    """Open a close of Larkfield's, on a trail of its own."""
    with opened_fo(tmp_path, trail_template, sandbox, control) as opened:
        yield opened


@pytest.fixture(scope="module")
def larkfield(tmp_path_factory, trail_template: Path, sandbox: Sandbox, control: SandboxControl) -> Iterator[Closed]:
    with opened_fo(tmp_path_factory.mktemp("lark"), trail_template, sandbox, control) as opened:
        yield Closed(sandbox, control, closed_by(opened, list(TURNS), TURNS))


def test_periods_of_all_kinds_hold_the_trial_balance(larkfield):
    for key, (close, done) in larkfield.done.items():
        assert held(larkfield.control, close) == booked(larkfield.sandbox.world.books, key), key
        assert done.report.agrees, done.report.problems


def test_balances_are_those_of_the_books(larkfield):
    for key in TURNS:
        ours = balances_held(larkfield.control, larkfield.done[key][0])
        assert ours == balances_booked(larkfield.sandbox.world.books, key), key


def test_an_unchanged_ledger_is_read_and_nothing_else(closing):
    close = closing("FY2026-P02")
    close.imports = (*LISTS, LINES)
    close.run()
    again = close.run()
    assert again.batches["journal_lines"].file is None
    assert [load.sent for load in again.loads] == [0, 0, 0]


def test_a_changed_line_is_corrected_by_new_ones_and_changes_just_its_cell(closing, sandbox, control):
    close, books = closing("FY2026-P03"), sandbox.world.books
    close.imports = (*LISTS, LINES)
    close.run()
    line = next(line for line in books.lines("FY2026-P03") if line.department == "PROD")
    books.change_line(line.entry_number, amount=line.amount + 10)
    done = close.run()
    made = done.load(LINES).prepared
    assert done.batches["journal_lines"].mode == "changes"
    assert done.batches["journal_lines"].rows == 2
    assert [(row["Account"], row["Cost Centre"]) for row in csv_rows(close.bench, made.file)] == [
        (line.account, "CC300")
    ]
    assert held(control, close) == booked(books, "FY2026-P03")


def test_a_line_that_moves_to_another_period_leaves_the_one_and_comes_to_the_other(closing, sandbox, control):
    books = sandbox.world.books
    both = [closing("FY2026-P04"), closing("FY2026-P05")]
    for close in both:
        close.imports = (*LISTS, LINES)
        close.run()
    line = next(iter(books.lines("FY2026-P04")))
    books.change_line(line.entry_number, period="FY2026-P05", department="RND")
    for close in both:
        close.run()
        assert held(control, close) == booked(books, close.period.key)


def test_reversals_stornos_and_corrections_come_with_the_changes(closing, sandbox, control):
    close, books = closing("FY2026-P06"), sandbox.world.books
    close.imports = (*LISTS, LINES)
    close.run()
    first, second, *_ = (line.entry_number for line in books.lines("FY2026-P06"))
    books.reverse_document(first, storno=True)
    books.correct_amount(second, Decimal("1.23"))
    done = close.run()
    assert done.batches["journal_lines"].mode == "changes"
    assert held(control, close) == booked(books, "FY2026-P06")


def test_back_dated_postings_and_late_commits_come_with_the_changes(closing, sandbox, control):
    """The stamp of what is posted now into an old period is today's; one that committed late has an earlier one."""
    close, books = closing("FY2026-P08"), sandbox.world.books
    close.imports = (*LISTS, LINES)
    pair = [NewLine("60310", Decimal(12), "ADM"), NewLine("20400", Decimal(-12))]
    books.post_document(date(2026, 2, 10), pair)
    close.run()
    books.post_document(date(2026, 2, 1), pair)
    close.run()
    late = sandbox.world.clock.now() - timedelta(minutes=40)
    books.post_document(date(2026, 2, 2), pair, how=Posting(modified_at=late))
    done = close.run()
    assert done.batches["journal_lines"].mode == "changes"
    assert held(control, close) == booked(books, "FY2026-P08")


def test_adjustments_are_posted_to_the_closing_period_and_loaded_and_other_layers_are_not(closing, sandbox, control):
    close, books = closing("FY2026-P09"), sandbox.world.books
    close.imports = (*LISTS, LINES)
    pair = [NewLine("60310", Decimal("7.77"), "ADM"), NewLine("20400", Decimal("-7.77"))]
    books.post_document(date(2026, 3, 31), pair, how=Posting(EntryKind.ADJUSTING))
    books.post_document(date(2026, 3, 31), pair, how=Posting(ledger="TAX"))
    done = close.run()
    assert done.load(LINES).prepared.left_out == {"ledger Tax": "2 rows 0.00"}
    assert held(control, close) == booked(books, "FY2026-P09")
