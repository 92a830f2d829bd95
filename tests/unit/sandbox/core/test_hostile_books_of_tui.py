# SPDX-License-Identifier: Apache-2.0
"""The company whose books hold what real ones do, and the methods by which any company's books come to hold it."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_mlconnector.finance.datasets import EntryKind
from airflow_provider_mlconnector.sandbox.books import Books, NewLine, Posting
from airflow_provider_mlconnector.sandbox.books.company import DEPARTMENT
from airflow_provider_mlconnector.sandbox.books.selection import CLOSE, CLOSE_BY_DATE
from airflow_provider_mlconnector.sandbox.books.tui_ledger import tui_books
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

PERIOD = "FY2027-P04"
DAY = date(2026, 10, 30)


@pytest.fixture
def larkfield() -> Books:
    return Books(seed=1, scale=1.0, clock=VirtualClock())


@pytest.fixture(scope="module")
def tui() -> Books:
    return tui_books(VirtualClock())


def rent(amount: str, **more: str) -> list[NewLine]:
    return [NewLine("60210", Decimal(amount), **more), NewLine("10110", -Decimal(amount))]


# the company


def test_its_books_are_the_same_every_time_and_stamps_are_those_of_the_past(tui):
    assert list(tui_books(VirtualClock()).lines()) == list(tui.lines())
    assert max(line.modified_at for line in tui.lines() if line.modified_at) < datetime(2026, 11, 20, tzinfo=UTC)


def test_every_kind_of_line_is_there_from_the_start(tui):
    lines = list(tui.lines())
    assert {line.kind for line in lines} == set(EntryKind)
    assert {line.ledger for line in lines} == {"ACTUAL", "TAX"}
    assert {line.currency for line in lines} == {"NZD", "USD", "JPY"}
    assert any(line.statistical for line in lines)
    assert any(line.storno for line in lines)
    assert any(line.reversed for line in lines)
    assert any(line.modified_at is None for line in lines)


def test_each_of_its_periods_comes_to_zero(tui):
    for period in (*tui.periods, tui.period("FY2026-P13")):
        assert sum(tui.trial_balance(period.key, CLOSE).values()) == 0
        assert sum(tui.trial_balance(period.key, CLOSE_BY_DATE).values()) == 0


def test_every_line_belongs_to_one_period_by_the_books_and_to_one_by_its_date(tui):
    keys = [period.key for period in tui.periods]
    by_books = sum(tui.count(key) for key in (*keys, "FY2026-P13"))
    by_date = sum(tui.count(key, CLOSE_BY_DATE) for key in keys)
    opening = [line for line in tui.lines() if line.kind is EntryKind.OPENING]
    assert by_books == tui.count() - len(opening)
    left_out = [line for line in tui.lines() if line.kind is EntryKind.CLOSING or line.statistical]
    assert by_date == by_books - len(left_out) - sum(line.ledger == "TAX" for line in tui.lines())


def test_its_years_have_52_or_53_weeks_and_an_adjusting_period(tui):
    years = {year: tui.period(f"FY{year}-P12").end - tui.period(f"FY{year}-P01").start for year in range(2024, 2030)}
    assert {year: (days.days + 1) // 7 for year, days in years.items()} == {
        **dict.fromkeys(range(2024, 2030), 52),
        2026: 53,
    }
    assert tui.period("FY2026-P13").start == tui.period("FY2026-P13").end == tui.period("FY2026-P12").end
    with pytest.raises(ValueError, match="twelve periods and one for adjustments"):
        tui.period("FY2026-P14")


def test_its_mornings_are_the_evenings_before_in_utc(tui):
    line = next(line for line in tui.lines("FY2027-P01") if line.modified_at)
    assert line.modified_at.astimezone(ZoneInfo("Pacific/Auckland")).date() == line.posting_date
    assert line.modified_at.astimezone(UTC).date() == line.posting_date - timedelta(days=1)


def test_the_closing_of_its_year_leaves_nothing_on_the_income_accounts(tui):
    opened = tui.balances("FY2027-P01", CLOSE)
    assert {opened[account].opening for account in opened if account[0] in "456"} == {0}
    assert opened["30200"].opening != 0


# what can be done to any company


def test_a_year_that_is_closed_moves_income_to_retained_earnings_by_department(larkfield):
    before = larkfield.trial_balance_by_department("FY2026-P12", CLOSE)
    entries = larkfield.close_year(2026)
    lines = [larkfield.line(entry) for entry in entries]
    assert {line.kind for line in lines} == {EntryKind.CLOSING}
    assert {line.source for line in lines} == {"CLSINCOME"}
    assert {line.posting_date for line in lines} == {date(2026, 6, 30)}
    assert sum(line.amount for line in lines) == 0
    assert larkfield.balances("FY2027-P01")["40100"].opening == 0
    assert larkfield.trial_balance_by_department("FY2026-P12", CLOSE) == before
    assert larkfield.close_year(2026) == []


def test_a_line_may_count_in_another_period_than_its_dates(larkfield):
    entries = larkfield.post_document(DAY, rent("10"), how=Posting(period="FY2027-P03"))
    assert {larkfield.line(entry).period for entry in entries} == {"FY2027-P03"}
    assert entries[0] in {line.entry_number for line in larkfield.lines("FY2027-P03")}
    assert entries[0] in {line.entry_number for line in larkfield.lines(PERIOD, selection=CLOSE_BY_DATE)}
    assert entries[0] not in {line.entry_number for line in larkfield.lines(PERIOD)}
    larkfield.change_line(entries[0], period=PERIOD)
    assert larkfield.line(entries[0]).period == PERIOD


@pytest.mark.parametrize("kind", EntryKind)
def test_a_close_takes_normal_and_adjusting_lines(larkfield, kind):
    before = larkfield.trial_balance(PERIOD, CLOSE)
    larkfield.post_document(DAY, rent("10"), how=Posting(kind))
    taken = larkfield.trial_balance(PERIOD, CLOSE) != before
    assert taken is (kind in (EntryKind.NORMAL, EntryKind.ADJUSTING))


def test_other_ledgers_are_no_actuals(larkfield):
    before = larkfield.trial_balance(PERIOD, CLOSE)
    (entry, _) = larkfield.post_document(DAY, rent("10"), how=Posting(ledger="TAX"))
    assert larkfield.line(entry).ledger == "TAX"
    assert larkfield.trial_balance(PERIOD, CLOSE) == before
    assert larkfield.trial_balance(PERIOD) != before


def test_a_line_knows_the_currency_of_its_document(larkfield):
    (dear, own) = larkfield.post_document(DAY, rent("80", currency="USD", currency_amount=Decimal("101.5")))
    assert (larkfield.line(dear).currency, larkfield.line(dear).currency_amount) == ("USD", Decimal("101.50"))
    assert (larkfield.line(own).currency, larkfield.line(own).currency_amount) == ("GBP", Decimal("-80.00"))


@pytest.mark.parametrize("storno", [False, True])
def test_a_reversal_marks_both_and_a_storno_stays_on_its_side(larkfield, storno):
    before = larkfield.balances(PERIOD)["60210"]
    (entry, _) = larkfield.post_document(DAY, rent("10"))
    (back, _) = larkfield.reverse_document(entry, storno=storno)
    assert [larkfield.line(one).reversed for one in (entry, back)] == [True, True]
    assert (larkfield.line(back).debit, larkfield.line(back).credit) == ((-10, 0) if storno else (0, 10))
    after = larkfield.balances(PERIOD)["60210"]
    assert after.closing == before.closing
    assert after.debit == before.debit + (0 if storno else 10)


def test_a_stamp_can_be_blank_or_earlier_than_others(larkfield):
    (entry, other) = larkfield.post_document(DAY, rent("10"))
    assert larkfield.stamp_line(entry, None).modified_at is None
    early = datetime(2026, 1, 1, tzinfo=UTC)
    assert larkfield.stamp_line(other, early).modified_at == early
    late = larkfield.post_document(DAY, rent("10"), how=Posting(modified_at=early))
    assert {larkfield.line(entry).modified_at for entry in late} == {early}


@pytest.mark.parametrize("same_ids", [False, True])
def test_after_a_rollback_the_numbers_are_given_out_again(larkfield, same_ids):
    first, *rest = larkfield.post_document(DAY, rent("10"))
    was = larkfield.line(first)
    assert larkfield.roll_back(first, same_ids=same_ids) == 2
    with pytest.raises(KeyError):
        larkfield.line(first)
    again = larkfield.post_document(DAY, rent("11"))
    assert again == [first, *rest]
    assert (larkfield.line(first).system_id == was.system_id) is same_ids
    with pytest.raises(KeyError, match="posted by anybody"):
        larkfield.roll_back(1)


def test_a_dimension_value_with_another_code_shows_it_on_every_line_and_moves_no_stamp(larkfield):
    stamps = [line.modified_at for line in larkfield.lines(PERIOD)]
    sums = defaultdict(Decimal)
    for (account, department), amount in larkfield.trial_balance_by_department(PERIOD).items():
        sums[account, "R&D" if department == "RND" else department] += amount
    larkfield.rename_value(DEPARTMENT, "RND", "R&D")
    assert larkfield.trial_balance_by_department(PERIOD) == sums
    assert [line.modified_at for line in larkfield.lines(PERIOD)] == stamps
    assert larkfield.value(DEPARTMENT, "R&D").name == "Research and Development"
    with pytest.raises(ValueError, match="already"):
        larkfield.rename_value(DEPARTMENT, "R&D", "SALES")


def test_an_account_moves_to_another_parent_with_its_entries(larkfield):
    before = larkfield.trial_balance(PERIOD)
    larkfield.move_account("60700", "60300")
    account = larkfield.account("60700")
    assert (account.parent, account.indentation) == ("60300", larkfield.account("60300").indentation + 1)
    assert larkfield.trial_balance(PERIOD) == before
    with pytest.raises(KeyError):
        larkfield.move_account("60700", "nowhere")
