# SPDX-License-Identifier: Apache-2.0
"""The book of a period: the latest version of every record, by record id.

A book is a base, from a read of the whole period, and the changes read since. Of two versions of a record the one
whose read began later is right. A whole read that began later replaces everything before it, so records that it did
not see are gone; a batch whose read began before the base's adds nothing. When the changes outgrow a fifth of the
base they are merged into it; a whole read that began before the last of them, and ended after the merge, still
replaces what was read before it: the changes since are laid over it once more, from their batches.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

import pyarrow as pa
from msgspec.structs import replace

from airflow_provider_mlconnector.errors import DataError, StaleVersionError
from airflow_provider_mlconnector.finance.datasets import DIMENSION_PREFIX
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, engine, listed, quoted
from airflow_provider_mlconnector.pipeline.plan import ReadMode
from airflow_provider_mlconnector.pipeline.sinks import ParquetSink, pour
from airflow_provider_mlconnector.pipeline.stage import Stage
from airflow_provider_mlconnector.trail.records import BatchTicket, BookFile, BookScope, BookState, StagedFile

_Parts: TypeAlias = tuple[BookFile, tuple[BookFile, ...]]
"""Base and changes of a book."""

COMPACT_ABOVE = 5  # changes are merged when they are more than one row in so many


def columns_digest(schema: pa.Schema) -> str:
    """Return a digest of names and types: a book of other columns has to be read whole again."""
    return hashlib.sha256(repr([(field.name, str(field.type)) for field in schema]).encode()).hexdigest()


def folder(kind: str, *parts: str) -> str:
    """Return a key's folder; parts are made safe as names of folders, empty ones left out."""
    return "/".join([kind, *(quote(part, safe=" ") for part in parts if part)])


def batch_key(ticket: BatchTicket) -> str:
    """Return where a batch's rows are staged."""
    return (
        f"{folder('batches', ticket.scope.flow, ticket.scope.dataset, ticket.scope.period)}/{ticket.batch_id}.parquet"
    )


def join(bench: Bench, ticket: BatchTicket, file: StagedFile, rows: int, digest: str) -> bool:
    """Join a batch to its book.

    :return: whether the book took it; not so when the whole period was read again by somebody who began later.
    """
    part = BookFile(file=file, batch_id=ticket.batch_id, seq=ticket.seq, rows=rows)
    whole = ticket.mode == ReadMode.WHOLE
    if whole:
        part = replace(_unique(bench, ticket.scope, part), whole=ticket.seq)
    while True:
        state = bench.trail.book(ticket.scope)
        joined = _replaced(bench, ticket.scope, state, part) if whole else _laid_over(state, part)
        if joined is None:
            return False
        try:
            _put(bench, ticket.scope, state.version, joined, digest, ticket.run_id)
        except StaleVersionError:
            continue
        return True


def _replaced(bench: Bench, scope: BookScope, state: BookState, part: BookFile) -> _Parts | None:
    """Return a book that stands on a new whole read; None when one that began later is under it already."""
    base = state.base
    if base is not None and base.whole_seq > part.seq:
        return None
    changes = state.changes
    if base is not None and base.seq > part.seq:  # some of what was read since is merged into the old base
        changes = (*_read_between(bench, scope, part.seq, base.seq), *changes)
    return part, tuple(change for change in changes if change.seq > part.seq)


def _read_between(bench: Bench, scope: BookScope, after: int, until: int) -> list[BookFile]:
    """Return the reads of changes that began after one batch, up to another, in their order."""
    found = bench.trail.batches(flow=scope.flow, company=scope.company, dataset=scope.dataset, period=scope.period)
    return [
        BookFile(file=batch.file, batch_id=batch.batch_id, seq=batch.seq, rows=batch.rows)
        for batch in sorted(found, key=lambda batch: batch.seq)
        if after < batch.seq <= until and batch.mode == ReadMode.CHANGES and batch.file is not None
    ]


def _laid_over(state: BookState, part: BookFile) -> _Parts | None:
    """Return the book with changes laid over it; None when they were read before what it stands on."""
    if state.base is None:
        raise DataError("Changes cannot join a book that was never read whole.", hint="Run the period with mode whole.")
    if state.base.seq > part.seq:
        return None
    return state.base, tuple(sorted((*state.changes, part), key=lambda change: change.seq))


def _put(
    bench: Bench,
    scope: BookScope,
    expected: int,
    parts: _Parts,
    digest: str,
    run_id: str,
) -> None:
    base, changes = parts
    bench.trail.put_book(scope, expected=expected, base=base, changes=changes, columns_digest=digest, run_id=run_id)


def compact(bench: Bench, scope: BookScope, run_id: str) -> None:
    """Merge the changes into the base if there are many; leave it when somebody changes the book meanwhile."""
    state = bench.trail.book(scope)
    if state.base is None or sum(change.rows for change in state.changes) * COMPACT_ABOVE <= state.base.rows:
        return
    if not state.changes:
        return
    last = state.changes[-1]
    with engine(bench) as db:
        lay_out(db, bench.stage, state)
        merged = _write(bench, db, "SELECT * FROM book", _book_key(scope, last))
    base = BookFile(file=merged[0], batch_id=last.batch_id, seq=last.seq, rows=merged[1], whole=state.base.whole_seq)
    try:
        _put(bench, scope, state.version, (base, ()), state.columns_digest, run_id)
    except StaleVersionError:
        bench.stage.remove(base.file.key)


