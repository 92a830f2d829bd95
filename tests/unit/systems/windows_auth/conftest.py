# SPDX-License-Identifier: Apache-2.0
"""A server of a Windows domain: the sandbox's Dynamics GP, whose acceptors are pyspnego's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_mlconnector.sandbox.dynamics_gp import site_of
from airflow_provider_mlconnector.sandbox.running import Sandbox, serve
from airflow_provider_mlconnector.sandbox.windows import NEGOTIATE, NTLM, Domain
from airflow_provider_mlconnector.systems.http.session import HttpSession
from airflow_provider_mlconnector.systems.http.transport import Transport
from airflow_provider_mlconnector.systems.http.windows_auth import WindowsAccount, WindowsAuth


@dataclass
class Server:
    """The server, its domain, and how to call it."""

    sandbox: Sandbox
    domain: Domain

    @property
    def login(self) -> str:
        return str(self.sandbox.info["dynamics_gp"]["login"])

    @property
    def password(self) -> str:
        return str(self.sandbox.info["dynamics_gp"]["password"])

    def account(self, **values: Any) -> WindowsAccount:
        return WindowsAccount(**{"user": self.login, "password": self.password, **values})

    def session(self, **values: Any) -> HttpSession:
        """Return a session for an account; ``values`` are what it has otherwise."""
        url = self.sandbox.info["dynamics_gp"]["sba_url"]
        transport = Transport(verify=self.sandbox.ca_file or True)
        return HttpSession(url, transport, auth=WindowsAuth(self.account(**values)))

    def ask(self, session: HttpSession) -> requests.Response:
        return session.request("GET", "Tenants(DefaultTenant)/Companies")


def _served(*, tls: bool) -> Iterator[Server]:
    with serve(["dynamics_gp"], scale=0.05, tls=tls) as sandbox:
        yield Server(sandbox, site_of(sandbox.world).domain)


@pytest.fixture(autouse=True)
def _no_realm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Kerberos ask no name server of the machine's own for the realm of an account."""
    config = tmp_path / "krb5.conf"
    config.write_text("[libdefaults]\n dns_lookup_kdc = false\n dns_lookup_realm = false\n")
    monkeypatch.setenv("KRB5_CONFIG", str(config))


@pytest.fixture(scope="module")
def _plain() -> Iterator[Server]:
    yield from _served(tls=False)


@pytest.fixture(scope="module")
def _encrypted() -> Iterator[Server]:
    yield from _served(tls=True)


def _as_new(server: Server) -> Server:
    server.domain.logons.clear()
    server.domain.failures.clear()
    server.domain.schemes, server.domain.bindings, server.domain.keytab = (NEGOTIATE, NTLM), None, ""
    return server


@pytest.fixture
def server(_plain: Server) -> Server:
    return _as_new(_plain)


@pytest.fixture
def tls_server(_encrypted: Server) -> Server:
    return _as_new(_encrypted)
