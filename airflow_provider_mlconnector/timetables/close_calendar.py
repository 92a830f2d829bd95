# SPDX-License-Identifier: Apache-2.0
"""The timetable of a close: which fiscal period is loaded when, with the period's key as Airflow's partition key.

A run's ``partition_date`` is its identity for Airflow: the run with the greatest one is taken for the last run at every
parse, and a backfill creates no run where one with the same ``partition_date`` exists. A close runs many times per
period, so a scheduled run carries the stamp of its own tick, unique and growing; the key names the period. Backfilled
and manual runs carry the first moment of the period, which is never the stamp of a tick.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow.exceptions import InvalidPartitionKeyError
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from pendulum import DateTime, instance

from airflow_provider_mlconnector.clock import SYSTEM_CLOCK, Clock
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.calendar import Calendar, calendar_from_json
from airflow_provider_mlconnector.finance.schedule import Agenda, Schedule, Tick

if TYPE_CHECKING:
    from airflow.utils.types import DagRunType

_FIRST_RUN_GRACE = datetime.timedelta(minutes=10)
"""A tick that passed this short a while ago still counts as the first of a DAG, however late the scheduler looks."""
_LATE_CLOSE = datetime.timedelta(days=7)
"""So long after its last close event a period that missed it still gets it."""
_INSTANT = datetime.timedelta(microseconds=1)


class CloseCalendarTimetable(Timetable):
    """Runs a flow for every open period of a close calendar.

    With ``catchup`` every tick since the last run makes a run. Without, an outage costs the ticks in between: each open
    period gets the latest tick that it missed. A period whose last close event passed during the outage still counts as
    open for a week, or nobody would load its final books; older ones are for a backfill. A DAG without any run waits
    for its next tick. The tick that was next when an outage began is in Airflow's database already: if the scheduler is
    up before the DAG is parsed again, it runs besides the latest ones.
    """

    partitioned = True

    def __init__(self, calendar: Calendar, schedule: Schedule, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._calendar = calendar
        self._schedule = schedule
        self._agenda = Agenda(calendar, schedule)
        self._clock = clock
        self.description = f"{schedule} ({calendar.timezone}), for every open period of {calendar.calendar}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CloseCalendarTimetable) and self.serialize() == other.serialize()

    def __hash__(self) -> int:
        return hash((self._calendar, self._schedule))

    @property
    def calendar(self) -> Calendar:
        """The close calendar."""
        return self._calendar

    @property
    def agenda(self) -> Agenda:
        """The schedule on the calendar."""
        return self._agenda

    @property
    def summary(self) -> str:
        """What the UI shows as the schedule."""
        return f"{self._calendar.calendar}: {self._schedule}"

    def serialize(self) -> dict[str, Any]:
        """Return calendar and schedule whole, with a digest of both that makes a change of either a new DAG version."""
        content = {"calendar": self._calendar.to_json(), "schedule": self._schedule.model_dump(mode="json")}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return {**content, "digest": digest}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> CloseCalendarTimetable:
        """Return the timetable that :meth:`serialize` wrote."""
        return cls(calendar_from_json(data["calendar"]), Schedule.model_validate(data["schedule"]))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Return the run that a DAG without runs gets next: data intervals tell nothing of periods."""
        return self.next_dagrun_info_v2(last_dagrun_info=None, restriction=restriction)

    def next_dagrun_info_v2(
        self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Return the run after the last one, or None when there will be none within the DAG's own start and end."""
        now = self._clock.now()
        after = self._after(last_dagrun_info, restriction, now)
        tick = None if restriction.catchup else self._first_missed(after, now)
        tick = tick or next(self._agenda.ticks(after if restriction.catchup else max(after, now)), None)
        if tick is None or (restriction.latest is not None and tick.stamp > restriction.latest):
            return None
        return _run(tick.stamp, tick.period.key)

    def _after(
        self, last: DagRunInfo | None, restriction: TimeRestriction, now: datetime.datetime
    ) -> datetime.datetime:
        """Return the moment after which ticks count.

        A backfilled run is taken at its word, too: its period began then, so what ticked since is still to come. It may
        hide the scheduled run before it, and waiting for the next tick instead would lose the ticks of an outage.
        """
        bounds: list[datetime.datetime] = [restriction.earliest - _INSTANT] if restriction.earliest else []
        if last is not None and last.partition_date is not None:
            bounds.append(last.partition_date)
        elif not (restriction.catchup and bounds):
            bounds.append(now - _FIRST_RUN_GRACE)
        return max(bounds)

    def _first_missed(self, after: datetime.datetime, now: datetime.datetime) -> Tick | None:
        """Return the earliest of the latest ticks that the periods missed until now."""
        periods = self._agenda.open_periods(now, since=now - _LATE_CLOSE)
        missed = (self._agenda.last_tick(period, after, now) for period in periods)
        return min(filter(None, missed), key=lambda tick: tick.stamp, default=None)

    def iter_partition_dagrun_infos(
        self, *, earliest: datetime.datetime, latest: datetime.datetime
    ) -> Iterable[DagRunInfo]:
        """Yield one run for each period that starts within the bounds and has begun.

        The bounds hold both as the moments that they are and as the wall-clock reading on the calendar's clock: a
        command line hands in midnight UTC for a day, the UI's form midnight in the zone of its user.
        """
        first = min(earliest, self.localize_partition_datetime(earliest))
        last = min(max(latest, self.localize_partition_datetime(latest)), self._clock.now())
        if first > last:
            return
        for period in self._calendar.periods_between(self._calendar.day_of(first), self._calendar.day_of(last)):
            start = self._calendar.start_of(period)
            if first <= start <= last:
                yield _run(start, period.key)

    def localize_partition_datetime(self, dt: datetime.datetime) -> DateTime:
        """Return the moment at which the calendar's clock shows what ``dt`` reads."""
        return instance(self._calendar.moment(dt.date(), dt.time()))

    def _decode_partition_date(self, partition_key: str) -> datetime.datetime:
        """Return the first moment of a period.

        :raises InvalidPartitionKeyError: when the key names no period; lists the open ones.
        """
        try:
            return self._calendar.start_of(self._calendar.period(partition_key))
        except ConfigurationError as error:
            keys = ", ".join(period.key for period in self._agenda.open_periods(self._clock.now()))
            raise InvalidPartitionKeyError(f"{error.message} Open periods: {keys or 'none'}.") from error

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """Return the moment itself: the period comes from the partition key, never from a date."""
        return DataInterval.exact(run_after)

    def generate_run_id(
        self, *, run_type: DagRunType, run_after: DateTime, data_interval: DataInterval | None, **extra: Any
    ) -> str:
        """Return an id that shows the period where it is known, and is new at every call."""
        parts = (run_after.isoformat(), extra.get("partition_key"), uuid4().hex[:8])
        return run_type.generate_run_id(suffix="__".join(part for part in parts if part))


def _run(moment: datetime.datetime, key: str) -> DagRunInfo:
    at = instance(moment)
    return DagRunInfo(run_after=at, data_interval=None, partition_date=at, partition_key=key)
