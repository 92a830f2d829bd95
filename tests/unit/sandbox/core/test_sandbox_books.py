# SPDX-License-Identifier: Apache-2.0
"""The generated books: deterministic, balanced, and changed only by what people do to them."""

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby

import numpy as np
import pytest

from airflow_provider_mlconnector.sandbox.books import Books, NewLine
from airflow_provider_mlconnector.sandbox.books.company import MEADOW, AccountType
from airflow_provider_mlconnector.sandbox.books.lines import entry_of, system_id, system_ids
from airflow_provider_mlconnector.sandbox.clock import VirtualClock

PERIOD = "FY2027-P04"


def make_books(**more) -> Books:
    return Books(**({"seed": 1, "scale": 1.0, "clock": VirtualClock()} | more))


@pytest.fixture
def books() -> Books:
    return make_books()


def test_the_same_seed_makes_the_same_books(books):
    assert list(books.lines(PERIOD)) == list(make_books().lines(PERIOD))


def test_another_seed_or_company_makes_other_books(books):
    ours = books.trial_balance(PERIOD)
    assert ours != make_books(seed=2).trial_balance(PERIOD)
    assert ours != make_books(company=MEADOW).trial_balance(PERIOD)


def test_a_fiscal_year_has_a_few_thousand_lines(books):
    assert 3000 < sum(books.count(f"FY2026-P{number:02d}") for number in range(1, 13)) < 6000


def test_every_period_has_figures_of_a_dozen_departments_and_more(books):
    of_periods = [{line.department for line in books.lines(period.key)} - {""} for period in books.periods[:17]]
    assert min(map(len, of_periods)) >= 12
    assert len(set().union(*of_periods)) == 13


def test_scale_multiplies_the_documents(books):
    assert make_books(scale=10).count(PERIOD) == pytest.approx(10 * books.count(PERIOD), rel=0.05)


def test_every_document_is_balanced_and_of_one_day(books):
    documents = defaultdict(list)
    for line in books.lines():
        documents[line.document].append(line)
    assert len(documents) > 1000
    for lines in documents.values():
        assert sum(line.amount for line in lines) == 0
        assert len({line.posting_date for line in lines}) == 1


def test_entry_numbers_have_no_gaps_and_follow_the_posting_dates(books):
    lines = list(books.lines())
    assert [line.entry_number for line in lines] == list(range(1, len(lines) + 1))
    assert [line.posting_date for line in lines] == sorted(line.posting_date for line in lines)


def test_a_period_holds_the_lines_of_its_days_alone(books):
    for period in books.periods[:17]:
        days = [line.posting_date for line in books.lines(period.key)]
        assert days
        assert period.start <= min(days) <= max(days) <= period.end


def test_nothing_is_posted_today_or_later(books):
    assert max(line.posting_date for line in books.lines()) == date(2026, 11, 19)
    assert books.count("FY2027-P06") == 0


def test_one_line_was_never_touched_and_the_others_were_in_order(books):
    stamps = [line.modified_at for line in books.lines()]
    assert stamps.count(None) == 1
    known = [stamp for stamp in stamps if stamp]
    assert known == sorted(known)


def test_the_lines_of_a_document_were_modified_at_one_moment(books):
    for _, lines in groupby(books.lines(PERIOD), key=lambda line: line.document):
        assert len({line.modified_at for line in lines}) == 1


def test_some_expenses_have_no_department_and_departments_are_many(books):
    expenses = [line.department for line in books.lines(PERIOD) if line.account.startswith("6")]
    assert "" in expenses
    assert {"ADM", "LOG", "PROD", "RND", "SALES"} <= set(expenses)


def test_accounts_are_ordered_and_only_posting_ones_carry_lines(books):
    numbers = [account.number for account in books.accounts]
    assert numbers == sorted(numbers)
    assert len(numbers) >= 60
    assert numbers[0].startswith("0")
    posting = {account.number for account in books.accounts if account.type is AccountType.POSTING}
    assert {line.account for line in books.lines()} <= posting


