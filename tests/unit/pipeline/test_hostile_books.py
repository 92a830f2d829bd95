# SPDX-License-Identifier: Apache-2.0
"""Books that hold what real ones do, closed period by period: the model holds what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT
from airflow_provider_mlconnector.sandbox.books.lines import Line
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE, CLOSE_BY_DATE, Selection
from airflow_provider_mlconnector.sandbox.books.tui import FLOOR, HEADS
from airflow_provider_mlconnector.sandbox.books.tui_ledger import LARGEST
from airflow_provider_mlconnector.sandbox.running import Sandbox
from tests.sandbox_control import SandboxControl
from tests.unit.pipeline.figures import BALANCES, LINES, Balances, Cells, balances_held, held
from tests.unit.pipeline.sandbox_close import Outcome, SandboxClose
from tests.unit.pipeline.tui_close import LISTS, as_cells, books_of, ledger, opened_tui

LAST_OF_YEAR = "FY2026-P12"
WITH_BALANCES = {"FY2026-P01", "FY2026-P05", LAST_OF_YEAR, "FY2027-P01"}


class Closed:
    """All periods up to today, closed once."""

    def __init__(self, sandbox: Sandbox, control: SandboxControl) -> None:
        self.books = books_of(sandbox)
        self.sandbox = sandbox
        self.control = control
        self.done: dict[str, tuple[SandboxClose, Outcome]] = {}

    def add(self, close: SandboxClose) -> None:
        lists = () if self.done else LISTS
        balances = (BALANCES,) if close.period.key in WITH_BALANCES else ()
        close.imports = (*lists, LINES, *balances)
        self.done[close.period.key] = (close, close.run("whole"))

    def held(self, key: str) -> Cells:
        return held(self.control, self.done[key][0])

    def balances(self, key: str) -> Balances:
        """Return what the model holds of the accounts' balances."""
        return balances_held(self.control, self.done[key][0])

    def lines(self, key: str, selection: Selection = CLOSE_BY_DATE) -> list[Line]:
        return list(self.books.lines(key, selection=selection))


@pytest.fixture(scope="module")
def closed(
    tmp_path_factory: pytest.TempPathFactory, trail_template: Path, sandbox: Sandbox, control: SandboxControl
) -> Iterator[Closed]:
    closed = Closed(sandbox, control)
    with opened_tui(tmp_path_factory.mktemp("tui"), trail_template, sandbox, control) as opened:
        for period in closed.books.periods:
            if closed.books.count(period.key):
                closed.add(opened(period.key))
        yield closed


def test_every_period_of_the_model_holds_what_the_ledger_says(closed):
    assert len(closed.done) == 16
    for close, _ in closed.done.values():
        assert held(closed.control, close) == ledger(closed.sandbox, close), close.period.key


def test_every_run_reconciles_to_the_penny(closed):
    for _, done in closed.done.values():
        assert done.report.agrees, done.report.problems
        assert done.report.difference == "0.00"


def test_closing_entries_are_left_out_of_the_years_last_period_and_their_sum_is_told(closed):
    lines = [line for line in closed.lines(LAST_OF_YEAR, Selection()) if line.kind is EntryKind.CLOSING]
    moved: dict[str, Decimal] = {}
    for line in lines:
        moved[line.account] = moved.get(line.account, Decimal(0)) + line.amount
    made = closed.done[LAST_OF_YEAR][1].load(LINES).prepared
    assert len(lines) == made.rows_left_out > 50
    assert made.left_out == {"closing entry": f"{len(lines)} rows 0.00"}
    figures = next(check.figures for check in closed.done[LAST_OF_YEAR][1].report.checks if check.import_name == LINES)
    told = {figure.name: figure.value for figure in figures}
    wanted = f"{sum(abs(amount) for amount in moved.values()):.2f}"
    assert told["left out: closing entry, sum of absolute account movements"] == wanted
    assert any(cell[0] == "40,1" for cell in closed.held(LAST_OF_YEAR)), "income of the last period stays"


def test_the_new_year_opens_without_last_years_income_and_with_its_result_in_retained_earnings(closed):
    before, after = closed.balances(LAST_OF_YEAR), closed.balances("FY2027-P01")
    assert before["40,1"].closing != 0
    assert after["40,1"].opening == 0
    assert "30200" not in before
    result = sum(balance.closing for account, balance in before.items() if account[0] in "456")
    assert after["30200"].opening == result != 0


def test_balances_brought_forward_open_the_first_period_and_are_no_movement_of_it(closed):
    (opening, _) = (line for line in closed.books.lines() if line.kind is EntryKind.OPENING)
    balances = closed.balances("FY2026-P01")
    assert balances[opening.account].opening == opening.amount == Decimal(25000)
    assert "30100" not in {account for account, _ in closed.held("FY2026-P01")}


def test_what_was_posted_to_the_adjusting_period_is_loaded_where_its_date_lies(closed):
    adjusting = closed.lines("FY2026-P13", CLOSE)
    assert [line.kind for line in adjusting] == [EntryKind.ADJUSTING] * 4
    assert {line.posting_date for line in adjusting} == {date(2026, 7, 31)}
    without = as_cells([line for line in closed.lines(LAST_OF_YEAR) if line not in adjusting])
    assert closed.held(LAST_OF_YEAR) != without


def test_documents_in_other_currencies_are_loaded_in_the_companys_own(closed):
    abroad = [line for line in closed.lines("FY2026-P04") if line.currency != "NZD"]
    assert {(line.currency, line.currency_amount) for line in abroad if line.amount > 0} == {
        ("USD", Decimal(1000)),
        ("JPY", Decimal(150000)),
    }
    same_cell = [line for line in closed.lines("FY2026-P04") if (line.account, line.department) == ("40;4", "ŌTARA")]
    assert closed.held("FY2026-P04")["40;4", "ŌTARA"] == sum(line.amount for line in same_cell)
    assert sum(line.amount for line in same_cell if line in abroad) == -(Decimal("1672.24") + Decimal("1738.96"))


