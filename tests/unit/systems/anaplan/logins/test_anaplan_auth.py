# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import datetime
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from airflow_provider_mlconnector.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
)
from airflow_provider_mlconnector.systems.anaplan.auth import (
    BasicLogin,
    CertificateLogin,
    CertVersion,
    OAuthLogin,
    fingerprint,
)
from airflow_provider_mlconnector.systems.anaplan.hosts import Hosts
from airflow_provider_mlconnector.systems.anaplan.local import LocalTokenStore
from airflow_provider_mlconnector.systems.anaplan.login_service import LoginService
from airflow_provider_mlconnector.systems.http.transport import Transport
from tests.unit.systems.anaplan.fake_anaplan import access, hosts_of
from tests.unit.systems.http.scripted_server import Reply, as_json, in_turn, serving

JANE = BasicLogin("jane@example.com", "pässword")
HOSTS = Hosts("https://api.example/2/0", "https://auth.example", "https://oauth.example")


# Basic


def test_a_basic_login_is_sent_in_utf8_and_gives_a_token_of_its_scheme(server, fake, clock):
    assert access(server, JANE, clock).headers() == {"Authorization": "AnaplanAuthToken token-1"}
    sent = server.seen("POST", "/token/authenticate")[0]
    assert (
        base64.b64decode(sent.headers["authorization"].removeprefix("Basic ")).decode() == "jane@example.com:pässword"
    )
    assert sent.body == b""


def test_one_token_serves_its_whole_life_and_is_prolonged_early_instead_of_a_new_login(server, fake, clock):
    door = access(server, JANE, clock)
    for _ in range(10):
        door.headers()
    clock.advance(35 * 60 - 299)
    door.headers()
    assert (fake.logins, fake.refreshes) == (1, 1)


def test_a_dead_token_means_a_new_login(server, fake, clock):
    door = access(server, JANE, clock)
    door.headers()
    clock.advance(35 * 60 + 1)
    assert door.headers() == {"Authorization": "AnaplanAuthToken token-2"}
    assert fake.refreshes == 0


def test_a_token_that_anaplan_does_not_prolong_is_replaced_by_a_new_login(server, fake, clock):
    door = access(server, JANE, clock)
    door.headers()
    fake.tokens.clear()
    clock.advance(35 * 60 - 60)
    assert door.headers() == {"Authorization": "AnaplanAuthToken token-2"}


def test_a_refused_token_is_replaced_once_however_many_threads_were_refused(server, fake, clock):
    store = LocalTokenStore(clock)
    doors = [access(server, JANE, clock, store) for _ in range(20)]
    refused = [door.headers() for door in doors]
    assert fake.logins == 1
    barrier = threading.Barrier(20)

    def again(door, headers):
        barrier.wait()
        door.refused(headers)
        return door.headers()["Authorization"]

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(again, doors, refused)) == {"AnaplanAuthToken token-2"}
    assert fake.logins == 2


def test_the_life_of_a_token_is_counted_on_anaplans_clock(clock):
    ahead = int((clock.now().timestamp() + 7200 + 2100) * 1000)
    date = "Fri, 20 Nov 2026 08:00:00 GMT"  # two hours ahead of ours
    token = as_json({"tokenInfo": {"tokenValue": "t", "expiresAt": ahead}}, 201, Date=date)
    with serving(in_turn(token)) as running:
        made = LoginService(hosts_of(running), Transport(clock=clock)).authenticate("Basic x")
    assert made.expires_at - clock.now() == datetime.timedelta(seconds=2100)


def test_a_token_that_is_said_to_be_dead_already_is_used_all_the_same(clock):
    past = int((clock.now().timestamp() - 86_400) * 1000)
    token = as_json({"tokenInfo": {"tokenValue": "t", "expiresAt": past}}, 201)
    with serving(in_turn(token)) as running:
        door = access(running, JANE, clock)
        for _ in range(3):
            door.headers()
        assert len(running.requests) == 1


def test_a_wrong_password_is_tried_once_and_explained(clock):
    refusal = as_json({"status": "FAILURE_BAD_CREDENTIAL", "statusMessage": "Bad credentials"}, 401)
    with serving(in_turn(refusal)) as running:
        with pytest.raises(AuthenticationError, match="Bad credentials") as caught:
            access(running, JANE, clock).headers()
        assert len(running.requests) == 1
    assert "pässword" not in str(caught.value)
    assert "Exception User" in caught.value.hint


