# SPDX-License-Identifier: Apache-2.0
"""The fiscal periods that a ledger keeps, as every ledger's are handed on: by the periods of our calendar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.systems.canonical import canonical_batch
from airflow_provider_mlconnector.systems.port import Finding, FindingKind, Reading

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPeriod:
    """A period as its ledger keeps it.

    :param key: of the period of our calendar that it is; None where the calendar has no such day.
    :param start: None where the ledger does not tell it, and so with ``end``.
    :param locked: whether it is shut to some only, or for good, as the ledger means it.
    """

    key: str | None
    record_id: str
    document: str
    name: str
    start: date | None
    end: date | None
    closed: bool
    locked: bool
    modified_at: datetime | None = None


def periods_batch(periods: Iterable[LedgerPeriod], reading: Reading) -> pa.RecordBatch:
    """Return the periods; one that our calendar does not know is left out and reported."""
    kept = []
    for period in periods:
        if period.key is None:
            detail = f"no period of the calendar has its first day ({period.document})"
            reading.findings.append(Finding(FindingKind.ROW_INVALID, str(period.start), detail))
        else:
            kept.append(period)
    columns = {
        "record_id": [period.record_id for period in kept],
        "document": [period.document for period in kept],
        "modified_at": [period.modified_at for period in kept],
        "period": [period.key for period in kept],
        "name": [period.name for period in kept],
        "start": [period.start for period in kept],
        "end": [period.end for period in kept],
        "closed": [period.closed for period in kept],
        "locked": [period.locked for period in kept],
    }
    return canonical_batch(Dataset.PERIODS, columns)
