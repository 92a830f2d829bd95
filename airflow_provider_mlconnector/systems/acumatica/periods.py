# SPDX-License-Identifier: Apache-2.0
"""Periods of the master calendar: the dataset, and whether one may be posted to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.acumatica.company import Company, PostPeriod
from airflow_provider_mlconnector.systems.acumatica.entities import YEARS
from airflow_provider_mlconnector.systems.periods import LedgerPeriod, periods_batch
from airflow_provider_mlconnector.systems.port import PeriodStatus, Reading

if TYPE_CHECKING:
    import pyarrow as pa

_STATUS = {
    "Open": PeriodStatus.OPEN,
    "Closed": PeriodStatus.CLOSED,
    "Locked": PeriodStatus.CLOSED,
    "Inactive": PeriodStatus.CLOSED,
}


def read_periods(company: Company, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the ordinary periods; one for adjustments counts as the last of its year."""
    reading.resource = YEARS.name
    periods = (
        LedgerPeriod(
            key=_key(period),
            record_id=period.code,
            document=period.code,
            name=f"{period.name} {period.year}".strip(),
            start=period.start,
            end=period.end,
            closed=period.status in ("Closed", "Locked"),
            locked=period.status == "Locked",
        )
        for period in company.periods
        if not period.adjusting
    )
    yield periods_batch(periods, reading)


def period_status(company: Company, period: Period) -> PeriodStatus:
    """Say whether a period may be posted to; unknown where the master calendar does not have it."""
    found = next((one for one in company.periods if (one.year, one.number) == (period.year, period.number)), None)
    return _STATUS.get(found.status, PeriodStatus.UNKNOWN) if found else PeriodStatus.UNKNOWN


def _key(period: PostPeriod) -> str:
    return f"FY{period.year}-P{period.number:02d}"
