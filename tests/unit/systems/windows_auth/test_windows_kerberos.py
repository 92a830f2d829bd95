# SPDX-License-Identifier: Apache-2.0
"""Negotiate with tickets of a real MIT KDC on loopback: by password, keytab and ticket cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_mlconnector.errors import AuthenticationError, ConfigurationError
from airflow_provider_mlconnector.systems.http.windows_auth import Scheme, Secret
from tests import kerberos

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(bool(kerberos.missing()), reason=f"not installed: {kerberos.missing()}"),
]
LOGON = f"kerberos {kerberos.USER}"


@pytest.fixture(scope="module")
def made_realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kerberos.Realm]:
    with kerberos.realm(tmp_path_factory.mktemp("realm")) as made:
        yield made


@pytest.fixture
def realm(made_realm: kerberos.Realm, monkeypatch: pytest.MonkeyPatch, server) -> kerberos.Realm:
    monkeypatch.setenv("KRB5_CONFIG", str(made_realm.config))
    server.domain.keytab = str(made_realm.service_keytab)
    return made_realm


@pytest.mark.parametrize("scheme", [Scheme.AUTO, Scheme.NEGOTIATE])
def test_a_password_gets_a_ticket(server, realm, scheme):
    session = server.session(user=kerberos.USER, password=kerberos.PASSWORD, scheme=scheme)
    assert [server.ask(session).status_code for _ in range(3)] == [200] * 3
    assert dict(server.domain.logons) == {LOGON: 1}


def test_a_keytab_stands_for_the_password(server, realm):
    session = server.session(user=kerberos.USER, password="", secret=Secret.KEYTAB, file=str(realm.user_keytab))
    assert server.ask(session).status_code == 200
    assert dict(server.domain.logons) == {LOGON: 1}


@pytest.mark.parametrize("named", [True, False], ids=["named", "where Kerberos looks"])
def test_a_ticket_cache_is_enough(server, realm, named, monkeypatch):
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{realm.tickets}")
    file = f"FILE:{realm.tickets}" if named else ""
    session = server.session(user="", password="", secret=Secret.TICKETS, file=file)
    assert server.ask(session).status_code == 200
    assert dict(server.domain.logons) == {LOGON: 1}


def test_an_account_without_a_ticket_falls_back_to_ntlm_within_negotiate(server, realm):
    assert server.ask(server.session(scheme=Scheme.NEGOTIATE)).status_code == 200
    assert dict(server.domain.logons) == {f"ntlm {server.login}": 1}


def test_a_wrong_password_is_refused_and_tried_once(server, realm):
    session = server.session(user=kerberos.USER, password="wrong")
    for _ in range(3):
        with pytest.raises(AuthenticationError):
            server.ask(session)
    assert sum(server.domain.failures.values()) <= 1


def test_a_keytab_that_is_not_there_says_what_kerberos_needs(server, realm, tmp_path):
    session = server.session(user=kerberos.USER, password="", secret=Secret.KEYTAB, file=str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="keytab"):
        server.ask(session)


def test_a_logon_by_ticket_is_bound_to_the_tls_connection(tls_server, made_realm, monkeypatch):
    monkeypatch.setenv("KRB5_CONFIG", str(made_realm.config))
    tls_server.domain.keytab = str(made_realm.service_keytab)
    session = tls_server.session(user=kerberos.USER, password=kerberos.PASSWORD)
    assert tls_server.ask(session).status_code == 200
