# SPDX-License-Identifier: Apache-2.0
"""Where one record is found: in the batches that brought it, as a cell of a plan, as a line of the files sent."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, engine, listed, quoted
from airflow_provider_mlconnector.pipeline.layout import PROBLEM, RECORD, Layout
from airflow_provider_mlconnector.pipeline.manifests import PreparedManifest
from airflow_provider_mlconnector.pipeline.mapping import crosswalk_of
from airflow_provider_mlconnector.pipeline.recipe import Recipe
from airflow_provider_mlconnector.pipeline.rows import place_mapped
from airflow_provider_mlconnector.pipeline.selection import LEFT_OUT
from airflow_provider_mlconnector.systems.anaplan.uploads import CHUNK_BYTES, SMALLEST_CHUNK, chunk_size
from airflow_provider_mlconnector.trail.records import BatchRow

Address = Mapping[str, str]
"""The cell that a record belongs to, by key column."""


@dataclass(frozen=True, slots=True)
class Version:
    """A record as one batch brought it; ``row`` counts from 1 within the batch."""

    batch: BatchRow
    row: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a plan made of a record: a sentence, and the cell that it belongs to; None when it belongs to none."""

    sentence: str
    address: Address | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an import file, counted from 1 without the header.

    :param chunk: in which it went up, from 0; None for a file that goes up in one piece.
    :param values: its amounts, as they are written in the file.
    """

    key: str
    number: int
    chunk: int | None
    values: Mapping[str, str]

    def __str__(self) -> str:
        where = f"line {self.number}" if self.chunk is None else f"line {self.number}, chunk {self.chunk}"
        said = "".join(f", {name} {text}" for name, text in self.values.items())
        return f"{where} of {self.key}{said}"


def versions_of(bench: Bench, batch: BatchRow, record_id: str) -> Iterator[Version]:
    """Yield the record as a batch brought it."""
    if batch.file is None:
        return
    with engine(bench) as db:
        db.files("batch", bench.stage.fetch(batch.file))
        db.variable("record", record_id)
        for values in db.records("SELECT * FROM batch WHERE record_id = getvariable('record')"):
            yield Version(batch, values.pop("file_row_number") + 1, values)


def decide(bench: Bench, recipe: Recipe, version: Version) -> Decision:
    """Let a plan and its code books of then decide again about a record."""
    with engine(bench) as db, ExitStack() as stack:
        _place_record(bench, db, version)
        layout = place_mapped(bench, db, recipe.plan, recipe.period, {}, stack)
        address = _address(db, layout)
        return Decision(_sentence(db, recipe, layout, version, address), address)


def line_of(bench: Bench, prepared: PreparedManifest, address: Address) -> Line | None:
    """Return the line of a cell in a prepared file; None when the cell is not in it."""
    if prepared.touched is None or prepared.file is None:
        return None
    with engine(bench) as db:
        db.files("touched", bench.stage.fetch(prepared.touched))
        same = " AND ".join(f"{quoted(key)} = ?" for key in address)
        found = db.rows(f"SELECT file_row_number FROM touched WHERE {same}", *address.values())
    if not found:
        return None
    number = int(found[0][0]) + 1
    row, chunk = read_line(bench.stage.fetch(prepared.file), number)
    values = {name: row[name] for name in prepared.values if name in row}
    return Line(prepared.file.key, number, chunk, values)


def read_line(path: Path, number: int) -> tuple[dict[str, str], int | None]:
    """Return a line of an import file by column, and the chunk that it was uploaded in, as :class:`Line` has it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        lines = csv.reader(text.decode() for text in iter(file.readline, b""))
        header = next(lines)
        for _ in range(number - 1):
            next(lines)
        begins = file.tell()
        row = dict(zip(header, next(lines), strict=False))
    return row, None if size < SMALLEST_CHUNK else begins // chunk_size(size, CHUNK_BYTES)


def named(address: Address) -> str:
    """Return the name of a cell."""
    return ", ".join(f"{name}={text}" for name, text in address.items() if name != RECORD) or address.get(RECORD, "")


def _place_record(bench: Bench, db: Engine, version: Version) -> None:
    """Name the one version of the record ``book``."""
    if version.batch.file is not None:
        db.files("batch", bench.stage.fetch(version.batch.file))
    db.variable("row", version.row - 1)
    db.view("book", "SELECT * EXCLUDE (file_row_number) FROM batch WHERE file_row_number = getvariable('row')")


def _address(db: Engine, layout: Layout) -> Address | None:
    found = db.rows(f"SELECT {listed(layout.keys)} FROM mapped WHERE {quoted(PROBLEM)} IS NULL")
    return dict(zip(layout.keys, found[0], strict=True)) if found else None


def _sentence(db: Engine, recipe: Recipe, layout: Layout, version: Version, address: Address | None) -> str:
    """Say what the plan made of the record, and which rules of its code books decided."""
    left_out = db.rows(f"SELECT {quoted(LEFT_OUT)} FROM selection")[0][0]
    if left_out is not None:
        return f"Left out by rule: {left_out}."
    if address is None:
        problems = db.rows(f"SELECT {quoted(PROBLEM)} FROM mapped")
        return f"Not sent: {problems[0][0]}." if problems else "Dropped by the transform."
    shown = {**layout.constants, **{name: text for name, text in address.items() if name != RECORD}}
    rules = "".join(f" {rule}" for rule in _rules(recipe, layout, version))
    cell = ", ".join(f"{name}={shown[name]}" for name in recipe.plan.columns if name in shown)
    return f"Cell {cell or address.get(RECORD)}.{rules}"


def _rules(recipe: Recipe, layout: Layout, version: Version) -> Iterator[str]:
    day = version.values.get("posting_date") or recipe.period.end
    for column in layout.sources:
        book = crosswalk_of(recipe.plan, layout, column)
        hit = book.lookup(version.values.get(column.source), day) if book else None
        if book is not None and hit is not None:
            yield f"{column.name} by {book.name}: {hit.rule}."
