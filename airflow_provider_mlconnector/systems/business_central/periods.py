# SPDX-License-Identifier: Apache-2.0
"""Accounting periods: the dataset, and whether a fiscal period of the calendar is open in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import RemoteError
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.business_central.answers import is_not_answered
from airflow_provider_mlconnector.systems.business_central.api import BusinessCentralApi
from airflow_provider_mlconnector.systems.business_central.names import BLANK_DATE, touched
from airflow_provider_mlconnector.systems.business_central.resources import LEDGER_SETUP, PERIODS, Resource
from airflow_provider_mlconnector.systems.canonical import KeyOf
from airflow_provider_mlconnector.systems.periods import LedgerPeriod, periods_batch
from airflow_provider_mlconnector.systems.port import PeriodStatus, Reading

if TYPE_CHECKING:
    import pyarrow as pa


def read_periods(api: BusinessCentralApi, reading: Reading, key_of: KeyOf) -> Iterator[pa.RecordBatch]:
    """Yield the accounting periods; one ends on the day before the next begins, and the last one's end is unknown.

    A period that begins before or after our calendar is left out and reported.
    """
    reading.resource = PERIODS.title
    rows = [row for batch in api.rows(PERIODS, reading.findings) for row in batch.to_pylist()]
    found = sorted(rows, key=lambda row: row["startingDate"])
    ends = [_day_before(later["startingDate"]) for _, later in pairwise(found)] + [None] * bool(found)
    periods = (
        LedgerPeriod(
            key=key_of(row["startingDate"]),
            record_id=row["id"],
            document=row["name"],
            name=row["name"],
            start=row["startingDate"],
            end=end,
            closed=row["closed"],
            locked=row["dateLocked"],
            modified_at=touched(row["lastModifiedDateTime"]),
        )
        for row, end in zip(found, ends, strict=True)
    )
    yield periods_batch(periods, reading)


@dataclass(frozen=True, slots=True)
class PostingDays:
    """On which days the company may be posted into, as far as the server tells.

    :param windows: first and last day of the posting window, ``BLANK_DATE`` where it is open.
    :param periods: first day of each accounting period, and whether it is closed, in order of time.
    """

    windows: tuple[tuple[date, date], ...]
    periods: tuple[tuple[date, bool], ...]

    def refusal(self, day: date) -> str:
        """Return why nothing can be posted on a day; "" when it can."""
        for first, last in self.windows:
            if day < first or (last != BLANK_DATE and day > last):
                return f"posting is allowed {_between(first, last)} only (General Ledger Setup)"
        begun = [(start, closed) for start, closed in self.periods if start <= day]
        if self.periods and not begun:
            return f"the first accounting period begins on {self.periods[0][0]}"
        if begun and begun[-1][1]:
            return f"the accounting period that begins on {begun[-1][0]} is closed"
        return ""


def posting_days(api: BusinessCentralApi) -> PostingDays:
    """Ask for the posting window and the accounting periods."""
    return PostingDays(
        windows=tuple(_window(row) for row in _offered_rows(api, LEDGER_SETUP)),
        periods=tuple((row["startingDate"], row["closed"]) for row in _accounting_periods(api)),
    )


def period_status(api: BusinessCentralApi, period: Period) -> PeriodStatus:
    """Say whether a period may be posted into.

    It is closed when its accounting period is, or when no day of it lies in the posting window of the General Ledger
    Setup; unknown when the server tells neither.
    """
    begun = [row for row in _accounting_periods(api) if row["startingDate"] <= period.start]
    window = _offered_rows(api, LEDGER_SETUP)
    if (begun and begun[-1]["closed"]) or not all(_meets(row, period) for row in window):
        return PeriodStatus.CLOSED
    return PeriodStatus.OPEN if begun and window else PeriodStatus.UNKNOWN


def _meets(setup: dict[str, Any], period: Period) -> bool:
    """Say whether the posting window has a day of the period; a blank end leaves it open on that side."""
    first, last = _window(setup)
    return bool(first <= period.end and (last == BLANK_DATE or last >= period.start))


def _window(setup: dict[str, Any]) -> tuple[date, date]:
    return setup["allowPostingFrom"] or BLANK_DATE, setup["allowPostingTo"] or BLANK_DATE


def _between(first: date, last: date) -> str:
    if BLANK_DATE not in (first, last):
        return f"from {first} to {last}"
    return f"up to {last}" if first == BLANK_DATE else f"from {first}"


def _accounting_periods(api: BusinessCentralApi) -> list[dict[str, Any]]:
    return sorted(_offered_rows(api, PERIODS), key=lambda row: row["startingDate"])


def _offered_rows(api: BusinessCentralApi, resource: Resource) -> list[dict[str, Any]]:
    """Return the rows of a resource, none where the server does not offer it."""
    try:
        return [row for batch in api.rows(resource, []) for row in batch.to_pylist()]
    except RemoteError as exc:
        if is_not_answered(exc):
            return []
        raise


def _day_before(day: date) -> date:
    return day - timedelta(days=1)
