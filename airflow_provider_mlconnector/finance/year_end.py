# SPDX-License-Identifier: Apache-2.0
"""The last day of a year of weeks: a rule about a weekday and the end of a month."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from airflow_provider_mlconnector.finance.periods import MONTHS
from airflow_provider_mlconnector.finance.workdays import Weekday

_RULE = re.compile(r"(?P<which>last|nearest) (?P<weekday>\w+) (?:of|to (?:the )?end of) (?P<month>\w+)", re.IGNORECASE)
_WEEKDAYS = tuple(Weekday)


def month_end(year: int, month: int) -> date:
    """Return the last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


@dataclass(frozen=True, slots=True)
class YearEnd:
    """The last such weekday of a month, or the one nearest to its end, which may lie up to three days after it."""

    weekday: Weekday
    month: int
    nearest: bool

    def in_year(self, year: int) -> date:
        """Return the year end that belongs to the end of the month in a calendar year."""
        end = month_end(year, self.month)
        back = (end.weekday() - _WEEKDAYS.index(self.weekday)) % 7
        forward = 7 - back
        return end + timedelta(days=forward) if self.nearest and forward < back else end - timedelta(days=back)

    def __str__(self) -> str:
        weekday, month = self.weekday.capitalize(), MONTHS[self.month - 1]
        return f"nearest {weekday} to the end of {month}" if self.nearest else f"last {weekday} of {month}"


@cache
def year_end(text: str) -> YearEnd:
    """Read ``last Saturday of June`` or ``nearest Saturday to the end of January``.

    :raises ValueError: when it is neither.
    """
    rule = _RULE.fullmatch(text.strip())
    weekday, month = (rule["weekday"].lower(), rule["month"].capitalize()) if rule else ("", "")
    if rule is None or weekday not in _WEEKDAYS or month not in MONTHS:
        raise ValueError(
            f"'{text}' is not a year end; write 'last Saturday of June' or 'nearest Saturday to the end of June'"
        )
    return YearEnd(Weekday(weekday), MONTHS.index(month) + 1, rule["which"].lower() == "nearest")
