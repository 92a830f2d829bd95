# SPDX-License-Identifier: Apache-2.0
"""Handshakes with real acceptors of NTLM and SPNEGO, one for each connection."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests
from requests_ntlm import HttpNtlmAuth
from spnego.channel_bindings import GssChannelBindings

from airflow_provider_mlconnector.errors import AuthenticationError, ConfigurationError
from airflow_provider_mlconnector.systems.http.windows_auth import Scheme, WindowsAuth, certificate_hash


@pytest.mark.parametrize("scheme", Scheme)
def test_a_connection_is_logged_in_once_and_serves_many_requests(server, scheme):
    session = server.session(scheme=scheme)
    assert [server.ask(session).status_code for _ in range(5)] == [200] * 5
    assert dict(server.domain.logons) == {f"ntlm {server.login}": 1}
    assert not server.domain.failures


@pytest.mark.parametrize("schemes", [("NTLM",), ("Negotiate",), ("Negotiate", "NTLM"), ("NTLM", "Negotiate")])
def test_a_server_gets_what_it_offers(server, schemes):
    server.domain.schemes = schemes
    assert server.ask(server.session()).status_code == 200


@pytest.mark.parametrize(("user", "answered"), [(r"LARKFIELD\svc", "NTLM"), ("svc@LARKFIELD.TEST", "Negotiate")])
def test_a_name_with_its_domain_before_it_is_one_of_ntlm_and_the_other_form_one_of_kerberos(server, user, answered):
    session = server.session(user=user, password="wrong")
    with pytest.raises(AuthenticationError, match=rf"\({answered}\)|handshake for svc@LARKFIELD.TEST"):
        server.ask(session)


def test_a_server_that_speaks_no_windows_is_told_apart_from_a_refusal(server):
    server.domain.schemes = ("Basic realm=x",)
    with pytest.raises(AuthenticationError, match="offers Basic"):
        server.ask(server.session())
    assert not server.domain.failures


def test_a_wrong_password_is_tried_once_whatever_is_asked_afterwards(server):
    session = server.session(password="hunter2-is-wrong")
    for _ in range(4):
        with pytest.raises(AuthenticationError, match="svc-planning") as told:
            server.ask(session)
        assert "hunter2" not in str(told.value)
        assert "locks" in told.value.hint
    assert sum(server.domain.failures.values()) == 1


def test_a_handshake_that_cannot_be_gone_on_with_gives_its_connection_back(server, monkeypatch):
    session = server.session()
    with monkeypatch.context() as broken:
        broken.setattr("spnego.client", lambda *_, **__: 1 / 0)
        with pytest.raises(AuthenticationError, match="ZeroDivisionError"):
            server.ask(session)
    assert server.ask(session).status_code == 200


def test_a_new_connection_is_logged_in_again(server):
    session = server.session()
    server.ask(session)
    server.sandbox.world.faults.clear()
    session.close()
    assert server.ask(session).status_code == 200
    assert server.domain.logons[f"ntlm {server.login}"] == 2


def test_sixteen_threads_all_succeed_and_no_logon_fails(server):
    def read(_: int) -> list[int]:
        session = server.session()
        return [server.ask(session).status_code for _ in range(10)]

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(read, range(16)))
    assert answers == [[200] * 10] * 16
    assert server.domain.logons == {f"ntlm {server.login}": 16}
    assert not server.domain.failures


def test_a_body_that_cannot_be_sent_twice_is_refused_before_it_is_sent(server):
    request = requests.Request("POST", server.sandbox.url, data=iter([b"a"])).prepare()
    with pytest.raises(ConfigurationError, match="streamed"):
        WindowsAuth(server.account())(request)


def _bindings(server) -> GssChannelBindings:
    host, port = urlsplit(server.sandbox.url).hostname, urlsplit(server.sandbox.url).port
    certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, port)))
    return GssChannelBindings(application_data=b"tls-server-end-point:" + certificate_hash(certificate))


@pytest.mark.parametrize("scheme", Scheme)
def test_a_logon_is_bound_to_its_tls_connection(tls_server, scheme):
    tls_server.domain.bindings = _bindings(tls_server)
    assert tls_server.ask(tls_server.session(scheme=scheme)).status_code == 200


def test_a_logon_that_comes_by_another_tls_connection_is_refused(tls_server):
    tls_server.domain.bindings = GssChannelBindings(application_data=b"tls-server-end-point:another")
    with pytest.raises(AuthenticationError):
        tls_server.ask(tls_server.session())
    assert dict(tls_server.domain.failures) == {"BadBindingsError": 1}


def test_the_server_is_one_that_a_public_client_logs_in_to(server):
    session = requests.Session()
    session.auth = HttpNtlmAuth(server.login, server.password)
    url = f"{server.sandbox.info['dynamics_gp']['sba_url']}/Tenants(DefaultTenant)/Companies"
    assert session.get(url, timeout=10).status_code == 200


def test_no_secret_is_shown_of_an_account(server):
    assert server.password not in repr(server.account())
