# SPDX-License-Identifier: Apache-2.0
"""The timetable of a close, driven as scheduler, dag-processor and backfill drive it."""

import json
from datetime import timedelta

import pytest
from airflow import plugins_manager
from airflow.exceptions import InvalidPartitionKeyError
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.utils.types import DagRunType
from pendulum import instance

from airflow_provider_mlconnector.finance.calendar import calendar_from_json
from airflow_provider_mlconnector.finance.schedule import Schedule, stamp
from airflow_provider_mlconnector.timetables.close_calendar import CloseCalendarTimetable
from tests.unit.timetables.driving import NIGHTLY, airflow, calendar, tick, utc


@pytest.mark.parametrize("parses", [True, False], ids=["parsed before every run", "scheduler alone"])
def test_two_open_periods_are_each_run_every_night_for_years_and_never_twice(parses):
    world = airflow(utc(2026, 10, 30), parses=parses)
    world.work(utc(2029, 11, 10))
    dates = [run.partition_date for run in world.runs]
    assert dates == sorted(set(dates))
    assert all(run.run_after == run.partition_date and run.data_interval is None for run in world.runs)
    nights = {(date.date(), run.partition_key) for date, run in zip(dates, world.runs, strict=True)}
    whole = world.timetable.calendar.year(2028)
    for period in whole:
        night = period.start
        while night <= period.end:
            assert (night, period.key) in nights, f"{period.key} was not loaded in the night of {night}"
            night += timedelta(days=1)
        closing = stamp(world.timetable.agenda.closing(period), period)
        assert [run.partition_date for run in world.runs if run.partition_key == period.key][-1] == closing


def test_a_night_at_the_turn_of_a_period():
    world = airflow(utc(2026, 10, 31))
    world.work(utc(2026, 11, 2, 12))
    assert world.told == [
        ("10-31 02:00", "P04"),
        ("11-01 02:00", "P04"),
        ("11-01 02:00", "P05"),
        ("11-02 02:00", "P04"),
        ("11-02 02:00", "P05"),
        ("11-02 06:00", "P04"),
    ]


def test_after_an_outage_each_open_period_gets_its_latest_missed_tick():
    world = airflow(utc(2026, 10, 25))
    world.work(utc(2026, 10, 27))
    before = len(world.runs)
    world.clock.time = utc(2026, 11, 3, 12)  # Airflow was down for a week
    world.work(utc(2026, 11, 3, 12))
    assert world.told[before:] == [("11-03 02:00", "P04"), ("11-03 02:00", "P05")]


def test_an_outage_over_the_last_close_event_does_not_lose_it():
    world = airflow(utc(2026, 11, 3, 12))
    world.work(utc(2026, 11, 4, 12))
    before = len(world.runs)
    world.clock.time = utc(2026, 11, 4, 23)  # down from 12:00 to 23:00; the event was at 18:00
    world.work(utc(2026, 11, 5, 3))
    assert world.told[before:] == [("11-04 18:00", "P04"), ("11-05 02:00", "P05")]


def test_a_last_close_event_of_more_than_a_week_ago_is_for_a_backfill():
    world = airflow(utc(2026, 11, 3, 12))
    world.work(utc(2026, 11, 4, 12))
    before = len(world.runs)
    world.clock.time = utc(2026, 11, 11, 19)
    world.work(utc(2026, 11, 11, 19))
    assert world.told[before:] == [("11-11 02:00", "P05")]


def test_a_pause_of_a_year_does_not_run_the_periods_in_between():
    world = airflow(utc(2026, 10, 25))
    world.work(utc(2026, 10, 27))
    before = len(world.runs)
    world.clock.time = utc(2027, 10, 27, 12)
    world.work(utc(2027, 10, 27, 12))
    keys = [run.partition_key for run in world.runs[before:]]
    assert keys == ["FY2028-P04"]


