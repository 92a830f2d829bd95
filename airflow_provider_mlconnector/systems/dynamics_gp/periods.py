# SPDX-License-Identifier: Apache-2.0
"""Fiscal periods, by the company's database; without one nothing is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import KeyOf
from airflow_provider_mlconnector.systems.dynamics_gp.tables import GpTables
from airflow_provider_mlconnector.systems.periods import LedgerPeriod, periods_batch
from airflow_provider_mlconnector.systems.port import PeriodStatus, Reading

if TYPE_CHECKING:
    import pyarrow as pa


def read_periods(tables: GpTables, reading: Reading, key_of: KeyOf) -> Iterator[pa.RecordBatch]:
    """Yield the fiscal periods; one that begins before or after our calendar is left out and reported."""
    reading.resource = "SY40100"
    periods = (
        LedgerPeriod(
            key=key_of(row.start),
            record_id=f"{row.year}-{row.number}",
            document=f"{row.year}-{row.number}",
            name=f"{row.year}-{row.number}",
            start=row.start,
            end=row.end,
            closed=row.closed,
            locked=row.closed,
        )
        for row in tables.fiscal_periods()
    )
    yield periods_batch(periods, reading)


def period_status(tables: GpTables | None, period: Period) -> PeriodStatus:
    """Say whether a period may be posted into."""
    found = tables.fiscal_period(period) if tables else None
    if found is None:
        return PeriodStatus.UNKNOWN
    return PeriodStatus.CLOSED if found.closed else PeriodStatus.OPEN
