# SPDX-License-Identifier: Apache-2.0
"""Close calendars: which days make a fiscal period, and on which of them people work.

A fiscal year is named by the calendar year in which it ends (``FY2026`` is July 2025 to June 2026) unless the calendar
says ``year_name: start``. A year of weeks has 52 or 53 of them, as its end rule decides; the month end that the rule
looks at names the year, even where the last days fall into the next month.

A calendar is an immutable value that travels as JSON (:meth:`Calendar.to_json`, :func:`calendar_from_json`), so that
the scheduler needs no file.
"""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, TypeAdapter, field_validator, model_validator

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.finance.periods import Period, parse_key
from airflow_provider_mlconnector.finance.time_words import ClockTime
from airflow_provider_mlconnector.finance.workdays import Workdays
from airflow_provider_mlconnector.finance.yaml_models import Strict, read_model
from airflow_provider_mlconnector.finance.year_end import month_end, year_end

_DAY = timedelta(days=1)
FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Fiscal years that a calendar by rule knows."""


class YearName(StrEnum):
    """Which calendar year names a fiscal year: that of its end, or that of its start."""

    END = "end"
    START = "start"


class Hours(Strict):
    """The hours of a workday in which ``every`` ticks, both ends included, on the calendar's own clock."""

    start: ClockTime = time(8)
    end: ClockTime = time(18)

    @model_validator(mode="after")
    def _in_order(self) -> Hours:
        if self.start >= self.end:
            raise ValueError(f"the hours end at {self.end:%H:%M}, before they start at {self.start:%H:%M}")
        return self


class Calendar(Strict):
    """What all calendars have in common; a kind of calendar says only how its years are cut into periods.

    :param calendar: its name, for people.
    :param kind: how years are cut into periods.
    :param timezone: IANA name of the zone in which its days begin and its clock is read.
    """

    calendar: str = Field(min_length=1)
    kind: str
    timezone: str = "UTC"
    workdays: Workdays = Workdays()
    hours: Hours = Hours()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"'{name}' is not an IANA time zone such as Europe/London") from None
        return name

    @abstractmethod
    def years(self, first: int, last: int) -> Iterable[int]:
        """Return the fiscal years that the calendar knows within two years, both included, in order."""

    @abstractmethod
    def year(self, year: int) -> tuple[Period, ...]:
        """Return the periods of a fiscal year in order; they cover it without a gap.

        :raises ConfigurationError: when the calendar does not know the year.
        """

    def period(self, key: str) -> Period:
        """Return the period of a key such as ``FY2026-P05``.

        :raises ConfigurationError: when it is no key, or the calendar has no such period.
        """
        year, number = parse_key(key)
        periods = self.year(year)
        if not 1 <= number <= len(periods):
            raise ConfigurationError(
                f"{key} is not a period of '{self.calendar}'.",
                hint=f"FY{year} has the periods {periods[0].key} to {periods[-1].key}.",
            )
        return periods[number - 1]

    def period_of(self, day: date) -> Period:
        """Return the one period that a day belongs to.

        :raises ConfigurationError: when the calendar does not reach that far.
        """
        found = next(self.periods_between(day, day), None)
        if found is None:
            raise ConfigurationError(f"the calendar '{self.calendar}' has no period for {day}.")
        return found

    def periods_between(self, first: date, last: date) -> Iterator[Period]:
        """Yield every period that has a day from ``first`` to ``last``, both included, in order."""
        for year in self.years(first.year - 1, last.year + 1):
            yield from (period for period in self.year(year) if period.start <= last and period.end >= first)

    def workday(self, period: Period, number: int) -> date:
        """Return the n-th workday after a period's end; the first one is 1."""
        return self.workdays.after(period.end, number)

    def moment(self, day: date, clock: time) -> datetime:
        """Return the instant (UTC) at which the calendar's clock shows a time on a day.

        A time that the clock skips in spring is as much later as the clock is put forward; of one that it shows twice
        in autumn the first counts.
        """
        return datetime.combine(day, clock, ZoneInfo(self.timezone)).astimezone(UTC)

    def start_of(self, period: Period) -> datetime:
        """Return the instant (UTC) at which a period begins."""
        return self.moment(period.start, time())

    def day_of(self, at: datetime) -> date:
        """Return the day that the calendar's clock shows at an instant."""
        return at.astimezone(ZoneInfo(self.timezone)).date()

    def to_json(self) -> dict[str, Any]:
        """Return the calendar as plain JSON, defaults written out."""
        return self.model_dump(mode="json")

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that the calendar says but its name."""
        content = self.model_dump(mode="json", exclude={"calendar"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class RuledCalendar(Calendar):
    """A calendar whose years follow from a rule, so that it has no end."""

    year_name: YearName = YearName.END

    def years(self, first: int, last: int) -> Iterable[int]:
        """Return every year: the rule knows them all."""
        return range(max(first, FIRST_YEAR), min(last, LAST_YEAR) + 1)

    def year(self, year: int) -> tuple[Period, ...]:
        """Return the periods of a fiscal year in order."""
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ConfigurationError(f"FY{year:04d} is not a fiscal year.", hint="Write the year with four digits.")
        starts, end = self._cut(year)
        return _periods(year, starts, end)

    @abstractmethod
    def _cut(self, year: int) -> tuple[tuple[date, ...], date]:
        """Return the first days of a year's periods and the last day of the year."""


