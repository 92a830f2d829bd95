# SPDX-License-Identifier: Apache-2.0
"""Nights on which the clock changes, and calendars that somebody edits, under Airflow's own scheduler."""

from datetime import timedelta

import pytest

from tests.airflow.schedules.scheduling import MONTHS, utc

pytestmark = pytest.mark.usefixtures("database")
LATE_CLOSE = "{nightly: 02:00, close: [{workday: 10, at: 18:00}]}"


# By zone and time of day, the nightly ticks (UTC) around the night of the change, without their seconds.
# Europe/London skips 01:00 to 02:00 on 29 March 2026 and shows it twice on 25 October 2026; Europe/Berlin 02:00 to
# 03:00 in the same nights; America/New_York 02:00 to 03:00 on 8 March, 01:00 to 02:00 twice on 1 November.
CLOCKS = [
    ("Europe/London", "02:30", (2026, 3, 28), ["28 02:30", "29 01:30", "30 01:30"]),
    ("Europe/London", "01:30", (2026, 3, 28), ["28 01:30", "29 01:30", "30 00:30"]),
    ("Europe/Berlin", "02:30", (2026, 3, 28), ["28 01:30", "29 01:30", "30 00:30"]),
    ("America/New_York", "02:30", (2026, 3, 7), ["07 07:30", "08 07:30", "09 06:30"]),
    ("Europe/London", "02:30", (2026, 10, 24), ["24 01:30", "25 02:30", "26 02:30"]),
    ("Europe/London", "01:30", (2026, 10, 24), ["24 00:30", "25 00:30", "26 01:30"]),
    ("Europe/Berlin", "02:30", (2026, 10, 24), ["24 00:30", "25 00:30", "26 01:30"]),
    ("America/New_York", "01:30", (2026, 10, 31), ["31 05:30", "01 05:30", "02 06:30"]),
]


@pytest.mark.parametrize(("zone", "at", "first", "nights"), CLOCKS)
def test_a_night_that_lacks_the_hour_or_has_it_twice_has_one_run_of_every_open_period(airflow, zone, at, first, nights):
    calendar = f"calendar: months\nkind: monthly\ntimezone: {zone}\nworkdays: {{weekend: [sunday]}}\n"
    world = airflow(utc(*first), f"{{nightly: '{at}', close: [{{workday: 31, at: 23:00}}]}}", calendar)
    world.live(utc(*first) + timedelta(days=2, hours=23))
    by_night = {}
    for run in world.scheduled():
        by_night.setdefault(f"{run.date:%d %H:%M}", []).append(run.key)
    assert list(by_night) == nights
    assert all(len(keys) == len(set(keys)) >= 2 for keys in by_night.values())


def test_a_holiday_that_is_added_keeps_the_period_open_for_longer(airflow):
    world = airflow(utc(2025, 11, 12, 12), LATE_CLOSE)
    world.live(utc(2025, 11, 13, 12))
    world.write(calendar=MONTHS + "workdays: {closed: [2025-11-14]}\n")
    world.parse()
    world.live(utc(2025, 11, 18, 12))
    october = [told for told in world.told() if told.endswith("P04")]
    assert october == [*(f"11-{day} 02:00 P04" for day in range(13, 18)), "11-17 18:00 P04"]
    assert world.told()[-1] == "11-18 02:00 P05"


def test_a_holiday_that_is_added_after_the_last_close_event_opens_the_period_again(airflow):
    world = airflow(utc(2025, 11, 14, 12), LATE_CLOSE)
    world.live(utc(2025, 11, 16, 12))
    world.write(calendar=MONTHS + "workdays: {closed: [2025-11-13]}\n")
    world.parse()
    world.live(utc(2025, 11, 18, 12))
    assert world.told() == [
        "11-14 18:00 P04",
        "11-15 02:00 P05",
        "11-16 02:00 P05",
        "11-17 02:00 P04",
        "11-17 02:00 P05",
        "11-17 18:00 P04",
        "11-18 02:00 P05",
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("02:00", "04:00", ["11-19 02:00", "11-20 02:00", "11-20 04:00", "11-21 04:00"]),
        ("04:00", "02:00", ["11-19 04:00", "11-20 02:00", "11-21 02:00"]),
    ],
)
def test_a_schedule_that_is_moved_in_the_night_loses_no_night(airflow, before, after, told):
    world = airflow(utc(2025, 11, 18, 12), f"{{nightly: {before}}}")
    world.live(utc(2025, 11, 20, 3))
    world.write(schedule=f"{{nightly: {after}}}")
    world.parse()
    world.live(utc(2025, 11, 21, 12))
    assert world.told() == [f"{moment} P05" for moment in told]


def test_a_zone_that_is_changed_repeats_no_tick_and_goes_on_at_its_own_night(airflow):
    world = airflow(utc(2025, 11, 19, 12), LATE_CLOSE)
    world.live(utc(2025, 11, 20, 12))
    world.write(calendar=MONTHS.replace("Europe/London", "Pacific/Auckland"))
    world.parse()
    world.live(utc(2025, 11, 21, 14))
    assert world.told() == ["11-20 02:00 P05", "11-20 13:00 P05", "11-21 13:00 P05"]


WEEKS = "calendar: weeks\nkind: 4-4-5\nyear_end: last Saturday of June\ntimezone: Europe/London\n"


def test_a_calendar_of_months_that_becomes_one_of_weeks_goes_on_with_its_periods(airflow):
    world = airflow(utc(2025, 11, 24, 12), LATE_CLOSE)
    world.live(utc(2025, 11, 25, 12))
    assert world.backfill(utc(2025, 10, 1)) == ["FY2026-P04"]
    world.write(calendar=WEEKS)
    world.parse()
    world.live(utc(2025, 11, 27, 12))
    # The week calendar's November ended on the 22nd and is open until its tenth workday after that.
    after = ["11-26 02:00 P05", "11-26 02:00 P06", "11-27 02:00 P05", "11-27 02:00 P06"]
    assert world.told() == ["11-25 02:00 P05", "11-25 02:00 P06", *after], "P05 had its tick; P06 had not been loaded"
    start = world.resolve("FY2026-P04")
    assert world.backfill(start) == ["FY2026-P04"], "it begins on another day now"


def test_a_listed_calendar_goes_on_when_somebody_adds_the_year(airflow):
    listed = "calendar: x\nkind: explicit\nfiscal_years:\n- {year: 2025, starts: [2025-11-01], end: 2025-11-30}\n"
    world = airflow(utc(2025, 11, 30, 12), LATE_CLOSE, listed)
    world.live(utc(2025, 12, 14, 12))
    assert world.told()[-1] == "12-12 18:00 P01"
    assert world.next_due() is None
    world.travel(utc(2026, 1, 20, 12))
    world.write(calendar=listed + "- {year: 2026, starts: [2025-12-01, 2026-01-01], end: 2026-01-31}\n")
    world.parse()
    before = len(world.told())
    world.live(utc(2026, 1, 21, 12))
    assert world.told(before) == ["01-14 18:00 P01", "01-20 02:00 P02", "01-21 02:00 P02"]


def test_an_edited_calendar_is_a_new_version_of_the_dag(airflow):
    world = airflow(utc(2025, 11, 19, 12), LATE_CLOSE)
    world.live(utc(2025, 11, 20, 12))
    assert world.versions() == 1
    world.write(calendar=MONTHS + "workdays: {closed: [2025-12-24]}\n")
    world.parse()
    world.live(utc(2025, 11, 21, 12))
    assert world.versions() == 2
