# SPDX-License-Identifier: Apache-2.0
"""Paging by key: what is asked for, and when a read is over."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.http.keyset import behind, keyset_pages, literal, skipped_pages
from airflow_provider_mlconnector.systems.http.odata import ODataReader
from airflow_provider_mlconnector.systems.http.session import HttpSession
from tests.unit.systems.http.scripted_server import NO_JITTER, FakeClock, as_json, in_turn, serving


def page(*keys):
    return as_json({"value": [{"A": a, "B": b} for a, b in keys]})


def read(server, pages, **params):
    session = HttpSession(server.url, retry=NO_JITTER, clock=FakeClock())
    reader = ODataReader(session, page_size=2, clock=FakeClock())
    return [len(one.rows) for one in pages(reader, "T", params, ("A", "B"), size=2)]


def asked(server, name):
    return [request.query.get(name, [""])[0] for request in server.requests]


@pytest.mark.parametrize(
    ("key", "last", "where"),
    [
        (["A"], ["x"], "(A gt 'x')"),
        (["A", "B"], ["O'B  ", 2], "(A gt 'O''B  ' or (A eq 'O''B  ' and (B gt 2)))"),
        (
            ["A", "B", "C"],
            [1, Decimal("2.50"), "z"],
            "(A gt 1 or (A eq 1 and (B gt 2.50 or (B eq 2.50 and (C gt 'z')))))",
        ),
    ],
)
def test_the_rows_behind_one_are_those_of_a_larger_key(key, last, where):
    assert behind(key, last) == where


def test_literals_are_written_as_odata_has_them():
    assert [literal(value) for value in ("a'b", 7, Decimal("1E+3"))] == ["'a''b'", "7", "1000"]


def test_each_page_begins_behind_the_last_row_until_there_is_none():
    with serving(in_turn(page(("a", 1), ("a", 2)), page(("b", 1)), page())) as server:
        assert read(server, keyset_pages, **{"$filter": "C eq 1"}) == [2, 1]
        assert asked(server, "$filter") == [
            "C eq 1",
            "C eq 1 and (A gt 'a' or (A eq 'a' and (B gt 2)))",
            "C eq 1 and (A gt 'b' or (A eq 'b' and (B gt 1)))",
        ]
        assert set(asked(server, "$orderby")) == {"A,B"}
        assert set(asked(server, "$top")) == {"2"}


def test_a_server_that_gives_the_same_row_for_ever_is_no_endless_read():
    with serving(in_turn(page(("a", 1)))) as server, pytest.raises(ProtocolError, match="a row came twice"):
        read(server, keyset_pages)


def test_by_skip_a_shorter_page_than_was_asked_for_is_not_the_last():
    with serving(in_turn(page(("a", 1), ("a", 2)), page(("b", 1)), page(("c", 1)), page())) as server:
        assert read(server, skipped_pages) == [2, 1, 1]
        assert asked(server, "$skip") == ["0", "2", "3", "4"]


def test_a_page_that_stays_too_much_at_its_smallest_is_the_servers_error():
    with serving(in_turn(as_json({}, status=413))) as server, pytest.raises(RemoteError) as caught:
        read(server, keyset_pages)
    assert caught.value.status == 413
