# SPDX-License-Identifier: Apache-2.0
"""Datasets of which an ERP tells no changes: read whole each time, and staged only when something differs."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.pipeline.extract import extract
from airflow_provider_mlconnector.trail.records import EventKind
from tests.unit.pipeline.closing import Close
from tests.unit.pipeline.support import PERIOD, account, read_plan, records

COLUMNS = {"Code": "account", "Name": "name", "Parent": "parent"}


@pytest.fixture
def accounts(ledger):
    ledger.rows[Dataset.ACCOUNTS] = [account("1", "One"), account("2", "Two")]
    return ledger.rows[Dataset.ACCOUNTS]


def read(bench, ledger, run):
    return extract(bench, ledger, read_plan(Dataset.ACCOUNTS, "Load accounts"), run, PERIOD)


def test_the_same_rows_in_any_order_are_not_staged_again(bench, ledger, new_run, accounts):
    first = read(bench, ledger, new_run())
    accounts.reverse()
    again = read(bench, ledger, new_run())
    assert (first.file is None, again.file, again.rows) == (False, None, 2)
    assert again.book_version == first.book_version


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[0].update(name="Uno"),
        lambda rows: rows[0].update(parent="2"),
        lambda rows: rows.pop(),
        lambda rows: rows.append(account("3", "Three")),
        lambda rows: rows.append(dict(rows[0])),
        lambda rows: rows[0].update(name=None, parent="One"),
    ],
    ids=["name", "parent", "gone", "new", "twice", "moved to another column"],
)
def test_one_row_that_differs_brings_a_new_book(bench, ledger, new_run, accounts, change):
    read(bench, ledger, new_run())
    for row in accounts:
        row["name"] = row["name"] or ""
    change(accounts)
    accounts[0]["name"] = accounts[0]["name"] or ""
    assert read(bench, ledger, new_run()).file is not None


def test_a_run_that_is_to_read_whole_stages_whatever_came(bench, ledger, new_run, accounts):
    read(bench, ledger, new_run())
    assert read(bench, ledger, new_run("whole")).file is not None


def test_a_list_that_did_not_change_is_not_even_looked_at(bench, ledger, model, new_run, accounts):
    plan = records(Dataset.ACCOUNTS, COLUMNS)
    model.header = tuple(COLUMNS)
    first = new_run()
    made = Close(bench, ledger, model, first, plan=plan).prepare(read(bench, ledger, first))
    assert made.cells_sent == 2
    Close(bench, ledger, model, first, plan=plan).load(made)
    second = new_run()
    again = Close(bench, ledger, model, second, plan=plan).prepare(read(bench, ledger, second))
    assert again.cells_sent == 0
    assert EventKind.UNCHANGED in {event.kind for event in bench.trail.events(second.run_id)}
