# SPDX-License-Identifier: Apache-2.0
"""Close calendars: known years, and what holds for every calendar and every day."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_mlconnector.errors import ConfigurationError, FlowError
from airflow_provider_mlconnector.finance.calendar import calendar_from_json, load_calendar
from airflow_provider_mlconnector.finance.periods import MONTHS

DAY = timedelta(days=1)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def monthly(first_month=7, **more):
    return calendar_from_json({"calendar": "months", "kind": "monthly", "first_month": first_month, **more})


def weekly(kind="4-4-5", year_end="nearest Saturday to the end of January", **more):
    return calendar_from_json({"calendar": "weeks", "kind": kind, "year_end": year_end, **more})


def listed():
    years = [
        {"year": 2026, "starts": ["2025-07-01", "2025-10-05", "2026-01-04"], "end": "2026-06-30"},
        {"year": 2027, "starts": ["2026-07-01", "2027-01-01"], "end": "2027-06-29"},
    ]
    return calendar_from_json({"calendar": "listed", "kind": "explicit", "fiscal_years": years})


ruled_calendars = st.one_of(
    st.builds(monthly, st.integers(1, 12), year_name=st.sampled_from(["start", "end"])),
    st.builds(
        lambda kind, rule, weekday, month, name, extra: weekly(
            kind,
            f"last {weekday} of {month}" if rule else f"nearest {weekday} to the end of {month}",
            year_name=name,
            week_53=extra,
        ),
        st.sampled_from(["4-4-5", "4-5-4", "5-4-4", "13x4"]),
        st.booleans(),
        st.sampled_from(WEEKDAYS),
        st.sampled_from(MONTHS),
        st.sampled_from(["start", "end"]),
        st.none() | st.integers(1, 12),
    ),
)
days = st.dates(date(1950, 1, 1), date(2150, 12, 31))


def test_a_fiscal_year_is_named_by_the_calendar_year_in_which_it_ends():
    year = monthly(7).year(2026)
    assert (year[0].start, year[-1].end) == (date(2025, 7, 1), date(2026, 6, 30))
    assert monthly(7).period("FY2026-P05").start == date(2025, 11, 1)


def test_a_calendar_may_name_its_years_by_their_start():
    year = monthly(7, year_name="start").year(2026)
    assert (year[0].start, year[-1].end) == (date(2026, 7, 1), date(2027, 6, 30))


def test_a_year_from_january_has_the_same_name_either_way():
    assert monthly(1, year_name="start").year(2026) == monthly(1).year(2026)
    assert monthly(1).year(2026)[1].end == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("fiscal_year", "start", "end", "weeks"),
    [  # National Retail Federation's published 4-5-4 years: Saturday nearest 31 January, named by their start
        (2017, date(2017, 1, 29), date(2018, 2, 3), 53),
        (2018, date(2018, 2, 4), date(2019, 2, 2), 52),
        (2022, date(2022, 1, 30), date(2023, 1, 28), 52),
        (2023, date(2023, 1, 29), date(2024, 2, 3), 53),
        (2024, date(2024, 2, 4), date(2025, 2, 1), 52),
    ],
)
def test_retail_years_are_those_that_the_trade_publishes(fiscal_year, start, end, weeks):
    year = weekly("4-5-4", year_name="start").year(fiscal_year)
    assert (year[0].start, year[-1].end) == (start, end)
    assert ((end - start).days + 1) // 7 == weeks


def test_the_last_saturday_of_september_ends_a_year():  # as Apple's fiscal years: 2023 had 53 weeks
    calendar = weekly("13x4", "last Saturday of September")
    assert calendar.year(2022)[-1].end == date(2022, 9, 24)
    assert calendar.year(2023)[-1].end == date(2023, 9, 30)
    assert [(p.end - p.start).days + 1 for p in calendar.year(2023)] == [28] * 12 + [35]


def test_week_53_goes_where_the_calendar_says():
    long_year = weekly("4-4-5", "last Saturday of September", week_53=6).year(2023)
    assert [((p.end - p.start).days + 1) // 7 for p in long_year] == [4, 4, 5, 4, 4, 6, 4, 4, 5, 4, 4, 5]


def test_week_53_needs_a_period_that_exists():
    with pytest.raises(ValidationError, match="week_53 is period 13, but a year of 4-4-5 has 12"):
        weekly("4-4-5", week_53=13)


@given(ruled_calendars, days)
def test_every_day_belongs_to_exactly_one_period(calendar, day):
    found = list(calendar.periods_between(day, day))
    assert len(found) == 1
    assert found[0].contains(day)
    assert calendar.period_of(day) == found[0]


@given(ruled_calendars, st.integers(1950, 2150))
def test_the_periods_of_years_follow_each_other_without_a_gap(calendar, year):
    periods = (*calendar.year(year), *calendar.year(year + 1))
    assert all(after.start == before.end + DAY for before, after in pairwise(periods))
    assert [period.number for period in calendar.year(year)] == list(range(1, len(calendar.year(year)) + 1))
    assert all(period.start <= period.end for period in periods)


@given(ruled_calendars, days)
def test_key_and_period_are_each_others_inverse(calendar, day):
    period = calendar.period_of(day)
    assert calendar.period(period.key) == period


@given(ruled_calendars, st.integers(1950, 2150))
def test_a_year_has_twelve_months_or_52_or_53_weeks(calendar, year):
    periods = calendar.year(year)
    length = (periods[-1].end - periods[0].start).days + 1
    if calendar.kind == "monthly":
        assert length in (365, 366)
        assert len(periods) == 12
    else:
        assert length in (52 * 7, 53 * 7)
        lengths = sorted({(period.end - period.start).days + 1 for period in periods})
        assert all(days % 7 == 0 and 28 <= days <= 42 for days in lengths)


@given(ruled_calendars, days, st.integers(0, 900))
def test_periods_between_two_days_cover_them_and_touch_no_other(calendar, first, length):
    last = first + timedelta(days=length)
    periods = list(calendar.periods_between(first, last))
    assert periods[0].contains(first)
    assert periods[-1].contains(last)
    assert periods == sorted(set(periods), key=lambda period: period.start)


@given(ruled_calendars)
def test_a_calendar_survives_json(calendar):
    again = calendar_from_json(calendar.to_json())
    assert again == calendar
    assert again.digest == calendar.digest


def test_the_digest_changes_with_the_periods_but_not_with_the_name():
    assert monthly(7).digest == calendar_from_json({"calendar": "x", "kind": "monthly", "first_month": 7}).digest
    assert monthly(7).digest != monthly(8).digest


def test_the_digest_does_not_depend_on_the_order_of_closed_days():
    one = monthly(workdays={"closed": ["2026-12-24", "2026-12-31"]})
    other = monthly(workdays={"closed": ["2026-12-31", "2026-12-24"]})
    assert one.digest == other.digest


def test_listed_years_are_cut_as_listed():
    calendar = listed()
    assert calendar.period("FY2026-P02").start == date(2025, 10, 5)
    assert calendar.period_of(date(2027, 6, 29)).key == "FY2027-P02"
    assert [period.key for period in calendar.periods_between(date(2020, 1, 1), date(2040, 1, 1))] == [
        "FY2026-P01",
        "FY2026-P02",
        "FY2026-P03",
        "FY2027-P01",
        "FY2027-P02",
    ]


def test_a_day_outside_the_listed_years_has_no_period():
    with pytest.raises(ConfigurationError, match="no period for 2027-06-30"):
        listed().period_of(date(2027, 6, 30))
    with pytest.raises(ConfigurationError, match="does not list FY2028"):
        listed().period("FY2028-P01")


def test_listed_years_leave_no_gap():
    years = [
        {"year": 2026, "starts": ["2025-07-01"], "end": "2026-06-30"},
        {"year": 2027, "starts": ["2026-07-02"], "end": "2027-06-30"},
    ]
    with pytest.raises(ValidationError, match="FY2027 has to follow FY2026 on 2026-07-01"):
        calendar_from_json({"calendar": "x", "kind": "explicit", "fiscal_years": years})


def test_listed_days_are_in_order():
    years = [{"year": 2026, "starts": ["2025-07-01", "2025-06-01"], "end": "2026-06-30"}]
    with pytest.raises(ValidationError, match="not in order: 2025-06-01 follows 2025-07-01"):
        calendar_from_json({"calendar": "x", "kind": "explicit", "fiscal_years": years})


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("FY2026-P13", "FY2026-P13 is not a period .* FY2026-P01 to FY2026-P12"),
        ("FY2026-P00", "FY2026-P00 is not a period"),
        ("FY0000-P01", "FY0000 is not a fiscal year"),
        ("2026-05", "is not a period key. Write it like FY2026-P05"),
    ],
)
def test_a_key_that_names_no_period_is_told_what_there_is(key, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        monthly(7).period(key)


def test_workdays_are_counted_from_the_end_of_the_period():
    england = monthly(7, workdays={"country": "GB", "subdivision": "ENG"})
    march = england.period("FY2026-P09")  # Good Friday is 3 April 2026, Easter Monday the 6th
    assert [england.workday(march, n) for n in (1, 2, 3)] == [date(2026, 4, 1), date(2026, 4, 2), date(2026, 4, 7)]


def test_a_skipped_time_comes_as_much_later_as_the_clock_is_put_forward():
    london = monthly(timezone="Europe/London")
    assert london.moment(date(2026, 3, 29), time(1, 30)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 02:30 there
    assert london.moment(date(2026, 3, 30), time(1, 30)) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_of_a_time_that_comes_twice_the_first_counts():
    london = monthly(timezone="Europe/London")
    assert london.moment(date(2026, 10, 25), time(1, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_days_and_starts_are_those_of_the_calendars_own_zone():
    auckland = monthly(timezone="Pacific/Auckland")
    period = auckland.period("FY2026-P05")
    assert auckland.start_of(period) == datetime(2025, 10, 31, 11, tzinfo=UTC)
    assert auckland.day_of(datetime(2025, 10, 31, 11, tzinfo=UTC)) == date(2025, 11, 1)


def test_a_calendar_file_is_refused_with_line_and_what_is_allowed(tmp_path):
    file = tmp_path / "calendar.yaml"
    file.write_text("calendar: x\nkind: monthly\nfirst_mont: 7\ntimezone: Mars/Base\nworkdays: {country: XX}\n")
    with pytest.raises(FlowError) as caught:
        load_calendar(file)
    assert caught.value.where == f"{file}:3"
    assert "unknown key 'first_mont', meant is perhaps 'first_month'; allowed are calendar, kind," in str(caught.value)


def test_a_calendar_of_an_unknown_kind_is_told_the_kinds(tmp_path):
    file = tmp_path / "calendar.yaml"
    file.write_text("calendar: x\nkind: lunar\n")
    with pytest.raises(FlowError, match=r":2: kind should be 'monthly', '4-4-5', .* 'explicit', not 'lunar'"):
        load_calendar(file)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("timezone: Mars/Base", "'Mars/Base' is not an IANA time zone"),
        ("workdays: {country: XX}", "no holidays are known for country 'XX'"),
        ("workdays: {country: GB, subdivision: KENT}", "no holidays are known for the part 'KENT' of 'GB'"),
        ("workdays: {subdivision: ENG}", "subdivision 'ENG' needs a country"),
        ("hours: {start: '18:00', end: '08:00'}", "end at 08:00, before they start"),
        ("hours: {start: 8am}", "'8am' is not a time of day; write it like 06:30"),
        ("first_month: 13", "first_month: should be less than or equal to 12, not '13'"),
    ],
)
def test_a_wrong_value_in_a_calendar_file_is_told(tmp_path, line, sentence):
    file = tmp_path / "calendar.yaml"
    file.write_text(f"calendar: x\nkind: monthly\n{line}\n")
    with pytest.raises(FlowError, match=sentence) as caught:
        load_calendar(file)
    assert caught.value.where == f"{file}:3"


@pytest.mark.parametrize("name", ["monthly_july", "retail_4_4_5"])
def test_the_shipped_calendars_can_be_read(name):
    from pathlib import Path

    calendar = load_calendar(Path(__file__).parents[3] / "dags" / "calendars" / f"{name}.yaml")
    assert calendar.period_of(date(2026, 11, 20)).contains(date(2026, 11, 20))
