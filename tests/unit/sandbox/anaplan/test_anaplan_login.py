# SPDX-License-Identifier: Apache-2.0
import base64
import os
import struct

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from airflow_provider_mlconnector.sandbox.anaplan.identity.certificates import make_key_pair


def test_a_password_gives_a_token_for_35_minutes(anaplan, clock):
    answer = requests.post(
        f"{anaplan.info['auth_url']}/token/authenticate", auth=(anaplan.info["login"], anaplan.info["password"])
    )
    body = answer.json()
    assert answer.status_code == 201
    assert (body["status"], body["statusMessage"]) == ("SUCCESS", "Login successful")
    assert body["tokenInfo"].keys() == {"expiresAt", "tokenId", "tokenValue", "refreshTokenId"}
    assert body["tokenInfo"]["expiresAt"] == pytest.approx((clock.timestamp() + 2100) * 1000, abs=5000)


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_is_401_without_a_token(anaplan, password):
    answer = requests.post(f"{anaplan.info['auth_url']}/token/authenticate", auth=(anaplan.info["login"], password))
    assert answer.status_code == 401
    assert answer.json()["status"] == "FAILURE_BAD_CREDENTIAL"


def test_every_login_and_refresh_is_counted(anaplan, sandbox):
    before = sandbox.world.stats.logins("anaplan")
    anaplan.log_in(anaplan.info["login"])
    requests.post(f"{anaplan.info['auth_url']}/token/refresh", headers=dict(anaplan.session.headers))
    assert sandbox.world.stats.logins("anaplan") == before + 2


def test_a_token_is_dead_after_its_life_and_a_refresh_gives_it_a_new_one(anaplan, clock):
    clock.advance(2000)
    answer = requests.post(
        f"{anaplan.info['auth_url']}/token/refresh", headers={"Authorization": f"AnaplanAuthToken {anaplan.token}"}
    )
    assert answer.status_code == 200
    assert answer.json()["tokenInfo"]["tokenValue"] == anaplan.token
    clock.advance(2000)
    assert anaplan.get("/users/me", root=True).status_code == 200
    clock.advance(101)
    answer = anaplan.get("/users/me", root=True)
    assert answer.status_code == 401
    assert answer.json()["status"] == {"code": 401, "message": "Unauthorized"}


def test_a_refresh_may_bring_a_new_value_and_the_old_one_is_dead(anaplan):
    anaplan.switch(refresh="new")
    headers = {"Authorization": f"AnaplanAuthToken {anaplan.token}"}
    renewed = requests.post(f"{anaplan.info['auth_url']}/token/refresh", headers=headers).json()
    assert anaplan.get("/users/me", root=True).status_code == 401
    anaplan.use(renewed["tokenInfo"]["tokenValue"])
    assert anaplan.get("/users/me", root=True).status_code == 200


def test_validate_tells_whose_token_it_is_and_logout_ends_it(anaplan):
    auth, headers = anaplan.info["auth_url"], {"Authorization": f"AnaplanAuthToken {anaplan.token}"}
    body = requests.get(f"{auth}/token/validate", headers=headers).json()
    assert body["userInfo"]["userId"] == anaplan.info["login"]
    assert body["tokenInfo"].keys() == {"expiresAt", "tokenId"}
    answer = requests.post(f"{auth}/token/logout", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert requests.get(f"{auth}/token/validate", headers=headers).status_code == 401
    assert requests.post(f"{auth}/token/refresh", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "refresh", 400), ("GET", "validate", 400), ("POST", "logout", 401)]
)
def test_the_authentication_service_refuses_bearer(anaplan, method, path, status):
    answer = requests.request(
        method, f"{anaplan.info['auth_url']}/token/{path}", headers={"Authorization": f"Bearer {anaplan.token}"}
    )
    assert answer.status_code == status
    assert answer.json()["status"] == ("FAILURE_BAD_HEADER" if status == 400 else "FAILURE_BAD_CREDENTIAL")


