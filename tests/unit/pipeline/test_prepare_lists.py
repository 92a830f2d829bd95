# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from airflow_provider_mlconnector.finance.crosswalk import MatchKind, Rule, crosswalk
from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.pipeline.plan import Shape
from tests.unit.pipeline.preparing import lines, problems
from tests.unit.pipeline.support import (
    account,
    line,
    records,
)


def accounts_with_parents(ledger, *pairs) -> None:
    ledger.rows[Dataset.ACCOUNTS] = [account(code, parent=parent) for code, parent in pairs]


ACCOUNTS = records(Dataset.ACCOUNTS, {"Code": "account", "Name": "name", "Parent": "parent"}, shape=Shape.RECORDS)


def test_parents_come_before_their_children(bench, ledger, prepared):
    accounts_with_parents(ledger, ("111", "11"), ("11", "1"), ("2", None), ("1", ""))
    codes = [row["Code"] for row in lines(bench, prepared(ACCOUNTS))]
    assert sorted(codes) == ["1", "11", "111", "2"]
    assert codes.index("1") < codes.index("11") < codes.index("111")


def test_a_parent_that_is_missing_or_runs_in_a_circle_is_quarantined(bench, ledger, prepared):
    accounts_with_parents(ledger, ("1", ""), ("2", "9"), ("21", "2"), ("3", "4"), ("4", "3"))
    done = prepared(ACCOUNTS)
    assert [row["Code"] for row in lines(bench, done)] == ["1"]
    assert problems(bench, done) == {
        "a2": "the parent '9' is not in the data",
        "a21": "above the parent '2' a member is missing, or the parents form a circle",
        "a3": "above the parent '4' a member is missing, or the parents form a circle",
        "a4": "above the parent '3' a member is missing, or the parents form a circle",
    }


def test_a_parent_is_mapped_as_the_members_are(bench, ledger, prepared):
    accounts_with_parents(ledger, ("1", ""), ("2", "1"))
    book = crosswalk("codes.csv", [Rule(MatchKind.EXACT, "1", "A"), Rule(MatchKind.EXACT, "2", "B")])
    done = prepared(replace(ACCOUNTS, crosswalks={"Code": book}))
    assert [(row["Code"], row["Parent"]) for row in lines(bench, done)] == [("A", ""), ("B", "A")]


def test_added_lines_are_members_that_no_row_stands_behind(bench, ledger, prepared):
    accounts_with_parents(ledger, ("1", "TOP"))
    plan = replace(ACCOUNTS, extra=({"Code": "TOP", "Name": "All"}, {"Code": "NONE", "Name": "None", "Parent": "TOP"}))
    done = prepared(plan)
    assert [row["Code"] for row in lines(bench, done)] == ["TOP", "1", "NONE"]
    assert (done.rows_book, done.rows_accepted, done.cells_now) == (1, 1, 3)


def test_a_line_per_record_is_addressed_by_its_id(bench, ledger, prepared):
    columns = {
        "id": "record_id",
        "Posted": "posting_date",
        "Changed": "modified_at",
        "Stat": "statistical",
        "Amount": "amount",
    }
    ledger.lines[:] = [line(1, amount="-0.50", statistical=False)]
    done = prepared(records(Dataset.JOURNAL_LINES, columns, shape=Shape.RECORDS))
    assert lines(bench, done) == [
        {"id": "e1", "Posted": "2025-11-02", "Changed": "2026-11-19T06:01:00Z", "Stat": "false", "Amount": "-0.5"}
    ]
