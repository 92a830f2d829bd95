# SPDX-License-Identifier: Apache-2.0
"""Mutations from the book onwards: mapping, cells, import file, upload, acceptance; see :mod:`.mutations`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_provider_mlconnector.pipeline import cells, layout, load, mapping, sinks
from airflow_provider_mlconnector.pipeline.engine import Engine, quoted
from airflow_provider_mlconnector.pipeline.stage import scratch_file
from airflow_provider_mlconnector.systems.anaplan import uploads
from tests.unit.pipeline.mutations import MUTATIONS, WHOLE, Mutant, mutation

CHUNK_BYTES = 200
LOST = "lines in the book .* are accounted for"
RECOUNT = "cells are not what the book adds up to"
FILE = "lines of the import file are not the cells to be sent"
VIEW = "cells of the view GL Actuals by Period are not as"
COUNTS = "Anaplan looked at|came to something|rows were rejected"

# From the book to the cells


def on_mapped(mutant: Mutant, sql: str) -> None:
    """Put another query in place of the mapped lines; ``{was}`` is the table that holds them."""

    def map_rows(real: Callable[..., None], db: Engine, *args: Any) -> None:
        real(db, *args)
        if "Amount" not in db.columns("mapped"):
            return
        db.run("CREATE OR REPLACE TEMP TABLE mapped_before AS SELECT * FROM mapped")
        wrong = sql.format(was="mapped_before")
        mutant.differ(db.rows("FROM mapped_before ORDER BY ALL"), db.rows(f"FROM ({wrong}) ORDER BY ALL"))
        db.view("mapped", wrong)

    mutant.wrap(mapping, "map_rows", map_rows)
    mutant.patch.setattr("airflow_provider_mlconnector.pipeline.rows.map_rows", mapping.map_rows)


FIRST = f"{quoted(layout.RECORD)} = (SELECT min({quoted(layout.RECORD)}) FROM {{was}})"


@mutation(LOST)
def mapping_drops_a_row(mutant: Mutant) -> None:
    on_mapped(mutant, f"SELECT * FROM {{was}} WHERE NOT {FIRST}")


@mutation(LOST, modes=(WHOLE,))
def mapping_doubles_a_row(mutant: Mutant) -> None:
    on_mapped(mutant, f"SELECT * FROM {{was}} UNION ALL SELECT * FROM {{was}} WHERE {FIRST}")


@mutation(RECOUNT)
def mapping_swaps_two_members(mutant: Mutant) -> None:
    lowest, highest = '(SELECT min("Account") FROM {was})', '(SELECT max("Account") FROM {was})'
    swapped = f'CASE "Account" WHEN {lowest} THEN {highest} WHEN {highest} THEN {lowest} ELSE "Account" END'
    on_mapped(mutant, f'SELECT * REPLACE ({swapped} AS "Account") FROM {{was}}')


@mutation(RECOUNT, modes=(WHOLE,))
def mapping_changes_a_sign(mutant: Mutant) -> None:
    on_mapped(mutant, f'SELECT * REPLACE (CASE WHEN {FIRST} THEN -"Amount" ELSE "Amount" END AS "Amount") FROM {{was}}')


@mutation(RECOUNT)
def the_code_book_is_off_by_one_line(mutant: Mutant) -> None:
    def decision(real: Callable[..., dict[str, object]], book: Any, *args: Any, **kwargs: Any) -> dict[str, object]:
        right = real(book, *args, **kwargs)
        if args[:2] != ("Cost Centre", "SALES"):
            return right
        at = next(at for at, rule in enumerate(book.rules) if rule.member == right["member"])
        return mutant.differ(right, {**right, "member": book.rules[at - 1].member})  # type: ignore[no-any-return]

    mutant.wrap(mapping, "_decision", decision)


def on_cells_query(mutant: Mutant, change: Callable[[str], str]) -> None:
    def cells_sql(real: Callable[..., str], placed: Any, *, grouped: bool) -> str:
        sql = real(placed, grouped=grouped)
        return mutant.differ(sql, change(sql)) if "Amount" in placed.values else sql  # type: ignore[no-any-return]

    mutant.wrap(cells, "cells_sql", cells_sql)


@mutation(RECOUNT)
def a_column_is_missing_from_group_by(mutant: Mutant) -> None:
    on_cells_query(
        mutant,
        lambda sql: sql.replace(
            'SELECT "Account", "Cost Centre"', 'SELECT "Account", min("Cost Centre") AS "Cost Centre"'
        ).replace('GROUP BY "Account", "Cost Centre"', 'GROUP BY "Account"'),
    )


@mutation(RECOUNT)
def cells_are_rounded_to_ten_cents(mutant: Mutant) -> None:
    on_cells_query(mutant, lambda sql: sql.replace('sum("Amount")', 'CAST(round(sum("Amount"), 1) AS DECIMAL(38, 6))'))


@mutation("do not agree|adds up to|cells are not what", modes=(WHOLE,))
def a_cell_is_doubled(mutant: Mutant) -> None:
    on_cells_query(mutant, lambda sql: f"WITH c AS ({sql}) FROM c UNION ALL (FROM c ORDER BY ALL LIMIT 1)")


def on_constants(mutant: Mutant, name: str, wrong: str) -> None:
    """Let the layout say another text for a column that is the same in every line."""

    def file_column(real: Callable[..., Any], plan: Any, column: str, *args: Any) -> Any:
        found = real(plan, column, *args)
        if plan.import_name != "Load GL Actuals" or column != name:
            return found
        return mutant.differ(found, replace(found, constant=wrong))

    mutant.wrap(layout, "_file_column", file_column)


@mutation("says Version Budget")
def the_cells_go_into_another_version(mutant: Mutant) -> None:
    on_constants(mutant, "Version", "Budget")


@mutation("says Entity Larkfield Ireland|were rejected", modes=(WHOLE,))
def the_cells_go_into_another_entity(mutant: Mutant) -> None:
    on_constants(mutant, "Entity", "Larkfield Ireland")


@mutation("says Time Jan 26")
def the_cells_go_into_another_period(mutant: Mutant) -> None:
    on_constants(mutant, "Time", "Jan 26")


@mutation(VIEW, view_needed=True)
def cells_that_vanished_are_not_set_to_zero(mutant: Mutant) -> None:
    def gone_sql(real: Callable[..., Any], db: Engine, *args: Any, **options: Any) -> Any:
        sql = real(db, *args, **options)
        if sql is not None:
            mutant.changed += db.rows(f"SELECT count(*) FROM ({sql})")[0][0]

    mutant.wrap(cells, "gone_sql", gone_sql)


# The import file


def on_csv(mutant: Mutant, change: Callable[[list[pa.RecordBatch]], list[pa.RecordBatch]]) -> None:
    """Change the rows that become lines of the import file, and nothing else that is written."""

    def write(real: Callable[..., None], sink: Any, batch: pa.RecordBatch) -> None:
        wrong = change([batch]) if "Amount" in batch.schema.names and batch.num_rows else [batch]
        mutant.differ(pa.Table.from_batches([batch]), pa.Table.from_batches(wrong, batch.schema))
        for part in wrong:
            real(sink, part)

    mutant.wrap(sinks.CsvSink, "write", write)


@mutation("The import file has")
def the_file_lacks_a_line(mutant: Mutant) -> None:
    on_csv(mutant, lambda batches: [batches[0].slice(1)])


@mutation("The import file has", modes=(WHOLE,))
def the_file_has_a_line_twice(mutant: Mutant) -> None:
    on_csv(mutant, lambda batches: [batches[0], batches[0].slice(0, 1)])


@mutation(FILE)
def the_file_has_amounts_through_floats(mutant: Mutant) -> None:
    def as_text(real: Callable[..., Any], column: Any) -> Any:
        text = real(column)
        if not pa.types.is_decimal(column.type):
            return text
        floated = pa.array([None if value is None else f"{float(value):.2f}" for value in column.to_pylist()])
        return mutant.differ(text, floated)

    mutant.wrap(sinks, "as_text", as_text)


@mutation(FILE, modes=(WHOLE,))
def the_file_has_the_amounts_of_two_lines_swapped(mutant: Mutant) -> None:
    def swapped(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
        batch = batches[0]
        at = batch.schema.get_field_index("Amount")
        order = [*range(1, batch.num_rows), 0]
        return [batch.set_column(at, batch.schema.field(at), batch.column(at).take(pa.array(order)))]

    on_csv(mutant, swapped)


# The way into the model


def on_chunks(mutant: Mutant, change: Callable[[Sequence[bytes]], list[bytes]]) -> None:
    """Send a file in small chunks, and put others in their place once it was cut."""
    mutant.patch.setattr(uploads, "SMALLEST_CHUNK", CHUNK_BYTES)
    mutant.patch.setattr(uploads, "chunk_size", lambda size, wanted: CHUNK_BYTES)

    def send_all(real: Callable[..., Any], self: Any, chunks: Iterator[bytes]) -> Any:
        cut = list(chunks)
        if len(cut) < 3 or b"Amount" not in cut[0]:
            return real(self, iter(cut))
        return real(self, iter(mutant.differ(cut, change(cut))))

    mutant.wrap(uploads.Upload, "_send_all", send_all)


@mutation("changed while it was uploaded", modes=(WHOLE,))
def an_upload_drops_a_chunk(mutant: Mutant) -> None:
    on_chunks(mutant, lambda chunks: [chunks[0], *chunks[2:]])


@mutation("Chunk number out of range", modes=(WHOLE,))
def an_upload_doubles_a_chunk(mutant: Mutant) -> None:
    on_chunks(mutant, lambda chunks: [chunks[0], chunks[1], *chunks[1:]])


@mutation(COUNTS, "did not succeed", VIEW)
def an_upload_sends_one_chunk_in_place_of_another(mutant: Mutant) -> None:
    on_chunks(mutant, lambda chunks: [chunks[0], chunks[2], *chunks[2:]])


@mutation(COUNTS, "did not succeed", VIEW, modes=(WHOLE,))
def an_upload_swaps_two_chunks(mutant: Mutant) -> None:
    on_chunks(mutant, lambda chunks: [chunks[0], chunks[2], chunks[1], *chunks[3:]])


@mutation(COUNTS)
def the_wire_loses_the_last_line(mutant: Mutant) -> None:
    def send(real: Callable[..., Any], self: Any, method: str, path: str, **options: Any) -> Any:
        data = options.get("data")
        if isinstance(data, bytes) and b"Amount" in data[:200]:
            options["data"] = mutant.differ(data, data[: data[:-1].rindex(b"\n") + 1])
        return real(self, method, path, **options)

    mutant.wrap(uploads.Upload, "_send", send)


@mutation(VIEW, view_needed=True)
def the_wire_changes_an_amount(mutant: Mutant) -> None:
    def send(real: Callable[..., Any], self: Any, method: str, path: str, **options: Any) -> Any:
        data = options.get("data")
        if isinstance(data, bytes) and b"Amount" in data[:200]:
            options["data"] = mutant.differ(data, data[:-1] + b"1\n")
        return real(self, method, path, **options)

    mutant.wrap(uploads.Upload, "_send", send)


# What became of it


@mutation("accepted cells are not as they were prepared")
def acceptance_keeps_other_cells_than_were_sent(mutant: Mutant) -> None:
    def settle(real: Callable[..., Any], bench: Any, plan: Any, prepared: Any, *args: Any) -> Any:
        found = real(bench, plan, prepared, *args)
        if plan.import_name != "Load GL Actuals":
            return found
        with scratch_file(bench.stage, ".parquet") as path:
            pq.write_table(pq.read_table(bench.stage.fetch(found.file)).slice(0, 3), path)
            file = bench.stage.publish(path, f"{found.file.key}.other")
        return mutant.differ(found, replace(found, file=file))

    mutant.wrap(load, "settle", settle)


TABLE = tuple(MUTATIONS)
"""All mutations, in the order of the steps that they break."""