def _periods(year: int, starts: tuple[date, ...], end: date) -> tuple[Period, ...]:
    bounds = pairwise((*starts, end + _DAY))
    return tuple(Period(year, number, start, after - _DAY) for number, (start, after) in enumerate(bounds, 1))


class MonthlyCalendar(RuledCalendar):
    """Twelve calendar months, beginning with any."""

    kind: Literal["monthly"] = "monthly"
    first_month: int = Field(default=1, ge=1, le=12)

    def _cut(self, year: int) -> tuple[tuple[date, ...], date]:
        opening = year - (self.year_name is YearName.END and self.first_month > 1)
        months = [opening * 12 + self.first_month - 1 + offset for offset in range(12)]
        starts = tuple(date(month // 12, month % 12 + 1, 1) for month in months)
        return starts, month_end(starts[-1].year, starts[-1].month)


_WEEKS: dict[str, tuple[int, ...]] = {
    "4-4-5": (4, 4, 5) * 4,
    "4-5-4": (4, 5, 4) * 4,
    "5-4-4": (5, 4, 4) * 4,
    "13x4": (4,) * 13,
}


class WeekCalendar(RuledCalendar):
    """Periods of whole weeks: quarters of 4-4-5 weeks or a variant, or 13 periods of 4 weeks.

    :param year_end: ``last Saturday of June`` or ``nearest Saturday to the end of June``, with any weekday and month.
    :param week_53: number of the period that takes the week of a long year; the last one unless said otherwise.
    """

    kind: Literal["4-4-5", "4-5-4", "5-4-4", "13x4"]
    year_end: str
    week_53: int | None = Field(default=None, ge=1)

    @field_validator("year_end")
    @classmethod
    def _known_rule(cls, text: str) -> str:
        return str(year_end(text))

    @model_validator(mode="after")
    def _week_53_has_a_place(self) -> WeekCalendar:
        periods = len(_WEEKS[self.kind])
        if self.week_53 is not None and self.week_53 > periods:
            raise ValueError(f"week_53 is period {self.week_53}, but a year of {self.kind} has {periods}")
        return self

    def _cut(self, year: int) -> tuple[tuple[date, ...], date]:
        rule = year_end(self.year_end)
        ends_in = year + (self.year_name is YearName.START and rule.month < 12)
        start, end = rule.in_year(ends_in - 1) + _DAY, rule.in_year(ends_in)
        weeks = list(_WEEKS[self.kind])
        weeks[(self.week_53 or len(weeks)) - 1] += (end - start).days // 7 + 1 - 52
        begins = accumulate(weeks[:-1], initial=0)
        return tuple(start + timedelta(weeks=begin) for begin in begins), end


class ListedYear(Strict):
    """One year of a calendar that follows no rule: the first day of each period, and the last day of the year."""

    year: int = Field(ge=FIRST_YEAR, le=LAST_YEAR)
    starts: tuple[date, ...] = Field(min_length=1, max_length=99)
    end: date

    @model_validator(mode="after")
    def _in_order(self) -> ListedYear:
        for before, after in pairwise((*self.starts, self.end + _DAY)):
            if before >= after:
                raise ValueError(f"the days of FY{self.year} are not in order: {after} follows {before}")
        return self


class ListedCalendar(Calendar):
    """Years as somebody decided them, one after the other without a gap."""

    kind: Literal["explicit"]
    fiscal_years: tuple[ListedYear, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _without_a_gap(self) -> ListedCalendar:
        for before, after in pairwise(self.fiscal_years):
            if after.year != before.year + 1 or after.starts[0] != before.end + _DAY:
                raise ValueError(
                    f"FY{before.year + 1} has to follow FY{before.year} on {before.end + _DAY}, "
                    f"but FY{after.year} from {after.starts[0]} follows"
                )
        return self

    def years(self, first: int, last: int) -> Iterable[int]:
        """Return the listed years, wherever their days lie: a listed year may be named as somebody likes."""
        return (listed.year for listed in self.fiscal_years)

    def year(self, year: int) -> tuple[Period, ...]:
        """Return the periods of a fiscal year in order."""
        for listed in self.fiscal_years:
            if listed.year == year:
                return _periods(year, listed.starts, listed.end)
        first, last = self.fiscal_years[0].year, self.fiscal_years[-1].year
        raise ConfigurationError(
            f"the calendar '{self.calendar}' does not list FY{year:04d}.",
            hint=f"It lists FY{first} to FY{last}; add the year to its file.",
        )


AnyCalendar = Annotated[MonthlyCalendar | WeekCalendar | ListedCalendar, Field(discriminator="kind")]
CALENDAR: TypeAdapter[MonthlyCalendar | WeekCalendar | ListedCalendar] = TypeAdapter(AnyCalendar)
"""Reads any kind of calendar; ``kind`` says which."""


def calendar_from_json(data: object) -> Calendar:
    """Return the calendar that :meth:`Calendar.to_json` wrote.

    :raises pydantic.ValidationError: when it is none.
    """
    return CALENDAR.validate_python(data)


def load_calendar(path: Path) -> Calendar:
    """Read a calendar file.

    :raises FlowError: with file and line of every mistake.
    """
    return read_model(path, CALENDAR)[0]
