# SPDX-License-Identifier: Apache-2.0
"""Paging by key: what is asked for, and when a read is over."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from airflow_provider_mlconnector.errors import ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.http.keyset import PASSES, behind, keyset_pages, literal, skipped_pages
from airflow_provider_mlconnector.systems.http.odata import ODataReader
from airflow_provider_mlconnector.systems.http.session import HttpSession
from tests.unit.systems.http.scripted_server import as_json, in_turn, quick, serving


def page(*keys):
    return as_json({"value": [{"A": a, "B": b} for a, b in keys]})


A1, A2, B1, B2 = ("a", 1), ("a", 2), ("b", 1), ("b", 2)


def read(server, pages, **params):
    session = HttpSession(server.url, quick())
    reader = ODataReader(session, page_size=2)
    found = list(pages(reader, "T", params, ("A", "B")))
    assert all(len(json.loads(bytes(one.body))["value"]) == len(one.rows) for one in found)
    return [len(one.rows) for one in found]


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
            "(C eq 1) and (A gt 'a' or (A eq 'a' and (B gt 2)))",
            "(C eq 1) and (A gt 'b' or (A eq 'b' and (B gt 1)))",
        ]
        assert set(asked(server, "$orderby")) == {"A,B"}
        assert set(asked(server, "$top")) == {"2"}


def test_a_server_that_gives_the_same_row_for_ever_is_no_endless_read():
    with serving(in_turn(page(("a", 1)))) as server, pytest.raises(ProtocolError, match="a row came twice"):
        read(server, keyset_pages)


def test_by_skip_each_page_begins_with_the_row_before_it_and_a_short_one_is_not_the_last():
    with serving(in_turn(page(A1, A2), page(A2, B1), page(B1), page())) as server:
        assert read(server, skipped_pages) == [2, 1]
        assert asked(server, "$skip") == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "pages",
    [
        [page(A2, B1), page(A2, B1), page(A1, A2), page(A2, B1), page(B1), page()],
        [page(A1, B1), page(B2), page(B1, B2), page(B2), page()],
        [page(A1, A2), page(), page(A1, B1), page(B1), page()],
    ],
    ids=["one comes in front", "one goes in front", "the last one goes"],
)
def test_by_skip_rows_that_lose_their_places_are_read_from_the_beginning_and_given_once(pages):
    with serving(in_turn(*pages)) as server:
        assert read(server, skipped_pages) == [2, 1]
        assert asked(server, "$skip").count("0") == 2


def test_by_skip_a_set_that_never_stands_still_is_an_error():
    moving = [page(A1, A2), page(B1)]
    with serving(in_turn(*moving * PASSES)) as server, pytest.raises(ProtocolError, match="changed while it was read"):
        read(server, skipped_pages)


def test_a_page_that_stays_too_much_at_its_smallest_is_the_servers_error():
    with serving(in_turn(as_json({}, status=413))) as server, pytest.raises(RemoteError) as caught:
        read(server, keyset_pages)
    assert caught.value.status == 413
