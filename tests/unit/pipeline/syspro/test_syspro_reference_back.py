# SPDX-License-Identifier: Apache-2.0
"""Lists that come back from the model, held against SYSPRO's suppliers, customers and accounts."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.finance.datasets import Dataset
from airflow_provider_mlconnector.pipeline.reference_back import DifferenceKind, as_text, compare_lists
from airflow_provider_mlconnector.sandbox.running import serve
from tests.unit.systems.syspro.reading import SysproSite, rows_of

LISTS = {
    Dataset.VENDORS: ({"Code": "number", "Name": "name", "On Hold": "blocked", "Currency": "currency"}, "number"),
    Dataset.CUSTOMERS: ({"Code": "number", "Name": "name", "On Hold": "blocked"}, "number"),
    Dataset.ACCOUNTS: (
        {"Code": "account", "Name": "name", "Parent": "parent", "Statistical": "statistical"},
        "account",
    ),
}


@pytest.fixture(scope="module")
def site():
    with serve(["syspro"], scale=0.02) as sandbox:
        opened = SysproSite(sandbox)
        yield opened
        opened.close()


@pytest.mark.parametrize("dataset", LISTS)
def test_a_list_that_was_loaded_comes_back_the_same_and_every_change_is_told(site, dataset):
    columns, key = LISTS[dataset]
    kept, _ = rows_of(site.client(), dataset)
    listed = [{name: as_text(row[column]) for name, column in columns.items()} for row in kept]
    assert len(listed) > 5
    assert compare_lists(listed, kept, columns, key) == []

    gone, renamed = listed.pop(0), listed[0]
    renamed["Name"] += " Ltd"
    listed.append({**renamed, "Code": "NEW-1", "Name": "Typed by a planner"})
    found = {one.code: one for one in compare_lists(listed, kept, columns, key)}
    assert found["NEW-1"].kind is DifferenceKind.NOT_IN_LEDGER
    assert found[gone["Code"]].kind is DifferenceKind.NOT_IN_LIST
    assert (found[renamed["Code"]].column, found[renamed["Code"]].listed) == ("Name", renamed["Name"])
    assert len(found) == 3
