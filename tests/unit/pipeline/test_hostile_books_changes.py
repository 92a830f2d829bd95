# SPDX-License-Identifier: Apache-2.0
"""What ledgers go through between two runs: after the next run of changes the model holds what the ledger says.

Every test does something to the books of one period that was loaded before, all of them in the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import TaskFailedError
from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.pipeline.plan import ReadMode
from airflow_provider_mlconnector.sandbox.books import Books, NewLine, Posting
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT, DimensionValue
from airflow_provider_mlconnector.sandbox.books.lines import Line
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE_BY_DATE
from airflow_provider_mlconnector.sandbox.books.tui import HEADS
from airflow_provider_mlconnector.sandbox.books.tui_ledger import LARGEST
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import LINES, held
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose
from tests.unit.pipeline.support import parquet_rows
from tests.unit.pipeline.tui_close import LISTS, books_of, ledger, opened_tui

USUAL = Posting()
KEY = "FY2027-P02"
LATER = "FY2027-P03"
SALE, SUSPENSE, BANK = "40,1", "60800", "00007"


class Month:
    """A loaded period, and the books that it is loaded from."""

    def __init__(self, close: SandboxClose, sandbox: Sandbox, control: SandboxControl) -> None:
        self.close = close
        self.sandbox = sandbox
        self.control = control
        self.books: Books = books_of(sandbox)
        self.day = close.period.start + timedelta(days=9)

    def post(self, amount: str, *, how: Posting = USUAL, **line: object) -> list[int]:
        """Post an amount to suspense, and its opposite to the bank."""
        lines = [NewLine(SUSPENSE, Decimal(amount), **line), NewLine(BANK, -Decimal(amount))]  # type: ignore[arg-type]
        return self.books.post_document(self.day, lines, how=how)

    def line(self) -> Line:
        """Return a line of the period on an income account that nobody reversed."""
        lines = self.books.lines(KEY, selection=CLOSE_BY_DATE)
        return next(line for line in lines if line.account[0] == "4" and not line.reversed)

    def run(self, *imports: str) -> Outcome:
        """Run changes, and see that model and ledger are equal."""
        self.close.imports = (*imports, LINES)
        done = self.close.run()
        assert done.report.agrees, done.report.problems
        assert held(self.control, self.close) == ledger(self.sandbox, self.close)
        return done

    def mode(self, *imports: str) -> ReadMode:
        """Run changes, and tell how the lines were read in the end."""
        return ReadMode(self.run(*imports).batches["journal_lines"].mode)


@pytest.fixture(scope="module")
def month(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Month]:
    with opened_tui(tmp_path_factory.mktemp("tui"), trail_template, sandbox, control) as opened:
        month = Month(opened(KEY), sandbox, control)
        month.run(*LISTS)
        yield month


POSTINGS: dict[str, Callable[[Month], list[int]]] = {
    "a cent": lambda month: month.post("0.01"),
    "nineteen digits": lambda month: month.post(str(LARGEST), department="ייצור"),
    "odd codes": lambda month: month.post("12.34", department='Q"1', description='"a", b; c\n|🐝'),
    "an opening entry": lambda month: month.post("70.10", how=Posting(EntryKind.OPENING)),
    "an adjusting entry": lambda month: month.post("70.20", how=Posting(EntryKind.ADJUSTING)),
    "a document in another currency": lambda month: month.post(
        "171.05", currency="USD", currency_amount=Decimal(100), department="ŌTARA"
    ),
    "a storno": lambda month: month.post("-33.30", how=Posting(storno=True)),
    "a document of another period by its date": lambda month: month.post("70.30", how=Posting(period=LATER)),
    "a reversal": lambda month: month.books.reverse_document(month.line().entry_number),
    "a reversal by negative amounts": lambda month: month.books.reverse_document(
        month.line().entry_number, storno=True
    ),
    "a correction": lambda month: month.books.correct_amount(month.line().entry_number, Decimal("50.55")),
    "a line with another department": lambda month: [
        month.books.change_line(month.line().entry_number, department="A,B").entry_number
    ],
}


@pytest.fixture(scope="module")
def posted(month: Month) -> tuple[dict[str, list[int]], Outcome]:
    """All of these between two runs, and what the second one left."""
    entries = {name: post(month) for name, post in POSTINGS.items()}
    return entries, month.run()


@pytest.mark.parametrize("name", POSTINGS)
def test_what_moves_a_stamp_is_found_by_a_read_of_changes(month, posted, name):
    entries, done = posted
    assert done.batches["journal_lines"].mode == ReadMode.CHANGES
    rows = parquet_rows(month.close.bench, done.batches["journal_lines"].file)
    read = {row["entry_number"]: row for row in rows}
    for entry in entries[name]:
        line, row = month.books.line(entry), read[entry]
        assert (row["amount"], row["debit"], row["credit"]) == (line.amount, line.debit, line.credit)
        assert (row["account"], row["dimension.DEPARTMENT"]) == (line.account, line.department)
        assert (row["period"], row["kind"], row["currency"]) == (KEY, "normal", None)


def test_what_the_general_ledger_does_not_have_changes_nothing(month):
    before = held(month.control, month.close)
    month.books.post_line(month.day, NewLine(SUSPENSE, Decimal(7)), how=Posting(ledger="TAX"))
    month.books.post_line(month.day, NewLine(HEADS, Decimal(7)))
    assert month.run().load(LINES).sent == 0
    assert held(month.control, month.close) == before


def test_a_late_commit_with_an_earlier_stamp_is_found_by_the_overlap(month):
    month.post("81.10", how=Posting(modified_at=_newest(month) - timedelta(minutes=9)))
    assert month.mode() is ReadMode.CHANGES


def test_a_later_commit_than_the_overlap_is_found_by_the_ledgers_own_count(month):
    month.post("81.20", how=Posting(modified_at=_newest(month) - timedelta(days=30)))
    assert month.mode() is ReadMode.WHOLE


def _newest(month: Month) -> datetime:
    return max(line.modified_at for line in month.books.lines(KEY) if line.modified_at)


def test_a_row_with_a_blank_stamp_is_found_by_the_ledgers_own_count(month):
    for entry in month.post("82.00"):
        assert month.books.stamp_line(entry, None).modified_at is None
    assert month.mode() is ReadMode.WHOLE


def test_a_changed_amount_under_a_blank_stamp_is_found_by_the_ledgers_own_totals(month):
    line = month.line()
    month.books.change_line(line.entry_number, amount=line.amount - 9)
    month.books.stamp_line(line.entry_number, None)
    assert month.mode() is ReadMode.WHOLE


def test_a_line_that_moves_to_another_period_leaves_this_one_and_joins_that(month):
    line = month.line()
    month.books.change_line(line.entry_number, posting_date=month.books.period(LATER).start)
    assert month.mode() is ReadMode.WHOLE
    assert line.entry_number not in {other.entry_number for other in month.books.lines(KEY)}


@pytest.mark.parametrize("same_ids", [False, True], ids=["another id", "the same id"])
def test_an_entry_number_that_is_used_again_after_a_rollback_is_the_new_line(month, same_ids):
    first, _ = month.post("83.00", department="07")
    seen = month.books.line(first)
    month.run()
    month.books.roll_back(first, same_ids=same_ids)
    again, _ = month.post("0.83", department="007")
    assert again == first
    assert (month.books.line(again).system_id == seen.system_id) is same_ids
    assert month.mode() is (ReadMode.CHANGES if same_ids else ReadMode.WHOLE)


def test_a_dimension_value_with_another_code_moves_its_cells_though_no_line_was_touched(month):
    month.post("85.00", department="ŌTARA")
    month.run()
    stamps = [line.modified_at for line in month.books.lines(KEY)]
    month.books.rename_value(DEPARTMENT, "ŌTARA", "WAS")
    assert [line.modified_at for line in month.books.lines(KEY)] == stamps
    month.close.imports = ("Load Cost Centres", LINES)
    with pytest.raises(TaskFailedError, match="1 of 1 rows were rejected"):
        month.close.run()  # two members of one name are more than a list takes
    month.books.add_value(DimensionValue(DEPARTMENT, "WAS", "Shop, once in Ōtara"))
    month.run("Load Cost Centres")
    departments = {department for _, department in held(month.control, month.close)}
    assert "WAS" in departments
    assert "ŌTARA" not in departments


def test_a_blocked_value_still_reads(month):
    month.post("86.00", department="R;D")
    month.books.block_value(DEPARTMENT, "R;D")
    assert month.mode() is ReadMode.CHANGES
    assert "R;D" in {department for _, department in held(month.control, month.close)}


def test_a_deleted_value_stays_on_its_lines(month):
    month.books.add_value(DimensionValue(DEPARTMENT, "GONE", "Once more"))
    month.post("87.00", department="GONE")
    month.run()
    month.books.delete_value(DEPARTMENT, "GONE")
    assert month.mode() is ReadMode.CHANGES
    assert "GONE" in {department for _, department in held(month.control, month.close)}


def test_an_account_under_another_parent_moves_in_the_model_and_keeps_its_amounts(month):
    before = held(month.control, month.close)
    month.books.move_account(SALE, "5")
    month.run("Load Accounts")
    assert month.control.members("Accounts")[SALE]["parent"] == "5"
    assert held(month.control, month.close) == before


def test_a_year_that_is_closed_again_adds_closing_entries_that_are_left_out(month, tmp_path, trail_template):
    with opened_tui(tmp_path, trail_template, month.sandbox, month.control) as opened:
        last = Month(opened("FY2026-P12"), month.sandbox, month.control)
        last.day = last.close.period.end
        first = last.run(*LISTS).load(LINES).prepared
        last.post("88.80", department="1E5")
        entries = last.books.close_year(2026)
        assert len(entries) == 2, "the rest of the year is closed already"
        again = last.run().load(LINES).prepared
        assert again.rows_left_out == first.rows_left_out + 2
        assert sum(amount for (account, _), amount in held(last.control, last.close).items() if account[0] in "456")
