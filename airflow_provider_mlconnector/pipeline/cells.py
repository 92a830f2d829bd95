# SPDX-License-Identifier: Apache-2.0
"""Cells: what the book adds up to now, what Anaplan last accepted, and which of them have to be sent.

A cell is changed when it is new, when a column differs from what was accepted, or when it was sent without a known
outcome. A cell that was accepted, or may have been, and is no longer in the book is sent as 0. Rows of a list without
amounts just go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa

from airflow_provider_mlconnector.pipeline.engine import Engine, listed, quoted
from airflow_provider_mlconnector.pipeline.layout import DEPTH, MEASURE, PROBLEM, Layout
from airflow_provider_mlconnector.pipeline.mapping import MONEY

GONE = ":gone"
"""Column of sent cells: true for one that is no longer in the book and is sent as 0."""


def cells_sql(layout: Layout, *, grouped: bool) -> str:
    """Return the query for the cells of ``mapped``, in the order in which they are sent."""
    fine = f"FROM mapped WHERE {quoted(PROBLEM)} IS NULL"
    if grouped:
        sums = ", ".join(f"sum({quoted(name)}) AS {quoted(name)}" for name in (*layout.values, MEASURE))
        keys = listed(layout.keys)
        return f"SELECT {keys}, {sums} {fine} GROUP BY {keys} ORDER BY {keys}"
    names = listed(_columns(layout))
    return f"SELECT {names} FROM (SELECT {names} {fine} UNION ALL SELECT {names} FROM extra){_order(layout)}"


def _columns(layout: Layout) -> tuple[str, ...]:
    """Return the columns of a cells file."""
    depth = (DEPTH,) if layout.parent else ()
    return (*layout.keys, *layout.attributes, *layout.values, MEASURE, *depth)


def _order(layout: Layout, *, grouped: bool = False) -> str:
    """Return the order of the lines: parents first, totals by address, plain rows as the book has them."""
    if layout.parent:
        return f" ORDER BY {listed((DEPTH, *layout.keys))}"
    return f" ORDER BY {listed(layout.keys)}" if grouped else ""


def place_former(db: Engine, keys: Sequence[str], accepted: Path | None, in_flight: Sequence[Path]) -> None:
    """Name the cells that the model may hold: ``accepted``, and ``unknown`` for those sent without a known outcome.

    Needs ``cells``. Files of a plan that addressed its cells otherwise cannot be compared and count as empty.
    """
    place(db, keys, "accepted", [accepted] if accepted else [])
    place(db, keys, "unknown", list(in_flight))


def place(db: Engine, keys: Sequence[str], name: str, paths: Sequence[Path]) -> None:
    """Name the cells of some files, in the columns of ``cells``; see :func:`place_former`."""
    types = db.columns("cells")
    parts = []
    for at, path in enumerate(paths):
        db.files(f"{name}_{at}", path)
        had = db.columns(f"{name}_{at}")
        if all(had.get(key) == types[key] for key in keys):
            parts.append(_aligned(db, f"{name}_{at}", had, types))
    empty = "SELECT * EXCLUDE (file_row_number) FROM cells WHERE false"
    db.view(name, " UNION ALL ".join(parts) if parts else empty)


def _aligned(db: Engine, name: str, had: dict[str, pa.DataType], types: dict[str, pa.DataType]) -> str:
    """Return a query for an older file in the columns of today's; a column that it lacks is null, and so differs."""
    wanted = [column for column in types if column != "file_row_number"]
    kinds = dict(db.rows("SELECT column_name, column_type FROM (DESCRIBE cells)"))
    items = [
        quoted(column) if had.get(column) == types[column] else f"CAST(NULL AS {kinds[column]}) AS {quoted(column)}"
        for column in wanted
    ]
    return f"SELECT {', '.join(items)} FROM {quoted(name)}"


