# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    DeadlineError,
    LostAnswerError,
    ProtocolError,
)
from airflow_provider_mlconnector.systems.anaplan.auth import (
    OAuthLogin,
    fingerprint,
)
from airflow_provider_mlconnector.systems.anaplan.hosts import Hosts
from airflow_provider_mlconnector.systems.anaplan.local import LocalTokenStore
from airflow_provider_mlconnector.systems.anaplan.login_service import LoginService
from airflow_provider_mlconnector.systems.anaplan.oauth import authorization_url, device_grant, exchange_code
from airflow_provider_mlconnector.systems.http.transport import Transport
from tests.unit.systems.anaplan.fake_anaplan import access, hosts_of
from tests.unit.systems.http.scripted_server import Reply, as_json, in_turn, serving

HOSTS = Hosts("https://api.example/2/0", "https://auth.example", "https://oauth.example")


class RefreshTokens(LocalTokenStore):
    """Notes when a refresh token is durable."""

    def __init__(self, clock, log):
        super().__init__(clock)
        self.log = log

    def token(self, key, *, fresh, early):
        def noted(last, refresh_token):
            token, rotated = fresh(last, refresh_token)
            self.log.append(("stored", rotated))
            return token, rotated

        return super().token(key, fresh=noted, early=early)


def grant(access_token, refresh_token=None, expires_in=2100):
    body = {"access_token": access_token, "expires_in": expires_in, "token_type": "Bearer"}
    return as_json({**body, "refresh_token": refresh_token} if refresh_token else body)


def test_a_rotated_refresh_token_is_stored_before_the_access_token_is_used(clock):
    log = []
    login = OAuthLogin("client", rotatable=True)
    with serving(in_turn(grant("A1", "R2"), grant("A2", "R3"))) as running:
        store = RefreshTokens(clock, log)
        store.put_refresh_token(fingerprint(hosts_of(running), login), "R1")
        door = access(running, login, clock, store)
        log.append(("used", door.headers()["Authorization"]))
        clock.advance(2100)
        log.append(("used", door.headers()["Authorization"]))
        assert [request.json["refresh_token"] for request in running.requests] == ["R1", "R2"]
    assert log == [("stored", "R2"), ("used", "Bearer A1"), ("stored", "R3"), ("used", "Bearer A2")]


def test_a_refresh_token_that_does_not_rotate_is_kept(clock):
    login = OAuthLogin("client", client_secret="shh")
    with serving(in_turn(grant("A1"), grant("A2", "R1"))) as running:
        store = LocalTokenStore(clock)
        store.put_refresh_token(fingerprint(hosts_of(running), login), "R1")
        door = access(running, login, clock, store)
        door.headers()
        clock.advance(2100)
        door.headers()
        assert [request.json["refresh_token"] for request in running.requests] == ["R1", "R1"]
        assert running.requests[0].json["client_secret"] == "shh"


@pytest.mark.parametrize(("rotatable", "sends"), [(True, 1), (False, 2)])
def test_a_rotating_refresh_token_is_not_sent_twice_when_the_answer_is_lost(clock, rotatable, sends):
    login = OAuthLogin("client", rotatable=rotatable)
    with serving(in_turn(Reply(silent=True), grant("A1", "R2"))) as running:
        store = LocalTokenStore(clock)
        store.put_refresh_token(fingerprint(hosts_of(running), login), "R1")
        door = access(running, login, clock, store)
        if rotatable:
            with pytest.raises(LostAnswerError):
                door.headers()
        else:
            door.headers()
        assert len(running.requests) == sends


def test_without_a_refresh_token_the_login_command_is_named(clock, server):
    with pytest.raises(AuthenticationError, match="airflow mlconnector login"):
        access(server, OAuthLogin("client"), clock).headers()


def test_a_dead_refresh_token_names_the_login_command_whatever_the_status(clock):
    login = OAuthLogin("client")
    refusal = as_json({"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}, 403)
    with serving(in_turn(refusal)) as running:
        store = LocalTokenStore(clock)
        store.put_refresh_token(fingerprint(hosts_of(running), login), "R1-secret")
        with pytest.raises(AuthenticationError, match="invalid_grant") as caught:
            access(running, login, clock, store).headers()
    assert "airflow mlconnector login" in str(caught.value)
    assert "R1-secret" not in str(caught.value)


DEVICE = as_json(
    {
        "device_code": "D",
        "user_code": "ABCD-EFGH",
        "verification_uri": "https://x/activate",
        "verification_uri_complete": "https://x/activate?user_code=ABCD-EFGH",
        "expires_in": 600,
        "interval": 5,
    }
)


def pending(code, status=403):
    return as_json({"error": code, "error_description": code}, status)


def test_the_device_grant_shows_the_code_and_waits_for_the_person(clock):
    shown = []
    replies = (DEVICE, pending("authorization_pending"), pending("slow_down", 400), grant("A", "R1"))
    with serving(in_turn(*replies)) as running:
        service = LoginService(hosts_of(running), Transport(clock=clock))
        assert device_grant(service, "client", shown.append) == "R1"
        assert running.requests[0].json["scope"] == "openid profile email offline_access"
    assert [(prompt.url, prompt.user_code) for prompt in shown] == [
        ("https://x/activate?user_code=ABCD-EFGH", "ABCD-EFGH")
    ]
    assert clock.waits == [5.0, 5.0, 10.0]
    assert "device_code" not in repr(shown[0])


def test_the_device_grant_ends_when_the_person_refuses(clock):
    refused = in_turn(DEVICE, pending("access_denied"))
    with serving(refused) as running, pytest.raises(AuthenticationError, match="access_denied"):
        device_grant(LoginService(hosts_of(running), Transport(clock=clock)), "client", lambda prompt: None)


@pytest.mark.parametrize("last", [pending("expired_token"), pending("authorization_pending")])
def test_the_device_grant_ends_with_its_code(clock, last):
    with serving(in_turn(DEVICE, last)) as running, pytest.raises(DeadlineError):
        device_grant(LoginService(hosts_of(running), Transport(clock=clock)), "client", lambda prompt: None)
    assert clock.monotonic() <= 600


def test_a_code_becomes_a_refresh_token(clock):
    with serving(in_turn(grant("A", "R1"))) as running:
        service = LoginService(hosts_of(running), Transport(clock=clock))
        assert exchange_code(service, "client", "secret", "C", "http://127.0.0.1/callback") == "R1"
        assert running.requests[0].json["grant_type"] == "authorization_code"


def test_a_grant_without_a_refresh_token_says_which_scope_is_missing(clock):
    with serving(in_turn(grant("A"))) as running, pytest.raises(ProtocolError, match="offline_access"):
        exchange_code(LoginService(hosts_of(running), Transport(clock=clock)), "client", "secret", "C", "http://x")


def test_the_page_of_consent_carries_client_state_and_scope():
    url = authorization_url(HOSTS, "client", "http://127.0.0.1/callback", "st&te")
    assert url.startswith("https://oauth.example/auth/authorize?response_type=code&client_id=client&")
    assert "state=st%26te" in url


# Keys
