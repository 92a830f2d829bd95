# SPDX-License-Identifier: Apache-2.0
"""How Business Central writes things: encoded names of enum members, filters, blank dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow_provider_mlconnector.finance.periods import Period
from airflow_provider_mlconnector.systems.canonical import Column

BLANK_DATE = date.min
"""``0001-01-01``, and at midnight UTC: what the service writes where there is no date or stamp."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_ENCODED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def decode_name(text: str) -> str:
    """Return the name of an enum member: ``Begin_x002D_Total`` is ``Begin-Total``, ``_x0020_`` is blank ("")."""
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), text).strip()


def decode_names(texts: Column) -> Column:
    """Decode a column of enum members, each distinct one once."""
    import pyarrow as pa

    encoded = texts.dictionary_encode()
    names = [decode_name(str(name)) for name in encoded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(encoded.indices)


def stamps(times: Column) -> Column:
    """Return modified stamps with the blank ones null: rows that were never touched since an upgrade carry none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    blank = pa.scalar(_NEVER, times.type)
    return pc.if_else(pc.equal(times, blank), pa.scalar(None, times.type), times)


def touched(moment: datetime) -> datetime | None:
    """Return a modified stamp, None for a blank one."""
    return None if moment == _NEVER else moment


def posted_within(period: Period) -> str:
    """Return the filter of a period's entries.

    Closing entries of a year carry a closing date. The API shows it as a plain day and does not mark it, but sorts it
    after that day and before the next, so that a filter by the days of a period leaves them out.
    """
    return f"postingDate ge {period.start} and postingDate le {period.end}"


def closed_by(period: Period) -> str:
    """Return the filter of the closing entries of a year that ends with the period.

    There is nothing else after its last day and before the next. Closing dates are allowed on a year's last day alone.
    """
    return f"postingDate gt {period.end} and postingDate lt {period.end + timedelta(days=1)}"


def of_records(ids: Iterable[str]) -> str:
    """Return the filter of the records with these ids; conditions may be joined by ``or`` on one field only."""
    return f"({' or '.join(f'id eq {record}' for record in ids)})"


def modified_since(moment: datetime) -> str:
    """Return the filter of rows modified at or after a moment, down to the millisecond that the service keeps."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"lastModifiedDateTime ge {text.replace('+00:00', 'Z')}"


def head(rows: Sequence[Mapping[str, Any]], *, document: str) -> dict[str, Any]:
    """Return the columns that every dataset begins with, of rows that have ``id`` and ``lastModifiedDateTime``."""
    import pyarrow as pa

    times = pa.array([row["lastModifiedDateTime"] for row in rows], pa.timestamp("us", tz="UTC"))
    return {
        "record_id": [row["id"] for row in rows],
        "document": [row[document] for row in rows],
        "modified_at": stamps(times),
    }
