# SPDX-License-Identifier: Apache-2.0
"""Tokens: who gets one, and how long it is good for."""

import base64
import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def assertion(bc, *, key=None, thumbprint=None, **claims):
    """Sign an assertion as the documents describe it."""
    now = int(time.time())
    audience = f"{bc.info['authority_url']}/{bc.info['tenant']}/oauth2/v2.0/token"
    payload = {"aud": audience, "iss": bc.info["client_id"], "sub": bc.info["client_id"], "nbf": now, "exp": now + 600}
    name = base64.urlsafe_b64encode(bytes.fromhex(thumbprint or bc.info["thumbprint"])).decode().rstrip("=")
    return jwt.encode(payload | claims, key or bc.info["private_key_pem"], algorithm="PS256", headers={"x5t": name})


def ask_with(bc, text):
    return bc.ask_for_token(client_secret=None, client_assertion_type=ASSERTION_TYPE, client_assertion=text)


def test_the_right_secret_gets_a_token_for_an_hour(reader):
    body = reader.ask_for_token().json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3599)


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000218),
        ({"client_id": "wrong"}, 400, "unauthorized_client", 700016),
        ({"scope": "https://graph.microsoft.com/.default"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"tenant": "elsewhere"}, 400, "invalid_request", 90002),
    ],
)
def test_refusals_carry_their_number(reader, changes, status, error, number):
    answer = reader.ask_for_token(**changes)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert "Trace ID: " in body["error_description"]


def test_an_expired_secret_is_told_from_a_wrong_one(bc):
    bc.tenant.switches.secret_expired = True
    assert bc.ask_for_token().json()["error_codes"] == [7000222]
    assert bc.ask_for_token(client_secret="wrong").json()["error_codes"] == [7000215]


def test_the_registered_certificate_gets_a_token(reader):
    assert ask_with(reader, assertion(reader)).status_code == 200


def test_a_certificate_is_checked(reader):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key = stranger.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    refused = {
        "another key": assertion(reader, key=key),
        "another thumbprint": assertion(reader, thumbprint="00" * 20),
        "another audience": assertion(reader, aud="https://login.example/token"),
        "another client": assertion(reader, sub="somebody"),
        "no assertion at all": "x.y.z",
    }
    told = {why: ask_with(reader, text).json()["error_codes"] for why, text in refused.items()}
    assert told == {why: [700027] for why in refused}
    assert ask_with(reader, assertion(reader, exp=int(time.time()) - 3600)).json()["error_codes"] == [700024]


def test_a_token_runs_out_on_the_virtual_clock(bc):
    assert bc.get("accounts?$top=1").status_code == 200
    bc.world.clock.advance(3600)
    refused = bc.get("accounts?$top=1")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "Authentication_InvalidCredentials")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    bc.log_in()
    assert bc.get("accounts?$top=1").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic dXNlcjpwYXNz"])
def test_what_is_no_token_of_ours_is_refused(bc, header):
    bc.session.headers["Authorization"] = header
    assert bc.get("accounts?$top=1").status_code == 401


def test_tokens_can_be_revoked(bc):
    requests.delete(f"{bc.sandbox.url}/_sandbox/business_central/tokens", timeout=5)
    assert bc.get("accounts?$top=1").status_code == 401


def test_logins_are_counted(bc):
    bc.ask_for_token()
    bc.ask_for_token(client_secret="wrong")
    assert bc.world.stats.logins("business_central") == 2


@pytest.mark.parametrize("path", ["", "/v2.0"])
def test_discovery_names_the_endpoints(reader, path):
    base = f"{reader.info['authority_url']}/{reader.info['tenant']}"
    body = requests.get(f"{base}{path}/.well-known/openid-configuration", timeout=5).json()
    assert body["token_endpoint"] == f"{base}/oauth2/v2.0/token"
    unknown = requests.get(f"{reader.info['authority_url']}/elsewhere/v2.0/.well-known/openid-configuration", timeout=5)
    assert unknown.json()["error_codes"] == [90002]
