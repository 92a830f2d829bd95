# SPDX-License-Identifier: Apache-2.0
"""A list that comes back from the model is held against the ledger's, and every difference is told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import HeaderError
from airflow_provider_mlconnector.pipeline.reference_back import Difference, DifferenceKind, compare_lists

COLUMNS = {"Code": "number", "Name": "name", "On Hold": "blocked", "Limit": "balance"}


def listed(code, name="Bee & Sons", hold="", limit="0"):
    return {"Code": code, "Name": name, "On Hold": hold, "Limit": limit, "Notes": "of no concern"}


def kept(number, name="Bee & Sons", blocked=None, balance=Decimal("0.000000")):
    return {"record_id": f"L/{number}", "number": number, "name": name, "blocked": blocked, "balance": balance}


def compare(members, rows):
    return compare_lists(members, rows, COLUMNS, "number")


def test_lists_that_say_the_same_have_no_differences():
    members = [listed(" 0001 ", limit="12.50"), listed("0002", name=" Hive ", hold="On hold")]
    rows = [kept("0002", "Hive", "On hold"), kept("0001", balance=Decimal("12.5"))]
    assert compare(members, rows) == []
    assert compare([], []) == []


def test_members_that_one_side_lacks_are_told_with_their_names():
    found = compare([listed("0001"), listed("1", "Typed by hand")], [kept("0001"), kept("0003", "New")])
    assert found == [
        Difference(DifferenceKind.NOT_IN_LIST, "0003", kept="New"),
        Difference(DifferenceKind.NOT_IN_LEDGER, "1", listed="Typed by hand"),
    ]
    assert [str(one) for one in found] == ["0003 (New) is not in the list", "1 (Typed by hand) is not in the ledger"]


def test_every_column_that_says_something_else_is_told_with_both_values():
    found = compare([listed("0001", "Bee", "On hold", "9")], [kept("0001", balance=Decimal("9.01"))])
    assert [(one.column, one.listed, one.kept) for one in found] == [
        ("Limit", "9", "9.01"),
        ("Name", "Bee", "Bee & Sons"),
        ("On Hold", "On hold", ""),
    ]
    assert str(found[1]) == "0001: Name is 'Bee' in the list and 'Bee & Sons' in the ledger"


def test_a_member_that_is_listed_twice_is_told_and_compared_once():
    found = compare([listed("0001"), listed("0001", "Other")], [kept("0001")])
    assert found == [Difference(DifferenceKind.TWICE, "0001", listed="Other")]


def test_a_text_where_the_ledger_has_a_number_or_a_switch_differs():
    assert len(compare([listed("1", limit="lots")], [kept("1")])) == 1
    rows = [{"account": "1", "blocked": True}, {"account": "2", "blocked": False}]
    members = [{"Code": "1", "Blocked": "TRUE"}, {"Code": "2", "Blocked": "true"}]
    (found,) = compare_lists(members, rows, {"Code": "account", "Blocked": "blocked"}, "account")
    assert (found.code, found.listed, found.kept) == ("2", "true", "false")


@pytest.mark.parametrize("columns", [{"Name": "name"}, {"Code": "number", "Name": "number"}])
def test_exactly_one_column_names_the_member(columns):
    with pytest.raises(HeaderError, match="exactly one"):
        compare_lists([], [], columns, "number")


def test_an_export_without_a_column_is_refused():
    with pytest.raises(HeaderError, match="On Hold"):
        compare([{"Code": "1", "Name": "x", "Limit": ""}], [])
