# SPDX-License-Identifier: Apache-2.0
"""Each fault as a real HTTP client sees it."""

import http.client
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests
from fastapi import FastAPI, Request

from airflow_provider_mlconnector.sandbox import control
from airflow_provider_mlconnector.sandbox.faults import Fault, FaultKind
from airflow_provider_mlconnector.sandbox.gate import Connections, Gate
from airflow_provider_mlconnector.sandbox.running import SandboxServer, in_thread
from airflow_provider_mlconnector.sandbox.state import World

CONTENT = "0123456789" * 1000


class Fixture:
    """A server with one system 'shop' that counts what it was given."""

    def __init__(self) -> None:
        self.world = World.create()
        self.sold: list[bytes] = []
        app = FastAPI()
        app.include_router(control.router(self.world))

        @app.get("/shop/goods")
        async def goods() -> str:
            return CONTENT

        @app.post("/shop/sales")
        async def sell(request: Request) -> dict[str, int]:
            self.sold.append(await request.body())
            return {"sold": len(self.sold)}

        connections = Connections()
        self.server = SandboxServer(Gate(app, self.world, {"shop": "shop"}, connections), connections)
        self.url = ""

    def fault(self, kind: FaultKind, **more: object) -> int:
        return self.world.faults.add(Fault(kind, system="shop", **more))


@pytest.fixture
def shop():
    fixture = Fixture()
    with in_thread(fixture.server) as fixture.url:
        yield fixture


def test_a_status_fault_answers_in_the_systems_place(shop):
    shop.fault(FaultKind.STATUS, status=429, headers={"Retry-After": "7"}, body={"error": "slow down"})
    struck = requests.post(f"{shop.url}/shop/sales", data=b"one", timeout=5)
    assert (struck.status_code, struck.headers["Retry-After"], struck.json()) == (429, "7", {"error": "slow down"})
    assert shop.sold == []
    assert requests.post(f"{shop.url}/shop/sales", data=b"two", timeout=5).json() == {"sold": 1}


def test_a_lost_answer_did_its_work_and_sent_not_one_byte(shop):
    shop.fault(FaultKind.LOST_ANSWER)
    address = urlsplit(shop.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=5)
    connection.request("POST", "/shop/sales", b"one")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    assert shop.sold == [b"one"]


def test_a_reset_connection_did_no_work(shop):
    shop.fault(FaultKind.RESET)
    with pytest.raises(requests.ConnectionError) as caught:
        requests.post(f"{shop.url}/shop/sales", data=b"one", timeout=5)
    assert "ConnectionResetError" in repr(caught.value)
    assert shop.sold == []


def test_half_an_answer_is_seen_as_incomplete(shop):
    shop.fault(FaultKind.TRUNCATE)
    answer = requests.get(f"{shop.url}/shop/goods", timeout=5, stream=True)
    assert answer.headers["Content-Length"] == str(len(CONTENT) + 2)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        _ = answer.content


def test_a_slow_answer_arrives_whole_and_late(shop):
    shop.fault(FaultKind.SLOW, seconds=0.15)
    before = time.monotonic()
    assert requests.get(f"{shop.url}/shop/goods", timeout=5).json() == CONTENT
    assert time.monotonic() - before >= 0.15


def test_a_delayed_request_is_served_later(shop):
    shop.fault(FaultKind.DELAY, seconds=0.1)
    before = time.monotonic()
    assert requests.post(f"{shop.url}/shop/sales", data=b"one", timeout=5).json() == {"sold": 1}
    assert time.monotonic() - before >= 0.1


def test_a_hanging_request_is_served_once_the_fault_is_removed(shop):
    fault = shop.fault(FaultKind.HANG, times=None)
    threading.Timer(0.1, shop.world.faults.remove, [fault]).start()
    before = time.monotonic()
    assert requests.post(f"{shop.url}/shop/sales", data=b"one", timeout=5).json() == {"sold": 1}
    assert 0.1 <= time.monotonic() - before < 2


def test_a_held_answer_did_its_work_before_and_comes_once_the_fault_is_removed(shop):
    fault = shop.fault(FaultKind.HELD)
    threading.Timer(0.1, lambda: shop.sold and shop.world.faults.remove(fault)).start()
    before = time.monotonic()
    assert requests.post(f"{shop.url}/shop/sales", data=b"one", timeout=5).json() == {"sold": 1}
    assert 0.1 <= time.monotonic() - before < 2