def test_catchup_runs_every_missed_tick():
    world = airflow(utc(2026, 10, 29), catchup=True)
    world.work(utc(2026, 10, 30))
    before = len(world.runs)
    world.clock.time = utc(2026, 11, 2, 12)
    world.work(utc(2026, 11, 2, 12))
    assert world.told[before:] == [
        ("10-30 02:00", "P04"),
        ("10-31 02:00", "P04"),
        ("11-01 02:00", "P04"),
        ("11-01 02:00", "P05"),
        ("11-02 02:00", "P04"),
        ("11-02 02:00", "P05"),
        ("11-02 06:00", "P04"),
    ]


def test_catchup_begins_at_the_start_of_the_dag():
    world = airflow(utc(2026, 11, 20), catchup=True, earliest=tick(202704, 2026, 11, 1, 2))
    assert world.next().partition_date == tick(202704, 2026, 11, 1, 2)
    world.runs.append(world.next())
    assert world.next().partition_key == "FY2027-P05"


def test_a_new_dag_waits_for_its_next_tick():
    world = airflow(utc(2026, 11, 20, 12), earliest=utc(2020, 1, 1))
    assert world.next().partition_date == tick(202705, 2026, 11, 21, 2)


def test_the_first_tick_of_a_new_dag_is_not_lost_to_a_parse_in_the_same_second():
    world = airflow(utc(2026, 11, 20, 12))
    world.clock.time = utc(2026, 11, 21, 2, 0, 5)
    assert world.next().partition_date == tick(202705, 2026, 11, 21, 2)


def test_no_run_before_the_start_or_after_the_end_of_the_dag():
    world = airflow(utc(2026, 11, 20, 12), earliest=utc(2026, 12, 24))
    assert world.next().partition_date == tick(202706, 2026, 12, 24, 2)
    world = airflow(utc(2026, 11, 20, 12), latest=utc(2026, 11, 21, 2))
    assert world.next() is None
    world = airflow(utc(2026, 11, 20, 12), latest=tick(202705, 2026, 11, 21, 2))
    assert world.next() is not None


def test_a_new_dag_that_was_backfilled_loads_the_open_periods_once_and_no_others():
    world = airflow(utc(2026, 11, 20, 12))
    assert world.backfill(utc(2026, 7, 1), utc(2026, 8, 31)) == ["FY2027-P01", "FY2027-P02"]
    world.work(utc(2026, 11, 21, 3))
    assert world.told[2:] == [("11-20 02:00", "P05"), ("11-21 02:00", "P05")]


def test_a_backfill_of_the_new_period_does_not_hide_what_an_outage_missed():
    world = airflow(utc(2026, 10, 30, 12))
    world.work(utc(2026, 11, 1, 1))
    assert world.backfill(utc(2026, 11, 1), utc(2026, 11, 1)) == ["FY2027-P05"]
    before = len(world.runs)
    world.clock.time = utc(2026, 11, 5, 12)
    world.work(utc(2026, 11, 5, 12))
    assert world.told[before:] == [("11-04 18:00", "P04"), ("11-05 02:00", "P05")]


def test_a_backfill_of_the_current_period_does_not_disturb_the_schedule():
    world = airflow(utc(2026, 11, 1, 0, 10))
    world.runs.append(world.next())
    assert world.told == [("11-01 02:00", "P04")]
    world.clock.time = tick(202704, 2026, 11, 1, 2)
    assert world.backfill(utc(2026, 11, 1), utc(2026, 11, 1)) == ["FY2027-P05"]
    world.work(utc(2026, 11, 2, 3))
    assert world.told[2:] == [
        ("11-01 02:00", "P05"),
        ("11-02 02:00", "P04"),
        ("11-02 02:00", "P05"),
    ]


def test_a_backfill_finds_every_period_although_all_of_them_ran_on_schedule():
    world = airflow(utc(2026, 6, 30, 12), {"nightly": "00:00"})
    world.work(utc(2026, 9, 10))
    assert world.backfill(utc(2026, 7, 1), utc(2026, 9, 10)) == ["FY2027-P01", "FY2027-P02", "FY2027-P03"]
    assert world.backfill(utc(2026, 7, 1), utc(2026, 9, 10)) == [], "the second one is told that they exist"


