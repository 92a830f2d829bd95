# SPDX-License-Identifier: Apache-2.0
import json
import threading

import pytest

from airflow_provider_mlconnector.errors import BadRequestError, ProtocolError, ServerError
from airflow_provider_mlconnector.systems.http.odata import (
    PAGE_TRIES,
    ODataReader,
    Reduction,
    overlapped,
)
from airflow_provider_mlconnector.systems.http.session import HttpSession
from tests.unit.systems.http.scripted_server import Reply, Request, as_json, in_turn, quick, serving


def reader_of(server, page_size: int = 1000) -> ODataReader:
    session = HttpSession(server.url, quick())
    return ODataReader(session, page_size=page_size, headers={"X-Read": "yes"})


def numbers(pages) -> list[int]:
    return [json.loads(bytes(raw))["n"] for page in pages for raw in page.rows]


def page_size_of(request: Request) -> int:
    return int(request.headers["prefer"].removeprefix("odata.maxpagesize="))


class Collection:
    """Rows 0 to n - 1 behind server-driven paging; refuses pages that hold a bad row unless it is asked for less."""

    def __init__(self, rows: int, *, bad: frozenset[int] = frozenset(), too_much: int = 10**9) -> None:
        self.rows = rows
        self.bad = bad
        self.too_much = too_much
        self.url = ""

    def __call__(self, request: Request) -> Reply:
        start = int(request.query.get("$skiptoken", ["0"])[0])
        size = page_size_of(request)
        if size > self.too_much:
            return as_json({"error": {"code": "Gateway", "message": "too long"}}, status=408)
        chosen = range(start, min(start + size, self.rows))
        if "$expand" in request.query and self.bad & set(chosen):
            return as_json({"error": {"code": "X", "message": "Dimension Value does not exist"}}, status=404)
        body = {"value": [{"n": number} for number in chosen]}
        if chosen.stop < self.rows:
            expand = "&$expand=lines" if "$expand" in request.query else ""
            body["@odata.nextLink"] = f"{self.url}/set?aid=FIN&$skiptoken={chosen.stop}{expand}"
        return as_json(body)


REDUCTION = Reduction(
    applies=lambda error: "Dimension Value" in error.message,
    reduce=lambda link: link.replace("$expand=lines", "").rstrip("&?"),
    restore=lambda link: f"{link}&$expand=lines",
)


def test_links_are_followed_as_they_are_and_every_page_asks_for_its_size():
    collection = Collection(25)
    with serving(collection) as server:
        collection.url = server.url
        assert numbers(reader_of(server, 10).pages("set", {"$filter": "a eq 'b c'"})) == list(range(25))
        assert [request.query.get("$skiptoken") for request in server.requests] == [None, ["10"], ["20"]]
        assert server.requests[0].query["$filter"] == ["a eq 'b c'"]
        assert server.requests[1].query == {"aid": ["FIN"], "$skiptoken": ["10"]}
        assert {request.headers["prefer"] for request in server.requests} == {"odata.maxpagesize=10"}
        assert {request.headers["x-read"] for request in server.requests} == {"yes"}


@pytest.mark.parametrize("foreign", ["http://localhost:1/set", "https://127.0.0.1/set", "https://evil.example/set"])
def test_a_link_to_another_origin_is_not_followed(foreign):
    with serving(lambda request: as_json({"value": [{"n": 1}], "@odata.nextLink": foreign})) as server:
        with pytest.raises(ProtocolError, match="leads from"):
            numbers(reader_of(server).pages("set"))
        assert len(server.requests) == 1


def test_links_that_lead_in_a_circle_end_the_read():
    links = {"/a": "/b", "/b": "/a"}

    def script(request: Request) -> Reply:
        return as_json({"value": [{"n": 1}], "@odata.nextLink": server.url + links[request.path]})

    with serving(script) as server, pytest.raises(ProtocolError, match="circle"):
        numbers(reader_of(server).pages(f"{server.url}/a"))


HALF = Reply(body=b'{"value":[{"n":1},{"n":2}', headers={"Content-Type": "application/json"})
WHOLE = as_json({"value": [{"n": 1}, {"n": 2}]})


@pytest.mark.parametrize(
    "broken",
    [
        HALF,
        Reply(body=b""),
        Reply(body=b"<html>"),
        as_json({"error": {"code": "Internal_ServerError", "message": "half way"}}),
        Reply(body=b'{"value":[{"n":1},{"n"', broken=True),
    ],
    ids=["half a page", "nothing", "html", "an error in a 200", "cut off on the wire"],
)
def test_a_broken_page_is_asked_for_again(broken):
    with serving(in_turn(broken, WHOLE)) as server:
        assert numbers(reader_of(server).pages("set")) == [1, 2]
        assert len(server.requests) == 2