def test_statistical_accounts_are_neither_members_nor_amounts_of_the_model(closed):
    assert {line.account for line in closed.books.lines() if line.statistical} == {HEADS, FLOOR}
    assert not {HEADS, FLOOR} & closed.control.members("Accounts").keys()
    assert not any({HEADS, FLOOR} & {account for account, _ in closed.held(key)} for key in closed.done)


def test_reversals_corrections_and_stornos_leave_debits_and_credits_as_the_ledger_has_them(closed):
    lines = closed.lines("FY2026-P05")
    assert any(line.reversed and not line.storno for line in lines)
    assert {line.debit < 0 or line.credit < 0 for line in lines if line.storno} == {True}
    ours = closed.balances("FY2026-P05")
    for account, balance in closed.books.balances("FY2026-P05", CLOSE_BY_DATE).items():
        told = ours[account]
        assert (told.opening, told.debit, told.credit) == (balance.opening, balance.debit, balance.credit)


def test_lines_dated_outside_their_period_are_loaded_where_their_date_lies(closed):
    outside = [line for line in closed.lines("FY2026-P02", CLOSE) if not _within(closed, "FY2026-P02", line)]
    assert {line.posting_date for line in outside} == {date(2025, 8, 22), date(2025, 9, 20)}
    late = [line for line in closed.lines("FY2026-P03") if line in outside]
    assert len(late) == 4
    assert closed.held("FY2026-P03") == as_cells(closed.lines("FY2026-P03"))


def _within(closed: Closed, key: str, line: Line) -> bool:
    return closed.books.period(key).contains(line.posting_date)


def test_lines_show_the_dimension_values_as_they_are_called_now_blocked_or_deleted(closed):
    departments = {department for key in closed.done for _, department in closed.held(key)}
    assert {"IS", "OLD", "GONE"} <= departments
    assert "WAS" not in departments
    values = {value.code: value for value in closed.books.values(DEPARTMENT)}
    assert values["OLD"].blocked
    assert not {"WAS", "GONE"} & values.keys()


def test_an_account_that_was_moved_has_its_new_parent_in_the_model(closed):
    assert closed.control.members("Accounts")["60800"]["parent"] == "20000"
    assert closed.control.members("Accounts")["60110"]["parent"] == "6"


def test_what_was_re_dimensioned_rolled_back_or_badly_stamped_is_there_once_and_as_it_is_now(closed):
    lines = {line.entry_number: line for line in closed.books.lines()}
    amounts = [abs(line.amount) for line in closed.lines("FY2026-P06") if line.account in ("00070", "0070")]
    assert amounts.count(Decimal("77.77")) == 2
    assert Decimal("666.66") not in amounts
    stamps = [line.modified_at for line in closed.lines("FY2026-P07")]
    assert stamps.count(None) == 4
    known = [stamp for stamp in stamps if stamp]
    assert known != sorted(known)
    assert len(lines) == closed.books.count()
    for key in ("FY2026-P06", "FY2026-P07"):
        assert closed.held(key) == as_cells(closed.lines(key))


def test_a_cent_and_nineteen_digits_arrive_exactly(closed):
    cells = closed.held("FY2026-P03")
    assert cells["60800", "🐝"] == LARGEST
    assert Decimal("0.01") in [line.amount for line in closed.lines("FY2026-P03")]
    assert cells["60800", "NONE"] == sum(
        line.amount for line in closed.lines("FY2026-P03") if (line.account, line.department) == ("60800", "")
    )


def test_codes_and_names_arrive_letter_by_letter(closed):
    accounts = closed.control.members("Accounts")
    assert {number: member["name"] for number, member in accounts.items()} == {
        account.number: account.name for account in closed.books.accounts if not account.statistical
    }
    centres = closed.control.members("Cost Centres")
    values = {value.code: value.name for value in closed.books.values(DEPARTMENT)}
    assert {code: centres[code]["name"] for code in values} == values
    posted = {cell for key in closed.done for cell in closed.held(key)}
    assert {'40"2', "40'3", "40,1", "40;4", "6-100", "6=1+1", "6🐝", "0070", "00070"} <= {cell[0] for cell in posted}
    assert {"007", "07", "1E5", "=SUM(A1)", "A,B", "NULL", 'Q"1', "R;D", "ייצור", "🐝"} <= {cell[1] for cell in posted}


def test_the_53rd_week_belongs_to_the_years_last_period(closed):
    year = [period for period in closed.books.periods if period.year == 2026]
    assert (year[-1].end - year[0].start).days + 1 == 53 * 7
    assert [(period.end - period.start).days + 1 for period in year[-3:]] == [28, 28, 42]
    last_week = [line for line in closed.lines(LAST_OF_YEAR) if line.posting_date > date(2026, 7, 24)]
    assert Decimal("53.53") in [line.amount for line in last_week]
    assert closed.done[LAST_OF_YEAR][0].period == year[-1], "the flow's calendar says the same"


def test_a_companys_day_may_end_in_another_utc_day(closed):
    period = closed.books.period("FY2027-P01")
    first = [line for line in closed.lines(period.key) if line.posting_date == period.start]
    assert {line.modified_at.astimezone(UTC).date() for line in first if line.modified_at} == {
        period.start - timedelta(days=1)
    }
    assert as_cells(first).keys() <= closed.held(period.key).keys()
