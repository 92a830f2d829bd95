# SPDX-License-Identifier: Apache-2.0
"""When a flow runs: the ticks of every open period.

A period is open from its first moment until its last close event has passed. While it is open it ticks every night, at
each of its close events, and, where the flow asks for it, every few minutes of the calendar's working hours. One that
ticks for several reasons at one moment ticks once.

Several periods may tick at one moment. Each tick therefore has a ``stamp`` of its own: the moment, and in the fraction
of its second the period, as ``02:00:00.202605`` for FY2026-P05. Stamps are unique, they grow, none is the start of a
period, and an edited calendar leaves the tick of the same period at the same moment its stamp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from operator import attrgetter

from pydantic import Field, field_validator

from airflow_provider_mlconnector.finance.calendar import Calendar
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.finance.time_words import ClockTime, Span, format_span
from airflow_provider_mlconnector.finance.yaml_models import Strict

_DAY = timedelta(days=1)
_LONGEST_CLOSE = timedelta(days=366)
"""No last close event is longer after its period: 31 workdays take 217 days where people work one day a week."""


class CloseEvent(Strict):
    """A moment after a period's end at which its books are loaded: the n-th workday at a time of day."""

    workday: int = Field(ge=1, le=31)
    at: ClockTime


class Schedule(Strict):
    """What makes a flow run; all of it may be left out, then it runs when somebody asks for it.

    :param nightly: time of day at which every open period is loaded, every day of the week.
    :param close: the close events of a period.
    :param every: span between two loads of every open period in the working hours of workdays.
    """

    nightly: ClockTime | None = None
    close: tuple[CloseEvent, ...] = ()
    every: Span | None = None

    @field_validator("every")
    @classmethod
    def _within_a_day(cls, span: timedelta | None) -> timedelta | None:
        if span is not None and span > _DAY:
            raise ValueError(f"'every' is at most one day, not {format_span(span)}")
        return span

    def __str__(self) -> str:
        """Return the schedule as a person says it."""
        parts = [f"nightly {self.nightly:%H:%M}"] if self.nightly else []
        parts += [f"workday {event.workday} at {event.at:%H:%M}" for event in self.close]
        parts += [f"every {format_span(self.every)} of the working hours"] if self.every else []
        return ", ".join(parts) or "on request"


@dataclass(frozen=True, slots=True)
class Tick:
    """A period's books are to be loaded; ``stamp`` tells the ticks of one moment apart (UTC)."""

    stamp: datetime
    period: Period


def stamp(moment: datetime, period: Period) -> datetime:
    """Return the stamp of a period's tick at a moment of whole minutes."""
    return moment + timedelta(microseconds=period.year * 100 + period.number)


@dataclass(frozen=True)
class Agenda:
    """A schedule on a calendar."""

    calendar: Calendar
    schedule: Schedule
    _closings: dict[Period, datetime] = field(default_factory=dict, init=False, repr=False, compare=False)

    def closing(self, period: Period) -> datetime:
        """Return the moment (UTC) of a period's last close event; without any, the end of the day after the period."""
        if period not in self._closings:
            events = [self._moment(period, event) for event in self.schedule.close]
            overnight = self.calendar.moment(period.end + 2 * _DAY, time())
            self._closings[period] = max(events, default=overnight)
        return self._closings[period]

    def open_periods(self, at: datetime, since: datetime | None = None) -> list[Period]:
        """Return the periods that are open at a moment, or were at some time since another one, the oldest first."""
        since = since or at
        days = self.calendar.day_of(since) - _LONGEST_CLOSE, self.calendar.day_of(at)
        begun = (period for period in self.calendar.periods_between(*days) if self.calendar.start_of(period) <= at)
        return [period for period in begun if self.closing(period) >= since]

    def closed_periods(self, at: datetime, since: datetime) -> list[Period]:
        """Return the periods that are closed at a moment and were not over at an earlier one, the oldest first."""
        ended = self.calendar.periods_between(self.calendar.day_of(since), self.calendar.day_of(at))
        return [period for period in ended if self.closing(period) < at]

    def ticks(self, after: datetime) -> Iterator[Tick]:
        """Yield all ticks with a stamp after a moment, in order, for as long as the calendar goes on."""
        if self.schedule == Schedule():
            return
        day = self.calendar.day_of(after)
        while ahead := self._near(day) or list(islice(self.calendar.periods_between(day, date.max), 1)):
            day = max(day, ahead[0].start)
            yield from (tick for tick in self._ticks_on(day) if tick.stamp > after)
            day += _DAY

    def last_tick(self, period: Period, after: datetime, until: datetime) -> Tick | None:
        """Return a period's last tick with a stamp after the one moment and not after the other, if there is any."""
        day = min(self.calendar.day_of(until), self.calendar.day_of(self.closing(period)))
        first = max(self.calendar.day_of(after), period.start)
        while day >= first:
            ticks = [tick for tick in self._ticks_on(day) if tick.period == period and after < tick.stamp <= until]
            if ticks:
                return ticks[-1]
            day -= _DAY
        return None

    def _near(self, day: date) -> list[Period]:
        """Return the periods that may be open on a day: those up to it with their last close event not before it."""
        recent = self.calendar.periods_between(day - _LONGEST_CLOSE, day)
        return [period for period in recent if self.calendar.day_of(self.closing(period)) >= day]

    def _is_open(self, period: Period, at: datetime) -> bool:
        return self.calendar.start_of(period) <= at <= self.closing(period)

    def _moment(self, period: Period, event: CloseEvent) -> datetime:
        return self.calendar.moment(self.calendar.workday(period, event.workday), event.at)

    def _ticks_on(self, day: date) -> list[Tick]:
        common = self._common_moments(day)
        ticks = (
            Tick(stamp(moment, period), period)
            for period in self._near(day)
            for moment in {*common, *self._events_on(day, period)}
            if self._is_open(period, moment)
        )
        return sorted(ticks, key=attrgetter("stamp"))

    def _common_moments(self, day: date) -> set[datetime]:
        """Return the moments of a day at which every open period ticks."""
        moments = {self.calendar.moment(day, self.schedule.nightly)} if self.schedule.nightly else set()
        if self.schedule.every and self.calendar.workdays.is_workday(day):
            moment = self.calendar.moment(day, self.calendar.hours.start)
            end = self.calendar.moment(day, self.calendar.hours.end)
            while moment <= end:
                moments.add(moment)
                moment += self.schedule.every
        return moments

    def _events_on(self, day: date, period: Period) -> set[datetime]:
        moments = (self._moment(period, event) for event in self.schedule.close)
        return {moment for moment in moments if self.calendar.day_of(moment) == day}
