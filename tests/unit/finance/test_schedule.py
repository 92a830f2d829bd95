# SPDX-License-Identifier: Apache-2.0
"""When a flow runs."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_mlconnector.finance.calendar import calendar_from_json
from airflow_provider_mlconnector.finance.schedule import Agenda, Schedule, stamp

SCHEDULE = {"nightly": "02:00", "close": [{"workday": 1, "at": "06:00"}, {"workday": 3, "at": "18:00"}]}


def months(**more):
    return calendar_from_json(
        {"calendar": "m", "kind": "monthly", "first_month": 7, "timezone": "Europe/London", **more}
    )


def agenda(schedule=SCHEDULE, calendar=None):
    return Agenda(calendar or months(), Schedule.model_validate(schedule))


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def told(ticks):
    return [(f"{tick.stamp:%d %H:%M}", tick.period.key[-3:]) for tick in ticks]


def test_every_open_period_ticks_at_night_until_its_last_close_event():
    ticks = islice(agenda().ticks(utc(2026, 10, 31)), 11)  # 31 October 2026 is a Saturday
    assert told(ticks) == [
        ("31 02:00", "P04"),
        ("01 02:00", "P04"),
        ("01 02:00", "P05"),
        ("02 02:00", "P04"),
        ("02 02:00", "P05"),
        ("02 06:00", "P04"),  # first workday
        ("03 02:00", "P04"),
        ("03 02:00", "P05"),
        ("04 02:00", "P04"),
        ("04 02:00", "P05"),
        ("04 18:00", "P04"),  # third workday: the last of P04
    ]


def test_a_period_is_open_from_its_first_moment_to_its_last_close_event():
    book = agenda()
    keys = [
        [period.key[-3:] for period in book.open_periods(at)]
        for at in (utc(2026, 10, 31, 23, 59), utc(2026, 11, 1), utc(2026, 11, 4, 18), utc(2026, 11, 4, 18, 1))
    ]
    assert keys == [["P04"], ["P04", "P05"], ["P04", "P05"], ["P05"]]


def test_a_period_is_closed_once_its_last_close_event_is_over():
    book = agenda()
    since = utc(2026, 8, 1)
    closed = [
        [period.key[-3:] for period in book.closed_periods(at, since)]
        for at in (utc(2026, 11, 4, 18), utc(2026, 11, 4, 18, 1))
    ]
    assert closed == [["P02", "P03"], ["P02", "P03", "P04"]]


def test_without_close_events_a_period_is_open_for_one_more_day():
    nightly = agenda({"nightly": "02:00"})
    october = nightly.calendar.period("FY2027-P04")
    assert nightly.closing(october) == utc(2026, 11, 2)
    assert told(islice(nightly.ticks(utc(2026, 11, 1)), 3)) == [
        ("01 02:00", "P04"),
        ("01 02:00", "P05"),
        ("02 02:00", "P05"),
    ]


def test_two_reasons_for_one_moment_make_one_tick():
    both = agenda({"nightly": "06:00", "close": [{"workday": 1, "at": "06:00"}, {"workday": 1, "at": "06:00"}]})
    assert told(islice(both.ticks(utc(2026, 11, 2)), 3)) == [
        ("02 06:00", "P04"),
        ("02 06:00", "P05"),
        ("03 06:00", "P05"),
    ]


def test_minutes_count_in_the_working_hours_of_workdays_only():
    calendar = months(hours={"start": "09:00", "end": "10:00"}, workdays={"closed": ["2026-11-23"]})
    ticks = islice(agenda({"every": "30m"}, calendar).ticks(utc(2026, 11, 20, 9, 10)), 5)
    assert told(ticks) == [
        ("20 09:30", "P05"),
        ("20 10:00", "P05"),
        ("24 09:00", "P05"),  # after the weekend and a closed Monday
        ("24 09:30", "P05"),
        ("24 10:00", "P05"),
    ]


def test_the_clock_is_the_calendars_in_summer_and_winter():
    nightly = agenda({"nightly": "01:30"})
    hours = [f"{tick.stamp:%d %H:%M}" for tick in islice(nightly.ticks(utc(2026, 10, 24)), 3)]
    assert hours == ["24 00:30", "25 00:30", "26 01:30"]  # the 25th shows 01:30 twice and ticks once
    hours = [f"{tick.stamp:%d %H:%M}" for tick in islice(nightly.ticks(utc(2026, 3, 28, 12)), 2)]
    assert hours == ["29 01:30", "30 00:30"]  # the 29th skips 01:30 and ticks when the clock shows 02:30


def test_a_schedule_without_times_never_ticks():
    assert list(agenda({}).ticks(utc(2026, 11, 1))) == []
    assert str(Schedule()) == "on request"


def test_a_listed_calendar_ticks_from_its_first_to_its_last_close_event():
    years = [{"year": 2026, "starts": ["2026-01-01", "2026-01-15"], "end": "2026-01-31"}]
    calendar = calendar_from_json({"calendar": "x", "kind": "explicit", "fiscal_years": years})
    ticks = list(agenda({"close": [{"workday": 2, "at": "12:00"}]}, calendar).ticks(utc(2020, 1, 1)))
    assert [(tick.stamp.date(), tick.period.number) for tick in ticks] == [
        (date(2026, 1, 16), 1),
        (date(2026, 2, 3), 2),
    ]


def test_a_late_close_event_keeps_several_periods_open():
    late = agenda({"close": [{"workday": 31, "at": "12:00"}]})
    assert [period.key for period in late.open_periods(utc(2026, 11, 5))] == ["FY2027-P03", "FY2027-P04", "FY2027-P05"]


def test_the_last_tick_of_a_period_within_bounds_is_found():
    book = agenda()
    october = book.calendar.period("FY2027-P04")
    found = book.last_tick(october, utc(2026, 10, 20), utc(2026, 11, 30))
    assert found.stamp == stamp(utc(2026, 11, 4, 18), october)
    assert book.last_tick(october, utc(2026, 10, 20), utc(2026, 10, 25, 1)).stamp == stamp(
        utc(2026, 10, 24, 1), october
    )
    assert book.last_tick(october, found.stamp, utc(2027, 1, 1)) is None
    assert book.last_tick(october, utc(2026, 11, 4, 18), utc(2026, 11, 4, 18)) is None


schedules = st.fixed_dictionaries(
    {},
    optional={
        "nightly": st.sampled_from(["00:00", "01:30", "02:00", "23:59"]),
        "every": st.sampled_from(["7m", "1h", "4h"]),
        "close": st.lists(
            st.fixed_dictionaries(
                {"workday": st.integers(1, 25), "at": st.sampled_from(["00:00", "02:00", "06:00", "18:30"])}
            ),
            max_size=3,
        ),
    },
)
zones = st.sampled_from(["UTC", "Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"])
moments = st.integers(0, 10 * 366 * 86_400).map(lambda seconds: utc(2020, 1, 1) + timedelta(seconds=seconds))


@settings(max_examples=60)
@given(schedules, zones, moments)
def test_stamps_grow_are_unique_and_never_the_start_of_a_period(schedule, zone, after):
    book = agenda(schedule, months(timezone=zone))
    ticks = list(islice(book.ticks(after), 40))
    assert all(before.stamp < tick.stamp for before, tick in pairwise(ticks))
    for tick in ticks:
        assert tick.stamp > after
        start = book.calendar.start_of(tick.period)
        assert start < tick.stamp
        assert tick.stamp != start
        assert tick.stamp <= book.closing(tick.period) + timedelta(minutes=1)
        assert (tick.stamp.second, tick.stamp.microsecond) == (0, tick.period.year * 100 + tick.period.number)


@settings(max_examples=60)
@given(schedules, zones, moments, st.integers(1, 39))
def test_ticks_go_on_where_they_stopped(schedule, zone, after, stop):
    book = agenda(schedule, months(timezone=zone))
    ticks = list(islice(book.ticks(after), 40))
    if len(ticks) > stop:
        assert list(islice(book.ticks(ticks[stop - 1].stamp), 40 - stop)) == ticks[stop:]


@settings(max_examples=40)
@given(schedules, moments, st.integers(1, 2000))
def test_the_last_tick_is_the_last_of_all_ticks(schedule, after, hours):
    book = agenda(schedule)
    until = after + timedelta(hours=hours)
    period = book.calendar.period_of(until.date())
    ticks = []
    for tick in book.ticks(after):
        if tick.stamp > until:
            break
        ticks.append(tick)
    expected = [tick for tick in ticks if tick.period == period]
    assert book.last_tick(period, after, until) == (expected[-1] if expected else None)


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        ({"nightly": "2:00"}, "'2:00' is not a time of day"),
        ({"every": "25h"}, "'every' is at most one day, not 25h"),
        ({"close": [{"workday": 0, "at": "06:00"}]}, "greater than or equal to 1"),
        ({"close": [{"workday": 1}]}, "at"),
        ({"nightley": "02:00"}, "unknown key 'nightley', meant is perhaps 'nightly'"),
    ],
)
def test_a_wrong_schedule_is_refused(schedule, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Schedule.model_validate(schedule)


def test_a_schedule_is_said_in_words():
    schedule = Schedule.model_validate({**SCHEDULE, "every": "90m"})
    assert str(schedule) == ("nightly 02:00, workday 1 at 06:00, workday 3 at 18:00, every 1h30m of the working hours")
