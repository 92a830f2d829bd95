# SPDX-License-Identifier: Apache-2.0
"""Rows that are at hand as a frame, for entity sets that are small enough to be made row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airflow_provider_mlconnector.sandbox.odata.filters import Column

Row: TypeAlias = Mapping[str, Any]
"""Field values of one entity: str, bool, int, Decimal, date, datetime or None, in the order of the wire."""


@dataclass(frozen=True, slots=True)
class RowFrame:
    """Rows of a table, and their places in it, by which a table of this size is paged."""

    rows: tuple[Row, ...]
    places: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> RowFrame:
        """Return all rows of a table."""
        whole = tuple(rows)
        return cls(whole, np.arange(len(whole)))

    def __len__(self) -> int:
        return len(self.rows)

    def keys(self) -> Column:
        """Return the places."""
        return self.places

    def take(self, which: NDArray[Any]) -> RowFrame:
        """Return the rows at these places, or where this mask is true."""
        chosen = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return RowFrame(tuple(self.rows[place] for place in chosen), self.places[chosen])

    def column(self, field: str) -> Column:
        """Return the values of a field."""
        values = [row[field] for row in self.rows]
        sample = values[0] if values else None
        if isinstance(sample, datetime):
            return np.array([value.replace(tzinfo=None) for value in values], "datetime64[us]")
        if isinstance(sample, date):
            return np.array(values, "datetime64[D]")
        column = np.empty(len(values), object)
        column[:] = values
        return column


def joined(frames: Sequence[RowFrame]) -> RowFrame:
    """Return the one frame that a table's rows come in, or an empty one."""
    return frames[0] if frames else RowFrame.of(())
