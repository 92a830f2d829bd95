# SPDX-License-Identifier: Apache-2.0
"""The fiscal calendars of the companies: months from July for most, weeks for the one that is there to trouble.

Both name a year after the calendar year in which it ends, and have twelve periods.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from itertools import accumulate
from typing import Protocol

from airflow_provider_mlconnector.finance.periods import Period, parse_key

FIRST_MONTH = 7
FIRST_KEY = "FY2026-P01"
CURRENT_KEY = "FY2027-P05"
LAST_KEY = "FY2027-P12"
PERIODS = 12
ADJUSTING = 13
"""Number of the period after the last one of a year, where a calendar has one."""

TODAY = date(2026, 11, 20)
"""The day on which the books are looked at; nothing is posted on it yet."""

OPENING_DAY = date(2025, 6, 30)
"""Balances brought forward are posted on this day, the last before the first period."""


class Fiscal(Protocol):
    """How years are cut into periods; ``last_number`` is that of a year's last one, adjusting or not."""

    last_number: int

    def period_of(self, day: date) -> Period:
        """Return the fiscal period of a day."""

    def period_of_key(self, key: str) -> Period:
        """Return the period of a key such as ``FY2027-P05``.

        :raises ConfigurationError: when it is not written like one.
        :raises ValueError: when there is no such period.
        """


class MonthsFromJuly:
    """Calendar months, the year beginning in July."""

    last_number = PERIODS

    def period_of(self, day: date) -> Period:
        """Return the fiscal period of a day."""
        year = day.year + (day.month >= FIRST_MONTH)
        number = (day.month - FIRST_MONTH) % PERIODS + 1
        last = calendar.monthrange(day.year, day.month)[1]
        return Period(year, number, day.replace(day=1), day.replace(day=last))

    def period_of_key(self, key: str) -> Period:
        """Return the period of a key."""
        year, number = parse_key(key)
        if not 1 <= number <= PERIODS:
            raise ValueError(f"{key}: a year has twelve periods")
        month = (FIRST_MONTH - 1 + number - 1) % PERIODS + 1
        return self.period_of(date(year - (month >= FIRST_MONTH), month, 1))


class WeeksToJuly:
    """Quarters of 4, 4 and 5 weeks, the year ending on the last Friday of July: 52 weeks, or 53 as FY2026 has.

    The 53rd week belongs to the twelfth period. A thirteenth is the last day of the year once more, for adjustments.
    """

    last_number = ADJUSTING
    _WEEKS = (4, 4, 5) * 4

    def period_of(self, day: date) -> Period:
        """Return the fiscal period of a day, which is never the adjusting one."""
        year = day.year + (day > _last_friday_of_july(day.year))
        return next(period for period in self._year(year) if period.contains(day))

    def period_of_key(self, key: str) -> Period:
        """Return the period of a key."""
        year, number = parse_key(key)
        if not 1 <= number <= ADJUSTING:
            raise ValueError(f"{key}: a year has twelve periods and one for adjustments")
        if number == ADJUSTING:
            last = _last_friday_of_july(year)
            return Period(year, ADJUSTING, last, last)
        return self._year(year)[number - 1]

    def _year(self, year: int) -> list[Period]:
        first, last = _last_friday_of_july(year - 1) + timedelta(days=1), _last_friday_of_july(year)
        begins = [first + timedelta(weeks=weeks) for weeks in accumulate(self._WEEKS[:-1], initial=0)]
        ends = [begin - timedelta(days=1) for begin in begins[1:]] + [last]
        return [Period(year, number, *days) for number, days in enumerate(zip(begins, ends, strict=True), start=1)]


def _last_friday_of_july(year: int) -> date:
    last = date(year, 7, 31)
    return last - timedelta(days=(last.weekday() - calendar.FRIDAY) % 7)


MONTHS_FROM_JULY = MonthsFromJuly()
WEEKS_TO_JULY = WeeksToJuly()


def periods_between(first_key: str, last_key: str, fiscal: Fiscal = MONTHS_FROM_JULY) -> tuple[Period, ...]:
    """Return all periods from one to another, both included, without those for adjustments."""
    periods = [fiscal.period_of_key(first_key)]
    last = fiscal.period_of_key(last_key)
    while periods[-1] < last:
        periods.append(fiscal.period_of(periods[-1].end + timedelta(days=1)))
    return tuple(periods)


def packed(period: Period) -> int:
    """Return a period as one number, in order of time."""
    return period.year * 100 + period.number


def packed_key(number: int) -> str:
    """Return the key of a packed period."""
    return f"FY{number // 100:04d}-P{number % 100:02d}"
