# SPDX-License-Identifier: Apache-2.0
"""Whatever is edited past the provider shows, in every column of every table that the chain covers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_provider_mlconnector.trail import schema
from airflow_provider_mlconnector.trail.database import UtcTime
from airflow_provider_mlconnector.trail.records import Problem
from airflow_provider_mlconnector.trail.store import Trail
from tests.clocks import StandingClock
from tests.unit.trail.conftest import DATABASES, emptied
from tests.unit.trail.story import Hand, hand_of, whole_story
from tests.unit.trail.support import FLOW, run_ref

COVERED = ("runs", "events", "chain", "flows", "batches", "books", "cells", "rejects")
NOT_OF_A_READ_THAT_NEVER_ENDED = {"run_id", "mode", "started_at"}
"""Columns of a batch that nothing covers before its read is over."""


def columns_of(table: str) -> list[str]:
    return [column.name for column in schema.metadata.tables[table].columns]


def keys_of(table: str) -> list[str]:
    return [column.name for column in schema.metadata.tables[table].primary_key.columns]


@dataclass(frozen=True)
class Story:
    """The trail that everything happened on, and a hand that writes past it."""

    trail: Trail
    hand: Hand

    def rows(self, table: str) -> list[dict[str, Any]]:
        names = columns_of(table)
        listed = ", ".join(f'"{name}"' for name in names)
        return [dict(zip(names, row, strict=True)) for row in self.hand(f"SELECT {listed} FROM {table}")]

    def put(self, table: str, row: dict[str, Any], column: str, value: Any) -> None:
        """Write one value into one row."""
        keys = {name: row[name] for name in keys_of(table)}
        where = " AND ".join(f'"{name}" = ?' for name in keys)
        self.hand(f'UPDATE {table} SET "{column}" = ? WHERE {where}', (value, *keys.values()))

    def delete(self, table: str, row: dict[str, Any]) -> None:
        where = " AND ".join(f'"{key}" = ?' for key in keys_of(table))
        self.hand(f"DELETE FROM {table} WHERE {where}", [row[key] for key in keys_of(table)])

    def insert(self, table: str, row: dict[str, Any]) -> None:
        listed, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
        self.hand(f"INSERT INTO {table} ({listed}) VALUES ({marks})", list(row.values()))

    def problems_with(self, table: str, row: dict[str, Any], column: str, value: Any) -> list[Problem]:
        """Return what a check finds while one value is another."""
        self.put(table, row, column, value)
        try:
            return self.trail.verify()
        finally:
            self.put(table, {**row, column: value}, column, row[column])


@pytest.fixture(scope="module", params=DATABASES)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("story") / "trail.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        url = f"sqlite:///{file}"
    else:
        url = str(request.getfixturevalue("postgres_with_schema"))
        emptied(url)
    clock = StandingClock()
    trail = Trail(url, clock=clock)
    trail.open_run(run_ref(), requested_by="ada")
    whole_story(trail, clock)
    assert trail.verify() == []
    yield Story(trail, hand_of(url))
    assert trail.verify() == []
    trail.close()


def other_values(column: sa.Column[Any], value: Any) -> Iterator[Any]:
    """Yield what somebody may write in place of a value: one of its kind, nothing, and nonsense."""
    if isinstance(column.type, sa.BigInteger):
        yield 1 if value is None else value + 1000
    elif isinstance(column.type, UtcTime):
        yield "2031-01-01T00:00:00.000000Z"
        yield "yesterday"
    elif value is None:
        yield "x"
    else:
        yield re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), value, count=1) + ("" if "1" in value else "x")
        yield f"{value}~"
    if column.nullable and value is not None:
        yield None


def is_named(problem: Problem, table: str, row: dict[str, Any]) -> bool:
    """Say whether a problem's subject tells which row it is about."""
    match table:
        case "chain" | "flows":
            return FLOW in problem.subject
        case "batches":
            never_ended = row["event"] is None and problem.subject.startswith(("batch b", "book journal_lines"))
            return never_ended or row["batch_id"] in problem.subject
        case "books" | "cells":
            return str(row.get("dataset") or row["import_name"]) in problem.subject
        case _:
            return str(row["run_id"]) in problem.subject


@pytest.mark.parametrize("story", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column) for table in COVERED for column in columns_of(table)],
)
def test_another_value_in_any_column_is_found_and_named(story: Story, table: str, column: str) -> None:
    rows = story.rows(table)
    assert rows
    for number, row in enumerate(rows):
        if table == "batches" and row["event"] is None and column in NOT_OF_A_READ_THAT_NEVER_ENDED:
            continue
        values = list(other_values(schema.metadata.tables[table].columns[column], row[column]))
        for value in values if number == 0 else [values[number % len(values)]]:
            problems = story.problems_with(table, row, column, value)
            assert any(is_named(problem, table, row) for problem in problems), (row, value, problems)
            assert all(problem.sentence and problem.advice for problem in problems)


@pytest.mark.parametrize("table", COVERED)
def test_a_row_that_is_gone_is_found_whichever_it_is(story: Story, table: str) -> None:
    for row in story.rows(table):
        story.delete(table, row)
        problems = story.trail.verify()
        story.insert(table, row)
        assert any(is_named(problem, table, row) for problem in problems), (row, problems)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("runs", "run_id"),
        ("events", "seq"),
        ("chain", "seq"),
        ("flows", "flow"),
        ("batches", "seq"),
        ("books", "period"),
        ("cells", "period"),
        ("rejects", "position"),
    ],
)
def test_a_row_that_nobody_wrote_is_found(story: Story, table: str, column: str) -> None:
    for row in story.rows(table):
        value = row[column]
        invented = {**row, column: f"{value}-2" if isinstance(value, str) else value + 50}
        invented |= {"batch_id": "b00"} if table == "batches" else {}
        story.insert(table, invented)
        problems = story.trail.verify()
        story.delete(table, invented)
        assert problems, row


def test_two_runs_that_were_swapped_are_both_named(story: Story) -> None:
    def swap(one: str, other: str) -> None:
        for table in ("events", "rejects"):
            for old, new in ((one, "aside"), (other, one), ("aside", other)):
                story.hand(f"UPDATE {table} SET run_id = ? WHERE run_id = ?", (new, old))

    swap("first", "second")
    problems = story.trail.verify()
    swap("second", "first")
    named = {problem.subject.split(" ")[0] for problem in problems}
    assert {"first", "second"} <= named
