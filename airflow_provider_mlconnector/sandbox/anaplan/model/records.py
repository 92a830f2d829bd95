# SPDX-License-Identifier: Apache-2.0
"""Flat lists with properties and as many members as a ledger has lines: kept on disk, never in memory."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_EXACT = pa.decimal128(38, 6)


class OwnFile:
    """A file on disk that goes with the last contents that hold it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        weakref.finalize(self, path.unlink, missing_ok=True)


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one list: an Arrow file of text columns, or nothing yet."""

    file: OwnFile | None = None
    rows: int = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Go through the records."""
        if self.file is None:
            return
        with pa.memory_map(str(self.file.path)) as source, pa.ipc.open_file(source) as reader:
            for index in range(reader.num_record_batches):
                yield reader.get_batch(index)

    def total(self, column: str) -> Decimal:
        """Return the exact sum of a number column; blanks count as nothing."""
        total = Decimal(0)
        for batch in self.batches():
            texts = pc.if_else(pc.equal(batch[column], pa.scalar("")), "0", batch[column])
            total += pc.sum(texts.cast(_EXACT)).as_py() or 0
        return total

    def head(self, limit: int) -> list[dict[str, str]]:
        """Return the first records."""
        found: list[dict[str, str]] = []
        for batch in self.batches():
            found += batch.slice(0, limit - len(found)).to_pylist()
            if len(found) >= limit:
                break
        return found


@dataclass(frozen=True, slots=True)
class Merged:
    """Records after an import, and how many of the imported ones were new or known."""

    records: Records
    created: int
    updated: int


def merge_records(old: Records, news: Iterable[pa.RecordBatch], key: str, folder: Path) -> Merged:
    """Write new records and those old ones that they do not replace.

    :raises DuplicateKeyError: when a key comes twice among the new ones.
    """
    file = OwnFile(folder / f"records-{uuid.uuid4().hex}.arrow")
    keys: list[pa.Array[Any]] = []
    rows = 0
    writer: pa.ipc.RecordBatchFileWriter | None = None
    try:
        for batch in news:
            writer = writer or pa.ipc.new_file(str(file.path), batch.schema)
            writer.write_batch(batch)
            keys.append(batch[key])
            rows += batch.num_rows
        if writer is None:
            return Merged(old, 0, 0)
        new_keys = pa.chunked_array(keys)
        _refuse_duplicates(new_keys)
        kept = _write_kept(old, new_keys, key, writer)
    finally:
        if writer is not None:
            writer.close()
    updated = old.rows - kept
    return Merged(Records(file, rows + kept), rows - updated, updated)


class DuplicateKeyError(Exception):
    """A key comes more than once in one source."""


def _refuse_duplicates(keys: pa.ChunkedArray[Any]) -> None:
    if len(pc.unique(keys)) == len(keys):
        return
    counts = pc.value_counts(keys)
    repeated = counts.filter(pc.greater(counts.field("counts"), pa.scalar(1)))
    raise DuplicateKeyError(str(repeated.field("values")[0]))


def _write_kept(old: Records, new_keys: pa.ChunkedArray[Any], key: str, writer: pa.ipc.RecordBatchFileWriter) -> int:
    if not old.rows:
        return 0
    # one look-up for all: each call of is_in builds a table of the new keys anew
    old_keys = pa.chunked_array([batch[key] for batch in old.batches()]).combine_chunks()
    stays = pc.invert(pc.is_in(old_keys, value_set=new_keys))
    kept = at = 0
    for batch in old.batches():
        rest = batch.filter(stays.slice(at, batch.num_rows))
        writer.write_batch(rest)
        at += batch.num_rows
        kept += rest.num_rows
    return kept