def test_an_answer_without_a_token_is_a_protocol_error(clock):
    with serving(in_turn(as_json({"status": "SUCCESS"}, 201))) as running, pytest.raises(ProtocolError):
        access(running, JANE, clock).headers()


def test_a_login_survives_a_server_error(server, fake, clock):
    first = iter([Reply(503)])
    server.script = lambda request: next(first, None) or fake(request)
    assert access(server, JANE, clock).headers()["Authorization"].endswith("token-1")


# Certificate


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of_certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Larkfield close")])
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=365))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def pem_of_key(key, passphrase=None):
    protection = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, protection).decode()


@pytest.fixture(scope="module")
def certificate(key):
    return CertificateLogin(pem_of_certificate(key), pem_of_key(key))


def verified(payload, key):
    data = base64.b64decode(payload["encodedData"])
    signature = base64.b64decode(payload["encodedSignedData"])
    key.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA512())
    with pytest.raises(InvalidSignature):  # over the bytes, not over their base64
        key.public_key().verify(signature, payload["encodedData"].encode(), padding.PKCS1v15(), hashes.SHA512())
    return data


def test_a_v2_payload_signs_the_time_in_seconds_and_random_bytes(certificate, key):
    payload = certificate.payload(1_750_736_826.9)
    data = verified(payload, key)
    assert payload["encodedDataFormat"] == "v2"
    assert data[:8] == bytes.fromhex("00000000685a1fba")  # as in Anaplan's own sample
    assert len(data) >= 108


def test_a_v1_payload_signs_random_bytes_alone(certificate, key):
    payload = replace(certificate, version=CertVersion.V1).payload(1_750_736_826.0)
    assert "encodedDataFormat" not in payload
    assert len(verified(payload, key)) >= 100


def test_the_time_can_be_in_milliseconds(certificate, key):
    payload = replace(certificate, version=CertVersion.V2_MILLISECONDS).payload(1_750_736_826.5)
    assert int.from_bytes(verified(payload, key)[:8], "big") == 1_750_736_826_500


def test_each_login_signs_something_new(certificate):
    assert certificate.payload(1.0)["encodedData"] != certificate.payload(1.0)["encodedData"]


def test_a_certificate_login_sends_the_pem_in_the_header_and_the_payload_as_json(server, certificate, key, clock):
    access(server, certificate, clock).headers()
    sent = server.seen("POST", "/token/authenticate")[0]
    pem = base64.b64decode(sent.headers["authorization"].removeprefix("CACertificate ")).decode()
    assert pem == certificate.certificate_pem
    assert int.from_bytes(verified(sent.json, key)[:8], "big") == int(clock.now().timestamp())


def test_a_private_key_may_be_encrypted(key):
    login = CertificateLogin(pem_of_certificate(key), pem_of_key(key, "open sesame"), "open sesame")
    assert verified(login.payload(1.0), key)


@pytest.mark.parametrize("passphrase", [None, "wrong"])
def test_a_key_that_does_not_open_is_a_configuration_error(key, passphrase):
    login = CertificateLogin(pem_of_certificate(key), pem_of_key(key, "open sesame"), passphrase)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        login.payload(1.0)


def test_a_key_of_another_certificate_is_a_configuration_error(key, certificate):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(ConfigurationError, match="does not belong"):
        replace(certificate, private_key_pem=pem_of_key(other)).payload(1.0)


# What a login gives away


def test_the_same_login_has_the_same_key_everywhere_and_every_difference_another():
    logins = [
        JANE,
        BasicLogin("joe@example.com", "pässword"),
        BasicLogin("jane@example.com", "changed"),
        OAuthLogin("client"),
        OAuthLogin("client", account="joe"),
        CertificateLogin("pem", "key"),
    ]
    keys = [fingerprint(HOSTS, login) for login in logins]
    assert len(set(keys)) == len(keys)
    assert keys == [fingerprint(HOSTS, login) for login in logins]
    assert fingerprint(replace(HOSTS, api="https://other/2/0"), JANE) != keys[0]


def test_no_secret_is_in_a_representation():
    assert "pässword" not in repr(JANE)
    assert "shh" not in repr(OAuthLogin("client", "shh"))
    assert "PRIVATE" not in repr(CertificateLogin("pem", "PRIVATE", "phrase"))
    assert "phrase" not in repr(CertificateLogin("pem", "PRIVATE", "phrase"))