def test_a_backfill_yields_the_start_of_each_period_and_none_of_the_future():
    world = airflow(utc(2026, 11, 20, 12))
    infos = list(
        world.timetable.iter_partition_dagrun_infos(
            earliest=instance(utc(2026, 9, 30)), latest=instance(utc(2027, 5, 1))
        )
    )
    assert [(info.partition_key, info.partition_date, info.run_after) for info in infos] == [
        ("FY2027-P04", utc(2026, 9, 30, 23), utc(2026, 9, 30, 23)),
        ("FY2027-P05", utc(2026, 11, 1), utc(2026, 11, 1)),
    ]


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"])
def test_the_day_that_a_user_names_is_understood_from_command_line_and_form(zone):
    cal = calendar(timezone=zone)
    world = airflow(utc(2026, 11, 20, 12), cal=cal)
    july = cal.period("FY2027-P01")
    for moment in (utc(2026, 7, 1), cal.start_of(july)):  # midnight UTC from the command line, local from the form
        assert world.backfill(moment, moment) == ["FY2027-P01"]
        world.runs.clear()
    day_before = utc(2026, 6, 29)
    assert world.backfill(day_before, day_before) == []


def test_empty_bounds_yield_nothing():
    world = airflow(utc(2026, 11, 20, 12))
    assert world.backfill(utc(2027, 1, 1), utc(2027, 2, 1)) == []


def test_a_key_is_decoded_to_the_start_of_its_period():
    timetable = airflow(utc(2026, 11, 20, 12)).timetable
    assert timetable.resolve_partition_date("FY2026-P02") == utc(2025, 7, 31, 23)
    assert timetable.resolve_partition_date(None) is None


@pytest.mark.parametrize("key", ["FY2026-P13", "2026-11", "november", "FY2026-P0"])
def test_a_key_that_is_none_is_answered_with_the_open_periods(key):
    timetable = airflow(utc(2026, 11, 3, 12)).timetable
    with pytest.raises(InvalidPartitionKeyError, match=r"Open periods: FY2027-P04, FY2027-P05\."):
        timetable.resolve_partition_date(key)


def test_run_ids_are_unique_per_call_and_show_the_period():
    timetable = airflow(utc(2026, 11, 20, 12)).timetable
    ids = {
        timetable.generate_run_id(
            run_type=DagRunType.BACKFILL_JOB,
            run_after=instance(utc(2026, 11, 1)),
            data_interval=None,
            partition_key="FY2027-P05",
        )
        for _ in range(100)
    }
    assert len(ids) == 100
    assert all(run_id.startswith("backfill__2026-11-01T00:00:00+00:00__FY2027-P05__") for run_id in ids)
    manual = timetable.generate_run_id(
        run_type=DagRunType.MANUAL, run_after=instance(utc(2026, 11, 1)), data_interval=None
    )
    assert manual.startswith("manual__2026-11-01T00:00:00+00:00__")


def test_clocks_that_change_neither_skip_nor_double_a_night():
    world = airflow(utc(2026, 3, 27, 12), {"nightly": "01:30"})
    world.work(utc(2026, 3, 31, 12))
    assert [f"{run.partition_date:%d %H:%M}" for run in world.runs] == ["28 01:30", "29 01:30", "30 00:30", "31 00:30"]
    world = airflow(utc(2026, 10, 23, 12), {"nightly": "01:30"})
    world.work(utc(2026, 10, 27, 12))
    assert [f"{run.partition_date:%d %H:%M}" for run in world.runs] == ["24 00:30", "25 00:30", "26 01:30", "27 01:30"]


