# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    BadRequestError,
    LostAnswerError,
    NotFoundError,
    ProtocolError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from airflow_provider_mlconnector.systems.http.session import HttpSession
from tests.unit.systems.http.scripted_server import NO_JITTER, FakeClock, Reply, as_json, in_turn, quick, serving

OK = as_json({"fine": True})


def session(server, clock=None, **options):
    return HttpSession(server.url, quick(clock), **options)


def test_a_get_survives_a_burst_of_server_errors():
    with serving(in_turn(Reply(500), Reply(503), Reply(502), OK)) as server:
        http = session(server)
        assert http.request("GET", "things").json() == {"fine": True}
        assert http.requests_made == 4


def test_a_get_fails_with_the_last_error_when_it_never_ends():
    with serving(in_turn(as_json({"status": {"code": 500, "message": "boom"}}, 500))) as server:
        with pytest.raises(ServerError, match="boom") as caught:
            session(server).request("GET", "things", params={"secret": "s3cret"})
        assert len(server.requests) == 6
    assert caught.value.path == "/things"
    assert "s3cret" not in str(caught.value)


def test_a_post_is_not_repeated_after_a_server_error():
    with serving(in_turn(Reply(500), OK)) as server:
        with pytest.raises(ServerError):
            session(server).request("POST", "jobs", json={})
        assert len(server.requests) == 1


def test_a_post_is_repeated_after_a_refusal_by_rate():
    with serving(in_turn(Reply(429), OK)) as server:
        session(server).request("POST", "jobs", json={"a": 1})
        assert [request.json for request in server.requests] == [{"a": 1}, {"a": 1}]


def test_a_post_without_an_answer_is_a_lost_answer_and_sent_once():
    with serving(in_turn(Reply(silent=True))) as server:
        with pytest.raises(LostAnswerError):
            session(server).request("POST", "jobs", json={})
        assert len(server.requests) == 1


def test_a_post_that_may_take_effect_twice_is_repeated_when_its_answer_is_lost():
    with serving(in_turn(Reply(silent=True), OK)) as server:
        assert session(server).request("POST", "jobs", json={}, idempotent=True).ok
        assert len(server.requests) == 2


def test_a_get_without_an_answer_is_repeated():
    with serving(in_turn(Reply(silent=True), Reply(silent=True), OK)) as server:
        assert session(server).request("GET", "things").ok


def test_a_post_of_which_nothing_was_sent_is_repeated_until_the_tries_are_over():
    with serving(in_turn(OK)) as server:
        url = server.url
    clock = FakeClock()
    with pytest.raises(TransportError) as caught:
        HttpSession(url, quick(clock)).request("POST", "jobs", json={})
    assert not isinstance(caught.value, LostAnswerError)
    assert len(clock.waits) == 5


def test_a_read_timeout_of_a_get_is_repeated_unless_silence_is_an_answer():
    release = threading.Event()
    with serving(in_turn(Reply(delay=release), OK)) as server:
        assert HttpSession(server.url, quick(read_timeout=0.05)).request("GET", "things").ok
        release.set()
    with serving(in_turn(Reply(delay=(hold := threading.Event())))) as server:
        with pytest.raises(LostAnswerError):
            HttpSession(server.url, quick(read_timeout=0.05)).request("GET", "things", repeat_timeouts=False)
        assert len(server.requests) == 1
        hold.set()


def test_retry_after_in_seconds_and_as_a_date_is_waited_for():
    clock = FakeClock()
    date = format_datetime(clock.now() + timedelta(seconds=3 + 20), usegmt=True)
    replies = (Reply(429, headers={"Retry-After": "3"}), Reply(503, headers={"Retry-After": date}), OK)
    with serving(in_turn(*replies)) as server:
        session(server, clock).request("GET", "things")
    first, second = clock.waits
    assert first == 3 + NO_JITTER.base
    assert second == 20 - NO_JITTER.base


def test_a_refusal_by_rate_without_a_wait_waits_ten_seconds_and_tells_the_others():
    clock, told = FakeClock(), []
    with serving(in_turn(Reply(429), OK)) as server:
        session(server, clock, on_throttled=told.append).request("GET", "things")
    assert clock.waits == told == [10.0 + NO_JITTER.base]


def test_endless_refusals_by_rate_end_with_the_wait_that_was_asked_for():
    refusal = Reply(429, headers={"Retry-After": "400"})
    with serving(in_turn(refusal)) as server, pytest.raises(RateLimitedError) as caught:
        session(server).request("GET", "things")
    assert caught.value.retry_after == 400.0


def test_a_401_asks_for_new_credentials_once():
    tokens = iter(["old", "new"])
    refused = []
    with serving(in_turn(Reply(401), OK)) as server:
        http = session(
            server, authorize=lambda: {"Authorization": next(tokens)}, on_unauthorized=lambda used: refused.append(used)
        )
        http.request("POST", "jobs", json={})
        assert [request.headers["authorization"] for request in server.requests] == ["old", "new"]
    assert refused == [{"Authorization": "old"}]


