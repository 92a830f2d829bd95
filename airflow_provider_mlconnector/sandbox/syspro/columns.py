# SPDX-License-Identifier: Apache-2.0
"""The columns of SYSPRO's tables, and how their values are written as OData v4 JSON."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from airflow_provider_mlconnector.sandbox.odata.csdl import Edm

Row: TypeAlias = Mapping[str, Any]
"""Values by column: str without padding, int, Decimal, datetime; the row version as an int."""

TIME_STAMP = "TimeStamp"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_LETTERS = {"c": Edm.TEXT, "v": Edm.TEXT, "m": Edm.DECIMAL, "d": Edm.TIME}


@dataclass(frozen=True, slots=True)
class Column:
    """A column; ``width`` is that of a code, which SQL keeps as char and so with blanks up to it."""

    name: str
    type: Edm
    width: int = 0

    def written(self, value: Any, *, padded: bool) -> Any:
        """Return a value as JSON holds it: codes padded, local times as if they were UTC, versions in base64."""
        match value:
            case str() if padded:
                return value.ljust(self.width)
            case datetime():
                return value.strftime("%Y-%m-%dT%H:%M:%SZ")
            case int() if self.type is Edm.BINARY:
                return base64.b64encode(value.to_bytes(8, "big")).decode()
            case Decimal():
                return value if value.as_tuple().exponent else int(value)
            case _:
                return value


def columns_of(text: str) -> tuple[Column, ...]:
    """Read ``Name:c15`` words: char and varchar with their width, m for a number, d for a date; add the row version."""
    words = (word.partition(":") for word in text.split())
    own = tuple(Column(name, _LETTERS[kind[0]], int(kind[1:]) if kind[0] == "c" else 0) for name, _, kind in words)
    return (*own, Column(TIME_STAMP, Edm.BINARY))


def midnight(day: date) -> datetime:
    """Return a day as SQL keeps it in a datetime column."""
    return datetime.combine(day, datetime.min.time())


def version_of(stamp: int) -> int:
    """Return the row version for a stamp of the books in milliseconds; rows that were never touched have the first."""
    return max(stamp, 1)


def encode_rows(rows: Iterable[Row], columns: Iterable[Column], *, padded: bool) -> bytes:
    """Return rows as JSON objects of these columns, separated by commas."""
    chosen = tuple(columns)
    return b",".join(
        _ENCODER.encode({one.name: one.written(row[one.name], padded=padded) for one in chosen}) for row in rows
    )
