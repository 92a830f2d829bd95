# SPDX-License-Identifier: Apache-2.0
"""From decoded columns to the datasets' own: what the readers of all ERPs have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import CapabilityError, ConfigurationError
from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX, Dataset, arrow_schema
from airflow_provider_mlconnector.finance.periods import Period

if TYPE_CHECKING:
    import pyarrow as pa

Column = Any
"""An Arrow array. Arrow's own annotations do not describe what its compute functions take."""

PeriodOf = Callable[[date], Period]
"""A calendar: which period a posting date belongs to."""

KeyOf = Callable[[date], str | None]
"""The key of the period that a day belongs to; None where that is not known."""


def canonical_batch(
    dataset: Dataset, columns: Mapping[str, Any], *, dimensions: Mapping[str, Any] | None = None
) -> pa.RecordBatch:
    """Make a batch of a dataset; columns are arrays, or lists of values; those not given are null.

    Only ``record_id`` is needed to tell the number of rows.
    """
    import pyarrow as pa

    named = {**columns, **{DIMENSION_PREFIX + code: values for code, values in (dimensions or {}).items()}}
    schema = arrow_schema(dataset, dimensions or ())
    length = len(named["record_id"])
    arrays = [_array(named.get(field.name), field.type, length) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def key_lookup(calendar: PeriodOf | None, period: Period | None) -> KeyOf:
    """Return what tells a day's period: the calendar, or without one the only period that is read.

    The few days of a period come up again on every page, so what was found is kept.
    """

    def key_of(day: date) -> str | None:
        if calendar is None:
            return period.key if period is not None and period.contains(day) else None
        try:
            return calendar(day).key
        except ConfigurationError:
            return None

    return lru_cache(maxsize=10_000)(key_of)


def calendar_lookup(calendar: PeriodOf | None) -> KeyOf:
    """Return what tells a day's period, for readers of the periods themselves.

    :raises CapabilityError: without a calendar.
    """
    if calendar is None:
        raise CapabilityError("Only a calendar tells which fiscal period an accounting period is; none is given.")
    return key_lookup(calendar, None)


def period_keys(days: Column, key_of: KeyOf) -> Column:
    """Return the period key of each day; each distinct one is looked up once."""
    import pyarrow as pa

    encoded = days.dictionary_encode()
    keys = [key_of(day) for day in encoded.dictionary.to_pylist()]
    return pa.array(keys, pa.string()).take(encoded.indices)


def constant(value: Any, length: int) -> Column:
    """Return a column that holds one value."""
    import pyarrow as pa

    return pa.repeat(value, length)


def _array(values: Column | Sequence[Any] | None, kind: Any, length: int) -> Column:
    import pyarrow as pa

    if values is None:
        return pa.nulls(length, kind)
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    return pa.array(values, kind)
