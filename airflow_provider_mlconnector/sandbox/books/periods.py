# SPDX-License-Identifier: Apache-2.0
"""Larkfield's fiscal calendar: months, the year beginning in July and named after the calendar year it ends in."""

from __future__ import annotations

import calendar
from datetime import date

from airflow_provider_mlconnector.finance.periods import Period, parse_key

FIRST_MONTH = 7
FIRST_KEY = "FY2026-P01"
CURRENT_KEY = "FY2027-P05"
LAST_KEY = "FY2027-P12"

TODAY = date(2026, 11, 20)
"""The day on which the books are looked at; nothing is posted on it yet."""

OPENING_DAY = date(2025, 6, 30)
"""Balances brought forward are posted on this day, the last before the first period."""


def period_of(day: date) -> Period:
    """Return the fiscal period of a day."""
    year = day.year + (day.month >= FIRST_MONTH)
    number = (day.month - FIRST_MONTH) % 12 + 1
    last = calendar.monthrange(day.year, day.month)[1]
    return Period(year, number, day.replace(day=1), day.replace(day=last))


def period_of_key(key: str) -> Period:
    """Return the period of a key such as ``FY2027-P05``.

    :raises ConfigurationError: when it is not written like one.
    :raises ValueError: when there is no such period in a year of twelve.
    """
    year, number = parse_key(key)
    if not 1 <= number <= 12:
        raise ValueError(f"{key}: a year has twelve periods")
    month = (FIRST_MONTH - 1 + number - 1) % 12 + 1
    return period_of(date(year - (month >= FIRST_MONTH), month, 1))


def next_period(period: Period) -> Period:
    """Return the period after this one."""
    return period_of(date.fromordinal(period.end.toordinal() + 1))


def periods_between(first_key: str, last_key: str) -> tuple[Period, ...]:
    """Return all periods from one to another, both included."""
    periods = [period_of_key(first_key)]
    last = period_of_key(last_key)
    while periods[-1] < last:
        periods.append(next_period(periods[-1]))
    return tuple(periods)
