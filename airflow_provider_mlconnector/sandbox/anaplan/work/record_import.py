# SPDX-License-Identifier: Apache-2.0
"""Import into a flat list with properties: a million lines pass in bounded memory, column by column.

A property that is no number, or no date, loads blank and its row carries a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_mlconnector.sandbox.anaplan.model.contents import Contents
from airflow_provider_mlconnector.sandbox.anaplan.model.definitions import RecordTarget
from airflow_provider_mlconnector.sandbox.anaplan.model.records import DuplicateKeyError, merge_records
from airflow_provider_mlconnector.sandbox.anaplan.work.numbers import NUMBER
from airflow_provider_mlconnector.sandbox.anaplan.work.results import Finding, Loaded, Reject, Severity, Tally
from airflow_provider_mlconnector.sandbox.anaplan.work.source import Rows, Source, SourceError

Flags: TypeAlias = "pa.BooleanArray"
_BLANK = pa.scalar("")
_DATE = r"^\d{4}-\d{2}-\d{2}$"


def load_records(
    target: RecordTarget, columns: tuple[str, ...], source: Source, contents: Contents, folder: Path
) -> Loaded:
    """Return what a file makes of a flat list.

    :raises SourceError: when the file cannot be imported at all.
    """
    source.require(columns)
    reader = _Reader(target, columns)
    try:
        merged = merge_records(contents.records[target.list_id], reader.batches(source), target.key, folder)
    except DuplicateKeyError as error:
        message = f"Duplicate properties in source data: {error}"
        raise SourceError("hierarchyImportDuplicateSourceKey", message) from error
    tally = Tally(created=merged.created, updated=merged.updated, failed=reader.failed, ignored=reader.ignored)
    _move_warnings(tally, reader.warned)
    rejects = list(reader.rejects.values())
    return Loaded(contents.with_records(target.list_id, merged.records), tally, source.header, rejects)


def _move_warnings(tally: Tally, warned: int) -> None:
    """Count warned rows apart; whether each was new is not known here, so new ones are taken first."""
    tally.warned_created = min(warned, tally.created)
    tally.warned_updated = warned - tally.warned_created
    tally.created -= tally.warned_created
    tally.updated -= tally.warned_updated


def _where(flags: Flags) -> list[int]:
    """Return the positions of those that are true."""
    return [int(index) for index in pc.indices_nonzero(flags).to_numpy()]


@dataclass(slots=True)
class _Reader:
    target: RecordTarget
    columns: tuple[str, ...]
    failed: int = 0
    ignored: int = 0
    warned: int = 0
    rejects: dict[int, Reject] = field(default_factory=dict)
    """By line."""

    def batches(self, source: Source) -> Iterator[pa.RecordBatch]:
        """Go through the rows that load."""
        for rows in source.parts():
            for bad in rows.malformed:
                self._reject(bad.line, bad.values, Finding("columnSeparatorExpected", "Column separator expected"))
            keyed = self._keyed(rows)
            batch = rows.batch.select(list(self.columns))
            for column in self.target.numbers:
                batch = self._checked(rows, batch, column, NUMBER, "moduleImportNumberFormat", keyed)
            for column in self.target.dates:
                batch = self._checked(rows, batch, column, _DATE, "moduleImportDateFormat", keyed)
            yield batch if keyed is None else batch.filter(keyed)

    def _keyed(self, rows: Rows) -> Flags | None:
        """Return which rows have a key; None when all have."""
        keyed = pc.not_equal(rows.batch[self.target.key], _BLANK)
        if pc.all(keyed).as_py() is not False:
            return None
        for index in _where(pc.invert(keyed)):
            values = rows.row(index)
            if any(values):
                self._reject(
                    rows.lines[index], values, Finding("hierarchyImportEmptyKey", "Error parsing key - no values")
                )
            else:
                self.ignored += 1
        return keyed

    def _checked(
        self, rows: Rows, batch: pa.RecordBatch, column: str, pattern: str, reason: str, keyed: Flags | None
    ) -> pa.RecordBatch:
        """Return the batch with the texts of a column blanked that do not fit the pattern."""
        texts = batch[column]
        fits = pc.or_(pc.equal(texts, _BLANK), pc.match_substring_regex(texts, pattern))
        wrong = pc.invert(fits) if keyed is None else pc.and_(pc.invert(fits), keyed)
        if not pc.any(wrong).as_py():
            return batch
        for index in _where(wrong):
            self._warn(rows.lines[index], rows.row(index), Finding(reason, f'Invalid {column}: "{texts[index]}"'))
        blanked = pc.if_else(fits, texts, "")
        return batch.set_column(batch.schema.get_field_index(column), column, blanked)

    def _reject(self, line: int, values: tuple[str, ...], finding: Finding) -> None:
        self.failed += 1
        self.rejects[line] = Reject(line, Severity.ERROR, values, (finding,))

    def _warn(self, line: int, values: tuple[str, ...], finding: Finding) -> None:
        """Note a warning; several of one row stand in one row of the dump."""
        earlier = self.rejects.get(line)
        self.warned += earlier is None
        findings = (*earlier.findings, finding) if earlier else (finding,)
        self.rejects[line] = Reject(line, Severity.WARNING, values, findings)