def test_the_integration_api_takes_both_schemes_and_no_other(anaplan):
    for scheme, status in (("AnaplanAuthToken", 200), ("Bearer", 200), ("Basic", 401)):
        anaplan.use(anaplan.token, scheme)
        assert anaplan.get("/users/me", root=True).status_code == status


class Certificate:
    """Makes certificate logins."""

    def __init__(self, info, pair=None):
        self.url = f"{info['auth_url']}/token/authenticate"
        self.pem = pair.certificate_pem if pair else info["certificate_pem"]
        key_pem = pair.private_key_pem if pair else info["private_key_pem"]
        self.key = serialization.load_pem_private_key(key_pem.encode(), None)

    def proof(self, *, stamp=None, random=100, written_as=None):
        data = (b"" if stamp is None else struct.pack(">Q", int(stamp))) + os.urandom(random)
        signature = self.key.sign(data, PKCS1v15(), hashes.SHA512())
        body = {
            "encodedData": base64.b64encode(data).decode(),
            "encodedSignedData": base64.b64encode(signature).decode(),
        }
        return body | ({"encodedDataFormat": written_as} if written_as else {})

    @property
    def der(self):
        return x509.load_pem_x509_certificate(self.pem.encode()).public_bytes(serialization.Encoding.DER)

    def log_in(self, body, *, as_der=False):
        certificate = base64.b64encode(self.der if as_der else self.pem.encode()).decode()
        headers = {"Authorization": f"CACertificate {certificate}"}
        return requests.post(self.url, json=body, headers=headers).status_code


@pytest.fixture
def certificate(anaplan):
    return Certificate(anaplan.info)


def test_a_certificate_logs_in_with_v1_and_v2_and_either_writing_of_itself(certificate, clock):
    assert certificate.log_in(certificate.proof()) == 201
    assert certificate.log_in(certificate.proof(stamp=clock.timestamp(), written_as="v2")) == 201
    assert certificate.log_in(certificate.proof(), as_der=True) == 201


def test_a_v2_proof_is_good_once_and_within_five_minutes(certificate, clock):
    proof = certificate.proof(stamp=clock.timestamp(), written_as="v2")
    assert certificate.log_in(proof) == 201
    assert certificate.log_in(proof) == 401
    for away, status in ((-290, 201), (290, 201), (-310, 401), (310, 401)):
        stamped = certificate.proof(stamp=clock.timestamp() + away, written_as="v2")
        assert certificate.log_in(stamped) == status


def test_the_stamp_is_in_seconds_unless_switched_to_milliseconds(certificate, anaplan, clock):
    assert certificate.log_in(certificate.proof(stamp=clock.timestamp() * 1000, written_as="v2")) == 401
    anaplan.switch(cert_time_unit="ms")
    assert certificate.log_in(certificate.proof(stamp=clock.timestamp() * 1000, written_as="v2")) == 201


def test_a_bad_proof_is_refused(certificate, anaplan, clock):
    forged = certificate.proof() | {"encodedData": base64.b64encode(os.urandom(100)).decode()}
    stranger = Certificate(anaplan.info, make_key_pair(anaplan.info["login"], clock.now()))
    assert certificate.log_in(forged) == 401
    assert certificate.log_in(certificate.proof(random=99)) == 401
    assert certificate.log_in({}) == 401
    assert stranger.log_in(stranger.proof()) == 401


def test_switches_take_one_format_or_writing_only(certificate, anaplan, clock):
    anaplan.switch(cert_format="v2", cert_header="der")
    stamp = clock.timestamp()
    assert certificate.log_in(certificate.proof(), as_der=True) == 401
    assert certificate.log_in(certificate.proof(stamp=stamp, written_as="v2")) == 401
    assert certificate.log_in(certificate.proof(stamp=stamp, written_as="v2"), as_der=True) == 201
