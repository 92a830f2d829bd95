# SPDX-License-Identifier: Apache-2.0
"""Whatever the calendar, the schedule and what happens: each tick runs once, in order, and none of the future."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.finance.calendar import calendar_from_json
from tests.unit.timetables.driving import airflow, utc

ZONES = ("UTC", "Europe/London", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "Africa/Cairo")
CLOCKS = ("00:00", "01:30", "02:30", "23:59")
calendars = st.builds(
    lambda kind, zone, weekend: calendar_from_json(
        {"calendar": "any", "timezone": zone, "workdays": {"weekend": weekend}, "hours": {"start": "09:00"}} | kind
    ),
    st.sampled_from(
        [
            {"kind": "monthly", "first_month": 7},
            {"kind": "monthly", "year_name": "start", "first_month": 2},
            {"kind": "4-4-5", "year_end": "last Saturday of June"},
            {"kind": "13x4", "year_end": "nearest Sunday to the end of January", "week_53": 6},
        ]
    ),
    st.sampled_from(ZONES),
    st.sampled_from([["saturday", "sunday"], ["friday"], []]),
)
schedules = st.fixed_dictionaries(
    {"nightly": st.sampled_from(CLOCKS)},
    optional={
        "every": st.sampled_from(["5h", "1d"]),
        "close": st.lists(
            st.fixed_dictionaries({"workday": st.integers(1, 25), "at": st.sampled_from(CLOCKS)}), max_size=3
        ),
    },
)
days = st.integers(1, 45)
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("work"), st.integers(1, 60)),
        st.tuples(st.just("outage"), st.integers(1, 24 * 12)),
        st.tuples(st.just("backfill"), days),
        st.tuples(st.just("calendar"), calendars),
        st.tuples(st.just("schedule"), schedules),
    ),
    min_size=3,
    max_size=9,
)
starts = st.integers(0, 3 * 366 * 24).map(lambda hour: utc(2025, 1, 1) + timedelta(hours=hour))


def happen(world, what, value):
    """Let one thing happen; hours pass at work and in an outage."""
    now = world.clock.time
    if what == "work":
        world.work(now + timedelta(hours=value))
    elif what == "outage":
        world.clock.time = now + timedelta(hours=value)
    elif what == "backfill":
        world.backfill(now - timedelta(days=value), now + timedelta(days=3))
    else:
        world.change(**{what: value})


@settings(max_examples=40, deadline=None)
@given(starts, calendars, schedules, st.booleans(), st.booleans(), happenings)
def test_each_tick_runs_once_and_in_order_and_no_period_before_it_begins(
    start, calendar, schedule, parses, catchup, happenings
):
    world = airflow(start, schedule, calendar, parses=parses, catchup=catchup)
    for what, value in happenings:
        happen(world, what, value)
    ticks = [run for run in world.runs if run not in world.backfilled]
    stamps = [run.partition_date for run in ticks]
    assert stamps == sorted(set(stamps))
    moments = [(run.partition_date.replace(microsecond=0), run.partition_key) for run in ticks]
    assert len(moments) == len(set(moments)), "a period ran twice at one moment"
    for run, (made, of_calendar) in world.made.items():
        assert run.partition_date <= made
        assert of_calendar.start_of(of_calendar.period(run.partition_key)) <= made


@settings(max_examples=40, deadline=None)
@given(starts, calendars, schedules, st.integers(1, 24 * 12), st.booleans())
def test_after_an_outage_each_open_period_has_its_latest_tick(start, calendar, schedule, hours, backfilled):
    world = airflow(start, schedule, calendar)
    world.work(start + timedelta(hours=48))
    if backfilled:
        world.backfill(start, world.clock.time)
    down = world.clock.time
    world.clock.time = down + timedelta(hours=hours)
    world.work(world.clock.time)
    agenda = world.timetable.agenda
    ran = {run.partition_date for run in world.runs}
    for period in agenda.open_periods(world.clock.time, since=world.clock.time - timedelta(days=7)):
        latest = agenda.last_tick(period, down, world.clock.time)
        assert latest is None or latest.stamp in ran


@settings(max_examples=40, deadline=None)
@given(starts, calendars, schedules, st.lists(st.tuples(st.integers(1, 30), days), max_size=5))
def test_backfills_in_between_change_no_tick(start, calendar, schedule, backfills):
    quiet, busy = (airflow(start, schedule, calendar) for _ in range(2))
    for world in (quiet, busy):
        world.work(start + timedelta(hours=25))  # the first tick of the DAG came
    for hours, back in backfills:
        busy.backfill(busy.clock.time - timedelta(days=back), busy.clock.time)
        for world in (quiet, busy):
            world.work(world.clock.time + timedelta(hours=hours))
    assert [run for run in busy.runs if run not in busy.backfilled] == quiet.runs
