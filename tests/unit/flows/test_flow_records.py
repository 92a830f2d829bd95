# SPDX-License-Identifier: Apache-2.0
"""Flows that load records, and ledgers that cannot give what a flow asks for."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import FlowError
from airflow_provider_mlconnector.flows.plans import load_plans

ACCOUNTS = "columns: {Code: account, Name: name, Parent: parent}\n"
BY_SYSPRO = ("system: business_central", "system: syspro")


def test_records_may_say_that_they_are_there_and_name_what_removes_them(folder):
    columns = "columns: {Code: account, Name: name, Parent: parent, There: present}\n    delete: Delete Gone\n"
    flow = folder.load((ACCOUNTS, columns))
    assert [plan.delete for plan in load_plans(flow)] == ["Delete Gone", "", ""]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (ACCOUNTS, f"{ACCOUNTS}    delete: Delete Gone\n", "nothing tells the action which records are gone"),
        ("      Time: period\n", "      Time: period\n      There: present\n", "unknown column of journal_lines"),
    ],
)
def test_what_makes_no_sense_for_records_or_cells_is_refused(folder, old, new, sentence):
    with pytest.raises(FlowError, match=sentence):
        folder.load((old, new))
