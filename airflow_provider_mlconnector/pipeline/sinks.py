# SPDX-License-Identifier: Apache-2.0
"""Files written batch by batch: Parquet for ourselves, CSV for the import. The digest is made while writing.

:func:`pour` gives every sink a thread of its own, so that reading, encoding and writing overlap; a short queue before
each bounds the memory to a few batches.
"""

from __future__ import annotations

import hashlib
import io
import os
import queue
import tempfile
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from airflow_provider_mlconnector.pipeline.stage import Stage
from airflow_provider_mlconnector.trail.records import StagedFile

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 65_536  # rows of a Parquet row group: what a reader holds at once
QUEUED_BATCHES = 2


class Sink(Protocol):
    """Takes record batches of one schema."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""


class _ScratchFile(io.RawIOBase):
    """An unfinished file that knows the digest of what was written to it."""

    def __init__(self, stage: Stage, suffix: str) -> None:
        super().__init__()
        handle, name = tempfile.mkstemp(dir=stage.scratch(), suffix=suffix)
        self._path = Path(name)
        self._stage = stage
        self._file = os.fdopen(handle, "wb")
        self._digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def finish(self) -> Path:
        self._file.close()
        return self._path

    def publish(self, key: str) -> StagedFile:
        return self._stage.publish(self.finish(), key, sha256=self._digest.hexdigest())

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


class _FileSink:
    """A scratch file under way, gone at the end of the ``with`` block unless it was published."""

    def __init__(self, stage: Stage, suffix: str) -> None:
        self.rows = 0
        self._scratch = _ScratchFile(stage, suffix)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.discard()


class ParquetSink(_FileSink):
    """Writes Parquet in row groups of ``GROUP_ROWS``, LZ4, which costs least of what can be read everywhere."""

    def __init__(self, stage: Stage, schema: pa.Schema) -> None:
        super().__init__(stage, ".parquet")
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._schema = schema.remove_metadata()
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._scratch, "w"),
            self._schema,
            compression="lz4",
            use_dictionary=_codes(schema),  # type: ignore[arg-type]  # column names are taken too, as documented
            write_statistics=False,
        )

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self.rows += batch.num_rows
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= GROUP_ROWS:
            self._write_group()

    def publish(self, key: str, metadata: Mapping[str, str] | None = None) -> StagedFile:
        """Finish the file, with texts in its footer, and put it into the staging area."""
        self._end(metadata)
        return self._scratch.publish(key)

    def finish(self) -> Path:
        """Finish the file and return where it is until the end of the ``with`` block."""
        self._end(None)
        return self._scratch.finish()

    def __exit__(self, *error: object) -> None:
        self._writer.close()
        super().__exit__(*error)

    def _end(self, metadata: Mapping[str, str] | None) -> None:
        self._write_group()
        if metadata:
            self._writer.add_key_value_metadata(dict(metadata))
        self._writer.close()

    def _write_group(self) -> None:
        import pyarrow as pa

        if self._waiting_rows:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=self._waiting_rows)
        self._waiting, self._waiting_rows = [], 0


_REPEATED = frozenset(
    [
        "account",
        "period",
        "kind",
        "ledger",
        "source",
        "currency",
        "document_type",
        "dimension",
        "parent",
        "account_type",
        "category",
    ]
)


def _codes(schema: pa.Schema) -> list[str]:
    """Name the columns that are worth a dictionary: codes repeat; keys, texts and amounts do not."""
    return [name for name in schema.names if name.partition(".")[0] in _REPEATED]


class CsvSink(_FileSink):
    """Writes an import file: UTF-8, comma, one header line, texts in double quotes, a line feed after each line.

    :param columns: the header in order, each with its constant text, or None for a column of the batches.
    """

    def __init__(self, stage: Stage, columns: Mapping[str, str | None]) -> None:
        super().__init__(stage, ".csv")
        self._columns = columns
        self._scratch.write((",".join(_in_quotes(name) for name in columns) + "\n").encode())

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        import pyarrow as pa
        from pyarrow import csv

        self.rows += batch.num_rows
        texts = [
            as_text(batch.column(name)) if constant is None else pa.repeat(constant, batch.num_rows)
            for name, constant in self._columns.items()
        ]
        lines = pa.BufferOutputStream()
        rows = pa.RecordBatch.from_arrays(texts, names=list(self._columns))
        csv.write_csv(rows, lines, csv.WriteOptions(include_header=False, batch_size=8192))
        self._scratch.write(memoryview(lines.getvalue()))

    def publish(self, key: str) -> StagedFile:
        """Finish the file and put it into the staging area."""
        return self._scratch.publish(key)


def _in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def as_text(column: pa.Array[Any]) -> pa.Array[Any]:
    """Return a column as it stands in an import file.

    A decimal is plain text, the shortest that is exact (``-1250.5``, ``0``, ``0.000001``); a time is ISO 8601 in UTC
    (``2026-11-19T08:12:33.497Z``), a date ``2026-11-19``, a boolean ``true`` or ``false``; null stays null: empty.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text: pa.Array[Any] = column
    if pa.types.is_decimal(column.type) and column.type.scale > 0:
        text = _trimmed(column.cast(pa.string()))
    elif pa.types.is_timestamp(column.type):
        local = column.cast(pa.timestamp("us")).cast(pa.string())  # without the zone: ten times as fast, and it is UTC
        short = _trimmed(pc.binary_replace_slice(local, 10, 11, "T"))
        text = pc.binary_join_element_wise(short, "Z", "")  # type: ignore[call-overload]  # scalars are taken too
    return text


def _trimmed(text: pa.Array[Any]) -> pa.Array[Any]:
    """Drop needless zeros after a decimal point, and then the point."""
    import pyarrow.compute as pc

    return pc.ascii_rtrim(pc.ascii_rtrim(text, "0"), ".")


class _Conveyor:
    """Feeds one sink from a thread of its own; an error in it is raised to whoever feeds or ends it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._queue: queue.Queue[pa.RecordBatch | None] = queue.Queue(QUEUED_BATCHES)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name=f"{type(sink).__name__} writer", daemon=True)

    def put(self, batch: pa.RecordBatch) -> None:
        self._queue.put(batch)
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (batch := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._sink.write(batch)
                except BaseException as error:  # raised again in the feeding thread
                    self._error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error


def pour(batches: Iterable[pa.RecordBatch], *sinks: Sink) -> None:
    """Give every batch to every sink."""
    with ExitStack() as stack:
        conveyors = [stack.enter_context(_Conveyor(sink)) for sink in sinks]
        for batch in batches:
            for conveyor in conveyors:
                conveyor.put(batch)
