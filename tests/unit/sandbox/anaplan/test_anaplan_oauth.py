# SPDX-License-Identifier: Apache-2.0
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def oauth(anaplan):
    return OAuth(anaplan)


class OAuth:
    def __init__(self, caller):
        self.caller = caller
        self.info = caller.info

    def post(self, path, **body):
        return requests.post(f"{self.info['oauth_url']}/oauth/{path}", json=body)

    def device(self, client_id):
        return self.post("device/code", client_id=client_id, scope="openid profile email offline_access").json()

    def poll(self, client_id, device):
        return self.post("token", grant_type=DEVICE, device_code=device["device_code"], client_id=client_id)

    def approved(self, client_id):
        device = self.device(client_id)
        self.caller.control("POST", "/devices", {"user_code": device["user_code"]})
        return self.poll(client_id, device).json()

    def refresh(self, client_id, token, **more):
        return self.post("token", grant_type="refresh_token", client_id=client_id, refresh_token=token, **more)


def test_a_device_waits_until_a_person_approves_it(oauth, clock):
    client = oauth.info["oauth_client_id"]
    device = oauth.device(client)
    assert device["verification_uri_complete"].endswith(device["user_code"])
    pending = oauth.poll(client, device)
    assert (pending.status_code, pending.json()["error"]) == (403, "authorization_pending")
    assert oauth.poll(client, device).json()["error"] == "slow_down"
    clock.advance(device["interval"])
    assert oauth.poll(client, device).json()["error"] == "authorization_pending"
    oauth.caller.control("POST", "/devices", {"user_code": device["user_code"]})
    body = oauth.poll(client, device).json()
    assert (body["expires_in"], body["token_type"]) == (2100, "Bearer")
    oauth.caller.use(body["access_token"], "Bearer")
    assert oauth.caller.get("/users/me", root=True).json()["user"]["email"] == oauth.info["login"]


def test_a_denied_and_an_expired_device_get_nothing(oauth, clock):
    client = oauth.info["oauth_client_id"]
    device = oauth.device(client)
    oauth.caller.control("POST", "/devices", {"user_code": device["user_code"], "decision": "deny"})
    assert oauth.poll(client, device).json()["error"] == "access_denied"
    late = oauth.device(client)
    clock.advance(late["expires_in"])
    assert oauth.poll(client, late).json()["error"] == "expired_token"


def test_a_person_approves_on_the_page_with_a_password(oauth):
    client = oauth.info["oauth_client_id"]
    device = oauth.device(client)
    page = requests.get(device["verification_uri_complete"])
    assert device["user_code"] in page.text
    form = {"user_code": device["user_code"], "decision": "approve", "login": oauth.info["login"], "password": "no"}
    assert requests.post(device["verification_uri"], data=form).status_code == 401
    form["password"] = oauth.info["password"]
    assert requests.post(device["verification_uri"], data=form).status_code == 200
    assert oauth.poll(client, device).status_code == 200


def test_a_lasting_refresh_token_can_be_used_again_and_again(oauth, clock):
    client = oauth.info["oauth_client_id"]
    token = oauth.approved(client)["refresh_token"]
    for _ in range(2):
        clock.advance(86_400)
        assert oauth.refresh(client, token).json()["refresh_token"] == token


def test_a_rotatable_refresh_token_dies_with_its_use(oauth):
    client = oauth.info["oauth_rotatable_client_id"]
    first = oauth.approved(client)["refresh_token"]
    second = oauth.refresh(client, first).json()["refresh_token"]
    assert second != first
    third = oauth.refresh(client, second).json()["refresh_token"]
    assert third not in (first, second)


def test_who_uses_a_rotated_token_twice_loses_the_session(oauth):
    client = oauth.info["oauth_rotatable_client_id"]
    first = oauth.approved(client)["refresh_token"]
    second = oauth.refresh(client, first).json()["refresh_token"]
    assert oauth.refresh(client, first).json()["error"] == "invalid_grant"
    assert oauth.refresh(client, second).json()["error"] == "invalid_grant"


def test_a_rotatable_refresh_token_lives_twelve_hours(oauth, clock):
    client = oauth.info["oauth_rotatable_client_id"]
    token = oauth.approved(client)["refresh_token"]
    clock.advance(43_200)
    assert oauth.refresh(client, token).json()["error"] == "invalid_grant"


def test_the_code_grant_sends_the_browser_back_and_asks_for_the_secret(oauth):
    info = oauth.info
    client, secret, back = (info[f"oauth_{name}"] for name in ("code_client_id", "code_client_secret", "redirect_uri"))
    query = {"response_type": "code", "client_id": client, "redirect_uri": back, "scope": "openid", "state": "s1"}
    answer = requests.get(f"{info['oauth_url']}/auth/authorize", params=query, allow_redirects=False)
    assert answer.status_code == 302
    returned = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert returned["state"] == ["s1"]
    grant = {"grant_type": "authorization_code", "client_id": client, "code": returned["code"][0], "redirect_uri": back}
    assert oauth.post("token", **grant, client_secret="wrong").json()["error"] == "unauthorized_client"
    body = oauth.post("token", **grant, client_secret=secret).json()
    assert oauth.post("token", **grant, client_secret=secret).json()["error"] == "invalid_grant"
    assert "access_token" in oauth.refresh(client, body["refresh_token"], client_secret=secret).json()
    assert requests.get(f"{info['oauth_url']}/auth/prelogin", params=query).status_code == 200


def test_requests_that_make_no_sense_are_told_why(oauth):
    assert oauth.post("token", grant_type="password").json()["error"] == "invalid_request"
    assert oauth.post("device/code", client_id="0" * 32).json()["error"] == "unauthorized_client"
    garbled = requests.post(
        f"{oauth.info['oauth_url']}/oauth/token", data=b"{", headers={"Content-Type": "application/json"}
    )
    assert garbled.json()["error"] == "invalid_request"