def test_a_hanging_request_of_a_client_that_left_never_reaches_the_system(shop):
    fault = shop.fault(FaultKind.HANG, times=None)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{shop.url}/shop/sales", data=b"one", timeout=0.1)
    deadline = time.monotonic() + 2
    while shop.world.stats.in_flight("shop") and time.monotonic() < deadline:
        time.sleep(0.01)
    shop.world.faults.remove(fault)
    assert requests.post(f"{shop.url}/shop/sales", data=b"two", timeout=5).json() == {"sold": 1}


def test_the_server_stops_within_a_second_with_a_request_hanging():
    fixture = Fixture()
    with in_thread(fixture.server) as fixture.url:
        fixture.fault(FaultKind.HANG)
        client = threading.Thread(target=_ignore_errors, args=[f"{fixture.url}/shop/goods"])
        client.start()
        while not fixture.world.stats.count("shop"):
            time.sleep(0.005)
        before = time.monotonic()
    assert time.monotonic() - before < 1
    client.join(5)
    assert not client.is_alive()


def _ignore_errors(url: str) -> None:
    try:
        requests.get(url, timeout=10)
    except requests.RequestException:
        return


def test_skip_and_times_choose_which_requests_are_struck(shop):
    shop.fault(FaultKind.STATUS, skip=1, times=2, status=500)
    assert [requests.get(f"{shop.url}/shop/goods", timeout=5).status_code for _ in range(4)] == [200, 500, 500, 200]


def test_a_fault_may_name_method_and_query(shop):
    shop.fault(FaultKind.STATUS, method="get", path=r"/goods\?.*colour=dark red", times=None)
    assert requests.get(f"{shop.url}/shop/goods", params={"colour": "dark red"}, timeout=5).status_code == 503
    assert requests.get(f"{shop.url}/shop/goods", params={"colour": "blue"}, timeout=5).status_code == 200
    assert requests.post(f"{shop.url}/shop/sales", data=b"", timeout=5).status_code == 200


def test_faults_are_switched_on_and_off_over_http(shop):
    faults = f"{shop.url}/_sandbox/faults"
    added = requests.post(faults, json={"kind": "status", "system": "shop", "times": None}, timeout=5).json()
    assert requests.get(f"{shop.url}/shop/goods", timeout=5).status_code == 503
    assert [(row["id"], row["hits"]) for row in requests.get(faults, timeout=5).json()] == [(added["id"], 1)]
    assert requests.delete(f"{faults}/{added['id']}", timeout=5).status_code == 200
    assert requests.get(f"{shop.url}/shop/goods", timeout=5).status_code == 200


@pytest.mark.parametrize("fault", [{"kind": "explode"}, {"kind": "status", "path": "("}, {}])
def test_a_fault_that_makes_no_sense_is_refused(shop, fault):
    assert requests.post(f"{shop.url}/_sandbox/faults", json=fault, timeout=5).status_code == 422


def test_counts_are_told_by_path_and_status(shop):
    shop.fault(FaultKind.STATUS, status=500)
    for _ in range(3):
        requests.get(f"{shop.url}/shop/goods", timeout=5)
    told = requests.get(f"{shop.url}/_sandbox/stats", timeout=5).json()["shop"]
    assert told["by_path"] == {"GET /shop/goods": 3}
    assert told["by_status"] == {"500": 1, "200": 2}
    assert told["most_per_minute"] == 3


def test_the_clock_is_moved_over_http(shop):
    before = shop.world.clock.now()
    requests.post(f"{shop.url}/_sandbox/clock", json={"advance": 3600}, timeout=5)
    assert 3600 <= (shop.world.clock.now() - before).total_seconds() < 3700


def test_a_late_request_does_its_work_when_its_virtual_time_has_come(shop):
    shop.world.clock.freeze()
    shop.fault(FaultKind.LATE, seconds=30)
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{shop.url}/shop/sales", data=b"late", timeout=5)
    shop.world.clock.advance(29)
    assert requests.post(f"{shop.url}/shop/sales", data=b"meanwhile", timeout=5).json() == {"sold": 1}
    shop.world.clock.advance(1)
    assert requests.post(f"{shop.url}/shop/sales", data=b"after", timeout=5).json() == {"sold": 3}
    assert shop.sold == [b"meanwhile", b"late", b"after"]


def test_control_routes_see_the_work_of_late_requests_too(shop):
    shop.fault(FaultKind.LATE, seconds=30)
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{shop.url}/shop/sales", data=b"late", timeout=5)
    requests.post(f"{shop.url}/_sandbox/clock", json={"advance": 30}, timeout=5)
    assert shop.sold == []
    requests.get(f"{shop.url}/_sandbox/clock", timeout=5)
    assert shop.sold == [b"late"]
