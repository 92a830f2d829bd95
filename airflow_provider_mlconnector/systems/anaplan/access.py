# SPDX-License-Identifier: Apache-2.0
"""The token of one client: taken from the shared store, kept while it lives, given back when it is refused."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta

from airflow_provider_mlconnector.systems.anaplan.auth import Login
from airflow_provider_mlconnector.systems.anaplan.login_service import LoginService
from airflow_provider_mlconnector.systems.anaplan.ports import Token, TokenStore

REFRESH_EARLY = 300.0  # seconds before its end that a token is renewed


class Access:
    """Authorises the requests of one client; threads may share it.

    :param key: under which the store keeps the token, see :func:`auth.fingerprint`.
    """

    def __init__(self, login: Login, service: LoginService, tokens: TokenStore, key: str) -> None:
        self._login = login
        self._service = service
        self._tokens = tokens
        self._key = key
        self._lock = threading.Lock()
        self._token: Token | None = None

    def headers(self) -> Mapping[str, str]:
        """Return the header that carries a token with some life left."""
        with self._lock:
            soon = self._service.clock.now() + timedelta(seconds=REFRESH_EARLY)
            if self._token is None or self._token.expires_at <= soon:
                self._token = self._tokens.token(self._key, fresh=self._fresh, early=REFRESH_EARLY)
            return {"Authorization": f"{self._token.scheme} {self._token.value}"}

    def refused(self, headers: Mapping[str, str]) -> None:
        """Take note of a 401: the token in those headers is dead, whatever its end of life says."""
        value = headers["Authorization"].partition(" ")[2]
        with self._lock:
            self._tokens.reject(self._key, value)
            if self._token and self._token.value == value:
                self._token = None

    def _fresh(self, last: Token | None, refresh_token: str | None) -> tuple[Token, str | None]:
        return self._login.fresh(self._service, last, refresh_token)