def _book_key(scope: BookScope, last: BookFile) -> str:
    """Return a key of its own for every call: who loses the race of two merges deletes what is his alone."""
    mark = secrets.token_hex(4)
    return f"{folder('books', scope.flow, scope.dataset, scope.period)}/{last.batch_id}-{mark}.parquet"


def _unique(bench: Bench, scope: BookScope, part: BookFile) -> BookFile:
    """Return a base with one row per record: a page that moved under a read can bring a record twice."""
    with engine(bench) as db:
        db.files("read_0", bench.stage.fetch(part.file))
        distinct = db.rows("SELECT count(DISTINCT hash(record_id)) FROM read_0")[0][0]
        if distinct == part.rows:
            return part
        names = [name for name in db.columns("read_0") if name != "file_row_number"]
        db.view("latest", _latest(names, ["read_0"]))
        file, rows = _write(bench, db, "SELECT * FROM latest", _book_key(scope, part))
    return BookFile(file=file, batch_id=part.batch_id, seq=part.seq, rows=rows)


def _write(bench: Bench, db: Engine, sql: str, key: str) -> tuple[StagedFile, int]:
    reader = db.stream(sql)
    with ParquetSink(bench.stage, reader.schema) as sink:
        pour(reader, sink)
        return sink.publish(key), sink.rows


def lay_out(db: Engine, stage: Stage, state: BookState) -> None:
    """Name the rows of a book ``book`` in the engine, one per record.

    :raises DataError: when the book was never read.
    """
    if state.base is None:
        raise DataError("The book was never read.", hint="Run the flow's extract task for this dataset first.")
    db.files("base", stage.fetch(state.base.file))
    names = [name for name in db.columns("base") if name != "file_row_number"]
    if not state.changes:
        db.view("book", f"SELECT {listed(names)} FROM base")
        return
    parts = [f"change_{at}" for at in range(len(state.changes))]
    for name, change in zip(parts, state.changes, strict=True):
        db.files(name, stage.fetch(change.file))
    db.view("latest", _latest(names, parts))
    unchanged = f"SELECT {listed(names)} FROM base ANTI JOIN latest USING (record_id)"
    db.view("book", f"{unchanged} UNION ALL SELECT {listed(names)} FROM latest")


def unreadable(
    bench: Bench,
    state: BookState,
    dimensions: Sequence[str],
    values: Mapping[str, Collection[str]],
    *,
    seed: str,
    limit: int,
) -> tuple[int, tuple[str, ...]]:
    """Return how many records have dimensions that could not be read or are no more, and the ids of some of them.

    :param dimensions: codes of the dimensions.
    :param values: by dimension, the codes of all its values; one that is not there is not looked at for them.
    :param seed: another one chooses other ids, where there are more than ``limit``.
    """
    if not dimensions:
        return 0, ()
    with engine(bench) as db:
        lay_out(db, bench.stage, state)
        unknown = []
        for at, dimension in enumerate(dimensions):
            column = quoted(DIMENSION_PREFIX + dimension)
            unknown.append(f"{column} IS NULL")
            if dimension in values:
                db.variable(f"values_{at}", ["", *sorted(values[dimension])])
                unknown.append(f"NOT list_contains(getvariable('values_{at}'), {column})")
        db.view("unreadable", f"SELECT record_id FROM book WHERE {' OR '.join(unknown)}")
        count = int(db.rows("SELECT count(*) FROM unreadable")[0][0])
        chosen = "SELECT record_id FROM unreadable ORDER BY hash(record_id || ?), record_id LIMIT ?"
        return count, tuple(record for (record,) in (db.rows(chosen, seed, limit) if count else ()))


def fingerprint(db: Engine, view: str, names: Sequence[str]) -> tuple[int, int]:
    """Return the number of rows of a view and the sum of their hashes: the same for the same rows in any order."""
    rows, total = db.rows(
        f"SELECT count(*), coalesce(sum(hash(row({listed(names)}))::HUGEINT), 0) FROM {quoted(view)}"
    )[0]
    return int(rows), int(total)


def news_sql(names: Sequence[str]) -> str:
    """Return the query for the rows of ``arrived`` that ``book`` does not hold just so."""
    differs = " OR ".join(f"a.{quoted(name)} IS DISTINCT FROM b.{quoted(name)}" for name in names)
    known = "SELECT * FROM book SEMI JOIN arrived USING (record_id)"
    return (
        f"SELECT {', '.join(f'a.{quoted(name)}' for name in names)} FROM arrived a "
        f"LEFT JOIN ({known}) b USING (record_id) WHERE b.record_id IS NULL OR {differs} ORDER BY a.file_row_number"
    )


def _latest(names: Sequence[str], parts: Sequence[str]) -> str:
    """Return the SQL for one row per record out of files in the order of their reads; later pages win within a read."""
    rows = " UNION ALL ".join(f"SELECT {at} AS part, * FROM {part}" for at, part in enumerate(parts))
    return (
        f"SELECT {listed(names)} FROM ({rows}) QUALIFY row_number() OVER (PARTITION BY record_id "
        "ORDER BY part DESC, modified_at DESC NULLS LAST, file_row_number DESC) = 1"
    )
