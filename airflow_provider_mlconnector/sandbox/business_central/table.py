# SPDX-License-Identifier: Apache-2.0
"""An entity set whose rows are made one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_mlconnector.sandbox.books import Books
from airflow_provider_mlconnector.sandbox.odata.rows import Row


@dataclass(frozen=True, slots=True)
class Table:
    """An entity set.

    :param entity: name of the type, as error texts say it.
    :param fields: names of all properties, in order of the wire.
    :param values: returns the values of each row, in order of ``fields``.
    :param below: its navigations: the set that each leads to, by the property there that holds the id of the row above.
    """

    entity: str
    fields: tuple[str, ...]
    values: Callable[[Books], Iterable[Sequence[Any]]]
    below: Mapping[str, str] = field(default_factory=dict)

    def rows(self, books: Books) -> list[Row]:
        """Return all rows as they stand now."""
        return [dict(zip(self.fields, values, strict=True)) for values in self.values(books)]


def fields_of(text: str) -> tuple[str, ...]:
    """Read names with blanks between them."""
    return tuple(text.split())
