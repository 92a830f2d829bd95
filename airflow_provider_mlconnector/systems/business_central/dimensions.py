# SPDX-License-Identifier: Apache-2.0
"""The dimensions of journal lines as columns, in whole columns at a time.

A line that has no value of a dimension carries "" there; null means that its dimensions could not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.systems.canonical import Column

if TYPE_CHECKING:
    import pyarrow as pa


def flatten(lists: Column, codes: Sequence[str]) -> dict[str, Column]:
    """Turn a column of lists of (code, valueCode) into one column per code; a null list gives nulls."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    owners: Column = pc.list_parent_indices(lists)
    entries = lists.flatten()
    absent, null = pa.scalar("", pa.string()), pa.scalar(None, pa.string())
    columns: dict[str, Column] = {}
    for code in codes:
        mine = pc.equal(entries.field("code"), pa.scalar(code))
        values = entries.field("valueCode").filter(mine)
        places = np.full(len(lists), -1, dtype=np.int64)
        places[owners.filter(mine).to_numpy()] = np.arange(len(values))
        found = values.take(pa.array(places, mask=places < 0))
        columns[code] = pc.if_else(lists.is_valid(), pc.coalesce(found, absent), null)
    return columns


class DimensionSets:
    """The company's dimension sets, to join lines with by their set id. Threads may share it.

    Sets never change and their ids grow, so that only those above the known ones have to be read again.

    :param read: yields ``setId``, ``dimensionCode`` and ``dimensionValueCode`` of the sets above an id.
    """

    def __init__(self, codes: Sequence[str], read: Callable[[int], Iterator[pa.RecordBatch]]) -> None:
        self._codes = tuple(codes)
        self._read = read
        self._lock = Lock()
        self._known = _Sets()

    def columns(self, set_ids: Column) -> dict[str, Column]:
        """Return one column per code; null where the server does not have the set."""
        import pyarrow as pa
        import pyarrow.compute as pc

        with self._lock:
            if not pc.all(self._known.has(set_ids), min_count=0).as_py():
                self._known = self._known.joined_by(self._read(self._known.newest), self._codes)
            known = self._known
        absent, null = pa.scalar("", pa.string()), pa.scalar(None, pa.string())
        return {
            code: pc.if_else(known.has(set_ids), pc.coalesce(known.values(code, set_ids), absent), null)
            for code in self._codes
        }


@dataclass(frozen=True, slots=True)
class _Sets:
    """What was read so far: all set ids, and per dimension the sets that have a value of it."""

    batches: tuple[pa.RecordBatch, ...] = ()
    ids: Column = ()
    by_code: Mapping[str, tuple[Column, Column]] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        import pyarrow.compute as pc

        return int(pc.max(self.ids).as_py()) if len(self.ids) else 0

    def has(self, set_ids: Column) -> Column:
        """Say for each set id whether its entries were read; 0 is the set without entries."""
        import pyarrow as pa
        import pyarrow.compute as pc

        read = pa.array([], pa.int64()) if not len(self.ids) else self.ids
        return pc.or_(pc.equal(set_ids, pa.scalar(0)), pc.is_in(set_ids, value_set=read))

    def values(self, code: str, set_ids: Column) -> Column:
        import pyarrow as pa
        import pyarrow.compute as pc

        if code not in self.by_code:
            return pa.nulls(len(set_ids), pa.string())
        owners, values = self.by_code[code]
        return values.take(pc.index_in(set_ids, value_set=owners))

    def joined_by(self, read: Iterator[pa.RecordBatch], codes: Sequence[str]) -> _Sets:
        import pyarrow as pa
        import pyarrow.compute as pc

        batches = (*self.batches, *read)
        if not batches:
            return self
        table = pa.Table.from_batches(batches).combine_chunks()
        by_code = {}
        for code in codes:
            mine = table.filter(pc.equal(table["dimensionCode"], pa.scalar(code))).combine_chunks()
            by_code[code] = (mine["setId"].combine_chunks(), mine["dimensionValueCode"].combine_chunks())
        return _Sets(batches, table["setId"].unique(), by_code)