def test_a_page_that_stays_broken_is_an_error_and_not_a_short_read():
    with serving(in_turn(HALF)) as server:
        with pytest.raises(ProtocolError, match=f"broken {PAGE_TRIES} times"):
            numbers(reader_of(server).pages("set"))
        assert len(server.requests) == PAGE_TRIES


def test_a_byte_order_mark_before_the_page_does_no_harm():
    with serving(in_turn(Reply(body=b"\xef\xbb\xbf" + WHOLE.body))) as server:
        assert numbers(reader_of(server).pages("set")) == [1, 2]


def test_a_page_that_is_too_much_is_halved_and_stays_so():
    collection = Collection(3000, too_much=500)
    with serving(collection) as server:
        collection.url = server.url
        assert numbers(reader_of(server, 2000).pages("set")) == list(range(3000))
        assert [page_size_of(request) for request in server.requests[:4]] == [2000, 1000, 500, 500]


def test_a_small_page_that_is_still_too_much_is_the_servers_error():
    with serving(Collection(10, too_much=0)) as server, pytest.raises(BadRequestError):
        numbers(reader_of(server, 1000).pages("set"))


def test_a_row_that_the_server_fails_on_is_isolated_and_read_reduced():
    collection = Collection(40, bad=frozenset({0, 13, 14, 39}))
    with serving(collection) as server:
        collection.url = server.url
        pages = list(reader_of(server, 16).pages("set", {"$expand": "lines"}, reduction=REDUCTION))
        assert numbers(pages) == list(range(40))
        assert numbers([page for page in pages if page.reduced]) == [0, 13, 14, 39]
        assert "$expand" in server.requests[-1].query or pages[-1].reduced


def test_windows_go_on_until_one_is_short_and_follow_links_within():
    def script(request: Request) -> Reply:
        if "link" in request.query:
            return as_json({"value": [{"n": 3}]})
        start, top = int(request.query["$skip"][0]), int(request.query["$top"][0])
        rows = [{"n": number} for number in range(start, min(start + top, 10))]
        if start == 0:
            return as_json({"value": rows[:3], "@odata.nextLink": f"{server.url}/set?link=1"})
        return as_json({"value": rows})

    with serving(script) as server:
        assert numbers(reader_of(server, 4).windows("set", {"$orderby": "n"})) == list(range(10))
        assert [request.query["$skip"] for request in server.requests if "$skip" in request.query] == [
            ["0"],
            ["4"],
            ["8"],
        ]


def test_pages_are_worked_on_in_order_while_the_next_ones_load():
    loaded, third = [], threading.Event()

    def pages():
        for number in range(6):
            loaded.append(number)
            if number == 2:
                third.set()
            yield number

    def work(number: int) -> int:
        if number == 0:
            assert third.wait(2), "nothing was loaded while the first page was worked on"
        return number * 10

    assert list(overlapped(pages(), work, ahead=3)) == [0, 10, 20, 30, 40, 50]


def test_no_more_pages_are_loaded_than_allowed_ahead_and_a_reader_that_leaves_stops_the_loading():
    loaded = []

    def pages():
        for number in range(1000):
            loaded.append(number)
            yield number

    results = overlapped(pages(), lambda number: number, ahead=3)
    assert next(results) == 0
    results.close()
    assert len(loaded) <= 1 + 3


@pytest.mark.parametrize("where", ["loading", "working"])
def test_an_error_on_the_way_reaches_the_reader_after_the_pages_before_it(where):
    def pages():
        yield 1
        if where == "loading":
            raise ServerError("down")
        yield 2

    def work(number: int) -> int:
        if number == 2:
            raise ServerError("down")
        return number

    results = overlapped(pages(), work)
    assert next(results) == 1
    with pytest.raises(ServerError):
        next(results)


@pytest.mark.parametrize(("told", "count"), [("42", 42), ("\ufeff0\r\n", 0), ("many", None), ("", None)])
def test_a_count_is_what_the_server_says_and_nothing_where_it_says_no_number(told, count):
    with serving(in_turn(Reply(200, told.encode()))) as server:
        assert reader_of(server).count("Lines", {"$filter": "Amount gt 1"}) == count
        (asked,) = server.requests
    assert (asked.path, asked.query) == ("/Lines/$count", {"$filter": ["Amount gt 1"]})
    assert asked.headers["accept"] == "*/*"
