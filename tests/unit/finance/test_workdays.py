# SPDX-License-Identifier: Apache-2.0
"""Which days are workdays."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.finance.workdays import Weekday, Workdays

days = st.dates(date(1990, 1, 1), date(2060, 1, 1))


def test_weekends_holidays_and_closed_days_are_free():
    workdays = Workdays(country="GB", subdivision="ENG", closed=(date(2026, 12, 24),))
    assert not workdays.is_workday(date(2026, 11, 21))  # a Saturday
    assert not workdays.is_workday(date(2026, 12, 25))
    assert not workdays.is_workday(date(2026, 12, 24))
    assert workdays.is_workday(date(2026, 12, 23))


def test_a_part_of_a_country_has_its_own_holidays():
    day = date(2026, 1, 2)  # free in Scotland alone
    assert not Workdays(country="GB", subdivision="SCT").is_workday(day)
    assert Workdays(country="GB", subdivision="ENG").is_workday(day)


def test_a_weekend_may_be_other_days():
    gulf = Workdays(weekend=(Weekday.FRIDAY, Weekday.SATURDAY))
    assert gulf.is_workday(date(2026, 11, 22))  # a Sunday
    assert not gulf.is_workday(date(2026, 11, 20))


def test_a_week_without_workdays_is_refused():
    with pytest.raises(ValueError, match="at most 6"):
        Workdays(weekend=tuple(Weekday))


@given(days, st.integers(1, 30))
def test_the_nth_workday_after_a_day_has_n_minus_1_workdays_before_it(day, number):
    workdays = Workdays(country="US")
    found = workdays.after(day, number)
    between = (found - day).days
    assert workdays.is_workday(found)
    assert sum(workdays.is_workday(day + timedelta(days=n)) for n in range(1, between + 1)) == number


def test_workdays_are_counted_from_one():
    with pytest.raises(ValueError, match="counted from 1"):
        Workdays().after(date(2026, 11, 20), 0)