def changed_sql(layout: Layout, *, grouped: bool) -> str:
    """Return the query for the cells of the book that differ from what the model is known to hold."""
    compared = (*layout.values, *layout.attributes)
    differs = [f"c.{quoted(name)} IS DISTINCT FROM a.{quoted(name)}" for name in compared]
    first = quoted(layout.keys[0])
    any_of = " OR ".join([f"a.{first} IS NULL", f"u.{first} IS NOT NULL", *differs])
    return (
        f"SELECT c.* EXCLUDE (file_row_number), false AS {quoted(GONE)} FROM cells c "
        f"LEFT JOIN accepted a ON {same('c', 'a', layout.keys)} "
        f"LEFT JOIN (SELECT DISTINCT {listed(layout.keys)} FROM unknown) u ON {same('c', 'u', layout.keys)} "
        f"WHERE {any_of}{_order(layout, grouped=grouped)}"
    )


def all_sql(layout: Layout, *, grouped: bool) -> str:
    """Return the query for all cells of the book."""
    return f"SELECT * EXCLUDE (file_row_number), false AS {quoted(GONE)} FROM cells{_order(layout, grouped=grouped)}"


def among_chosen(sql: str, layout: Layout) -> str:
    """Return a query's rows whose address is in ``chosen``, or is one of the unknown cells; in the query's order."""
    wanted = f"SELECT {listed(layout.keys)} FROM chosen UNION SELECT {listed(layout.keys)} FROM unknown"
    order = _order(layout, grouped=True)
    return f"SELECT s.* FROM ({sql}) s SEMI JOIN ({wanted}) w ON {same('s', 'w', layout.keys)}{order}"


def gone_sql(db: Engine, layout: Layout, lists: Mapping[str, str], *, beyond: bool) -> str | None:
    """Return the query for cells that have to become 0; None when nothing in the file can be 0.

    A cell of a member that its list has no more went with it: there is nothing to become 0.

    :param lists: by column of the address, the table of the members that its list has.
    :param beyond: also those that ``model`` holds and nobody accepted.
    """
    if not layout.values:
        return None
    names = [name for name in db.columns("cells") if name != "file_row_number"]
    held = " OR ".join(f"coalesce({quoted(name)}, 1) <> 0" for name in layout.values)
    former = [
        f"SELECT {listed(names)}, 0 AS source FROM accepted WHERE {held}",
        f"SELECT {listed(names)}, 1 AS source FROM unknown",
    ]
    if beyond:
        former.append(f"SELECT {_from_model(db, layout, names)}, 2 AS source FROM model WHERE {held}")
    zeros = ", ".join(_zeroed(layout, name) for name in names)
    exist = "".join(f"SEMI JOIN {quoted(at)} ON {quoted(at)}.member = f.{quoted(key)} " for key, at in lists.items())
    return (
        f"SELECT {zeros}, true AS {quoted(GONE)} FROM ({' UNION ALL '.join(former)}) f "
        f"ANTI JOIN cells c ON {same('c', 'f', layout.keys)} {exist}"
        f"QUALIFY row_number() OVER (PARTITION BY {listed(layout.keys)} ORDER BY source) = 1 "
        f"ORDER BY {listed(layout.keys)}"
    )


def _zeroed(layout: Layout, name: str) -> str:
    return f"CAST(0 AS {MONEY}) AS {quoted(name)}" if name in (*layout.values, MEASURE) else f"f.{quoted(name)}"


def _from_model(db: Engine, layout: Layout, names: Iterable[str]) -> str:
    kinds = dict(db.rows("SELECT column_name, column_type FROM (DESCRIBE cells)"))
    held = (*layout.keys, *layout.values)
    return ", ".join(
        quoted(name) if name in held else f"CAST(NULL AS {kinds[name]}) AS {quoted(name)}" for name in names
    )


def same(left: str, right: str, keys: Sequence[str]) -> str:
    """Return the condition under which two rows address the same cell; no part of an address is null."""
    return " AND ".join(f"{left}.{quoted(key)} = {right}.{quoted(key)}" for key in keys)


def streamed(db: Engine, *queries: str | None) -> Iterator[pa.RecordBatch]:
    """Run queries one after the other and return their batches."""
    return chain.from_iterable(db.stream(sql) for sql in queries if sql is not None)
