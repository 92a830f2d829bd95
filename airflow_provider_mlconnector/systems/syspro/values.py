# SPDX-License-Identifier: Apache-2.0
"""From SYSPRO's values to the datasets' own: dates, fiscal periods, flags and ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from airflow_provider_mlconnector.systems.canonical import Column

KEY_SEPARATOR = "/"


def days(texts: Column) -> Column:
    """Return the dates of a column of moments: the day as it is written, whatever zone is said beside it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    written = pc.utf8_slice_codeunits(texts, 0, 10)
    blank = pc.equal(written, pa.scalar(""))
    return pc.if_else(blank, pa.scalar(None, pa.string()), written).cast(pa.date32())


def day(text: str | None) -> date | None:
    """Return the date of one moment; None when there is none."""
    return date.fromisoformat(text[:10]) if text else None


def period_key(year: int | None, number: int | None) -> str | None:
    """Return the key of a fiscal period."""
    return f"FY{year:04d}-P{number:02d}" if year and number else None


def record_id(row: Mapping[str, Any], key: Sequence[str], *, company: str) -> str:
    """Return the company and the key of a row as one text."""
    return KEY_SEPARATOR.join((company, *(str(row[name]) for name in key if name in row and name != "Company")))


def on_hold(flag: str | None) -> str:
    """Return what a list says of a supplier or customer on hold."""
    return "On hold" if flag in ("Y", "1") else ""
