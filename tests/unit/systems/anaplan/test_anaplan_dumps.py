# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.anaplan.dumps import RowStatus, parse_dump, read_dump

DUMP = """\
"_Status_","Account","Cost Centre","Amount","_Line_","_Error_1_","_Error_2_"
"E","4000","NOWHERE","12.50","3","Invalid Cost Centre: NOWHERE","No such item"
"W","4010","ADM","1,5","7","Number format",""
"""


def test_rejected_and_warned_rows_are_told_apart_with_line_values_and_reasons():
    rejected, warned = parse_dump(DUMP.splitlines(keepends=True))
    assert (rejected.line, rejected.status) == (3, RowStatus.REJECTED)
    assert dict(zip(rejected.columns, rejected.values, strict=True)) == {
        "Account": "4000",
        "Cost Centre": "NOWHERE",
        "Amount": "12.50",
    }
    assert rejected.errors == ("Invalid Cost Centre: NOWHERE", "No such item")
    assert (warned.status, warned.errors) == (RowStatus.WARNED, ("Number format",))


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path):
    path = tmp_path / "dump.csv"
    path.write_bytes(b"\xef\xbb\xbf" + DUMP.replace("\n", "\r\n").encode())
    assert [row.line for row in read_dump(path)] == [3, 7]


def test_an_empty_dump_has_no_rows():
    assert list(parse_dump([])) == []


@pytest.mark.parametrize(
    "text",
    [
        "<html>\n",
        "Account,Amount\n4000,1\n",
        '"_Status_","A","_Line_"\n"E","x"\n',
        '"_Status_","A","_Line_"\n"E","x","y"\n',
    ],
)
def test_anything_else_than_a_dump_is_a_protocol_error(text):
    with pytest.raises(ProtocolError):
        list(parse_dump(text.splitlines(keepends=True)))


cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
dumped = st.tuples(st.sampled_from("EW"), st.lists(cell, min_size=3, max_size=3), st.integers(1, 10**9), cell)


@settings(deadline=None)
@given(header=st.lists(cell, min_size=3, max_size=3), rows=st.lists(dumped, max_size=20))
def test_whatever_is_in_the_cells_comes_back_as_it_was(header, rows):
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["_Status_", *header, "_Line_", "_Error_1_"])
    writer.writerows([status, *values, line, reason] for status, values, line, reason in rows)
    parsed = list(parse_dump(io.StringIO(text.getvalue(), newline="")))
    assert [(row.status, list(row.values), row.line, row.errors) for row in parsed] == [
        (status, values, line, (reason,) if reason else ()) for status, values, line, reason in rows
    ]
    assert all(row.columns == tuple(header) for row in parsed)