def test_a_second_401_is_final():
    with serving(in_turn(Reply(401))) as server:
        http = session(server, authorize=lambda: {"Authorization": "x"}, on_unauthorized=lambda used: None)
        with pytest.raises(AuthenticationError):
            http.request("GET", "things")
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind"), [(400, BadRequestError), (404, NotFoundError), (405, BadRequestError), (501, BadRequestError)]
)
def test_client_errors_are_typed_and_final(status, kind):
    with serving(in_turn(Reply(status, b"<html>no</html>", {"x-request-id": "r-1"}))) as server:
        with pytest.raises(kind) as caught:
            session(server).request("GET", "things")
        assert len(server.requests) == 1
    assert caught.value.request_id == "r-1"


def test_a_link_to_another_host_is_refused_before_anything_is_sent():
    with serving(in_turn(OK)) as server:
        with pytest.raises(ProtocolError, match=r"evil\.example"):
            session(server).request("GET", "https://evil.example/page?token=1")
        assert server.requests == []


def test_a_redirect_to_another_host_is_refused_and_the_credentials_stay_here():
    with serving(in_turn(OK)) as other, serving(in_turn(Reply(302, headers={"Location": other.url + "/x"}))) as server:
        with pytest.raises(ProtocolError):
            session(server, authorize=lambda: {"Authorization": "secret"}).request("GET", "things")
        assert other.requests == []


def test_a_redirect_within_the_host_is_followed():
    with serving(in_turn(Reply(307, headers={"Location": "/moved"}), OK)) as server:
        session(server).request("GET", "things")
        assert [request.path for request in server.requests] == ["/things", "/moved"]


def test_a_body_that_breaks_off_is_asked_for_again():
    with serving(in_turn(Reply(200, b'{"half":', broken=True), OK)) as server:
        assert session(server).request("GET", "things").json() == {"fine": True}


def test_a_download_that_breaks_off_leaves_no_half_behind():
    sink = io.BytesIO(b"before")
    sink.seek(6)
    with serving(in_turn(Reply(200, b"half" * 200_000, broken=True), Reply(200, b"whole"))) as server:
        assert session(server).download("file", sink) == 5
    assert sink.getvalue() == b"beforewhole"


def test_a_download_that_always_breaks_off_fails():
    with serving(in_turn(Reply(200, b"half", broken=True))) as server:
        with pytest.raises(TransportError):
            session(server).download("file", io.BytesIO())
        assert len(server.requests) == 6


def test_the_budget_is_asked_before_every_send():
    asked = []
    with serving(in_turn(Reply(500), OK)) as server:
        session(server, before_request=lambda: asked.append(1)).request("GET", "things")
    assert len(asked) == 2


def test_the_guard_of_a_request_is_asked_before_every_send_and_ends_it():
    calls = []

    def guard():
        calls.append(1)
        if len(calls) == 3:
            raise PermissionError

    with serving(in_turn(Reply(500))) as server:
        with pytest.raises(PermissionError):
            session(server).request("PUT", "things", data=b"x", guard=guard)
        assert len(server.requests) == 2


def test_the_guard_is_asked_after_the_budget_which_may_wait():
    order = []
    with serving(in_turn(OK)) as server:
        http = session(server, before_request=lambda: order.append("budget"))
        http.request("PUT", "things", data=b"x", guard=lambda: order.append("guard"))
    assert order == ["budget", "guard"]


def test_a_session_that_takes_turns_has_one_request_on_its_way():
    running, most, lock = 0, 0, threading.Lock()

    def script(request):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return OK

    with serving(script) as server:
        http = session(server, one_at_a_time=True)
        threads = [threading.Thread(target=http.request, args=("GET", "things")) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == 1


def test_credentials_are_not_replaced_by_those_of_a_netrc(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(in_turn(OK)) as server:
        session(server, authorize=lambda: {"Authorization": "ours"}).request("GET", "things")
        assert server.requests[0].headers["authorization"] == "ours"


def test_a_configured_proxy_goes_before_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(in_turn(OK)) as proxy:
        http = HttpSession("http://erp.invalid", quick(proxies={"http": proxy.url}))
        http.request("GET", "things")
        assert proxy.requests[0].path == "/things"


def test_the_environments_proxy_is_taken_where_none_is_configured(monkeypatch):
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(in_turn(OK)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        HttpSession("http://erp.invalid", quick()).request("GET", "things")
        assert proxy.requests[0].headers["host"] == "erp.invalid"


def test_the_servers_clock_is_that_of_its_last_answer_that_tells_it():
    date = "Fri, 20 Nov 2026 06:00:07 GMT"
    with serving(in_turn(OK, Reply(500, headers={"Date": date}), Reply(200, headers={"Date": "soon"}))) as server:
        http = session(server)
        http.request("GET", "things")
        assert http.server_time is None
        http.request("GET", "things")
    assert http.server_time == datetime(2026, 11, 20, 6, 0, 7, tzinfo=UTC)


def test_a_login_service_is_waited_for_less_than_the_ledger_itself():
    patient = quick(read_timeout=900.0, verify="/etc/ca.pem", proxies={"https": "http://proxy:3128"})
    assert (patient.timeout, patient.to_login().timeout) == ((10.0, 900.0), (10.0, 60.0))
    assert replace(patient.to_login(), read_timeout=900.0) == patient
