# SPDX-License-Identifier: Apache-2.0
"""The fiscal period: the unit in which books are closed, loaded and backfilled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from airflow_provider_mlconnector.errors import ConfigurationError

_KEY = re.compile(r"FY(\d{4})-P(\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One fiscal period; ``start`` and ``end`` are both days of it."""

    year: int
    number: int
    start: date
    end: date

    @property
    def key(self) -> str:
        """Return the partition key, such as ``FY2026-P05``."""
        return f"FY{self.year:04d}-P{self.number:02d}"

    def contains(self, day: date) -> bool:
        """Say whether a day lies in the period."""
        return self.start <= day <= self.end


def parse_key(key: str) -> tuple[int, int]:
    """Return fiscal year and period number of a key.

    :raises ConfigurationError: when it is not written like ``FY2026-P05``.
    """
    match = _KEY.fullmatch(key.strip())
    if match is None:
        raise ConfigurationError(f"'{key}' is not a period key.", hint="Write it like FY2026-P05.")
    return int(match[1]), int(match[2])


_TOKEN = re.compile(r"'((?:[^']|'')*)'|YYYY|YY|PP|P|yyyy|yy|MMMM|MMM|MM|M|[^A-Za-z']+|(.)")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""English names of the months, whatever the machine's locale."""


def format_period(period: Period, pattern: str) -> str:
    """Name a period as the model does, such as ``Nov 25`` by ``MMM yy`` or ``FY26 P05`` by ``'FY'YY 'P'PP``.

    ``yyyy yy MMMM MMM MM M`` are year and month of the middle day of the period, so that a period of weeks which begins
    on 29 June is July; ``YYYY YY`` are the fiscal year, ``PP P`` the period number. Text stands in single quotes, a
    quote is doubled; month names are English.

    :raises ConfigurationError: when the pattern holds another letter.
    """
    middle = period.start + (period.end - period.start) // 2
    month = MONTHS[middle.month - 1]
    values = {
        "yyyy": f"{middle.year:04d}",
        "yy": f"{middle.year % 100:02d}",
        "MMMM": month,
        "MMM": month[:3],
        "MM": f"{middle.month:02d}",
        "M": str(middle.month),
        "YYYY": f"{period.year:04d}",
        "YY": f"{period.year % 100:02d}",
        "PP": f"{period.number:02d}",
        "P": str(period.number),
    }
    return "".join(_token(match, values, pattern) for match in _TOKEN.finditer(pattern))


def _token(match: re.Match[str], values: Mapping[str, str], pattern: str) -> str:
    quoted, unknown = match[1], match[2]
    if unknown is not None:
        raise ConfigurationError(
            f"'{pattern}' is not a pattern for period names: '{unknown}' means nothing.",
            hint="Use yyyy yy MMMM MMM MM M YYYY YY PP P, and put text into single quotes.",
        )
    if quoted is not None:
        return quoted.replace("''", "'") or "'"
    return values.get(match[0], match[0])
