# SPDX-License-Identifier: Apache-2.0
"""Fiscal periods, by the company's database; without one nothing is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import KeyOf, canonical_batch
from airflow_provider_mlconnector.systems.dynamics_gp.tables import GpTables
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, PeriodStatus, Reading

if TYPE_CHECKING:
    import pyarrow as pa


def read_periods(tables: GpTables | None, reading: Reading, key_of: KeyOf) -> Iterator[pa.RecordBatch]:
    """Yield the fiscal periods; one that begins before or after our calendar is left out and reported."""
    reading.resource = "SY40100"
    rows = [(row, key_of(row.start)) for row in (tables.fiscal_periods() if tables else [])]
    for row, key in rows:
        if key is None:
            detail = "no period of the calendar has this day"
            reading.findings.append(Finding(FindingKind.ROW_INVALID, str(row.start), detail))
    kept = [(row, key) for row, key in rows if key is not None]
    names = [f"{row.year}-{row.number}" for row, _ in kept]
    columns = {
        "record_id": names,
        "document": names,
        "period": [key for _, key in kept],
        "name": names,
        "start": [row.start for row, _ in kept],
        "end": [row.end for row, _ in kept],
        "closed": [row.closed for row, _ in kept],
        "locked": [row.closed for row, _ in kept],
    }
    yield canonical_batch(Dataset.PERIODS, columns)


def period_status(tables: GpTables | None, period: Period) -> PeriodStatus:
    """Say whether a period may be posted into."""
    found = tables.fiscal_period(period) if tables else None
    if found is None:
        return PeriodStatus.UNKNOWN
    return PeriodStatus.CLOSED if found.closed else PeriodStatus.OPEN
