# SPDX-License-Identifier: Apache-2.0
"""The book, read and added up a second time, and its cells another way than they were prepared.

The preparation maps every line to its members and then adds up. Here the ledger's own codes are added up first, and
each code is looked up in its code book once, so that a fault of either way shows as a cell that differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from airflow_provider_mlconnector.finance.crosswalk import Crosswalk
from airflow_provider_mlconnector.pipeline.book import lay_out
from airflow_provider_mlconnector.pipeline.context import Bench
from airflow_provider_mlconnector.pipeline.engine import Engine, engine, quoted
from airflow_provider_mlconnector.pipeline.figures import MEANWHILE, Apart, Checked, Side, cells_apart, unchecked
from airflow_provider_mlconnector.pipeline.layout import RECORD
from airflow_provider_mlconnector.pipeline.leftout import LeftOut, left_out_by_rule
from airflow_provider_mlconnector.pipeline.manifests import Figure, PreparedManifest
from airflow_provider_mlconnector.pipeline.mapping import FOLLOWS_NATURE, MONEY
from airflow_provider_mlconnector.pipeline.natures import place_natures
from airflow_provider_mlconnector.pipeline.plan import LoadPlan, Sign
from airflow_provider_mlconnector.pipeline.selection import select
from airflow_provider_mlconnector.pipeline.tables import TEXT, table
from airflow_provider_mlconnector.pipeline.totals import BookTotals, add_up
from airflow_provider_mlconnector.trail.records import BookState

DIFFERENCE = "cells that differ from the book"
IN_BOOK = Side("counted_again", "by the book")
IN_CELLS = Side("cells", "in the cells")


@dataclass(frozen=True, slots=True)
class Recount:
    """What a book holds.

    :param cells: the prepared cells that differ from the book; None where they cannot be counted again.
    """

    totals: BookTotals
    left_out: LeftOut
    cells: Apart | None


def recount(bench: Bench, plan: LoadPlan, made: PreparedManifest, state: BookState) -> Recount:
    """Read a book again.

    :param made: what was prepared of it.
    """
    with engine(bench) as db:
        lay_out(db, bench.stage, state)
        select(db, plan)
        return Recount(add_up(db, plan.dataset), left_out_by_rule(db, plan), _cells(bench, db, plan, made))


def check_cells(plan: LoadPlan, made: PreparedManifest, book: Recount | None) -> Checked:
    """Tell whether the prepared cells are those of the book.

    :param book: None when another run changed it since.
    """
    if not _adds_up(plan, made):
        return Checked()
    if plan.transform:
        return Checked((unchecked(DIFFERENCE, f"the transform {plan.transform} stands between"),))
    if book is None or book.cells is None:
        return Checked((unchecked(DIFFERENCE, MEANWHILE),))
    figure = Figure(name=DIFFERENCE, value=str(book.cells.count), source="book, counted again")
    problem = f"{book.cells.count} cells are not what the book adds up to: {book.cells}."
    return Checked((figure,), (problem,) if book.cells.count else ())


def _cells(bench: Bench, db: Engine, plan: LoadPlan, made: PreparedManifest) -> Apart | None:
    if made.cells is None or not _adds_up(plan, made) or plan.transform:
        return None
    _place_loaded(bench, db, plan, made)
    _count(db, plan, made)
    db.files(IN_CELLS.view, bench.stage.fetch(made.cells))
    return cells_apart(db, made.keys, made.values, IN_BOOK, IN_CELLS)


def _adds_up(plan: LoadPlan, made: PreparedManifest) -> bool:
    """Say whether the file has cells that are totals; the records of a list are not."""
    return bool(made.values and plan.group_by)


def _place_loaded(bench: Bench, db: Engine, plan: LoadPlan, made: PreparedManifest) -> None:
    """Name the lines that are neither left out by rule nor in the file of the quarantine ``loaded``."""
    loaded = "SELECT s.* FROM selected s"
    if made.quarantine is not None:
        db.files("held_back", bench.stage.fetch(made.quarantine))
        loaded += f" ANTI JOIN held_back h ON h.{quoted(RECORD)} = s.record_id"
    if plan.sign is Sign.NATURAL:
        place_natures(bench, db, plan)
        loaded = f"SELECT l.*, n.turned FROM ({loaded}) l LEFT JOIN natures n ON n.account = l.account"
    db.view("loaded", loaded)


def _count(db: Engine, plan: LoadPlan, made: PreparedManifest) -> None:
    """Name the cells by the ledger's codes, added up and then mapped, ``counted_again``."""
    codes = ", ".join(
        f"coalesce(CAST({quoted(plan.columns[key].column)} AS VARCHAR), '') AS code_{at}"
        for at, key in enumerate(made.keys)
    )
    day = "posting_date" if _by_day(db, plan) else "CAST(NULL AS DATE)"
    sums = ", ".join(f"sum({_signed(plan, name)}) AS {quoted(name)}" for name in made.values)
    db.run(f"CREATE TEMP TABLE added_up AS SELECT {codes}, {day} AS day, {sums} FROM loaded GROUP BY ALL")
    joins, members = [], []
    for at, key in enumerate(made.keys):
        book = plan.crosswalks.get(key)
        if book is None:
            members.append(f"code_{at} AS {quoted(key)}")
            continue
        _place_members(db, at, book, made.until)
        joins.append(f"LEFT JOIN member_{at} m{at} ON m{at}.code = code_{at} AND m{at}.day IS NOT DISTINCT FROM a.day")
        members.append(f"m{at}.member AS {quoted(key)}")
    totals = ", ".join(f"sum({quoted(name)}) AS {quoted(name)}" for name in made.values)
    db.view(IN_BOOK.view, f"SELECT {', '.join(members)}, {totals} FROM added_up a {' '.join(joins)} GROUP BY ALL")


def _signed(plan: LoadPlan, name: str) -> str:
    source = plan.columns[name].column
    value = f"CAST({quoted(source)} AS {MONEY})"
    turns = plan.sign is Sign.NATURAL and source in FOLLOWS_NATURE
    return f"CASE WHEN turned THEN -{value} ELSE {value} END" if turns else value


def _by_day(db: Engine, plan: LoadPlan) -> bool:
    """Say whether a code may mean two members within the period."""
    rules = (rule for book in plan.crosswalks.values() for rule in book.rules)
    return "posting_date" in db.columns("loaded") and any(rule.valid_from or rule.valid_to for rule in rules)


def _place_members(db: Engine, at: int, book: Crosswalk, until: date | None) -> None:
    asked = db.rows(f"SELECT DISTINCT code_{at}, day FROM added_up")
    types: dict[str, pa.DataType] = {"code": TEXT, "day": pa.date32(), "member": TEXT}
    db.table(f"member_{at}", table(types, _looked_up(book, asked, until)))


def _looked_up(
    book: Crosswalk, asked: list[tuple[str, date | None]], until: date | None
) -> Iterator[dict[str, object]]:
    for code, day in asked:
        hit = book.lookup(code, day or until or date.max)
        yield {"code": code, "day": day, "member": hit.member if hit else None}
