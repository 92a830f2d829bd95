# SPDX-License-Identifier: Apache-2.0
"""Lists keyed by an ERP's ids: texts as properties, figures in a module, and the action that clears them up."""

from __future__ import annotations

from tests.unit.sandbox.anaplan.caller import counts

HEADER = "Code,Name,Item,Warehouse\n"
FIGURES = "Record,Entity,Quantity,Allocated,Value,Present\n"


def items(anaplan):
    list_id = anaplan.info["list_ids"]["Stock"]
    return {item["code"]: item for item in anaplan.get(f"/lists/{list_id}/items?includeAll=true").json()["listItems"]}


def test_further_columns_are_properties_that_a_later_import_changes(anaplan):
    anaplan.load("Load Stock", HEADER + "A/1,A/1,A,1\nB/1,B/1,B,1\n")
    task = anaplan.load("Load Stock", HEADER + "B/1,B/1,B,2\n")
    assert counts(task)["successUpdateCount"] == 1
    assert {code: item["properties"] for code, item in items(anaplan).items()} == {
        "A/1": {"Item": "A", "Warehouse": "1"},
        "B/1": {"Item": "B", "Warehouse": "2"},
    }


def test_the_action_removes_what_was_set_to_0_and_nothing_that_has_no_figures_yet(anaplan):
    anaplan.load("Load Stock", HEADER + "A/1,A/1,A,1\nB/1,B/1,B,1\nC/1,C/1,C,1\n")
    anaplan.load("Load Stock Data", FIGURES + "A/1,Larkfield,1,0,1,1\nB/1,Larkfield,0,0,0,0\n")
    anaplan.control("POST", "/tasks", {"action": "Delete Gone Stock"})
    assert items(anaplan).keys() == {"A/1", "C/1"}


def test_a_record_of_two_entities_stays_while_one_of_them_has_it(anaplan):
    anaplan.load("Load Stock", HEADER + "A/1,A/1,A,1\n")
    rows = "A/1,Larkfield,0,0,0,0\nA/1,Larkfield Trading,1,0,1,1\n"
    anaplan.load("Load Stock Data", FIGURES + rows)
    anaplan.control("POST", "/tasks", {"action": "Delete Gone Stock"})
    assert items(anaplan).keys() == {"A/1"}