def test_an_accounts_parent_is_the_begin_total_around_it(books):
    parents = {account.number: account.parent for account in books.accounts}
    assert parents["10110"] == "10100"
    assert parents["10100"] == "10000"
    assert parents["10000"] == ""
    assert parents["10199"] == "10000"


def test_the_trial_balance_is_the_sum_of_the_lines(books):
    by_account, by_both = defaultdict(Decimal), defaultdict(Decimal)
    for line in books.lines(PERIOD):
        by_account[line.account] += line.amount
        by_both[line.account, line.department] += line.amount
    assert books.trial_balance(PERIOD) == by_account
    assert books.trial_balance_by_department(PERIOD) == by_both
    assert sum(by_account.values()) == 0


def test_balances_run_on_from_period_to_period(books):
    before, after = books.balances("FY2027-P03"), books.balances(PERIOD)
    assert {number: balance.closing for number, balance in before.items()} == {
        number: after[number].opening for number in before
    }
    assert sum(balance.closing for balance in after.values()) == 0
    moved = {
        number: balance.debit - balance.credit for number, balance in after.items() if balance.debit + balance.credit
    }
    assert moved == books.trial_balance(PERIOD)


def test_a_posted_document_is_in_the_totals_at_once(books):
    before = books.trial_balance(PERIOD)
    entries = books.post_document(
        date(2026, 10, 30), [NewLine("60210", Decimal("1250.5"), "ADM"), NewLine("10110", Decimal("-1250.50"))]
    )
    after = books.trial_balance(PERIOD)
    assert after["60210"] - before["60210"] == Decimal("1250.50")
    assert after["10110"] - before["10110"] == Decimal("-1250.50")
    assert [books.line(entry).posting_date for entry in entries] == [date(2026, 10, 30)] * 2
    assert [line.entry_number for line in books.lines(PERIOD)][-2:] == entries


def test_what_is_posted_later_has_a_later_stamp_even_when_the_clock_stands_still():
    clock = VirtualClock()
    clock.freeze(datetime(2020, 1, 1, tzinfo=UTC))
    books = make_books(clock=clock)
    newest = max(line.modified_at for line in books.lines() if line.modified_at)
    first, second = (books.line(books.post_line(date(2026, 11, 2), NewLine("60210", Decimal(1)))) for _ in range(2))
    assert newest < first.modified_at < second.modified_at


def test_a_changed_amount_moves_its_own_cell_alone(books):
    line = next(line for line in books.lines(PERIOD) if line.account == "60310")
    before = books.trial_balance_by_department(PERIOD)
    changed = books.change_line(line.entry_number, amount=line.amount + Decimal("0.01"))
    after = books.trial_balance_by_department(PERIOD)
    assert {cell: after[cell] - before[cell] for cell in after if after[cell] != before[cell]} == {
        (line.account, line.department): Decimal("0.01")
    }
    assert changed.modified_at > line.modified_at
    assert changed.system_id == line.system_id


def test_a_correction_posts_the_reversal_and_the_right_amount(books):
    line = next(line for line in books.lines(PERIOD) if line.account == "60310")
    before = books.trial_balance(PERIOD)
    entries = books.correct_amount(line.entry_number, line.amount + 5)
    after = books.trial_balance(PERIOD)
    assert after["60310"] - before["60310"] == 5
    assert sum(after.values()) == 0
    assert [books.line(entry).amount for entry in entries] == [-line.amount, line.amount + 5, -5]
    assert books.line(line.entry_number).reversed


def test_a_line_that_moves_to_another_period_leaves_the_old_one(books):
    line = next(books.lines(PERIOD))
    books.change_line(line.entry_number, posting_date=date(2026, 11, 3))
    assert line.entry_number not in [other.entry_number for other in books.lines(PERIOD)]
    assert line.entry_number in [other.entry_number for other in books.lines("FY2027-P05")]


