# SPDX-License-Identifier: Apache-2.0
"""How the environment writes things: dates at noon, 1900 for none, Yes and No, filters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from airflow_provider_mlconnector.systems.canonical import Column

_NONE_BEFORE = datetime(1900, 1, 2, tzinfo=UTC)
"""No date and no stamp are written as the first of January 1900."""


def moment(at: datetime) -> str:
    """Return a moment as a literal of a filter, to the second as stamps are kept."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def layer_is(field: str, layer: str) -> str:
    """Return the condition that a posting layer is this one."""
    return f"{field} eq Microsoft.Dynamics.DataEntities.CurrentOperationsTax'{layer}'"


def any_of(field: str, numbers: Iterable[int]) -> str:
    """Return the condition that a number is one of these; there is no list of values in filters here."""
    return "(" + " or ".join(f"{field} eq {number}" for number in numbers) + ")"


def portions(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Cut numbers into runs of at most so many."""
    return (numbers[at : at + size] for at in range(0, len(numbers), size))


def day_of(at: datetime) -> date:
    """Return the day of a date, which is written as noon of it in UTC."""
    return at.astimezone(UTC).date()


def noon(day: date) -> str:
    """Return a day as it is written to the environment: as noon of it in UTC."""
    return f"{day}T12:00:00Z"


def stamps(times: Column) -> Column:
    """Return stamps with the blank ones null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    blank = pc.less(times, pa.scalar(_NONE_BEFORE, times.type))
    return pc.if_else(blank, pa.scalar(None, times.type), times)


def yes(values: Column) -> Column:
    """Return Yes and No as true and false."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.equal(values, pa.scalar("Yes"))
