# SPDX-License-Identifier: Apache-2.0
"""Pages in order of a key: nothing lost or doubled when rows come and go meanwhile; links that are relative."""

import json
import re
from itertools import pairwise

import pytest

from airflow_provider_mlconnector.errors import ProtocolError, RemoteError
from airflow_provider_mlconnector.systems.http.keyset import keyset_pages
from airflow_provider_mlconnector.systems.http.odata import ODataReader
from airflow_provider_mlconnector.systems.http.session import HttpSession
from tests.unit.systems.http.scripted_server import Reply, as_json, quick, serving


class Table:
    """A set of numbers, served in order, ``largest`` rows a page; ``meanwhile`` happens after each page."""

    def __init__(self, numbers, *, largest=1000, counts=True, meanwhile=lambda table: None):
        self.numbers = sorted(numbers)
        self.largest = largest
        self.counts = counts
        self.meanwhile = meanwhile
        self.asked = []
        self.refuse_above = 10**9

    def __call__(self, request):
        query = {name: values[0] for name, values in request.query.items()}
        self.asked.append(query)
        if int(query["$top"]) > self.refuse_above:
            return Reply(413)
        behind = re.search(r"Id gt (\d+)", query.get("$filter", ""))
        left = [number for number in self.numbers if behind is None or number > int(behind[1])]
        page = left[: min(int(query["$top"]), self.largest)]
        body = {"value": [{"Id": number} for number in page]}
        if query.get("$count") == "true" and self.counts:
            body["@odata.count"] = len(left)
        self.meanwhile(self)
        return as_json(body)


def read(table, *, page_size=10, params=None):
    with serving(table) as server:
        session = HttpSession(server.url, quick())
        reader = ODataReader(session, page_size=page_size)
        pages = keyset_pages(reader, "Set", params or {}, ["Id"], counted=True)
        return [json.loads(bytes(row))["Id"] for page in pages for row in page.rows]


@pytest.mark.parametrize("counts", [True, False], ids=["counted", "not counted"])
@pytest.mark.parametrize("largest", [1000, 7, 10])
@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 35])
def test_every_row_comes_once_whatever_the_size_of_the_servers_pages(rows, largest, counts):
    numbers = range(100, 100 + rows)
    assert read(Table(numbers, largest=largest, counts=counts)) == list(numbers)


def test_a_row_that_goes_in_front_of_the_page_takes_no_other_with_it():
    table = Table(range(40), meanwhile=lambda table: table.numbers.pop(0))
    table.numbers = list(range(100, 140))
    assert read(table) == list(range(100, 140))


def test_rows_that_come_behind_the_page_do_not_push_the_last_ones_out():
    def add_one(table):
        table.numbers = sorted({*table.numbers, table.numbers[-1] - len(table.asked)})

    seen = read(Table(range(0, 400, 10), meanwhile=add_one))
    assert set(range(0, 400, 10)) <= set(seen)
    assert all(one < other for one, other in pairwise(seen))


def test_rows_that_the_server_counted_and_never_gave_are_an_error():
    def lose_the_last(table):
        table.numbers = table.numbers[:15]

    with pytest.raises(ProtocolError, match="Of 40 rows of Set that the server counted, 15 came"):
        read(Table(range(40), meanwhile=lose_the_last))


def test_the_filter_stays_beside_the_key():
    table = Table(range(25))
    read(table, params={"$filter": "A eq 1 or A eq 2"})
    assert [query["$filter"] for query in table.asked] == [
        "A eq 1 or A eq 2",
        "(A eq 1 or A eq 2) and (Id gt 9)",
        "(A eq 1 or A eq 2) and (Id gt 19)",
    ]
    assert {query["$orderby"] for query in table.asked} == {"Id"}


def test_a_page_that_is_too_much_is_asked_for_by_half():
    table = Table(range(900))
    table.refuse_above = 300
    assert read(table, page_size=1000) == list(range(900))
    table = Table(range(900))
    table.refuse_above = 10
    with pytest.raises(RemoteError):
        read(table, page_size=1000)


@pytest.mark.parametrize("link", ["Set?$skip=2", "/data/Set?$skip=2", "?$skip=2"])
def test_a_relative_link_is_followed_from_where_it_was_found(link):
    def answer(request):
        if "$skip" in request.query:
            return as_json({"value": [{"Id": 3}]})
        return as_json({"value": [{"Id": 1}, {"Id": 2}], "@odata.nextLink": link})

    with serving(answer) as server:
        session = HttpSession(f"{server.url}/data", quick())
        pages = list(ODataReader(session, page_size=2).pages("Set"))
        assert [len(page.rows) for page in pages] == [2, 1]
        assert server.requests[-1].path == "/data/Set"
