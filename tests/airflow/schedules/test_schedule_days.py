# SPDX-License-Identifier: Apache-2.0
"""Ten days of a close under Airflow's own scheduler, the DAG parsed and written anew between every two runs."""

import pytest

from tests.airflow.schedules.scheduling import utc

pytestmark = pytest.mark.usefixtures("database")
TWO_OPEN = "{nightly: 02:00, close: [{workday: 1, at: 06:00}, {workday: 10, at: 18:00}]}"
"""October 2025 stays open until 14 November, beside November."""
NIGHTS = [
    told
    for day in range(3, 13)
    for told in (
        f"11-{day:02d} 02:00 P04",
        f"11-{day:02d} 02:00 P05",
        *(["11-03 06:00 P04"] if day == 3 else []),
    )
]


@pytest.mark.parametrize("parse", [True, False], ids=["parsed between every two runs", "never parsed again"])
def test_in_ten_days_every_tick_of_two_open_periods_runs_once(airflow, parse):
    world = airflow(utc(2025, 11, 2, 12), TWO_OPEN)
    world.live(utc(2025, 11, 12, 12), parse=parse)
    assert world.told() == NIGHTS


def test_parsing_and_scheduling_again_at_one_moment_makes_no_second_run(airflow):
    world = airflow(utc(2025, 11, 2, 12), TWO_OPEN)
    world.travel(utc(2025, 11, 3, 2, 0, 30))
    for _ in range(4):
        world.parse()
        world.schedule()
        world.schedule()
    assert world.told() == NIGHTS[:2]


def test_runs_are_scheduled_ones_of_their_own_tick_without_a_logical_date(airflow):
    world = airflow(utc(2025, 11, 2, 12), TWO_OPEN)
    world.live(utc(2025, 11, 3, 3))
    for run in world.runs():
        assert (run.kind, run.logical_date, run.run_after) == ("scheduled", None, run.date)
        assert run.run_id.startswith(f"scheduled__{run.date.isoformat()}__{run.key}__")


@pytest.mark.parametrize("first", ["scheduler", "dag-processor"])
def test_after_an_outage_of_two_days_each_open_period_gets_its_latest_missed_tick(airflow, first):
    world = airflow(utc(2025, 11, 4, 12), TWO_OPEN)
    world.live(utc(2025, 11, 5, 12))
    before = len(world.told())
    world.travel(utc(2025, 11, 7, 12))
    if first == "dag-processor":
        world.parse()
    world.live(utc(2025, 11, 8, 12))
    # The tick that was due next when Airflow stopped is in its database already, and runs if the scheduler is first.
    kept = ["11-06 02:00 P04"] if first == "scheduler" else []
    latest = ["11-07 02:00 P04", "11-07 02:00 P05"]
    assert world.told(before) == [*kept, *latest, "11-08 02:00 P04", "11-08 02:00 P05"]


def test_an_outage_over_the_last_close_event_does_not_lose_it(airflow):
    world = airflow(utc(2025, 11, 13, 12), TWO_OPEN)
    world.live(utc(2025, 11, 14, 12))
    before = len(world.told())
    world.travel(utc(2025, 11, 16, 12))
    world.parse()
    world.live(utc(2025, 11, 17, 12))
    assert world.told(before) == ["11-14 18:00 P04", "11-16 02:00 P05", "11-17 02:00 P05"]


BACKFILLS = [
    ((utc(2025, 7, 1), utc(2025, 9, 1)), ["FY2026-P01", "FY2026-P02", "FY2026-P03"]),  # old periods
    ((utc(2025, 10, 1), utc(2025, 11, 1)), ["FY2026-P04", "FY2026-P05"]),  # the open ones
    ((utc(2025, 11, 1), utc(2025, 11, 1)), ["FY2026-P05"]),  # the newest alone
]


def test_backfills_and_manual_runs_in_between_disturb_nothing(airflow):
    world = airflow(utc(2025, 11, 2, 12), TWO_OPEN)
    for day in range(3, 13):
        bounds, keys = BACKFILLS[day % 3]
        world.live(utc(2025, 11, day, 2))
        assert world.schedule() == 0
        world.travel(utc(2025, 11, day, 2, 0, 1))
        assert world.schedule() == 1, "one of the two open periods; the other one comes after the backfill"
        assert world.backfill(*bounds, again=True) == keys
        world.parse()
        world.live(utc(2025, 11, day, 3))
        assert world.backfill(*bounds) == []
        world.trigger("FY2026-P04")
        world.trigger("FY2026-P05")
        world.finish()
        world.parse()
    world.live(utc(2025, 11, 12, 12))
    assert world.told() == NIGHTS


def test_an_outage_that_begins_with_a_backfill_of_the_new_period_loses_no_close_event(airflow):
    world = airflow(utc(2025, 10, 31), "{nightly: 02:00, close: [{workday: 1, at: 06:00}]}")
    world.live(utc(2025, 11, 1, 1))
    assert world.backfill(utc(2025, 11, 1)) == ["FY2026-P05"]
    before = len(world.told())
    world.travel(utc(2025, 11, 4, 12))
    world.parse()
    world.live(utc(2025, 11, 4, 13))
    assert world.told(before) == ["11-03 06:00 P04", "11-04 02:00 P05"]


def test_runs_that_wait_for_a_free_place_are_made_when_there_is_one(airflow):
    world = airflow(utc(2025, 11, 2, 12), "{nightly: 02:00, close: [{workday: 31, at: 18:00}]}")
    for day in (3, 4):
        world.travel(utc(2025, 11, day, 2, 1))
        world.parse()
        while world.schedule():
            pass
    first = ["11-03 02:00 P03", "11-03 02:00 P04", "11-03 02:00 P05", "11-04 02:00 P03"]
    assert world.told() == first, "more runs than may be active at once"
    world.finish()
    world.parse()
    world.live(utc(2025, 11, 4, 3))
    assert world.told() == [*first, "11-04 02:00 P04", "11-04 02:00 P05"]