def test_every_few_minutes_runs_all_open_periods_during_the_working_day():
    cal = calendar(hours={"start": "09:00", "end": "09:30"})
    world = airflow(utc(2026, 11, 2), {"every": "15m", "close": [{"workday": 2, "at": "12:00"}]}, cal)
    world.work(utc(2026, 11, 2, 23))
    assert [told[0][6:] for told in world.told] == [
        "09:00",
        "09:00",
        "09:15",
        "09:15",
        "09:30",
        "09:30",
    ]


def test_a_listed_calendar_that_ends_schedules_no_more():
    years = [{"year": 2026, "starts": ["2026-10-01"], "end": "2026-10-31"}]
    cal = calendar_from_json({"calendar": "x", "kind": "explicit", "fiscal_years": years})
    world = airflow(utc(2026, 10, 30), cal=cal)
    world.work(utc(2027, 6, 1))
    assert world.told[-1] == ("11-04 18:00", "P01")
    assert world.next() is None
    assert world.backfill(utc(2026, 1, 1), utc(2027, 1, 1)) == ["FY2026-P01"]


def test_a_calendar_that_changed_its_periods_goes_on():
    old = calendar_from_json({"calendar": "w", "kind": "13x4", "year_end": "last Saturday of June"})
    world = airflow(utc(2026, 6, 10), cal=old)
    world.work(utc(2026, 6, 20))
    assert world.runs[-1].partition_key == "FY2026-P13"
    world.timetable = airflow(world.clock.time).timetable
    world.timetable = CloseCalendarTimetable(calendar(), Schedule.model_validate(NIGHTLY), clock=world.clock)
    assert world.next().partition_key == "FY2026-P12"


def test_a_schedule_on_request_has_no_next_run_but_can_be_backfilled():
    world = airflow(utc(2026, 11, 20), {})
    assert world.next() is None
    assert world.timetable.periodic
    assert world.backfill(utc(2026, 7, 1), utc(2026, 7, 1)) == ["FY2027-P01"]


@pytest.fixture
def registered(monkeypatch):
    path = f"{CloseCalendarTimetable.__module__}.{CloseCalendarTimetable.__qualname__}"
    monkeypatch.setattr(plugins_manager, "get_timetables_plugins", lambda: {path: CloseCalendarTimetable})


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "cal",
    [
        calendar(workdays={"country": "GB", "subdivision": "ENG", "closed": ["2026-12-24"]}),
        calendar_from_json({"calendar": "w", "kind": "4-4-5", "year_end": "last Friday of May", "week_53": 3}),
        calendar_from_json(
            {
                "calendar": "x",
                "kind": "explicit",
                "fiscal_years": [{"year": 2026, "starts": ["2026-10-01"], "end": "2026-10-31"}],
            }
        ),
    ],
    ids=lambda cal: cal.kind,
)
def test_airflow_stores_the_whole_timetable_and_gets_the_same_back(cal):
    timetable = CloseCalendarTimetable(cal, Schedule.model_validate({**NIGHTLY, "every": "15m"}))
    again = decode_timetable(json.loads(json.dumps(encode_timetable(timetable))))
    assert again == timetable
    assert hash(again) == hash(timetable)
    assert again.summary == timetable.summary
    assert again.partitioned


def test_what_is_stored_carries_a_digest_that_changes_with_calendar_and_schedule():
    schedule = Schedule.model_validate(NIGHTLY)
    digests = {
        CloseCalendarTimetable(calendar(), schedule).serialize()["digest"],
        CloseCalendarTimetable(calendar(), schedule).serialize()["digest"],
        CloseCalendarTimetable(calendar(first_month=8), schedule).serialize()["digest"],
        CloseCalendarTimetable(calendar(), Schedule()).serialize()["digest"],
    }
    assert len(digests) == 3


def test_people_read_what_the_timetable_does():
    timetable = airflow(utc(2026, 11, 20)).timetable
    assert timetable.summary == "m: nightly 02:00, workday 1 at 06:00, workday 3 at 18:00"
    assert timetable.description.endswith("(Europe/London), for every open period of m")