def test_a_deleted_line_is_gone(books):
    line = next(books.lines(PERIOD))
    count = books.count(PERIOD)
    books.delete_line(line.entry_number)
    assert books.count(PERIOD) == count - 1
    with pytest.raises(KeyError):
        books.line(line.entry_number)


def test_lines_since_a_moment_are_those_modified_then_or_later(books):
    line = list(books.lines(PERIOD))[50]
    recent = list(books.lines(PERIOD, since=line.modified_at))
    assert recent[0].modified_at == line.modified_at
    assert len(recent) == sum(other.modified_at >= line.modified_at for other in books.lines(PERIOD))


@pytest.mark.parametrize("text", ["0.01", "-1250.50", "123456789012345.67", "12345678901234567.89"])
def test_amounts_stay_exact(books, text):
    entry = books.post_line(date(2026, 11, 2), NewLine("60800", Decimal(text)))
    assert books.line(entry).amount == Decimal(text)
    assert books.trial_balance("FY2027-P05")["60800"] == Decimal(text)


def test_sums_of_many_large_amounts_do_not_overflow(books):
    for _ in range(9):
        books.post_line(date(2026, 11, 2), NewLine("60800", Decimal("12345678901234567.89")))
    assert books.trial_balance("FY2027-P05")["60800"] == 9 * Decimal("12345678901234567.89")


@pytest.mark.parametrize(
    "line",
    [
        NewLine("60800", Decimal("0.001")),
        NewLine("60800", Decimal(123456789012345678)),
        NewLine("60100", Decimal(1)),
        NewLine("99999", Decimal(1)),
        NewLine("60800", Decimal(1), department="NOWHERE"),
        NewLine("60800", Decimal(1), department="OPS"),
    ],
    ids=["three decimals", "too large", "a total", "unknown account", "unknown department", "a total of departments"],
)
def test_what_no_ledger_takes_is_refused(books, line):
    with pytest.raises(ValueError, match="is no"):
        books.post_line(date(2026, 11, 2), line)


def test_an_unbalanced_document_is_refused(books):
    with pytest.raises(ValueError, match=r"but to 0\.01"):
        books.post_document(date(2026, 11, 2), [NewLine("60210", Decimal("1.01")), NewLine("10110", Decimal(-1))])


def test_periods_are_closed_and_opened(books):
    assert books.is_closed(PERIOD)
    assert not books.is_closed("FY2027-P05")
    books.close_period("FY2027-P05")
    books.reopen_period(PERIOD)
    assert books.is_closed("FY2027-P05")
    assert not books.is_closed(PERIOD)


def test_a_deleted_dimension_value_stays_on_its_lines(books):
    books.delete_value("DEPARTMENT", "RND")
    assert "RND" not in [value.code for value in books.values("DEPARTMENT")]
    assert any(line.department == "RND" for line in books.lines(PERIOD))


def test_ids_are_the_same_one_by_one_and_all_at_once():
    entries = np.arange(1, 100)
    assert system_ids(entries, 7).tobytes().decode() == "".join(system_id(int(entry), 7) for entry in entries)


def test_an_id_leads_back_to_its_entry():
    ids = [system_id(entry, 7) for entry in (1, 2, 4711, 17_000_000)]
    assert len(set(ids)) == 4
    assert [entry_of(guid, 7) for guid in ids] == [1, 2, 4711, 17_000_000]
    assert entry_of(ids[0].replace(ids[0][0], "f" if ids[0][0] != "f" else "0", 1), 7) is None
    assert entry_of("not a guid", 7) is None


def test_a_million_lines_are_generated_only_for_the_period_that_is_looked_at():
    books = make_books(scale=3200)
    assert books.count(PERIOD) > 1_000_000
    assert sum(books.trial_balance(PERIOD).values()) == 0
