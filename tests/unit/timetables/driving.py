# SPDX-License-Identifier: Apache-2.0
"""A timetable with the part of Airflow that asks it: runs, parses, backfills, and a clock that stands still."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from airflow.timetables.base import DagRunInfo, TimeRestriction
from pendulum import instance

from airflow_provider_mlconnector.finance.calendar import Calendar, calendar_from_json
from airflow_provider_mlconnector.finance.schedule import Schedule
from airflow_provider_mlconnector.timetables.close_calendar import CloseCalendarTimetable

NIGHTLY = {"nightly": "02:00", "close": [{"workday": 1, "at": "06:00"}, {"workday": 3, "at": "18:00"}]}


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def tick(period, *parts):
    """Return the stamp of a tick: the period is in the fraction of its second."""
    return utc(*parts) + timedelta(microseconds=period)


def calendar(**more):
    return calendar_from_json(
        {"calendar": "m", "kind": "monthly", "first_month": 7, "timezone": "Europe/London", **more}
    )


@dataclass
class Hands:
    """A clock that stands still until somebody moves it."""

    time: datetime

    def now(self):
        return self.time

    def monotonic(self):
        return self.time.timestamp()

    def sleep(self, seconds):
        self.time += timedelta(seconds=seconds)


@dataclass
class Airflow:
    """What Airflow does with a timetable: it keeps runs, and asks for the next one.

    :param parses: ask anew before every run with the last run found as the dag-processor finds it: the scheduled or
        backfilled run with the greatest partition_date. Without, the scheduler goes on from the run it just made.
    """

    timetable: CloseCalendarTimetable
    clock: Hands
    catchup: bool = False
    earliest: datetime | None = None
    latest: datetime | None = None
    parses: bool = True
    runs: list[DagRunInfo] = field(default_factory=list)
    backfilled: list[DagRunInfo] = field(default_factory=list)
    made: dict[DagRunInfo, tuple[datetime, Calendar]] = field(default_factory=dict)

    def next(self):
        last = max(self.runs, key=lambda run: run.partition_date, default=None) if self.parses else self._made()
        return self.timetable.next_dagrun_info_v2(
            last_dagrun_info=last,
            restriction=TimeRestriction(
                self.earliest and instance(self.earliest), self.latest and instance(self.latest), self.catchup
            ),
        )

    def _made(self):
        return next((run for run in reversed(self.runs) if run not in self.backfilled), None)

    def work(self, until):
        """Let time pass; make each run when it is due."""
        while (info := self.next()) is not None and info.run_after <= until:
            self.clock.time = max(self.clock.time, info.run_after)
            assert info.partition_date not in {run.partition_date for run in self.runs}, "made twice"
            self.runs.append(info)
            self.made[info] = self.clock.time, self.timetable.calendar
        self.clock.time = max(self.clock.time, until)

    def backfill(self, first, last):
        """Make the runs of a backfill that has none yet; return their keys."""
        infos = self.timetable.iter_partition_dagrun_infos(earliest=instance(first), latest=instance(last))
        new = [info for info in infos if info.partition_date not in {run.partition_date for run in self.runs}]
        self.runs += new
        self.backfilled += new
        return [info.partition_key for info in new]

    def change(self, *, calendar=None, schedule=None):
        """Edit the calendar or the schedule; the next parse sees it."""
        was = self.timetable
        schedule = was.agenda.schedule if schedule is None else Schedule.model_validate(schedule)
        self.timetable = CloseCalendarTimetable(calendar or was.calendar, schedule, clock=self.clock)

    @property
    def told(self):
        return [(f"{run.partition_date:%m-%d %H:%M}", run.partition_key[-3:]) for run in self.runs]


def airflow(now, schedule=NIGHTLY, cal=None, **more):
    hands = Hands(now)
    timetable = CloseCalendarTimetable(cal or calendar(), Schedule.model_validate(schedule), clock=hands)
    return Airflow(timetable, hands, **more)
