# SPDX-License-Identifier: Apache-2.0
"""Periods of the master calendar: the dataset, and whether one may be posted to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.acumatica.company import Company, PostPeriod
from airflow_provider_mlconnector.systems.acumatica.entities import YEARS
from airflow_provider_mlconnector.systems.canonical import canonical_batch
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
    ordinary = [period for period in company.periods if not period.adjusting]
    columns = {
        "record_id": [period.code for period in ordinary],
        "document": [period.code for period in ordinary],
        "period": [_key(period) for period in ordinary],
        "name": [f"{period.name} {period.year}".strip() for period in ordinary],
        "start": [period.start for period in ordinary],
        "end": [period.end for period in ordinary],
        "closed": [period.status in ("Closed", "Locked") for period in ordinary],
        "locked": [period.status == "Locked" for period in ordinary],
    }
    yield canonical_batch(Dataset.PERIODS, columns)


def period_status(company: Company, period: Period) -> PeriodStatus:
    """Say whether a period may be posted to; unknown where the master calendar does not have it."""
    found = next((one for one in company.periods if (one.year, one.number) == (period.year, period.number)), None)
    return _STATUS.get(found.status, PeriodStatus.UNKNOWN) if found else PeriodStatus.UNKNOWN


def _key(period: PostPeriod) -> str:
    return f"FY{period.year}-P{period.number:02d}"
