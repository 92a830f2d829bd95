# SPDX-License-Identifier: Apache-2.0
"""Reading an uploaded file as the import's file format says: rows of text, each with its line number.

A row is a record of the file, however many lines its quoted text spans; the first one has number 1.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, cast

import pyarrow as pa
import pyarrow.csv as pa_csv
from isal.igzip_lib import IsalError

from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import FileFormat

BLOCK_BYTES = 8 * 2**20
_BROKEN = (pa.ArrowInvalid, UnicodeDecodeError, csv.Error, OSError, EOFError, cast(type[Exception], IsalError))


class SourceError(Exception):
    """The file as a whole cannot be imported; ``reason`` is the detail code that the task reports."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class MalformedRow:
    """A row with too many or too few columns."""

    line: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A part of the file: text columns, the line of each row, and the malformed rows up to its end."""

    batch: pa.RecordBatch
    lines: Sequence[int]
    malformed: tuple[MalformedRow, ...]

    def columns(self, names: Sequence[str]) -> list[list[str]]:
        """Return columns as lists."""
        return [[str(text) for text in self.batch[name].to_pylist()] for name in names]

    def row(self, index: int) -> tuple[str, ...]:
        """Return all values of one row."""
        return tuple(column[index].as_py() for column in self.batch.columns)


@contextmanager
def _readable() -> Iterator[None]:
    """Turn what is wrong with a file's bytes into the task's own error."""
    try:
        yield
    except _BROKEN as error:
        raise SourceError("importFailedGeneralError", f"The file cannot be read: {error}") from error


class Source:
    """One file to import. ``header`` are its column names."""

    def __init__(self, open_file: Callable[[], BinaryIO], file_format: FileFormat) -> None:
        """Read the header.

        :raises SourceError: when there is none.
        """
        self._open = open_file
        self._format = file_format
        self._encoding = codecs.lookup(file_format.encoding).name
        self._malformed: list[tuple[int, str]] = []
        with _readable():
            self.header, self._has_rows = self._read_head()

    def require(self, columns: Sequence[str]) -> None:
        """Check that the file has the columns that an import maps.

        :raises SourceError: naming those that it lacks.
        """
        missing = [column for column in columns if column not in self.header]
        if missing:
            raise SourceError("missingFields", f"Import incomplete - unavailable fields: {', '.join(missing)}")

    def parts(self) -> Iterator[Rows]:
        """Go through the file, a bounded part at a time."""
        if not self._has_rows:
            return
        next_line = self._format.first_data_row
        with _readable(), self._open() as file:
            for batch in self._open_csv(file):
                rows = self._numbered(batch, next_line)
                next_line = rows.lines[-1] + 1 if batch.num_rows else next_line
                yield rows
        if self._malformed:
            empty = pa.record_batch([pa.array([], pa.string())] * len(self.header), names=list(self.header))
            yield Rows(empty, (), self._take_malformed(None))

    def _read_head(self) -> tuple[tuple[str, ...], bool]:
        """Return the header, and whether a row follows it."""
        header: tuple[str, ...] | None = None
        with self._open() as file, io.TextIOWrapper(file, self._encoding, newline="") as text:
            for number, row in enumerate(csv.reader(text, **self._dialect()), start=1):
                if number == max(self._format.header_row, 1):
                    header = tuple(name.removeprefix("\ufeff") for name in row)
                elif number >= self._format.first_data_row and header is not None:
                    return header, True
        if header is None:
            raise SourceError("missingFields", "Import incomplete - the file has no header")
        return header, False

    def _open_csv(self, file: BinaryIO) -> pa_csv.CSVStreamingReader:
        names = list(self.header)
        return pa_csv.open_csv(
            file,
            # one thread: only then does a malformed row know its number
            read_options=pa_csv.ReadOptions(
                use_threads=False,
                block_size=BLOCK_BYTES,
                encoding=self._encoding,
                column_names=names,
                skip_rows=self._format.first_data_row - 1,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=self._format.separator or "\t",
                quote_char=self._format.delimiter or False,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=self._note_malformed,
            ),
            convert_options=pa_csv.ConvertOptions(column_types={name: pa.string() for name in names}),
        )

    def _note_malformed(self, row: Any) -> Literal["skip"]:
        self._malformed.append((row.number, row.text))
        return "skip"

    def _numbered(self, batch: pa.RecordBatch, first: int) -> Rows:
        """Give each row its line; the parser may have met malformed rows beyond this batch already."""
        bad = {line for line, _ in self._malformed}
        if not bad:
            return Rows(batch, range(first, first + batch.num_rows), ())
        lines: list[int] = []
        line = first
        while len(lines) < batch.num_rows:
            if line not in bad:
                lines.append(line)
            line += 1
        return Rows(batch, lines, self._take_malformed(line))

    def _take_malformed(self, before: int | None) -> tuple[MalformedRow, ...]:
        taken = [row for row in self._malformed if before is None or row[0] < before]
        self._malformed = [row for row in self._malformed if row not in taken]
        return tuple(MalformedRow(line, self._split(text)) for line, text in taken)

    def _split(self, text: str) -> tuple[str, ...]:
        values = next(csv.reader([text], **self._dialect()), [])
        padded = values + [""] * (len(self.header) - len(values))
        return tuple(padded[: len(self.header)])

    def _dialect(self) -> dict[str, Any]:
        quote = self._format.delimiter
        return {
            "delimiter": self._format.separator or "\t",
            "quotechar": quote or None,
            "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        }
